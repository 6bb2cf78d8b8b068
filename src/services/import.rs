//! Configuration files into profiles: what a file would change, shown before it is accepted (R122, contract 5.2).
//!
//! Pages and API send the same bytes and options twice, first to look and then to accept: both go through [`preview`].

use super::error::ServiceError;
use crate::catalog::governed::default_of;
use crate::domain::field_error::FieldErrors;
use crate::domain::import::{ImportOptions, ImportPreview};
use crate::domain::parameter::ParameterSet;
use crate::xml::read;

/// The name of the field that a file or pasted text is sent in.
pub const FILE: &str = "file";

/// What a file would change in these parameters.
///
/// # Errors
/// [`ServiceError::Invalid`] of the field [`FILE`], with line, column and reason, for what is no parameter file.
pub fn preview(present: &ParameterSet, file: &[u8], options: ImportOptions) -> Result<ImportPreview, ServiceError> {
    let read = read::attributes(file).map_err(|error| FieldErrors::one(FILE, error))?;
    let preview = ImportPreview::new(present, &read.parameters, default_of, options);
    Ok(ImportPreview { of_xml: read.of_xml, ..preview })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::import::LeaveOut;

    #[test]
    fn governed_defaults_are_left_out_and_faults_name_their_place() {
        let file = b"<a prov.polling.enabled='0' reg.1.label='x'\n device.prov.tagSerialNo='1' device.prov.tagSerialNo.set='0'/>";
        let shown = preview(&ParameterSet::new(), file, ImportOptions::default()).expect("a parameter file");
        assert_eq!(shown.added.iter().map(|g| g.name.as_str()).collect::<Vec<_>>(), ["reg.1.label"]);
        assert_eq!((shown.left_out_as(LeaveOut::Default), shown.left_out_as(LeaveOut::NotSet)), (1, 2));

        let file = b"<a xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:noNamespaceSchemaLocation='a.xsd' b='1'/>";
        let shown = preview(&ParameterSet::new(), file, ImportOptions::default()).expect("a parameter file");
        let of_xml: Vec<_> = shown.of_xml.iter().map(|one| (one.name.as_str(), one.at.column)).collect();
        assert_eq!(of_xml, [("xmlns:xsi", 4), ("xsi:noNamespaceSchemaLocation", 58)]);

        let refused = preview(&ParameterSet::new(), b"<a>\n<b", ImportOptions::default()).expect_err("an unfinished file");
        assert!(refused.to_string().contains("line 2, column 3"), "{refused}");
    }
}
