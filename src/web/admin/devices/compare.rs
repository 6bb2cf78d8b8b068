//! Two devices side by side: only what they do not share, with where each has it from.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::explained::{LayerView, layer_view};
use super::head::{self, Head};
use crate::domain::device::DeviceKey;
use crate::domain::device_list::Listed;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::provision::search::{Difference, differences};
use crate::domain::provision::view::File;
use crate::services::provenance::Provenance;
use crate::services::{Services, explain};
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{self, Tone as _};
use crate::web::blocking;

/// Bytes of long values that one page opens.
const OPENED_BYTES: usize = 120_000;

#[derive(Template)]
#[template(path = "devices/compare.html")]
struct ComparePage {
    page: Page,
    head: Head,
    list: ListQuery,
    pager: Pager,
    /// The other device: key and name.
    other: Option<(String, String)>,
    /// Why there is no other device.
    fault: Option<String>,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    in_master: bool,
    left: Option<LayerView>,
    right: Option<LayerView>,
}

/// `GET /admin/devices/{key}/compare?with=`
pub async fn show(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    let list = ListQuery::of(&request, &["name"]);
    let page = who.page("Compare");
    let head = Head::new(&known, page.now).marked(&services);
    let wanted = list.filter("with").unwrap_or_default().trim().to_owned();
    let other = match other(&services, &wanted) {
        Ok(other) => other,
        Err(fault) => {
            let pager = list.pager(0);
            let fault = Some(fault).filter(|_| !wanted.is_empty());
            return Ok(html(&ComparePage { page, head, list, pager, other: None, fault, rows: Vec::new() }));
        }
    };
    let title = (other.device.key.to_string(), words::title(&other.device));
    let (one, two, of) = (Arc::clone(&known.device), Arc::clone(&other.device), Arc::clone(&world));
    let found = blocking::call(&services, move |services| {
        let left = explain::of_device(services, DEFAULT_ACCOUNT, &one, &of)?.view;
        let right = explain::of_device(services, DEFAULT_ACCOUNT, &two, &of)?.view;
        Ok(differences((&one.key, &left), (&two.key, &right)))
    });
    let found = found.await.map_err(Failure::of(&who))?;
    let pager = list.pager(found.len());
    let mut opened = OPENED_BYTES;
    let nobody = Provenance::default();
    let mut row = |one: &Difference| Row {
        name: one.name.clone(),
        in_master: one.file == File::Master,
        left: one.left.as_ref().map(|layer| layer_view(&one.name, layer, &nobody, &known.device, &world, &mut opened)),
        right: one.right.as_ref().map(|layer| layer_view(&one.name, layer, &nobody, &other.device, &world, &mut opened)),
    };
    let rows = found[pager.range()].iter().map(&mut row).collect();
    Ok(html(&ComparePage { page, head, list, pager, other: Some(title), fault: None, rows }))
}

/// The device that somebody names: by its key in any spelling, else by its whole name.
fn other(services: &Services, text: &str) -> Result<Listed, String> {
    let roster = services.roster(DEFAULT_ACCOUNT);
    if let Some(found) = text.parse::<DeviceKey>().ok().and_then(|key| roster.find(&key)) {
        return Ok(found);
    }
    let is_named =
        |one: &Listed| one.device.name.as_ref().is_some_and(|name| name.as_str().to_lowercase() == text.to_lowercase());
    let mut named = roster.all().into_iter().filter(is_named);
    match (named.next(), named.next()) {
        (Some(found), None) => Ok(found),
        (Some(_), Some(_)) => Err(format!("Several devices are called “{text}”: type the MAC address or serial number.")),
        _ => Err(format!("There is no device “{text}”. Type its MAC address, its serial number, or its whole name.")),
    }
}
