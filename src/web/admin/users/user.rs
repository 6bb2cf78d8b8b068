//! One user: role, whether the person may sign in, where the person is signed in, a new invitation, and the end.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::add::InvitedPage;
use super::{HERE, choices, invitation_link, meanings};
use crate::domain::activity::SERVER;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::ids::UserId;
use crate::domain::user::{Role, User};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::users::{self, DeletedUser, UserChange};
use crate::services::{invitations, second_factor, sign_in, tokens};
use crate::web::admin::account::{self, OpenSession};
use crate::web::admin::conflict::{self, Conflict, Differing};
use crate::web::admin::errors;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{ConfirmPage, Page, html, html_rejected, html_with};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "users/user.html")]
struct UserPage {
    page: Page,
    user: User,
    is_self: bool,
    form: Form,
    conflict: Option<Conflict>,
    choices: Vec<(&'static str, &'static str)>,
    roles: Vec<(&'static str, &'static str)>,
    sessions: Vec<OpenSession>,
    /// Names of the API tokens that the user made.
    tokens: Vec<String>,
}

async fn find(who: &SignedIn, services: &web::Data<Services>, id: &str) -> Result<User, Failure> {
    let Ok(id) = id.parse::<UserId>() else { return Err(Failure::not_found(who, "user", id)) };
    blocking::call(services, move |services| users::get(services, id)).await.map_err(Failure::of(who))
}

async fn user_page(who: &SignedIn, services: &web::Data<Services>, user: User, form: Form) -> Result<UserPage, Failure> {
    let own = blocking::call(services, |services| tokens::list(services, DEFAULT_ACCOUNT)).await.map_err(Failure::of(who))?;
    let own = own.into_iter().filter(|token| token.made_by == Some(user.id));
    Ok(UserPage {
        page: who.page(user.name.clone()),
        is_self: user.id == who.person.id,
        form,
        conflict: None,
        choices: choices(Role::Owner),
        roles: meanings(),
        sessions: account::open_sessions(who, services, user.id),
        tokens: own.map(|token| token.name).collect(),
        user,
    })
}

/// The form as the user is, with the revision that it is typed for.
fn filled(user: &User) -> Form {
    let fields = stored(user).map(|(name, _, value)| (name, value));
    Form::filled(fields.into_iter().chain([("revision", user.revision.to_string())]))
}

/// The fields of the form: name, label, and what is stored.
fn stored(user: &User) -> [(&'static str, &'static str, String); 4] {
    let access = if user.is_enabled() { "on" } else { "off" };
    [
        ("name", "Name", user.name.clone()),
        ("email", "E-mail", user.email.clone()),
        ("role", "Role", user.role.word().to_owned()),
        ("sign_in", "Sign-in", access.to_owned()),
    ]
}

/// `GET /admin/users/{id}`
pub async fn show(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let user = find(&who, &services, &id).await?;
    let form = filled(&user);
    Ok(html(&user_page(&who, &services, user, form).await?))
}

/// `POST /admin/users/{id}`
pub async fn save(
    who: SignedIn,
    id: web::Path<String>,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let user = find(&who, &services, &id).await?;
    let (actor, id) = (who.actor.clone(), user.id);
    let changed = match wanted(&form) {
        Ok(wanted) => blocking::call(&services, move |services| users::change(services, &actor, id, &wanted, Mode::Keep)).await,
        Err(errors) => Err(errors.into()),
    };
    let form = match changed {
        Ok(user) => return Ok(who.done(HERE, format!("{} is saved.", user.name))),
        Err(ServiceError::Invalid(errors)) => form.rejected(&errors),
        Err(ServiceError::Conflict(why)) => {
            let user = find(&who, &services, &id.to_string()).await?;
            match revision(&form) == user.revision {
                true => form.refused(why),
                false => return overtaken(&who, &services, user, form).await,
            }
        }
        Err(error) => return Err(Failure::new(&who, error)),
    };
    Ok(html_rejected(&user_page(&who, &services, user, form).await?))
}

/// The page for whoever saved after somebody else: what was typed, with the newest revision.
async fn overtaken(who: &SignedIn, services: &web::Data<Services>, user: User, mut form: Form) -> Result<HttpResponse, Failure> {
    let missed = user.revision.saturating_sub(revision(&form));
    let differing = Differing::between(&form, stored(&user));
    let conflict = Conflict::new(services, who, SERVER, missed, conflict::of_user(&user.name), differing).await?;
    form.set("revision", user.revision.to_string());
    let mut page = user_page(who, services, user, form).await?;
    page.conflict = Some(conflict);
    Ok(html_with(StatusCode::CONFLICT, &page))
}

/// The revision that a form was typed for. One that tells none belongs to no revision.
fn revision(form: &Form) -> u64 {
    form.value("revision").parse().unwrap_or_default()
}

fn wanted(form: &Form) -> Result<UserChange, FieldErrors> {
    let mut errors = FieldErrors::new();
    let role = form.text("role").and_then(|word| errors.take("role", word.parse()));
    errors.into_result(Some(UserChange {
        revision: Some(revision(form)),
        // An emptied field is an error to be told, not a field that stays.
        name: Some(form.value("name").to_owned()),
        email: Some(form.value("email").to_owned()),
        role,
        enabled: form.text("sign_in").map(|word| word == "on"),
    }))
}

/// `GET /admin/users/{id}/delete`
pub async fn ask_delete(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let user = find(&who, &services, &id).await?;
    let (actor, id) = (who.actor.clone(), user.id);
    let tried = match blocking::call(&services, move |services| users::delete(services, &actor, id, Mode::TryOut)).await {
        Ok(tried) => tried,
        Err(ServiceError::Conflict(why)) => return Ok(who.not_done(&format!("{HERE}/{id}"), why)),
        Err(error) => return Err(Failure::new(&who, error)),
    };
    Ok(html(&ConfirmPage {
        page: who.page(format!("Delete {}?", user.name)),
        sentences: what_happens(&tried),
        action: format!("{HERE}/{}/delete", user.id),
        fields: Vec::new(),
        choices: Vec::new(),
        verb: "Delete",
        is_harmless: false,
        back: format!("{HERE}/{}", user.id),
    }))
}

/// What deleting a user does, in sentences.
fn what_happens(DeletedUser { user, tokens, views }: &DeletedUser) -> Vec<String> {
    let mut sentences =
        vec![format!("{} can sign in no more and is signed out everywhere. The activity log keeps the name.", user.email)];
    if !tokens.is_empty() {
        sentences.push(format!("API tokens that end with the user: {}. What uses them stops.", tokens.join(", ")));
    }
    for (names, one, several) in [
        (&views.passed_on, "shared view stays and becomes yours", "shared views stay and become yours"),
        (&views.ownerless, "shared view stays and belongs to nobody", "shared views stay and belong to nobody"),
        (&views.gone, "saved view that nobody else sees is deleted", "saved views that nobody else sees are deleted"),
    ] {
        if !names.is_empty() {
            sentences.push(format!("{}: {}.", words::count(names.len(), one, several), names.join(", ")));
        }
    }
    sentences
}

/// `POST /admin/users/{id}/delete`
pub async fn delete(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let user = find(&who, &services, &id).await?;
    let (actor, id) = (who.actor.clone(), user.id);
    match blocking::call(&services, move |services| users::delete(services, &actor, id, Mode::Keep)).await {
        Ok(DeletedUser { user, views, .. }) => {
            let yours = match views.passed_on.len() {
                0 => String::new(),
                number => format!(" {} yours now.", words::count(number, "shared view is", "shared views are")),
            };
            Ok(who.done(HERE, format!("{} is deleted.{yours}", user.name)))
        }
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&format!("{HERE}/{id}"), why)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `GET /admin/users/{id}/invite`
pub async fn ask_invite(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let user = find(&who, &services, &id).await?;
    Ok(html(&ConfirmPage {
        page: who.page(format!("Make a link for {}?", user.name)),
        sentences: vec![
            "With it the person chooses a new password, once, within seven days. The password so far stays until then."
                .to_owned(),
            "A link from before is worth nothing any more.".to_owned(),
        ],
        action: format!("{HERE}/{}/invite", user.id),
        fields: Vec::new(),
        choices: Vec::new(),
        verb: "Make the link",
        is_harmless: true,
        back: format!("{HERE}/{}", user.id),
    }))
}

/// `POST /admin/users/{id}/invite`
pub async fn invite(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let user = find(&who, &services, &id).await?;
    let (actor, id) = (who.actor.clone(), user.id);
    let token = blocking::call(&services, move |services| invitations::invite(services, &actor, id, Mode::Keep));
    let link = invitation_link(&services, &token.await.map_err(Failure::of(&who))?);
    Ok(html(&InvitedPage { page: who.page("Invitation"), name: user.name, link }))
}

/// `GET /admin/users/{id}/second-factor`
pub async fn ask_reset(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let user = find(&who, &services, &id).await?;
    Ok(html(&ConfirmPage {
        page: who.page(format!("Take the second factor from {}?", user.name)),
        sentences: vec![
            "For somebody who lost the telephone and the recovery codes. Make sure that it is the person who asks.".to_owned(),
            "The person is signed out everywhere, signs in with the password alone, and can set it up anew.".to_owned(),
        ],
        action: format!("{HERE}/{}/second-factor", user.id),
        fields: Vec::new(),
        choices: Vec::new(),
        verb: "Take it away",
        is_harmless: false,
        back: format!("{HERE}/{}", user.id),
    }))
}

/// `POST /admin/users/{id}/second-factor`
pub async fn reset(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let user = find(&who, &services, &id).await?;
    let (actor, id, back) = (who.actor.clone(), user.id, format!("{HERE}/{}", user.id));
    match blocking::call(&services, move |services| second_factor::reset(services, &actor, id, Mode::Keep)).await {
        Ok(user) => Ok(who.done(&back, format!("The second factor of {} is off.", user.name))),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(&back, why)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `POST /admin/users/{id}/sessions/{session}/end`
pub async fn end_session(
    who: SignedIn,
    path: web::Path<(String, String)>,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (id, session) = path.into_inner();
    let user = find(&who, &services, &id).await?;
    let Some(key) = account::session_key(&session) else { return Ok(errors::not_found(who.visitor())) };
    let (actor, id) = (who.actor.clone(), user.id);
    let ended = blocking::call(&services, move |services| sign_in::end_of_other(services, &actor, id, key)).await;
    let back = format!("{HERE}/{id}");
    Ok(match ended.map_err(Failure::of(&who))? {
        true => who.done(&back, "The session has ended."),
        false => who.not_done(&back, "This session had ended already."),
    })
}
