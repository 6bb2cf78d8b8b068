//! Saving a site, whichever of its pages the form stands on. Where devices would move it asks first, naming them; nothing is written
//! until somebody says yes (contract 5.15).

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::site::Site;
use crate::domain::site::draft::{NetworkInput, SiteDraft, SiteInput};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::sites::placing::Moves;
use crate::services::sites::{self, Saved, Shown};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{ConfirmPage, html};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// Devices that are named; the rest are counted.
const NAMED: usize = 20;

/// What came of a form.
pub enum Outcome {
    /// It is done; the message says what.
    Done(Site, String),
    /// It is to be confirmed.
    Ask(HttpResponse),
    /// Fields break rules.
    Rejected(FieldErrors),
    /// Somebody else changed the site since it was shown.
    Conflict(Arc<Site>),
}

/// A site as somebody would have typed it.
pub fn typed(site: &Site) -> SiteInput {
    let network = |network: &crate::domain::site::Network| NetworkInput {
        public: network.public.to_string(),
        private: network.private.iter().map(ToString::to_string).collect(),
    };
    SiteInput {
        name: site.name.to_string(),
        description: site.description.clone(),
        location: site.location.clone(),
        networks: site.networks.iter().map(network).collect(),
        time_zone: site.time_zone.clone().unwrap_or_default(),
        polling_window: site.polling_window,
        download_path: site.download_path.as_ref().map(ToString::to_string).unwrap_or_default(),
        site_specific: site.site_specific,
    }
}

/// Adds a site, or changes the one given. `action` is where the form goes and `back` where *Cancel* leads.
pub async fn save(
    who: &SignedIn,
    services: &web::Data<Services>,
    site: Option<&Site>,
    input: &SiteInput,
    form: &Form,
    (action, back): (String, String),
) -> Result<Outcome, Failure> {
    let draft = match SiteDraft::parse(input) {
        Ok(draft) => draft,
        Err(errors) => return Ok(Outcome::Rejected(errors)),
    };
    let shown = site.map(|site| Shown { id: site.id, revision: form.value("revision").parse().unwrap_or_default() });
    let actor = who.actor.clone();
    let is_confirmed = form.is("confirmed", "yes");
    let work = move |services: &Services| {
        let act = |mode| match shown {
            Some(shown) => sites::update(services, &actor, DEFAULT_ACCOUNT, shown, draft.clone(), mode),
            None => sites::create(services, &actor, DEFAULT_ACCOUNT, vec![draft.clone()], mode),
        };
        let tried = if is_confirmed { None } else { Some(act(Mode::TryOut)?) };
        match tried {
            Some(tried) if !tried.moves.0.is_empty() => Ok((tried, Mode::TryOut)),
            _ => Ok((act(Mode::Keep)?, Mode::Keep)),
        }
    };
    match blocking::call(services, work).await {
        Ok((saved, Mode::Keep)) => {
            let message = message(&saved, if site.is_some() { "Updated." } else { "The site is added." });
            let site = saved.sites.into_iter().next();
            let site = site.ok_or_else(|| Failure::not_found(who, "site", input.name.clone()))?;
            Ok(Outcome::Done(site, message))
        }
        Ok((tried, Mode::TryOut)) => Ok(Outcome::Ask(ask(who, &tried, form, action, back))),
        Err(ServiceError::Invalid(errors)) => Ok(Outcome::Rejected(errors)),
        Err(ServiceError::Conflict(_)) if shown.is_some_and(|shown| is_stale(services, shown)) => {
            let id = shown.map(|shown| shown.id).unwrap_or(crate::domain::site::INTERNET);
            Ok(Outcome::Conflict(sites::get(services, DEFAULT_ACCOUNT, id).map_err(Failure::of(who))?))
        }
        Err(error) => Err(Failure::new(who, error)),
    }
}

fn is_stale(services: &Services, shown: Shown) -> bool {
    sites::get(services, DEFAULT_ACCOUNT, shown.id).is_ok_and(|now| now.revision != shown.revision && !now.is_internet())
}

/// What was done, how many devices moved, and what is to be looked at.
fn message(saved: &Saved, done: &str) -> String {
    let mut text = done.to_owned();
    for sentence in counts(&saved.moves, Tense::Done) {
        text.push(' ');
        text.push_str(&sentence);
    }
    for warning in saved.warnings() {
        text.push_str(&format!(" {warning}."));
    }
    text
}

/// Whether it was done or would be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tense {
    /// It was.
    Done,
    /// It would be.
    Asked,
}

/// How many devices go where, one sentence a site.
pub fn counts(moves: &Moves, tense: Tense) -> Vec<String> {
    let sentence = |((to, waits), count): ((&str, bool), usize)| match (waits, tense, count) {
        (false, Tense::Done, 1) => format!("1 device moved to {to}."),
        (false, Tense::Done, _) => format!("{count} devices moved to {to}."),
        (false, Tense::Asked, 1) => format!("1 device moves to {to}."),
        (false, Tense::Asked, _) => format!("{count} devices move to {to}."),
        (true, _, 1) => "1 device is in no site's network any more: it keeps its site and waits under Pending moves.".to_owned(),
        (true, _, _) => {
            format!("{count} devices are in no site's network any more: they keep their site and wait under Pending moves.")
        }
    };
    moves.counts().into_iter().map(sentence).collect()
}

/// The first devices that move, by name, and how many more there are.
pub fn named(moves: &Moves) -> Option<String> {
    let names: Vec<String> = moves.0.iter().take(NAMED).map(|one| format!("{} (from {})", one.label, one.from)).collect();
    let more = moves.0.len().saturating_sub(NAMED);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    (!names.is_empty()).then(|| format!("{}{rest}.", names.join(", ")))
}

fn ask(who: &SignedIn, tried: &Saved, form: &Form, action: String, back: String) -> HttpResponse {
    let waiting = tried.moves.0.iter().filter(|one| one.waits).count();
    let moving = tried.moves.0.len() - waiting;
    let mut sentences: Vec<String> = named(&tried.moves).into_iter().collect();
    if moving > 0 {
        sentences.push("Who moves gets what the new site gives when it next comes.".to_owned());
    }
    if waiting > 0 {
        sentences.push(
            "Who would leave all sites keeps its site, and what it gets there, until you decide under Pending moves.".to_owned(),
        );
    }
    sentences.extend(tried.warnings().map(|warning| format!("{warning}.")));
    let carried = form.pairs().filter(|(name, _)| *name != "csrf" && *name != "confirmed");
    let mut fields: Vec<(String, String)> = carried.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    fields.push(("confirmed".to_owned(), "yes".to_owned()));
    let devices = |count| words::count(count, "device", "devices");
    let title = match (moving, waiting) {
        (0, waiting) => format!("Save, and ask about {} that no site has any more?", devices(waiting)),
        (moving, 0) => format!("Save, and move {}?", devices(moving)),
        (moving, waiting) => format!("Save, move {}, and ask about {waiting} more?", devices(moving)),
    };
    html(&ConfirmPage {
        page: who.page(title),
        sentences,
        action,
        fields,
        choices: Vec::new(),
        verb: "Save",
        is_harmless: true,
        back,
    })
}
