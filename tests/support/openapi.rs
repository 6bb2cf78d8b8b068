//! Holds every answer of the API against its description: status, media type and, for JSON, each field.
//!
//! A small reader of the schemas that the description has; a schema of a kind that it does not know fails the test.

use std::sync::OnceLock;

use serde_json::Value;

use super::phone::Response;

const ROOT: &str = "/api/v1";

/// The description as the server has it.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::to_value(pdms::web::api::description()).expect("a document is JSON"))
}

/// Every operation: method in capitals, path below the root, and the operation.
pub fn operations() -> impl Iterator<Item = (String, &'static str, &'static Value)> {
    let paths = document()["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().expect("operations");
        operations.iter().map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
    })
}

/// Panics where an answer is not as the description says. What is in no description must be refused.
pub fn check(method: &str, target: &str, response: &Response) {
    let path = target.split('?').next().unwrap_or(target);
    let Some(path) = path.strip_prefix(ROOT).filter(|path| *path != "/openapi.json") else { return };
    // HEAD is answered like GET, without a body.
    if method == "HEAD" {
        return;
    }
    let Some((_, named, operation)) = operations().find(|(own, template, _)| own == method && fits(template, path)) else {
        assert!(response.status >= 400, "{method} {path} is in no description and was answered {}", response.status);
        return;
    };
    let place = format!("{method} {named} answered {}", response.status);
    let described = &operation["responses"][response.status.to_string()];
    assert!(described.is_object(), "{place}, which its description does not know: {}", response.text());
    let kind = response.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    let Some(content) = described["content"].as_object() else {
        assert!(response.body.is_empty(), "{place} with a body, and the description has none");
        return;
    };
    let described = content.get(kind).unwrap_or_else(|| panic!("{place} as {kind}, which its description does not know"));
    if kind.ends_with("json") {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{place}: {error}"));
        if let Err(wrong) = fits_schema(&body, &described["schema"]) {
            panic!("{place} with something else than its description says: {wrong}\n{body}");
        }
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (mut own, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (own.next(), given.next()) {
            (None, None) => return true,
            (Some(own), Some(given)) if own == given || (own.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

fn fits_schema(value: &Value, schema: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').expect("a place in the document");
        return fits_schema(value, document().pointer(pointer).ok_or_else(|| format!("{reference} is not there"))?);
    }
    if let Some(all) = schema["allOf"].as_array() {
        // Each part describes some of the fields; none of them forbids the others.
        let described: Vec<&Value> = all.iter().map(resolved).collect();
        all.iter().try_for_each(|part| fits_fields(value, resolved(part)))?;
        return no_other_fields(value, &described);
    }
    for word in ["oneOf", "anyOf"] {
        if let Some(any) = schema[word].as_array() {
            let wrong: Vec<String> = any.iter().filter_map(|part| fits_schema(value, part).err()).collect();
            return if wrong.len() < any.len() { Ok(()) } else { Err(wrong.join("; or ")) };
        }
    }
    fits_type(value, &schema["type"])?;
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{value} is none of {words:?}"));
    }
    match value {
        Value::Object(_) => {
            fits_fields(value, schema)?;
            no_other_fields(value, &[schema])
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(at, item)| fits_schema(item, &schema["items"]).map_err(|wrong| format!("[{at}]{wrong}"))),
        _ => Ok(()),
    }
}

fn resolved(schema: &Value) -> &Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document().pointer(pointer).unwrap_or(schema),
        None => schema,
    }
}

fn fits_type(value: &Value, types: &Value) -> Result<(), String> {
    let is = |word: &str| match word {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        other => panic!("a type that this reader does not know: {other}"),
    };
    let fits = match types {
        Value::String(word) => is(word),
        Value::Array(words) => words.iter().any(|word| is(word.as_str().unwrap_or_default())),
        other => panic!("a schema that this reader does not know, of type {other}"),
    };
    if fits { Ok(()) } else { Err(format!(": {value} is not of type {types}")) }
}

fn fits_fields(value: &Value, schema: &Value) -> Result<(), String> {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            return Err(format!(".{name} is missing"));
        }
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        if let Some(known) = known {
            fits_schema(field, known).map_err(|wrong| format!(".{name}{wrong}"))?;
        }
    }
    Ok(())
}

fn no_other_fields(value: &Value, schemas: &[&Value]) -> Result<(), String> {
    let is_known = |name: &String| {
        schemas.iter().any(|schema| schema["properties"].get(name).is_some() || schema["additionalProperties"].is_object())
    };
    match value.as_object().into_iter().flatten().find(|(name, _)| !is_known(name)) {
        Some((name, _)) => Err(format!(".{name} is not described")),
        None => Ok(()),
    }
}

#[test]
fn an_answer_that_is_not_described_is_found() {
    let schema = serde_json::json!({ "type": "object", "required": ["a"], "properties": {
        "a": { "type": "string" }, "b": { "type": ["integer", "null"] }, "c": { "type": "array", "items": { "type": "boolean" } } } });
    let wrong = |text: &str| fits_schema(&serde_json::from_str(text).expect("JSON"), &schema).err();
    for good in ["{\"a\":\"\"}", "{\"a\":\"x\",\"b\":null,\"c\":[true]}", "{\"a\":\"x\",\"b\":7,\"c\":[]}"] {
        assert_eq!(wrong(good), None, "{good}");
    }
    for bad in ["{}", "[]", "{\"a\":1}", "{\"a\":\"\",\"b\":\"7\"}", "{\"a\":\"\",\"c\":[1]}", "{\"a\":\"\",\"d\":1}"] {
        assert!(wrong(bad).is_some(), "{bad}");
    }
    assert!(fits("/users/{id}/password", "/users/7/password") && !fits("/users/{id}", "/users/7/password"));
}
