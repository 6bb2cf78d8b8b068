//! General Information of a site: name, description, location, time zone and polling window (R82).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::saving::{self, Outcome};
use super::{Head, find};
use crate::domain::clock::zone_names;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::MINUTES_PER_DAY;
use crate::domain::site::Site;
use crate::domain::site::draft::SiteInput;
use crate::services::Services;
use crate::services::accounts::clock_time;
use crate::web::admin::conflict::{self, Conflict, Differing};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::provisioning::forms::minute;
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;

#[derive(Template)]
#[template(path = "sites/site.html")]
struct SitePage {
    page: Page,
    head: Head,
    form: Form,
    conflict: Option<Conflict>,
    zones: Vec<&'static str>,
    /// Zone and window of the account, which count where the site has none.
    account: (String, String),
    /// Who changed it last and when; none for *Internet*.
    modified: Option<(String, Timestamp)>,
}

impl SitePage {
    fn new(who: &SignedIn, services: &Services, site: &Site, form: Form, conflict: Option<Conflict>) -> Result<Self, Failure> {
        let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
        let (from, to) = world.account.polling_window;
        Ok(Self {
            page: who.page(site.name.to_string()),
            head: Head::new(site, &world.sites, services),
            form,
            conflict,
            zones: zone_names().collect(),
            account: (world.account.time_zone.clone(), format!("{} to {}", clock_time(from), clock_time(to % MINUTES_PER_DAY))),
            modified: (!site.is_internet()).then(|| (site.modified_by.clone(), site.modified_at)),
        })
    }
}

/// The fields of the form, as they are stored.
fn stored(site: &Site) -> [(&'static str, &'static str, String); 7] {
    let time = |minute: Option<u16>| minute.map(|minute| clock_time(minute % MINUTES_PER_DAY)).unwrap_or_default();
    [
        ("name", "Site Name", site.name.to_string()),
        ("description", "Description", site.description.clone()),
        ("location", "Location Name", site.location.clone()),
        ("time_zone", "Time zone", site.time_zone.clone().unwrap_or_default()),
        ("polling_window_from", "Polling window from", time(site.polling_window.map(|(from, _)| from))),
        ("polling_window", "Polling window to", time(site.polling_window.map(|(_, to)| to))),
        ("site_specific", "Site Specific Control", if site.site_specific { "on".to_owned() } else { String::new() }),
    ]
}

fn filled(site: &Site) -> Form {
    let fields = stored(site).into_iter().map(|(name, _, value)| (name, value));
    Form::filled(fields.chain([("revision", site.revision.to_string())]))
}

/// General information as it was typed, without networks and download path.
///
/// # Errors
/// A polling window of which only one end can be read.
pub fn general(form: &Form) -> Result<SiteInput, FieldErrors> {
    let text = |name: &str| form.value(name).to_owned();
    let polling_window = match (form.text("polling_window_from"), form.text("polling_window")) {
        (None, None) => None,
        (from, to) => {
            let end = to.and_then(minute).map(|end| if end == 0 { MINUTES_PER_DAY } else { end });
            let window = from.and_then(minute).zip(end);
            let words = "enter both ends of the polling window as hours and minutes, such as 03:00, or neither";
            Some(window.ok_or_else(|| FieldErrors::one("polling_window", words))?)
        }
    };
    Ok(SiteInput {
        name: text("name"),
        description: text("description"),
        location: text("location"),
        networks: Vec::new(),
        time_zone: text("time_zone"),
        polling_window,
        download_path: String::new(),
        site_specific: form.has("site_specific"),
    })
}

/// `GET /admin/sites/{id}`
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let site = find(&services, &who, &id)?;
    let typed = unsent::given_back_from(request.path(), &request, &who, &services);
    let form = typed.unwrap_or_default().or(&filled(&site), &[]);
    Ok(html(&SitePage::new(&who, &services, &site, form, None)?))
}

/// `POST /admin/sites/{id}`
pub async fn save(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let site = find(&services, &who, &id)?;
    let here = format!("/admin/sites/{}", site.id);
    let again =
        |status, site: &Site, form, conflict| Ok(html_with(status, &SitePage::new(&who, &services, site, form, conflict)?));
    let input = match general(&form) {
        Ok(general) => {
            let SiteInput { networks, download_path, .. } = saving::typed(&site);
            SiteInput { networks, download_path, ..general }
        }
        Err(errors) => return again(StatusCode::UNPROCESSABLE_ENTITY, &site, form.rejected(&errors), None),
    };
    match saving::save(&who, &services, Some(&site), &input, &form, (here.clone(), here.clone())).await? {
        Outcome::Done(_, message) => Ok(who.done(&here, message)),
        Outcome::Ask(page) => Ok(page),
        Outcome::Rejected(errors) => again(StatusCode::UNPROCESSABLE_ENTITY, &site, form.rejected(&errors), None),
        Outcome::Conflict(now) => {
            let missed = now.revision.saturating_sub(form.value("revision").parse().unwrap_or_default());
            let is_about = conflict::of_named("site", now.name.as_str());
            let differing = Differing::between(&form, stored(&now));
            let conflict = Conflict::new(&services, &who, DEFAULT_ACCOUNT, missed, is_about, differing).await?;
            let mut form = form;
            form.set("revision", now.revision.to_string());
            again(StatusCode::CONFLICT, &now, form, Some(conflict))
        }
    }
}
