//! Saying whose the ticked devices of the Device Monitor are: who is asked first (R156).

use actix_web::{HttpResponse, web};
use askama::Template;

use super::list;
use crate::domain::device::Owner;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::{Services, people_bulk};
use crate::web::admin::bulk::{NAMED, Question};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::next::LocalPath;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// People and rooms that are offered; whoever has more searches first.
const OFFERED: usize = 200;

/// The answer that takes the owner away.
const NOBODY: &str = "nobody";

#[derive(Template)]
#[template(path = "devices/owners.html")]
struct OwnersPage {
    page: Page,
    form: Form,
    /// Key and name of the first devices.
    shown: Vec<(String, String)>,
    more: usize,
    question: Question,
    /// People and rooms to choose from, as addresses have them, with their names.
    choices: Vec<(String, String)>,
    /// How many more there are than are offered.
    hidden: usize,
    /// What they are searched for.
    q: String,
    back: String,
}

/// `POST /admin/devices/owner`: asks whose they are, or says so where somebody was chosen.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let back = LocalPath::parse(form.value("back")).map_or_else(|| "/admin/devices".to_owned(), |path| path.as_str().to_owned());
    let chosen = list::chosen(&form, &who, &services)?;
    if chosen.is_empty() {
        return Ok(who.not_done(&back, "Tick the devices first."));
    }
    let owner: Option<Owner> = form.value("owner").parse().ok();
    let is_answered = owner.is_some() || form.is("owner", NOBODY);
    if !is_answered || form.is("do", "search") || !chosen.may_pass(&form) {
        let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
        let (choices, hidden) = choices(&world, form.value("q"));
        let roster = services.roster(DEFAULT_ACCOUNT);
        let named = chosen.keys.iter().take(NAMED).filter_map(|key| roster.find(key));
        let shown = named.map(|one| (one.device.key.to_string(), words::title(&one.device)));
        return Ok(html(&OwnersPage {
            page: who.page(format!("Whose are {}?", words::count(chosen.len(), "device", "devices"))),
            shown: shown.collect(),
            more: chosen.len().saturating_sub(NAMED),
            question: chosen.question(&form),
            choices,
            hidden,
            q: form.value("q").to_owned(),
            form: Form::filled([("owner", form.value("owner"))]),
            back,
        }));
    }
    let (actor, keys) = (who.actor.clone(), chosen.keys);
    let set = move |services: &Services| people_bulk::set_owners(services, &actor, DEFAULT_ACCOUNT, &keys, owner, Mode::Keep);
    let done = blocking::call(&services, set).await.map_err(Failure::of(&who))?;
    Ok(match done.added {
        0 => who.not_done(&back, "Nothing changed: they were so already."),
        count => {
            let devices = words::count(count, "device", "devices");
            who.done(&back, format!("Saved for {devices}."))
        }
    })
}

/// Who may own them, *nobody* first, and how many more there are.
fn choices(world: &World, q: &str) -> (Vec<(String, String)>, usize) {
    let search = crate::domain::text_search::TextSearch::new(q);
    let people = world.people.values().map(|one| (Owner::Person(one.id).to_string(), one.name.to_string()));
    let rooms = world.rooms.values().map(|one| (Owner::Room(one.id).to_string(), format!("Room {}", one.name)));
    let mut found: Vec<_> = people.chain(rooms).filter(|(_, name)| search.finds(&[name])).collect();
    found.sort_by_cached_key(|(_, name)| name.to_lowercase());
    let hidden = found.len().saturating_sub(OFFERED);
    found.truncate(OFFERED);
    let first = [(String::new(), "Choose one".to_owned()), (NOBODY.to_owned(), "Nobody".to_owned())];
    (first.into_iter().chain(found).collect(), hidden)
}
