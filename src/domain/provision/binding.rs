//! Binding: what every phone is told by rule, above all profiles, so that it finds back to this server (contract 5.2).

use super::super::account::{BootstrapSettings, Slot};
use super::super::credential::Channel;
use super::super::resolution::Effective;
use super::super::rollover;
use super::super::world::World;
use super::{Given, Text};

const USER: &str = "device.prov.user";
const PASSWORD: &str = "device.prov.password";

/// The parameters of the rule: the switch for all `device.` parameters, our address, the credentials to come with, and our
/// certificate authority while the server's certificate is signed by it.
/// `effective` is what profiles give: a certificate of theirs is not written over by a CA that is taking the place of ours.
pub fn parameters<'a>(channel: Channel, effective: &Effective<'_>, world: &'a World) -> Vec<Given<'a>> {
    let mut given = vec![Given::fixed("device.set", "1")];
    match channel {
        Channel::Tls => over_tls(world, effective, &mut given),
        Channel::ClearText => in_clear_text(world, &mut given),
    }
    given
}

fn over_tls<'a>(world: &'a World, effective: &Effective<'_>, given: &mut Vec<Given<'a>>) {
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
    certificate_authority(world, Some(effective), given);
}

/// Which CAs of ours a phone is given.
enum Cas<'a> {
    /// This one, in the place that the settings say.
    One(&'a str),
    /// This one there, and the one that takes its place in the other.
    Both(&'a str, &'a str),
}

/// The CAs that a phone is given; none with a public certificate. A certificate that profiles have for the other place stays there:
/// then a phone is given the one that signs, alone.
fn cas<'a>(world: &'a World, effective: Option<&Effective<'_>>) -> Option<Cas<'a>> {
    let known = world.endpoints.ca_pem.as_ref()?;
    let Some(next) = &world.endpoints.next_ca else { return Some(Cas::One(known)) };
    let other = world.account.admission.bootstrap.ca_slot.other();
    Some(match effective.is_some_and(|effective| rollover::is_taken(effective, other)) {
        false => Cas::Both(known, &next.pem),
        true if next.signs => Cas::One(&next.pem),
        true => Cas::One(known),
    })
}

/// Whether the CA that takes the place of ours is among what a phone is given.
pub(super) fn holds_next(world: &World, effective: &Effective<'_>) -> bool {
    world.endpoints.next_ca.as_ref().is_some_and(|next| match cas(world, Some(effective)) {
        Some(Cas::Both(..)) => true,
        Some(Cas::One(_)) => next.signs,
        None => false,
    })
}

/// Our certificate authority, while the server's certificate is signed by it, in the place that the settings say; the one that takes
/// its place beside it.
pub(super) fn certificate_authority<'a>(world: &'a World, effective: Option<&Effective<'_>>, given: &mut Vec<Given<'a>>) {
    let Some(cas) = cas(world, effective) else { return };
    let BootstrapSettings { ca_slot, tls_profile, .. } = world.account.admission.bootstrap;
    let (pem, next) = match cas {
        Cas::One(pem) => (pem, None),
        Cas::Both(pem, next) => (pem, Some(next)),
    };
    let trusted = match (next, ca_slot) {
        // The only value that covers both and what phones trust from the factory.
        (Some(_), _) => "All",
        (None, Slot::One) => "BuiltinAndPlatform1",
        (None, Slot::Two) => "BuiltinAndPlatform2",
    };
    let (list, profile) = match tls_profile {
        Slot::One => ("device.sec.TLS.profile.caCertList1", "PlatformProfile1"),
        Slot::Two => ("device.sec.TLS.profile.caCertList2", "PlatformProfile2"),
    };
    given.push(Given::fixed(rollover::parameter(ca_slot), pem));
    if let Some(next) = next {
        given.push(Given::fixed(rollover::parameter(ca_slot.other()), next));
    }
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
