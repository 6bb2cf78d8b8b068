//! Download Path of one site: from where its phones are to take software and resource files (R85, R86, R204).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::saving::{self, Outcome};
use super::{Head, find};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::site::Site;
use crate::domain::site::draft::SiteInput;
use crate::services::Services;
use crate::web::admin::conflict::{self, Conflict, Differing};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html_with};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;

#[derive(Template)]
#[template(path = "sites/download_path.html")]
struct PathPage {
    page: Page,
    head: Head,
    form: Form,
    conflict: Option<Conflict>,
    /// This server's own address, which counts where a site has no path.
    ours: String,
}

fn stored(site: &Site) -> [(&'static str, &'static str, String); 1] {
    let path = site.download_path.as_ref().map(ToString::to_string).unwrap_or_default();
    [("download_path", "Download Path", path)]
}

fn filled(site: &Site) -> Form {
    let fields = stored(site).into_iter().map(|(name, _, value)| (name, value));
    Form::filled(fields.chain([("revision", site.revision.to_string())]))
}

fn page(
    who: &SignedIn,
    services: &Services,
    site: &Site,
    status: StatusCode,
    (form, conflict): (Form, Option<Conflict>),
) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let head = Head::new(site, &world.sites, services);
    let ours = world.endpoints.https_url.clone();
    Ok(html_with(status, &PathPage { page: who.page(site.name.to_string()), head, form, conflict, ours }))
}

/// `GET /admin/sites/{id}/download-path`
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let site = find(&services, &who, &id)?;
    let typed = unsent::given_back_from(request.path(), &request, &who, &services);
    let form = typed.unwrap_or_default().or(&filled(&site), &[]);
    page(&who, &services, &site, StatusCode::OK, (form, None))
}

/// `POST /admin/sites/{id}/download-path`
pub async fn save(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let site = find(&services, &who, &id)?;
    let here = format!("/admin/sites/{}/download-path", site.id);
    let input = SiteInput { download_path: form.value("download_path").to_owned(), ..saving::typed(&site) };
    match saving::save(&who, &services, Some(&site), &input, &form, (here.clone(), here.clone())).await? {
        Outcome::Done(_, message) => Ok(who.done(&here, message)),
        Outcome::Ask(page) => Ok(page),
        Outcome::Rejected(errors) => {
            page(&who, &services, &site, StatusCode::UNPROCESSABLE_ENTITY, (form.rejected(&errors), None))
        }
        Outcome::Conflict(now) => {
            let missed = now.revision.saturating_sub(form.value("revision").parse().unwrap_or_default());
            let is_about = conflict::of_named("site", now.name.as_str());
            let differing = Differing::between(&form, stored(&now));
            let conflict = Conflict::new(&services, &who, DEFAULT_ACCOUNT, missed, is_about, differing).await?;
            let mut form = form;
            form.set("revision", now.revision.to_string());
            page(&who, &services, &now, StatusCode::CONFLICT, (form, Some(conflict)))
        }
    }
}
