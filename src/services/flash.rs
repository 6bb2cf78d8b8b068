//! What devices were served that stays in their flash (contract 5.11): remembered for whoever asks why a phone behaves as it does.
//!
//! A request only leaves word of what was served, in memory. The next presence batch works out what that says, devices of one
//! shape together, compares it with the rows, and writes those that say something new: a fleet at home costs no write. A crash loses at
//! most what came since the last batch, and the next poll brings it again.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::commit::Change;
use super::error::ServiceError;
use super::{Services, credentials};
use crate::domain::credential::{Channel, Recipient};
use crate::domain::deployment::applicable;
use crate::domain::device::{Device, DeviceKey};
use crate::domain::flash::{Flash, Told};
use crate::domain::ids::AccountId;
use crate::domain::provision::{InFlash, Shape, draft};
use crate::domain::resolution::merge;
use crate::domain::run::Subject;
use crate::domain::world::World;
use crate::store;

/// A parameter file that a device was given.
#[derive(Clone, Debug)]
pub struct Served {
    /// When.
    pub at: Timestamp,
    /// The device as it was served.
    pub device: Arc<Device>,
    /// How the file travelled.
    pub channel: Channel,
    /// The world that the file is of.
    pub world: Arc<World>,
    /// The device showed that it comes from the factory: nothing older is in its flash.
    pub is_fresh: bool,
}

/// What was served last to each device since the last batch.
pub(super) type Waiting = HashMap<(AccountId, DeviceKey), Served>;

/// Rows that say something new.
pub(super) type News = Vec<(AccountId, DeviceKey, Flash)>;

/// What is remembered of a device.
///
/// # Errors
/// The store could not be read.
pub fn of(services: &Services, account: AccountId, key: &DeviceKey) -> Result<Flash, ServiceError> {
    Ok(services.store.read(|tx| store::flash::get(tx, account, key))?.unwrap_or_default())
}

/// What of everything that was served is new. Reads and works outside of the writer's lock.
pub(super) fn news(services: &Services, waiting: &Waiting) -> Result<News, ServiceError> {
    // Of each world the shapes that were met.
    let mut shapes: HashMap<(*const World, Shape), InFlash<'_>> = HashMap::new();
    let mut news = News::new();
    let kept: Vec<Option<Flash>> = services.store.read(|tx| {
        waiting.keys().map(|(account, key)| Ok(store::flash::get(tx, *account, key)?)).collect::<Result<_, ServiceError>>()
    })?;
    for (((account, key), served), kept) in waiting.iter().zip(kept) {
        let Served { device, channel, world, .. } = served;
        let placed = applicable(device, world);
        let shape = Shape::of(device, *channel, &placed, world);
        let in_flash = shapes
            .entry((Arc::as_ptr(world), shape.clone()))
            .or_insert_with(|| InFlash::of(draft(&merge(&placed), &shape, world)));
        let secrets = credentials::of(services, *account, key);
        let recipient = Recipient { device, secrets: &secrets, channel: *channel };
        let mark = |value: &str| hex::encode(&services.secrets.stored_hash(value)[..8]);
        let told = in_flash.told(&recipient, world).into_iter();
        let told = told
            .map(|(name, value)| {
                let told = Told::new(&name, &value, mark);
                (name, told)
            })
            .collect();
        let mut flash = kept.unwrap_or_default();
        let mut failed = None;
        let is_news = flash.serve(served.at, told, served.is_fresh, || {
            last_served(services, *account, key, served.at).unwrap_or_else(|error| {
                failed = Some(error);
                None
            })
        });
        if let Some(error) = failed {
            return Err(error);
        }
        if is_news {
            news.push((*account, key.clone(), flash));
        }
    }
    Ok(news)
}

/// When a device was given a parameter file last before a time, as its runs tell.
fn last_served(
    services: &Services,
    account: AccountId,
    key: &DeviceKey,
    before: Timestamp,
) -> Result<Option<Timestamp>, ServiceError> {
    let runs = super::runs::of(services, account, &Subject::Device(key.clone()))?;
    let exchanges = runs.iter().flat_map(|listed| &listed.run.exchanges);
    let served = exchanges.filter(|one| one.status == 200 && one.reason == crate::domain::run::Reason::Parameters);
    Ok(served.map(|one| one.at).filter(|at| *at < before).max())
}

/// Writes what is new of one account. Whoever was deleted meanwhile stays deleted.
pub(super) fn write(services: &Services, change: &Change<'_>, account: AccountId, news: &News) -> Result<(), ServiceError> {
    let roster = services.roster(account);
    for (_, key, flash) in news.iter().filter(|(of, key, _)| *of == account && roster.find(key).is_some()) {
        store::flash::put(change.tx(), account, key, flash)?;
    }
    Ok(())
}

/// What is wrong with these rows: one that cannot be read is an error, one of no device is told.
///
/// # Errors
/// A row cannot be read.
pub(super) fn faults(services: &Services) -> Result<Option<String>, ServiceError> {
    let mut strays = Vec::new();
    for account in services.worlds.accounts() {
        let roster = services.roster(account);
        let keys = services.store.read(|tx| store::flash::keys(tx, account))?;
        for key in keys {
            of(services, account, &key)?;
            if roster.find(&key).is_none() {
                strays.push(key);
            }
        }
    }
    let Some(first) = strays.first() else { return Ok(None) };
    Ok(Some(format!(
        "what {} devices have in their flash is remembered although they are not in the inventory, the first is {first}; add and delete \
         them to be rid of it",
        strays.len()
    )))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::access::Grant;
    use crate::domain::activity::Event;
    use crate::domain::ids::DEFAULT_ACCOUNT;
    use crate::services::commit::{Mode, commit};
    use crate::services::devices::{self, Afterwards};
    use crate::services::testing::{Bench, bench, owner};

    fn key() -> DeviceKey {
        "0004f2aabbcc".parse().expect("a MAC address")
    }

    fn add(bench: &Bench) -> Arc<Device> {
        let device = crate::domain::testing::device("0004f2aabbcc");
        commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
            change.record(Event::new("device", key().to_string(), "added"))?;
            change.put_device(device.clone())
        })
        .expect("added");
        Arc::new(device)
    }

    fn serve(bench: &Bench, device: &Arc<Device>) -> News {
        bench.clock.advance_to(bench.clock.now() + SignedDuration::from_hours(1));
        let world = bench.services.world(DEFAULT_ACCOUNT).expect("a world");
        let (at, device) = (bench.clock.now(), Arc::clone(device));
        let served = Served { at, device, channel: Channel::Tls, world, is_fresh: false };
        news(&bench.services, &Waiting::from([((DEFAULT_ACCOUNT, key()), served)])).expect("readable")
    }

    fn keep(bench: &Bench, news: &News) {
        let services = &bench.services;
        commit(services, Grant::system("test"), DEFAULT_ACCOUNT, |change| write(services, change, DEFAULT_ACCOUNT, news))
            .expect("written");
    }

    #[test]
    fn a_device_that_is_served_the_same_again_costs_no_write_and_takes_its_row_along() {
        let bench = bench();
        let device = add(&bench);
        let first = serve(&bench, &device);
        assert_eq!(first.len(), 1);
        keep(&bench, &first);
        assert_eq!(serve(&bench, &device), []);
        let kept = of(&bench.services, DEFAULT_ACCOUNT, &key()).expect("readable");
        let password = kept.get("device.prov.password").expect("it was served one");
        let secret = credentials::of(&bench.services, DEFAULT_ACCOUNT, &key()).password;
        assert!(password.told.mark.is_some() && !password.told.text.contains(secret.expose()));

        let gone = devices::delete(&bench.services, &owner(), DEFAULT_ACCOUNT, &key(), Afterwards::Forget, Mode::Keep);
        gone.expect("deleted");
        assert_eq!(of(&bench.services, DEFAULT_ACCOUNT, &key()).expect("readable"), Flash::default());
        keep(&bench, &first);
        assert_eq!(of(&bench.services, DEFAULT_ACCOUNT, &key()).expect("readable"), Flash::default(), "it stays deleted");
    }

    #[test]
    fn a_row_of_no_device_is_told() {
        let bench = bench();
        assert_eq!(faults(&bench.services).expect("readable"), None);
        commit(&bench.services, Grant::system("test"), DEFAULT_ACCOUNT, |change| {
            Ok(store::flash::put(change.tx(), DEFAULT_ACCOUNT, &key(), &Flash::default())?)
        })
        .expect("written");
        let told = faults(&bench.services).expect("readable").expect("a fault");
        assert!(told.contains("0004f2aabbcc"), "{told}");
    }
}
