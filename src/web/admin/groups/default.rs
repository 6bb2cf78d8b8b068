//! Default Device Groups: the ordered list of groups that automatically added devices join (R103–R105).

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::domain::access::Actor;
use crate::domain::activity::Event;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, groups};
use crate::web::admin::conflict;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::ordered::{self, Item, List, Outcome, Tab, Words};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// Where this page is.
const HERE: &str = "/admin/groups/default";

#[derive(Template)]
#[template(path = "groups/default.html")]
struct DefaultPage {
    page: Page,
    tab: Tab,
}

/// The list.
#[derive(Clone, Debug)]
struct Defaults;

const WORDS: Words = Words {
    field: "group",
    label: "Device group",
    hint: "A new device gets them in this order.",
    empty: "Devices that are added by themselves join no group.",
    full: "Every device group stands here already.",
    nothing: "There is no device group yet.",
    make: ("/admin/groups/add", "Add one"),
    whole: "Groups, strongest first",
    to_top: false,
};

impl List for Defaults {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn present(&self, services: &Services) -> Result<Vec<u64>, ServiceError> {
        Ok(services.world(DEFAULT_ACCOUNT)?.default_groups.iter().map(|id| id.0).collect())
    }

    fn set(&self, services: &Services, actor: &Actor, shown: &[u64], wanted: Vec<u64>) -> Result<(), ServiceError> {
        let ids = |list: &[u64]| list.iter().copied().map(GroupId).collect::<Vec<_>>();
        groups::set_defaults(services, actor, DEFAULT_ACCOUNT, &ids(shown), ids(&wanted), Mode::Keep).map(drop)
    }

    fn item(&self, world: &World, id: u64) -> Option<Item> {
        item(world, id)
    }

    fn choices(&self, world: &World) -> Vec<u64> {
        world.groups.keys().map(|id| id.0).collect()
    }

    fn is_about(&self, _: &World) -> Box<dyn FnMut(&Event) -> bool + Send> {
        Box::new(conflict::of("device group", "default groups"))
    }
}

/// A group as a row of an ordered list.
pub fn item(world: &World, id: u64) -> Option<Item> {
    let group = world.groups.get(&GroupId(id))?;
    let note = words::shortened(&group.description, 80);
    Some(Item { id, name: group.name.to_string(), note, href: format!("/admin/groups/{id}") })
}

fn page(who: &SignedIn, services: &Services) -> Result<DefaultPage, Failure> {
    let tab = Tab::new(&Defaults, services, who, "Groups that they join", HERE)?;
    let tab = tab.noted("Devices that are here already stay where they are.");
    Ok(DefaultPage { page: who.page("Default Device Groups"), tab })
}

/// `GET /admin/groups/default`
pub async fn show(who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    Ok(html(&page(&who, &services)?))
}

/// `POST /admin/groups/default`
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    Ok(match ordered::save(&services, &who, &Defaults, form).await? {
        Outcome::Done(message) => who.done(HERE, format!("{message} It counts for devices that come from now on.")),
        Outcome::Again(status, form, conflict) => {
            let answer = page(&who, &services)?;
            html_with(status, &DefaultPage { tab: answer.tab.again(form, conflict), ..answer })
        }
    })
}
