//! Forms as they come in: typed text, and after a refusal the same text with every field's error beside it.
//!
//! A page parses a [`Form`] into a draft of the services layer; what is wrong comes back as [`FieldErrors`] and the form is
//! shown again with status 422.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use crate::domain::field_error::FieldErrors;
use crate::web::sizes::FORM_BYTES;

/// Names and typed texts in order; a name may come several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    pairs: Vec<(String, String)>,
    errors: Vec<FormError>,
}

/// One line of the error summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError {
    /// Name of the field; empty where the error is of the form as a whole.
    pub field: String,
    /// The rule in words.
    pub message: String,
}

impl Form {
    /// An empty form, or one filled from what is stored.
    pub fn filled<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self { pairs: pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect(), errors: Vec::new() }
    }

    /// Reads `application/x-www-form-urlencoded` text.
    pub fn from_urlencoded(body: &[u8]) -> Result<Self, serde_urlencoded::de::Error> {
        serde_urlencoded::from_bytes(body).map(|pairs| Self { pairs, errors: Vec::new() })
    }

    /// The typed text of a field; empty where it was not sent.
    pub fn value(&self, name: &str) -> &str {
        self.pairs.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// The typed text without outer blanks, or none where nothing but blanks was typed.
    pub fn text(&self, name: &str) -> Option<&str> {
        Some(self.value(name).trim()).filter(|text| !text.is_empty())
    }

    /// All values of a name, in order: ticked rows, repeated fields.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// All names and values, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Whether a box was ticked or a button pressed.
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(n, _)| n == name)
    }

    /// Whether this value of a name was chosen.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.pairs.iter().any(|(n, v)| n == name && v == value)
    }

    /// Sets a field, in place of what was typed.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.pairs.retain(|(n, _)| n != name);
        self.pairs.push((name.to_owned(), value.into()));
    }

    /// Sets all values of a name, in place of what was typed.
    pub fn put(&mut self, name: &str, values: Vec<String>) {
        self.pairs.retain(|(n, _)| n != name);
        self.pairs.extend(values.into_iter().map(|value| (name.to_owned(), value)));
    }

    /// Takes from another form the fields that this one lacks, but for the boxes that it has of its own: unticked, they are not sent.
    #[must_use]
    pub fn or(mut self, other: &Self, boxes: &[&str]) -> Self {
        let lacking = other.pairs.iter().filter(|(name, _)| !self.has(name) && !boxes.contains(&name.as_str())).cloned();
        let lacking: Vec<_> = lacking.collect();
        self.pairs.extend(lacking);
        self
    }

    /// The form with the errors of its fields, to be shown again.
    #[must_use]
    pub fn rejected(mut self, errors: &FieldErrors) -> Self {
        self.errors.extend(errors.iter().map(|e| FormError { field: e.field.to_owned(), message: sentence(&e.message) }));
        self
    }

    /// [`Form::rejected`] where the fields of the form are called otherwise than those of the errors.
    #[must_use]
    pub fn rejected_by(mut self, errors: &FieldErrors, name: impl Fn(&str) -> String) -> Self {
        self.errors.extend(errors.iter().map(|e| FormError { field: name(e.field), message: sentence(&e.message) }));
        self
    }

    /// The form with an error that belongs to no field.
    #[must_use]
    pub fn refused(mut self, message: impl std::fmt::Display) -> Self {
        self.errors.push(FormError { field: String::new(), message: sentence(&message.to_string()) });
        self
    }

    /// The form with an error of a field whose name is made while the page is.
    #[must_use]
    pub fn wrong(mut self, field: String, message: impl std::fmt::Display) -> Self {
        self.errors.push(FormError { field, message: sentence(&message.to_string()) });
        self
    }

    /// Whether it is shown again with errors.
    pub fn is_rejected(&self) -> bool {
        !self.errors.is_empty()
    }

    /// All errors, in the order of the fields.
    pub fn errors(&self) -> &[FormError] {
        &self.errors
    }

    /// The first error of a field.
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|e| e.field == name).map(|e| e.message.as_str())
    }
}

/// Errors are written in lower case to fit anywhere; on a page they begin a line.
pub(super) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Reads the body that [`super::csrf`] has already bounded and checked; of a script that shows its token in a header nothing was read yet.
impl FromRequest for Form {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload).into_inner();
        Box::pin(async move {
            let read = payload?.to_bytes_limited(FORM_BYTES).await;
            let body =
                read.map_err(|_| actix_web::error::ErrorPayloadTooLarge("the form is too large; nothing was changed"))??;
            Self::from_urlencoded(&body).map_err(actix_web::error::ErrorBadRequest)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_text_comes_back_beside_its_error() {
        let form = Form::from_urlencoded(b"name=a%2Fb&note=+x+&pick=1&pick=2").expect("a well-formed body");
        assert_eq!(form.values("pick").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((form.text("note"), form.text("none")), (Some("x"), None));
        let form = form.rejected(&FieldErrors::one("name", "“/” is not allowed"));
        assert_eq!(form.value("name"), "a/b");
        assert_eq!(form.error("name"), Some("“/” is not allowed"));
        assert_eq!(form.error("note"), None);
    }

    #[test]
    fn a_message_on_a_page_begins_with_a_capital() {
        let form = Form::default().refused("enter a name");
        assert_eq!(form.errors()[0].message, "Enter a name");
    }
}
