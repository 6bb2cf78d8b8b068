//! What is known of parameters, and what is said of names and values (R137–R143): the dictionary, or an uploaded schema over it.
//!
//! Which one counts stands in the World: whoever looks something up takes it from there ([`crate::domain::schema::uploaded::Schemas`]).

mod uploads;

use crate::catalog::restart::restarts;
use crate::domain::field_error::FieldErrors;
use crate::domain::parameter::ParameterSet;
use crate::domain::restart::{Effect, Told};
use crate::domain::schema::Schema;
use crate::domain::schema::advice::{self, Advice, Oddity};
use crate::domain::world::World;
pub use uploads::{
    Preview, Purpose, UploadDraft, UploadInput, accept, choose, delete, look, pack, roll_back, set_refusing, unpack,
};
pub(super) use uploads::{delete_of_image, read_all, take_of_image};

/// What is said of one parameter with a value.
pub fn advise_on(schema: &Schema, name: &str, value: &str) -> Option<Advice> {
    advice::of(schema, name, value)
}

/// What is said of parameters, in the order of their names.
pub fn advise(schema: &Schema, parameters: &ParameterSet) -> Vec<Advice> {
    parameters.iter().filter_map(|(name, value)| advice::of(schema, name.as_str(), value)).collect()
}

/// What a change of a parameter does to a phone: our own table says it, else the schema (R137).
pub fn restart(schema: &Schema, name: &str) -> Told {
    let by_schema = || match schema.find(name)?.definition.restarts? {
        true => Some(Told::sure(Effect::Restart)),
        false => Some(Told::sure(Effect::None)),
    };
    restarts().known(name).or_else(by_schema).unwrap_or(Told::UNKNOWN)
}

/// The same in words.
pub fn restart_words(told: Told) -> &'static str {
    match told.effect {
        Effect::Restart if told.is_assumed() => "A change restarts the phone (assumed: no document says what it does).",
        Effect::Restart => "A change restarts the phone.",
        Effect::None => "A change does not restart the phone.",
        Effect::MayRestart => "A change may restart the phone.",
    }
}

/// Values that an error names; there may be thousands.
const NAMED: usize = 10;

/// Refuses values that the schema rules out, where the account wants that (R141): a type, a range or a list of values that it names. Names
/// that it does not have are never refused.
///
/// # Errors
/// Of `parameters`, with each of the first few names.
pub fn refuse_ruled_out<'a>(world: &World, values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), FieldErrors> {
    if !world.schemas.choice.refuses {
        return Ok(());
    }
    let schema = world.schemas.current();
    let ruled_out = values.into_iter().filter_map(|(name, value)| advice::of(schema, name, value));
    let ruled_out: Vec<_> = ruled_out.filter(|advice| matches!(advice.oddity, Oddity::Value(_))).collect();
    let mut errors = FieldErrors::new();
    for advice in ruled_out.iter().take(NAMED) {
        errors.add("parameters", format_args!("{}: {advice}", advice.name));
    }
    if ruled_out.len() > NAMED {
        errors.add("parameters", format_args!("and {} more values that the schema rules out", ruled_out.len() - NAMED));
    }
    errors.into_result(Some(()))
}

/// [`refuse_ruled_out`] of what is new or different in some parameters: what stands there already may stay.
///
/// # Errors
/// As there.
pub fn refuse_changes(world: &World, old: &ParameterSet, new: &ParameterSet) -> Result<(), FieldErrors> {
    let changed = new.iter().filter(|(name, value)| old.get(name.as_str()) != Some(&***value));
    refuse_ruled_out(world, changed.map(|(name, value)| (name.as_str(), &**value)))
}
