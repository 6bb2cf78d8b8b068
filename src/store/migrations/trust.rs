//! Version 2: what was learned of each key has a table of its own. Devices that came before are at home where they were last
//! seen, and were served: nobody has to let them in again.

use serde_json::{Value, json};

use super::super::error::StoreError;
use super::super::tables::{SIGHTINGS, TRUSTS};
use super::super::tx::{Read as _, WriteTx};

/// Makes a row for each device that was seen.
pub(super) fn from_sightings(tx: &WriteTx) -> Result<(), StoreError> {
    for (key, sighting) in tx.scan(&SIGHTINGS.with_values::<Value>(), None)? {
        let field = |name: &str| sighting.get(name).filter(|value| !value.is_null());
        let (Some(first_seen), Some(address)) = (field("first_seen"), field("public_ip")) else { continue };
        let trust = json!({
            "first_heard": first_seen,
            "served_at": first_seen,
            "home": address,
            "last_address": address,
            "shared_generation": 0,
        });
        tx.put(&TRUSTS.with_values::<Value>(), &key, &trust)?;
    }
    Ok(())
}
