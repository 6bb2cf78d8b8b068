//! Uploading a schema: what it holds and what would be different is shown first; nothing changes before somebody accepts it.

use actix_multipart::Multipart;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::{HERE, rejected};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::pending_imports::Into;
use crate::services::schema::{self, Preview, UploadDraft, UploadInput};
use crate::services::{Services, schema::unpack};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::imports;
use crate::web::admin::layout::{Page, html, html_rejected, see_other};
use crate::web::admin::sent_file::{self, SentFile};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::{blocking, sizes};

/// Names of each kind that a preview shows; the rest are counted.
const NAMED: usize = 50;

#[derive(Template)]
#[template(path = "schema/preview.html")]
struct PreviewPage {
    page: Page,
    form: Form,
    token: String,
    source: String,
    counts: String,
    /// What counts once it is used for everything.
    counts_then: String,
    against: String,
    groups: Vec<Group>,
    changed: Vec<(String, String, String)>,
    changed_count: usize,
    families: Vec<String>,
}

/// Names that the same happens to.
struct Group {
    id: &'static str,
    title: &'static str,
    note: &'static str,
    count: usize,
    names: Vec<String>,
}

/// `GET` of the address that files are sent to.
pub async fn home() -> HttpResponse {
    see_other(HERE)
}

/// `POST /admin/provisioning/schema/upload`: a file.
pub async fn take(who: SignedIn, parts: Multipart, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let SentFile { name, bytes } = match sent_file::read(parts, sizes::SCHEMA).await {
        Ok(file) => file,
        Err(message) => return rejected(&who, &services, Form::default(), &FieldErrors::one("file", message)),
    };
    let look = move |services: &Services| {
        schema::look(services, DEFAULT_ACCOUNT, &bytes)?;
        schema::pack(&bytes)
    };
    match blocking::call(&services, look).await {
        Ok(packed) => {
            let source = if name.is_empty() { "polycomConfig.xsd".to_owned() } else { name };
            let token = imports::keep(&who, &services, Into::Schema, 0, source, packed.0);
            Ok(see_other(&format!("{HERE}/preview/{token}")))
        }
        Err(ServiceError::Invalid(errors)) => rejected(&who, &services, Form::default(), &errors),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// The file that waits under a word.
fn waiting(who: &SignedIn, services: &Services, token: &str) -> Option<(String, Vec<u8>)> {
    let pending = imports::waiting(who, services, Into::Schema, token)?;
    Some((pending.source, unpack(&pending.bytes)?))
}

/// `GET /admin/provisioning/schema/preview/{token}`
pub async fn preview(token: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let Some((source, file)) = waiting(&who, &services, &token) else { return Ok(imports::over(&who, HERE)) };
    let stem = source.rsplit_once('.').map_or(source.as_str(), |(stem, _)| stem).to_owned();
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let is_taken = |name: &str| world.schemas.shelf.iter().any(|one| one.uploaded.name.folded() == name.to_lowercase());
    let numbered = (2..100).map(|number| format!("{stem} {number}"));
    let name = std::iter::once(stem.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(stem);
    let form = Form::filled([("name", name), ("purpose", "everything".to_owned())]);
    Ok(html(&page(&who, &services, &token, source, file, form).await?))
}

async fn page(
    who: &SignedIn,
    services: &web::Data<Services>,
    token: &str,
    source: String,
    file: Vec<u8>,
    form: Form,
) -> Result<PreviewPage, Failure> {
    let look = move |services: &Services| schema::look(services, DEFAULT_ACCOUNT, &file);
    let Preview { parameters, families, counting, of_dictionary, against, difference } =
        blocking::call(services, look).await.map_err(Failure::of(who))?;
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let group = |id, title, note, mut names: Vec<String>| {
        let count = names.len();
        names.truncate(NAMED);
        Group { id, title, note, count, names }
    };
    let mut counts = format!("{} in all", words::count(parameters, "parameter", "parameters"));
    if families != parameters {
        counts = format!("{counts}, {families} with each family of indexes once");
    }
    let mut counts_then = words::count(counting, "parameter counts", "parameters count");
    if of_dictionary > 0 {
        let kept = words::count(of_dictionary, "of them is", "of them are");
        counts_then = format!("{counts_then} then; {kept} not in this file and count as the dictionary of pdms has them");
    } else {
        counts_then.push_str(" then");
    }
    let changed_count = difference.changed.len();
    let groups = vec![
        group("added", "Added", "Not known before.", difference.added),
        group("removed", "Not known any more", "Only the schema that counts now has them.", difference.removed),
    ];
    Ok(PreviewPage {
        page: who.page("Schema preview"),
        form,
        token: token.to_owned(),
        source,
        counts,
        counts_then,
        against,
        groups: groups.into_iter().filter(|group| group.count > 0).collect(),
        changed: difference.changed.into_iter().take(NAMED).collect(),
        changed_count,
        families: world.models.families().map(|family| family.name.clone()).collect(),
    })
}

/// `POST /admin/provisioning/schema/preview/{token}`: accepts or cancels.
pub async fn decide(
    token: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    if !form.is("do", "accept") {
        services.pending_imports().remove(&token);
        return Ok(who.done(HERE, "Cancelled: nothing was changed."));
    }
    let Some((source, file)) = waiting(&who, &services, &token) else { return Ok(imports::over(&who, HERE)) };
    let input = UploadInput {
        name: form.value("name").to_owned(),
        family: form.value("family").to_owned(),
        version: form.value("version").to_owned(),
        beside: form.is("purpose", "beside"),
    };
    let (actor, name, content) = (who.actor.clone(), source.clone(), file.clone());
    let accept = move |services: &Services| {
        let draft = UploadDraft::parse(&input, &*services.world(DEFAULT_ACCOUNT)?)?;
        schema::accept(services, &actor, DEFAULT_ACCOUNT, draft, (&name, &content), Mode::Keep)
    };
    match blocking::call(&services, accept).await {
        Ok(uploaded) => {
            services.pending_imports().remove(&token);
            let what = words::count(uploaded.parameters, "parameter", "parameters");
            let counts = if form.is("purpose", "beside") { "It stands beside." } else { "It counts now." };
            Ok(who.done(HERE, format!("{} is taken with {what}. {counts}", uploaded.name)))
        }
        Err(ServiceError::Invalid(errors)) => {
            Ok(html_rejected(&page(&who, &services, &token, source, file, form.rejected(&errors)).await?))
        }
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(HERE, format!("Nothing was changed: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}
