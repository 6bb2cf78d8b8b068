//! Import Devices: what a CSV file does is shown row by row, nothing is written before somebody accepts it, and then all of it in one
//! change; what came of each row is shown after, and the import log is there to download before and after (R265–R285).

use std::sync::Arc;

use actix_multipart::Multipart;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::activity::Change;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::DEVICES_PER_ADD;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::device_csv::{self, Advised, BadRows, Existing, Fault, Hint, OUTCOMES, Options, Plan, Separator};
use crate::services::error::ServiceError;
use crate::services::pending_imports::{Into, Pending};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::imports::{self, Room};
use crate::web::admin::layout::{Page, html, html_rejected, see_other};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::sent_file::{self, SentFile};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::{blocking, sizes};

const HERE: &str = "/admin/devices/import";
const LIST: &str = "/admin/devices";

static ROOM: Room = Room {
    into: Into::Devices,
    title: "Import Devices Result",
    here: (HERE, "Import Devices"),
    list: (LIST, "Device Monitor"),
    subject: "Device",
    outcomes: &OUTCOMES,
    log: "devices-import.log",
};
/// Fields that a row names; the rest are counted.
const CHANGES_NAMED: usize = 30;
/// Hints, and things that the dictionary says, that are named.
const NAMED: usize = 10;

#[derive(Template)]
#[template(path = "devices/import.html")]
struct ImportPage {
    page: Page,
    form: Form,
    most: usize,
}

#[derive(Template)]
#[template(path = "devices/import_preview.html")]
struct PreviewPage {
    page: Page,
    source: String,
    token: String,
    /// What tells this plan from any other.
    mark: String,
    separator: Separator,
    /// How the file is taken, as the address has it.
    options: Vec<(&'static str, &'static str)>,
    existing: Existing,
    create_groups: bool,
    /// How many rows come to what: link, word and number.
    groups: Vec<(String, &'static str, usize)>,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    /// What the button says; none where there is nothing to do.
    button: Option<String>,
    refused: usize,
    sentences: Vec<String>,
    hints: Vec<Hint>,
    advice: Vec<Advised>,
    more_advice: usize,
    hidden: Vec<String>,
    more_hidden: usize,
    /// Somebody changed the devices since it was shown.
    is_new: bool,
}

struct Row {
    line: u64,
    key: String,
    /// Whether there is a page of it.
    is_there: bool,
    name: String,
    tone: &'static str,
    word: &'static str,
    changes: Vec<Change>,
    more: usize,
    faults: Vec<Fault>,
    note: Option<String>,
}

/// `GET /admin/devices/import`
pub async fn show(who: SignedIn) -> HttpResponse {
    let form = Form::filled([("existing", Existing::Skip.word())]);
    html(&ImportPage { page: who.page("Import Devices"), form, most: DEVICES_PER_ADD })
}

/// `POST /admin/devices/import`: a file.
pub async fn upload(who: SignedIn, parts: Multipart, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let mut fields = Vec::new();
    let sent = sent_file::read_with(parts, sizes::DEVICES, &mut fields).await;
    let form = Form::filled(fields);
    let rejected = |errors: &FieldErrors| {
        let form = form.clone().rejected(errors);
        Ok(html_rejected(&ImportPage { page: who.page("Import Devices"), form, most: DEVICES_PER_ADD }))
    };
    let SentFile { name, bytes } = match sent {
        Ok(file) => file,
        Err(message) => return rejected(&FieldErrors::one("file", message)),
    };
    let options = options(|name| form.value(name));
    let file: Arc<[u8]> = bytes.into();
    let looked_at = Arc::clone(&file);
    // What it does is planned for the page that this leads to.
    let look = move |services: &Services| device_csv::rows(services, DEFAULT_ACCOUNT, &looked_at, options);
    match blocking::call(&services, look).await {
        Ok(0) => rejected(&FieldErrors::one("file", "the file has a header and no row below it")),
        Ok(_) => {
            let token = imports::keep(&who, &services, Into::Devices, 0, name, file);
            Ok(see_other(&ListQuery::parse(&format!("{HERE}/{token}"), "", &[]).with(&pairs(options))))
        }
        Err(ServiceError::Invalid(errors)) => rejected(&errors),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// How a file is taken, as fields say. A word that does not exist means nothing.
fn options<'a>(value: impl Fn(&'static str) -> &'a str) -> Options {
    Options {
        separator: Separator::of_word(value("separator")),
        existing: Existing::of_word(value("existing")).unwrap_or_default(),
        create_groups: value("groups") == "create",
    }
}

/// The same as fields.
fn pairs(options: Options) -> Vec<(&'static str, &'static str)> {
    let mut pairs = vec![("existing", options.existing.word())];
    pairs.extend(options.separator.map(|separator| ("separator", separator.word())));
    pairs.extend(options.create_groups.then_some(("groups", "create")));
    pairs
}

/// `GET /admin/devices/import/{token}`: what it would do, or what it did.
pub async fn preview(
    request: HttpRequest,
    token: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let Some(pending) = imports::waiting(&who, &services, Into::Devices, &token) else {
        return Ok(imports::result(&request, &who, &services, &ROOM, &token));
    };
    let list = ListQuery::parse(&format!("{HERE}/{token}"), request.query_string(), &[]);
    page(list, &who, &services, &token, pending, false).await
}

async fn page(
    list: ListQuery,
    who: &SignedIn,
    services: &web::Data<Services>,
    token: &str,
    pending: Pending,
    is_new: bool,
) -> Result<HttpResponse, Failure> {
    let options = options(|name| list.filter(name).unwrap_or_default());
    let (actor, file) = (who.actor.clone(), pending.bytes);
    let (source, token) = (pending.source, token.to_owned());
    let named = source.clone();
    // Tried out, so that the page tells what it does to devices.
    let look = move |services: &Services| {
        let (rows, mode) = (BadRows::LeaveOut, Mode::TryOut);
        device_csv::import(services, &actor, DEFAULT_ACCOUNT, &named, &file, options, rows, mode)
    };
    let plan = blocking::call(services, look).await.map_err(Failure::of(who))?;
    let page = who.page("Import Devices Result");
    let make = move |_: &Services| Ok(preview_page(page, list, (token, source), options, &plan, is_new));
    Ok(html(&blocking::call(services, make).await.map_err(Failure::of(who))?))
}

fn preview_page(
    page: Page,
    list: ListQuery,
    (token, source): (String, String),
    options: Options,
    plan: &Plan,
    is_new: bool,
) -> PreviewPage {
    let wanted = list.filter("only").unwrap_or_default().to_owned();
    let rows: Vec<_> = plan.rows.iter().filter(|row| wanted.is_empty() || row.outcome.word() == wanted).collect();
    let pager = list.pager(rows.len());
    let row = |row: &&device_csv::PlannedRow| {
        let mut changes = plan.changes(row);
        let more = changes.len().saturating_sub(CHANGES_NAMED);
        changes.truncate(CHANGES_NAMED);
        let changes = imports::shortened(changes);
        Row {
            line: row.line,
            key: row.key.clone(),
            is_there: matches!(row.outcome.word(), "changed" | "unchanged" | "skipped"),
            name: row.name.clone(),
            tone: imports::tone(row.outcome.word()),
            word: row.outcome.word(),
            changes,
            more,
            faults: row.outcome.faults().to_vec(),
            note: row.note.clone(),
        }
    };
    let group = |word: &'static str| (list.with(&[("only", word), ("page", "")]), word, plan.count(word));
    PreviewPage {
        page,
        source,
        token,
        mark: plan.mark(),
        separator: plan.separator,
        options: pairs(options),
        existing: options.existing,
        create_groups: options.create_groups,
        groups: OUTCOMES.map(group).to_vec(),
        rows: rows[pager.range()].iter().map(row).collect(),
        button: button(plan),
        refused: plan.count("refused"),
        sentences: sentences(plan).into_iter().chain(of_secrets(plan)).collect(),
        hints: plan.hints.iter().take(NAMED).cloned().collect(),
        advice: plan.advice.iter().take(NAMED).cloned().collect(),
        more_advice: plan.advice.len().saturating_sub(NAMED),
        hidden: plan.hidden.iter().take(NAMED).map(ToString::to_string).collect(),
        more_hidden: plan.hidden.len().saturating_sub(NAMED),
        list,
        pager,
        is_new,
    }
}

fn button(plan: &Plan) -> Option<String> {
    let devices = words::count(plan.count("added") + plan.count("changed"), "device", "devices");
    let refused = plan.count("refused");
    let left_out = if refused == 0 { String::new() } else { format!(", leave out {}", words::count(refused, "row", "rows")) };
    plan.is_doable().then(|| format!("Import {devices}{left_out}"))
}

/// What comes of it.
fn sentences(plan: &Plan) -> Vec<String> {
    let mut sentences = Vec::new();
    let groups: Vec<_> = plan.new_groups().map(ToString::to_string).collect();
    match groups.as_slice() {
        [] => {}
        [one] => sentences.push(format!("The device group {one} is made.")),
        [..] if groups.len() <= NAMED => sentences.push(format!("The device groups {} are made.", groups.join(", "))),
        [..] => sentences.push(format!("{} device groups are made, {} among them.", groups.len(), groups[..NAMED].join(", "))),
    }
    let owners: Vec<_> = plan.new_owners().collect();
    match owners.len().checked_sub(NAMED) {
        _ if owners.is_empty() => {}
        Some(more) if more > 0 => sentences.push(format!("Made for them: {} and {more} more.", owners[..NAMED].join(", "))),
        _ => sentences.push(format!("Made for them: {}.", owners.join(", "))),
    }
    sentences
}

/// What is said of secrets where they are not compared.
fn of_secrets(plan: &Plan) -> Option<String> {
    let told = "Secrets that the file brings count as changed here, also where they are the same: only who may see secrets, and gave the \
                password a moment ago, is told. Begin with an export with secrets to be asked for it.";
    (plan.brings_secrets && !plan.compares_secrets).then(|| told.to_owned())
}

/// `POST /admin/devices/import/{token}`: accepts or cancels.
pub async fn decide(
    token: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    if !form.is("do", "accept") {
        return Ok(imports::cancelled(&who, &services, &token, LIST));
    }
    let Some(pending) = imports::waiting(&who, &services, Into::Devices, &token) else {
        return Ok(imports::decided(&who, &services, &ROOM, &token));
    };
    let options = options(|name| form.value(name));
    let (actor, file, mark, source) =
        (who.actor.clone(), Arc::clone(&pending.bytes), form.value("mark").to_owned(), pending.source.clone());
    let take =
        move |services: &Services| device_csv::import_shown(services, &actor, DEFAULT_ACCOUNT, &source, &file, options, &mark);
    match blocking::call(&services, take).await {
        Ok(Some(plan)) => {
            let told = sentences(&plan).join(" ");
            let outcome = format!("Imported {}: {}. {told}", pending.source, summary(&plan)).trim_end().to_owned();
            Ok(imports::taken(&who, &services, &ROOM, &token, &pending.source, outcome, plan.told()))
        }
        Ok(None) => {
            let list = ListQuery::parse(&format!("{HERE}/{token}"), "", &[]).with(&pairs(options));
            let query = list.split_once('?').map_or("", |(_, query)| query);
            page(ListQuery::parse(&format!("{HERE}/{token}"), query, &[]), &who, &services, &token, pending, true).await
        }
        Err(ServiceError::Invalid(errors)) => Ok(who.not_done(HERE, errors.to_string())),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(HERE, format!("Nothing was imported: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

fn summary(plan: &Plan) -> String {
    let some = |word: &&str| {
        let count = plan.count(word);
        let what = if *word == "refused" { words::count(count, "row", "rows") } else { words::count(count, "device", "devices") };
        (count > 0).then(|| format!("{what} {}", if *word == "refused" { "left out" } else { word }))
    };
    OUTCOMES.iter().filter_map(some).collect::<Vec<_>>().join(", ")
}

/// `GET /admin/devices/import/{token}/log`
pub async fn log(
    request: HttpRequest,
    token: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    if let Some(log) = imports::finished(&who, &services, &ROOM, &token) {
        return Ok(imports::log_file(&ROOM, &log));
    }
    let Some(pending) = imports::waiting(&who, &services, Into::Devices, &token) else { return Ok(imports::over(&who, HERE)) };
    let list = ListQuery::of(&request, &[]);
    let options = options(|name| list.filter(name).unwrap_or_default());
    let (actor, bytes) = (who.actor.clone(), pending.bytes);
    let look = move |services: &Services| device_csv::plan(services, &actor, DEFAULT_ACCOUNT, &bytes, options);
    let plan = blocking::call(&services, look).await.map_err(Failure::of(&who))?;
    let outcome = format!("Not imported yet: {}.", summary(&plan));
    Ok(imports::log_file(&ROOM, &imports::log(&who, &services, &pending.source, outcome, plan.told())))
}

/// A file to be saved.
pub(super) fn file(name: &str, kind: &'static str, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(bytes)
}
