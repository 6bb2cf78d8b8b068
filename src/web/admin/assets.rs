//! The style sheet, script and icons: embedded in the binary, named by their content so that browsers keep them for good.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

/// The address of a file below `static/`, with its content's hash, so that a new binary brings a new address.
pub fn url(name: &str) -> String {
    match Files::get(name) {
        Some(file) => format!("/static/{name}?v={}", version(&file)),
        None => format!("/static/{name}"),
    }
}

/// Answers `GET /static/…`.
pub async fn serve(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(file) = Files::get(&name) else {
        return HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body("not found\n");
    };
    let version = version(&file);
    let etag = format!("\"{version}\"");
    let named_by_content = request.query_string() == format!("v={version}");
    let keep = if named_by_content { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == etag.as_bytes());
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((ETAG, etag)).insert_header((CACHE_CONTROL, keep));
    if known {
        return answer.finish();
    }
    answer.insert_header((CONTENT_TYPE, content_type(&name))).body(file.data.into_owned())
}

fn version(file: &EmbeddedFile) -> String {
    hex::encode(&file.metadata.sha256_hash()[..8])
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::StatusCode;
    use actix_web::http::header::HeaderName;
    use actix_web::{App, test};

    async fn get(uri: &str, etag: Option<&str>) -> actix_web::dev::ServiceResponse {
        let app = test::init_service(App::new().route("/static/{name:.*}", web::get().to(serve))).await;
        let mut request = test::TestRequest::get().uri(uri);
        if let Some(etag) = etag {
            request = request.insert_header((IF_NONE_MATCH, etag));
        }
        test::call_service(&app, request.to_request()).await
    }

    #[actix_web::test]
    async fn a_file_named_by_its_content_is_kept_for_good_and_another_is_asked_for_again() {
        let named = get(&url("app.css"), None).await;
        assert_eq!(named.status(), StatusCode::OK);
        assert!(header(&named, CACHE_CONTROL).contains("immutable"));
        let plain = get("/static/app.css", None).await;
        assert_eq!(header(&plain, CACHE_CONTROL), "no-cache");
        assert_eq!(get("/static/app.css", Some(&header(&plain, ETAG))).await.status(), StatusCode::NOT_MODIFIED);
    }

    fn header(answer: &actix_web::dev::ServiceResponse, name: HeaderName) -> String {
        answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    #[actix_web::test]
    async fn nothing_outside_the_folder_is_served() {
        for uri in ["/static/../Cargo.toml", "/static/%2e%2e/Cargo.toml", "/static/none.css"] {
            assert_eq!(get(uri, None).await.status(), StatusCode::NOT_FOUND, "{uri}");
        }
    }
}
