//! Adding the ticked devices of the Device Monitor to a group: which one is asked first.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::list;
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId};
use crate::services::commit::Mode;
use crate::services::membership::MemberChange;
use crate::services::{Services, membership};
use crate::web::admin::bulk::{NAMED, Question};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::groups::told;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::next::LocalPath;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "devices/add_to_group.html")]
struct AddToGroupPage {
    page: Page,
    form: Form,
    /// Key and name of the first devices.
    shown: Vec<(String, String)>,
    more: usize,
    question: Question,
    /// Groups to choose from: id and name.
    groups: Vec<(String, String)>,
    back: String,
}

/// `POST /admin/devices/groups`: asks which group, or does it where one was chosen.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let back = LocalPath::parse(form.value("back")).map_or_else(|| "/admin/devices".to_owned(), |path| path.as_str().to_owned());
    let chosen = list::chosen(&form, &who, &services)?;
    if chosen.is_empty() {
        return Ok(who.not_done(&back, "Tick the devices to add first."));
    }
    let group = form.value("group").parse::<GroupId>().ok().filter(|_| chosen.may_pass(&form));
    let Some(group) = group else {
        let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
        let mut groups: Vec<_> = world.groups.values().map(|group| (group.id.to_string(), group.name.to_string())).collect();
        groups.sort_by_cached_key(|(_, name)| name.to_lowercase());
        groups.insert(0, (String::new(), "Choose one".to_owned()));
        let roster = services.roster(DEFAULT_ACCOUNT);
        let named = chosen.keys.iter().take(NAMED).filter_map(|key| roster.find(key));
        let shown = named.map(|one| (one.device.key.to_string(), words::title(&one.device)));
        return Ok(html(&AddToGroupPage {
            page: who.page(format!("Add {} to a group", words::count(chosen.len(), "device", "devices"))),
            form: Form::filled([("group", form.value("group"))]),
            shown: shown.collect(),
            more: chosen.len().saturating_sub(NAMED),
            question: chosen.question(&form),
            groups,
            back,
        }));
    };
    let actor = who.actor.clone();
    let wanted = MemberChange { add: chosen.keys, ..MemberChange::default() };
    let change = move |services: &Services| membership::change(services, &actor, DEFAULT_ACCOUNT, group, &wanted, Mode::Keep);
    let changed = blocking::call(&services, change).await.map_err(Failure::of(&who))?;
    Ok(who.done(&back, told(&changed)))
}
