//! Import Sites and export: what a file does is shown row by row, nothing is written before somebody accepts it, and then all of it; what
//! came of each row is shown after, and the import log is there to download before and after (R90–R96).

use actix_multipart::Multipart;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::saving::{Tense, counts, named};
use crate::domain::activity::Change;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::site::Site;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::pending_imports::{Into, Pending};
use crate::services::sites::import::{self, Imported, Plan};
use crate::services::{Services, lists};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::imports::{self, Room};
use crate::web::admin::layout::{Page, html, html_rejected, see_other};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::sent_file::{self, SentFile};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::{blocking, sizes};

const HERE: &str = "/admin/sites/import";
const LIST: &str = "/admin/sites";

static ROOM: Room = Room {
    into: Into::Sites,
    title: "Import Sites Result",
    here: (HERE, "Import Sites"),
    list: (LIST, "Sites"),
    subject: "Site Name",
    outcomes: &["added", "changed", "unchanged", "refused"],
    log: "sites-import.log",
};

#[derive(Template)]
#[template(path = "sites/import.html")]
struct ImportPage {
    page: Page,
    form: Form,
}

#[derive(Template)]
#[template(path = "sites/preview.html")]
struct PreviewPage {
    page: Page,
    source: String,
    token: String,
    /// What tells this plan from any other.
    mark: String,
    /// How many rows come to what: link, word and number.
    groups: Vec<(String, &'static str, usize)>,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    is_doable: bool,
    is_refused: bool,
    /// What comes of it for devices, and which networks are shared.
    sentences: Vec<String>,
    /// Somebody changed the sites since it was shown.
    is_new: bool,
}

struct Row {
    line: u64,
    name: String,
    tone: &'static str,
    word: &'static str,
    changes: Vec<Change>,
    why: String,
}

/// `GET /admin/sites/import`
pub async fn show(who: SignedIn) -> HttpResponse {
    html(&ImportPage { page: who.page("Import Sites"), form: Form::default() })
}

/// `POST /admin/sites/import`: a file.
pub async fn upload(who: SignedIn, parts: Multipart, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let rejected = |errors: &FieldErrors| {
        let form = Form::default().rejected(errors);
        Ok(html_rejected(&ImportPage { page: who.page("Import Sites"), form }))
    };
    let SentFile { name, bytes } = match sent_file::read(parts, sizes::SITES).await {
        Ok(file) => file,
        Err(message) => return rejected(&FieldErrors::one("file", message)),
    };
    let file: std::sync::Arc<[u8]> = bytes.into();
    let looked_at = std::sync::Arc::clone(&file);
    match blocking::call(&services, move |services| import::plan(services, DEFAULT_ACCOUNT, &looked_at)).await {
        Ok(plan) if plan.rows.is_empty() => rejected(&FieldErrors::one("file", "the file has a header and no row below it")),
        Ok(_) => {
            let token = imports::keep(&who, &services, Into::Sites, 0, name, file);
            Ok(see_other(&format!("{HERE}/{token}")))
        }
        Err(ServiceError::Invalid(errors)) => rejected(&errors),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `GET /admin/sites/import/{token}`: what it would do, or what it did.
pub async fn preview(
    request: HttpRequest,
    token: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let Some(pending) = imports::waiting(&who, &services, Into::Sites, &token) else {
        return Ok(imports::result(&request, &who, &services, &ROOM, &token));
    };
    page(&request, &who, &services, &token, pending, false).await
}

async fn page(
    request: &HttpRequest,
    who: &SignedIn,
    services: &web::Data<Services>,
    token: &str,
    pending: Pending,
    is_new: bool,
) -> Result<HttpResponse, Failure> {
    let (actor, file) = (who.actor.clone(), pending.bytes);
    let look = move |services: &Services| {
        let plan = import::plan(services, DEFAULT_ACCOUNT, &file)?;
        let tried = plan.is_doable().then(|| import::import(services, &actor, DEFAULT_ACCOUNT, &file, Mode::TryOut));
        Ok((plan, tried.transpose()?))
    };
    let (plan, tried) = blocking::call(services, look).await.map_err(Failure::of(who))?;
    let list = ListQuery::parse(&format!("{HERE}/{token}"), request.query_string(), &[]);
    let wanted = list.filter("only").unwrap_or_default().to_owned();
    let found: Vec<_> = plan.rows.iter().filter(|row| wanted.is_empty() || row.outcome.word() == wanted).collect();
    let pager = list.pager(found.len());
    let rows = found[pager.range()].iter().map(|row| Row {
        line: row.line,
        name: row.name.clone(),
        tone: imports::tone(row.outcome.word()),
        word: row.outcome.word(),
        changes: imports::shortened(row.outcome.changes().to_vec()),
        why: row.outcome.why().to_owned(),
    });
    let group = |word: &'static str| (list.with(&[("only", word), ("page", "")]), word, plan.count(word));
    Ok(html(&PreviewPage {
        page: who.page("Import Sites Result"),
        source: pending.source,
        token: token.to_owned(),
        mark: plan.mark(),
        groups: ROOM.outcomes.iter().copied().map(group).collect(),
        rows: rows.collect(),
        is_doable: plan.is_doable(),
        is_refused: plan.count("refused") > 0,
        sentences: tried.iter().flat_map(|tried| told(tried, Tense::Asked)).collect(),
        is_new,
        list,
        pager,
    }))
}

fn told(imported: &Imported, tense: Tense) -> Vec<String> {
    let saved = &imported.saved;
    let mut sentences = counts(&saved.moves, tense);
    if tense == Tense::Asked {
        sentences.extend(named(&saved.moves));
    }
    sentences.extend(saved.warnings().take(20).map(|warning| format!("{warning}.")));
    sentences
}

/// `POST /admin/sites/import/{token}`: accepts or cancels.
pub async fn decide(
    request: HttpRequest,
    token: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    if !form.is("do", "accept") {
        return Ok(imports::cancelled(&who, &services, &token, LIST));
    }
    let Some(pending) = imports::waiting(&who, &services, Into::Sites, &token) else {
        return Ok(imports::decided(&who, &services, &ROOM, &token));
    };
    let (actor, file, mark) = (who.actor.clone(), pending.bytes.clone(), form.value("mark").to_owned());
    let take = move |services: &Services| {
        if import::plan(services, DEFAULT_ACCOUNT, &file)?.mark() != mark {
            return Ok(None);
        }
        import::import(services, &actor, DEFAULT_ACCOUNT, &file, Mode::Keep).map(Some)
    };
    match blocking::call(&services, take).await {
        Ok(Some(imported)) => {
            let (counts, told) = (summary(&imported.plan), told(&imported, Tense::Done).join(" "));
            let outcome = format!("Imported {}: {counts}. {told}", pending.source).trim_end().to_owned();
            Ok(imports::taken(&who, &services, &ROOM, &token, &pending.source, outcome, imported.plan.told()))
        }
        Ok(None) => page(&request, &who, &services, &token, pending, true).await,
        Err(ServiceError::Invalid(errors)) => Ok(who.not_done(HERE, errors.to_string())),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(HERE, format!("Nothing was imported: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

fn summary(plan: &Plan) -> String {
    let some = |word: &str| (plan.count(word) > 0).then(|| format!("{} {word}", words::count(plan.count(word), "site", "sites")));
    ROOM.outcomes.iter().filter_map(|word| some(word)).collect::<Vec<_>>().join(", ")
}

/// `GET /admin/sites/import/{token}/log`
pub async fn log(token: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    if let Some(log) = imports::finished(&who, &services, &ROOM, &token) {
        return Ok(imports::log_file(&ROOM, &log));
    }
    let Some(pending) = imports::waiting(&who, &services, Into::Sites, &token) else { return Ok(imports::over(&who, HERE)) };
    let plan = blocking::call(&services, move |services| import::plan(services, DEFAULT_ACCOUNT, &pending.bytes)).await;
    let plan = plan.map_err(Failure::of(&who))?;
    let outcome = format!("Not imported yet: {}.", summary(&plan));
    Ok(imports::log_file(&ROOM, &imports::log(&who, &services, &pending.source, outcome, plan.told())))
}

/// `GET /admin/sites/export`: the sites that the list shows.
pub async fn export(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = ListQuery::of(&request, &[]);
    let asked = list.asked(&lists::sites::LISTING);
    let (search, with_mark) = (asked.search(), list.filter("mark").is_some());
    let is_shown = move |site: &Site| lists::sites::admits(site, &asked, &search);
    let make = move |services: &Services| import::export(services, DEFAULT_ACCOUNT, is_shown, with_mark);
    let bytes = blocking::call(&services, make).await.map_err(Failure::of(&who))?;
    Ok(file("sites.csv", "text/csv; charset=utf-8", bytes))
}

fn file(name: &str, kind: &'static str, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(bytes)
}
