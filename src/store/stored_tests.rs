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

fn folder(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/stored/v{version}"))
}

/// The rows of a table as a version wrote them.
fn rows<K: Key, V>(table: &Table<K, V>, version: u32) -> Vec<(K, Value)> {
    let file = folder(version).join(format!("{}.json", table.name));
    let text = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let rows: Vec<Row> = serde_json::from_slice(&text).expect("a list of rows");
    assert!(!rows.is_empty(), "{}", file.display());
    let decode = |row: Row| {
        let key = hex::decode(&row.key).expect("a key in hexadecimal");
        let decoded = K::decode(&key).unwrap_or_else(|| panic!("{}: the key {} does not read", table.name, row.key));
        assert_eq!(hex::encode(decoded.encode()), row.key, "{}", table.name);
        (decoded, row.value)
    };
    rows.into_iter().map(decode).collect()
}

/// Reads all rows of a table and writes them again: the key stays the same, and no field of the value is lost.
fn check<K: Key, V: Serialize + DeserializeOwned>(table: &Table<K, V>, version: u32) -> String {
    for (key, stored) in rows(table, version) {
        let bytes = serde_json::to_vec(&stored).expect("a value is JSON");
        let value: V = codec::decode(table.name, &key.encode(), &bytes).unwrap_or_else(|e| panic!("{e}"));
        let again: Value =
            serde_json::from_slice(&codec::encode(table.name, &value).expect("it has a stored form")).expect("JSON");
        assert_eq!(lost(&stored, &again, table.name), Vec::<String>::new());
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
fn rows_of_former_versions_stay_readable_and_every_table_has_some() {
    let checked = BTreeSet::from([
        check(&tables::META, 1),
        check(&tables::SERVER, 1),
        check(&tables::ACCOUNTS, 1),
        check(&tables::USERS, 1),
        check(&tables::SESSIONS, 1),
        check(&tables::DEVICES, 1),
        check(&tables::SIGHTINGS, 1),
        check(&tables::BLOCKED, 1),
        check(&tables::PROFILES, 1),
        check(&tables::DEPLOYMENT, 1),
        check(&tables::ACTIVITY, 1),
        check(&tables::RUNS, 1),
        check(&tables::REFUSED_RUNS, 1),
        check(&tables::FILES, 1),
        check(&tables::TRUSTS, 2),
        check(&tables::TOKENS, 2),
        check(&tables::USERS, 2),
        check(&tables::SESSIONS, 2),
        check(&tables::ACCOUNTS, 2),
        check(&tables::SERVER, 2),
        check(&tables::RUNS, 2),
        check(&tables::SITES, 2),
        check(&tables::DEVICES, 2),
        check(&tables::GROUPS, 2),
        check(&tables::PEOPLE, 2),
        check(&tables::PERSON_GROUPS, 2),
        check(&tables::ROOMS, 2),
        check(&tables::DEFAULT_GROUPS, 2),
        check(&tables::FLASH, 2),
        check(&tables::STANDARD, 2),
        check(&tables::SCHEMAS, 2),
        check(&tables::IMAGES, 2),
        check(&tables::PART_NUMBERS, 2),
        check(&tables::SCHEMA_CHOICES, 2),
        check(&tables::DELETIONS, 2),
        check(&tables::DELETED, 2),
        check(&tables::VIEWS, 2),
        check(&tables::RESOURCES, 2),
    ]);
    let all = tables::ALL.iter().map(|table| table.name().to_owned()).collect();
    assert_eq!(checked, all);
}

#[test]
fn version_2_is_at_home_where_version_1_last_saw_a_device() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = super::Store::open(dir.path(), std::sync::Arc::default()).expect("a new store opens");
    let sightings = tables::SIGHTINGS.with_values::<Value>();
    let put = |tx: &super::WriteTx| -> Result<(), super::StoreError> {
        for (key, value) in rows(&tables::SIGHTINGS, 1) {
            tx.put(&sightings, &key, &value)?;
        }
        super::migrations::to_version_2(tx)
    };
    store.write(put).expect("rows of version 1 and the step");
    let trusts = store.read(|tx| super::trusts::all(tx, crate::domain::ids::DEFAULT_ACCOUNT)).expect("readable");
    let [(key, trust)] = trusts.as_slice() else { panic!("a device that was never seen has nothing: {trusts:?}") };
    assert_eq!(key.to_string(), "0004f2aabbcc");
    assert_eq!(trust.home, "192.0.2.7".parse().ok());
    assert!(trust.served_at.is_some() && trust.first_heard == trust.served_at && trust.bound_at.is_none());
}

#[test]
fn a_lost_or_changed_field_is_noticed() {
    let old = serde_json::json!({"a": 1, "b": {"c": [1, 2]}});
    assert_eq!(lost(&old, &serde_json::json!({"a": 1, "b": {"c": [1, 2]}, "d": 4}), "t"), Vec::<String>::new());
    assert_eq!(lost(&old, &serde_json::json!({"b": {"c": [1, 3]}}), "t"), ["t.a was 1 and is null", "t.b.c[1] was 2 and is 3"]);
}
