//! Binding: what ties a phone to this server. Written after the merge, above every profile, and shown as *added by rule*
//! (contract 5.2).

use super::super::world::World;
use super::Given;

/// Slot and TLS platform profile that our certificate authority goes to. Slot 1 often holds somebody's 802.1X authority
/// (contract 3).
const CA_CERTIFICATE: &str = "device.sec.TLS.customCaCert2";
const CA_LIST: &str = "device.sec.TLS.profile.caCertList2";
const CA_LIST_VALUE: &str = "BuiltinAndPlatform2";
const TLS_PROFILE: &str = "device.sec.TLS.profileSelection.provisioning";
const TLS_PROFILE_VALUE: &str = "PlatformProfile2";

/// The parameters of the rule: the switch for all `device.` parameters, our address, the shared credentials, and our
/// certificate authority while the server's certificate is signed by it.
pub fn parameters(world: &World) -> Vec<Given<'_>> {
    let provisioning = &world.account.provisioning;
    let mut given = vec![
        Given::fixed("device.set", "1"),
        Given::fixed("device.prov.serverType", "HTTPS"),
        Given::fixed("device.prov.serverName", world.endpoints.https_url.as_str()),
        Given::fixed("device.prov.user", provisioning.user.as_str()),
        Given::fixed("device.prov.password", provisioning.password.expose()),
    ];
    if let Some(pem) = &world.endpoints.ca_pem {
        given.push(Given::fixed(CA_CERTIFICATE, pem.as_str()));
        given.push(Given::fixed(CA_LIST, CA_LIST_VALUE));
        given.push(Given::fixed(TLS_PROFILE, TLS_PROFILE_VALUE));
    }
    given
}
