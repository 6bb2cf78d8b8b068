//! One profile: general information, its parameters with edit in place, and the ways to add more (R119–R125).

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use super::add::draft;
use super::list::word;
use super::resource_choice;
use super::software;
use super::usage::Usage;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::parameter::{self, ParameterName};
use crate::domain::profile::draft::ParameterEdit;
use crate::domain::profile::hints;
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::provision::master::is_master;
use crate::domain::provision::warnings_of;
use crate::domain::schema::Schema;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::profiles::{self, Shown as ShownProfile};
use crate::services::schema;
use crate::web::admin::conflict::{self, Conflict, Differing};
use crate::web::admin::failure::Failure;
use crate::web::admin::flash_choice::{FLASH, VALUE};
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_with};
use crate::web::admin::next::LocalPath;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::parameter_help::{self, AdviceView, Help};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::admin::words::{self, Shown};
use crate::web::blocking;

/// Devices that are named among the places; the rest are counted.
const NAMED: usize = 10;

#[derive(Template)]
#[template(path = "profiles/profile.html")]
struct ProfilePage {
    page: Page,
    id: ProfileId,
    name: String,
    kind: &'static str,
    modified_by: String,
    modified_at: Timestamp,
    form: Form,
    conflict: Option<Conflict>,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    /// Parameters of the profile, whatever the search shows.
    total: usize,
    deployed: Deployed,
    /// What it chooses and can choose of software.
    software: Vec<software::Choice>,
    /// Whether this person may change it: that of an image never changes (R129).
    may_change: bool,
    /// What phones will make of it that may not be meant.
    warnings: Vec<String>,
    /// What the dictionary finds odd, for a look.
    advice: AdviceView,
    /// Whether it does one thing, and what can put a phone out of reach (R109).
    hints: Vec<String>,
    /// Resource files that a value may name (R124).
    resources: Vec<String>,
}

/// Where a profile is deployed: what `_deployed.html` needs.
pub struct Deployed {
    /// Link, label and note of each place.
    pub uses: Vec<(String, String, String)>,
    /// Devices that are not among them.
    pub more_uses: usize,
    /// How many devices get it, in words.
    pub reach: String,
    /// It cannot be deployed.
    pub is_template: bool,
}

struct Row {
    name: String,
    in_master: bool,
    shown: Shown,
    /// It is being edited.
    open: bool,
    /// Its value must not reach the page.
    masked: bool,
    /// Its value needs several lines.
    long: bool,
    /// The value in the field; empty unless it is being edited and may be shown.
    edit: String,
    /// What the dictionary offers for it while it is being edited; any other value can be typed.
    choices: Vec<String>,
    /// Whether the resource files are offered for it at once (R124).
    picks: bool,
    help: Help,
}

/// The profile that an address names.
pub fn find(services: &Services, who: &SignedIn, id: &str) -> Result<Arc<Profile>, Failure> {
    let id: ProfileId = id.parse().map_err(|_| Failure::not_found(who, "profile", id))?;
    profiles::get(services, DEFAULT_ACCOUNT, id).map_err(Failure::of(who))
}

/// The profile that an address names, if it may be changed.
pub fn find_own(services: &Services, who: &SignedIn, id: &str) -> Result<Arc<Profile>, Failure> {
    let profile = find(services, who, id)?;
    if profile.is_standard() || profile.kind == ProfileKind::Software {
        Err(Failure::new(who, ServiceError::ReadOnly(profile.name.to_string())))
    } else {
        Ok(profile)
    }
}

/// `GET /admin/profiles/{id}`
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let profile = find(&services, &who, &id)?;
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    if let Some(standard) = world.standard.get(profile.id) {
        return super::standard::show(&who, &services, &profile, standard.shipped);
    }
    let list = query(&request, profile.id);
    // A parameter that was being changed is open again by its address.
    let typed = unsent::given_back(&request, &who, &services).map(|(_, form)| reopened(form));
    let form = with_general(typed.unwrap_or_default(), &profile);
    Ok(html(&page(&who, &services, &profile, list, form, None)?))
}

/// The list of parameters that an address asks for.
fn query(request: &HttpRequest, id: ProfileId) -> ListQuery {
    ListQuery::parse(&format!("/admin/profiles/{id}"), request.query_string(), &[])
}

fn filled(profile: &Profile) -> Form {
    Form::filled([
        ("name", profile.name.to_string()),
        ("description", profile.description.clone()),
        ("revision", profile.revision.to_string()),
    ])
}

/// The page with a form of it that is shown again. What was typed stays typed, and belongs to the revision that it was typed
/// for: only a person who is shown a conflict goes on from the newest one (R14).
fn answer(
    who: &SignedIn,
    services: &Services,
    profile: &Profile,
    status: StatusCode,
    form: Form,
    conflict: Option<Conflict>,
) -> Result<HttpResponse, Failure> {
    let path = form.value("here").to_owned();
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let list = ListQuery::parse(&format!("/admin/profiles/{}", profile.id), query, &[]);
    let mut form = with_general(form, profile);
    if conflict.is_some() {
        form.set("revision", profile.revision.to_string());
    }
    Ok(html_with(status, &page(who, services, profile, list, form, conflict)?))
}

/// The page with a form that breaks rules.
pub fn rejected(
    who: &SignedIn,
    services: &Services,
    profile: &Profile,
    form: Form,
    errors: &FieldErrors,
) -> Result<HttpResponse, Failure> {
    answer(who, services, profile, StatusCode::UNPROCESSABLE_ENTITY, form.rejected(errors), None)
}

/// A form of one panel, with the fields of the other panels as they are stored.
fn with_general(mut form: Form, profile: &Profile) -> Form {
    for (name, value) in filled(profile).pairs() {
        // In the forms of parameters `name` is the parameter's.
        if !form.has(name) || (name == "name" && form.has("do")) {
            form.set(name, value);
        }
    }
    form
}

/// The conflict with what others changed of this profile since the form was opened.
async fn conflict(
    who: &SignedIn,
    services: &web::Data<Services>,
    now: &Profile,
    form: &Form,
    differing: Vec<Differing>,
) -> Result<Conflict, Failure> {
    let missed = now.revision.saturating_sub(shown(form, now.id).revision);
    Conflict::new(services, who, DEFAULT_ACCOUNT, missed, conflict::of_profile(now.name.as_str()), differing).await
}

fn page(
    who: &SignedIn,
    services: &Services,
    profile: &Profile,
    list: ListQuery,
    mut form: Form,
    conflict: Option<Conflict>,
) -> Result<ProfilePage, Failure> {
    let words: Vec<String> = list.q().split_whitespace().map(str::to_lowercase).collect();
    // What is searched is what is shown: a search must not tell a secret letter by letter.
    let holds = |name: &str, value: &str| {
        let (name_folded, value) = (name.to_lowercase(), parameter::masked(name, value).to_lowercase());
        words.iter().all(|word| name_folded.contains(word) || value.contains(word))
    };
    let found: Vec<_> = profile.parameters.iter().filter(|(name, value)| holds(name.as_str(), value)).collect();
    let pager = list.pager(found.len());
    let open = list.filter("edit").unwrap_or_default().to_owned();
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let software = software::with_waiting(profile, &world, services).map_err(Failure::of(who))?;
    for choice in &software {
        if !form.has(&choice.field) {
            form.set(&choice.field, choice.chosen.clone());
        }
    }
    let schema = world.schemas.current();
    let picks = list.filter("pick").is_some();
    let of = |(name, value): &(&ParameterName, &Arc<str>)| row(schema, name.as_str(), value, (&open, picks), &form);
    let rows = found[pager.range()].iter().map(of).collect();
    let page = who.page(profile.name.to_string());
    Ok(ProfilePage {
        may_change: page.may_edit() && profile.kind != ProfileKind::Software,
        software,
        page,
        id: profile.id,
        name: profile.name.to_string(),
        kind: word(profile.kind).1,
        modified_by: profile.modified_by.clone(),
        modified_at: profile.modified_at,
        form,
        conflict,
        total: profile.parameters.len(),
        rows,
        list,
        pager,
        deployed: deployed(services, &world, profile.id),
        warnings: warnings_of([profile], &world).iter().map(ToString::to_string).collect(),
        hints: hints::of(profile).iter().map(ToString::to_string).collect(),
        advice: AdviceView::of(&schema::advise(schema, &profile.parameters)),
        resources: resource_choice::offered(&world),
    })
}

/// Where a profile is deployed, and how many devices get it.
pub fn deployed(services: &Services, world: &World, id: ProfileId) -> Deployed {
    let devices = services.roster(DEFAULT_ACCOUNT).all();
    let usage = Usage::new(world, &devices);
    let mut carriers: Vec<_> = devices.iter().filter(|one| one.device.profiles.contains(&id)).collect();
    carriers.sort_by(|a, b| a.device.key.cmp(&b.device.key));
    let places = usage.places(id, world);
    let more_places = places.len().saturating_sub(NAMED);
    let named = carriers.iter().take(NAMED).map(|one| {
        let key = &one.device.key;
        (format!("/admin/devices/{key}/profiles"), words::title(&one.device), key.to_string())
    });
    let reach = words::count(usage.reach(id), "device", "devices");
    let profile = world.profile(id);
    Deployed {
        uses: places.into_iter().take(NAMED).chain(named).collect(),
        more_uses: more_places + carriers.len().saturating_sub(NAMED),
        reach: match profile.is_some_and(|profile| profile.is_standard()) {
            true => format!("It reaches {reach}."),
            false => format!("A change reaches {reach} when they next come."),
        },
        is_template: profile.is_some_and(|profile| profile.is_template()),
    }
}

fn row(schema: &Schema, name: &str, value: &str, (open, picks): (&str, bool), form: &Form) -> Row {
    let masked = parameter::masked(name, value) != value;
    let open = name == open;
    let typed = if form.value("name_of_value") == name { form.value("value") } else { value };
    Row {
        name: name.to_owned(),
        in_master: is_master(name),
        shown: Shown::of(name, value),
        open,
        masked,
        long: value.contains('\n') || value.len() > 120,
        picks: open && picks,
        choices: if open && !masked { parameter_help::choices(schema, name) } else { Vec::new() },
        help: Help::of(schema, name, Some(value)),
        edit: if open && !masked { typed.to_owned() } else { String::new() },
    }
}

/// `POST /admin/profiles/{id}`: name and description.
pub async fn rename(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let profile = find_own(&services, &who, &id)?;
    let draft = match draft(&form) {
        Ok(draft) => draft,
        Err(errors) => return rejected(&who, &services, &profile, form, &errors),
    };
    let (actor, shown) = (who.actor.clone(), shown(&form, profile.id));
    let rename = move |services: &Services| {
        profiles::rename(services, &actor, DEFAULT_ACCOUNT, shown, draft.name, draft.description, Mode::Keep)
    };
    match blocking::call(&services, rename).await {
        Ok(_) => Ok(who.done(&format!("/admin/profiles/{}", profile.id), "Updated.")),
        Err(ServiceError::Invalid(errors)) => rejected(&who, &services, &profile, form, &errors),
        Err(ServiceError::Conflict(_)) => {
            let now = find(&services, &who, &id)?;
            let stored =
                [("name", "Profile Name", now.name.to_string()), ("description", "Description", now.description.clone())];
            let conflict = conflict(&who, &services, &now, &form, Differing::between(&form, stored)).await?;
            answer(&who, &services, &now, StatusCode::CONFLICT, form, Some(conflict))
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `POST /admin/profiles/{id}/parameters`: adds, changes or removes one.
pub async fn edit(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let profile = find_own(&services, &who, &id)?;
    let form = resource_choice::chosen(form);
    let back = LocalPath::parse(form.value("here"))
        .map_or_else(|| format!("/admin/profiles/{}", profile.id), |path| path.as_str().to_owned());
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let (edit, message) = match wanted(world.schemas.current(), &form, &profile) {
        Ok(Some(wanted)) => wanted,
        Ok(None) => return Ok(who.done(&back, "Nothing was changed: the secret stays as it is.")),
        Err(errors) => return rejected(&who, &services, &profile, reopened(form), &errors),
    };
    let (actor, shown) = (who.actor.clone(), shown(&form, profile.id));
    let save = {
        let edit = edit.clone();
        move |services: &Services| profiles::edit_parameters(services, &actor, DEFAULT_ACCOUNT, shown, &[edit], Mode::Keep)
    };
    match blocking::call(&services, save).await {
        Ok(_) => Ok(who.done(&format!("{back}#parameters"), message)),
        Err(ServiceError::Invalid(errors)) => rejected(&who, &services, &profile, reopened(form), &errors),
        Err(ServiceError::Conflict(_)) => {
            let now = find(&services, &who, &id)?;
            overtaken(&who, &services, &id, reopened(form), differing(&edit, &now)).await
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// The page with what others changed meanwhile, beside what was to be saved.
pub async fn overtaken(
    who: &SignedIn,
    services: &web::Data<Services>,
    id: &str,
    form: Form,
    differing: Vec<Differing>,
) -> Result<HttpResponse, Failure> {
    let now = find(services, who, id)?;
    let conflict = conflict(who, services, &now, &form, differing).await?;
    answer(who, services, &now, StatusCode::CONFLICT, form, Some(conflict))
}

/// The revision that a form was made from.
pub fn shown(form: &Form, id: ProfileId) -> ShownProfile {
    ShownProfile { id, revision: form.value("revision").parse().unwrap_or_default() }
}

/// The change that a form asks for and the message about it; none where a secret is to be kept.
fn wanted(schema: &Schema, form: &Form, profile: &Profile) -> Result<Option<(ParameterEdit, String)>, FieldErrors> {
    let mut errors = FieldErrors::new();
    let (name_field, value_field) = if form.is("do", "add") { ("new_name", "new_value") } else { ("name", "value") };
    let name = errors.take(name_field, ParameterName::parse(form.value(name_field).trim()));
    if form.is("do", "remove") && form.is(FLASH, "set") {
        // What a phone has in its flash is another value only once another one was served (contract 5.11).
        let name = errors.into_result(name)?;
        let edit = ParameterEdit::set(name.as_str(), &form.value(VALUE).replace("\r\n", "\n"))?;
        return Ok(Some((edit, format!("{name} stays in the profile with this value."))));
    }
    if form.is("do", "remove") {
        return errors.into_result(name.map(|name| {
            let message = format!("{name} is removed.");
            Some((ParameterEdit::Remove(name), message))
        }));
    }
    // Forms send line breaks as CR LF; phones' files have LF.
    let value = form.value(value_field).replace("\r\n", "\n");
    if let Err(wrong) = name.as_ref().map_or(Ok(()), |name| ParameterEdit::set(name.as_str(), &value).map(drop)) {
        for error in wrong.iter() {
            errors.add(if error.field == "value" { value_field } else { name_field }, &error.message);
        }
    }
    let name = errors.into_result(name)?;
    let former = profile.parameters.get(name.as_str());
    let is_hidden = former.is_some_and(|former| parameter::masked(name.as_str(), former) != former);
    if form.is("do", "change") && value.is_empty() && is_hidden {
        return Ok(None);
    }
    let message = match former {
        None => format!("{name} is added."),
        Some(former) if former == value && !is_hidden => format!("{name} has this value already."),
        Some(_) => format!("{name} is changed."),
    };
    // Saved all the same: phones take more than the dictionary knows (R141).
    let odd = schema::advise_on(schema, name.as_str(), &value).map(|odd| format!(" Look at it again: {odd}."));
    let message = message + &odd.unwrap_or_default();
    Ok(Some((ParameterEdit::Set(name, value.into()), message)))
}

/// The form with its row open again.
fn reopened(mut form: Form) -> Form {
    if form.is("do", "change") {
        let name = form.value("name").to_owned();
        let here = form.value("here").to_owned();
        let query = serde_urlencoded::to_string([("edit", &name)]).unwrap_or_default();
        form.set("here", format!("{here}{}{query}", if here.contains('?') { '&' } else { '?' }));
        form.set("name_of_value", name);
    }
    form
}

/// The parameter as it is stored now, beside what was to be saved.
fn differing(edit: &ParameterEdit, now: &Profile) -> Vec<Differing> {
    let (name, typed) = match edit {
        ParameterEdit::Set(name, value) => (name, parameter::masked(name.as_str(), value).into_owned()),
        ParameterEdit::Remove(name) => (name, "removed".to_owned()),
    };
    let stored = now.parameters.get(name.as_str()).map(|value| parameter::masked(name.as_str(), value).into_owned());
    let stored = stored.unwrap_or_else(|| "not there".to_owned());
    if stored == typed { Vec::new() } else { vec![Differing { label: name.to_string(), stored, typed }] }
}
