//! The list of Global, and every other place to be found by container and name.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::deployment::{Container, Place};
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::world::World;
use crate::services::deployment::Target;
use crate::services::lists::places::LISTING;
use crate::services::places::ListedPlace;
use crate::services::{Services, lists, people};
use crate::web::admin::attached::{self, Profiles};
use crate::web::admin::columns::Columns;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::list_memory;
use crate::web::admin::ordered::{self, Outcome, Tab};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::places as addresses;

/// Where this page is.
const HERE: &str = "/admin/deployment";
/// Profiles of a place that are named; the rest are counted.
const NAMED: usize = 5;

/// The columns that may be hidden, by their word in the address. A place's name always stays.
const COLUMNS: [(&str, &str); 3] =
    [("container", "Container"), ("profiles", "Profiles, strongest first"), ("devices", "Devices")];

#[derive(Template)]
#[template(path = "deployment/show.html")]
struct HomePage {
    page: Page,
    tab: Tab,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    columns: Columns,
    ladder: Vec<Step>,
    /// Containers to filter by: word and label.
    containers: Vec<(&'static str, &'static str)>,
}

/// A place of the list.
struct Row {
    href: String,
    name: String,
    container: &'static str,
    /// Id and name, strongest first.
    profiles: Vec<(ProfileId, String)>,
    more: usize,
    devices: usize,
    /// Where the search found it, if its name does not show that.
    why: Option<String>,
}

/// A container of the ladder.
struct Step {
    label: &'static str,
    text: &'static str,
    /// How many of its places have profiles, in words.
    count: String,
    href: String,
}

/// `GET /admin/deployment`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    if list.is_file() {
        let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
        let found = found(&who, &services, &list)?;
        return Ok(list.columns(&COLUMNS).file("deployment", "Name", found.iter().map(|one| cells(one, &world))));
    }
    Ok(html(&page(&who, &services, list)?))
}

/// The places that a list shows, in its order.
fn found(who: &SignedIn, services: &Services, list: &ListQuery) -> Result<Vec<ListedPlace>, Failure> {
    let mut asked = list.asked(&LISTING);
    if asked.is_plain() {
        // Nobody looks for all places there are: what has profiles comes first.
        asked = LISTING.read_what_is_known([("attached", "true"), ("sort", &asked.sorting.to_string())]);
    }
    let mut found = lists::places::list(services, DEFAULT_ACCOUNT, &asked).map_err(Failure::of(who))?;
    found.retain(|one| one.container() != Container::Global);
    Ok(found)
}

fn cells(one: &ListedPlace, world: &World) -> [String; 4] {
    let names = one.profiles.iter().filter_map(|id| world.profile(*id)).map(|profile| profile.name.to_string());
    [one.name.clone(), one.container().label().to_owned(), names.collect::<Vec<_>>().join(", "), one.devices.to_string()]
}

/// `POST /admin/deployment`: the list of Global.
pub async fn save(
    request: HttpRequest,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let outcome = ordered::save(&services, &who, &global(), form).await?;
    Ok(match outcome {
        Outcome::Done(message) => who.done(HERE, message),
        Outcome::Again(status, form, conflict) => {
            let answer = page(&who, &services, ListQuery::of(&request, LISTING.sorts))?;
            html_with(status, &HomePage { tab: answer.tab.again(form, conflict), ..answer })
        }
    })
}

fn global() -> Profiles {
    Profiles(Target::Place(Place::Global))
}

fn page(who: &SignedIn, services: &Services, list: ListQuery) -> Result<HomePage, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let tab = attached::tab(&global(), services, who, "Global", HERE)?;
    let found = found(who, services, &list)?;
    let pager = list.pager(found.len());
    Ok(HomePage {
        page: who.page("Profile Deployment"),
        tab,
        rows: found[pager.range()].iter().map(|one| row(one, &world)).collect(),
        pager,
        columns: list.columns(&COLUMNS),
        ladder: ladder(services, &world),
        containers: containers(&world).map(|(word, container, _)| (word, container.label())).collect(),
        list,
    })
}

fn row(one: &ListedPlace, world: &World) -> Row {
    let name = |id: &ProfileId| world.profile(*id).map(|profile| (*id, profile.name.to_string()));
    Row {
        href: addresses::page(&one.target),
        name: one.name.clone(),
        container: one.container().label(),
        profiles: one.profiles.iter().filter_map(name).take(NAMED).collect(),
        more: one.profiles.len().saturating_sub(NAMED),
        devices: one.devices,
        why: one.why.as_ref().map(|(what, text)| format!("{what}: {}", words::shortened(text, 80))),
    }
}

/// The containers that places of the list are in: word, container and what it is.
fn containers(world: &World) -> impl Iterator<Item = (&'static str, Container, &'static str)> + use<> {
    const ALL: [(&str, Container, &str); 6] = [
        ("devices", Container::Device, "One device alone."),
        ("people", Container::Person, "The person who owns a device, or the room it stands in."),
        ("person-groups", Container::PersonGroup, "Groups of people, in the order of each person's list."),
        ("sites", Container::Site, "Every device whose address belongs to the site."),
        ("models", Container::Model, "Every device of the model."),
        ("groups", Container::Group, "Every member; of several groups, each device's own order decides."),
    ];
    // What nobody uses yet is not shown (R156); there are places of these kinds from their first one on.
    let is_used = |container: Container| match container {
        Container::Person | Container::PersonGroup => people::are_used(world),
        _ => true,
    };
    ALL.map(|one| is_used(one.1).then_some(one)).into_iter().flatten()
}

fn ladder(services: &Services, world: &World) -> Vec<Step> {
    let own = || services.roster(DEFAULT_ACCOUNT).count(|one| !one.device.profiles.is_empty());
    let step = |(word, container, text): (&str, Container, &'static str)| {
        let number = match container {
            Container::Device => own(),
            container => world.deployment.keys().filter(|place| place.container() == container).count(),
        };
        let count = if number == 0 { "none has profiles".to_owned() } else { format!("{number} with profiles") };
        Step { label: container.label(), text, count, href: format!("{HERE}?container={word}") }
    };
    containers(world).map(step).collect()
}
