//! The groups of one person, in the person's own order: the guide's *Set Priority* (R156).

use actix_web::{HttpResponse, web};

use super::kind::{Head, Paged as _, find};
use super::profiles::OrderedPage;
use crate::domain::access::Actor;
use crate::domain::activity::Event;
use crate::domain::ids::{DEFAULT_ACCOUNT, PersonGroupId, PersonId};
use crate::domain::people::{Person, PersonGroup};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::{Services, people};
use crate::web::admin::conflict;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{html, html_with};
use crate::web::admin::ordered::{self, Item, List, Outcome, Tab, Words};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;

/// The list.
#[derive(Clone, Debug)]
struct GroupsOf(PersonId);

const WORDS: Words = Words {
    field: "group",
    label: "Person group",
    hint: "Of two groups that name a parameter the upper one counts.",
    empty: "This person is in no group.",
    full: "This person is in every person group already.",
    nothing: "There is no person group yet.",
    make: ("/admin/person-groups/add", "Add one"),
    whole: "Groups, strongest first",
    to_top: false,
};

impl List for GroupsOf {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn present(&self, services: &Services) -> Result<Vec<u64>, ServiceError> {
        Ok(people::get::<Person>(services, DEFAULT_ACCOUNT, self.0)?.groups.iter().map(|id| id.0).collect())
    }

    fn set(&self, services: &Services, actor: &Actor, shown: &[u64], wanted: Vec<u64>) -> Result<(), ServiceError> {
        let ids = |list: &[u64]| list.iter().copied().map(PersonGroupId).collect::<Vec<_>>();
        people::set_groups(services, actor, DEFAULT_ACCOUNT, self.0, &ids(shown), ids(&wanted), Mode::Keep).map(drop)
    }

    fn item(&self, world: &World, id: u64) -> Option<Item> {
        let group = world.person_groups.get(&PersonGroupId(id))?;
        let note = words::shortened(&group.description, 80);
        Some(Item { id, name: group.name.to_string(), note, href: PersonGroup::KIND.page(&format!("/{id}")) })
    }

    fn choices(&self, world: &World) -> Vec<u64> {
        world.person_groups.keys().map(|id| id.0).collect()
    }

    fn is_about(&self, world: &World) -> Box<dyn FnMut(&Event) -> bool + Send> {
        let name = world.people.get(&self.0).map(|person| person.name.to_string()).unwrap_or_default();
        Box::new(conflict::of("person", &name))
    }
}

fn page(services: &Services, who: &SignedIn, id: &str) -> Result<(GroupsOf, OrderedPage), Failure> {
    let (person, world) = find::<Person>(services, who, id)?;
    let list = GroupsOf(person.id);
    let action = Person::KIND.page(&format!("/{}/groups", person.id));
    let tab = Tab::new(&list, services, who, "Groups of this person", action)?;
    let tab = tab.noted("The person's devices get a change when they next come.");
    Ok((list, OrderedPage { page: who.page("Person Groups"), head: Head::new(&*person, &world, services), tab }))
}

/// `GET /admin/people/{id}/groups`
pub async fn show(id: web::Path<String>, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    Ok(html(&page(&services, &who, &id)?.1))
}

/// `POST /admin/people/{id}/groups`
pub async fn save(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (list, _) = page(&services, &who, &id)?;
    let outcome = ordered::save(&services, &who, &list, form).await?;
    let (_, answer) = page(&services, &who, &id)?;
    Ok(match outcome {
        Outcome::Done(message) => who.done(&answer.tab.action, message),
        Outcome::Again(status, form, conflict) => {
            html_with(status, &OrderedPage { tab: answer.tab.again(form, conflict), ..answer })
        }
    })
}
