//! Configuration files into profiles. The body is the file itself, byte for byte, so that its encoding is its own:
//! `curl --data-binary @site.cfg`. A dry run is the preview.

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{self, created};
use super::caller::Caller;
use super::paths::{AccountPath, ProfilePath};
use super::problem::Problem;
use super::profile_shapes::ProfileShape;
use super::sent::{self, Asked};
use crate::domain::import::{Changed, Entry, Given, ImportOptions, ImportPreview, LeaveOut, Position};
use crate::domain::parameter::{ParameterSet, masked};
use crate::domain::profile::draft::{ProfileDraft, ProfileInput};
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::services::import::preview;
use crate::services::profiles::{self, Shown};
use crate::web::{blocking, sizes};

/// How a file is taken into a profile.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IntoProfile {
    /// The revision that the preview showed.
    revision: u64,
    /// Takes empty values too.
    #[serde(default)]
    keep_empty: bool,
    /// Takes values equal to a default too, and pairs whose `.set` says that they are not meant.
    #[serde(default)]
    keep_defaults: bool,
    /// Changes nothing and answers what would change.
    #[serde(default)]
    dry_run: bool,
}

/// How a file becomes a profile.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AsProfile {
    /// Name of the new profile.
    name: String,
    /// Takes empty values too.
    #[serde(default)]
    keep_empty: bool,
    /// Takes values equal to a default too, and pairs whose `.set` says that they are not meant.
    #[serde(default)]
    keep_defaults: bool,
    /// Creates nothing and answers what would be in the profile.
    #[serde(default)]
    dry_run: bool,
}

/// What a file changed, or would change.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportShape {
    /// Parameters that are new.
    pub added: Vec<ImportedShape>,
    /// Parameters that get another value.
    pub changed: Vec<ImportedShape>,
    /// Parameters that have this value already.
    pub unchanged: Vec<ImportedShape>,
    /// Values that are not taken unless asked for.
    pub left_out: Vec<LeftOutShape>,
    /// Namespaces and the like: they belong to XML itself and are never taken.
    pub of_xml: Vec<ImportedShape>,
    /// What cannot be taken.
    pub refused: Vec<RefusedShape>,
    /// Parameters that the file has in several elements; the last one counts.
    pub conflicts: Vec<ConflictShape>,
    /// The profile after the import.
    pub profile: ProfileShape,
}

/// A parameter of a file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportedShape {
    /// Name.
    pub name: String,
    /// Value in the profile before, where there is one that differs; secrets are masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// Value in the file; secrets are masked.
    pub value: String,
    /// Line of the file.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// A value that is left out.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LeftOutShape {
    /// Name.
    pub name: String,
    /// Value in the file; secrets are masked.
    pub value: String,
    /// `empty`, `default`, or `not-set` where the `.set` twin says 0 or has no value beside it.
    pub why: String,
    /// Line of the file.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// A parameter that cannot be taken.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RefusedShape {
    /// Name as written.
    pub name: String,
    /// The rule that it breaks.
    pub reason: String,
    /// Line of the file.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// A parameter that stands in several elements.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ConflictShape {
    /// Name.
    pub name: String,
    /// Whether the values differ.
    pub differs: bool,
    /// Lines of the file; the last one counts.
    pub lines: Vec<u32>,
}

impl ImportShape {
    fn new(preview: ImportPreview, profile: ProfileShape) -> Self {
        let given = |Given { name, value, at }: Given| imported(name.as_str(), None, &value, at);
        let changed = |Changed { name, old, new, at }: Changed| imported(name.as_str(), Some(&old), &new, at);
        let left_out = preview.left_out.into_iter().map(|l| LeftOutShape {
            value: masked(l.name.as_str(), &l.value).into_owned(),
            name: l.name.to_string(),
            why: word(l.why).to_owned(),
            line: l.at.line,
            column: l.at.column,
        });
        let of_xml = |Entry { name, value, at }: Entry| imported(&name, None, &value, at);
        let refused = preview.refused.into_iter();
        let conflicts = preview.conflicts.iter().map(|c| ConflictShape {
            name: c.name.to_string(),
            differs: c.differs(),
            lines: c.values.iter().map(|(_, at)| at.line).collect(),
        });
        Self {
            added: preview.added.into_iter().map(given).collect(),
            changed: preview.changed.into_iter().map(changed).collect(),
            unchanged: preview.unchanged.into_iter().map(given).collect(),
            left_out: left_out.collect(),
            of_xml: preview.of_xml.into_iter().map(of_xml).collect(),
            refused: refused
                .map(|r| RefusedShape { name: r.name, reason: r.reason, line: r.at.line, column: r.at.column })
                .collect(),
            conflicts: conflicts.collect(),
            profile,
        }
    }
}

fn imported(name: &str, old: Option<&str>, value: &str, at: Position) -> ImportedShape {
    let old = old.map(|old| masked(name, old).into_owned());
    ImportedShape { name: name.to_owned(), old, value: masked(name, value).into_owned(), line: at.line, column: at.column }
}

fn word(why: LeaveOut) -> &'static str {
    match why {
        LeaveOut::Empty => "empty",
        LeaveOut::Default => "default",
        LeaveOut::NotSet => "not-set",
    }
}

/// Takes a configuration file into a profile; the latest edit wins.
#[utoipa::path(tag = "profiles", params(ProfilePath, IntoProfile), request_body(content = Vec<u8>, content_type = "application/xml"), responses((status = 200, body = ImportShape)))]
#[post("/accounts/{account}/profiles/{id}/import")]
pub async fn import_into_profile(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ProfilePath>,
    how: Asked<IntoProfile>,
    payload: web::Payload,
) -> Result<web::Json<ImportShape>, Problem> {
    let file = sent::file(payload, sizes::CONFIGURATION).await?;
    let IntoProfile { revision, keep_empty, keep_defaults, dry_run } = how.into_inner();
    let (id, mode) = (path.id()?, body::mode(dry_run));
    let work = move |services: &Services| {
        let present = profiles::get(services, caller.account, id)?;
        let shown = preview(&present.parameters, &file, ImportOptions { keep_empty, keep_defaults })?;
        if present.revision != revision {
            return Err(ServiceError::stale("profile", &present.modified_by));
        }
        let profile = profiles::import(services, &caller.actor, caller.account, Shown { id, revision }, &shown, mode)?;
        Ok((shown, profile))
    };
    let (shown, profile) = blocking::call(&services, work).await?;
    let world = services.world(caller.account)?;
    Ok(web::Json(ImportShape::new(shown, ProfileShape::new(&profile, &world))))
}

/// Creates a profile from a configuration file.
#[utoipa::path(tag = "profiles", params(AccountPath, AsProfile), request_body(content = Vec<u8>, content_type = "application/xml"), responses((status = 201, body = ImportShape), (status = 200, description = "A dry run", body = ImportShape)))]
#[post("/accounts/{account}/profiles/import")]
pub async fn import_as_profile(
    caller: Caller,
    services: web::Data<Services>,
    how: Asked<AsProfile>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let file = sent::file(payload, sizes::CONFIGURATION).await?;
    let AsProfile { name, keep_empty, keep_defaults, dry_run } = how.into_inner();
    let named = ProfileDraft::parse(&ProfileInput { name, ..ProfileInput::default() })?;
    let mode = body::mode(dry_run);
    let work = move |services: &Services| {
        let shown = preview(&ParameterSet::new(), &file, ImportOptions { keep_empty, keep_defaults })?;
        let mut draft = named;
        shown.apply(&mut draft.parameters);
        let made = profiles::create(services, &caller.actor, caller.account, vec![draft], mode)?;
        Ok((shown, made))
    };
    let (shown, made) = blocking::call(&services, work).await?;
    let world = services.world(caller.account)?;
    let profile = made.first().map(|profile| ProfileShape::new(profile, &world));
    let profile = profile.ok_or_else(|| Problem::not_found("profile", "just created"))?;
    Ok(HttpResponse::build(created(mode)).json(ImportShape::new(shown, profile)))
}
