//! Binding: what every phone is told by rule, above all profiles, so that it finds back to this server (contract 5.2).

use super::super::credential::Channel;
use super::super::world::World;
use super::{Given, Text};

/// Slot and TLS platform profile that our certificate authority goes to. Slot 1 often holds somebody's 802.1X authority
/// (contract 3).
const CA_CERTIFICATE: &str = "device.sec.TLS.customCaCert2";
const CA_LIST: &str = "device.sec.TLS.profile.caCertList2";
const CA_LIST_VALUE: &str = "BuiltinAndPlatform2";
const TLS_PROFILE: &str = "device.sec.TLS.profileSelection.provisioning";
const TLS_PROFILE_VALUE: &str = "PlatformProfile2";

const USER: &str = "device.prov.user";
const PASSWORD: &str = "device.prov.password";

/// The parameters of the rule: the switch for all `device.` parameters, our address, the credentials to come with, and our
/// certificate authority while the server's certificate is signed by it.
pub fn parameters(channel: Channel, world: &World) -> Vec<Given<'_>> {
    let mut given = vec![Given::fixed("device.set", "1")];
    match channel {
        Channel::Tls => over_tls(world, &mut given),
        Channel::ClearText => in_clear_text(world, &mut given),
    }
    given
}

fn over_tls<'a>(world: &'a World, given: &mut Vec<Given<'a>>) {
    given.push(Given::fixed("device.prov.serverType", "HTTPS"));
    given.push(Given::fixed("device.prov.serverName", world.endpoints.https_url.as_str()));
    if world.account.admission.binds {
        // Together or not at all: a phone that takes its credentials from here must not be led elsewhere by DHCP, where it would
        // show them (contract 4, point 2).
        given.push(Given { name: USER.into(), value: Text::OwnUser });
        given.push(Given { name: PASSWORD.into(), value: Text::OwnPassword });
        given.push(Given::fixed("device.dhcp.bootSrvUseOpt", "Static"));
    } else {
        let provisioning = &world.account.provisioning;
        given.push(Given::fixed(USER, provisioning.user.as_str()));
        given.push(Given::fixed(PASSWORD, provisioning.password.expose()));
    }
    if let Some(pem) = &world.endpoints.ca_pem {
        given.push(Given::fixed(CA_CERTIFICATE, pem.as_str()));
        given.push(Given::fixed(CA_LIST, CA_LIST_VALUE));
        given.push(Given::fixed(TLS_PROFILE, TLS_PROFILE_VALUE));
    }
}

/// A phone that cannot do TLS stays where it is, and learns no password on the way.
fn in_clear_text<'a>(world: &'a World, given: &mut Vec<Given<'a>>) {
    if let Some(url) = &world.endpoints.http_url {
        given.push(Given::fixed("device.prov.serverType", "HTTP"));
        given.push(Given::fixed("device.prov.serverName", url.as_str()));
    }
}
