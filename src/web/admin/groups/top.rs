//! Set to Top Priority: one group becomes the first of each of its members (R102).

use actix_web::{HttpRequest, HttpResponse, web};

use super::{delete, head};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::commit::Mode;
use crate::services::{Services, membership};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{ConfirmPage, html};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// `GET /admin/groups/top?select=…`
pub async fn ask(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let form = Form::from_urlencoded(request.query_string().as_bytes()).unwrap_or_default();
    run(&form, who, services, Mode::TryOut).await
}

/// `POST /admin/groups/top`: asks, or does it where it was asked.
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let mode = if form.is("confirmed", "yes") { Mode::Keep } else { Mode::TryOut };
    run(&form, who, services, mode).await
}

async fn run(form: &Form, who: SignedIn, services: web::Data<Services>, mode: Mode) -> Result<HttpResponse, Failure> {
    if let [one] = form.values("select").collect::<Vec<_>>().as_slice() {
        head::find(&services, &who, one)?;
    }
    let chosen = delete::chosen(form, &who, &services)?;
    let (1, Some(id)) = (chosen.len(), chosen.keys.first()) else {
        return Ok(who.not_done("/admin/groups", "Tick one device group: only one can be the first of a device."));
    };
    let (group, _) = head::find(&services, &who, &id.to_string())?;
    let (actor, id) = (who.actor.clone(), group.id);
    let set = move |services: &Services| membership::set_to_top(services, &actor, DEFAULT_ACCOUNT, id, mode);
    let (members, moved) = blocking::call(&services, set).await.map_err(Failure::of(&who))?;
    let back = format!("/admin/groups/{id}");
    if moved.is_empty() {
        return Ok(who.done(&back, "It is the first group of each of its devices already."));
    }
    if mode == Mode::Keep {
        let devices = words::count(moved.len(), "device", "devices");
        return Ok(who.done(&back, format!("It is the first group of {devices} more.")));
    }
    Ok(html(&ConfirmPage {
        page: who.page(format!("Set {} to top priority?", group.name)),
        sentences: vec![
            format!(
                "It has {}. For {} of them it is not the first group yet; it becomes the first, and their other groups keep their \
                 order.",
                words::count(members, "device", "devices"),
                moved.len()
            ),
            "What its profiles say then counts before what the profiles of their other groups say.".to_owned(),
        ],
        action: "/admin/groups/top".to_owned(),
        fields: vec![("select".to_owned(), id.to_string()), ("confirmed".to_owned(), "yes".to_owned())],
        choices: Vec::new(),
        verb: "Set to Top Priority",
        is_harmless: true,
        back,
    }))
}
