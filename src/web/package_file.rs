//! A package of software as it was uploaded, to be taken away: all of it, or the part that is asked for.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};

use actix_web::http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse};

use super::file_body;
use super::resource_part::{SANDBOX, Wanted, etag};
use crate::domain::image::KeptPackage;

/// The answer to a request for it. A browser saves it and looks at nothing in it, whatever it is called.
pub fn answer(request: &HttpRequest, mut file: File, package: &KeptPackage) -> io::Result<HttpResponse> {
    let wanted = Wanted::of(request, &package.sha256, package.size_bytes);
    let (first, bytes) = wanted.span(package.size_bytes);
    let mut answer = HttpResponse::build(wanted.status());
    answer.insert_header(etag(&package.sha256)).insert_header((ACCEPT_RANGES, "bytes"));
    if let Some(range) = wanted.content_range(package.size_bytes) {
        answer.insert_header((CONTENT_RANGE, range));
    }
    if bytes == 0 {
        return Ok(answer.finish());
    }
    file.seek(SeekFrom::Start(first))?;
    Ok(answer
        .content_type("application/octet-stream")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", package.plain_name())))
        .insert_header((CONTENT_SECURITY_POLICY, SANDBOX))
        .body(file_body::of(file, bytes)))
}
