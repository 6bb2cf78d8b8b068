//! The dictionary of parameters: search, and what is known of one (R122, R137, R142).

use std::cmp::Reverse;

use actix_web::{get, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::impact::RestartWord;
use super::list::{List, Paging};
use super::paths::AccountPath;
use super::problem::Problem;
use super::sent::Asked;
use crate::domain::schema::{Definition, Kind, SEARCH_CHARS, Schema};
use crate::services::{Services, schema};

/// Which parameters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Searched {
    /// A text of at least two characters that the name or the description holds, or the name of one parameter; absent for all. Letter case
    /// does not count. What begins with it comes first.
    q: Option<String>,
    /// `name`; with `-` in front the other way round. Absent: what begins with the text first.
    sort: Option<String>,
    /// Page, counted from 1.
    page: Option<usize>,
    /// Parameters on a page, at most 1000.
    per_page: Option<usize>,
}

/// A parameter in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ParameterPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Full name, with any index.
    #[param(example = "reg.1.address")]
    name: String,
}

/// What is known of a parameter.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ParameterShape {
    /// Name; of one with indexes, that with the first ones.
    pub name: String,
    /// Whether a number in the name is an index that may be another one.
    pub indexed: bool,
    /// `switch`, `number`, `choice`, `text`, or `any` where it takes what several of these take.
    pub kind: String,
    /// What it takes, in words.
    #[schema(example = "a whole number from 0 to 65535")]
    pub takes: String,
    /// Of a number: the least.
    pub min: Option<i64>,
    /// Of a number: the greatest.
    pub max: Option<i64>,
    /// Of a choice: its values.
    pub choices: Vec<String>,
    /// Of a text: the most characters.
    pub most_length: Option<usize>,
    /// What a phone does while nothing sets it; absent where that is not known.
    pub default: Option<String>,
    /// What it is for.
    pub description: String,
    /// Whether a change restarts the phone; `maybe` where that is not known.
    pub restart: RestartWord,
    /// Whether a document or a phone shows that; false where it is assumed or not known.
    pub restart_sure: bool,
    /// Whether its value is a password or a key.
    pub secret: bool,
}

impl ParameterShape {
    fn new(schema: &Schema, definition: &Definition) -> Self {
        let restart = schema::restart(schema, &definition.name);
        let (min, max) = match definition.kind {
            Kind::Number { least, most } => (least, most),
            _ => (None, None),
        };
        let (kind, most_length) = match &definition.kind {
            Kind::Switch => ("switch", None),
            Kind::Number { .. } => ("number", None),
            Kind::Choice(_) => ("choice", None),
            Kind::Text { most, .. } => ("text", *most),
            Kind::AnyOf(_) => ("any", None),
        };
        let choices = if let Kind::Choice(choices) = &definition.kind { &**choices } else { &[] };
        Self {
            name: definition.name.to_string(),
            indexed: definition.is_family(),
            kind: kind.to_owned(),
            takes: definition.kind.to_string(),
            min,
            max,
            choices: choices.iter().map(ToString::to_string).collect(),
            most_length,
            default: definition.default.as_deref().map(str::to_owned),
            description: definition.text.to_string(),
            restart: restart.effect.into(),
            restart_sure: restart.is_sure,
            secret: definition.is_secret,
        }
    }
}

/// Searches the parameters of the dictionary.
#[utoipa::path(tag = "schema", params(AccountPath, Searched), responses((status = 200, body = List<ParameterShape>)))]
#[get("/accounts/{account}/schema/parameters")]
pub async fn search_parameters(
    caller: Caller,
    services: web::Data<Services>,
    searched: Asked<Searched>,
) -> Result<web::Json<List<ParameterShape>>, Problem> {
    let Searched { q, sort, page, per_page } = searched.into_inner();
    let paging = Paging::new(page, per_page)?;
    let world = services.world(caller.account)?;
    let schema = world.schemas.current();
    let mut found: Vec<&Definition> = match q {
        None => schema.iter().collect(),
        Some(q) if q.trim().chars().count() < SEARCH_CHARS => {
            return Err(Problem::field("q", format_args!("search for at least {SEARCH_CHARS} characters")));
        }
        Some(q) => schema.search(&q, usize::MAX),
    };
    match sort.as_deref() {
        None => {}
        Some("name") => found.sort_by_cached_key(|one| one.name.to_ascii_lowercase()),
        Some("-name") => found.sort_by_cached_key(|one| Reverse(one.name.to_ascii_lowercase())),
        Some(_) => return Err(Problem::field("sort", "use one of: name, -name")),
    }
    Ok(web::Json(paging.cut(found.into_iter(), |one| ParameterShape::new(schema, one))))
}

/// Shows what is known of a parameter.
#[utoipa::path(tag = "schema", params(ParameterPath), responses((status = 200, body = ParameterShape)))]
#[get("/accounts/{account}/schema/parameters/{name}")]
pub async fn show_parameter(
    caller: Caller,
    services: web::Data<Services>,
    path: web::Path<ParameterPath>,
) -> Result<web::Json<ParameterShape>, Problem> {
    let world = services.world(caller.account)?;
    let schema = world.schemas.current();
    let found = schema.find(&path.name).ok_or_else(|| Problem::not_found("parameter", &path.name))?;
    Ok(web::Json(ParameterShape::new(schema, found.definition)))
}
