//! *What would a phone get?*: the same view for a device that is not there, or that would be somewhere else. All of the question is in the
//! address, so that it can be sent; nothing is written.

use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition, DispositionParam, DispositionType};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::explained::{self, Explained};
use crate::catalog::models::models;
use crate::domain::credential::Recipient;
use crate::domain::deployment::{Place, name};
use crate::domain::device::{Device, Owner};
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId, ProfileId};
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::world::World;
use crate::services::deployment::{Target, may_stand_at};
use crate::services::effective_file::{self, EffectiveFile};
use crate::services::error::ServiceError;
use crate::services::what_if::{self, Named};
use crate::services::{Services, credentials, explain, people, provenance};
use crate::web::admin::choices::OFFERED;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::paging::ListQuery;
use crate::web::admin::session::SignedIn;
use crate::web::blocking;

/// Where this page is.
const HERE: &str = "/admin/devices/what-if";
/// Empty boxes for one more group or profile.
const BLANK: usize = 2;

#[derive(Template)]
#[template(path = "devices/what_if.html")]
struct WhatIfPage {
    page: Page,
    form: Form,
    /// What boxes offer: models, sites, groups, owners, profiles.
    models: Vec<String>,
    sites: Vec<String>,
    groups: Vec<String>,
    owners: Vec<String>,
    profiles: Vec<String>,
    /// The boxes for groups and for profiles with what is in them.
    group_boxes: Vec<String>,
    profile_boxes: Vec<String>,
    has_people: bool,
    answer: Option<Answer>,
}

/// What such a device would get.
struct Answer {
    explained: Explained,
    /// Name of its site, and how it comes to be there.
    site: String,
    site_href: String,
    key: String,
    /// Query of the question, for the files.
    query: String,
}

/// `GET /admin/devices/what-if`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let mut form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    if !form.has("asked") {
        // An automatically added device joins the default groups (R103).
        let defaults = world.default_groups.iter().filter_map(|id| group_name(*id, &world));
        form = Form::filled(
            form.pairs()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect::<Vec<_>>()
                .into_iter()
                .chain(defaults.map(|name| ("group".to_owned(), name))),
        );
        return Ok(html(&WhatIfPage::new(&who, &world, form)));
    }
    let device = match imagined(&services, &world, &form) {
        Ok(device) => device,
        Err(ServiceError::Invalid(errors)) => {
            let form = form
                .rejected_by(&errors, |field| field.strip_suffix('s').filter(|_| field != "address").unwrap_or(field).to_owned());
            return Ok(html_rejected(&WhatIfPage::new(&who, &world, form)));
        }
        Err(error) => return Err(Failure::new(&who, error)),
    };
    let list = ListQuery::of(&request, &["name"]);
    let key = device.key.to_string();
    let site = world.sites.get(&device.site_id());
    let (site, site_href) = site.map(|site| (site.name.to_string(), format!("/admin/sites/{}", site.id))).unwrap_or_default();
    let asked = std::sync::Arc::clone(&world);
    let explained = blocking::call(&services, move |services| {
        let view = explain::of_imagined(services, DEFAULT_ACCOUNT, &device, &asked);
        let found = explained::found(&view, &explained::wanted(&list), &asked);
        let shown = found[list.pager(found.len()).range()].iter().copied();
        let who = provenance::of(services, DEFAULT_ACCOUNT, &asked, &device, shown)?;
        Ok(Explained::new(list, &view, &found, &who, (&device, None), &asked))
    });
    let explained = explained.await.map_err(Failure::of(&who))?;
    let query = request.query_string().to_owned();
    let page = WhatIfPage::new(&who, &world, form);
    Ok(html(&WhatIfPage { answer: Some(Answer { explained, site, site_href, key, query }), ..page }))
}

/// `GET /admin/devices/what-if/{file}`: `master` or `parameters`, secrets masked.
pub async fn file(
    request: HttpRequest,
    path: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let Some(file) = EffectiveFile::parse(&path) else { return Err(Failure::not_found(&who, "file", path.into_inner())) };
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    let device = imagined(&services, &world, &form).map_err(Failure::of(&who))?;
    let secrets = credentials::of(&services, DEFAULT_ACCOUNT, &device.key);
    let (name, bytes) = effective_file::shown(&Recipient::over_tls(&device, &secrets), &world, file);
    let disposition =
        ContentDisposition { disposition: DispositionType::Attachment, parameters: vec![DispositionParam::Filename(name)] };
    Ok(HttpResponse::Ok().content_type("text/xml").insert_header((CONTENT_DISPOSITION, disposition)).body(bytes))
}

/// The device that the fields describe.
fn imagined(services: &Services, world: &World, form: &Form) -> Result<Device, ServiceError> {
    let text = |name: &str| form.value(name).to_owned();
    let all = |name: &str| form.values(name).map(str::to_owned).collect();
    let named = Named {
        key: text("key"),
        model: text("model"),
        site: text("site"),
        address: text("address"),
        groups: Some(all("group")),
        owner: text("owner"),
        profiles: all("profile"),
    };
    let imagined = named.find(world).map_err(ServiceError::Invalid)?;
    what_if::device(services, DEFAULT_ACCOUNT, world, imagined)
}

impl WhatIfPage {
    fn new(who: &SignedIn, world: &World, form: Form) -> Self {
        let boxes = |name: &str| {
            let filled = form.values(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
            filled.chain(std::iter::repeat_n(String::new(), BLANK)).collect()
        };
        // What a device CSV brought is for its own device alone.
        let target = form.value("key").parse().ok().map(Target::Device);
        let is_own = |one: &Profile| target.as_ref().is_some_and(|target| may_stand_at(target, one));
        let may_stand = |one: &Profile| !one.is_template() && (one.kind != ProfileKind::UserImported || is_own(one));
        let people = world.people.values().map(|one| one.name.to_string());
        Self {
            page: who.page("What would a phone get?"),
            models: models().models().iter().map(|model| model.name.clone()).collect(),
            sites: offered(world.sites.values().map(|one| one.name.to_string())),
            groups: offered(world.groups.values().map(|one| one.name.to_string())),
            owners: offered(people.chain(world.rooms.values().map(|one| one.name.to_string()))),
            profiles: offered(world.all_profiles().filter(|one| may_stand(one)).map(|one| one.name.to_string())),
            group_boxes: boxes("group"),
            profile_boxes: boxes("profile"),
            has_people: people::are_used(world),
            answer: None,
            form,
        }
    }
}

fn offered(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_by_cached_key(|name| name.to_lowercase());
    names.truncate(OFFERED);
    names
}

fn group_name(id: GroupId, world: &World) -> Option<String> {
    world.groups.get(&id).map(|group| group.name.to_string())
}

/// The question of a device that is there, to be changed.
pub fn filled(device: &Device, world: &World) -> String {
    let mut pairs = vec![("asked", "1".to_owned()), ("key", device.key.to_string())];
    pairs.extend(device.model.clone().map(|model| ("model", model)));
    pairs.extend(world.sites.get(&device.site_id()).map(|site| ("site", site.name.to_string())));
    pairs.extend(device.groups.iter().filter_map(|id| group_name(*id, world)).map(|name| ("group", name)));
    let owner = device.owner.map(|owner| match owner {
        Owner::Person(id) => Place::Person(id),
        Owner::Room(id) => Place::Room(id),
    });
    pairs.extend(owner.and_then(|place| name(&place, world)).map(|name| ("owner", name)));
    let profile = |id: &ProfileId| world.profile(*id).map(|profile| ("profile", profile.name.to_string()));
    pairs.extend(device.profiles.iter().filter_map(profile));
    format!("{HERE}?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
}
