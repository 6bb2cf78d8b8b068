//! The people of one group: members and all others, searched and changed by ticks or as a whole search (R156).

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::kind::{Head, Paged as _, find};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, PersonGroupId, PersonId};
use crate::domain::people::{Person, PersonGroup};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::people_bulk::{self, Counted, PeopleChange};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::next::LocalPath;
use crate::web::admin::paging::{ListQuery, PER_PAGE_MOST, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name"];

#[derive(Template)]
#[template(path = "people/members.html")]
struct MembersPage {
    page: Page,
    head: Head,
    form: Form,
    list: ListQuery,
    pager: Pager,
    /// Whether the people who are not in the group are shown.
    others: bool,
    rows: Vec<Row>,
}

struct Row {
    id: PersonId,
    name: String,
    description: String,
    /// The person's groups in the person's own order, by name.
    groups: String,
}

impl MembersPage {
    fn new(services: &Services, who: &SignedIn, group: &PersonGroup, world: &World, list: ListQuery, form: Form) -> Self {
        let others = list.is("show", "others");
        let found = found(world, group.id, others, &list);
        let pager = list.pager(found.len());
        Self {
            page: who.page("People"),
            head: Head::new(group, world, services),
            form,
            rows: found[pager.range()].iter().map(|person| row(person, world)).collect(),
            list,
            pager,
            others,
        }
    }
}

fn row(person: &Person, world: &World) -> Row {
    let names: Vec<_> = person.groups.iter().filter_map(|id| world.person_groups.get(id)).map(|one| one.name.as_str()).collect();
    Row {
        id: person.id,
        name: person.name.to_string(),
        description: words::shortened(&person.description, 100),
        groups: words::shortened(&names.join(", "), 120),
    }
}

/// Members, or everybody else, as far as the search finds them.
fn found<'w>(world: &'w World, group: PersonGroupId, others: bool, list: &ListQuery) -> Vec<&'w Person> {
    let search = list.search();
    let is_shown =
        |person: &&Person| person.groups.contains(&group) != others && search.finds(&[person.name.as_str(), &person.description]);
    let mut found: Vec<&Person> = world.people.values().map(|person| &**person).filter(is_shown).collect();
    found.sort_by_cached_key(|person| person.name.folded());
    if list.descending() {
        found.reverse();
    }
    found
}

/// `GET /admin/person-groups/{id}/members`
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (group, world) = find::<PersonGroup>(&services, &who, &id)?;
    Ok(html(&MembersPage::new(&services, &who, &group, &world, ListQuery::of(&request, SORTABLE), Form::default())))
}

/// `POST /admin/person-groups/{id}/members`
pub async fn save(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (group, world) = find::<PersonGroup>(&services, &who, &id)?;
    let again = |form: Form, errors: &FieldErrors| {
        let list = ListQuery::of(&request, SORTABLE);
        let page = MembersPage::new(&services, &who, &group, &world, list, form.rejected(errors));
        Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
    };
    let wanted = match wanted(&form, &world, group.id) {
        Ok(wanted) => wanted,
        Err(errors) => return again(form, &errors),
    };
    let own = PersonGroup::KIND.page(&format!("/{}/members", group.id));
    let back = LocalPath::parse(form.value("back")).filter(|path| path.as_str().starts_with(&own));
    let back = back.map_or(own, |path| path.as_str().to_owned());
    let (actor, id) = (who.actor.clone(), group.id);
    let change =
        move |services: &Services| people_bulk::change_members(services, &actor, DEFAULT_ACCOUNT, id, &wanted, Mode::Keep);
    match blocking::call(&services, change).await {
        Ok(done) => Ok(who.done(&back, told(done))),
        Err(ServiceError::Invalid(errors)) => again(form, &errors),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&back, why)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// Who joins or leaves by a form: ticked rows, or all that a search finds.
fn wanted(form: &Form, world: &World, group: PersonGroupId) -> Result<PeopleChange, FieldErrors> {
    let ticked = || -> Result<BTreeSet<PersonId>, FieldErrors> {
        let ids: BTreeSet<PersonId> = form.values("select").filter_map(|text| text.parse().ok()).take(PER_PAGE_MOST).collect();
        if ids.is_empty() { Err(FieldErrors::one("select", "tick the people first")) } else { Ok(ids) }
    };
    let searched = |others| {
        let list = ListQuery::parse("", &serde_urlencoded::to_string([("q", form.value("q"))]).unwrap_or_default(), SORTABLE);
        found(world, group, others, &list).into_iter().map(|person| person.id).collect()
    };
    let (add, remove) = match form.value("do") {
        "add" => (ticked()?, BTreeSet::new()),
        "remove" => (BTreeSet::new(), ticked()?),
        "add-all" => (searched(true), BTreeSet::new()),
        "remove-all" => (BTreeSet::new(), searched(false)),
        _ => return Err(FieldErrors::one("do", "press one of the buttons of this page")),
    };
    Ok(PeopleChange { add, remove })
}

fn told(done: Counted) -> String {
    let parts = [(done.added, "joined"), (done.removed, "left")].into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts.map(|(count, verb)| format!("{} {verb}", words::count(count, "person", "people"))).collect();
    if parts.is_empty() {
        return "Nothing changed: they were so already.".to_owned();
    }
    format!("{}.", parts.join(", "))
}
