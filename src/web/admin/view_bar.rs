//! What stands above every list: its saved views as links, the way to keep the present one, what it is filtered by that is not
//! there any more, and what it does not understand. [`super::list_memory::enter`] makes it, and the frame of the page takes it.

use actix_web::{HttpMessage, HttpRequest, web};

use super::paging::ListQuery;
use super::session::SignedIn;
use super::words;
use crate::domain::device::Owner;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId, PersonGroupId, SiteId};
use crate::domain::view::{self, ListName};
use crate::domain::world::World;
use crate::services::lists::{self, Listing, Misread};
use crate::services::{Services, views};

/// The saved views of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewBar {
    /// The list as nobody narrowed it.
    pub plain: Link,
    /// The views, by name.
    pub links: Vec<Link>,
    /// Where the present view gets its name.
    pub save: String,
    /// Where views are renamed and deleted.
    pub manage: String,
    /// What the list is filtered by that is not there any more, in sentences.
    pub gone: Vec<String>,
}

/// A link of the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Name.
    pub name: String,
    /// Address.
    pub href: String,
    /// Whether the list shows it.
    pub is_here: bool,
    /// Whether somebody else shares it.
    pub is_foreign: bool,
}

/// A filter that a list does not understand, with the way to the list without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUnderstood {
    /// What is wrong, in a sentence.
    pub sentence: String,
    /// The list without the filter.
    pub without: String,
}

/// The filters of an address that its list does not understand: they narrow nothing, and nobody shall take what is shown for less
/// than it is.
pub fn not_understood(list: &ListQuery, listing: &Listing) -> Vec<NotUnderstood> {
    let told = |Misread { filter, value, rule }: Misread| NotUnderstood {
        sentence: format!("The filter “{filter}” does not take “{}”: {rule}. It narrows nothing.", words::shortened(&value, 80)),
        without: list.with(&[(filter, ""), ("page", "")]),
    };
    list.misread(listing).into_iter().map(told).collect()
}

/// The same of the list at the address of a request.
pub fn not_understood_of(request: &HttpRequest, list: &ListQuery) -> Vec<NotUnderstood> {
    let listing = request.path().strip_prefix("/admin/").and_then(lists::at);
    listing.map_or_else(Vec::new, |listing| not_understood(list, listing))
}

/// Leaves what is not understood for the page of this request.
pub fn tell(request: &HttpRequest, all: Vec<NotUnderstood>) {
    request.extensions_mut().insert(all);
}

/// The view with which a list opens for somebody, as its address; none where that is the plain list.
pub fn opening(who: &SignedIn, request: &HttpRequest) -> Option<String> {
    let services = request.app_data::<web::Data<Services>>()?;
    let list = ListName::at(request.path())?;
    let view = views::opens(services, DEFAULT_ACCOUNT, list, Some(who.person.id), who.person.role)?;
    (!view.query.is_empty()).then(|| view.href())
}

/// Leaves the row for the page of this request.
pub fn leave(who: &SignedIn, request: &HttpRequest, list: &ListQuery) {
    tell(request, not_understood_of(request, list));
    if let Some(bar) = made(who, request, list) {
        request.extensions_mut().insert(bar);
    }
}

fn made(who: &SignedIn, request: &HttpRequest, list: &ListQuery) -> Option<ViewBar> {
    let services = request.app_data::<web::Data<Services>>()?;
    let name = ListName::at(request.path())?;
    let present = view::lasting(&list.lasting()).unwrap_or_default();
    let mut seen = views::seen(services, DEFAULT_ACCOUNT, Some(who.person.id), who.person.role);
    seen.retain(|view| view.list == name.word);
    let links = seen.into_iter().map(|view| Link {
        href: view.href(),
        is_here: view.query == present,
        is_foreign: !view.is_of(Some(who.person.id)),
        name: view.name,
    });
    let about = serde_urlencoded::to_string([("list", name.word)]).ok()?;
    let saved = serde_urlencoded::to_string([("list", name.word), ("query", &present)]).ok()?;
    Some(ViewBar {
        plain: Link { name: "All".to_owned(), href: list.reset_link(), is_here: present.is_empty(), is_foreign: false },
        links: links.collect(),
        save: format!("/admin/views/add?{saved}"),
        manage: format!("/admin/views?{about}"),
        gone: services.worlds().get(DEFAULT_ACCOUNT).map_or_else(Vec::new, |world| gone(name, list, &world, services)),
    })
}

/// The filters of a list that name something which was deleted.
fn gone(name: ListName, list: &ListQuery, world: &World, services: &Services) -> Vec<String> {
    let is_devices = name.word == "devices";
    let is_missing = |filter: &str, value: &str| match (name.word, filter) {
        ("devices" | "sites/moves", "site") => value.parse::<SiteId>().is_ok_and(|id| !world.sites.contains_key(&id)),
        ("devices", "group") => value.parse::<GroupId>().is_ok_and(|id| !world.groups.contains_key(&id)),
        ("people", "group") => value.parse::<PersonGroupId>().is_ok_and(|id| !world.person_groups.contains_key(&id)),
        ("devices", "owner") => value.parse::<Owner>().is_ok_and(|owner| match owner {
            Owner::Person(id) => !world.people.contains_key(&id),
            Owner::Room(id) => !world.rooms.contains_key(&id),
        }),
        _ => false,
    };
    let deleted = [("site", "site"), ("group", "group"), ("owner", "owner")].into_iter().filter_map(|(filter, what)| {
        let value = list.filter(filter).filter(|value| is_missing(filter, value))?;
        Some(format!("The {what} {value} that this list is filtered by does not exist any more: nothing can match it."))
    });
    let told = [("model", "model"), ("family", "type")].into_iter().filter_map(|(filter, what)| {
        let value = list.filter(filter).filter(|_| is_devices)?;
        let is_there = services.roster(DEFAULT_ACCOUNT).all().iter().any(|one| {
            let own = if filter == "model" { &one.device.model } else { &one.device.family };
            own.as_deref() == Some(value)
        });
        (!is_there).then(|| format!("No device has the {what} {value} any more, by which this list is filtered."))
    });
    deleted.chain(told).collect()
}
