//! Whom a phone trusts over TLS: certificate authorities, name check, and its clock (rules 15, 16). No sockets here.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::flash::Flash;

/// Where a phone's clock stands before a time server answered, in seconds since 1970: the first second of 1999.
pub const CLOCK_WITHOUT_TIME: i64 = 915_148_800;

/// Certificate authorities that are built in, in DER form, shared by all phones of a fleet.
pub type BuiltIn = Arc<[Vec<u8>]>;

/// What a phone goes by when it judges a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Trust {
    /// Certificate authorities in DER form.
    pub roots: Vec<Vec<u8>>,
    /// Whether the name in the address must stand in the certificate (`strictCertCommonNameValidation`).
    pub checks_name: bool,
    /// Whether a time server answered. Without one, the clock stands at [`CLOCK_WITHOUT_TIME`].
    pub knows_time: bool,
}

impl Trust {
    /// What the values in flash and the built-in authorities come to (rule 15).
    pub fn of(flash: &Flash, built_in: &BuiltIn, knows_time: bool) -> Self {
        let profile = match flash.get("device.sec.TLS.profileSelection.provisioning") {
            Some("PlatformProfile2") | Some("1") => 2,
            _ => 1,
        };
        let list = flash.get(&format!("device.sec.TLS.profile.caCertList{profile}")).unwrap_or("All");
        let (built_in_counts, slots): (bool, &[u8]) = match list {
            "Builtin" | "0" => (true, &[]),
            "BuiltinAndPlatform1" | "1" => (true, &[1]),
            "BuiltinAndPlatform2" | "2" => (true, &[2]),
            "Platform1" | "4" => (false, &[1]),
            "Platform2" | "5" => (false, &[2]),
            "Platform1AndPlatform2" | "6" => (false, &[1, 2]),
            _ => (true, &[1, 2]),
        };
        let mut roots = if built_in_counts { built_in.to_vec() } else { Vec::new() };
        let pushed = |slot: &u8| flash.get(&format!("device.sec.TLS.customCaCert{slot}")).and_then(der);
        roots.extend(slots.iter().filter_map(pushed));
        let checks_name = flash.get("device.sec.TLS.prov.strictCertCommonNameValidation") == Some("1");
        Self { roots, checks_name, knows_time }
    }

    /// The phone's time, given the true one, in seconds since 1970.
    pub fn clock(&self, now: i64) -> i64 {
        if self.knows_time { now } else { CLOCK_WITHOUT_TIME }
    }
}

/// A certificate as it stands in a parameter: PEM, its first and last line and its line breaks optional.
pub fn der(text: &str) -> Option<Vec<u8>> {
    let body = text.split("-----").find(|part| {
        let part = part.trim();
        !part.is_empty() && !part.starts_with("BEGIN") && !part.starts_with("END")
    })?;
    let plain: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(plain).ok().filter(|der| !der.is_empty())
}
