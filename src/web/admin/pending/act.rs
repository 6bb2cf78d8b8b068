//! What people do about those who wait, one by one or many at once.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{HERE, click};
use crate::domain::device::DeviceKey;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::PENDING_AT_ONCE;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::lists::Asked;
use crate::services::lists::pending::LISTING;
use crate::services::pending::{self, Deed, Done, Outcome, Seen, Shown};
use crate::services::{Services, lists};
use crate::web::admin::bulk::{BulkPage, Chosen, NAMED, Named};
use crate::web::admin::errors;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{ConfirmPage, html};
use crate::web::admin::next::LocalPath;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// `POST /admin/pending`: does one thing about all that are ticked and can be, and names the others.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let Some(deed) = Deed::parse(form.value("deed")) else { return Ok(errors::not_found(who.visitor())) };
    let back = back(&form);
    let (keys, shown) = if form.is("scope", "matching") {
        // The addresses are those that the list names: the mark of the question holds them.
        let find =
            |asked: &Asked| Ok(lists::pending::list(&services, DEFAULT_ACCOUNT, asked).iter().map(lists::pending::row).collect());
        let chosen: Chosen<String> = Chosen::of(&form, &LISTING, |_| true, find).map_err(Failure::of(&who))?;
        if !chosen.is_empty() && !chosen.is_confirmed(&form) {
            return Ok(ask(&chosen, deed, &form, &who, back));
        }
        of_all(&chosen)
    } else {
        (selected(&form), shown(&form))
    };
    if keys.is_empty() {
        return Ok(who.not_done(&back, "Tick the rows first."));
    }
    let actor = who.actor.clone();
    let act =
        move |services: &Services| pending::act_as_shown(services, &actor, DEFAULT_ACCOUNT, deed, &keys, &shown, Mode::Keep);
    match blocking::call(&services, act).await {
        Ok(Outcome { done, left }) if left.is_empty() => Ok(who.done(&back, told(deed, &done))),
        Ok(Outcome { done, left }) => {
            let whys: Vec<&str> = left.iter().map(|(_, why)| why.as_str()).collect();
            Ok(who.done(&back, format!("{} Not done: {}.", told(deed, &done), together(&whys))))
        }
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&back, format!("Nothing was done: {why}."))),
        Err(ServiceError::Invalid(wrong)) => {
            let whys: Vec<&str> = wrong.iter().map(|error| error.message.as_str()).collect();
            Ok(who.not_done(&back, format!("Nothing was done: {}.", together(&whys))))
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// The keys of all rows that match, and from where each is listed.
fn of_all(chosen: &Chosen<String>) -> (Vec<DeviceKey>, Shown) {
    let rows = chosen.keys.iter().map(|row| row.split(' ').filter_map(click::parse).collect::<Vec<_>>());
    let rows: Vec<_> = rows.filter(|row| !row.is_empty()).collect();
    let mut shown: Shown = rows.iter().map(|row| (row[0].0.clone(), Seen::from(row[0].1))).collect();
    for (key, address) in rows.iter().flat_map(|row| &row[1..]) {
        shown.beside(key, [*address]);
    }
    (rows.into_iter().map(|mut row| row.swap_remove(0).0).collect(), shown)
}

fn ask(chosen: &Chosen<String>, deed: Deed, form: &Form, who: &SignedIn, back: String) -> HttpResponse {
    let (verb, sentence) = match deed {
        Deed::LetIn => {
            ("Let in", "Each is let in from the address that the list names, where that can be decided for many at once.")
        }
        Deed::Block => ("Block", "They are held and get no file until someone lifts the block."),
        Deed::Unblock => ("Unblock", "They are let in again when they next come, as their credentials allow."),
        _ => ("Do it", "What cannot be done about one of them as things stand is named afterwards."),
    };
    let verb = if deed == Deed::Dismiss { "Take off the list" } else { verb };
    let key = |row: &String| row.split('@').next().unwrap_or_default().to_owned();
    let named = |row: &String| Named {
        href: format!("/admin/unknown-phones/{}", key(row)),
        name: key(row),
        note: row
            .split(' ')
            .next()
            .and_then(|first| first.split_once('@'))
            .map_or_else(String::new, |(_, from)| format!("from {from}")),
    };
    let phones = words::count(chosen.len(), "phone", "phones");
    html(&BulkPage {
        page: who.page(format!("{verb}: {phones}?")),
        parents: vec![(HERE.to_owned(), "Pending".to_owned())],
        names: chosen.keys.iter().take(NAMED).map(named).collect(),
        more: chosen.len().saturating_sub(NAMED),
        sentences: vec![sentence.to_owned()],
        closing: "",
        question: chosen.question(form),
        fields: vec![("deed".to_owned(), deed.word().to_owned()), ("back".to_owned(), back.clone())],
        action: HERE.to_owned(),
        verb: verb.to_owned(),
        is_harmless: deed != Deed::Block,
        back,
    })
}

/// Reasons as one sentence: each that several have once, and not too many.
fn together(whys: &[&str]) -> String {
    let mut different: Vec<&str> = Vec::new();
    for why in whys {
        let why = why.trim_end_matches('.');
        if !different.contains(&why) {
            different.push(why);
        }
    }
    let more = different.len().saturating_sub(NAMED);
    let rest = if more == 0 { String::new() } else { format!("; and {more} more") };
    format!("{}{rest}", different[..different.len() - more].join("; "))
}

/// `GET /admin/pending/unbind?select=…`: asks before bound devices are opened to the shared credentials.
pub async fn ask_unbind(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    let (roster, book) = (services.roster(DEFAULT_ACCOUNT), services.trusts(DEFAULT_ACCOUNT));
    let bound: Vec<(DeviceKey, String)> = selected(&form)
        .into_iter()
        .filter(|key| book.of(key).bound_at.is_some())
        .filter_map(|key| roster.find(&key).map(|listed| (key, words::title(&listed.device))))
        .collect();
    let back = back(&form);
    let title = match bound.as_slice() {
        [] => return Ok(who.not_done(&back, "None of these devices is bound any more.")),
        [(_, one)] => format!("Unbind {one}?"),
        several => format!("Unbind {} devices?", several.len()),
    };
    let more = bound.len().saturating_sub(NAMED);
    let named: Vec<&str> = bound.iter().take(NAMED).map(|(_, name)| name.as_str()).collect();
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    let mut fields = vec![("deed".to_owned(), Deed::Unbind.word().to_owned()), ("back".to_owned(), back.clone())];
    fields.extend(bound.iter().map(|(key, _)| ("select".to_owned(), key.to_string())));
    Ok(html(&ConfirmPage {
        page: who.page(title),
        sentences: vec![
            format!("{}{rest}.", named.join(", ")),
            "From the network where each was last let in, whoever shows the shared credentials and its MAC address gets its \
             configuration again, until it has come twice with its own credentials."
                .to_owned(),
            "Do this where you know why they come with the shared credentials, for example after a reset of many phones. If you do \
             not, somebody else may have the shared credentials: change them as leaked instead."
                .to_owned(),
        ],
        action: HERE.to_owned(),
        fields,
        choices: Vec::new(),
        verb: "Unbind",
        is_harmless: false,
        back,
    }))
}

/// `POST /admin/pending/window`: opens the window for new phones, or closes it.
pub async fn set_window(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (actor, open) = (who.actor.clone(), form.is("open", "yes"));
    let set = move |services: &Services| pending::set_window(services, &actor, DEFAULT_ACCOUNT, open, Mode::Keep);
    blocking::call(&services, set).await.map_err(Failure::of(&who))?;
    let text = if open {
        "Phones that are first heard of from now on are let in for 30 minutes. Those that wait already need a click of their own."
    } else {
        "The window for new phones is closed."
    };
    Ok(who.done(HERE, text))
}

/// From where each key was shown to have knocked, as `KEY@ADDRESS`: `from` where it is decided about, and `also` beside that. `one`
/// says that it is the button of that address.
fn shown(form: &Form) -> Shown {
    let named = |field| form.values(field).filter_map(click::parse);
    let mut shown: Shown = named("from").map(|(key, address)| (key, Seen::from(address))).collect();
    for (key, address) in named("also") {
        shown.beside(&key, [address]);
    }
    // The bar below the list is for rows as they stand, were it one alone.
    if form.is("one", "yes") { shown.pointed_at() } else { shown }
}

fn selected(form: &Form) -> Vec<DeviceKey> {
    let mut keys: Vec<DeviceKey> = form.values("select").filter_map(|text| text.parse().ok()).collect();
    keys.sort();
    keys.dedup();
    keys.truncate(PENDING_AT_ONCE);
    keys
}

fn back(form: &Form) -> String {
    LocalPath::parse(form.value("back")).map_or_else(|| HERE.to_owned(), |path| path.as_str().to_owned())
}

/// What was done, and what happens next.
fn told(deed: Deed, done: &[Done]) -> String {
    let (who, is, it) = match done {
        [one] => (one.key.to_string(), "is", "it next asks"),
        several => (format!("{} phones", several.len()), "are", "they next ask"),
    };
    let place = match done {
        [Done { address: Some(address), .. }] => address.to_string(),
        _ => "the address that was shown".to_owned(),
    };
    match deed {
        Deed::LetIn => format!("{who} {is} let in when {it} from {place}: by itself within an hour, or at a restart."),
        Deed::Block => format!("{who} {is} blocked."),
        Deed::Unblock => format!("{who} {is} unblocked."),
        Deed::Unbind => {
            format!("{who} {is} unbound: the shared credentials open {} again.", if done.len() == 1 { "it" } else { "them" })
        }
        Deed::Expect => format!("{who} {is} expected back for 24 hours."),
        Deed::ExpectNoMore => format!("{who} {is} not expected back any more."),
        Deed::ConfirmModel => format!("{who} {is} taken for the model that the phone tells."),
        Deed::Dismiss => format!("{who} {is} off the list and not waited for, until the next time."),
    }
}
