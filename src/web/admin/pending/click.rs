//! One click for what helps whoever was not let in, at the address that the page shows: what its form sends, and what it is called.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::domain::device::DeviceKey;
use crate::domain::pending::{Offer, Pending};
use crate::domain::trust::{Knock, Right};
use crate::services::pending::Deed;

/// A button and what its form sends. Templates show it by `pending/_click.html`.
pub struct Click {
    pub key: String,
    pub deed: &'static str,
    pub label: String,
    /// The label with what it is about, for those who do not see the row.
    pub spoken: String,
    /// `KEY@ADDRESS` that is decided about.
    pub from: String,
    /// The others that are shown beside it.
    pub also: Vec<String>,
}

/// One of several addresses that ask for a key and are not let in.
pub struct Line {
    pub address: String,
    pub at: Timestamp,
    pub times: u32,
    pub why: String,
    pub let_in_by: Option<String>,
    pub click: Option<Click>,
}

/// An address at which a key knocked, as forms send it.
pub fn written(key: &DeviceKey, address: IpAddr) -> String {
    format!("{key}@{address}")
}

/// Reads that back.
pub fn parse(text: &str) -> Option<(DeviceKey, IpAddr)> {
    let (key, address) = text.split_once('@')?;
    Some((key.parse().ok()?, address.parse().ok()?))
}

/// The others that are shown beside the latest, as forms send them.
pub fn also(one: &Pending) -> Vec<String> {
    one.elsewhere.iter().map(|other| written(&one.key, other.knock.address)).collect()
}

/// The button for a key as a whole. Where several addresses ask for it, each [`Line`] has a button of its own for what is given to
/// an address.
pub fn of(one: &Pending) -> Option<Click> {
    let offer = one.offer().filter(|offer| one.elsewhere.is_empty() || offer.right().is_none())?;
    let label = offer.label().to_owned();
    Some(Click { spoken: format!("{label}: {}", one.key), label, ..at(one, offer, one.knock.address) })
}

/// All addresses that ask for a key, the latest first; none where it is one alone.
pub fn lines(one: &Pending) -> Vec<Line> {
    if one.elsewhere.is_empty() {
        return Vec::new();
    }
    let latest = (&one.knock, &one.right, one.offer().filter(|offer| offer.right().is_some()));
    let others = one.elsewhere.iter().map(|other| (&other.knock, &other.right, other.offer()));
    let line = |(knock, right, offer): (&Knock, &Option<Right>, Option<Offer>)| Line {
        address: knock.address.to_string(),
        at: knock.at,
        times: knock.times,
        why: knock.why(),
        let_in_by: right.as_ref().map(|right| right.by.clone()),
        click: offer.map(|offer| at(one, offer, knock.address)),
    };
    std::iter::once(latest).chain(others).map(line).collect()
}

fn at(one: &Pending, offer: Offer, address: IpAddr) -> Click {
    let all = std::iter::once(&one.knock).chain(one.elsewhere.iter().map(|other| &other.knock));
    let others = all.filter(|knock| knock.address != address);
    let label = format!("{} there", offer.label());
    Click {
        key: one.key.to_string(),
        deed: Deed::of(offer).word(),
        spoken: format!("{label}, at {address}: {}", one.key),
        label,
        from: written(&one.key, address),
        also: others.map(|knock| written(&one.key, knock.address)).collect(),
    }
}
