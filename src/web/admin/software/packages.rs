//! The packages that an image came in: taken away as they were uploaded, and deleted by themselves (R211).

use actix_web::{HttpRequest, HttpResponse, web};

use super::HERE;
use super::image::find;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::images::uploads::in_words;
use crate::services::images::{name_of, packages};
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{ConfirmPage, html};
use crate::web::admin::session::SignedIn;
use crate::web::{blocking, package_file};

/// `GET /admin/software/{id}/packages/{number}`
pub async fn download(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (id, number) = path.into_inner();
    let id = find(&who, &services, &id)?.id;
    let number: usize = number.parse().map_err(|_| Failure::not_found(&who, "package", number))?;
    let actor = who.actor.clone();
    let open = move |services: &Services| packages::open(services, &actor, DEFAULT_ACCOUNT, id, number);
    let (file, package) = blocking::call(&services, open).await.map_err(Failure::of(&who))?;
    let read = |error| Failure::new(&who, ServiceError::file("read", "a package of software")(error));
    package_file::answer(&request, file, &package).map_err(read)
}

/// `GET /admin/software/{id}/packages/delete`
pub async fn ask(id: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let image = find(&who, &services, &id)?;
    let back = format!("{HERE}/{}", image.id);
    let bytes = image.disk_bytes() - image.stored_bytes();
    if bytes == 0 {
        return Ok(who.not_done(&back, "No package is kept beside this image."));
    }
    Ok(html(&ConfirmPage {
        page: who.page(format!("Delete the package of {}?", name_of(&image))),
        sentences: vec![
            format!("{} of the disk are free then. The image stays: phones get its files as before.", in_words(bytes)),
            "The package cannot be taken back. To keep one again, delete the image and upload it anew.".to_owned(),
        ],
        action: format!("{back}/packages/delete"),
        fields: Vec::new(),
        choices: Vec::new(),
        verb: "Delete",
        is_harmless: false,
        back,
    }))
}

/// `POST /admin/software/{id}/packages/delete`
pub async fn delete(id: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (id, actor) = (find(&who, &services, &id)?.id, who.actor.clone());
    let delete = move |services: &Services| packages::delete(services, &actor, DEFAULT_ACCOUNT, id, Mode::Keep);
    let here = format!("{HERE}/{id}");
    match blocking::call(&services, delete).await {
        Ok(_) => Ok(who.done(&here, "The package is deleted; the image stays.")),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&here, format!("Nothing was deleted: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}
