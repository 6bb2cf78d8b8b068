//! What callers send: one object or an array, whole files, and whether to try only.

use std::fmt;
use std::marker::PhantomData;

use actix_web::http::StatusCode;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
use crate::domain::field_error::FieldErrors;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;

/// Whether a change is made or only tried.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DryRun {
    /// Changes nothing and answers what would change.
    #[serde(default)]
    dry_run: bool,
}

impl DryRun {
    /// As services want it.
    pub fn mode(self) -> Mode {
        mode(self.dry_run)
    }
}

/// `dry_run` as services want it.
pub(super) fn mode(dry_run: bool) -> Mode {
    if dry_run { Mode::TryOut } else { Mode::Keep }
}

/// The status of something that was created, or would have been.
pub(super) fn created(mode: Mode) -> StatusCode {
    match mode {
        Mode::Keep => StatusCode::CREATED,
        Mode::TryOut => StatusCode::OK,
    }
}

/// One object, or an array of which all or none are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// An array.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// Whether one object was sent, and a list of all.
    pub fn into_list(self) -> (Amount, Vec<T>) {
        match self {
            Self::One(one) => (Amount::One, vec![one]),
            Self::Many(many) => (Amount::Many, many),
        }
    }
}

/// Whether one object or an array was sent: the answer has the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// One.
    One,
    /// An array.
    Many,
}

impl Amount {
    /// Parses each object; the errors of an array's objects tell which.
    pub fn parse_all<T, D>(self, inputs: &[T], parse: impl Fn(&T) -> Result<D, FieldErrors>) -> Result<Vec<D>, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut drafts = Vec::with_capacity(inputs.len());
        for (item, input) in inputs.iter().enumerate() {
            match (parse(input), self) {
                (Ok(draft), _) => drafts.push(draft),
                (Err(wrong), Self::One) => errors = wrong,
                (Err(wrong), Self::Many) => errors.add_item(item, wrong),
            }
        }
        errors.into_result(Some(drafts))
    }

    /// A service's refusal of what was parsed: services know a single object only as itself, also where it came in an array.
    pub fn placed(self, error: ServiceError) -> Problem {
        match (self, error) {
            (Self::Many, ServiceError::Invalid(errors)) if errors.iter().all(|error| error.item.is_none()) => {
                let mut of_first = FieldErrors::new();
                of_first.add_item(0, errors);
                Problem::invalid(&of_first)
            }
            (_, error) => error.into(),
        }
    }

    /// Puts what was made into the form in which it was sent.
    pub fn shape<T>(self, made: Vec<T>) -> OneOrMany<T> {
        match (self, made) {
            (Self::One, mut made) if made.len() == 1 => OneOrMany::One(made.remove(0)),
            (_, made) => OneOrMany::Many(made),
        }
    }
}

/// Written by hand because a derived one forgets where in the text a mistake is.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or an array of objects")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OneOrMany::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut many = Vec::new();
                while let Some(one) = seq.next_element()? {
                    many.push(one);
                }
                Ok(OneOrMany::Many(many))
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// A field of a partial change: absent stays, `null` clears.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        name: String,
    }

    #[test]
    fn one_object_and_an_array_are_told_apart_and_mistakes_are_placed() {
        let thing = |name: &str| Thing { name: name.to_owned() };
        let read = serde_json::from_str::<OneOrMany<Thing>>;
        assert_eq!(read("{\"name\":\"a\"}").ok(), Some(OneOrMany::One(thing("a"))));
        assert_eq!(read("[{\"name\":\"a\"},{\"name\":\"b\"}]").ok(), Some(OneOrMany::Many(vec![thing("a"), thing("b")])));
        let error = read("[{\"name\":\"a\"},\n{\"nmae\":\"b\"}]").expect_err("a misspelt field").to_string();
        assert!(error.contains("nmae") && error.contains("line 2"), "{error}");
        assert!(read("7").is_err());
    }

    #[test]
    fn errors_of_arrays_tell_which_object() {
        let parse = |n: &i32| if *n < 0 { Err(FieldErrors::one("n", "negative")) } else { Ok(*n) };
        assert_eq!(Amount::Many.parse_all(&[1, 2], parse), Ok(vec![1, 2]));
        let items = |amount: Amount, list: &[i32]| {
            amount.parse_all(list, parse).expect_err("wrong").iter().map(|e| e.item).collect::<Vec<_>>()
        };
        assert_eq!(items(Amount::Many, &[1, -1, -2]), [Some(1), Some(2)]);
        assert_eq!(items(Amount::One, &[-1]), [None]);
    }
}
