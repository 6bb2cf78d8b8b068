//! The addresses that were handed out: who still uses which, and taking one away (contract 3, R186).

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;

use super::HERE;
use crate::services::Services;
use crate::services::address::Address;
use crate::services::addresses::{self, Answered, HandedOut};
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{ConfirmPage, html};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// Devices that are named before an address is taken away.
const NAMED: usize = 20;

/// A row of the list.
pub(super) struct Row {
    pub(super) url: String,
    /// Its place in words: told now, told before, or found by phones themselves.
    pub(super) standing: &'static str,
    pub(super) devices: String,
    pub(super) since: Option<Timestamp>,
    pub(super) last_used: Option<Timestamp>,
    pub(super) unanswered: Option<&'static str>,
    /// Where it can be taken away.
    pub(super) remove_href: Option<String>,
}

/// The rows of the page.
pub(super) fn rows(services: &Services, address: &Address) -> Result<Vec<Row>, ServiceError> {
    Ok(addresses::list(services, &Answered::now(services, address))?.into_iter().map(Row::of).collect())
}

impl Row {
    fn of(one: HandedOut) -> Self {
        let removable = one.was_told && !one.is_current;
        let query = || form_urlencoded::Serializer::new(String::new()).append_pair("url", &one.url).finish();
        Self {
            standing: match (one.is_current, one.was_told) {
                (true, _) => "Told to phones now",
                (false, true) => "Told to phones before",
                (false, false) => "Never told: phones have it from elsewhere, such as DHCP",
            },
            devices: words::count(one.devices.len(), "device", "devices"),
            since: one.since,
            last_used: one.last_used,
            unanswered: one.unanswered,
            remove_href: removable.then(|| format!("{HERE}/addresses/remove?{}", query())),
            url: one.url,
        }
    }
}

/// `GET /admin/provisioning/addresses/remove?url=…`: who would be lost.
pub async fn ask(
    request: HttpRequest,
    who: SignedIn,
    services: web::Data<Services>,
    address: web::Data<Address>,
) -> Result<HttpResponse, Failure> {
    let query = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    let url = query.value("url").to_owned();
    let list = move |services: &Services| addresses::list(services, &Answered::now(services, &address));
    let all = blocking::call(&services, list).await.map_err(Failure::of(&who))?;
    let found = all.into_iter().find(|one| one.url == url && one.was_told);
    let Some(found) = found else { return Err(Failure::not_found(&who, "provisioning address", &url)) };
    if found.is_current {
        return Ok(who.not_done(HERE, "Phones are told this address now. Give them another one first."));
    }
    let mut sentences =
        vec![format!("{} is no longer listed, and the certificate leaves it out when it is next renewed.", found.url)];
    match found.devices.len() {
        0 => sentences.push("No device came by it the last time it came.".to_owned()),
        count => {
            let named: Vec<&str> = found.devices.iter().take(NAMED).map(|one| one.label.as_str()).collect();
            let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
            let which = words::count(count, "device", "devices");
            sentences.push(format!("{which} came by it the last time: {}{more}.", named.join(", ")));
            sentences.push("Once it is not answered any more they keep what they have and get nothing new, until somebody gives them the present address by hand or by DHCP.".to_owned());
        }
    }
    Ok(html(&ConfirmPage {
        page: who.page("Take this address away?"),
        sentences,
        action: format!("{HERE}/addresses/remove"),
        fields: vec![("url".to_owned(), found.url)],
        choices: Vec::new(),
        verb: "Take it away",
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}

/// `POST /admin/provisioning/addresses/remove`: whoever presses this was told who comes by it.
pub async fn remove(
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
    address: web::Data<Address>,
) -> Result<HttpResponse, Failure> {
    let (actor, url) = (who.actor.clone(), form.value("url").to_owned());
    let remove = move |services: &Services| {
        addresses::remove(services, &actor, &Answered::now(services, &address), &url, true, Mode::Keep)
    };
    match blocking::call(&services, remove).await {
        Ok(removed) => Ok(who.done(HERE, format!("{} is taken away.", removed.url))),
        Err(ServiceError::Conflict(words)) => Ok(who.not_done(HERE, words)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}
