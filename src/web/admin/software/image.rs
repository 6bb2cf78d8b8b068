//! The page of one image: its files, its software licence, and deleting it.

use std::sync::Arc;

use actix_multipart::Multipart;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::HERE;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, ImageId};
use crate::domain::image::{FOLDER, Image, KeptPackage, folder_of_family};
use crate::domain::profile::Profile;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::images::uploads::in_words;
use crate::services::images::{self, chosen_by, deletion, license, name_of};
use crate::services::{Services, downgrades, downloads, profiles};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{ConfirmPage, Page, html, html_rejected};
use crate::web::admin::sent_file::{self, SentFile};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::{blocking, sizes};

/// Files that a page names; the rest are counted.
const NAMED: usize = 500;

#[derive(Template)]
#[template(path = "software/image.html")]
struct ImagePage {
    page: Page,
    form: Form,
    image: Arc<Image>,
    name: String,
    package: String,
    stored: String,
    /// The packages that it came in: number, name, size and hash; and whether they are kept beside its files.
    packages: Vec<(usize, String, String, String)>,
    is_beside: bool,
    /// Paths that devices may be told, below the server's own address.
    paths: Vec<String>,
    /// Path, size, hash, and how that begins.
    files: Vec<(String, String, String, String)>,
    more_files: usize,
    profile: Option<Arc<Profile>>,
    choosing: Vec<Arc<Profile>>,
    reach: String,
    running: usize,
    /// Devices that wait for consent to go back to it.
    waiting: usize,
    /// The key file in clear, where it was asked for.
    revealed: Option<String>,
}

pub(super) fn find(who: &SignedIn, services: &Services, id: &str) -> Result<Arc<Image>, Failure> {
    let parsed: ImageId = id.parse().map_err(|_| Failure::not_found(who, "image", id.to_owned()))?;
    images::get(services, DEFAULT_ACCOUNT, parsed).map_err(Failure::of(who))
}

fn page(
    who: &SignedIn,
    services: &Services,
    image: Arc<Image>,
    form: Form,
    revealed: Option<String>,
) -> Result<ImagePage, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let name = name_of(&image);
    let profile = world.profile(image.profile).cloned();
    let affected = match &profile {
        Some(profile) => profiles::uses(services, DEFAULT_ACCOUNT, profile.id).map_err(Failure::of(who))?.affected,
        None => 0,
    };
    let of_family = |family: &String| format!("{FOLDER}/{}/{}/", folder_of_family(family), image.version);
    let file = |file: &crate::domain::image::ImageFile| {
        let short = file.sha256.chars().take(12).collect();
        (file.path.clone(), in_words(file.size_bytes), file.sha256.clone(), short)
    };
    let original = |(at, one): (usize, KeptPackage)| (at + 1, one.file, in_words(one.size_bytes), one.sha256);
    Ok(ImagePage {
        page: who.page(name.clone()),
        package: in_words(image.size_bytes),
        stored: in_words(image.stored_bytes()),
        packages: image.originals().into_iter().enumerate().map(original).collect(),
        is_beside: !image.packages.is_empty(),
        paths: image.families.iter().map(of_family).collect(),
        files: image.files.iter().take(NAMED).map(file).collect(),
        more_files: image.files.len().saturating_sub(NAMED),
        choosing: chosen_by(&world, &image),
        reach: words::count(affected, "device", "devices"),
        waiting: downgrades::waiting_for(services, DEFAULT_ACCOUNT, &image.version).map_err(Failure::of(who))?,
        running: downloads::of_image(services, DEFAULT_ACCOUNT, image.id),
        name,
        profile,
        image,
        form,
        revealed,
    })
}

/// `GET /admin/software/{id}`
pub async fn show(id: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let image = find(&who, &services, &id)?;
    Ok(html(&page(&who, &services, image, Form::default(), None)?))
}

/// `GET /admin/software/{id}/delete`
pub async fn ask(id: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let image = find(&who, &services, &id)?;
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let mut sentences = vec![
        "Its files go, and with it its profile wherever that is attached. This cannot be taken back; it can be uploaded again."
            .to_owned(),
    ];
    let choosing = chosen_by(&world, &image);
    if !choosing.is_empty() {
        let names: Vec<String> = choosing.iter().take(5).map(|profile| format!("“{}”", profile.name)).collect();
        sentences.push(format!(
            "{} it: {}. Their devices keep the software that they have and are told nowhere to get another.",
            words::count(choosing.len(), "profile chooses", "profiles choose"),
            names.join(", ")
        ));
    }
    Ok(html(&ConfirmPage {
        page: who.page(format!("Delete {}?", name_of(&image))),
        sentences,
        action: format!("{HERE}/{}/delete", image.id),
        fields: vec![("force".to_owned(), "yes".to_owned())],
        choices: Vec::new(),
        verb: "Delete",
        is_harmless: false,
        back: format!("{HERE}/{}", image.id),
    }))
}

/// `POST /admin/software/{id}/delete`
pub async fn delete(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let image = find(&who, &services, &id)?;
    let (actor, forced, id) = (who.actor.clone(), form.is("force", "yes"), image.id);
    let delete = move |services: &Services| deletion::delete(services, &actor, DEFAULT_ACCOUNT, id, forced, Mode::Keep);
    match blocking::call(&services, delete).await {
        Ok(gone) => Ok(who.done(HERE, format!("{} is deleted.", name_of(&gone.image)))),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&format!("{HERE}/{id}"), format!("Nothing was deleted: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `POST /admin/software/{id}/license`: a key file in place of the former one (R338).
pub async fn save_license(
    id: web::Path<String>,
    who: SignedIn,
    parts: Multipart,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let image = find(&who, &services, &id)?;
    let not_taken = |errors: &FieldErrors| {
        let form = Form::default().rejected(errors);
        Ok(html_rejected(&page(&who, &services, Arc::clone(&image), form, None)?))
    };
    let SentFile { name, bytes } = match sent_file::read(parts, sizes::LICENSE).await {
        Ok(file) => file,
        Err(told) => return not_taken(&FieldErrors::one("file", told)),
    };
    let (actor, id) = (who.actor.clone(), image.id);
    let put = move |services: &Services| license::put(services, &actor, DEFAULT_ACCOUNT, id, (&name, &bytes), Mode::Keep);
    match blocking::call(&services, put).await {
        Ok(_) => Ok(who.done(&format!("{HERE}/{id}"), "The key file is taken.")),
        Err(ServiceError::Invalid(errors)) => not_taken(&errors),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `POST /admin/software/{id}/license/delete`
pub async fn delete_license(
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (id, actor) = (find(&who, &services, &id)?.id, who.actor.clone());
    let delete = move |services: &Services| license::delete(services, &actor, DEFAULT_ACCOUNT, id, Mode::Keep);
    blocking::call(&services, delete).await.map_err(Failure::of(&who))?;
    Ok(who.done(&format!("{HERE}/{id}"), "The key file is deleted."))
}

/// `POST /admin/software/{id}/license/reveal`: the keys in clear, on this answer alone.
pub async fn reveal_license(
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let image = find(&who, &services, &id)?;
    let (id, actor) = (image.id, who.actor.clone());
    let reveal = move |services: &Services| license::reveal(services, &actor, DEFAULT_ACCOUNT, id, Mode::Keep);
    let (_, content) = blocking::call(&services, reveal).await.map_err(Failure::of(&who))?;
    Ok(html(&page(&who, &services, image, Form::default(), Some(content))?))
}
