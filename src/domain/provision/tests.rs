//! What a phone is told by rule, by profiles and by the base, as sentences.

use std::sync::Arc;

use proptest::prelude::*;

use super::view::{File, Override, Part, Row, Source, explain};
use super::*;
use crate::domain::account::BaseSettings;
use crate::domain::deployment::{Container, Place};
use crate::domain::names::Name;
use crate::domain::profile::Profile;
use crate::domain::testing::{
    deployed, device, hostile_parameters, parameter_set, profile, property_config, to, with_account, world,
};

/// The value of a parameter in a device's file.
fn told(world: &World, name: &str) -> Option<String> {
    told_to(&device("0004f2aabbcc"), world, name)
}

fn told_to(device: &Device, world: &World, name: &str) -> Option<String> {
    let provision = provision(&to(device), world);
    provision.files.parameters().find(|setting| setting.name == name).map(|setting| setting.value.to_string())
}

fn on_global(parameters: &[(&str, &str)]) -> World {
    deployed(world(), vec![(Place::Global, profile(1, parameters))])
}

#[test]
fn a_phone_is_bound_to_this_server_by_rule() {
    let world = world();
    let expected = [
        ("device.set", "1"),
        ("device.prov.serverType", "HTTPS"),
        ("device.prov.serverType.set", "1"),
        ("device.prov.serverName", "https://pdms.example.test:8443/"),
        ("device.prov.serverName.set", "1"),
        ("device.prov.user", "own-user"),
        ("device.prov.user.set", "1"),
        ("device.prov.password", "own-password"),
        ("device.prov.password.set", "1"),
        ("device.dhcp.bootSrvUseOpt", "Static"),
        ("device.dhcp.bootSrvUseOpt.set", "1"),
    ];
    let provision = provision(&to(&device("0004f2aabbcc")), &world);
    let binding: Vec<_> = provision.files.binding.iter().map(|setting| (&*setting.name, &*setting.value)).collect();
    assert_eq!(binding, expected);
}

#[test]
fn where_devices_have_no_credentials_of_their_own_they_share_them_and_dhcp_leads_them() {
    let world = with_account(world(), |account| account.admission.binds = false);
    assert_eq!(told(&world, "device.prov.user").as_deref(), Some("phones"));
    assert_eq!(told(&world, "device.prov.password").as_deref(), Some("a\"secret&"));
    assert_eq!(told(&world, "device.dhcp.bootSrvUseOpt"), None);
}

#[test]
fn in_clear_text_a_phone_learns_no_password() {
    let mut world = on_global(&[("reg.1.address", "100")]);
    Arc::make_mut(&mut world.endpoints).http_url = Some("http://pdms.example.test:8080/".to_owned());
    let device = device("0004f2aabbcc");
    let provision = provision(&Recipient { channel: Channel::ClearText, ..to(&device) }, &world);
    let parameters: Vec<_> = provision.files.parameters().map(|one| (&*one.name, &*one.value)).collect();
    assert!(parameters.contains(&("device.prov.serverName", "http://pdms.example.test:8080/")));
    assert!(parameters.contains(&("reg.1.address", "100")));
    for secret in ["own-user", "own-password", "0123456789", "phones", "a\"secret&"] {
        assert!(parameters.iter().all(|(_, value)| *value != secret), "{secret}");
    }
}

#[test]
fn our_authority_goes_to_slot_two_while_it_signs_the_servers_certificate() {
    let mut world = world();
    assert_eq!(told(&world, "device.sec.TLS.customCaCert2"), None);
    Arc::make_mut(&mut world.endpoints).ca_pem = Some("-----BEGIN\nx\n-----END\n".to_owned());
    assert_eq!(told(&world, "device.sec.TLS.customCaCert2").as_deref(), Some("-----BEGIN\nx\n-----END\n"));
    assert_eq!(told(&world, "device.sec.TLS.customCaCert2.set").as_deref(), Some("1"));
    assert_eq!(told(&world, "device.sec.TLS.profile.caCertList2").as_deref(), Some("BuiltinAndPlatform2"));
    assert_eq!(told(&world, "device.sec.TLS.profileSelection.provisioning").as_deref(), Some("PlatformProfile2"));
}

#[test]
fn no_profile_can_take_a_phone_away() {
    let world = on_global(&[
        ("device.set", "0"),
        ("device.prov.serverName", "elsewhere.example.test"),
        ("device.prov.serverName.set", "1"),
        ("DEVICE.prov.servername", "elsewhere.example.test"),
        ("device.prov.user", "${mac_address}"),
        ("device.prov.redunAttemptLimit", "3"),
    ]);
    assert_eq!(told(&world, "device.set").as_deref(), Some("1"));
    assert_eq!(told(&world, "device.prov.serverName").as_deref(), Some("https://pdms.example.test:8443/"));
    assert_eq!(told(&world, "DEVICE.prov.servername"), None);
    assert_eq!(told(&world, "device.prov.user").as_deref(), Some("own-user"));
    assert_eq!(told(&world, "device.prov.redunAttemptLimit").as_deref(), Some("3"));
}

#[test]
fn credentials_are_never_read_as_a_variable() {
    let world = with_account(world(), |account| {
        account.provisioning.user = "$mac_address".to_owned();
        account.admission.binds = false;
    });
    assert_eq!(told(&world, "device.prov.user").as_deref(), Some("$mac_address"));
}

#[test]
fn the_base_manages_a_phone_unless_a_profile_says_otherwise() {
    let base = [
        ("apps.restapi.enabled", "1"),
        ("device.prov.tagSerialNo", "1"),
        ("device.prov.tagSerialNo.set", "1"),
        ("prov.polling.enabled", "1"),
        ("prov.polling.mode", "abs"),
        ("prov.polling.period", "86400"),
        ("prov.polling.time", "03:50"),
        ("log.render.file.upload.append", "0"),
        ("tcpIpApp.sntp.address", "pool.ntp.org"),
        ("device.sntp.serverName", "pool.ntp.org"),
        ("device.sntp.serverName.set", "1"),
        ("tcpIpApp.sntp.gmtOffset", "3600"),
        ("tcpIpApp.sntp.daylightSavings.enable", "1"),
        ("tcpIpApp.sntp.daylightSavings.start.month", "3"),
        ("tcpIpApp.sntp.daylightSavings.start.dayOfWeek", "1"),
        ("tcpIpApp.sntp.daylightSavings.start.dayOfWeek.lastInMonth", "1"),
        ("tcpIpApp.sntp.daylightSavings.stop.time", "3"),
    ];
    for (name, value) in base {
        assert_eq!(told(&world(), name).as_deref(), Some(value), "{name}");
    }
    let world = on_global(&[("apps.restapi.enabled", "0"), ("device.prov.tagSerialNo", "0")]);
    assert_eq!(told(&world, "apps.restapi.enabled").as_deref(), Some("0"));
    assert_eq!(told(&world, "device.prov.tagSerialNo").as_deref(), Some("0"));
    assert_eq!(told(&world, "device.prov.tagSerialNo.set"), None, "a parameter and its twin come from one profile");
    assert_eq!(told(&world, "prov.polling.mode").as_deref(), Some("abs"));
}

#[test]
fn each_group_of_the_base_has_its_switch() {
    let off = BaseSettings::SERVE_ONLY;
    let cases = [
        (BaseSettings { rest_api: true, ..off }, "apps.restapi.enabled"),
        (BaseSettings { serial_tag: true, ..off }, "device.prov.tagSerialNo"),
        (BaseSettings { polling: true, ..off }, "prov.polling.time"),
        (BaseSettings { log_upload: true, ..off }, "log.render.file.upload.append"),
        (BaseSettings { time: true, ..off }, "tcpIpApp.sntp.gmtOffset"),
    ];
    for (base, name) in cases {
        let world = with_account(world(), |account| account.base = base);
        for (_, other) in cases {
            assert_eq!(told(&world, other).is_some(), other == name, "{other} while only {name} is on");
        }
    }
    let nothing = with_account(world(), |account| account.base = off);
    assert!(provision(&to(&device("0004f2aabbcc")), &nothing).files.base.is_empty());
}

#[test]
fn a_zone_that_phones_cannot_follow_is_told_as_a_warning() {
    let world = with_account(world(), |account| account.time_zone = "Australia/Lord_Howe".to_owned());
    let provision = provision(&to(&device("0004f2aabbcc")), &world);
    let [warning] = &provision.warnings[..] else { panic!("one warning: {:?}", provision.warnings) };
    assert!(warning.to_string().starts_with("time zone Australia/Lord_Howe: "), "{warning}");
    assert_eq!(told(&world, "tcpIpApp.sntp.daylightSavings.enable").as_deref(), Some("0"));
    assert_eq!(told(&world, "tcpIpApp.sntp.daylightSavings.start.month"), None);
}

#[test]
fn an_unknown_zone_leaves_the_phones_clock_alone() {
    let world = with_account(world(), |account| account.time_zone = "Mars/Olympus".to_owned());
    assert_eq!(told(&world, "tcpIpApp.sntp.gmtOffset"), None);
    assert_eq!(told(&world, "tcpIpApp.sntp.address").as_deref(), Some("pool.ntp.org"));
    assert_eq!(provision(&to(&device("0004f2aabbcc")), &world).warnings.len(), 1);
}

#[test]
fn only_a_device_that_takes_a_name_is_told_one_and_a_profiles_name_wins() {
    let mut device = device("8218404c20ccf9");
    device.sent_name = Some(Name::parse("Board room").expect("a name"));
    let name = |device: &Device, world: &World| told_to(device, world, "device.local.deviceName");
    device.family = Some("VVX".to_owned());
    assert_eq!(name(&device, &world()), None);
    device.family = Some("Studio".to_owned());
    assert_eq!(name(&device, &world()).as_deref(), Some("Board room"));
    assert_eq!(name(&device, &on_global(&[("device.local.deviceName", "By profile")])).as_deref(), Some("By profile"));
    device.sent_name = Some(Name::parse(&"x".repeat(41)).expect("a name"));
    assert_eq!(name(&device, &world()), None);
    assert_eq!(provision(&to(&device), &world()).warnings, [Warning::NameTooLong]);
}

#[test]
fn a_device_with_a_serial_number_has_files_of_that_name() {
    let world = on_global(&[("prov.configUploadPath", "up/$mac_address")]);
    let provision = provision(&to(&device("8218404c20ccf9")), &world);
    let files = provision.files.master.iter().find(|setting| setting.name == "CONFIG_FILES").expect("always written");
    assert_eq!(files.value, "8218404c20ccf9-profile.cfg");
    assert_eq!(told_to(&device("8218404c20ccf9"), &world, "prov.configUploadPath").as_deref(), Some("up/8218404c20ccf9"));
}

#[test]
fn nobody_in_particular_gets_nothing_of_anybody() {
    let provision = anonymous();
    assert!(provision.files.parameters().next().is_none());
    let values = provision.files.master.iter().filter(|setting| !setting.value.is_empty());
    assert_eq!(values.map(|setting| &*setting.name).collect::<Vec<_>>(), ["APP_FILE_PATH"]);
}

fn row<'v>(rows: &'v [Row], name: &str) -> &'v Row {
    rows.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no row for {name}"))
}

#[test]
fn every_value_says_who_won_and_what_it_beat() {
    let mut device = device("0004f2aabbcc");
    device.profiles = vec![crate::domain::ids::ProfileId(9)];
    let mut world = on_global(&[
        ("prov.polling.time", "01:00"),
        ("device.prov.password", "old"),
        ("device.prov.password.set", "1"),
        ("CONFIG_FILES", "site.cfg"),
        ("voice.volume", "3"),
    ]);
    let own = profile(9, &[("prov.polling.time", "02:00"), ("voice.volume", "$mac_address")]);
    world.profiles.insert(own.id, own.into());
    let rows = explain(&to(&device), &world).rows;

    let polling = row(&rows, "prov.polling.time");
    let said: Vec<_> = std::iter::once(&polling.winner)
        .chain(&polling.beaten)
        .map(|layer| (layer.source.describe(), layer.value.as_deref()))
        .collect();
    let expected = [("profile 9 (Device)", "02:00"), ("profile 1 (Global)", "01:00"), ("built-in base: polling", "03:50")];
    assert_eq!(said, expected.map(|(source, value)| (source.to_owned(), Some(value))));

    let password = row(&rows, "device.prov.password");
    assert_eq!((&password.winner.source, password.secret), (&Source::Rule, true));
    assert_eq!(password.beaten[0].value.as_deref(), Some("old"));
    assert!(!rows.iter().any(|row| row.name.ends_with(".set") && row.name != "device.set"), "twins share a row");

    let files = row(&rows, "CONFIG_FILES");
    assert_eq!(files.file, File::Master);
    assert!(matches!(files.winner.source, Source::Profile { container: Container::Global, .. }));
    assert_eq!(files.winner.value.as_deref(), Some("0004f2aabbcc-profile.cfg,site.cfg"));
    assert_eq!(row(&rows, "APP_FILE_PATH").winner.source, Source::Base(Part::MasterFile));
    assert_eq!(row(&rows, "voice.volume").winner.value.as_deref(), Some("0004f2aabbcc"));
}

#[test]
fn what_the_phone_itself_has_set_lies_over_everything() {
    let world = on_global(&[("voice.volume", "3")]);
    let view = explain(&to(&device("0004f2aabbcc")), &world);
    let menu = parameter_set(&[("voice.volume", "9"), ("lcl.ml.lang", "German_Germany")]);
    let page = parameter_set(&[("voice.volume", "7")]);
    let at = |second| jiff::Timestamp::from_second(second).expect("a time within the range");
    let in_order = view.clone().with_overrides(Override::WebPage, at(1), &page).with_overrides(Override::PhoneMenu, at(2), &menu);
    let reversed = view.with_overrides(Override::PhoneMenu, at(2), &menu).with_overrides(Override::WebPage, at(1), &page);
    assert_eq!(in_order, reversed);

    let volume = row(&in_order.rows, "voice.volume");
    let values: Vec<_> = std::iter::once(&volume.winner).chain(&volume.beaten).map(|layer| layer.value.as_deref()).collect();
    assert_eq!(values, [Some("9"), Some("7"), Some("3")]);
    assert_eq!(volume.winner.source, Source::Override { kind: Override::PhoneMenu, at: at(2) });
    assert_eq!(row(&in_order.rows, "lcl.ml.lang").file, File::Phone);
}

proptest! {
    #![proptest_config(property_config())]

    #[test]
    fn every_name_is_told_once_and_the_view_tells_the_same(sets in prop::collection::vec(hostile_parameters(), 0..4)) {
        let profiles = sets.into_iter().zip(1..).map(|(parameters, id)| Profile { parameters, ..profile(id, &[]) });
        let world = deployed(world(), profiles.map(|profile| (Place::Global, profile)).collect());
        let mut device = device("0004f2aabbcc");
        device.own_clock = parameter_set(&[("tcpIpApp.sntp.gmtOffset", "-7200")]);
        let provision = provision(&to(&device), &world);

        let mut told: Vec<_> = provision.files.parameters().map(|one| (one.name.to_string(), one.value.to_string())).collect();
        told.sort();
        prop_assert!(told.windows(2).all(|pair| pair[0].0 != pair[1].0));

        let view = explain(&to(&device), &world);
        let layers = |file| view.rows.iter().filter(move |row| row.file == file).map(|row| (&row.name, &row.winner));
        let values = layers(File::Parameters).filter_map(|(name, winner)| Some((name.clone(), winner.value.clone()?)));
        let twins = layers(File::Parameters).filter_map(|(name, winner)| Some((format!("{name}.set"), winner.set.clone()?)));
        let mut viewed: Vec<_> = values.chain(twins).collect();
        viewed.sort();
        prop_assert_eq!(told, viewed);

        let mut master: Vec<_> = provision.files.master.iter().map(|one| (one.name.to_string(), one.value.to_string())).collect();
        master.sort();
        let viewed: Vec<_> = layers(File::Master).map(|(name, winner)| (name.clone(), winner.value.clone().unwrap_or_default())).collect();
        prop_assert_eq!(master, viewed);
    }

    #[test]
    fn the_order_in_which_profiles_are_stored_is_irrelevant(sets in prop::collection::vec(hostile_parameters(), 0..4)) {
        let profiles: Vec<Profile> = sets.into_iter().zip(1..).map(|(parameters, id)| Profile { parameters, ..profile(id, &[]) }).collect();
        let forwards = deployed(world(), profiles.iter().cloned().map(|one| (Place::Global, one)).collect());
        let mut backwards = world();
        backwards.profiles.extend(profiles.iter().rev().map(|one| (one.id, Arc::new(one.clone()))));
        backwards.deployment.insert(Place::Global, profiles.iter().map(|one| one.id).collect());
        let device = device("0004f2aabbcc");
        prop_assert_eq!(provision(&to(&device), &forwards), provision(&to(&device), &backwards));
    }
}

#[test]
fn what_is_ours_in_another_letter_case_is_told_and_never_served_beside_ours() {
    let world =
        on_global(&[("Prov.Polling.Time", "01:00"), ("DEVICE.hostname", "x"), ("DEVICE.hostname.set", "1"), ("xmlns", "x")]);
    let phone = device("0004f2aabbcc");
    let provision = provision(&to(&phone), &world);
    let names: Vec<_> = provision.files.parameters().map(|one| one.name.to_string()).collect();
    assert!(names.contains(&"prov.polling.time".to_owned()) && !names.contains(&"Prov.Polling.Time".to_owned()), "{names:?}");
    assert!(!names.contains(&"xmlns".to_owned()), "an earlier version took it, and no phone could read the file");
    let spelling = Warning::Spelling { name: "Prov.Polling.Time".to_owned(), known: "prov.polling.time".to_owned() };
    assert_eq!(provision.warnings, [spelling]);
    let rows = explain(&to(&phone), &world).rows;
    let polling = row(&rows, "prov.polling.time");
    assert_eq!(polling.beaten[0].value.as_deref(), Some("01:00"));
    assert!(rows.iter().all(|row| row.name != "Prov.Polling.Time" && row.name != "xmlns"));
    assert!(row(&rows, "DEVICE.hostname").winner.set.is_some(), "a twin belongs to its parameter in any letter case");
}
