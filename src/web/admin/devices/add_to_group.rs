//! Adding the ticked devices of the Device Monitor to a group: which one is asked first.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::domain::device::DeviceKey;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::services::commit::Mode;
use crate::services::membership::MemberChange;
use crate::services::{Services, membership};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::groups::told;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::next::LocalPath;
use crate::web::admin::paging::PER_PAGE_MOST;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// Devices that are named; the rest are counted.
const NAMED: usize = 20;

#[derive(Template)]
#[template(path = "devices/add_to_group.html")]
struct AddToGroupPage {
    page: Page,
    form: Form,
    /// Key and name of the first devices.
    shown: Vec<(String, String)>,
    more: usize,
    keys: Vec<String>,
    /// Groups to choose from: id and name.
    groups: Vec<(String, String)>,
    back: String,
}

/// `POST /admin/devices/groups`: asks which group, or does it where one was chosen.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let back = LocalPath::parse(form.value("back")).map_or_else(|| "/admin/devices".to_owned(), |path| path.as_str().to_owned());
    let roster = services.roster(DEFAULT_ACCOUNT);
    let keys: BTreeSet<DeviceKey> = form.values("select").filter_map(|text| text.parse().ok()).take(PER_PAGE_MOST).collect();
    let there: Vec<_> = keys.iter().filter_map(|key| roster.find(key)).collect();
    if there.is_empty() {
        return Ok(who.not_done(&back, "Tick the devices to add first."));
    }
    let Ok(group) = form.value("group").parse::<GroupId>() else {
        let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
        let mut groups: Vec<_> = world.groups.values().map(|group| (group.id.to_string(), group.name.to_string())).collect();
        groups.sort_by_cached_key(|(_, name)| name.to_lowercase());
        groups.insert(0, (String::new(), "Choose one".to_owned()));
        let shown = there.iter().take(NAMED).map(|one| (one.device.key.to_string(), words::title(&one.device)));
        return Ok(html(&AddToGroupPage {
            page: who.page(format!("Add {} to a group", words::count(there.len(), "device", "devices"))),
            form: Form::default(),
            shown: shown.collect(),
            more: there.len().saturating_sub(NAMED),
            keys: there.iter().map(|one| one.device.key.to_string()).collect(),
            groups,
            back,
        }));
    };
    let actor = who.actor.clone();
    let wanted = MemberChange { add: there.iter().map(|one| one.device.key.clone()).collect(), ..MemberChange::default() };
    let change = move |services: &Services| membership::change(services, &actor, DEFAULT_ACCOUNT, group, &wanted, Mode::Keep);
    let changed = blocking::call(&services, change).await.map_err(Failure::of(&who))?;
    Ok(who.done(&back, told(&changed)))
}
