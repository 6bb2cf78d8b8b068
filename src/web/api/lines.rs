//! Lines of devices as values by field: read from all profiles, written into each device's own.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{get, put, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::DryRun;
use super::caller::Caller;
use super::device_deletion::found;
use super::matching::{Chosen, Matching, chosen};
use super::paths::{AccountPath, DevicePath};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::catalog::models::models;
use crate::domain::activity::MASK;
use crate::domain::device::DeviceKey;
use crate::domain::field_error::FieldErrors;
use crate::domain::lines::{Line, LineField, TypedLine};
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::services::lines::{self, LinesEdit, LinesOf, Saved};
use crate::services::lists;
use crate::web::blocking;

/// The lines of a device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LinesShape {
    /// The device.
    pub device: String,
    /// The profile of its own that lines are written into; null where it is made with the first change.
    pub profile: Option<u64>,
    /// Its revision; 0 where there is none. Send it back with a change.
    pub revision: u64,
    /// The lines, from the first one on.
    pub lines: Vec<LineShape>,
}

/// One line.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LineShape {
    /// Its number, from one.
    pub line: usize,
    /// What it has, by field: `address`, `display_name`, `label`, `user`, `password`, `server`, `port`, `transport`, `server_2`, `port_2`,
    /// `transport_2`. Fields that nothing sets are absent.
    pub fields: BTreeMap<String, LineFieldShape>,
}

/// What a field of a line has.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LineFieldShape {
    /// What the device gets; a password is masked.
    pub value: String,
    /// Where it comes from, in words; absent where the device's own profile says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The parameter.
    #[schema(example = "reg.1.address")]
    pub parameter: String,
}

impl From<LinesOf> for LinesShape {
    fn from(of: LinesOf) -> Self {
        Self {
            device: of.key.to_string(),
            profile: of.own.map(|(id, _)| id.0),
            revision: of.revision,
            lines: of.lines.iter().map(line).collect(),
        }
    }
}

fn line(line: &Line) -> LineShape {
    let field = |(field, cell): (LineField, &crate::domain::lines::Cell)| {
        let value = cell.value()?;
        let value = if field.is_secret() && !value.is_empty() { MASK.to_owned() } else { value.to_owned() };
        let from = cell.inherited.as_ref().filter(|_| cell.own.is_none()).map(|(_, from)| from.clone());
        Some((field.word().to_owned(), LineFieldShape { value, from, parameter: field.parameter(line.number) }))
    };
    LineShape { line: line.number, fields: LineField::ALL.into_iter().zip(&line.cells).filter_map(field).collect() }
}

/// What was changed, or would be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SavedLinesShape {
    /// The device.
    pub device: String,
    /// The profile that it was written into; null where nothing changes, and for one that a dry run would make.
    pub profile: Option<u64>,
    /// Name of that profile.
    pub profile_name: Option<String>,
    /// Its CSV profile, where some of it is written into that one too: what it says already is changed there.
    pub also: Option<String>,
    /// The profile of the device that its own one is put above, because that one says something of the same.
    pub above: Option<String>,
    /// Whether it is made for this.
    pub made: bool,
    /// Parameters that change in it.
    pub changes: Vec<LineChangeShape>,
}

/// What was changed for several devices, or would be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SavedLinesOfDevices {
    /// Each device, in the order in which they were sent.
    pub devices: Vec<SavedLinesShape>,
}

/// A parameter that changes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LineChangeShape {
    /// Name.
    pub name: String,
    /// Value before; a password is masked.
    pub old: Option<String>,
    /// Value after; null where it is taken out.
    pub new: Option<String>,
}

impl SavedLinesShape {
    fn new(saved: Saved, is_kept: bool) -> Self {
        let changes = saved.changes.into_iter().map(|(name, old, new)| LineChangeShape { name, old, new });
        let (id, name) = saved.profile.unzip();
        Self {
            device: saved.key.to_string(),
            profile: id.filter(|_| is_kept || !saved.is_new).map(|id| id.0),
            profile_name: name.map(|name| name.to_string()),
            also: saved.also.map(|name| name.to_string()),
            above: saved.above.map(|name| name.to_string()),
            made: saved.is_new,
            changes: changes.collect(),
        }
    }
}

/// Lines to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLines {
    /// The revision that was shown.
    #[serde(default)]
    revision: Option<u64>,
    /// The lines that change; the others stay.
    lines: Vec<NewLine>,
}

/// Lines of one of several devices to write, or of all that match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLinesOf {
    /// The device: MAC or serial number.
    #[serde(default)]
    device: Option<String>,
    /// All that the list of devices finds, in place of one: the same is written for each.
    #[serde(default)]
    matching: Option<Matching>,
    /// The revision that was shown of the one device.
    #[serde(default)]
    revision: Option<u64>,
    /// The lines that change; the others stay.
    lines: Vec<NewLine>,
}

/// One line to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLine {
    /// Its number, from one.
    line: usize,
    /// Values by field. Fields that are not named stay; an empty one is taken out of the device's own profile; a masked password stays.
    fields: BTreeMap<String, String>,
}

fn typed(lines: Vec<NewLine>) -> Result<BTreeMap<usize, TypedLine>, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut typed: BTreeMap<usize, TypedLine> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for NewLine { line, fields } in lines {
        if !seen.insert(line) {
            errors.add("lines", format_args!("line {line} stands there twice; put all of its fields into one entry"));
        }
        for (word, value) in fields {
            match LineField::of(&word) {
                Some(field) => drop(typed.entry(line).or_default().insert(field, value.trim().to_owned())),
                None => {
                    let known = LineField::ALL.map(LineField::word).join(", ");
                    errors.add("lines", format_args!("line {line}: there is no field “{word}”; use {known}"));
                }
            }
        }
    }
    errors.into_result(Some(typed))
}

/// How many lines are shown.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Shown {
    /// Lines to show at least; absent for as many as the model has.
    least: Option<usize>,
}

/// Shows the lines of a device: all that some profile speaks of, and at least as many as its model has.
#[utoipa::path(tag = "devices", params(DevicePath, Shown), responses((status = 200, body = LinesShape)))]
#[get("/accounts/{account}/devices/{key}/lines")]
pub async fn show_lines(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    shown: Asked<Shown>,
) -> Result<web::Json<LinesShape>, Problem> {
    let key = path.key()?;
    let device = crate::services::devices::get(&services, caller.account, &key)?.device;
    let least = shown.least.unwrap_or_else(|| models().lines(device.model.as_deref(), device.family.as_deref()));
    let work = move |services: &Services| lines::read(services, caller.account, &key, least);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}

/// Writes lines of a device into its own profile, which is made below its CSV profile where there is none. What the CSV profile says
/// already is changed there.
#[utoipa::path(tag = "devices", params(DevicePath, DryRun), request_body = NewLines, responses((status = 200, body = SavedLinesShape)))]
#[put("/accounts/{account}/devices/{key}/lines")]
pub async fn set_lines(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewLines>,
) -> Result<web::Json<SavedLinesShape>, Problem> {
    let (key, mode, sent) = (path.key()?, dry_run.mode(), sent.into_inner());
    crate::services::devices::get(&services, caller.account, &key)?;
    let called = key.to_string();
    let wanted = LinesEdit { key, shown: sent.revision, typed: typed(sent.lines)? };
    let work = move |services: &Services| lines::save(services, &caller.actor, caller.account, &[wanted], mode);
    let saved = blocking::call(&services, work).await.map_err(of_the_first)?;
    let saved = saved.into_iter().next().ok_or_else(|| Problem::not_found("device", called))?;
    Ok(web::Json(SavedLinesShape::new(saved, mode == crate::services::commit::Mode::Keep)))
}

/// Of one device the errors stand in no list.
fn of_the_first(error: ServiceError) -> ServiceError {
    let ServiceError::Invalid(errors) = error else { return error };
    let mut plain = FieldErrors::new();
    for error in errors.iter() {
        plain.add(error.field, &error.message);
    }
    plain.into()
}

/// Writes lines of several devices, or the same for all that a list finds: all of them, or none where one cannot be written.
#[utoipa::path(tag = "devices", params(AccountPath, DryRun), request_body = Vec<NewLinesOf>, responses((status = 200, body = SavedLinesOfDevices)))]
#[put("/accounts/{account}/devices/lines")]
pub async fn set_lines_of_devices(
    caller: Caller,
    services: web::Data<Services>,
    dry_run: Asked<DryRun>,
    sent: Sent<Vec<NewLinesOf>>,
) -> Result<web::Json<SavedLinesOfDevices>, Problem> {
    let mode = dry_run.mode();
    let mut errors = FieldErrors::new();
    let mut wanted = Vec::new();
    for (item, one) in sent.into_inner().into_iter().enumerate() {
        let keys: Result<BTreeSet<DeviceKey>, FieldErrors> = match chosen("device", one.device.map(|key| vec![key]), one.matching)
        {
            Ok(Chosen::Named(keys)) => {
                keys.iter().map(|key| key.parse()).collect::<Result<_, _>>().map_err(|error| FieldErrors::one("device", error))
            }
            Ok(Chosen::All(matching)) => {
                Ok(matching.keys(&lists::devices::LISTING, |asked| found(&services, caller.account, asked))?)
            }
            Err(_) => Err(FieldErrors::one("device", "send device, or matching for all that the list of devices finds")),
        };
        match (keys, typed(one.lines)) {
            (Ok(keys), Ok(typed)) => {
                let shown = one.revision.filter(|_| keys.len() == 1);
                wanted.extend(keys.into_iter().map(|key| LinesEdit { key, shown, typed: typed.clone() }));
            }
            (keys, lines) => [keys.err(), lines.err()].into_iter().flatten().for_each(|wrong| errors.add_item(item, wrong)),
        }
    }
    errors.into_result(Some(()))?;
    let work = move |services: &Services| lines::save(services, &caller.actor, caller.account, &wanted, mode);
    let saved = blocking::call(&services, work).await?;
    let is_kept = mode == crate::services::commit::Mode::Keep;
    let devices = saved.into_iter().map(|one| SavedLinesShape::new(one, is_kept)).collect();
    Ok(web::Json(SavedLinesOfDevices { devices }))
}
