//! One standard profile: what it does, what it rests on, its parameters and what a template asks for (R111–R114). Nothing of it changes.

use std::sync::Arc;

use actix_web::HttpResponse;
use askama::Template;
use jiff::Timestamp;

use super::profile::{Deployed, deployed};
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::parameter::ParameterName;
use crate::domain::profile::Profile;
use crate::domain::standard::{Confidence, Input, StandardProfile};
use crate::services::Services;
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::parameter_help::Help;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::Shown;

#[derive(Template)]
#[template(path = "profiles/standard.html")]
struct StandardPage {
    page: Page,
    id: ProfileId,
    name: String,
    description: String,
    is_template: bool,
    /// The version that brought it, and when.
    version: String,
    since: Timestamp,
    facts: Vec<(&'static str, String)>,
    rows: Vec<Row>,
    asked: Vec<Asked>,
    deployed: Deployed,
}

/// A parameter that it sets.
struct Row {
    name: String,
    shown: Shown,
    help: Help,
}

/// A field of a template.
struct Asked {
    label: String,
    required: bool,
    help: String,
    parameters: Vec<String>,
}

/// The page of a profile that its address has found to be a standard one.
pub fn show(
    who: &SignedIn,
    services: &Services,
    profile: &Profile,
    shipped: &'static StandardProfile,
) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let row = |(name, value): (&ParameterName, &Arc<str>)| Row {
        name: name.to_string(),
        shown: Shown::of(name.as_str(), value),
        help: Help::of(world.schemas.current(), name.as_str(), Some(value)),
    };
    Ok(html(&StandardPage {
        page: who.page(profile.name.to_string()),
        id: profile.id,
        name: profile.name.to_string(),
        description: profile.description.clone(),
        is_template: profile.is_template(),
        version: profile.modified_by.clone(),
        since: profile.modified_at,
        facts: facts(shipped),
        rows: profile.parameters.iter().map(row).collect(),
        asked: shipped.inputs.iter().map(asked).collect(),
        deployed: deployed(services, &world, profile.id),
    }))
}

fn facts(shipped: &StandardProfile) -> Vec<(&'static str, String)> {
    let families = if shipped.families.is_empty() { "All".to_owned() } else { shipped.families.join(", ") };
    let version = shipped.least_version.as_deref().map_or("Not known".to_owned(), |version| format!("{version} or later"));
    let confidence = match shipped.confidence {
        Confidence::Sourced => "Documents say so",
        Confidence::Usual => "Common practice; no document was found",
    };
    vec![
        ("Device types", families),
        ("Software known to take it", version),
        ("Confidence", confidence.to_owned()),
        ("Source", shipped.source.clone()),
    ]
}

fn asked(input: &Input) -> Asked {
    Asked {
        label: input.label.clone(),
        required: input.required,
        help: input.help.clone(),
        parameters: input.parameters.iter().map(ToString::to_string).collect(),
    }
}
