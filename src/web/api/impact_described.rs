//! How the description of the API tells the member `impact` of dry runs ([`super::impact`]).

use std::collections::BTreeMap;

use utoipa::Modify;
use utoipa::openapi::path::{Operation, Parameter, PathItem};
use utoipa::openapi::schema::{AllOfBuilder, Object, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder, Schema};

use super::impact::tells;

const JSON: &str = "application/json";

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Puts the member into the description of every operation that has it.
pub(super) struct Impacts;

impl Modify for Impacts {
    fn modify(&self, document: &mut OpenApi) {
        let schemas = document.components.as_ref().map(|components| components.schemas.clone()).unwrap_or_default();
        for (_, item) in document.paths.paths.iter_mut().filter(|(path, _)| tells(path)) {
            let PathItem { put, post, delete, patch, .. } = item;
            [put, post, delete, patch].into_iter().flatten().for_each(|operation| add(operation, &schemas));
        }
    }
}

fn add(operation: &mut Operation, schemas: &Schemas) {
    let is_dry_run = |one: &RefOr<Parameter>| matches!(one, RefOr::T(one) if one.name == "dry_run");
    if !operation.parameters.iter().flatten().any(is_dry_run) {
        return;
    }
    let responses = &mut operation.responses.responses;
    let schema = match responses.get("200") {
        Some(RefOr::T(response)) => match response.content.get(JSON) {
            Some(RefOr::T(content)) => content.schema.clone(),
            _ => None,
        },
        _ => None,
    };
    let told = schema.map_or_else(|| member().build().into(), |schema| with_member(&schema, schemas));
    let content = ContentBuilder::new().schema(Some(told)).build();
    match responses.get_mut("200") {
        Some(RefOr::T(response)) => drop(response.content.insert(JSON.to_owned(), content.into())),
        _ => {
            let answer = ResponseBuilder::new().description("A dry run: what would change for devices").content(JSON, content);
            responses.insert("200".to_owned(), answer.build().into());
        }
    }
}

fn member() -> ObjectBuilder {
    ObjectBuilder::new().property("impact", Ref::from_schema_name("Impact")).description(Some("`impact` is told in a dry run"))
}

/// A schema with the member. What is one object or an array is in a dry run the object with it, or a list of what would be made.
fn with_member(schema: &RefOr<Schema>, schemas: &Schemas) -> RefOr<Schema> {
    match resolved(schema, schemas) {
        Schema::AllOf(all) => {
            let all = all.items.iter().fold(AllOfBuilder::new(), |all, item| all.item(item.clone()));
            RefOr::T(all.item(member()).build().into())
        }
        Schema::OneOf(one_of) => {
            let told = one_of.items.iter().map(|item| with_member(item, schemas));
            let all = one_of.items.iter().cloned().chain(told);
            RefOr::T(all.fold(OneOfBuilder::new(), OneOfBuilder::item).build().into())
        }
        Schema::Array(_) => {
            let list = member().property("items", schema.clone()).property("total", Object::with_type(Type::Integer));
            RefOr::T(list.required("items").required("total").required("impact").build().into())
        }
        _ => RefOr::T(AllOfBuilder::new().item(schema.clone()).item(member()).build().into()),
    }
}

fn resolved<'s>(schema: &'s RefOr<Schema>, schemas: &'s Schemas) -> &'s Schema {
    match schema {
        RefOr::T(schema) => schema,
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            match schemas.get(name) {
                Some(RefOr::T(schema)) => schema,
                _ => unknown(),
            }
        }
    }
}

/// Stands for what is described elsewhere: an object like any other.
fn unknown() -> &'static Schema {
    static UNKNOWN: std::sync::LazyLock<Schema> = std::sync::LazyLock::new(|| Schema::Object(Object::default()));
    &UNKNOWN
}
