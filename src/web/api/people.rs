//! People, groups of people and rooms, each with the same operations; the groups of a person; and whose a device is (R156).

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, patch, post, put, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::body::{Amount, DryRun, OneOrMany, created};
use super::caller::Caller;
use super::list::{List, Paging, asked};
use super::matching::{Chosen, chosen};
use super::membership::NewGroupOrder;
use super::paths::{AccountPath, DevicePath};
use super::people_shapes::{
    NamedChanges, NamedSelection, NamedShape, NewNamed, NewOwner, OwnerShape, PeopleLossShape, PersonGroupOrder, owner_of, shape,
};
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, PersonGroupId, PersonId};
use crate::domain::people::{NamedDraft, Person, PersonGroup, Room};
use crate::services::commit::Mode;
use crate::services::people::{self, Organised};
use crate::services::{Services, devices, lists};
use crate::web::blocking;

/// A person, a group of people or a room of an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct NumberPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Its number.
    #[param(value_type = u64)]
    id: String,
}

impl NumberPath {
    /// What is no number names nothing.
    pub(super) fn id<T: Organised>(&self) -> Result<T::Id, Problem> {
        self.id.parse().map_err(|_| Problem::not_found(T::WHAT, &self.id))
    }
}

/// Which rooms or groups of people.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in name, description or the name of who changed it last.
    q: Option<String>,
    /// `name`, `devices`, `profiles`, `by` or `modified`; with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Objects on a page, at most 1000.
    per_page: Option<usize>,
    /// `true`: the answer tells the mark of all that was found, to be sent with `matching`.
    mark: Option<bool>,
}

/// Which people.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedPeople {
    /// Words that must all occur in name, description, the names of the groups or of who changed it last.
    q: Option<String>,
    /// Number of a group that they are in.
    group: Option<u64>,
    /// `name`, `devices`, `profiles`, `by` or `modified`; with `-` in front the other way round.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// People on a page, at most 1000.
    per_page: Option<usize>,
    /// `true`: the answer tells the mark of all that was found, to be sent with `matching`.
    mark: Option<bool>,
}

impl From<Wanted> for WantedPeople {
    fn from(Wanted { q, sort, page, per_page, mark }: Wanted) -> Self {
        Self { q, group: None, sort, page, per_page, mark }
    }
}

fn list<T: Organised>(
    caller: &Caller,
    services: &Services,
    wanted: impl Into<WantedPeople>,
) -> Result<web::Json<List<NamedShape>>, Problem> {
    let WantedPeople { q, group, sort, page, per_page, mark } = wanted.into();
    let paging = Paging::new(page, per_page)?;
    let group = group.map(|id| id.to_string());
    let asked = asked(&lists::people::LISTING, [("q", q), ("group", group), ("sort", sort)])?;
    let world = services.world(caller.account)?;
    let found = lists::people::list::<T>(services, caller.account, &asked)?;
    let list = paging.cut(found.iter(), |one| shape(&*one.one, one.devices, &world));
    Ok(web::Json(list.marked(mark, || found.iter().map(|one| one.one.id()).collect())))
}

fn show<T: Organised>(services: &Services, account: AccountId, id: T::Id) -> Result<web::Json<NamedShape>, Problem> {
    let one = people::get::<T>(services, account, id)?;
    Ok(web::Json(NamedShape::new(&*one, services, &*services.world(account)?)))
}

async fn create<T: Organised>(
    caller: Caller,
    services: web::Data<Services>,
    mode: Mode,
    sent: OneOrMany<NewNamed>,
) -> Result<HttpResponse, Problem> {
    let (amount, inputs) = sent.into_list();
    let drafts = amount.parse_all(&inputs, |new| new.draft(T::RULE))?;
    let account = caller.account;
    let work = move |services: &Services| people::create::<T>(services, &caller.actor, account, drafts, mode);
    let made = blocking::call(&services, work).await.map_err(|error| amount.placed(error))?;
    let world = services.world(account)?;
    let shapes = made.iter().map(|one| NamedShape::new(one, &services, &world)).collect();
    Ok(HttpResponse::build(created(mode)).json(amount.shape(shapes)))
}

async fn update<T: Organised>(
    caller: Caller,
    services: web::Data<Services>,
    shown: (T::Id, u64),
    draft: NamedDraft,
    mode: Mode,
) -> Result<web::Json<NamedShape>, Problem> {
    let account = caller.account;
    let work = move |services: &Services| people::update::<T>(services, &caller.actor, account, shown, draft, mode);
    let saved = blocking::call(&services, work).await?;
    Ok(web::Json(NamedShape::new(&saved, &services, &*services.world(account)?)))
}

async fn remove<T: Organised>(
    caller: Caller,
    services: web::Data<Services>,
    ids: BTreeSet<T::Id>,
    mode: Mode,
) -> Result<web::Json<PeopleLossShape>, Problem> {
    let work = move |services: &Services| people::delete_all::<T>(services, &caller.actor, caller.account, &ids, mode);
    Ok(web::Json(blocking::call(&services, work).await?.what.into()))
}

fn selected<T: Organised>(
    services: &Services,
    account: AccountId,
    NamedSelection { ids, matching }: NamedSelection,
) -> Result<BTreeSet<T::Id>, Problem> {
    let world = services.world(account)?;
    let known = |number: &u64| {
        let id = number.to_string().parse().ok().filter(|id| T::all(&world).contains_key(id));
        id.ok_or_else(|| FieldErrors::one("id", format_args!("there is no {} {number}", T::WHAT)))
    };
    match chosen("ids", ids, matching)? {
        Chosen::Named(numbers) => {
            let ids = Amount::Many.parse_all(&numbers, known).map_err(|wrong| Problem::items("ids", &wrong))?;
            Ok(ids.into_iter().collect())
        }
        Chosen::All(matching) => matching.keys(&lists::people::LISTING, |asked| {
            Ok(lists::people::list::<T>(services, account, asked)?.iter().map(|one| one.one.id()).collect())
        }),
    }
}

/// The operations of one kind.
macro_rules! operations {
    (
        $kind:ident, $wanted:ident, $tag:tt, $all:tt, $several:tt, $one:tt,
        $list:ident $lists:tt, $create:ident $creates:tt, $delete_all:ident $deletes_all:tt, $show:ident $shows:tt,
        $replace:ident $replaces:tt, $change:ident $changes:tt, $delete:ident $deletes:tt
    ) => {
        #[doc = $lists]
        #[utoipa::path(tag = $tag, params(AccountPath, $wanted), responses((status = 200, body = List<NamedShape>)))]
        #[get($all)]
        pub async fn $list(
            caller: Caller,
            services: web::Data<Services>,
            wanted: Asked<$wanted>,
        ) -> Result<web::Json<List<NamedShape>>, Problem> {
            list::<$kind>(&caller, &services, wanted.into_inner())
        }

        #[doc = $creates]
        #[utoipa::path(tag = $tag, params(AccountPath, DryRun), request_body = OneOrMany<NewNamed>, responses((status = 201, body = OneOrMany<NamedShape>), (status = 200, description = "A dry run", body = OneOrMany<NamedShape>)))]
        #[post($all)]
        pub async fn $create(
            caller: Caller,
            services: web::Data<Services>,
            dry_run: Asked<DryRun>,
            sent: Sent<OneOrMany<NewNamed>>,
        ) -> Result<HttpResponse, Problem> {
            create::<$kind>(caller, services, dry_run.mode(), sent.into_inner()).await
        }

        #[doc = $deletes_all]
        #[utoipa::path(tag = $tag, params(AccountPath, DryRun), request_body = NamedSelection, responses((status = 200, body = PeopleLossShape)))]
        #[post($several)]
        pub async fn $delete_all(
            caller: Caller,
            services: web::Data<Services>,
            dry_run: Asked<DryRun>,
            sent: Sent<NamedSelection>,
        ) -> Result<web::Json<PeopleLossShape>, Problem> {
            let ids = selected::<$kind>(&services, caller.account, sent.into_inner())?;
            remove::<$kind>(caller, services, ids, dry_run.mode()).await
        }

        #[doc = $shows]
        #[utoipa::path(tag = $tag, params(NumberPath), responses((status = 200, body = NamedShape)))]
        #[get($one)]
        pub async fn $show(
            caller: Caller,
            services: web::Data<Services>,
            path: web::Path<NumberPath>,
        ) -> Result<web::Json<NamedShape>, Problem> {
            show::<$kind>(&services, caller.account, path.id::<$kind>()?)
        }

        #[doc = $replaces]
        #[utoipa::path(tag = $tag, params(NumberPath, DryRun), request_body = NewNamed, responses((status = 200, body = NamedShape)))]
        #[put($one)]
        pub async fn $replace(
            caller: Caller,
            services: web::Data<Services>,
            path: web::Path<NumberPath>,
            dry_run: Asked<DryRun>,
            sent: Sent<NewNamed>,
        ) -> Result<web::Json<NamedShape>, Problem> {
            let id = path.id::<$kind>()?;
            people::get::<$kind>(&services, caller.account, id)?;
            let missing = || Problem::field("revision", "send the revision that the change was made from");
            let revision = sent.revision.ok_or_else(missing)?;
            let draft = sent.draft(<$kind as Organised>::RULE)?;
            update::<$kind>(caller, services, (id, revision), draft, dry_run.mode()).await
        }

        #[doc = $changes]
        #[utoipa::path(tag = $tag, params(NumberPath, DryRun), request_body = NamedChanges, responses((status = 200, body = NamedShape)))]
        #[patch($one)]
        pub async fn $change(
            caller: Caller,
            services: web::Data<Services>,
            path: web::Path<NumberPath>,
            dry_run: Asked<DryRun>,
            changes: Sent<NamedChanges>,
        ) -> Result<web::Json<NamedShape>, Problem> {
            let id = path.id::<$kind>()?;
            let present = people::get::<$kind>(&services, caller.account, id)?;
            let shown = (id, changes.revision);
            let draft = changes.into_inner().draft(&*present)?;
            update::<$kind>(caller, services, shown, draft, dry_run.mode()).await
        }

        #[doc = $deletes]
        #[utoipa::path(tag = $tag, params(NumberPath, DryRun), responses((status = 200, body = PeopleLossShape)))]
        #[delete($one)]
        pub async fn $delete(
            caller: Caller,
            services: web::Data<Services>,
            path: web::Path<NumberPath>,
            dry_run: Asked<DryRun>,
        ) -> Result<web::Json<PeopleLossShape>, Problem> {
            let ids = [path.id::<$kind>()?].into();
            remove::<$kind>(caller, services, ids, dry_run.mode()).await
        }
    };
}

operations!(
    Person, WantedPeople, "people", "/accounts/{account}/people", "/accounts/{account}/people/delete", "/accounts/{account}/people/{id}",
    list_people "Lists people.", create_people "Makes a person, or all of an array or none.",
    delete_people "Deletes several people: all or none. Answers what their devices lose.", show_person "Shows a person.",
    replace_person "Replaces name and description of a person.", change_person "Changes name or description of a person.",
    delete_person "Deletes a person; answers what the person's devices lose."
);
operations!(
    PersonGroup, Wanted, "people", "/accounts/{account}/person-groups", "/accounts/{account}/person-groups/delete", "/accounts/{account}/person-groups/{id}",
    list_person_groups "Lists groups of people.", create_person_groups "Makes a group of people, or all of an array or none.",
    delete_person_groups "Deletes several groups of people: all or none. Answers what devices lose.",
    show_person_group "Shows a group of people.", replace_person_group "Replaces name and description of a group of people.",
    change_person_group "Changes name or description of a group of people.",
    delete_person_group "Deletes a group of people; answers what devices lose."
);
operations!(
    Room, Wanted, "rooms", "/accounts/{account}/rooms", "/accounts/{account}/rooms/delete", "/accounts/{account}/rooms/{id}",
    list_rooms "Lists rooms.", create_rooms "Makes a room, or all of an array or none.",
    delete_rooms "Deletes several rooms: all or none. Answers what their devices lose.", show_room "Shows a room.",
    replace_room "Replaces name and description of a room.", change_room "Changes name or description of a room.",
    delete_room "Deletes a room; answers what its devices lose."
);

/// Shows the groups that a person is in.
#[utoipa::path(tag = "people", params(NumberPath), responses((status = 200, body = PersonGroupOrder)))]
#[get("/accounts/{account}/people/{id}/groups")]
pub async fn show_groups_of_person(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<NumberPath>,
) -> Result<web::Json<PersonGroupOrder>, Problem> {
    let person = people::get::<Person>(&services, caller.account, path.id::<Person>()?)?;
    Ok(web::Json(PersonGroupOrder::new(&person.groups, &*services.world(caller.account)?)))
}

/// Sets the groups that a person is in, in the person's own order.
#[utoipa::path(tag = "people", params(NumberPath, DryRun), request_body = NewGroupOrder, responses((status = 200, body = PersonGroupOrder)))]
#[put("/accounts/{account}/people/{id}/groups")]
pub async fn set_groups_of_person(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<NumberPath>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewGroupOrder>,
) -> Result<web::Json<PersonGroupOrder>, Problem> {
    let (id, account, mode): (PersonId, _, _) = (path.id::<Person>()?, caller.account, dry_run.mode());
    let NewGroupOrder { groups, shown } = sent.into_inner();
    let ids = |numbers: Vec<u64>| numbers.into_iter().map(PersonGroupId).collect::<Vec<_>>();
    let (groups, shown) = (ids(groups), ids(shown));
    let work = move |services: &Services| people::set_groups(services, &caller.actor, account, id, &shown, groups, mode);
    let list = blocking::call(&services, work).await?;
    Ok(web::Json(PersonGroupOrder::new(&list, &*services.world(account)?)))
}

/// Says whose a device is: a person's, or that it stands in a room.
#[utoipa::path(tag = "people", params(DevicePath, DryRun), request_body = NewOwner, responses((status = 200, body = OwnerShape)))]
#[put("/accounts/{account}/devices/{key}/owner")]
pub async fn set_owner(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<DevicePath>,
    dry_run: Asked<DryRun>,
    sent: Sent<NewOwner>,
) -> Result<HttpResponse, Problem> {
    let (key, account, mode) = (path.key()?, caller.account, dry_run.mode());
    devices::get(&services, account, &key)?;
    let NewOwner { owner, shown } = sent.into_inner();
    let (owner, shown) = (owner_of("owner", owner)?, owner_of("shown", shown)?);
    let work = move |services: &Services| people::set_owner(services, &caller.actor, account, &key, shown, owner, mode);
    let owner = blocking::call(&services, work).await?;
    Ok(HttpResponse::build(StatusCode::OK).json(OwnerShape::new(owner, &*services.world(account)?)))
}
