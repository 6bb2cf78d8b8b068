//! The list of images, what is on its way, and how much there may be (R42).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::HERE;
use super::upload::UploadRow;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::commit::Mode;
use crate::services::images::limits::{self, LimitsInput, Usage};
use crate::services::images::uploads;
use crate::services::lists::images::{LISTING, ListedImage};
use crate::services::{Services, lists};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// The columns that may be hidden, by their word in the address. The version always stays.
const COLUMNS: [(&str, &str); 6] = [
    ("families", "Devices"),
    ("size", "Size"),
    ("files", "Files"),
    ("used", "Used by"),
    ("uploaded", "Uploaded"),
    ("hash", "SHA-256"),
];

#[derive(Template)]
#[template(path = "software/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
    images: Vec<Row>,
    /// Images of the account, whatever the list shows.
    all: usize,
    families: Vec<String>,
    uploads: Vec<UploadRow>,
    usage: String,
    package_most: String,
    form: Form,
    may_limit: bool,
}

struct Row {
    listed: ListedImage,
    size: String,
    /// How its hash begins.
    hash: String,
}

fn row(listed: ListedImage) -> Row {
    let size = uploads::in_words(listed.image.stored_bytes());
    Row { size, hash: listed.image.sha256.chars().take(12).collect(), listed }
}

fn cells(one: &ListedImage) -> [String; 7] {
    let image = &one.image;
    [
        one.name.clone(),
        image.families.join(", "),
        image.stored_bytes().to_string(),
        image.files.len().to_string(),
        one.used.to_string(),
        words::file_time(image.at),
        image.sha256.clone(),
    ]
}

fn page(who: &SignedIn, services: &Services, list: ListQuery, form: Form) -> Result<ListPage, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let found = lists::images::list(services, DEFAULT_ACCOUNT, &list.asked(&LISTING)).map_err(Failure::of(who))?;
    let usage = Usage::of(&world);
    let limits = LimitsInput::from(usage.limits);
    let typed = Form::filled([
        ("images", limits.images),
        ("megabytes", limits.megabytes),
        ("package_megabytes", limits.package_megabytes),
    ]);
    let form = if form.is_rejected() { form.or(&typed, &[]) } else { typed };
    let pager = list.pager(found.len());
    let rows = found.into_iter().skip(pager.range().start).take(pager.range().len());
    let mut families: Vec<String> = world.images.values().flat_map(|image| image.families.clone()).collect();
    families.sort();
    families.dedup();
    Ok(ListPage {
        page: who.page("Software"),
        columns: list.columns(&COLUMNS),
        images: rows.map(row).collect(),
        list,
        pager,
        all: world.images.len(),
        families,
        uploads: uploads::list(services, DEFAULT_ACCOUNT).into_iter().map(UploadRow::from).collect(),
        usage: format!(
            "{} of {} images, {} of {}.",
            usage.images,
            usage.limits.images,
            uploads::in_words(usage.bytes),
            uploads::in_words(usage.limits.bytes)
        ),
        package_most: uploads::in_words(usage.limits.package_bytes),
        form,
        may_limit: who.person.role == crate::domain::user::Role::Owner,
    })
}

/// `GET /admin/software`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    if list.is_file() {
        let found = lists::images::list(&services, DEFAULT_ACCOUNT, &list.asked(&LISTING)).map_err(Failure::of(&who))?;
        return Ok(list.columns(&COLUMNS).file("software", "Version", found.iter().map(cells)));
    }
    Ok(html(&page(&who, &services, list, Form::default())?))
}

/// The list after a form on it was not taken.
pub(super) fn rejected(who: &SignedIn, services: &Services, request: &HttpRequest, form: Form) -> Result<HttpResponse, Failure> {
    Ok(html_rejected(&page(who, services, ListQuery::of(request, LISTING.sorts), form)?))
}

/// `POST /admin/software/limits`
pub async fn save_limits(
    request: HttpRequest,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let text = |name: &str| form.value(name).to_owned();
    let input =
        LimitsInput { images: text("images"), megabytes: text("megabytes"), package_megabytes: text("package_megabytes") };
    let keeps = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?.account.image_limits.keep_packages;
    let limits = match input.parse(keeps) {
        Ok(limits) => limits,
        Err(errors) => return rejected(&who, &services, &request, form.rejected(&errors)),
    };
    let actor = who.actor.clone();
    let save = move |services: &Services| limits::set(services, &actor, DEFAULT_ACCOUNT, limits, Mode::Keep);
    blocking::call(&services, save).await.map_err(Failure::of(&who))?;
    Ok(who.done(HERE, "The limits are saved."))
}

/// What is said of a file that did not come.
pub(super) fn of_file(words: String) -> FieldErrors {
    FieldErrors::one("file", words)
}
