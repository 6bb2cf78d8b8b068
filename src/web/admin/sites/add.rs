//! Add Site: general information and subnets on one page (R81).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::saving::{self, Outcome};
use super::site::general;
use crate::domain::clock::zone_names;
use crate::domain::site::draft::{NetworkInput, SiteInput};
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;

/// Rows for public subnets that are offered at once; more are added on the site's page.
const ROWS: usize = 5;

#[derive(Template)]
#[template(path = "sites/add.html")]
struct AddPage {
    page: Page,
    form: Form,
    zones: Vec<&'static str>,
    rows: Vec<Row>,
}

/// One public subnet as it is typed.
struct Row {
    ip: String,
    mask: String,
    private: String,
}

impl AddPage {
    fn new(who: &SignedIn, form: Form) -> Self {
        let mut rows: Vec<Row> = columns(&form).into_iter().map(|(ip, mask, private)| Row { ip, mask, private }).collect();
        while rows.len() < ROWS {
            rows.push(Row { ip: String::new(), mask: String::new(), private: String::new() });
        }
        Self { page: who.page("Add Site"), form, zones: zone_names().collect(), rows }
    }
}

/// The typed rows: address, mask length and the private subnets behind them.
fn columns(form: &Form) -> Vec<(String, String, String)> {
    let rows = form.values("ip").zip(form.values("mask")).zip(form.values("private"));
    rows.map(|((ip, mask), private)| (ip.to_owned(), mask.to_owned(), private.to_owned())).collect()
}

fn network((ip, mask, private): (String, String, String)) -> NetworkInput {
    NetworkInput { public: subnet(&ip, &mask), private: several(&private) }
}

/// A subnet of an address and a mask length, which may also stand in one field.
pub fn subnet(ip: &str, mask: &str) -> String {
    let (ip, mask) = (ip.trim(), mask.trim().trim_start_matches('/'));
    if mask.is_empty() || ip.is_empty() { ip.to_owned() } else { format!("{ip}/{mask}") }
}

/// Subnets of one text, separated by commas, blanks or lines.
pub fn several(text: &str) -> Vec<String> {
    text.split([',', ';', ' ', '\n', '\r', '\t']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// `GET /admin/sites/add`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> HttpResponse {
    let typed = unsent::given_back_from(request.path(), &request, &who, &services);
    html(&AddPage::new(&who, typed.unwrap_or_default()))
}

/// `POST /admin/sites/add`
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let input = match general(&form) {
        Ok(general) => SiteInput { networks: columns(&form).into_iter().map(network).collect(), ..general },
        Err(errors) => return Ok(html_rejected(&AddPage::new(&who, form.rejected(&errors)))),
    };
    let addresses = ("/admin/sites/add".to_owned(), "/admin/sites".to_owned());
    match saving::save(&who, &services, None, &input, &form, addresses).await {
        Ok(Outcome::Done(site, message)) => Ok(who.done(&format!("/admin/sites/{}", site.id), message)),
        Ok(Outcome::Ask(page)) => Ok(page),
        Ok(Outcome::Rejected(errors)) => Ok(html_rejected(&AddPage::new(&who, form.rejected(&errors)))),
        Ok(Outcome::Conflict(_)) => Err(Failure::new(&who, ServiceError::stale("site", ""))),
        Err(failure) => Err(failure),
    }
}
