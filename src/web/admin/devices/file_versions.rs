//! What is done to one file of a device: a version put back, two compared, a value of it deleted, the file deleted (R225).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::files::{meaning, shown_name};
use super::head::{self, Head};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::device_files::overrides;
use crate::services::device_files::versions::{self, Difference, LineKind, TOLD};
use crate::services::error::ServiceError;
use crate::web::admin::bulk::{BulkPage, Named, Question};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone as _};
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/file_compare.html")]
struct ComparePage {
    page: Page,
    head: Head,
    name: String,
    /// The file's page.
    back: String,
    from: u32,
    to: u32,
    difference: Difference,
    /// Changes that are not told.
    more: usize,
}

fn files(key: &str) -> String {
    format!("/admin/devices/{key}/files")
}

/// `GET /admin/devices/{key}/files/{name}/compare?from=…&to=…`
pub async fn compare(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let (device, asked) = (known.device.key.clone(), name.clone());
    let query = ListQuery::of(&request, &[]);
    let number = |field: &str| query.filter(field).and_then(|text| text.parse::<u32>().ok());
    let (from, to) = (number("from"), number("to"));
    let compared = blocking::call(&services, move |services| {
        let file = versions::of(services, DEFAULT_ACCOUNT, &device, &asked)?;
        let to = to.unwrap_or(file.version);
        let from = from.unwrap_or_else(|| to.saturating_sub(1));
        Ok((from, to, versions::compare(services, DEFAULT_ACCOUNT, &device, &asked, (from, to))?))
    });
    let (from, to, mut difference) = compared.await.map_err(Failure::of(&who))?;
    let more = match &mut difference {
        Difference::Parameters(all) => cut(all),
        Difference::Lines(all) => cut(all),
        Difference::Bytes => 0,
    };
    let page = who.page("Compare versions");
    let head = Head::new(&known, page.now).marked(&services);
    let back = format!("{}/{name}", files(&head.key));
    Ok(html(&ComparePage { name: shown_name(&head.key, &name), back, from, to, difference, more, page, head }))
}

fn cut<T>(all: &mut Vec<T>) -> usize {
    let more = all.len().saturating_sub(TOLD);
    all.truncate(TOLD);
    more
}

/// `POST /admin/devices/{key}/files/{name}/restore`
pub async fn restore(
    path: web::Path<(String, String)>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let (device, actor, asked) = (known.device.key.clone(), who.actor.clone(), name.clone());
    let back = format!("{}/{name}", files(&known.device.key.to_string()));
    let Ok(version) = form.value("version").parse() else { return Ok(who.not_done(&back, "Choose a version first.")) };
    let restore =
        move |services: &Services| versions::restore(services, &actor, DEFAULT_ACCOUNT, &device, &asked, version, Mode::Keep);
    answered(&who, &back, blocking::call(&services, restore).await.map(|_| ()), || {
        format!("Version {version} is put back. The device takes it at its next boot.")
    })
}

/// `POST /admin/devices/{key}/files/{name}/delete-value`
pub async fn delete_value(
    path: web::Path<(String, String)>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let (device, actor) = (known.device.key.clone(), who.actor.clone());
    let back = files(&known.device.key.to_string());
    let (parameter, version) = (form.value("parameter").to_owned(), form.value("version").parse().ok());
    let told = parameter.clone();
    let delete = move |services: &Services| {
        overrides::delete_value(services, &actor, DEFAULT_ACCOUNT, &device, (&name, version), &parameter, Mode::Keep)
    };
    answered(&who, &back, blocking::call(&services, delete).await, || {
        format!(
            "{told} is deleted from the phone's own settings. The phone takes that at its next boot; until then it keeps the value."
        )
    })
}

/// `GET /admin/devices/{key}/files/{name}/delete`
pub async fn ask_delete(
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let (device, asked, actor) = (known.device.key.clone(), name.clone(), who.actor.clone());
    let look = move |services: &Services| {
        let file = versions::of(services, DEFAULT_ACCOUNT, &device, &asked)?;
        versions::delete(services, &actor, DEFAULT_ACCOUNT, &device, &asked, Mode::TryOut)?;
        Ok(file)
    };
    let file = blocking::call(&services, look).await.map_err(Failure::of(&who))?;
    let key = known.device.key.to_string();
    let shown = shown_name(&key, &name);
    let mut sentences = vec!["It is deleted for good.".to_owned()];
    if !file.former.is_empty() {
        sentences = vec![format!(
            "It is deleted for good, with {}.",
            words::count(file.former.len(), "former version", "former versions")
        )];
    }
    if file.by.is_none() {
        sentences.push("The device keeps its own copy until it is reset, and uploads it anew when it changes it.".to_owned());
    }
    Ok(html(&BulkPage {
        page: who.page(format!("Delete {shown}?")),
        parents: vec![
            ("/admin/devices".to_owned(), "Device Monitor".to_owned()),
            (files(&key), format!("Files of {}", words::title(&known.device))),
        ],
        names: vec![Named { href: format!("{}/{name}", files(&key)), name: shown, note: meaning(&name) }],
        more: 0,
        sentences,
        closing: "",
        question: Question { fields: Vec::new(), number: None, again: None },
        fields: Vec::new(),
        action: format!("{}/{name}/delete", files(&key)),
        verb: "Delete for good".to_owned(),
        is_harmless: false,
        back: files(&key),
    }))
}

/// `POST /admin/devices/{key}/files/{name}/delete`
pub async fn delete(
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, name) = path.into_inner();
    let (known, _) = head::find(&services, &who, &key)?;
    let (device, actor, asked) = (known.device.key.clone(), who.actor.clone(), name.clone());
    let delete = move |services: &Services| versions::delete(services, &actor, DEFAULT_ACCOUNT, &device, &asked, Mode::Keep);
    let key = known.device.key.to_string();
    answered(&who, &files(&key), blocking::call(&services, delete).await, || format!("{} is deleted.", shown_name(&key, &name)))
}

/// Leads back with what came of it.
fn answered(
    who: &SignedIn,
    back: &str,
    done: Result<(), ServiceError>,
    told: impl FnOnce() -> String,
) -> Result<HttpResponse, Failure> {
    match done {
        Ok(()) => Ok(who.done(back, told())),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(back, format!("Nothing was changed: {why}."))),
        Err(error) => Err(Failure::new(who, error)),
    }
}
