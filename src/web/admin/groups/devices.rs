//! Devices of one group: its members and all others, searched and changed by ticks, as a whole search or by paste (R98, R99).

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::domain::device::DeviceKey;
use crate::domain::device_list::{DeviceQuery, Listed, site_name};
use crate::domain::device_paste;
use crate::domain::field_error::FieldErrors;
use crate::domain::group::Group;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::lists::Asked;
use crate::services::lists::devices::{self, LISTING};
use crate::services::membership::{self, Changed, MemberChange};
use crate::web::admin::bulk::{BulkPage, Chosen, NAMED, Named};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::next::LocalPath;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::view_bar;
use crate::web::admin::words;
use crate::web::blocking;

/// The columns that can be sorted by; the first is the default. The words are those of the Device Monitor.
const SORTABLE: &[&str] = &["name", "model", "site", "key", "groups"];

/// The columns that may be hidden, by their word in the address. A device's name always stays.
const COLUMNS: [(&str, &str); 4] =
    [("model", "Model"), ("site", "Site Name"), ("key", "MAC or serial"), ("groups", "Groups in its own order")];

#[derive(Template)]
#[template(path = "groups/devices.html")]
struct DevicesPage {
    page: Page,
    head: Head,
    form: Form,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
    /// Whether the devices that are not in the group are shown.
    others: bool,
    rows: Vec<Row>,
}

struct Row {
    key: String,
    title: String,
    model: String,
    site: String,
    /// Its groups in its own order, by name.
    groups: String,
}

impl DevicesPage {
    fn new(services: &Services, who: &SignedIn, group: &Group, world: &World, list: ListQuery, form: Form) -> Self {
        let others = list.is("show", "others");
        let page = who.page("Devices");
        let found = found(services, world, group.id, others, &list.asked(&LISTING));
        let pager = list.pager(found.len());
        Self {
            head: Head::new(group, world, services),
            form,
            rows: found[pager.range()].iter().map(|one| row(one, world)).collect(),
            page,
            columns: list.columns(&COLUMNS),
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
        site: site_name(world, &one.device).to_owned(),
        groups: words::shortened(&names.join(", "), 120),
    }
}

/// Members, or everybody else, as far as the search finds them.
fn found(services: &Services, world: &World, group: GroupId, others: bool, asked: &Asked) -> Vec<Listed> {
    let query = DeviceQuery { group: (!others).then_some(group), ..devices::query(asked) };
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
    view_bar::tell(&request, view_bar::not_understood(&list, &LISTING));
    if list.is_file() {
        let found = found(&services, &world, group.id, list.is("show", "others"), &list.asked(&LISTING));
        let cells = |Row { key, title, model, site, groups }: Row| [title, model, site, key, groups];
        let rows = found.iter().map(|one| row(one, &world)).map(cells);
        return Ok(list.columns(&COLUMNS).file("group-devices", "Device Name", rows));
    }
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
    let own = format!("/admin/groups/{}/devices", group.id);
    let back = LocalPath::parse(form.value("back")).filter(|path| path.as_str().starts_with(&own));
    let back = back.map_or(own, |path| path.as_str().to_owned());
    let wanted = match wanted(&form, &services, &world, group.id) {
        Ok(Wanted::Now(wanted)) => wanted,
        Ok(Wanted::Ask(chosen)) => return Ok(ask(&chosen, &group, &form, &who, back)),
        Err(errors) => return again(form, &errors),
    };
    let (actor, id) = (who.actor.clone(), group.id);
    let change = move |services: &Services| membership::change(services, &actor, DEFAULT_ACCOUNT, id, &wanted, Mode::Keep);
    match blocking::call(&services, change).await {
        Ok(changed) => Ok(who.done(&back, told(&changed))),
        Err(ServiceError::Invalid(errors)) => again(form, &errors),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&back, why)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// What a form wants.
enum Wanted {
    /// A change.
    Now(MemberChange),
    /// A change of many, which is asked about first.
    Ask(Chosen<DeviceKey>),
}

/// Who joins or leaves by a form: ticked rows, all that the list finds, or what was pasted.
fn wanted(form: &Form, services: &Services, world: &World, group: GroupId) -> Result<Wanted, FieldErrors> {
    let roster = services.roster(DEFAULT_ACCOUNT);
    let is_there = |key: &DeviceKey| roster.find(key).is_some();
    let joins = match form.value("do") {
        "add" => true,
        "remove" => false,
        "paste" => {
            let add = device_paste::read(form.value("keys"), |key| is_there(key))?;
            return Ok(Wanted::Now(MemberChange { add, remove: BTreeSet::new() }));
        }
        _ => return Err(FieldErrors::one("do", "press one of the buttons of this page")),
    };
    let find = |asked: &Asked| {
        let found = found(services, world, group, joins, asked).into_iter();
        Ok::<_, FieldErrors>(found.map(|one| one.device.key.clone()).collect())
    };
    let chosen = Chosen::of(form, &LISTING, is_there, find)?;
    if chosen.is_empty() {
        return Err(FieldErrors::one("select", "tick the devices first"));
    }
    if !chosen.may_pass(form) {
        return Ok(Wanted::Ask(chosen));
    }
    let (add, remove) = if joins { (chosen.keys, BTreeSet::new()) } else { (BTreeSet::new(), chosen.keys) };
    Ok(Wanted::Now(MemberChange { add, remove }))
}

fn ask(chosen: &Chosen<DeviceKey>, group: &Group, form: &Form, who: &SignedIn, back: String) -> HttpResponse {
    let (devices, joins) = (words::count(chosen.len(), "device", "devices"), form.is("do", "add"));
    let named = |key: &DeviceKey| Named { href: format!("/admin/devices/{key}"), name: key.to_string(), note: String::new() };
    let title =
        if joins { format!("Add {devices} to {}?", group.name) } else { format!("Remove {devices} from {}?", group.name) };
    html(&BulkPage {
        page: who.page(title),
        parents: vec![
            ("/admin/groups".to_owned(), "Device Groups".to_owned()),
            (format!("/admin/groups/{}", group.id), group.name.to_string()),
        ],
        names: chosen.keys.iter().take(NAMED).map(named).collect(),
        more: chosen.len().saturating_sub(NAMED),
        sentences: vec!["Each gets a change when it next comes.".to_owned()],
        closing: "",
        question: chosen.question(form),
        fields: vec![("do".to_owned(), form.value("do").to_owned()), ("back".to_owned(), back.clone())],
        action: format!("/admin/groups/{}/devices", group.id),
        verb: format!("{} {devices}", if joins { "Add" } else { "Remove" }),
        is_harmless: true,
        back,
    })
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
