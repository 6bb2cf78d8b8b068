//! Lines of one device as a form: what its own profile says stands in the fields, what it gets from elsewhere is told beside them.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::catalog::models::models;
use crate::domain::device_list::Listed;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::LINES;
use crate::domain::lines::{Cell, Line, LineFault, LineField, TypedLine, check};
use crate::domain::schema::Schema;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::lines::{self, LinesEdit, LinesOf, Saved};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html_with};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::admin::words::{self, Tone as _};
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/lines.html")]
struct LinesPage {
    page: Page,
    head: Head,
    form: Form,
    revision: u64,
    /// Where it is written: path and name of the device's own profile.
    own: Option<(String, String)>,
    /// Name of the profile that is made where there is none.
    made: String,
    lines: Vec<LineView>,
    /// Lines that are shown, and the link to more.
    count: usize,
    more: Option<String>,
    conflict: Option<String>,
}

struct LineView {
    number: usize,
    /// What it is called while it is folded.
    summary: String,
    open: bool,
    cells: Vec<CellView>,
}

struct CellView {
    name: String,
    label: &'static str,
    kind: &'static str,
    /// What stands in the field.
    value: String,
    /// What counts while the field is empty.
    placeholder: String,
    /// Where that comes from.
    from: Option<String>,
    error: Option<String>,
    /// Values to choose from.
    choices: Vec<String>,
    /// A password of its own, with the name of the box that takes it out.
    removable: Option<String>,
}

/// The field of a line in the form. What begins with `secret` is never kept or given back.
fn field_name(line: usize, field: LineField) -> String {
    let prefix = if field.is_secret() { "secret-" } else { "" };
    format!("{prefix}line-{line}-{}", field.word())
}

fn remove_name(line: usize) -> String {
    format!("remove-{line}")
}

/// `GET /admin/devices/{key}/lines`
pub async fn show(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let asked = ListQuery::of(&request, &[]).filter("lines").and_then(|text| text.parse().ok());
    let form = unsent::given_back_from(request.path(), &request, &who, &services);
    page(&who, &services, &known, asked, form, &[], None, StatusCode::OK).await
}

#[expect(clippy::too_many_arguments, reason = "a page that is shown, shown again with errors, and shown after a conflict")]
async fn page(
    who: &SignedIn,
    services: &web::Data<Services>,
    known: &Listed,
    asked: Option<usize>,
    typed: Option<Form>,
    faults: &[LineFault],
    conflict: Option<String>,
    status: StatusCode,
) -> Result<HttpResponse, Failure> {
    let device = &known.device;
    let least = asked.unwrap_or_else(|| models().lines(device.model.as_deref(), device.family.as_deref())).clamp(1, LINES);
    let key = device.key.clone();
    let read = blocking::call(services, move |services| lines::read(services, DEFAULT_ACCOUNT, &key, least)).await;
    let LinesOf { own, revision, lines, .. } = read.map_err(Failure::of(who))?;
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let schema = world.schemas.current();
    let head = Head::new(known, who.page("").now).marked(services);
    let views = lines.iter().map(|line| view(line, typed.as_ref(), faults, schema)).collect::<Vec<_>>();
    let count = views.len();
    let page = LinesPage {
        page: who.page("Lines"),
        own: own.map(|(id, name)| (format!("/admin/profiles/{id}"), name.to_string())),
        made: format!("{} lines", words::title(device)),
        revision: typed
            .as_ref()
            .filter(|_| conflict.is_none())
            .map_or(revision, |form| form.value("revision").parse().unwrap_or(revision)),
        form: typed.unwrap_or_default(),
        more: (count < LINES).then(|| format!("/admin/devices/{}/lines?lines={}", head.key, (count + 6).min(LINES))),
        lines: views,
        count,
        head,
        conflict,
    };
    Ok(html_with(status, &page))
}

fn view(line: &Line, typed: Option<&Form>, faults: &[LineFault], schema: &Schema) -> LineView {
    let value = |field: LineField| line.cells[field as usize].value().unwrap_or_default().to_owned();
    let called = [value(LineField::Address), value(LineField::DisplayName)];
    let called: Vec<_> = called.into_iter().filter(|text| !text.is_empty()).collect();
    let is_faulty = faults.iter().any(|fault| fault.line == line.number);
    let cells = LineField::ALL.into_iter().zip(&line.cells);
    LineView {
        number: line.number,
        summary: if called.is_empty() { "nothing set".to_owned() } else { called.join(", ") },
        open: line.number == 1 || !line.is_empty() || is_faulty,
        cells: cells.map(|(field, cell)| cell_view(line.number, field, cell, typed, faults, schema)).collect(),
    }
}

fn cell_view(
    line: usize,
    field: LineField,
    cell: &Cell,
    typed: Option<&Form>,
    faults: &[LineFault],
    schema: &Schema,
) -> CellView {
    let name = field_name(line, field);
    let error = faults.iter().find(|fault| fault.line == line && fault.field == field).map(|fault| fault.message.clone());
    if field.is_secret() {
        let (placeholder, from) = match (&cell.own, &cell.inherited) {
            (Some(_), _) => ("Leave empty to keep it".to_owned(), None),
            (None, Some((_, from))) => ("Set elsewhere".to_owned(), Some(from.clone())),
            (None, None) => (String::new(), None),
        };
        let removable = cell.own.is_some().then(|| remove_name(line));
        return CellView {
            name,
            label: field.label(),
            kind: "password",
            value: String::new(),
            placeholder,
            from,
            error,
            choices: Vec::new(),
            removable,
        };
    }
    let own = cell.own.as_deref().unwrap_or_default();
    let value = typed.and_then(|form| form.text(&name)).unwrap_or(own).to_owned();
    let found = schema.find(&field.parameter(line)).and_then(|found| found.definition.kind.choices());
    let is_choice = matches!(field, LineField::Transport | LineField::Transport2);
    let mut choices: Vec<String> = found.filter(|_| is_choice).unwrap_or_default().into_iter().map(str::to_owned).collect();
    if !choices.is_empty() && !value.is_empty() && !choices.contains(&value) {
        choices.push(value.clone());
    }
    let (placeholder, from) = match &cell.inherited {
        Some((value, from)) => (value.to_string(), Some(from.clone())),
        None => (String::new(), None),
    };
    CellView { name, label: field.label(), kind: "text", value, placeholder, from, error, choices, removable: None }
}

/// What a form holds of its lines.
fn typed(form: &Form) -> BTreeMap<usize, TypedLine> {
    let mut lines = BTreeMap::new();
    for number in 1..=LINES {
        let mut line = TypedLine::new();
        for field in LineField::ALL {
            let Some(text) = form.text(&field_name(number, field)) else { continue };
            let text = text.trim();
            if !field.is_secret() || !text.is_empty() {
                line.insert(field, text.to_owned());
            } else if form.is(&remove_name(number), "on") {
                line.insert(field, String::new());
            }
        }
        if !line.is_empty() {
            lines.insert(number, line);
        }
    }
    lines
}

/// The profiles that lines were written into, and where they stand now.
pub(super) fn written_into(saved: &Saved) -> String {
    let names = saved.profile.iter().map(|(_, name)| name).chain(&saved.also);
    let names = names.map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    match &saved.above {
        Some(above) => format!("{names}, above {above}, which would hide it"),
        None => names,
    }
}

/// `POST /admin/devices/{key}/lines`
pub async fn save(
    key: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    let typed = typed(&form);
    let asked = typed.keys().next_back().copied();
    let faults = check(&typed, world.schemas.current());
    if !faults.is_empty() {
        let form = form.refused(format_args!(
            "{}: look at the marked ones",
            words::count(faults.len(), "field is wrong", "fields are wrong")
        ));
        return page(&who, &services, &known, asked, Some(form), &faults, None, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let shown = form.value("revision").parse().ok();
    let (actor, wanted) = (who.actor.clone(), LinesEdit { key: known.device.key.clone(), shown, typed });
    let path = format!("/admin/devices/{}/lines", known.device.key);
    match blocking::call(&services, move |services| lines::save(services, &actor, DEFAULT_ACCOUNT, &[wanted], Mode::Keep)).await {
        Ok(saved) => {
            let changes = saved.first().map_or(0, |one| one.changes.len());
            let into = saved.first().map(written_into).unwrap_or_default();
            Ok(match changes {
                0 => who.done(&path, "Nothing was changed."),
                some => {
                    let what = words::count(some, "parameter is", "parameters are");
                    who.done(&path, format!("{what} changed in {into}."))
                }
            })
        }
        Err(ServiceError::Conflict(why)) => {
            page(&who, &services, &known, asked, Some(form), &[], Some(format!("{why}.")), StatusCode::CONFLICT).await
        }
        Err(ServiceError::Invalid(errors)) => {
            let form = form.refused(errors.to_string());
            page(&who, &services, &known, asked, Some(form), &[], None, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}
