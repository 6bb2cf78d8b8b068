//! A building full of desks: each with a phone of its own line, bound to the server, and what that phone holds when it rests.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use pdms::domain::device::DeviceKey;
use pdms::domain::device::draft::{DeviceDraft, DeviceEdit};
use pdms::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use pdms::domain::profile::draft::{ProfileDraft, ProfileInput};
use pdms::services::commit::Mode;
use pdms::services::{devices, presence, profiles};
use pdms::simulate::boot::Program;
use pdms::simulate::files::Parameters;
use pdms::simulate::flash::Flash;
use pdms::simulate::fleet::{boot, judge};
use pdms::simulate::fresh::Fresh;
use pdms::simulate::journey::travel;
use pdms::simulate::memory::{Layer, Line};
use pdms::simulate::models::{MODELS, Model};
use pdms::simulate::network::Network;
use pdms::simulate::phone::{Occasion, Phone};
use pdms::simulate::rules::{READINGS, Rules};
use pdms::simulate::statistics::Statistics;

use super::{network, profile, put_on_global, run};
use crate::support::server::{PASSWORD, Server, USER, admin};

/// Phones that are on their way at once.
const AT_ONCE: usize = 64;
/// The first desks have phones that read the rules as usual; of the others each has another reading of one rule, in turn.
const USUAL: u32 = 200;
/// Every so many desks somebody has changed a setting at the phone.
const CHANGED_EVERY: usize = 50;

/// A phone and what it holds.
pub struct Desk {
    pub phone: Phone,
    /// The parameters that it held when it first rested: profiles, base and the phone's own.
    pub holds: Parameters,
    /// What was in its flash then.
    pub flash: Flash,
}

impl Desk {
    pub fn key(&self) -> DeviceKey {
        DeviceKey::from(self.phone.mac)
    }

    /// Notes what the phone holds now that it rests.
    pub fn rests(&mut self) {
        (self.holds, self.flash) = (self.phone.memory.all(), self.phone.memory.flash.clone());
    }

    /// What of it the phone does not hold any more, or with another value. Values in flash may be exchanged, such as credentials.
    fn lost(&self) -> Vec<&str> {
        let memory = &self.phone.memory;
        let has = memory.all();
        let lost = self.holds.iter().filter(|(name, value)| has.get(*name) != Some(value)).map(|(name, _)| name.as_str());
        lost.chain(self.flash.names().filter(|name| memory.flash.get(name).is_none())).collect()
    }
}

/// The desks, their server and the network between them.
pub struct Building {
    pub server: Server,
    pub network: Arc<Network>,
    pub desks: Vec<Desk>,
}

/// Models that can be bound: a phone whose Updater is never heard is not.
fn models() -> Vec<&'static Model> {
    let speaks = |model: &&Model| model.names_program && model.boot.iter().any(|step| step.program == Program::Updater);
    MODELS.iter().filter(speaks).collect()
}

fn other_reading(number: u32) -> Rules {
    let turn = usize::try_from(number).expect("a small number") % READINGS.len();
    Rules::USUAL.with(READINGS[turn].0)
}

/// The lines of desks.
fn line(server: &Server, numbers: Range<u32>) -> Vec<ProfileId> {
    let draft = |number: u32| {
        let parameters = [
            ("reg.1.address", number.to_string()),
            ("reg.1.auth.userId", number.to_string()),
            ("reg.1.auth.password", format!("sip-secret-{number}")),
        ];
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let input = ProfileInput { name: format!("Line {number}"), description: String::new(), parameters };
        ProfileDraft::parse(&input).expect("a good profile")
    };
    let made = profiles::create(&server.services, &admin(), DEFAULT_ACCOUNT, numbers.map(draft).collect(), Mode::Keep);
    made.expect("new profiles").iter().map(|profile| profile.id).collect()
}

/// Adds phones by hand, each with the line of its desk.
pub fn add(server: &Server, phones: impl Iterator<Item = (DeviceKey, ProfileId)>) {
    let draft = |(key, line)| DeviceDraft {
        key,
        family: None,
        model: None,
        profiles: vec![line],
        groups: Vec::new(),
        edit: DeviceEdit::default(),
    };
    devices::create(&server.services, &admin(), DEFAULT_ACCOUNT, phones.map(draft).collect(), Mode::Keep).expect("added");
}

/// Phones come, many at once; what restarts them lets them boot again. None is dead then.
pub fn visit(desks: &mut [Desk], network: &Network, occasion: Occasion) -> Statistics {
    let visits = desks.iter_mut().map(|desk| async move {
        let mut counted = Statistics::default();
        let journey = match occasion {
            Occasion::Boot => boot(&mut desk.phone, network, &mut counted).await,
            Occasion::Poll | Occasion::CheckSync => {
                let journey = travel(&mut desk.phone, occasion, network, None).await;
                counted.count(&journey.exchanges);
                match journey.report.restart {
                    true => boot(&mut desk.phone, network, &mut counted).await,
                    false => journey,
                }
            }
        };
        counted.end(judge(&desk.phone, &journey), Duration::ZERO);
        counted
    });
    let all = run(stream::iter(visits).buffer_unordered(AT_ONCE).fold(Statistics::default(), |mut all, one| async {
        all.add(one);
        all
    }));
    assert_eq!(all.dead, 0, "{all}");
    all
}

impl Building {
    /// This many phones that are bound and rest. They know our CA from what the server gave them, and DHCP says `http://`.
    pub fn bound(count: u32) -> Self {
        let server = Server::start();
        let house = profile(&server, "House", &[("reg.1.server.1.address", "sip.example.lan"), ("up.timeOut", "41")]);
        put_on_global(&server, vec![house]);
        let network = network(&server);
        let phones = (1..=count).zip(models().into_iter().cycle()).map(|(number, model)| {
            let rules = if number <= USUAL { Rules::USUAL } else { other_reading(number) };
            let mut phone = Phone::new(model, model.mac(number), rules, network.built_in());
            phone.point_at(&server.base(), USER, PASSWORD);
            phone
        });
        let desks: Vec<_> = phones.map(|phone| Desk { phone, holds: Parameters::new(), flash: Flash::default() }).collect();
        add(&server, desks.iter().map(Desk::key).zip(line(&server, 1..count + 1)));
        let mut building = Self { server, network, desks };
        building.come(0..building.desks.len(), Occasion::Boot);
        for desk in building.desks.iter_mut().step_by(CHANGED_EVERY) {
            desk.phone.change(Layer::Phone, "up.backlight.idleIntensity", "2");
        }
        building.come(0..building.desks.len(), Occasion::Boot);
        building.come(0..building.desks.len(), Occasion::Poll);
        for (number, desk) in (1..).zip(&mut building.desks) {
            desk.phone.forget_built_in();
            desk.rests();
            assert_eq!(desk.holds["reg.1.auth.password"], format!("sip-secret-{number}"));
        }
        building.dhcp_says_http();
        building.everybody_is_bound_and_whole();
        building
    }

    /// The same building with another server in its place.
    pub fn on(self, other: impl FnOnce(Server) -> Server) -> Self {
        Self { server: other(self.server), ..self }
    }

    pub fn all(&self) -> Range<usize> {
        0..self.desks.len()
    }

    pub fn keys(&self, which: Range<usize>) -> Vec<DeviceKey> {
        self.desks[which].iter().map(Desk::key).collect()
    }

    /// The address that DHCP gives to phones that know no other.
    pub fn http_address(&self) -> String {
        format!("http://localhost:{}/", self.server.http.port())
    }

    pub fn dhcp_says_http(&mut self) {
        let address = self.http_address();
        for desk in &mut self.desks {
            desk.phone.dhcp.option_42 = true;
            desk.phone.dhcp.option_160 = Some(address.clone());
        }
    }

    /// These phones come, as [`visit`] says. An hour later their runs have ended and are written.
    pub fn come(&mut self, which: Range<usize>, occasion: Occasion) -> Statistics {
        let all = visit(&mut self.desks[which], &self.network, occasion);
        self.server.advance(3_600);
        presence::settle(&self.server.services);
        self.server.flush();
        all
    }

    /// Everybody comes, is served and is whole.
    pub fn everybody_comes(&mut self, occasion: Occasion, what: &str) {
        let counted = self.come(self.all(), occasion);
        assert_eq!(counted.booted, self.desks.len() as u64, "{what}: {counted}");
        self.everybody_is_whole(what);
    }

    /// Every phone holds what it held: no parameter less, and none with another value.
    pub fn everybody_is_whole(&self, what: &str) {
        for desk in &self.desks {
            let (key, model, line) = (desk.key(), desk.phone.model.name, desk.phone.line());
            assert_eq!((desk.lost(), line), (Vec::new(), Line::Registered), "{what}: {key} ({model})");
        }
    }

    pub fn everybody_is_bound_and_whole(&self) {
        let book = self.server.services.trusts(DEFAULT_ACCOUNT);
        for desk in &self.desks {
            let (key, user) = (desk.key(), desk.phone.memory.flash.get("device.prov.user"));
            assert_eq!(user, Some(&*key.to_string()), "it has credentials of its own");
            assert!(book.of(&key).bound_at.is_some(), "{key} is not bound: {:?}", book.of(&key));
        }
        self.everybody_is_whole("bound");
    }

    /// Somebody resets these phones to factory settings.
    pub fn reset(&mut self, which: Range<usize>) {
        self.desks[which.clone()].iter_mut().for_each(|desk| desk.phone.factory_reset());
        self.unpack(which, &self.http_address());
    }

    /// Other hardware from the box takes the place of these phones: with the same MACs, or with those that count on from `first`.
    pub fn exchange(&mut self, which: Range<usize>, first: Option<u32>, dhcp: &str) {
        for (number, desk) in (0..).zip(&mut self.desks[which.clone()]) {
            let model = desk.phone.model;
            let mac = first.map_or(desk.phone.mac, |first| model.mac(first + number));
            desk.phone = Phone::new(model, mac, Rules::USUAL, Arc::from(Vec::new()));
        }
        self.unpack(which, dhcp);
    }

    /// They know the factory default, no CA and no time, and what DHCP says.
    fn unpack(&mut self, which: Range<usize>, dhcp: &str) {
        let fresh = Fresh { dhcp: Some(dhcp.to_owned()), wait: Duration::ZERO };
        for desk in &mut self.desks[which] {
            fresh.unpack(&mut desk.phone, dhcp);
            assert!(desk.phone.memory.all().is_empty() && desk.phone.trust().roots.is_empty());
        }
    }
}
