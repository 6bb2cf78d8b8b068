//! Phones from the box: from an HTTP address and the factory default to HTTPS with credentials of their own (contract 3, 4, 7).

use std::sync::Arc;
use std::time::Duration;

use pdms::domain::account::FirstContact;
use pdms::domain::device::DeviceKey;
use pdms::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use pdms::domain::run::Reason;
use pdms::domain::trust::Trust;
use pdms::services::accounts::{AccountDraft, LegacyHttp};
use pdms::services::commit::Mode;
use pdms::services::pending::{self, Deed};
use pdms::services::rollover::{self, Step};
use pdms::services::{credentials, presence, uploads};
use pdms::simulate::credentials::Credentials;
use pdms::simulate::fleet::{boot, judge};
use pdms::simulate::fresh::Fresh;
use pdms::simulate::journey::{Journey, travel};
use pdms::simulate::memory::Line;
use pdms::simulate::models::{MODELS, Model};
use pdms::simulate::network::Network;
use pdms::simulate::phone::{Occasion, Phone};
use pdms::simulate::rules::{READINGS, Rules};
use pdms::simulate::statistics::{Ending, Statistics};

use super::building::add;
use super::{LINE, profile, put_on_global, run};
use crate::support::proxy::Proxy;
use crate::support::server::{PASSWORD, Server, USER, admin};

/// What the person at the desk reads off a profile of this device alone.
const OWN: &[(&str, &str)] = &[("reg.1.displayName", "own-name-7411"), ("reg.2.auth.password", "second-secret-7411")];

/// What DHCP says at every start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dhcp {
    /// Nothing: somebody typed the address in.
    Silent,
    /// The address of plain HTTP.
    Http,
    /// The same with the shared credentials in it.
    HttpWithCredentials,
}

/// How the phone is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By one click under *Pending*, whatever the policy for new devices.
    Click(FirstContact),
    /// The same, of a device that was added before with a profile of its own.
    ClickOnStaged,
    /// By the window for new phones, which somebody has opened: without a click on this phone.
    Window,
}

impl Way {
    fn policy(self) -> FirstContact {
        match self {
            Self::Click(policy) => policy,
            Self::ClickOnStaged | Self::Window => FirstContact::Staged,
        }
    }
}

/// A phone from the box with its network: it knows no CA, and the time server tells the server's time.
struct Unpacked {
    server: Server,
    wire: Proxy,
    network: Network,
    phone: Phone,
    /// What only this device is given, once it is added.
    own: ProfileId,
}

impl Unpacked {
    /// The address of the plain HTTP leg leads over a wire that is listened to.
    fn new(dhcp: Dhcp, rules: Rules) -> Self {
        Self::of("VVX411", dhcp, rules)
    }

    /// The same of another model.
    fn of(model: &str, dhcp: Dhcp, rules: Rules) -> Self {
        let server = Server::start();
        let own = profile(&server, "Own", OWN);
        put_on_global(&server, vec![profile(&server, "Lines", LINE), profile(&server, "House", &[("up.timeOut", "41")])]);
        let wire = Proxy::to(server.http);
        let url = format!("http://localhost:{}/", wire.address.port());
        let clock = server.clock.clone();
        let network = Network::new(&url, Vec::new()).expect("this machine").with_time(Arc::new(move || clock.now()));
        let model = Model::find(model).expect("a model of the table");
        let mut phone = Phone::new(model, model.mac(1), rules, network.built_in());
        let said = match dhcp {
            Dhcp::Silent => None,
            Dhcp::Http => Some(url.clone()),
            Dhcp::HttpWithCredentials => Some(url.replace("://", &format!("://{USER}:{PASSWORD}@"))),
        };
        Fresh { dhcp: said, wait: Duration::ZERO }.unpack(&mut phone, &url);
        Self { server, wire, network, phone, own }
    }

    fn key(&self) -> DeviceKey {
        DeviceKey::from(self.phone.mac)
    }

    fn trust(&self) -> Arc<Trust> {
        self.server.services.trusts(DEFAULT_ACCOUNT).of(&self.key())
    }

    /// A run on its own: the run before has ended.
    fn run(&mut self, occasion: Occasion) -> Journey {
        self.server.advance(130);
        presence::settle(&self.server.services);
        run(travel(&mut self.phone, occasion, &self.network, None))
    }

    /// A boot with the restarts that it leads to.
    fn boot(&mut self) -> Journey {
        self.server.advance(130);
        presence::settle(&self.server.services);
        run(boot(&mut self.phone, &self.network, &mut Statistics::default()))
    }

    /// What was decided before the phone comes.
    fn prepare(&self, way: Way) {
        self.server.set_account(&AccountDraft { first_contact: Some(way.policy()), ..AccountDraft::default() });
        match way {
            Way::Click(_) => {}
            Way::ClickOnStaged => add(&self.server, [(self.key(), self.own)].into_iter()),
            Way::Window => {
                pending::set_window(&self.server.services, &admin(), DEFAULT_ACCOUNT, true, Mode::Keep).expect("opened");
            }
        }
    }

    /// One click on *Pending*.
    fn adopt(&self) {
        let done = pending::act(&self.server.services, &admin(), DEFAULT_ACCOUNT, Deed::LetIn, &[self.key()], Mode::Keep);
        assert_eq!(done.expect("it waits").done[0].action, "adopted");
    }

    /// Nothing secret and no parameter of a profile crossed the plain wire in either direction.
    fn assert_nothing_told(&self) {
        let heard = self.wire.heard();
        assert!(heard.contains("-bootstrap.cfg") && heard.contains("customCaCert2"), "the wire was listened to");
        let own = credentials::of(&self.server.services, DEFAULT_ACCOUNT, &self.key());
        // Its own user name is its MAC, which is no secret.
        let basic = Credentials::new(USER, PASSWORD).basic();
        let own_basic = Credentials::new(own.user.as_str(), own.password.expose()).basic();
        let secrets = [
            own.password.expose(),
            own.admin_password.expose(),
            PASSWORD,
            USER,
            basic.trim_start_matches("Basic "),
            own_basic.trim_start_matches("Basic "),
            "Authorization",
        ];
        let profiles = LINE.iter().chain(OWN).chain([&("up.timeOut", "41")]);
        let values = profiles.clone().map(|(_, value)| *value).filter(|value| value.contains(['-', '.']));
        for told in secrets.into_iter().chain(profiles.map(|(name, _)| *name)).chain(values) {
            assert!(!heard.contains(told), "{told} crossed the plain wire");
        }
    }
}

fn walks_from_the_box_to_bound(dhcp: Dhcp, way: Way, rules: Rules) {
    let what = format!("{dhcp:?} {way:?} {rules:?}");
    let mut unpacked = Unpacked::new(dhcp, rules);
    unpacked.prepare(way);
    for _ in 0..3 {
        unpacked.boot();
    }
    assert_eq!(unpacked.phone.memory.flash.get("device.dhcp.bootSrvUseOpt"), Some("Static"), "{what}");
    if way != Way::Window {
        let knock = unpacked.trust().knock.clone().expect("it waits under Pending");
        assert_eq!(knock.reason, Reason::FactoryCredentials, "{what}");
        assert_eq!(unpacked.phone.line(), Line::None, "nobody let it in yet: {what}");
        unpacked.adopt();
    }
    unpacked.boot();
    let first = unpacked.boot();
    assert_eq!(judge(&unpacked.phone, &first), Ending::Booted, "{what}");
    assert_eq!(unpacked.phone.line(), Line::Registered, "{what}");
    let polled = unpacked.run(Occasion::Poll);
    assert_eq!(judge(&unpacked.phone, &polled), Ending::Booted, "{what}");
    let second = unpacked.boot();
    assert_eq!((judge(&unpacked.phone, &second), second.report.uploads_lost), (Ending::Booted, 0), "{what}");
    assert!(second.exchanges.iter().all(|exchange| exchange.trouble.is_none()), "{what}");
    let log = uploads::newest_log(&unpacked.server.services, DEFAULT_ACCOUNT, &unpacked.key(), "app.log").expect("readable");
    assert!(log.is_some(), "its log is kept: {what}");
    let own = unpacked.phone.memory.effective("reg.2.auth.password");
    assert_eq!(own.is_some(), way == Way::ClickOnStaged, "what was deployed to it came: {what}");

    unpacked.server.advance(130);
    presence::settle(&unpacked.server.services);
    assert!(unpacked.trust().bound_at.is_some(), "{what}: {:?}", unpacked.trust());
    unpacked.server.flush();
    let served = unpacked.wire.heard();
    unpacked.boot();
    assert_eq!(unpacked.wire.heard(), served, "a bound phone asks plain HTTP no more: {what}");
    unpacked.assert_nothing_told();
}

/// It restarts and polls right away, as often as it likes, and nobody lets any time pass before it is left alone.
fn lives_without_a_pause(way: Way, rules: Rules, model: &'static str) {
    let what = format!("{way:?} {rules:?} {model}");
    let mut unpacked = Unpacked::of(model, Dhcp::Http, rules);
    unpacked.prepare(way);
    let fresh = Fresh { dhcp: None, wait: Duration::ZERO };
    let live = |unpacked: &mut Unpacked| run(fresh.live(&mut unpacked.phone, &unpacked.network, &mut Statistics::default()));
    if way != Way::Window {
        assert!(matches!(live(&mut unpacked), Ending::Failed(_)), "nobody let it in yet: {what}");
        unpacked.adopt();
    }
    assert_eq!(live(&mut unpacked), Ending::Booted, "{what}");
    unpacked.server.advance(130);
    presence::settle(&unpacked.server.services);
    assert!(unpacked.trust().bound_at.is_some(), "{what}: {:?}", unpacked.trust());
    unpacked.assert_nothing_told();
}

#[test]
fn it_is_bound_without_a_pause_between_its_restarts_whatever_model_it_is() {
    for way in [Way::Click(FirstContact::Open), Way::ClickOnStaged, Way::Window] {
        lives_without_a_pause(way, Rules::USUAL, "VVX411");
    }
    // A video bar has no Updater that is heard, so it is never bound.
    for model in MODELS.iter().filter(|model| model.name != "StudioX30") {
        lives_without_a_pause(Way::Window, Rules::USUAL, model.name);
    }
}

#[test]
fn it_is_so_under_every_reading_of_the_rules() {
    for (rule, ..) in READINGS {
        if *rule != pdms::simulate::rules::Rule::FirstRequest {
            lives_without_a_pause(Way::Window, Rules::USUAL.with(*rule), "VVX411");
        }
    }
}

#[test]
fn a_phone_from_the_box_ends_bound_on_https_after_one_click_whatever_dhcp_says() {
    for dhcp in [Dhcp::Silent, Dhcp::Http, Dhcp::HttpWithCredentials] {
        walks_from_the_box_to_bound(dhcp, Way::Click(FirstContact::Open), Rules::USUAL);
    }
}

#[test]
fn it_does_so_under_every_policy_with_one_click_and_with_none_while_the_window_is_open() {
    for way in FirstContact::ALL.map(Way::Click).into_iter().chain([Way::ClickOnStaged, Way::Window]) {
        walks_from_the_box_to_bound(Dhcp::HttpWithCredentials, way, Rules::USUAL);
    }
}

#[test]
fn it_does_so_under_every_reading_of_the_rules() {
    for (rule, ..) in READINGS {
        // Such a phone shows its credentials to whoever it asks: PlcmSpIp, which everybody knows.
        if *rule != pdms::simulate::rules::Rule::FirstRequest {
            walks_from_the_box_to_bound(Dhcp::Http, Way::Click(FirstContact::Open), Rules::USUAL.with(*rule));
        }
    }
}

#[test]
fn a_phone_from_the_box_comes_up_at_every_stage_of_a_rollover() {
    let steps = [Step::Start, Step::Switch, Step::End];
    for taken in 1..=steps.len() {
        let mut unpacked = Unpacked::new(Dhcp::Silent, Rules::USUAL);
        for step in &steps[..taken] {
            let (services, address) = (&unpacked.server.services, &unpacked.server.base_address);
            rollover::take_running(services, address, &admin(), *step, true, Mode::Keep).expect("it is time for it");
        }
        for _ in 0..3 {
            unpacked.boot();
        }
        unpacked.adopt();
        unpacked.boot();
        let booted = unpacked.boot();
        assert_eq!((judge(&unpacked.phone, &booted), unpacked.phone.line()), (Ending::Booted, Line::Registered), "{taken}");
        let cas = if taken == steps.len() { 1 } else { 2 };
        assert_eq!(unpacked.phone.trust().roots.len(), cas, "{taken}");
    }
}

#[test]
fn a_phone_on_its_way_to_https_goes_on_after_the_switch() {
    let mut unpacked = Unpacked::new(Dhcp::Silent, Rules::USUAL);
    // It knows the old CA and has not shown it yet.
    unpacked.run(Occasion::Boot);
    assert_eq!(unpacked.phone.memory.flash.get("device.prov.serverType"), None);
    assert_eq!(unpacked.phone.trust().roots.len(), 1);
    for step in [Step::Start, Step::Switch] {
        let (services, address) = (&unpacked.server.services, &unpacked.server.base_address);
        rollover::take_running(services, address, &admin(), step, true, Mode::Keep).expect("it is time for it");
    }
    for _ in 0..3 {
        unpacked.boot();
    }
    unpacked.adopt();
    unpacked.boot();
    let booted = unpacked.boot();
    assert_eq!((judge(&unpacked.phone, &booted), unpacked.phone.line()), (Ending::Booted, Line::Registered));
}

#[test]
fn a_phone_that_is_not_let_in_waits_and_asks_for_no_line() {
    let mut unpacked = Unpacked::new(Dhcp::Http, Rules::USUAL);
    let (network, phone) = (&unpacked.network, &mut unpacked.phone);
    let fresh = Fresh { dhcp: None, wait: Duration::ZERO };
    let ending = run(fresh.live(phone, network, &mut Statistics::default()));
    assert!(matches!(&ending, Ending::Failed(why) if why.contains("was answered 503")), "{ending:?}");
    assert_eq!(unpacked.phone.line(), Line::None);
    assert_eq!(unpacked.trust().knock.as_ref().map(|knock| knock.reason), Some(Reason::FactoryCredentials));
    unpacked.assert_nothing_told();
    unpacked.adopt();
    let (network, phone) = (&unpacked.network, &mut unpacked.phone);
    assert_eq!(run(fresh.live(phone, network, &mut Statistics::default())), Ending::Booted);
}

#[test]
fn a_phone_whose_clock_stands_in_1999_is_told_a_time_server_before_it_is_sent_to_https() {
    let mut unpacked = Unpacked::new(Dhcp::Silent, Rules::USUAL);
    assert!(!unpacked.phone.trust().knows_time);
    run(travel(&mut unpacked.phone, Occasion::Boot, &unpacked.network, None));
    assert!(unpacked.phone.trust().knows_time && unpacked.phone.trust().roots.len() == 1);
    assert_eq!(unpacked.phone.memory.flash.get("device.prov.serverType"), None, "no proof yet");
    let fault = unpacked.trust().bootstrap.as_ref().and_then(|bootstrap| bootstrap.fault);
    assert!(fault.is_some(), "its first log failed, and the cause is known");
}

#[test]
fn a_phone_without_tls_boots_in_full_in_a_listed_network_and_keeps_its_password_off_the_wire() {
    let server = Server::start();
    put_on_global(&server, vec![profile(&server, "Lines", LINE)]);
    let legacy = LegacyHttp { subnets: vec!["127.0.0.0/8".to_owned()], confirmed: true };
    server.set_account(&AccountDraft { legacy_http: Some(legacy), ..AccountDraft::default() });
    let wire = Proxy::to(server.http);
    let url = format!("http://localhost:{}/", wire.address.port());
    let clock = server.clock.clone();
    let network = Network::new(&url, Vec::new()).expect("this machine").with_time(Arc::new(move || clock.now()));
    let model = Model::find("SPIP550").expect("a model of the table");
    let mut phone = Phone::new(model, model.mac(1), Rules::USUAL, network.built_in());
    phone.point_at(&url, USER, PASSWORD);
    let booted = run(boot(&mut phone, &network, &mut Statistics::default()));
    assert_eq!((judge(&phone, &booted), phone.line()), (Ending::Booted, Line::Registered));
    assert_eq!(booted.report.uploads_lost, 0, "its logs are taken");
    let heard = wire.heard();
    let basic = Credentials::new(USER, PASSWORD).basic();
    assert!(heard.contains("Authorization: Digest") && !heard.contains(PASSWORD) && !heard.contains(&basic));
    assert!(server.services.trusts(DEFAULT_ACCOUNT).of(&DeviceKey::from(phone.mac)).clear_text);
}
