//! The runs of one of those who got nothing.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::list::model_of;
use super::view::{self, RunDetail, RunLine};
use super::{add_link, name, parse};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::run::Subject;
use crate::services::{Services, runs};
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone as _};
use crate::web::blocking;

#[derive(Template)]
#[template(path = "runs/subject.html")]
struct SubjectPage {
    page: Page,
    purpose: &'static str,
    runs: Vec<RunLine>,
    chosen: Option<RunDetail>,
    add: Option<String>,
    /// The device that it claims to be, if there is one: link and label.
    device: Option<(String, &'static str)>,
}

/// `GET /admin/unknown-phones/{subject}`
pub async fn show(
    request: HttpRequest,
    path: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let subject = parse(&path).ok_or_else(|| Failure::not_found(&who, "phone or address", &path))?;
    let title = name(&subject);
    let asked = subject.clone();
    let all = blocking::call(&services, move |services| runs::of(services, DEFAULT_ACCOUNT, &asked)).await;
    let all = all.map_err(Failure::of(&who))?;
    let model = all.first().and_then(|listed| model_of(&listed.run.user_agent));
    let is_known = matches!(&subject, Subject::Stranger(key) if services.roster(DEFAULT_ACCOUNT).find(key).is_some());
    let wanted = ListQuery::of(&request, &[]).filter("run").and_then(|text| text.parse().ok());
    let (runs, chosen) = view::runs(&all, wanted, |run| format!("/admin/unknown-phones/{title}?run={run}"));
    Ok(html(&SubjectPage {
        purpose: match subject {
            Subject::Address(_) => "What came from this address without naming a device, or never got past TLS.",
            _ => "A phone that named this device and was not let in.",
        },
        add: if is_known { None } else { add_link(&subject, model.as_deref()) },
        device: is_known.then(|| (format!("/admin/devices/{title}"), "Go to the device of this name")),
        page: who.page(title),
        runs,
        chosen,
    }))
}
