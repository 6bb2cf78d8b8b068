//! One line of many devices in a table: typed or pasted from a spreadsheet, shown before it is saved, all of it or nothing.
//!
//! What was typed waits in memory between the preview and the decision, for it holds passwords: the page of the preview has none.

use std::collections::{BTreeMap, HashMap};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::{Deserialize, Serialize};

use super::list;
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::LINES;
use crate::domain::lines::{LineFault, LineField, TypedLine, check};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::lines::{self, LinesEdit, Saved};
use crate::services::pending_imports::Into;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::imports;
use crate::web::admin::layout::{Page, html, html_with, see_other};
use crate::web::admin::next::LocalPath;
use crate::web::admin::paging::PER_PAGE_MOST;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

const LIST: &str = "/admin/devices";
/// The field of pasted rows: what begins so is never kept or given back.
const PASTE: &str = "secret-paste";

/// The columns of the table, in the order in which they are pasted.
const COLUMNS: [LineField; 5] =
    [LineField::Address, LineField::DisplayName, LineField::User, LineField::Password, LineField::Server];

#[derive(Template)]
#[template(path = "devices/lines_of_many.html")]
struct TablePage {
    page: Page,
    form: Form,
    line: usize,
    rows: Vec<Row>,
    labels: Vec<&'static str>,
    back: String,
}

struct Row {
    key: String,
    title: String,
    revision: u64,
    cells: Vec<CellView>,
}

struct CellView {
    name: String,
    label: &'static str,
    secret: bool,
    value: String,
    placeholder: String,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "devices/lines_preview.html")]
struct PreviewPage {
    page: Page,
    token: String,
    line: usize,
    rows: Vec<PreviewRow>,
    changed: usize,
    unchanged: usize,
}

struct PreviewRow {
    key: String,
    title: String,
    profile: String,
    is_new: bool,
    changes: Vec<(String, Option<String>, Option<String>)>,
}

/// What waits for a decision.
#[derive(Serialize, Deserialize)]
struct Waiting {
    line: usize,
    back: String,
    devices: Vec<WaitingDevice>,
}

#[derive(Serialize, Deserialize)]
struct WaitingDevice {
    key: DeviceKey,
    revision: u64,
    /// Values by the words of their fields.
    fields: BTreeMap<String, String>,
}

impl Waiting {
    fn edits(&self) -> Vec<LinesEdit> {
        let edit = |device: &WaitingDevice| {
            let fields = device.fields.iter().filter_map(|(word, value)| Some((LineField::of(word)?, value.clone())));
            let typed = BTreeMap::from([(self.line, fields.collect::<TypedLine>())]);
            LinesEdit { key: device.key.clone(), shown: Some(device.revision), typed }
        };
        self.devices.iter().map(edit).collect()
    }
}

/// A reload of a page that only forms lead to.
pub async fn home() -> HttpResponse {
    see_other(LIST)
}

fn field_name(key: &DeviceKey, field: LineField) -> String {
    format!("{}{key}-{}", if field.is_secret() { "secret-" } else { "" }, field.word())
}

fn keys(form: &Form) -> Vec<DeviceKey> {
    let mut keys: Vec<DeviceKey> = form.values("select").filter_map(|text| text.parse().ok()).take(PER_PAGE_MOST).collect();
    let mut seen = std::collections::HashSet::new();
    keys.retain(|key| seen.insert(key.clone()));
    keys
}

fn back(form: &Form) -> String {
    LocalPath::parse(form.value("back")).map_or_else(|| LIST.to_owned(), |path| path.as_str().to_owned())
}

fn line_of(form: &Form) -> usize {
    form.value("line").parse().unwrap_or(1).clamp(1, LINES)
}

/// `POST /admin/devices/lines`: the table of the ticked devices.
pub async fn ask(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let chosen = list::chosen(&form, &who, &services)?;
    let keys = if chosen.is_all() { chosen.keys.into_iter().collect() } else { keys(&form) };
    if keys.is_empty() {
        return Ok(who.not_done(&back(&form), "Tick the devices first."));
    }
    if keys.len() > PER_PAGE_MOST {
        let text = format!("The table of lines takes {PER_PAGE_MOST} devices: narrow the list, or import a CSV file.");
        return Ok(who.not_done(&back(&form), text));
    }
    let (line, back) = (line_of(&form), back(&form));
    let empty = HashMap::new();
    Ok(html(&table(&who, &services, keys, line, back, &empty, &[], Form::default()).await?))
}

#[expect(clippy::too_many_arguments, reason = "a table that is shown, and shown again with what was typed and what is wrong")]
async fn table(
    who: &SignedIn,
    services: &web::Data<Services>,
    keys: Vec<DeviceKey>,
    line: usize,
    back: String,
    typed: &HashMap<DeviceKey, TypedLine>,
    faults: &[(DeviceKey, LineFault)],
    form: Form,
) -> Result<TablePage, Failure> {
    let roster = services.roster(DEFAULT_ACCOUNT);
    let there: Vec<_> = keys.iter().filter_map(|key| roster.find(key)).map(|one| one.device).collect();
    let asked: Vec<_> = there.iter().map(|device| device.key.clone()).collect();
    let read = blocking::call(services, move |services| lines::read_all(services, DEFAULT_ACCOUNT, &asked, line)).await;
    let read = read.map_err(Failure::of(who))?;
    let rows = there.iter().zip(read).map(|(device, of)| {
        let cells = COLUMNS.into_iter().map(|field| {
            let cell = of.lines.get(line - 1).map(|found| found.cells[field as usize].clone()).unwrap_or_default();
            let own = cell.own.as_deref().unwrap_or_default();
            let value = typed.get(&device.key).and_then(|typed| typed.get(&field)).map_or(own, String::as_str);
            let is_faulty = |(key, fault): &&(DeviceKey, LineFault)| *key == device.key && fault.field == field;
            let placeholder = match (field.is_secret(), &cell.own, &cell.inherited) {
                (true, Some(_), _) => "Keep".to_owned(),
                (true, None, Some(_)) => "Set elsewhere".to_owned(),
                (false, _, Some((value, _))) => value.to_string(),
                _ => String::new(),
            };
            CellView {
                name: field_name(&device.key, field),
                label: field.label(),
                secret: field.is_secret(),
                value: if field.is_secret() { String::new() } else { value.to_owned() },
                placeholder,
                error: faults.iter().find(is_faulty).map(|(_, fault)| fault.message.clone()),
            }
        });
        Row { key: device.key.to_string(), title: words::title(device), revision: of.revision, cells: cells.collect() }
    });
    Ok(TablePage {
        page: who.page(format!("Lines of {}", words::count(there.len(), "device", "devices"))),
        form,
        line,
        rows: rows.collect(),
        labels: COLUMNS.map(LineField::label).to_vec(),
        back,
    })
}

/// `POST /admin/devices/lines/preview`: what the table and pasted rows would change.
pub async fn look(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (keys, line, back) = (keys(&form), line_of(&form), back(&form));
    if keys.is_empty() {
        return Ok(who.not_done(&back, "Tick the devices first."));
    }
    let mut typed: HashMap<DeviceKey, TypedLine> = keys.iter().map(|key| (key.clone(), of_form(&form, key))).collect();
    let again = |mut form: Form, typed: HashMap<DeviceKey, TypedLine>, faults: Vec<(DeviceKey, LineFault)>| {
        let (who, services, keys, back) = (&who, &services, keys.clone(), back.clone());
        // There may be passwords in it, which no page has.
        form.set(PASTE, "");
        async move {
            let page = table(who, services, keys, line, back, &typed, &faults, form).await?;
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    };
    if let Err(message) = paste(form.value(PASTE), &keys, &mut typed) {
        return again(form.rejected(&crate::domain::field_error::FieldErrors::one(PASTE, message)), typed, Vec::new()).await;
    }
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let of_one = |key: &DeviceKey| {
        let lines = BTreeMap::from([(line, typed.get(key).cloned().unwrap_or_default())]);
        check(&lines, world.schemas.current()).into_iter().map(|fault| (key.clone(), fault)).collect::<Vec<_>>()
    };
    let faults: Vec<_> = keys.iter().flat_map(of_one).collect();
    if !faults.is_empty() {
        let told = words::count(faults.len(), "cell is wrong", "cells are wrong");
        let form = form.refused(format_args!("{told}: look at the marked ones. Passwords have to be typed again"));
        return again(form, typed, faults).await;
    }
    let device = |key: &DeviceKey| WaitingDevice {
        key: key.clone(),
        revision: form.value(&format!("revision-{key}")).parse().unwrap_or_default(),
        fields: typed.get(key).into_iter().flatten().map(|(field, value)| (field.word().to_owned(), value.clone())).collect(),
    };
    let waiting = Waiting { line, back, devices: keys.iter().map(device).collect() };
    let bytes = serde_json::to_vec(&waiting).unwrap_or_default().into();
    let token = imports::keep(&who, &services, Into::Lines, 0, "The table".to_owned(), bytes);
    Ok(see_other(&format!("/admin/devices/lines/preview/{token}")))
}

/// What the table holds of a device. An empty password stays as it is.
fn of_form(form: &Form, key: &DeviceKey) -> TypedLine {
    let cell = |field: LineField| {
        let text = form.text(&field_name(key, field))?.trim();
        (!field.is_secret() || !text.is_empty()).then(|| (field, text.to_owned()))
    };
    COLUMNS.into_iter().filter_map(cell).collect()
}

/// Rows as a spreadsheet puts them on the clipboard, or separated by semicolons: the columns of the table, with or without the device's key
/// in front; without it the rows are those of the table in their order. An empty cell leaves the table's.
fn paste(text: &str, keys: &[DeviceKey], typed: &mut HashMap<DeviceKey, TypedLine>) -> Result<(), String> {
    let mut in_order = keys.iter();
    for (line, number) in text.lines().zip(1_usize..).filter(|(line, _)| !line.trim().is_empty()) {
        let separator = if line.contains('\t') { '\t' } else { ';' };
        let mut cells: Vec<&str> = line.split(separator).map(|cell| cell.trim().trim_matches('"')).collect();
        let named = cells.first().filter(|_| cells.len() > COLUMNS.len()).copied();
        let is_heading = number == 1 && cells.iter().any(|cell| is_heading(cell));
        if is_heading {
            continue;
        }
        let key = match named {
            Some(text) => {
                cells.remove(0);
                let key = text.parse::<DeviceKey>().map_err(|error| format!("row {number}: “{text}”: {error}"))?;
                keys.iter().find(|one| **one == key).ok_or_else(|| format!("row {number}: {key} is not in the table"))?
            }
            None => in_order.next().ok_or_else(|| format!("row {number}: the table has {} rows", keys.len()))?,
        };
        if cells.len() > COLUMNS.len() {
            return Err(format!("row {number} has {} cells; the table has {} columns", cells.len(), COLUMNS.len()));
        }
        let row = typed.entry(key.clone()).or_default();
        row.extend(
            COLUMNS.into_iter().zip(cells).filter(|(_, cell)| !cell.is_empty()).map(|(field, cell)| (field, cell.to_owned())),
        );
    }
    Ok(())
}

fn is_heading(cell: &str) -> bool {
    ["extension", "address", "password", "display name", "user name", "server", "mac"].contains(&cell.to_lowercase().as_str())
}

fn waiting(who: &SignedIn, services: &Services, token: &str) -> Option<Waiting> {
    let pending = imports::waiting(who, services, Into::Lines, token)?;
    serde_json::from_slice(&pending.bytes).ok()
}

/// `GET /admin/devices/lines/preview/{token}`
pub async fn preview(token: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let Some(waiting) = waiting(&who, &services, &token) else { return Ok(imports::over(&who, LIST)) };
    let (actor, edits) = (who.actor.clone(), waiting.edits());
    let tried = move |services: &Services| lines::save(services, &actor, DEFAULT_ACCOUNT, &edits, Mode::TryOut);
    let saved = match blocking::call(&services, tried).await {
        Ok(saved) => saved,
        Err(ServiceError::Conflict(why)) => return Ok(who.not_done(&waiting.back, format!("Nothing was changed: {why}."))),
        Err(ServiceError::Invalid(errors)) => return Ok(who.not_done(&waiting.back, format!("Nothing was changed: {errors}."))),
        Err(error) => return Err(Failure::new(&who, error)),
    };
    let roster = services.roster(DEFAULT_ACCOUNT);
    let row = |saved: &Saved| PreviewRow {
        key: saved.key.to_string(),
        title: roster.find(&saved.key).map_or_else(|| saved.key.to_string(), |one| words::title(&one.device)),
        profile: super::lines::written_into(saved),
        is_new: saved.is_new,
        changes: saved.changes.clone(),
    };
    let rows: Vec<_> = saved.iter().filter(|one| !one.changes.is_empty()).map(row).collect();
    Ok(html(&PreviewPage {
        page: who.page("Lines preview"),
        token: token.into_inner(),
        line: waiting.line,
        changed: rows.len(),
        unchanged: saved.len() - rows.len(),
        rows,
    }))
}

/// `POST /admin/devices/lines/preview/{token}`: saves or cancels.
pub async fn decide(
    token: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let Some(waiting) = waiting(&who, &services, &token) else { return Ok(imports::over(&who, LIST)) };
    if !form.is("do", "accept") {
        return Ok(imports::cancelled(&who, &services, &token, &waiting.back));
    }
    let (actor, edits) = (who.actor.clone(), waiting.edits());
    let save = move |services: &Services| lines::save(services, &actor, DEFAULT_ACCOUNT, &edits, Mode::Keep);
    let saved = blocking::call(&services, save).await;
    // Who has to be shown first what it does comes back.
    if !matches!(saved, Err(ServiceError::Unconfirmed)) {
        services.pending_imports().remove(&token);
    }
    match saved {
        Ok(saved) => {
            let changed = saved.iter().filter(|one| !one.changes.is_empty()).count();
            let what = words::count(changed, "device is", "devices are");
            Ok(who.done(&waiting.back, format!("Line {} of {what} changed.", waiting.line)))
        }
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&waiting.back, format!("Nothing was changed: {why}."))),
        Err(ServiceError::Invalid(errors)) => Ok(who.not_done(&waiting.back, format!("Nothing was changed: {errors}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<DeviceKey> {
        ["0004f2000001", "0004f2000002"].iter().map(|key| key.parse().expect("a key")).collect()
    }

    #[test]
    fn rows_are_read_with_and_without_keys_and_headings() {
        let keys = keys();
        let mut typed = HashMap::new();
        paste("Extension\tDisplay name\n100\tHall\t\tp w\n101;Desk;u;p;pbx\n", &keys, &mut typed).expect("rows in order");
        assert_eq!(typed[&keys[0]].get(&LineField::Password).map(String::as_str), Some("p w"));
        assert_eq!(typed[&keys[0]].get(&LineField::User), None, "an empty cell leaves the table's");
        assert_eq!(typed[&keys[1]].get(&LineField::Server).map(String::as_str), Some("pbx"));
        let mut typed = HashMap::new();
        paste("00:04:f2:00:00:02\t7\ta\tb\tc\td", &keys, &mut typed).expect("a row with a key");
        assert_eq!(typed[&keys[1]].get(&LineField::Address).map(String::as_str), Some("7"));
        assert!(paste("1\n2\n3", &keys, &mut typed).is_err_and(|told| told.contains("row 3")));
        assert!(paste("0004f2000009\t7\ta\tb\tc\td", &keys, &mut typed).is_err_and(|told| told.contains("not in the table")));
    }
}
