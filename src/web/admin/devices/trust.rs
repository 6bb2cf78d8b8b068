//! The panel *Trust* of a device: with what it comes, from where it is opened, and what people allowed (contract 4).

use jiff::Timestamp;

use crate::domain::account::Account;
use crate::domain::device::{Device, Origin};
use crate::domain::pending::Pending;
use crate::domain::trust::{Right, RightKind, Trust};
use crate::web::admin::pending::click::{self, Click, Line};
use crate::web::admin::words::{Fact, FactValue};

/// What is known of how a device gets in.
pub struct TrustPanel {
    pub facts: Vec<Fact>,
    /// The shared credentials do not open it any more.
    pub is_bound: bool,
    /// Until when it may come back after a reset or a replacement, and from where.
    pub expected: Option<Expected>,
    /// The model that it tells with its own credentials, where another one is known.
    pub other_model: Option<String>,
    /// Somebody named this device and was not let in.
    pub knock: Option<KnockLine>,
    /// The page that this panel is on.
    pub here: String,
}

/// The window in which a device may come back.
pub struct Expected {
    pub until: Timestamp,
    /// Where it was last: it may come from the network around.
    pub from: String,
}

/// Somebody who was not let in.
pub struct KnockLine {
    pub why: String,
    pub next: Option<&'static str>,
    pub address: String,
    pub at: Timestamp,
    pub click: Option<Click>,
    /// What to mind before a click.
    pub caution: Option<String>,
    /// All addresses that ask for it, where these are several.
    pub lines: Vec<Line>,
}

impl TrustPanel {
    /// What is known at this time.
    pub fn new(device: &Device, trust: &Trust, account: &Account, now: Timestamp) -> Self {
        let knock = Pending::of(&device.key, trust, None, now).map(|one| KnockLine {
            why: one.knock.why(),
            next: one.knock.next_step(),
            address: one.knock.address.to_string(),
            at: one.knock.at,
            click: click::of(&one),
            caution: one.caution(),
            lines: click::lines(&one),
        });
        Self {
            facts: facts(device, trust, account, now),
            is_bound: trust.bound_at.is_some() && account.admission.binds,
            expected: trust
                .expected_until
                .filter(|_| trust.is_expected(now))
                .map(|until| Expected { until, from: trust.last_address.map(|last| last.to_string()).unwrap_or_default() }),
            other_model: trust.other_model.as_deref().map(str::to_owned),
            knock,
            here: format!("/admin/devices/{}", device.key),
        }
    }
}

fn facts(device: &Device, trust: &Trust, account: &Account, now: Timestamp) -> Vec<Fact> {
    let time = |at: Option<Timestamp>| at.map(FactValue::Time);
    let address = |ip: Option<std::net::IpAddr>| ip.map(|ip| FactValue::Copy(ip.to_string()));
    let comes_with = trust.comes_with(account.provisioning.generation, account.admission.binds);
    let not_bound = match (account.admission.binds, trust.own.complete) {
        (false, _) => "Not bound: this account gives devices no credentials of their own",
        (true, 0) => "Not yet: no complete run with its own credentials has ended so far",
        (true, 1) => "Not yet: one complete run with its own credentials has ended; it takes two, one of them a boot",
        (true, _) => {
            "Not yet: two complete runs with its own credentials have ended, and it takes a boot among them: its next start"
        }
    };
    let mut facts = vec![
        Fact::new("Bound since", time(trust.bound_at.filter(|_| account.admission.binds)), not_bound),
        Fact::new("Comes with", comes_with.label().map(|text| FactValue::Text(text.to_owned())), "Not known yet: it never came"),
        Fact::new("At home at", address(trust.home), "Not known yet: it never came"),
        Fact::new("Last let in from", address(trust.last_address), "Not known yet: it never came"),
    ];
    if trust.home.is_none() && device.origin == Origin::Manual {
        facts.push(Fact::new("Expected to come until", time(Some(trust.staged_until(device.added_at))), ""));
    }
    if let Some(right) = trust.right.as_ref().filter(|right| right.is_valid(now)) {
        facts.push(Fact::new("Right given", Some(FactValue::Text(words_of(right))), ""));
    }
    if let Some(at) = trust.misused_at {
        facts.push(Fact::new("Its credentials were shown for another device", Some(FactValue::Time(at)), ""));
    }
    facts
}

fn words_of(right: &Right) -> String {
    let what = match right.kind {
        RightKind::LetIn => "to be let in",
        RightKind::Adopt | RightKind::Window => "to be handed its credentials",
    };
    format!("{what} from {}, by {}", right.address, right.by)
}
