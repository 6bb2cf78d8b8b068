//! What is wrong with a form, a JSON body or a row: every field's error, not just the first.

use std::fmt;

/// One field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Which of several items, counted from zero; none where only one was sent.
    pub item: Option<usize>,
    /// The field, by its name in forms and JSON.
    pub field: &'static str,
    /// The rule in words.
    pub message: String,
}

/// All fields that break a rule, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Nothing wrong so far.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// One field's error alone.
    pub fn one(field: &'static str, message: impl fmt::Display) -> Self {
        let mut errors = Self::new();
        errors.add(field, message);
        errors
    }

    /// Notes an error of a field.
    pub fn add(&mut self, field: &'static str, message: impl fmt::Display) {
        self.0.push(FieldError { item: None, field, message: message.to_string() });
    }

    /// Takes the value of a parser, or notes its error.
    pub fn take<T, E: fmt::Display>(&mut self, field: &'static str, parsed: Result<T, E>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(field, error);
                None
            }
        }
    }

    /// Adds errors that another check found.
    pub fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Adds the errors of one item of several.
    pub fn add_item(&mut self, item: usize, errors: Self) {
        self.0.extend(errors.0.into_iter().map(|e| FieldError { item: Some(item), ..e }));
    }

    /// Whether every field is right.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The errors, in order.
    pub fn iter(&self) -> impl Iterator<Item = &FieldError> {
        self.0.iter()
    }

    /// The first message about a field of the only item.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|e| e.field == field).map(|e| e.message.as_str())
    }

    /// The value if nothing is wrong, else the errors.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            if let Some(item) = error.item {
                write!(f, "item {}, ", item + 1)?;
            }
            write!(f, "{}: {}", error.field, error.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for FieldErrors {}
