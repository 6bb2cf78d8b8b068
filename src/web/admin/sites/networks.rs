//! Public Subnets and Private Subnets of a site: two pages on the same two-level table (R71, R81, R82).

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::add::{several, subnet};
use super::saving::{self, Outcome};
use super::{Head, find};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::site::Site;
use crate::domain::site::draft::{NetworkInput, SiteInput};
use crate::services::Services;
use crate::services::sites::written;
use crate::web::admin::conflict::{self, Conflict, Differing};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html_with};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;

/// Blank rows that are offered below those that are filled.
const BLANK: usize = 5;

#[derive(Template)]
#[template(path = "sites/public.html")]
struct PublicPage {
    page: Page,
    head: Head,
    form: Form,
    conflict: Option<Conflict>,
    rows: Vec<PublicRow>,
}

/// A public subnet as it is typed.
struct PublicRow {
    ip: String,
    mask: String,
    /// The subnet that stood here before: its private ones stay with it.
    former: String,
    /// How many private ones there are behind it.
    private: usize,
}

#[derive(Template)]
#[template(path = "sites/private.html")]
struct PrivatePage {
    page: Page,
    head: Head,
    form: Form,
    conflict: Option<Conflict>,
    rows: Vec<PrivateRow>,
}

/// The private subnets behind a public one, one a line.
struct PrivateRow {
    public: String,
    private: String,
}

/// Which of the two pages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Public,
    Private,
}

impl Tab {
    fn path(self, site: &Site) -> String {
        format!("/admin/sites/{}/{}", site.id, if self == Self::Public { "public" } else { "private" })
    }

    fn page(
        self,
        who: &SignedIn,
        services: &Services,
        site: &Site,
        status: StatusCode,
        form: Form,
        conflict: Option<Conflict>,
    ) -> Result<HttpResponse, Failure> {
        let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
        let (page, head) = (who.page(site.name.to_string()), Head::new(site, &world.sites, services));
        Ok(match self {
            Self::Public => {
                let rows = public_rows(&form, site);
                html_with(status, &PublicPage { page, head, form, conflict, rows })
            }
            Self::Private => {
                let rows = private_rows(&form);
                html_with(status, &PrivatePage { page, head, form, conflict, rows })
            }
        })
    }

    /// The site as this page is to save it: the other level stays with the public subnet that it belongs to.
    fn input(self, site: &Site, form: &Form) -> SiteInput {
        let networks = match self {
            Self::Public => {
                let behind = behind(site);
                let of = |former: &str| behind.get(former).cloned().unwrap_or_default();
                public_columns(form)
                    .into_iter()
                    .map(|(ip, mask, former)| {
                        let public = subnet(&ip, &mask);
                        // What is taken off the list takes the subnets behind it along.
                        let private = if public.is_empty() { Vec::new() } else { of(&former) };
                        NetworkInput { public, private }
                    })
                    .collect()
            }
            Self::Private => {
                let typed = form.values("public").zip(form.values("private"));
                typed.map(|(public, private)| NetworkInput { public: public.to_owned(), private: several(private) }).collect()
            }
        };
        SiteInput { networks, ..saving::typed(site) }
    }
}

/// The private subnets behind each public one.
fn behind(site: &Site) -> BTreeMap<String, Vec<String>> {
    let private = |network: &crate::domain::site::Network| network.private.iter().map(ToString::to_string).collect();
    site.networks.iter().map(|network| (network.public.to_string(), private(network))).collect()
}

fn public_columns(form: &Form) -> Vec<(String, String, String)> {
    let rows = form.values("ip").zip(form.values("mask")).zip(form.values("former"));
    rows.map(|((ip, mask), former)| (ip.to_owned(), mask.to_owned(), former.to_owned())).collect()
}

fn public_rows(form: &Form, site: &Site) -> Vec<PublicRow> {
    let behind = behind(site);
    let typed =
        public_columns(form).into_iter().filter(|(ip, mask, former)| !(ip.is_empty() && mask.is_empty() && former.is_empty()));
    let mut rows: Vec<PublicRow> = typed
        .map(|(ip, mask, former)| PublicRow { private: behind.get(&former).map_or(0, Vec::len), ip, mask, former })
        .collect();
    for _ in 0..BLANK {
        rows.push(PublicRow { ip: String::new(), mask: String::new(), former: String::new(), private: 0 });
    }
    rows
}

fn private_rows(form: &Form) -> Vec<PrivateRow> {
    let typed = form.values("public").zip(form.values("private"));
    typed.map(|(public, private)| PrivateRow { public: public.to_owned(), private: private.to_owned() }).collect()
}

/// The form of a page, as it is stored.
fn filled(site: &Site, tab: Tab) -> Form {
    let mut fields = vec![("revision", site.revision.to_string())];
    for network in &site.networks {
        let private: Vec<String> = network.private.iter().map(ToString::to_string).collect();
        match tab {
            Tab::Public => fields.extend([
                ("ip", network.public.address().to_string()),
                ("mask", network.public.bits().to_string()),
                ("former", network.public.to_string()),
            ]),
            Tab::Private => fields.extend([("public", network.public.to_string()), ("private", private.join("\n"))]),
        }
    }
    Form::filled(fields)
}

async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
    tab: Tab,
) -> Result<HttpResponse, Failure> {
    let site = find(&services, &who, &id)?;
    let typed = unsent::given_back_from(request.path(), &request, &who, &services);
    let form = typed.unwrap_or_else(|| filled(&site, tab));
    tab.page(&who, &services, &site, StatusCode::OK, form, None)
}

async fn save(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
    tab: Tab,
) -> Result<HttpResponse, Failure> {
    let site = find(&services, &who, &id)?;
    let (input, here) = (tab.input(&site, &form), tab.path(&site));
    match saving::save(&who, &services, Some(&site), &input, &form, (here.clone(), here.clone())).await? {
        Outcome::Done(_, message) => Ok(who.done(&here, message)),
        Outcome::Ask(page) => Ok(page),
        Outcome::Rejected(errors) => {
            tab.page(&who, &services, &site, StatusCode::UNPROCESSABLE_ENTITY, form.rejected(&errors), None)
        }
        Outcome::Conflict(now) => {
            let missed = now.revision.saturating_sub(form.value("revision").parse().unwrap_or_default());
            let typed = input.networks.iter().filter(|one| !one.public.is_empty());
            let typed: Vec<String> = typed
                .map(|one| {
                    if one.private.is_empty() {
                        one.public.clone()
                    } else {
                        format!("{} ({})", one.public, one.private.join(", "))
                    }
                })
                .collect();
            let (stored, typed) = (written(&now.networks).unwrap_or_default(), typed.join(", "));
            let is_same = stored == typed;
            let differing = if is_same { Vec::new() } else { vec![Differing { label: "Subnets".to_owned(), stored, typed }] };
            let is_about = conflict::of_named("site", now.name.as_str());
            let conflict = Conflict::new(&services, &who, DEFAULT_ACCOUNT, missed, is_about, differing).await?;
            let mut form = form;
            form.set("revision", now.revision.to_string());
            tab.page(&who, &services, &now, StatusCode::CONFLICT, form, Some(conflict))
        }
    }
}

/// `GET /admin/sites/{id}/public`
pub async fn show_public(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    show(request, id, who, services, Tab::Public).await
}

/// `POST /admin/sites/{id}/public`
pub async fn save_public(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    save(id, who, form, services, Tab::Public).await
}

/// `GET /admin/sites/{id}/private`
pub async fn show_private(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    show(request, id, who, services, Tab::Private).await
}

/// `POST /admin/sites/{id}/private`
pub async fn save_private(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    save(id, who, form, services, Tab::Private).await
}
