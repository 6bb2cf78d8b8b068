//! The people of one group: members and all others, searched and changed by ticks or as a whole search (R156).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::kind::{Head, Paged as _, find};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, PersonGroupId, PersonId};
use crate::domain::people::{Person, PersonGroup};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::lists::Asked;
use crate::services::lists::people::LISTING;
use crate::services::people_bulk::{self, Counted, PeopleChange};
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

/// The columns that can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name", "by", "modified"];

/// The columns that may be hidden, by their word in the address. A name always stays.
const COLUMNS: [(&str, &str); 3] =
    [("groups", "Groups in their own order"), ("by", "Modified By"), ("modified", "Date Modified")];

#[derive(Template)]
#[template(path = "people/members.html")]
struct MembersPage {
    page: Page,
    head: Head,
    form: Form,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
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
    by: String,
    at: Timestamp,
}

impl MembersPage {
    fn new(services: &Services, who: &SignedIn, group: &PersonGroup, world: &World, list: ListQuery, form: Form) -> Self {
        let others = list.is("show", "others");
        let found = found(world, group.id, others, &list.asked(&LISTING));
        let pager = list.pager(found.len());
        Self {
            page: who.page("People"),
            head: Head::new(group, world, services),
            form,
            rows: found[pager.range()].iter().map(|person| row(person, world)).collect(),
            columns: list.columns(&COLUMNS),
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
        by: person.modified.by.clone(),
        at: person.modified.at,
    }
}

/// Members, or everybody else, as far as the search finds them.
fn found<'w>(world: &'w World, group: PersonGroupId, others: bool, asked: &Asked) -> Vec<&'w Person> {
    let search = asked.search();
    let is_shown =
        |person: &&Person| person.groups.contains(&group) != others && search.finds(&[person.name.as_str(), &person.description]);
    let mut found: Vec<&Person> = world.people.values().map(|person| &**person).filter(is_shown).collect();
    let by = |a: &&Person, b: &&Person| match asked.sorting.word {
        "by" => a.modified.by.to_lowercase().cmp(&b.modified.by.to_lowercase()),
        "modified" => a.modified.at.cmp(&b.modified.at),
        _ => Ordering::Equal,
    };
    asked.sorting.sort(&mut found, by, |a, b| (a.name.folded(), a.id).cmp(&(b.name.folded(), b.id)));
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
    let list = ListQuery::of(&request, SORTABLE);
    view_bar::tell(&request, view_bar::not_understood(&list, &LISTING));
    if list.is_file() {
        let found = found(&world, group.id, list.is("show", "others"), &list.asked(&LISTING));
        let cells = |Row { name, groups, by, at, .. }: Row| [name, groups, by, words::file_time(at)];
        let rows = found.into_iter().map(|person| row(person, &world)).map(cells);
        return Ok(list.columns(&COLUMNS).file("group-people", "Name", rows));
    }
    Ok(html(&MembersPage::new(&services, &who, &group, &world, list, Form::default())))
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
    let own = PersonGroup::KIND.page(&format!("/{}/members", group.id));
    let back = LocalPath::parse(form.value("back")).filter(|path| path.as_str().starts_with(&own));
    let back = back.map_or(own, |path| path.as_str().to_owned());
    let wanted = match wanted(&form, &world, group.id) {
        Ok(Wanted::Now(wanted)) => wanted,
        Ok(Wanted::Ask(chosen)) => return Ok(ask(&chosen, &group, &form, &who, &world, back)),
        Err(errors) => return again(form, &errors),
    };
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

/// What a form wants.
enum Wanted {
    /// A change.
    Now(PeopleChange),
    /// A change of many, which is asked about first.
    Ask(Chosen<PersonId>),
}

/// Who joins or leaves by a form: ticked rows, or all that the list finds.
fn wanted(form: &Form, world: &World, group: PersonGroupId) -> Result<Wanted, FieldErrors> {
    let joins = match form.value("do") {
        "add" => true,
        "remove" => false,
        _ => return Err(FieldErrors::one("do", "press one of the buttons of this page")),
    };
    let find = |asked: &Asked| Ok::<_, FieldErrors>(found(world, group, joins, asked).into_iter().map(|one| one.id).collect());
    let chosen = Chosen::of(form, &LISTING, |_| true, find)?;
    if chosen.is_empty() {
        return Err(FieldErrors::one("select", "tick the people first"));
    }
    if !chosen.may_pass(form) {
        return Ok(Wanted::Ask(chosen));
    }
    let (add, remove) = if joins { (chosen.keys, BTreeSet::new()) } else { (BTreeSet::new(), chosen.keys) };
    Ok(Wanted::Now(PeopleChange { add, remove }))
}

fn ask(chosen: &Chosen<PersonId>, group: &PersonGroup, form: &Form, who: &SignedIn, world: &World, back: String) -> HttpResponse {
    let (people, joins) = (words::count(chosen.len(), "person", "people"), form.is("do", "add"));
    let named = |id: &PersonId| {
        let name = world.people.get(id)?.name.to_string();
        Some(Named { href: format!("/admin/people/{id}"), name, note: String::new() })
    };
    let names: Vec<Named> = chosen.keys.iter().take(NAMED).filter_map(named).collect();
    let title = if joins { format!("Add {people} to {}?", group.name) } else { format!("Remove {people} from {}?", group.name) };
    let action = PersonGroup::KIND.page(&format!("/{}/members", group.id));
    html(&BulkPage {
        page: who.page(title),
        parents: vec![(PersonGroup::KIND.page(""), PersonGroup::KIND.title.to_owned())],
        more: chosen.len().saturating_sub(names.len()),
        names,
        sentences: vec!["Their devices get a change when they next come.".to_owned()],
        closing: "",
        question: chosen.question(form),
        fields: vec![("do".to_owned(), form.value("do").to_owned()), ("back".to_owned(), back.clone())],
        action,
        verb: format!("{} {people}", if joins { "Add" } else { "Remove" }),
        is_harmless: true,
        back,
    })
}

fn told(done: Counted) -> String {
    let parts = [(done.added, "joined"), (done.removed, "left")].into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts.map(|(count, verb)| format!("{} {verb}", words::count(count, "person", "people"))).collect();
    if parts.is_empty() {
        return "Nothing changed: they were so already.".to_owned();
    }
    format!("{}.", parts.join(", "))
}
