//! Devices of one group: its members and all others, searched and changed by ticks, as a whole search or by paste (R98, R99).

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::domain::device::DeviceKey;
use crate::domain::device_list::{DeviceQuery, Listed};
use crate::domain::device_paste;
use crate::domain::field_error::FieldErrors;
use crate::domain::group::Group;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::membership::{self, Changed, MemberChange};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::next::LocalPath;
use crate::web::admin::paging::{ListQuery, PER_PAGE_MOST, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name", "model", "key"];

#[derive(Template)]
#[template(path = "groups/devices.html")]
struct DevicesPage {
    page: Page,
    head: Head,
    form: Form,
    list: ListQuery,
    pager: Pager,
    /// Whether the devices that are not in the group are shown.
    others: bool,
    rows: Vec<Row>,
}

struct Row {
    key: String,
    title: String,
    model: String,
    /// Its groups in its own order, by name.
    groups: String,
}

impl DevicesPage {
    fn new(services: &Services, who: &SignedIn, group: &Group, world: &World, list: ListQuery, form: Form) -> Self {
        let others = list.is("show", "others");
        let page = who.page("Devices");
        let found = found(services, world, group.id, others, &list);
        let pager = list.pager(found.len());
        Self {
            head: Head::new(group, world, services),
            form,
            rows: found[pager.range()].iter().map(|one| row(one, world)).collect(),
            page,
            list,
            pager,
            others,
        }
    }
}

fn row(one: &Listed, world: &World) -> Row {
    let names: Vec<_> = one.device.groups.iter().filter_map(|id| world.groups.get(id)).map(|group| group.name.as_str()).collect();
    Row {
        key: one.device.key.to_string(),
        title: words::title(&one.device),
        model: one.device.model.clone().unwrap_or_default(),
        groups: words::shortened(&names.join(", "), 120),
    }
}

/// Members, or everybody else, as far as the search finds them.
fn found(services: &Services, world: &World, group: GroupId, others: bool, list: &ListQuery) -> Vec<Listed> {
    let query = DeviceQuery {
        text: list.q(),
        group: (!others).then_some(group),
        sort: list.sort_key().parse().unwrap_or_default(),
        descending: list.descending(),
        ..DeviceQuery::default()
    };
    let mut found = services.roster(DEFAULT_ACCOUNT).select(&query, world, services.clock().now());
    if others {
        found.retain(|one| !one.device.groups.contains(&group));
    }
    found
}

/// `GET /admin/groups/{id}/devices`
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (group, world) = head::find(&services, &who, &id)?;
    let list = ListQuery::of(&request, SORTABLE);
    Ok(html(&DevicesPage::new(&services, &who, &group, &world, list, Form::default())))
}

/// `POST /admin/groups/{id}/devices`
pub async fn save(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (group, world) = head::find(&services, &who, &id)?;
    let again = |form: Form, errors: &FieldErrors| {
        let list = ListQuery::of(&request, SORTABLE);
        let page = DevicesPage::new(&services, &who, &group, &world, list, form.rejected(errors));
        Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
    };
    let wanted = match wanted(&form, &services, &world, group.id) {
        Ok(wanted) => wanted,
        Err(errors) => return again(form, &errors),
    };
    let own = format!("/admin/groups/{}/devices", group.id);
    let back = LocalPath::parse(form.value("back")).filter(|path| path.as_str().starts_with(&own));
    let back = back.map_or(own, |path| path.as_str().to_owned());
    let (actor, id) = (who.actor.clone(), group.id);
    let change = move |services: &Services| membership::change(services, &actor, DEFAULT_ACCOUNT, id, &wanted, Mode::Keep);
    match blocking::call(&services, change).await {
        Ok(changed) => Ok(who.done(&back, told(&changed))),
        Err(ServiceError::Invalid(errors)) => again(form, &errors),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&back, why)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// Who joins or leaves by a form: ticked rows, all that a search finds, or what was pasted.
fn wanted(form: &Form, services: &Services, world: &World, group: GroupId) -> Result<MemberChange, FieldErrors> {
    let roster = services.roster(DEFAULT_ACCOUNT);
    let ticked = || -> Result<BTreeSet<DeviceKey>, FieldErrors> {
        let keys: BTreeSet<DeviceKey> = form.values("select").filter_map(|text| text.parse().ok()).take(PER_PAGE_MOST).collect();
        let there: BTreeSet<_> = keys.into_iter().filter(|key| roster.find(key).is_some()).collect();
        if there.is_empty() { Err(FieldErrors::one("select", "tick the devices first")) } else { Ok(there) }
    };
    let searched = |others| {
        let list = ListQuery::parse("", &serde_urlencoded::to_string([("q", form.value("q"))]).unwrap_or_default(), SORTABLE);
        found(services, world, group, others, &list).into_iter().map(|one| one.device.key.clone()).collect()
    };
    let (add, remove) = match form.value("do") {
        "add" => (ticked()?, BTreeSet::new()),
        "remove" => (BTreeSet::new(), ticked()?),
        "add-all" => (searched(true), BTreeSet::new()),
        "remove-all" => (BTreeSet::new(), searched(false)),
        "paste" => (device_paste::read(form.value("keys"), |key| roster.find(key).is_some())?, BTreeSet::new()),
        _ => return Err(FieldErrors::one("do", "press one of the buttons of this page")),
    };
    Ok(MemberChange { add, remove })
}

/// What came of it, in words.
pub fn told(changed: &Changed) -> String {
    let mut parts = Vec::new();
    if !changed.added.is_empty() {
        parts.push(format!("{} joined", words::count(changed.added.len(), "device", "devices")));
    }
    if !changed.removed.is_empty() {
        parts.push(format!("{} left", words::count(changed.removed.len(), "device", "devices")));
    }
    match (parts.is_empty(), changed.unchanged) {
        (true, _) => "Nothing changed: they were so already.".to_owned(),
        (false, 0) => format!("{}.", parts.join(", ")),
        (false, same) => {
            let same = words::count(same, "was so already", "were so already");
            format!("{}; {same}.", parts.join(", "))
        }
    }
}
