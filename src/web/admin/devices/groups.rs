//! Groups of one device, in its own order: of two that name a parameter the upper one counts (R102, R149).

use actix_web::{HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use crate::domain::access::Actor;
use crate::domain::activity::Event;
use crate::domain::device::DeviceKey;
use crate::domain::device_list::Listed;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, membership};
use crate::web::admin::conflict;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::groups::item;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::ordered::{self, Item, List, Outcome, Tab, Words};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::Tone as _;

#[derive(Template)]
#[template(path = "devices/groups.html")]
struct GroupsPage {
    page: Page,
    head: Head,
    tab: Tab,
}

/// The list.
#[derive(Clone, Debug)]
struct GroupsOf(DeviceKey);

const WORDS: Words = Words {
    field: "group",
    label: "Device group",
    hint: "Of two groups that name a parameter the upper one counts.",
    empty: "This device is in no group.",
    full: "It is in every device group already.",
    nothing: "There is no device group yet.",
    make: ("/admin/groups/add", "Add one"),
    whole: "Groups, strongest first",
    to_top: false,
};

impl List for GroupsOf {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn present(&self, services: &Services) -> Result<Vec<u64>, ServiceError> {
        Ok(membership::of_device(services, DEFAULT_ACCOUNT, &self.0)?.iter().map(|id| id.0).collect())
    }

    fn set(&self, services: &Services, actor: &Actor, shown: &[u64], wanted: Vec<u64>) -> Result<(), ServiceError> {
        let ids = |list: &[u64]| list.iter().copied().map(GroupId).collect::<Vec<_>>();
        membership::set_of_device(services, actor, DEFAULT_ACCOUNT, &self.0, &ids(shown), ids(&wanted), Mode::Keep).map(drop)
    }

    fn item(&self, world: &World, id: u64) -> Option<Item> {
        item(world, id)
    }

    fn choices(&self, world: &World) -> Vec<u64> {
        world.groups.keys().map(|id| id.0).collect()
    }

    fn is_about(&self, _: &World) -> Box<dyn FnMut(&Event) -> bool + Send> {
        Box::new(conflict::of_device("device", &self.0))
    }
}

fn page(services: &Services, who: &SignedIn, known: &Listed) -> Result<GroupsPage, Failure> {
    let list = GroupsOf(known.device.key.clone());
    let action = format!("/admin/devices/{}/groups", known.device.key);
    let tab = Tab::new(&list, services, who, "Groups of this device", action)?;
    let page = who.page("Groups");
    Ok(GroupsPage { head: Head::new(known, page.now), page, tab: tab.noted("It gets a change when it next comes.") })
}

/// `GET /admin/devices/{key}/groups`
pub async fn show(key: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    Ok(html(&page(&services, &who, &known)?))
}

/// `POST /admin/devices/{key}/groups`
pub async fn save(
    key: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, _) = head::find(&services, &who, &key)?;
    let outcome = ordered::save(&services, &who, &GroupsOf(known.device.key.clone()), form).await?;
    let answer = page(&services, &who, &known)?;
    Ok(match outcome {
        Outcome::Done(message) => who.done(&answer.tab.action, message),
        Outcome::Again(status, form, conflict) => {
            html_with(status, &GroupsPage { tab: answer.tab.again(form, conflict), ..answer })
        }
    })
}
