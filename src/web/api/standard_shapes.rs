//! Standard profiles as JSON: what an own profile does not have (R111–R114). Only shapes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::standard::{Confidence, Input, InputKind, StandardProfile};

/// What is told of a standard profile beside what every profile has.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct StandardShape {
    /// Families of devices that know its parameters; empty for all.
    pub families: Vec<String>,
    /// The least software version of which it is shown that it knows all of them.
    pub least_version: Option<String>,
    /// What the choice of parameters and values rests on.
    pub source: String,
    /// `sourced`, or `usual` where it is common practice and no document was found.
    pub confidence: String,
    /// What a template asks for: send it as `inputs` when it is copied.
    pub inputs: Vec<InputShape>,
}

/// One field of a template's form.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct InputShape {
    /// Its key in `inputs`.
    pub name: String,
    /// What forms call it.
    pub label: String,
    /// What to put in.
    pub help: String,
    /// The parameters that get its value.
    pub parameters: Vec<String>,
    /// `text`, `secret`, `number`, `choice` or `host`.
    pub kind: String,
    /// Whether it must be filled.
    pub required: bool,
    /// What an empty one becomes; without it the parameters are left out.
    pub default: Option<String>,
    /// Values that are not taken.
    pub refused: Vec<String>,
    /// The values of a choice.
    pub choices: Vec<String>,
    /// Fewest characters.
    pub least_length: Option<usize>,
    /// Most characters.
    pub most_length: Option<usize>,
    /// Least number.
    pub min: Option<i64>,
    /// Greatest number.
    pub max: Option<i64>,
}

impl From<&StandardProfile> for StandardShape {
    fn from(shipped: &StandardProfile) -> Self {
        Self {
            families: shipped.families.clone(),
            least_version: shipped.least_version.clone(),
            source: shipped.source.clone(),
            confidence: match shipped.confidence {
                Confidence::Sourced => "sourced",
                Confidence::Usual => "usual",
            }
            .to_owned(),
            inputs: shipped.inputs.iter().map(InputShape::from).collect(),
        }
    }
}

impl From<&Input> for InputShape {
    fn from(input: &Input) -> Self {
        Self {
            name: input.name.clone(),
            label: input.label.clone(),
            help: input.help.clone(),
            parameters: input.parameters.iter().map(ToString::to_string).collect(),
            kind: match input.kind {
                InputKind::Text => "text",
                InputKind::Secret => "secret",
                InputKind::Number => "number",
                InputKind::Choice => "choice",
                InputKind::Host => "host",
                InputKind::Url => "url",
            }
            .to_owned(),
            required: input.required,
            default: input.default.clone(),
            refused: input.refused.clone(),
            choices: input.choices.clone(),
            least_length: input.least_length,
            most_length: input.most_length,
            min: input.min,
            max: input.max,
        }
    }
}
