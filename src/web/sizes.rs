//! What may be sent to pages and API: what each kind of file is called, how large it may be, and at which address it is sent from a page.
//! The numbers stand in `domain/limits.rs`; every body is read up to one of these and no further.

use crate::domain::limits::{
    ARCHIVE_UPLOAD_BYTES, DEVICE_CSV_BYTES, GIVEN_FILE_BYTES, IMPORT_BYTES, LICENSE_BYTES, MANUFACTURER_FILE_BYTES,
    REVOCATION_FILE_BYTES, SCHEMA_BYTES, SITES_CSV_BYTES,
};

/// A kind of file, and its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// What it is called, with its article.
    pub what: &'static str,
    /// Bytes that one may have.
    pub bytes: usize,
}

/// A configuration file, uploaded or pasted.
pub const CONFIGURATION: Size = Size { what: "a configuration file", bytes: IMPORT_BYTES };
/// A CSV file of sites.
pub const SITES: Size = Size { what: "a file of sites", bytes: SITES_CSV_BYTES };
/// A CSV file of devices.
pub const DEVICES: Size = Size { what: "a file of devices", bytes: DEVICE_CSV_BYTES };
/// An archive of profiles.
pub const ARCHIVE: Size = Size { what: "an archive of profiles", bytes: ARCHIVE_UPLOAD_BYTES };
/// A file for devices.
pub const DEVICE_FILE: Size = Size { what: "a file for devices", bytes: GIVEN_FILE_BYTES };
/// A schema.
pub const SCHEMA: Size = Size { what: "a schema", bytes: SCHEMA_BYTES };
/// Certificates of manufacturers' CAs.
pub const AUTHORITIES: Size = Size { what: "a file with CA certificates", bytes: MANUFACTURER_FILE_BYTES };
/// Lists of revoked certificates.
pub const REVOCATION_LISTS: Size = Size { what: "a file with revocation lists", bytes: REVOCATION_FILE_BYTES };

/// The key file of a software licence.
pub const LICENSE: Size = Size { what: "a key file", bytes: LICENSE_BYTES };

/// Bytes in whatever is sent from a page and has no size of its own: more than a pasted configuration file, every byte percent-encoded.
pub const FORM_BYTES: usize = SCHEMA_BYTES + AROUND;
/// Bytes that a form puts around its file.
const AROUND: usize = 64 * 1024;

impl Size {
    /// What is said of one that is larger.
    pub fn exceeded(self) -> String {
        format!("{} has at most {}; this one has more. Nothing was changed", self.what, self.in_words())
    }

    /// What is sent to an address of the pages; none where that is no file.
    pub fn at(path: &str) -> Option<Self> {
        let of_a_profile =
            |path: &str| path.strip_prefix("/admin/profiles/").map(|rest| rest.split('/').nth(1).unwrap_or_default().to_owned());
        match path {
            "/admin/sites/import" => Some(SITES),
            "/admin/devices/import" => Some(DEVICES),
            "/admin/devices/upload/files" => Some(DEVICE_FILE),
            "/admin/profiles/import" => Some(ARCHIVE),
            "/admin/provisioning/schema/upload" => Some(SCHEMA),
            "/admin/provisioning/phone-certificates/upload" => Some(AUTHORITIES),
            "/admin/provisioning/phone-certificates/lists/upload" => Some(REVOCATION_LISTS),
            _ => of_a_profile(path).filter(|last| matches!(last.as_str(), "import" | "paste")).map(|_| CONFIGURATION),
        }
    }

    /// Bytes of a form that is sent to an address: that of its file, and what stands around it. A pasted text is percent-encoded.
    pub fn of_form_at(path: &str) -> usize {
        Self::at(path).map_or(FORM_BYTES, |size| FORM_BYTES.max(size.bytes + AROUND))
    }

    fn in_words(self) -> String {
        in_words(self.bytes as u64)
    }
}

/// A bound in words.
pub fn in_words(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    match bytes {
        MIB.. => format!("{} MiB", bytes / MIB),
        1024.. => format!("{} KiB", bytes / 1024),
        _ => format!("{bytes} bytes"),
    }
}

/// Whether a form is sent to an address whose files are too large to be read ahead: they are received piece by piece.
pub fn is_streamed(path: &str) -> bool {
    let of_one = |rest: &str| rest.strip_suffix("/replace").is_some_and(|id| !id.is_empty() && !id.contains('/'));
    path == "/admin/software/upload"
        || path == "/admin/resources/add"
        || path.strip_prefix("/admin/resources/").is_some_and(of_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_file_is_called_by_its_name_where_it_is_sent() {
        assert_eq!(Size::at("/admin/sites/import"), Some(SITES));
        assert_eq!(Size::at("/admin/profiles/7/paste"), Some(CONFIGURATION));
        assert_eq!(Size::at("/admin/profiles/7/import"), Some(CONFIGURATION));
        assert_eq!((Size::at("/admin/profiles/7/parameters"), Size::at("/admin/groups/1/devices")), (None, None));
        assert!(CONFIGURATION.exceeded().starts_with("a configuration file has at most 4 MiB;"));
        assert!(AUTHORITIES.exceeded().contains("512 KiB"));
    }

    #[test]
    fn a_form_holds_its_file_and_a_paste_with_every_byte_encoded() {
        assert!(Size::of_form_at("/admin/sites/import") > SITES.bytes);
        assert!(Size::of_form_at("/admin/profiles/7/paste") > 3 * CONFIGURATION.bytes);
    }

    #[test]
    fn resource_files_are_not_read_ahead() {
        assert!(
            is_streamed("/admin/software/upload")
                && is_streamed("/admin/resources/add")
                && is_streamed("/admin/resources/7/replace")
        );
        for path in ["/admin/resources", "/admin/resources/delete", "/admin/resources/7/x/replace", "/admin/resources//replace"] {
            assert!(!is_streamed(path), "{path}");
        }
    }
}
