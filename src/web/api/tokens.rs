//! API tokens of an account.

use actix_web::{HttpResponse, delete, get, post, web};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{DryRun, created};
use super::caller::Caller;
use super::list::{List, Paging, asked};
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::{Asked, Sent};
use crate::domain::token::Token;
use crate::services::commit::Mode;
use crate::services::tokens::{self, TokenDraft};
use crate::services::{Services, lists};
use crate::web::blocking;

/// An API token. The token itself is told once, when it is made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenShape {
    /// Number.
    pub id: u64,
    /// What it is for.
    pub name: String,
    /// `viewer`, `operator`, `account-admin` or `owner`; never more than the person who made it may do now.
    pub role: String,
    /// Whether it may see secrets and manage users, without anybody being asked for a password.
    #[serde(default)]
    pub secrets: bool,
    /// Its first characters.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to within some minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// The token, in the answer that makes it and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl From<Token> for TokenShape {
    fn from(token: Token) -> Self {
        Self {
            id: token.id.0,
            name: token.name,
            role: token.role.word().to_owned(),
            secrets: token.secrets,
            prefix: token.prefix,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            token: None,
        }
    }
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    name: String,
    /// `viewer`, `operator`, `account-admin` or `owner`: at most the caller's own.
    role: String,
    /// Days until it ends, at most 366; 90 where nothing is said.
    #[serde(default)]
    days: Option<i64>,
    /// Whether it may tell passwords, hand out stored files and backups, and manage users, each as far as its role goes. Only a person
    /// can make such a token; without it these operations answer 403.
    #[serde(default)]
    secrets: bool,
}

/// A token in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TokenPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Number of the token.
    #[param(value_type = u64)]
    id: String,
}

/// Which tokens.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Words that must all occur in name, role or the first characters.
    q: Option<String>,
    /// `viewer`, `operator`, `account-admin` or `owner`.
    role: Option<String>,
    /// `name`, `role`, `made`, `ends` or `used`; with `-` in front the other way round. Usual is `-made`.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Tokens on a page, at most 1000.
    per_page: Option<usize>,
}

/// Lists the API tokens, without the tokens themselves.
#[utoipa::path(tag = "tokens", params(AccountPath, Wanted), responses((status = 200, body = List<TokenShape>)))]
#[get("/accounts/{account}/tokens")]
pub async fn list_tokens(
    caller: Caller,
    services: web::Data<Services>,
    _: web::Path<AccountPath>,
    wanted: Asked<Wanted>,
) -> Result<web::Json<List<TokenShape>>, Problem> {
    let Wanted { q, role, sort, page, per_page } = wanted.into_inner();
    let paging = Paging::new(page, per_page)?;
    let sort = sort.unwrap_or_else(|| "-made".to_owned());
    let asked = asked(&lists::tokens::LISTING, [("q", q), ("role", role), ("sort", Some(sort))])?;
    let (found, _) = blocking::call(&services, move |services| lists::tokens::list(services, caller.account, &asked)).await?;
    Ok(web::Json(paging.cut(found.into_iter(), TokenShape::from)))
}

/// Makes an API token. The answer is the only place where it is told.
#[utoipa::path(tag = "tokens", params(AccountPath, DryRun), request_body = NewToken, responses((status = 201, body = TokenShape), (status = 200, description = "A dry run", body = TokenShape)))]
#[post("/accounts/{account}/tokens")]
pub async fn create_token(
    caller: Caller,
    services: web::Data<Services>,
    _: web::Path<AccountPath>,
    dry_run: Asked<DryRun>,
    new: Sent<NewToken>,
) -> Result<HttpResponse, Problem> {
    let NewToken { name, role, days, secrets } = new.into_inner();
    let role = role.parse().map_err(|error| Problem::field("role", error))?;
    let (draft, mode) = (TokenDraft { name, role, days, secrets }, dry_run.mode());
    let work = move |services: &Services| tokens::create(services, &caller.actor, caller.account, &draft, mode);
    let made = blocking::call(&services, work).await?;
    let token = (mode == Mode::Keep).then(|| made.text.expose().to_owned());
    Ok(HttpResponse::build(created(mode)).json(TokenShape { token, ..TokenShape::from(made.token) }))
}

/// Revokes an API token, and answers it.
#[utoipa::path(tag = "tokens", params(TokenPath, DryRun), responses((status = 200, body = TokenShape)))]
#[delete("/accounts/{account}/tokens/{id}")]
pub async fn revoke_token(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<TokenPath>,
    dry_run: Asked<DryRun>,
) -> Result<web::Json<TokenShape>, Problem> {
    let id = path.id.parse().map_err(|_| Problem::not_found("token", &path.id))?;
    let mode = dry_run.mode();
    let work = move |services: &Services| tokens::revoke(services, &caller.actor, caller.account, id, mode);
    Ok(web::Json(blocking::call(&services, work).await?.into()))
}
