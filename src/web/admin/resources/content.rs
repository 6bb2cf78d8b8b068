//! The content of a resource file: pictures and sounds where a page shows them, and everything to be taken away. A browser never runs
//! anything in it, whatever it holds (UPL-08).

use actix_web::http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse, web};
use std::io::{Seek as _, SeekFrom};

use super::resource::find;
use crate::domain::ids::{DEFAULT_ACCOUNT, ResourceId};
use crate::services::error::ServiceError;
use crate::services::{Services, resources};
use crate::web::admin::failure::Failure;
use crate::web::admin::session::SignedIn;
use crate::web::resource_part::{SANDBOX, Wanted, etag};
use crate::web::{blocking, file_body};

/// `GET /admin/resources/{id}/content`: a picture or a sound, or the part of it that is asked for.
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let resource = find(&services, &who, &id)?;
    if !resource.kind().is_media() {
        return Err(Failure::not_found(&who, "picture or sound", &id));
    }
    let open = move |services: &Services| resources::open(services, DEFAULT_ACCOUNT, &resource);
    let (mut file, resource) = blocking::call(&services, open).await.map_err(Failure::of(&who))?;
    let wanted = Wanted::of(&request, &resource.sha256, resource.size_bytes);
    let (first, bytes) = wanted.span(resource.size_bytes);
    let mut answer = HttpResponse::build(wanted.status());
    answer.insert_header(etag(&resource.sha256)).insert_header((ACCEPT_RANGES, "bytes"));
    if let Some(range) = wanted.content_range(resource.size_bytes) {
        answer.insert_header((CONTENT_RANGE, range));
    }
    if bytes == 0 {
        return Ok(answer.finish());
    }
    let seek = |error| Failure::new(&who, ServiceError::file("read", "the content of a resource file")(error));
    file.seek(SeekFrom::Start(first)).map_err(seek)?;
    Ok(answer
        .content_type(resource.path.content_type())
        .insert_header((CONTENT_DISPOSITION, format!("inline; filename=\"{}\"", resource.path.name())))
        .insert_header((CONTENT_SECURITY_POLICY, SANDBOX))
        .body(file_body::of(file, bytes)))
}

/// `GET /admin/resources/{id}/download`
pub async fn download(id: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let resource: ResourceId = find(&services, &who, &id)?.id;
    let actor = who.actor.clone();
    let open = move |services: &Services| resources::hand_out(services, &actor, DEFAULT_ACCOUNT, resource);
    let (file, resource) = blocking::call(&services, open).await.map_err(Failure::of(&who))?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", resource.path.name())))
        .insert_header((CONTENT_SECURITY_POLICY, SANDBOX))
        .body(file_body::of(file, resource.size_bytes)))
}
