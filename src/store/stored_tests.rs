//! Rows as former versions wrote them, read with the types of today (`tests/stored`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use redb::TableHandle as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::codec;
use super::keys::Key;
use super::tables::{self, Table};

#[derive(Deserialize)]
struct Row {
    key: String,
    value: Value,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored/v1")
}

/// Reads all rows of a table and writes them again: the key stays the same, and no field of the value is lost.
fn check<K: Key, V: Serialize + DeserializeOwned>(table: &Table<K, V>) -> String {
    let file = folder().join(format!("{}.json", table.name));
    let text = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let rows: Vec<Row> = serde_json::from_slice(&text).expect("a list of rows");
    assert!(!rows.is_empty(), "{}", file.display());
    for row in rows {
        let key = hex::decode(&row.key).expect("a key in hexadecimal");
        let decoded = K::decode(&key).unwrap_or_else(|| panic!("{}: the key {} does not read", table.name, row.key));
        assert_eq!(hex::encode(decoded.encode()), row.key, "{}", table.name);
        let bytes = serde_json::to_vec(&row.value).expect("a value is JSON");
        let value: V = codec::decode(table.name, &key, &bytes).unwrap_or_else(|e| panic!("{e}"));
        let again: Value =
            serde_json::from_slice(&codec::encode(table.name, &value).expect("it has a stored form")).expect("JSON");
        assert_eq!(lost(&row.value, &again, table.name), Vec::<String>::new());
    }
    table.name.to_owned()
}

/// What of a value is missing or different in another one. More fields in the other one are no loss; empty ones may go.
fn lost(old: &Value, new: &Value, at: &str) -> Vec<String> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => old
            .iter()
            .flat_map(|(name, value)| lost(value, new.get(name).unwrap_or(&Value::Null), &format!("{at}.{name}")))
            .collect(),
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            old.iter().zip(new).enumerate().flat_map(|(i, (old, new))| lost(old, new, &format!("{at}[{i}]"))).collect()
        }
        (old, new) if old == new => Vec::new(),
        (old, new) => vec![format!("{at} was {old} and is {new}")],
    }
}

#[test]
fn rows_of_version_1_stay_readable_and_every_table_has_some() {
    let checked = BTreeSet::from([
        check(&tables::META),
        check(&tables::SERVER),
        check(&tables::ACCOUNTS),
        check(&tables::USERS),
        check(&tables::SESSIONS),
        check(&tables::DEVICES),
        check(&tables::SIGHTINGS),
        check(&tables::BLOCKED),
        check(&tables::PROFILES),
        check(&tables::DEPLOYMENT),
        check(&tables::ACTIVITY),
        check(&tables::RUNS),
        check(&tables::REFUSED_RUNS),
        check(&tables::FILES),
    ]);
    let all = tables::ALL.iter().map(|table| table.name().to_owned()).collect();
    assert_eq!(checked, all);
}

#[test]
fn a_lost_or_changed_field_is_noticed() {
    let old = serde_json::json!({"a": 1, "b": {"c": [1, 2]}});
    assert_eq!(lost(&old, &serde_json::json!({"a": 1, "b": {"c": [1, 2]}, "d": 4}), "t"), Vec::<String>::new());
    assert_eq!(lost(&old, &serde_json::json!({"b": {"c": [1, 3]}}), "t"), ["t.a was 1 and is null", "t.b.c[1] was 2 and is 3"]);
}
