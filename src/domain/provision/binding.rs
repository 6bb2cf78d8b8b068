//! Binding: what every phone is told by rule, above all profiles, so that it finds back to this server (contract 5.2).

use super::super::account::{BootstrapSettings, Slot};
use super::super::credential::Channel;
use super::super::world::World;
use super::{Given, Text};

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
    certificate_authority(world, given);
}

/// Our certificate authority, while the server's certificate is signed by it, in the place that the settings say.
pub(super) fn certificate_authority<'a>(world: &'a World, given: &mut Vec<Given<'a>>) {
    let Some(pem) = &world.endpoints.ca_pem else { return };
    let BootstrapSettings { ca_slot, tls_profile, .. } = world.account.admission.bootstrap;
    let (slot, trusted) = match ca_slot {
        Slot::One => ("device.sec.TLS.customCaCert1", "BuiltinAndPlatform1"),
        Slot::Two => ("device.sec.TLS.customCaCert2", "BuiltinAndPlatform2"),
    };
    let (list, profile) = match tls_profile {
        Slot::One => ("device.sec.TLS.profile.caCertList1", "PlatformProfile1"),
        Slot::Two => ("device.sec.TLS.profile.caCertList2", "PlatformProfile2"),
    };
    given.push(Given::fixed(slot, pem.as_str()));
    given.push(Given::fixed(list, trusted));
    given.push(Given::fixed("device.sec.TLS.profileSelection.provisioning", profile));
}

/// A phone that cannot do TLS stays where it is, and learns no password on the way.
fn in_clear_text<'a>(world: &'a World, given: &mut Vec<Given<'a>>) {
    if let Some(url) = &world.endpoints.http_url {
        given.push(Given::fixed("device.prov.serverType", "HTTP"));
        given.push(Given::fixed("device.prov.serverName", url.as_str()));
    }
}
