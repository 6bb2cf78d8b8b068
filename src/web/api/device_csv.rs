//! Devices as a CSV file: in and out. The body is the file itself, byte for byte. A dry run is the preview.

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body;
use super::caller::Caller;
use super::device_files::download;
use super::devices::Wanted;
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{self, Asked};
use super::site_shapes::FieldChangeShape;
use crate::domain::device_list::DeviceQuery;
use crate::domain::field_error::FieldErrors;
use crate::services::Services;
use crate::services::device_csv::{self, BadRows, Existing, ExportOptions, Hidden, Options, Plan, Separator, Values};
use crate::web::{blocking, sizes};

const CSV: &str = "text/csv";
/// What the activity log calls a file that has no name.
const SOURCE: &str = "a file of devices";

/// How a file is taken.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Taken {
    /// `comma`, `semicolon` or `tab`; without it the header tells.
    separator: Option<String>,
    /// What becomes of devices that are there: `skip` (they stay as they are), `overwrite` (all that came by CSV is dropped, groups and
    /// values become those of the file) or `merge` (what is given replaces or joins what there is). `skip` by default.
    existing: Option<String>,
    /// Makes device groups, people and rooms that are not there; without it they are errors of their rows.
    #[serde(default)]
    create_groups: bool,
    /// Rows that cannot be taken: `leave-out` (the others are taken; by default) or `refuse` (nothing is).
    bad_rows: Option<String>,
    /// Changes nothing and answers what would change, row by row.
    #[serde(default)]
    dry_run: bool,
}

/// What a file of devices did, or would do.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DevicesImportShape {
    /// Its rows, in order.
    pub items: Vec<DevicesImportRow>,
    /// How many rows there are.
    pub total: usize,
    /// Devices that were added.
    pub added: usize,
    /// Devices that were changed.
    pub changed: usize,
    /// Devices that were so already.
    pub unchanged: usize,
    /// Devices that were there and stayed as they are.
    pub skipped: usize,
    /// Rows that cannot be taken.
    pub refused: usize,
    /// Device groups that were made.
    pub new_groups: Vec<String>,
    /// People and rooms that were made.
    pub new_owners: Vec<String>,
    /// Values that many rows share: a profile of a device group would hold them once.
    pub hints: Vec<SharedValueShape>,
    /// Parameters and values that the dictionary does not know so.
    pub advice: Vec<ColumnAdviceShape>,
    /// Parameters that have no effect for some devices: a profile that stands above their CSV profile says them too.
    pub hidden: Vec<HiddenShape>,
    /// Whether secrets were compared with those that are there. For who may not see them a secret that is brought counts as changed.
    pub secrets_compared: bool,
}

/// A row of a file of devices.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DevicesImportRow {
    /// Line that it begins in.
    pub line: u64,
    /// MAC or serial number, or what stands in its place.
    pub key: String,
    /// Name of the device.
    pub name: String,
    /// `added`, `changed`, `unchanged`, `skipped` or `refused`.
    pub outcome: String,
    /// The fields and parameters that change; secrets masked.
    pub changes: Vec<FieldChangeShape>,
    /// Why it cannot be taken.
    pub errors: Vec<CellErrorShape>,
    /// What is worth knowing of it all the same.
    pub note: Option<String>,
}

/// Why a row cannot be taken.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CellErrorShape {
    /// Heading of the column; empty where it is the row itself.
    pub column: String,
    /// The reason, and what to do.
    pub message: String,
}

/// A value that many rows share.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SharedValueShape {
    /// Parameter.
    pub name: String,
    /// Value; a secret is masked.
    pub value: String,
    /// Rows that hold it.
    pub rows: usize,
}

/// A parameter that has no effect.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct HiddenShape {
    /// Parameter.
    pub name: String,
    /// Profile that hides it, of the first device.
    pub profile: String,
    /// How many profiles hide it.
    pub profiles: usize,
    /// Devices that it has no effect for.
    pub rows: usize,
    /// Line of the first one.
    pub line: u64,
    /// The same in words.
    pub message: String,
}

impl From<&Hidden> for HiddenShape {
    fn from(one: &Hidden) -> Self {
        let Hidden { name, by, profiles, rows, line } = one.clone();
        Self { name, profile: by, profiles, rows, line, message: one.to_string() }
    }
}

/// What the dictionary says of a parameter or its values.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ColumnAdviceShape {
    /// Parameter.
    pub name: String,
    /// What is said.
    pub message: String,
    /// Rows that it is said of.
    pub rows: usize,
    /// Line of the first one.
    pub line: u64,
}

impl DevicesImportShape {
    fn new(plan: &Plan) -> Self {
        let changes = |row| plan.changes(row).into_iter().map(FieldChangeShape::from).collect();
        let items = plan.rows.iter().map(|row| DevicesImportRow {
            line: row.line,
            key: row.key.clone(),
            name: row.name.clone(),
            outcome: row.outcome.word().to_owned(),
            changes: changes(row),
            errors: row
                .outcome
                .faults()
                .iter()
                .map(|fault| CellErrorShape { column: fault.column.clone(), message: fault.why.clone() })
                .collect(),
            note: row.note.clone(),
        });
        let hints = plan.hints.iter().map(|hint| SharedValueShape {
            name: hint.name.clone(),
            value: hint.value.clone(),
            rows: hint.rows,
        });
        let advice = plan.advice.iter().map(|one| ColumnAdviceShape {
            name: one.name.clone(),
            message: one.text.clone(),
            rows: one.rows,
            line: one.line,
        });
        Self {
            items: items.collect(),
            total: plan.rows.len(),
            added: plan.count("added"),
            changed: plan.count("changed"),
            unchanged: plan.count("unchanged"),
            skipped: plan.count("skipped"),
            refused: plan.count("refused"),
            new_groups: plan.new_groups().map(ToString::to_string).collect(),
            new_owners: plan.new_owners().collect(),
            hints: hints.collect(),
            advice: advice.collect(),
            hidden: plan.hidden.iter().map(HiddenShape::from).collect(),
            secrets_compared: plan.compares_secrets,
        }
    }
}

/// A word of a query that means one of several things; none where it is not there.
fn word<T>(
    errors: &mut FieldErrors,
    field: &'static str,
    text: Option<&str>,
    of: fn(&str) -> Option<T>,
    words: &str,
) -> Option<T> {
    let text = text?;
    errors.take(field, of(text).ok_or_else(|| format!("use one of: {words}")))
}

const SEPARATORS: &str = "comma, semicolon, tab";

/// Takes a file of devices: adds them, and skips, overwrites or merges those that are there. All rows that can be taken are taken in
/// one change; a file with a fault of its structure changes nothing.
#[utoipa::path(tag = "devices", params(AccountPath, Taken), request_body(content = Vec<u8>, content_type = "text/csv"), responses((status = 200, body = DevicesImportShape)))]
#[post("/accounts/{account}/devices/import")]
pub async fn import_devices(
    caller: Caller,
    services: web::Data<Services>,
    taken: Asked<Taken>,
    payload: web::Payload,
) -> Result<web::Json<DevicesImportShape>, Problem> {
    let mut errors = FieldErrors::new();
    let separator = word(&mut errors, "separator", taken.separator.as_deref(), Separator::of_word, SEPARATORS);
    let existing = word(&mut errors, "existing", taken.existing.as_deref(), Existing::of_word, "skip, overwrite, merge");
    let bad_rows = |word: &str| match word {
        "leave-out" => Some(BadRows::LeaveOut),
        "refuse" => Some(BadRows::Refuse),
        _ => None,
    };
    let bad_rows = word(&mut errors, "bad_rows", taken.bad_rows.as_deref(), bad_rows, "leave-out, refuse").unwrap_or_default();
    let options = Options { separator, existing: existing.unwrap_or_default(), create_groups: taken.create_groups };
    errors.into_result(Some(()))?;
    let (file, mode) = (sent::file(payload, sizes::DEVICES).await?, body::mode(taken.dry_run));
    let work = move |services: &Services| {
        let imported = device_csv::import(services, &caller.actor, caller.account, SOURCE, &file, options, bad_rows, mode)?;
        Ok(DevicesImportShape::new(&imported))
    };
    Ok(web::Json(blocking::call(&services, work).await?))
}

/// Which devices are written, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Written {
    /// `comma`, `semicolon` or `tab`; `comma` by default.
    separator: Option<String>,
    /// `own`: the values that came by CSV, by default. `effective`: what all profiles together say, for a look and not to be imported.
    values: Option<String>,
    /// Whether the file begins with a byte order mark, which some spreadsheets need to take it for UTF-8.
    #[serde(default)]
    mark: bool,
    /// Adds the columns endpoint_model and endpoint_site, which the vendor's service does not know, and where any device has one
    /// endpoint_pinned, endpoint_owner, endpoint_sent_name, endpoint_description and endpoint_private_ip.
    #[serde(default)]
    place: bool,
    /// Answers an empty file with all headings.
    #[serde(default)]
    template: bool,
    /// Words that must all occur in something that is known of a device.
    q: Option<String>,
    /// `online`, `offline` or `never-seen`.
    status: Option<String>,
    /// Device type.
    family: Option<String>,
    /// Model.
    model: Option<String>,
    /// Software version as it is told; `none` for those that told none.
    software: Option<String>,
    /// Number of the site; 1 is *Internet*.
    site: Option<u64>,
    /// Result of the last run: `success`, `failed` or `none`.
    result: Option<String>,
    /// `automatic` or `manual`.
    origin: Option<String>,
    /// Number of a device group.
    group: Option<u64>,
    /// Whose they are, as `person-5` or `room-3`.
    owner: Option<String>,
    /// Order, as in the list of devices.
    sort: Option<String>,
    /// Tells no secret and notes nothing.
    #[serde(default)]
    dry_run: bool,
}

impl Written {
    fn parse(self) -> Result<(DeviceQuery, ExportOptions), Problem> {
        let Self { q, status, family, model, software, site, result, origin, group, owner, sort, .. } = self;
        let wanted = Wanted { q, status, family, model, software, site, result, origin, group, owner, sort, ..Wanted::default() };
        let mut errors = FieldErrors::new();
        let separator = word(&mut errors, "separator", self.separator.as_deref(), Separator::of_word, SEPARATORS);
        let values = word(&mut errors, "values", self.values.as_deref(), Values::of_word, "own, effective");
        let (with_mark, with_place) = (self.mark, self.place);
        let options =
            ExportOptions { separator: separator.unwrap_or_default(), values: values.unwrap_or_default(), with_mark, with_place };
        Ok((wanted.query()?, errors.into_result(Some(options))?))
    }
}

/// Answers devices as a file that imports to the same; secrets are masked, and an import leaves masked ones as they are.
#[utoipa::path(tag = "devices", params(AccountPath, Written), responses((status = 200, body = String, content_type = "text/csv")))]
#[get("/accounts/{account}/devices/export")]
pub async fn export_devices(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Written>,
) -> Result<HttpResponse, Problem> {
    let asked = asked.into_inner();
    let is_template = asked.template;
    let (query, options) = asked.parse()?;
    let work = move |services: &Services| match is_template {
        true => device_csv::template(options),
        false => device_csv::export(services, caller.account, &query, options),
    };
    Ok(download("devices.csv", CSV, blocking::call(&services, work).await?))
}

/// A file with secrets.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DevicesInClearShape {
    /// Devices in it.
    pub devices: usize,
    /// The file; none in a dry run.
    pub file: Option<String>,
}

/// Answers the same file with secrets in clear, and notes in the activity log that they were told.
#[utoipa::path(tag = "devices", params(AccountPath, Written), responses((status = 200, body = DevicesInClearShape)))]
#[post("/accounts/{account}/devices/export")]
pub async fn export_devices_in_clear(
    caller: Caller,
    services: web::Data<Services>,
    asked: Asked<Written>,
) -> Result<web::Json<DevicesInClearShape>, Problem> {
    let mode = body::mode(asked.dry_run);
    let (query, options) = asked.into_inner().parse()?;
    let work =
        move |services: &Services| device_csv::export_in_clear(services, &caller.actor, caller.account, &query, options, mode);
    let (devices, file) = blocking::call(&services, work).await?;
    let file = file.map(|file| String::from_utf8_lossy(&file).into_owned());
    Ok(web::Json(DevicesInClearShape { devices, file }))
}
