//! Pending moves: devices that came from no site's network any more, and what is decided about them (contract 5.6).

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::device::DeviceKey;
use crate::domain::ids::{DEFAULT_ACCOUNT, SiteId};
use crate::services::commit::Mode;
use crate::services::lists::Asked;
use crate::services::lists::moves::{LISTING, ListedMove};
use crate::services::sites::moves::{self, Answer};
use crate::services::{Services, lists};
use crate::web::admin::bulk::{BulkPage, Chosen, NAMED, Named};
use crate::web::admin::choices::{self, Among, Choices};
use crate::web::admin::columns::Columns;
use crate::web::admin::devices::site_choices;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::list_memory;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

const HERE: &str = "/admin/sites/moves";

/// The columns that may be hidden, by their word in the address. A device's name always stays.
const COLUMNS: [(&str, &str); 4] =
    [("key", "MAC or serial"), ("site", "Site that it keeps"), ("address", "Came from"), ("since", "Waits since")];

#[derive(Template)]
#[template(path = "sites/moves.html")]
struct MovesPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    rows: Vec<Row>,
    columns: Columns,
    /// Sites that devices wait at, to filter by.
    sites: Choices,
    /// All that wait, whatever the list shows.
    all: usize,
}

struct Row {
    key: String,
    title: String,
    site: String,
    site_id: SiteId,
    address: String,
    since: Timestamp,
}

/// `GET /admin/sites/moves`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    if let Some(elsewhere) = choices::of_filters(&request, &who, &[("site", Among::Sites)], &world) {
        return Ok(elsewhere);
    }
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    let waiting = moves::list(&services, DEFAULT_ACCOUNT);
    let all = waiting.len();
    let sites = waiting.iter().map(|listed| (listed.device.site_id(), 1)).collect();
    let found = lists::moves::list(&services, DEFAULT_ACCOUNT, &list.asked(&LISTING)).map_err(Failure::of(&who))?;
    let columns = list.columns(&COLUMNS);
    if list.is_file() {
        return Ok(columns.file("pending-moves", "Device Name", found.into_iter().map(row).map(cells)));
    }
    let pager = list.pager(found.len());
    let rows = found[pager.range()].iter().cloned().map(row).collect();
    let sites = site_choices(&world, sites);
    Ok(html(&MovesPage { page: who.page("Pending moves"), list, pager, rows, columns, sites, all }))
}

fn cells(row: Row) -> [String; 5] {
    let Row { key, title, site, address, since, .. } = row;
    [title, key, site, address, words::file_time(since)]
}

fn row(ListedMove { listed, site, since }: ListedMove) -> Row {
    Row {
        key: listed.device.key.to_string(),
        title: words::title(&listed.device),
        site,
        site_id: listed.device.site_id(),
        address: listed.sighting.public_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        since,
    }
}

/// `POST /admin/sites/moves`: decides about all that are ticked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let answer = if form.is("answer", "accept") { Answer::Accept } else { Answer::Decline };
    // Those that were deleted meanwhile, or decided about, wait no more.
    let roster = services.roster(DEFAULT_ACCOUNT);
    let find = |asked: &Asked| {
        let found = lists::moves::list(&services, DEFAULT_ACCOUNT, asked)?;
        Ok(found.into_iter().map(|one| one.listed.device.key.clone()).collect())
    };
    let chosen = Chosen::of(&form, &LISTING, |key: &DeviceKey| roster.find(key).is_some(), find).map_err(Failure::of(&who))?;
    if chosen.is_empty() {
        return Ok(who.not_done(HERE, "Tick the rows first."));
    }
    if !chosen.may_pass(&form) {
        return Ok(ask(&chosen, answer, &form, &who, &services));
    }
    let keys = chosen.keys;
    let actor = who.actor.clone();
    let decide = move |services: &Services| moves::decide(services, &actor, DEFAULT_ACCOUNT, &keys, answer, Mode::Keep);
    let decided = blocking::call(&services, decide).await.map_err(Failure::of(&who))?;
    if decided == 0 {
        return Ok(who.not_done(HERE, "Nothing was done: none of these devices waits any more."));
    }
    let devices = words::count(decided, "device", "devices");
    Ok(who.done(
        HERE,
        match answer {
            Answer::Accept => format!("Moved to Internet: {devices}."),
            Answer::Decline => format!("Kept at its site: {devices}. Nobody is asked again before it came from somewhere else."),
        },
    ))
}

fn ask(chosen: &Chosen<DeviceKey>, answer: Answer, form: &Form, who: &SignedIn, services: &Services) -> HttpResponse {
    let (devices, roster) = (words::count(chosen.len(), "device", "devices"), services.roster(DEFAULT_ACCOUNT));
    let (title, sentence, word, verb) = match answer {
        Answer::Accept => (
            format!("Move {devices} to Internet?"),
            "They get what belongs to Internet when they next come, and no longer what their sites have.",
            "accept",
            "Move to Internet",
        ),
        Answer::Decline => (
            format!("Keep {devices} at their sites?"),
            "Nobody is asked about them again before they came from somewhere else.",
            "decline",
            "Keep at their site",
        ),
    };
    let named = |key: &DeviceKey| {
        let one = roster.find(key)?;
        Some(Named { href: format!("/admin/devices/{key}"), name: words::title(&one.device), note: key.to_string() })
    };
    let names: Vec<Named> = chosen.keys.iter().take(NAMED).filter_map(named).collect();
    html(&BulkPage {
        page: who.page(title),
        parents: vec![("/admin/sites".to_owned(), "Sites".to_owned()), (HERE.to_owned(), "Pending moves".to_owned())],
        more: chosen.len().saturating_sub(names.len()),
        names,
        sentences: vec![sentence.to_owned()],
        closing: "",
        question: chosen.question(form),
        fields: vec![("answer".to_owned(), word.to_owned())],
        action: HERE.to_owned(),
        verb: verb.to_owned(),
        is_harmless: true,
        back: HERE.to_owned(),
    })
}
