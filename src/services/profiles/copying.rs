//! Copying profiles (R126). The copy of a template gets what was typed into its form (R113).

use std::collections::BTreeMap;

use super::{add, check_name, find};
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, ProfileId};
use crate::domain::parameter::ParameterSet;
use crate::domain::profile::Profile;
use crate::domain::profile::draft::{ProfileDraft, ProfileInput};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::{Mode, perform};
use crate::services::error::ServiceError;

/// What was typed for a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyInput {
    /// Its name.
    pub name: String,
    /// Free text; none for that of the original.
    pub description: Option<String>,
    /// What the original asks for, by the keys of its fields; secrets in clear.
    pub inputs: BTreeMap<String, String>,
}

/// Copies a profile under a new name; it is attached nowhere.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Invalid`] of `name`, `description`, and of each field of a template by its key.
pub fn copy(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: ProfileId,
    input: &CopyInput,
    mode: Mode,
) -> Result<Profile, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let original = find(&world, id)?;
        let draft = draft(&world, &original, input)?;
        add(change, draft, &format!("copied from {}", original.name))
    })
}

/// The copy, with every error of its fields.
fn draft(world: &World, original: &Profile, input: &CopyInput) -> Result<ProfileDraft, FieldErrors> {
    let mut errors = FieldErrors::new();
    let parameters = match filled(world, original, &input.inputs) {
        Ok(parameters) => parameters,
        Err(wrong) => {
            errors.extend(wrong);
            ParameterSet::new()
        }
    };
    let described = ProfileInput {
        name: input.name.clone(),
        description: input.description.clone().unwrap_or_else(|| original.description.clone()),
        parameters: parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
    };
    let draft = match ProfileDraft::parse(&described) {
        Ok(draft) => Some(draft),
        Err(wrong) => {
            errors.extend(wrong);
            None
        }
    };
    if let Some(draft) = &draft
        && let Err(taken) = check_name(world, &draft.name, None)
    {
        errors.extend(taken);
    }
    // A copy has what the original has, also where that was written before a rule of today.
    errors.into_result(draft.map(|draft| ProfileDraft { parameters, software: original.software.clone(), ..draft }))
}

/// The parameters of the copy.
fn filled(world: &World, original: &Profile, inputs: &BTreeMap<String, String>) -> Result<ParameterSet, FieldErrors> {
    let asked = world.standard.get(original.id).map(|standard| standard.shipped);
    let unknown = |key: &&String| asked.is_none_or(|asked| asked.inputs.iter().all(|input| input.name != **key));
    if let Some(unknown) = inputs.keys().find(unknown) {
        return Err(FieldErrors::one(
            "inputs",
            match asked.filter(|asked| asked.is_template()) {
                Some(asked) => {
                    let keys: Vec<_> = asked.inputs.iter().map(|input| input.name.as_str()).collect();
                    format!("there is no field {unknown}; “{}” asks for {}", original.name, keys.join(", "))
                }
                None => format!("“{}” asks for nothing: only templates do", original.name),
            },
        ));
    }
    match asked {
        Some(asked) => asked.filled(inputs),
        None => Ok(original.parameters.clone()),
    }
}
