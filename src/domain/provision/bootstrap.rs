//! The two files of a phone that comes over plain HTTP and does not know our certificate authority yet (contract 3).
//!
//! Nothing here is secret and nothing comes from a profile: anybody in the network may read it.

use std::borrow::Cow;

use super::super::account::Slot;
use super::super::bootstrap::Stage;
use super::super::mac::Mac;
use super::super::world::World;
use super::{DeviceSecrets, DeviceValues, Files, Given, Provision, Setting, binding, master, with_twin};
use crate::domain::account::Secret;

/// What the name of the file adds to the phone's MAC.
const FILE_SUFFIX: &str = "-bootstrap.cfg";

/// Seconds between two polls of a phone on its way to HTTPS: the shortest that phones take (protocol/provisioning.md 5).
const POLLING_SECONDS: &str = "3600";

/// The suites that this server shares with phones, then the vendor's default, in the words of OpenSSL.
const CIPHER_LIST: &str = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:\
    ALL:!aNULL:!eNULL:!DSS:!SEED:!ECDSA:!IDEA:!MEDIUM:!LOW:!EXP:!DH:!AECDH:!PSK:!SRP:!MD5:!RC4:@STRENGTH";

/// The files of a phone at this stage: the master names the other one and no image, and sends logs to our HTTPS address, where
/// they prove that the phone trusts us.
pub fn provision(mac: Mac, stage: Stage, world: &World) -> Provision<'_> {
    let master = master::anonymous().into_iter().map(|setting| {
        let value = match &*setting.name {
            master::CONFIG_FILES => Cow::Owned(format!("{mac}{FILE_SUFFIX}")),
            "LOG_FILE_DIRECTORY" => Cow::Borrowed(world.endpoints.https_url.as_str()),
            _ => setting.value.fill(&nobody()),
        };
        Setting { name: setting.name, value }
    });
    let rule = parameters(stage, world).into_iter().flat_map(with_twin);
    let binding = rule.map(|given| Setting { name: given.name, value: given.value.fill(&nobody()) }).collect();
    let files = Files { master: master.collect(), binding, profiles: Vec::new(), base: Vec::new() };
    Provision { files, warnings: Vec::new() }
}

/// What the file of a stage holds. The second holds the first: what does not lie in flash is still needed until the phone has
/// come over HTTPS.
fn parameters(stage: Stage, world: &World) -> Vec<Given<'_>> {
    let mut given = vec![Given::fixed("device.set", "1")];
    // Nothing of any profile is here, so nothing fills the other place.
    binding::certificate_authority(world, None, &mut given);
    if !world.account.time_server.is_empty() {
        given.push(Given::fixed("tcpIpApp.sntp.address", world.account.time_server.as_str()));
        given.push(Given::fixed("device.sntp.serverName", world.account.time_server.as_str()));
    }
    given.push(Given::fixed("device.prov.tagSerialNo", "1"));
    given.push(Given::fixed("prov.polling.enabled", "1"));
    given.push(Given::fixed("prov.polling.mode", "rel"));
    given.push(Given::fixed("prov.polling.period", POLLING_SECONDS));
    match stage {
        Stage::Trust { lacks_suite: false } => {}
        Stage::Trust { lacks_suite: true } => given.extend(cipher_list(world)),
        Stage::Move => {
            given.push(Given::fixed("device.prov.serverType", "HTTPS"));
            given.push(Given::fixed("device.prov.serverName", world.endpoints.https_url.as_str()));
            given.push(Given::fixed("device.dhcp.bootSrvUseOpt", "Static"));
        }
    }
    given
}

/// For the profile that phones use for provisioning: not its default list, but ours.
fn cipher_list(world: &World) -> [Given<'_>; 2] {
    let (default, list) = match world.account.admission.bootstrap.tls_profile {
        Slot::One => ("device.sec.TLS.profile.cipherSuiteDefault1", "device.sec.TLS.profile.cipherSuite1"),
        Slot::Two => ("device.sec.TLS.profile.cipherSuiteDefault2", "device.sec.TLS.profile.cipherSuite2"),
    };
    [Given::fixed(default, "0"), Given::fixed(list, CIPHER_LIST)]
}

/// No value of any device stands in these files.
fn nobody() -> DeviceValues {
    let secrets = DeviceSecrets { user: String::new(), password: Secret::default(), admin_password: Secret::default() };
    DeviceValues { key: String::new(), polling_time: String::new(), name: String::new(), secrets }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::deployment::Place;
    use crate::domain::testing::{deployed, profile, with_account, world};

    fn mac() -> Mac {
        "0004f2aa0001".parse().expect("a MAC")
    }

    fn held(provision: &Provision<'_>) -> BTreeMap<String, String> {
        provision.files.parameters().map(|one| (one.name.to_string(), one.value.to_string())).collect()
    }

    fn with_authority() -> World {
        let mut world = world();
        let endpoints = std::sync::Arc::make_mut(&mut world.endpoints);
        endpoints.https_url = "https://pdms.example.lan:8443/".to_owned();
        endpoints.ca_pem = Some("-----BEGIN CERTIFICATE-----\nAgM=\n-----END CERTIFICATE-----\n".to_owned());
        world
    }

    #[test]
    fn the_master_names_the_bootstrap_file_no_image_and_our_address_for_logs() {
        let world = with_authority();
        let made = provision(mac(), Stage::Trust { lacks_suite: false }, &world);
        let master: BTreeMap<_, _> = made.files.master.iter().map(|one| (&*one.name, &*one.value)).collect();
        assert_eq!(master["CONFIG_FILES"], "0004f2aa0001-bootstrap.cfg");
        assert_eq!(master["APP_FILE_PATH"], master::NO_IMAGE);
        assert_eq!(master["LOG_FILE_DIRECTORY"], "https://pdms.example.lan:8443/");
        assert!(
            master
                .iter()
                .all(|(name, value)| value.is_empty() || ["CONFIG_FILES", "APP_FILE_PATH", "LOG_FILE_DIRECTORY"].contains(name))
        );
    }

    #[test]
    fn stage_1_is_trust_time_tag_and_polling_and_nothing_of_a_profile_or_of_credentials() {
        let world = deployed(with_authority(), vec![(Place::Global, profile(1, &[("reg.1.auth.password", "line-secret")]))]);
        let held = held(&provision(mac(), Stage::Trust { lacks_suite: false }, &world));
        let names: Vec<_> = held.keys().map(String::as_str).collect();
        let expected = [
            "device.prov.tagSerialNo",
            "device.prov.tagSerialNo.set",
            "device.sec.TLS.customCaCert2",
            "device.sec.TLS.customCaCert2.set",
            "device.sec.TLS.profile.caCertList2",
            "device.sec.TLS.profile.caCertList2.set",
            "device.sec.TLS.profileSelection.provisioning",
            "device.sec.TLS.profileSelection.provisioning.set",
            "device.set",
            "device.sntp.serverName",
            "device.sntp.serverName.set",
            "prov.polling.enabled",
            "prov.polling.mode",
            "prov.polling.period",
            "tcpIpApp.sntp.address",
        ];
        assert_eq!(names, expected);
        assert_eq!((&*held["prov.polling.mode"], &*held["prov.polling.period"]), ("rel", "3600"));
        assert!(held.iter().filter(|(name, _)| name.ends_with(".set")).all(|(_, value)| value == "1"));
    }

    #[test]
    fn stage_2_adds_our_address_and_the_boot_server_mode_each_with_its_twin() {
        let world = with_authority();
        let first = held(&provision(mac(), Stage::Trust { lacks_suite: false }, &world));
        let mut added = held(&provision(mac(), Stage::Move, &world));
        added.retain(|name, _| !first.contains_key(name));
        let expected = [
            ("device.dhcp.bootSrvUseOpt", "Static"),
            ("device.dhcp.bootSrvUseOpt.set", "1"),
            ("device.prov.serverName", "https://pdms.example.lan:8443/"),
            ("device.prov.serverName.set", "1"),
            ("device.prov.serverType", "HTTPS"),
            ("device.prov.serverType.set", "1"),
        ];
        assert_eq!(added, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn a_cipher_list_comes_only_where_no_suite_was_shared_and_into_the_profile_that_is_used() {
        let world = with_account(with_authority(), |account| {
            account.admission.bootstrap.ca_slot = Slot::One;
            account.admission.bootstrap.tls_profile = Slot::One;
        });
        let held = held(&provision(mac(), Stage::Trust { lacks_suite: true }, &world));
        assert_eq!(held["device.sec.TLS.profile.cipherSuiteDefault1"], "0");
        assert!(held["device.sec.TLS.profile.cipherSuite1"].starts_with("ECDHE-RSA-AES128-GCM-SHA256:"));
        assert_eq!(held["device.sec.TLS.profile.caCertList1"], "BuiltinAndPlatform1");
        assert!(held.contains_key("device.sec.TLS.customCaCert1") && !held.contains_key("device.sec.TLS.customCaCert2"));
    }

    #[test]
    fn with_a_public_certificate_no_authority_is_pushed() {
        let mut world = with_authority();
        std::sync::Arc::make_mut(&mut world.endpoints).ca_pem = None;
        let held = held(&provision(mac(), Stage::Trust { lacks_suite: false }, &world));
        assert!(!held.keys().any(|name| name.starts_with("device.sec.")));
    }
}
