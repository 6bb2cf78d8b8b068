//! API tokens of the account: made and shown once, listed by their first characters, revoked.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::columns::Columns;
use super::failure::Failure;
use super::forms::Form;
use super::layout::{ConfirmPage, Page, html, html_rejected};
use super::paging::{ListQuery, Pager};
use super::session::SignedIn;
use super::users::choices;
use super::{list_memory, words};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::{TOKEN_DAYS, TOKEN_DAYS_MOST};
use crate::domain::token::Token;
use crate::domain::user::Role;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::lists::tokens::LISTING;
use crate::services::tokens::{self, TokenDraft};
use crate::services::{Services, lists};
use crate::web::blocking;
use crate::web::methods::Routes;

const HERE: &str = "/admin/tokens";

/// The columns that may be hidden, by their word in the address. A token's name always stays.
const COLUMNS: [(&str, &str); 5] =
    [("role", "Role"), ("prefix", "Begins with"), ("made", "Made"), ("ends", "Ends"), ("used", "Last used")];

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct ListPage {
    page: Page,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
    tokens: Vec<Token>,
    /// Tokens of the account, whatever the list shows.
    all: usize,
    form: Form,
    choices: Vec<(&'static str, &'static str)>,
    /// How many days a token may live.
    days_hint: String,
}

/// A token that is shown this once.
#[derive(Template)]
#[template(path = "tokens/made.html")]
struct MadePage {
    page: Page,
    token: Token,
    text: String,
}

/// The addresses of the tokens.
pub fn configure(routes: &mut Routes) {
    routes.get(HERE, show).post(HERE, make).get("/admin/tokens/{id}/revoke", ask).post("/admin/tokens/{id}/revoke", revoke);
}

/// The tokens that a list shows, in its order, and how many there are.
async fn found(who: &SignedIn, services: &web::Data<Services>, list: &ListQuery) -> Result<(Vec<Token>, usize), Failure> {
    let asked = list.asked(&LISTING);
    let found = blocking::call(services, move |services| lists::tokens::list(services, DEFAULT_ACCOUNT, &asked)).await;
    found.map_err(Failure::of(who))
}

fn cells(token: &Token) -> [String; 6] {
    let Token { name, role, prefix, created_at, expires_at, last_used_at, .. } = token;
    let used = last_used_at.map(words::file_time).unwrap_or_default();
    [name.clone(), role.label().to_owned(), prefix.clone(), words::file_time(*created_at), words::file_time(*expires_at), used]
}

async fn list_page(who: &SignedIn, services: &web::Data<Services>, list: ListQuery, form: Form) -> Result<ListPage, Failure> {
    let (mut tokens, all) = found(who, services, &list).await?;
    let pager = list.pager(tokens.len());
    Ok(ListPage {
        page: who.page("API Tokens"),
        columns: list.columns(&COLUMNS),
        tokens: tokens.drain(pager.range()).collect(),
        list,
        pager,
        all,
        form,
        choices: choices(who.person.role),
        days_hint: format!("1 to {TOKEN_DAYS_MOST}."),
    })
}

async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = match list_memory::enter(&who, &request, LISTING.sorts) {
        Ok(list) => list,
        Err(as_it_was) => return Ok(*as_it_was),
    };
    if list.is_file() {
        let (tokens, _) = found(&who, &services, &list).await?;
        return Ok(list.columns(&COLUMNS).file("tokens", "Name", tokens.iter().map(cells)));
    }
    let form = Form::filled([("role", Role::Viewer.word().to_owned()), ("days", TOKEN_DAYS.to_string())]);
    Ok(html(&list_page(&who, &services, list, form).await?))
}

async fn make(request: HttpRequest, who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let actor = who.actor.clone();
    let made = match draft(&form) {
        Ok(draft) => {
            let create = move |services: &Services| tokens::create(services, &actor, DEFAULT_ACCOUNT, &draft, Mode::Keep);
            blocking::call(&services, create).await
        }
        Err(errors) => Err(errors.into()),
    };
    let form = match made {
        Ok(made) => {
            let text = made.text.expose().to_owned();
            return Ok(html(&MadePage { page: who.page("API Token"), token: made.token, text }));
        }
        Err(ServiceError::Invalid(errors)) => form.rejected(&errors),
        Err(ServiceError::Conflict(why)) => form.refused(why),
        Err(error) => return Err(Failure::new(&who, error)),
    };
    let list = ListQuery::of(&request, LISTING.sorts);
    Ok(html_rejected(&list_page(&who, &services, list, form).await?))
}

fn draft(form: &Form) -> Result<TokenDraft, FieldErrors> {
    let mut errors = FieldErrors::new();
    let role = errors.take("role", form.value("role").parse());
    let days = match form.text("days") {
        Some(text) => errors.take("days", text.parse().map_err(|_| "enter a number of days")),
        None => None,
    };
    let role = errors.into_result(role)?;
    Ok(TokenDraft { name: form.value("name").to_owned(), role, days, secrets: form.has("secrets") })
}

async fn find(who: &SignedIn, services: &web::Data<Services>, id: String) -> Result<Token, Failure> {
    let all = blocking::call(services, |services| tokens::list(services, DEFAULT_ACCOUNT)).await.map_err(Failure::of(who))?;
    let found = all.into_iter().find(|token| token.id.to_string() == id);
    found.ok_or_else(|| Failure::not_found(who, "token", id))
}

async fn ask(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let token = find(&who, &services, id.into_inner()).await?;
    Ok(html(&ConfirmPage {
        page: who.page(format!("Revoke the token {}?", token.name)),
        sentences: vec![format!("Whatever uses {}… is refused at once. This cannot be taken back.", token.prefix)],
        action: format!("{HERE}/{}/revoke", token.id),
        fields: Vec::new(),
        choices: Vec::new(),
        verb: "Revoke",
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}

async fn revoke(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let id = find(&who, &services, id.into_inner()).await?.id;
    let actor = who.actor.clone();
    let revoke = move |services: &Services| tokens::revoke(services, &actor, DEFAULT_ACCOUNT, id, Mode::Keep);
    let token = blocking::call(&services, revoke).await.map_err(Failure::of(&who))?;
    Ok(who.done(HERE, format!("The token {} is revoked.", token.name)))
}
