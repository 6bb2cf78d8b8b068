//! *Which site gets this address?* (R89)

use std::net::IpAddr;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, SiteId};
use crate::domain::placement::{By, find};
use crate::domain::site::Origin;
use crate::services::Services;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::session::SignedIn;

#[derive(Template)]
#[template(path = "sites/test.html")]
struct TestPage {
    page: Page,
    form: Form,
    answer: Option<Claim>,
}

/// The site, and why.
struct Claim {
    id: SiteId,
    name: String,
    why: String,
}

/// `GET /admin/sites/test?seen=…&own=…`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    let page = who.page("Which site gets this address?");
    if form.text("seen").is_none() && form.text("own").is_none() {
        return Ok(html(&TestPage { page, form, answer: None }));
    }
    let mut errors = FieldErrors::new();
    let address = |text: &str| {
        text.parse::<IpAddr>()
            .map(|ip| ip.to_canonical())
            .map_err(|_| format!("“{text}” is no IP address; enter one such as 20.1.9.9"))
    };
    let seen = form.text("seen").ok_or_else(|| "enter the address that this server sees".to_owned()).and_then(address);
    let seen = errors.take("seen", seen);
    let own = form.text("own").and_then(|text| errors.take("own", address(text)));
    let seen = match errors.into_result(seen) {
        Ok(seen) => seen,
        Err(errors) => return Ok(html_rejected(&TestPage { page, form: form.rejected(&errors), answer: None })),
    };
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let found = find(&world.sites, Origin { seen, own });
    let why = match found.by {
        By::Networks { public, private: None } => format!("Its public subnet {public} is the longest that the address lies in."),
        By::Networks { public, private: Some(private) } => format!(
            "Of the subnets that the addresses lie in, its public one {public} is the longest, and behind it its private one {private}."
        ),
        By::NoNetwork | By::Person => "No site has subnets that the address lies in.".to_owned(),
    };
    let name = world.sites.get(&found.site).map(|site| site.name.to_string()).unwrap_or_default();
    Ok(html(&TestPage { page, form, answer: Some(Claim { id: found.site, name, why }) }))
}
