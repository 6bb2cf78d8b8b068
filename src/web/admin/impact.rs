//! What a change does to devices is shown before it is made: on every page, by one door (contract 5.15).
//!
//! [`ask`] sits in front of all pages. A form that changes what devices get is not done by `services/commit.rs` before its mark comes
//! back; then the form is kept, and its person is shown what it would do. Pages that ask anyway try the change out, and have the same
//! panel in `page.impact`: they include `_impact.html`, and the macro `csrf` puts the mark into their forms.

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError as _};
use askama::Template;

use super::csrf;
use super::flash_choice::{self, Choices, FLASH, FlashRow, VALUE};
use super::forms::Form;
use super::impact_act::Act;
use super::layout::{Page, html_with};
use super::next::LocalPath;
use super::session::{self, SignInFirst, SignedIn, Visitor};
use super::words;
use crate::domain::consent::{Consent, Told};
use crate::domain::foresight::{Change, Foresight, Group};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::restart::Effect;
use crate::domain::software::downgrade::Downgrade;
use crate::services::Services;
use crate::services::waiting_forms::Waiting;
use crate::web::sizes::FORM_BYTES;

/// Devices of one group that are named, groups, parameters of each, and characters of a value: pages stay small whatever a change
/// does.
const NAMED: usize = 10;
const GROUPS: usize = 10;
const PARAMETERS: usize = 20;
const VALUE_CHARS: usize = 160;

/// Fields of ours in forms: the mark of what was shown, the form that waits, and the page that it stands on. Besides, what becomes of values
/// in phones' flash; of a parameter that is taken out of a profile the handler gets it under the bare names.
const MARK: &str = "impact_mark";
const WORD: &str = "impact_form";
const BACK: &str = "impact_back";
/// Whether devices may go back to the older software that a change chooses for them.
const DOWNGRADES: &str = "impact_downgrades";
const OWN: [&str; 6] = [MARK, WORD, BACK, FLASH, VALUE, DOWNGRADES];

/// What `_impact.html` shows.
#[derive(Clone, Debug)]
pub struct Panel {
    /// By what it is known again.
    pub mark: String,
    /// The sum in one sentence.
    pub sentence: String,
    /// What comes, goes and stands elsewhere, a sentence each.
    pub also: Vec<String>,
    /// Devices by what happens to them, the most first.
    pub groups: Vec<PanelGroup>,
    /// Groups that are not shown, and the devices in them in words.
    pub more: usize,
    /// See `more`.
    pub more_devices: String,
    /// Parameters that stay in phones although they are served no more, with what was chosen for each (contract 5.11).
    pub flash: Vec<FlashRow>,
    /// How many of them are not asked about.
    pub more_flash: usize,
    /// Whether it is one that stays in its profile where it gets a value.
    pub keeps_in_profile: bool,
    /// Devices that would have to go back to older software, a sentence for each version.
    pub downgrades: Vec<String>,
}

/// Devices to which the same happens.
#[derive(Clone, Debug)]
pub struct PanelGroup {
    /// How many, in words.
    pub count: String,
    /// What they do, and the colour that repeats it.
    pub effect: &'static str,
    /// See `effect`.
    pub tone: &'static str,
    /// Some of them: link and name.
    pub devices: Vec<(String, String)>,
    /// How many are not named.
    pub more: usize,
    /// What changes.
    pub changes: Vec<PanelChange>,
    /// How many parameters are not shown.
    pub more_changes: usize,
}

/// One parameter.
#[derive(Clone, Debug)]
pub struct PanelChange {
    /// Its name.
    pub name: String,
    /// The value now.
    pub old: Option<String>,
    /// The value then.
    pub new: Option<String>,
    /// What a phone does.
    pub effect: &'static str,
}

#[derive(Template)]
#[template(path = "impact/confirm.html")]
struct ImpactPage {
    page: Page,
    /// Where the form goes.
    action: String,
    /// What the button says, and whether it warns.
    act: Act,
    /// The form that waits.
    word: String,
    /// Something else was shown before.
    is_another: bool,
    /// What is wrong with values for phones' flash.
    wrong: Form,
    back: String,
}

/// What a person sent: the form without the fields that are ours, and what they say.
struct Sent {
    body: Bytes,
    choices: Choices,
    /// Whether something was chosen just now.
    is_chosen: bool,
    back: LocalPath,
}

/// Middleware, behind the ones that ask who it is and whether it is they: notes what the person was shown, and shows what a form
/// would do that was not done.
pub async fn ask(mut request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<BoxBody>, Error> {
    let (mut sent, mut consent) = (None, Consent::of_person(None));
    if is_form(&request) {
        let body = csrf::buffered(&mut request, FORM_BYTES).await?.unwrap_or_default();
        let form = Form::from_urlencoded(&body).unwrap_or_default();
        let shown = Some(form.value(MARK).to_owned()).filter(|mark| !mark.is_empty());
        // Of a form that was shown again the page before is its own address, which is no page.
        let back = match form.has(BACK) {
            true => LocalPath::or_home(form.value(BACK)),
            false => session::page_before(request.request()),
        };
        let Some((body, choices)) = whole(&request, &form, body) else { return Ok(forgotten(request, back)) };
        let mut whole = Sent { body, choices, is_chosen: form.pairs().any(|(name, _)| flash_choice::is_field(name)), back };
        consent = consented(&request, shown, &mut whole);
        if form.is(DOWNGRADES, "yes") {
            consent = consent.allowing_downgrades();
        }
        request.set_payload(Payload::from(whole.for_handler(&target(request.request()))));
        sent = Some(whole);
    }
    request.extensions_mut().insert(consent.clone());
    let answer = next.call(request).await?.map_into_boxed_body();
    let Some((told, sent)) = consent.refused().zip(sent) else { return Ok(answer) };
    let page = page(answer.request(), told, consent.was_shown_another(told), sent);
    Ok(match page {
        Some(page) => answer.into_response(page),
        None => answer,
    })
}

/// What a person agrees to; where a value for phones' flash cannot be taken, nothing.
fn consented(request: &ServiceRequest, shown: Option<String>, sent: &mut Sent) -> Consent {
    let visitor = Visitor::of(request.request());
    let world = request.app_data::<Data<Services>>().and_then(|services| services.world(DEFAULT_ACCOUNT).ok());
    let (Some(person), Some(world)) = (visitor.person().filter(|_| !sent.choices.is_empty()), world) else {
        return Consent::of_person(shown);
    };
    match sent.choices.checked(&world, &person.actor()) {
        // It stays in its profile: the handler sees to it.
        Some(_) if sent.kept_in_profile(&target(request.request())).is_some() => Consent::of_person(shown),
        Some(values) => Consent::of_person_who_sets(shown, values),
        None => Consent::of_person_to_ask_again(shown),
    }
}

impl Sent {
    /// Name and value of a parameter that is taken out of a profile and is to stay there with a value.
    fn kept_in_profile(&self, target: &str) -> Option<(String, String)> {
        let form = Form::from_urlencoded(&self.body).ok().filter(|_| !self.choices.is_empty())?;
        let name = removed(target, &form)?;
        self.choices.value(name).map(|value| (name.to_owned(), value.to_owned()))
    }

    /// The form as its handler gets it.
    fn for_handler(&self, target: &str) -> Bytes {
        match self.kept_in_profile(target) {
            Some((_, value)) => joined(&self.body, [(FLASH.to_owned(), "set"), (VALUE.to_owned(), value.as_str())].into_iter()),
            None => self.body.clone(),
        }
    }
}

fn is_form(request: &ServiceRequest) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    !request.method().is_safe() && kind.starts_with("application/x-www-form-urlencoded")
}

/// What a form asks for, without the fields that are ours, and what was chosen for phones' flash: what was kept of both, where it only says
/// to go on. None where that is forgotten.
fn whole(request: &ServiceRequest, form: &Form, body: Bytes) -> Option<(Bytes, Choices)> {
    let is_ours = |name: &str| OWN.contains(&name) || flash_choice::is_field(name);
    let others = |form: &Form| encoded(form.pairs().filter(|(name, _)| !is_ours(name)));
    let choices = Choices::of(form);
    if !form.pairs().any(|(name, _)| is_ours(name)) {
        return Some((body, choices));
    }
    if !form.has(WORD) {
        return Some((others(form), choices));
    }
    let visitor = Visitor::of(request.request());
    let services = request.app_data::<Data<Services>>()?;
    let (owner, now) = (visitor.person()?.id, services.clock().now());
    let waiting = services.waiting_forms().get(form.value(WORD), owner, &target(request.request()), now)?;
    let kept = Form::from_urlencoded(&waiting.body).ok()?;
    Some((others(&kept), choices.over(Choices::of(&kept))))
}

/// A form with further fields.
fn joined<'f>(body: &Bytes, fields: impl Iterator<Item = (String, &'f str)>) -> Bytes {
    let mut text = form_urlencoded::Serializer::new(String::from_utf8_lossy(body).into_owned());
    text.extend_pairs(fields);
    Bytes::from(text.finish())
}

fn encoded<'f>(pairs: impl Iterator<Item = (&'f str, &'f str)>) -> Bytes {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(pairs);
    Bytes::from(text.finish())
}

fn target(request: &HttpRequest) -> String {
    request.uri().path_and_query().map_or_else(String::new, ToString::to_string)
}

/// The form that was to be gone on with is not there any more.
fn forgotten(request: ServiceRequest, back: LocalPath) -> ServiceResponse<BoxBody> {
    let answer = match SignedIn::of(Visitor::of(request.request())) {
        Some(who) => who.not_done(
            back.as_str(),
            "What was to be saved was not kept any longer: it waits for half an hour. Nothing was changed; do it again.",
        ),
        None => SignInFirst(back).error_response(),
    };
    request.into_response(answer)
}

/// The page that shows what a form would do.
fn page(request: &HttpRequest, told: &Told, is_another: bool, sent: Sent) -> Option<HttpResponse> {
    let services = request.app_data::<Data<Services>>()?.clone();
    let who = SignedIn::of(Visitor::of(request))?;
    let form = Form::from_urlencoded(&sent.body).ok()?;
    let (target, at) = (target(request), services.clock().now());
    let world = services.world(DEFAULT_ACCOUNT).ok()?;
    let act = Act::of(&target, &form, told, &world);
    let mut panel = Panel::new(told, &services);
    (panel.flash, panel.more_flash) = sent.choices.rows(&told.staying, Some(&world));
    panel.keeps_in_profile = removed(&target, &form).is_some();
    // A value that keeps a parameter in its profile makes another change of it, and is no surprise.
    let is_another = is_another && !(sent.is_chosen && sent.kept_in_profile(&target).is_some());
    let body = joined(&sent.body, sent.choices.fields()).to_vec();
    let word = services.waiting_forms().put(Waiting { owner: who.person.id, target: target.clone(), body, at });
    let mut page = who.page(act.title.as_str());
    page.impact = Some(Arc::new(panel));
    let (wrong, back) = (sent.choices.errors(), sent.back.as_str().to_owned());
    let status = if wrong.is_rejected() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Some(html_with(status, &ImpactPage { page, action: target, act, word, is_another, wrong, back }))
}

/// The parameter that a form takes out of a profile.
fn removed<'f>(target: &str, form: &'f Form) -> Option<&'f str> {
    let is_of_parameters = target.starts_with("/admin/profiles/") && target.ends_with("/parameters");
    (is_of_parameters && form.is("do", "remove")).then(|| form.value("name").trim())
}

impl Panel {
    /// What a change does, in words and rows.
    pub fn new(told: &Told, services: &Services) -> Self {
        let foresight = &told.foresight;
        let rest = foresight.groups.get(GROUPS..).unwrap_or_default();
        let more_devices = rest.iter().map(|group| group.devices.len()).sum();
        let (flash, more_flash) = Choices::default().rows(&told.staying, None);
        Self {
            mark: told.mark.clone(),
            sentence: sentence(&told.foresight),
            also: told.foresight.rearrangement.sentences(),
            groups: foresight.groups.iter().take(GROUPS).map(|group| PanelGroup::new(group, services)).collect(),
            more: rest.len(),
            more_devices: words::count(more_devices, "device", "devices"),
            flash,
            more_flash,
            keeps_in_profile: false,
            downgrades: foresight.downgrades.iter().map(Downgrade::told).collect(),
        }
    }
}

/// What was made by a request, for the message after it: the devices that its person was shown before.
pub fn made(consent: &Consent) -> Option<String> {
    consent.agreed().and_then(|told| changed(&told.foresight)).map(|changed| format!("{changed}."))
}

/// Which devices get other values; none where none does.
fn changed(foresight: &Foresight) -> Option<String> {
    match foresight.changed() {
        0 => None,
        1 => Some("1 device gets other values when it next comes".to_owned()),
        number => Some(format!("{number} devices get other values when they next come")),
    }
}

fn sentence(foresight: &Foresight) -> String {
    let Some(changed) = changed(foresight) else {
        let others =
            if foresight.removed > 0 { "No other device gets other values." } else { "No parameter of any device changes." };
        return others.to_owned();
    };
    let (assumed, may) = (foresight.assumed(), foresight.with(Effect::MayRestart));
    let restart = |number: usize, how: &str| match number {
        0 => None,
        1 => Some(format!("1 of them restarts{how}")),
        number => Some(format!("{number} of them restart{how}")),
    };
    let told = [
        restart(foresight.with(Effect::Restart) - assumed, ""),
        restart(assumed, " (assumed)"),
        (may > 0).then(|| format!("{may} may restart")),
    ];
    match told.into_iter().flatten().collect::<Vec<_>>().join(", ") {
        nothing if nothing.is_empty() => format!("{changed}. None of them restarts."),
        told => format!("{changed}; {told}."),
    }
}

fn effect(effect: Effect, is_assumed: bool) -> (&'static str, &'static str) {
    match effect {
        Effect::Restart if is_assumed => ("restart (assumed)", "warn"),
        Effect::None => ("no restart", "ok"),
        Effect::MayRestart => ("may restart", "info"),
        Effect::Restart => ("restart", "warn"),
    }
}

impl PanelGroup {
    fn new(group: &Group, services: &Services) -> Self {
        let roster = services.roster(DEFAULT_ACCOUNT);
        let named = group.devices.iter().take(NAMED).map(|key| {
            let title = roster.find(key).map_or_else(|| key.to_string(), |one| words::title(&one.device));
            (format!("/admin/devices/{key}"), title)
        });
        let (word, tone) = effect(group.effect, group.is_assumed);
        Self {
            count: words::count(group.devices.len(), "device", "devices"),
            effect: word,
            tone,
            devices: named.collect(),
            more: group.devices.len().saturating_sub(NAMED),
            changes: group.changes.iter().take(PARAMETERS).map(PanelChange::new).collect(),
            more_changes: group.changes.len().saturating_sub(PARAMETERS),
        }
    }
}

impl PanelChange {
    fn new(change: &Change) -> Self {
        // Secrets are masked already.
        let shown = |value: &String| words::shortened(value, VALUE_CHARS);
        Self {
            name: change.name.clone(),
            old: change.old.as_ref().map(shown),
            new: change.new.as_ref().map(shown),
            effect: effect(change.effect, change.is_assumed).0,
        }
    }
}
