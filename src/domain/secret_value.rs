//! Which values are secrets, and how they are shown to whoever may not see them: the one predicate that pages, API, exports, logs and what
//! is sealed at rest go by (P10, SEC-05).

use std::borrow::Cow;
use std::ops::Range;

use super::activity::MASK;

/// Whether a parameter's value is a secret that pages, logs and the activity log must mask (P10, SEC-05).
///
/// Goes by the name, as the vendor's schema does by its `StringPassword` types: passwords, PINs, keys and credentials. An
/// index or a model at the end of the name does not matter.
pub fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let mut segments = lower.rsplit('.').skip_while(|segment| is_index_or_model(segment));
    let Some(last) = segments.next() else { return false };
    let before = segments.next().unwrap_or_default();
    SECRET_ENDINGS.iter().any(|ending| last.ends_with(ending))
        || last.starts_with("customdevicekey")
        || last == "crypto"
        || (last.trim_end_matches(|c: char| c.is_ascii_digit()) == "key" && SECRET_KEYS.contains(&before))
}

/// How the last segment of a secret's name ends.
const SECRET_ENDINGS: [&str; 13] = [
    "pairingcode",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "psk",
    "pin",
    "privatekey",
    "community",
    "optionkey",
    "softupdatekey",
];

/// What stands before a `key` that is a secret.
const SECRET_KEYS: [&str; 5] = ["configencryption", "encryption", "psk", "wep", "wpa"];

/// Whether a lower-case segment is a number or a model: real files add both to names that the schema has without them.
fn is_index_or_model(segment: &str) -> bool {
    segment.bytes().all(|b| b.is_ascii_digit())
        || ["spip", "ssip", "ssduo", "vvx", "trio", "ccx", "edge"].iter().any(|model| segment.starts_with(model))
}

/// A value as pages, files on screen, exports and the activity log may show it (SEC-05): a secret's is masked whole, and so is a private
/// key under any name; of any other the passwords of addresses in it, as in `ftp://user:password@host/` and `?password=…`. An empty
/// value is no secret.
pub fn masked<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if !value.is_empty() && (is_secret(name) || value.contains(PRIVATE_KEY)) {
        return Cow::Borrowed(MASK);
    }
    let mut shown = String::new();
    let mut from = 0;
    for password in passwords_in(value) {
        shown.push_str(&value[from..password.start]);
        shown.push_str(MASK);
        from = password.end;
    }
    if from == 0 { Cow::Borrowed(value) } else { Cow::Owned(shown + &value[from..]) }
}

/// Whether a secret's value is nothing but characters that some program showed in its place. Our own mask is no value either; whoever
/// takes a file asks for it first.
pub fn is_foreign_mask(name: &str, value: &str) -> bool {
    const LEAST: usize = 3;
    let is_mask = |c: char| matches!(c, '*' | '•' | '●' | '∙' | '·' | '█' | '＊');
    // UTF-8 that some program has read as Windows-1252.
    let value = value.replace("â€¢", "•");
    is_secret(name) && value.chars().count() >= LEAST && value.chars().all(is_mask)
}

/// How the first line of every private key ends: plain, encrypted, or of one algorithm.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Names of what an address hands over behind its question mark, where that is a secret.
const SECRET_QUERIES: [&str; 8] = ["password", "passwd", "pass", "pwd", "pin", "secret", "token", "apikey"];
/// What stands before a colon and is no user name.
const SCHEMES: [&str; 6] = ["sip", "sips", "tel", "h323", "mailto", "xmpp"];

/// Where passwords stand in a value, in order and apart from one another.
fn passwords_in(value: &str) -> Vec<Range<usize>> {
    // Most values have none: they are asked a single question.
    if !value.contains(['@', '=']) {
        return Vec::new();
    }
    let mut found: Vec<Range<usize>> = in_authorities(value).chain(without_scheme(value)).chain(in_queries(value)).collect();
    found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut end = 0;
    found.retain(|range| {
        let is_apart = range.start >= end;
        end = end.max(range.end);
        is_apart
    });
    found
}

/// `scheme://user:password@host`.
fn in_authorities(value: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let starts = value.match_indices("://").map(|(at, mark)| at + mark.len());
    starts.filter_map(|start| password_of(value, start))
}

/// `user:password@host` at the beginning, and `sip:user:password@host`.
fn without_scheme(value: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let scheme = value.split_once(':').filter(|(scheme, _)| SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)));
    let start = scheme.map_or(0, |(scheme, _)| scheme.len() + 1);
    password_of(value, start).into_iter()
}

/// The password in what stands before the last `@` of an authority that begins here.
fn password_of(value: &str, start: usize) -> Option<Range<usize>> {
    let ends = |c: char| matches!(c, '/' | '?' | '#' | ',' | ';' | '"' | '\'' | '<' | '>') || c.is_whitespace();
    let authority = &value[start..][..value[start..].find(ends).unwrap_or(value.len() - start)];
    let (user, _) = authority.rsplit_once('@')?;
    let colon = user.find(':')?;
    (colon > 0 || start > 0).then_some(())?;
    (colon + 1 < user.len()).then(|| start + colon + 1..start + user.len())
}

/// `?password=…` and `&password=…`.
fn in_queries(value: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    value.match_indices(['?', '&']).filter_map(|(at, mark)| {
        let start = at + mark.len();
        let (name, _) = value[start..].split_once('=')?;
        let is_secret = SECRET_QUERIES.iter().any(|known| known.eq_ignore_ascii_case(name));
        let begin = start + name.len() + 1;
        let ends = |c: char| matches!(c, '&' | '#' | ',' | ';' | '"' | '\'' | '<' | '>') || c.is_whitespace();
        let length = value[begin..].find(ends).unwrap_or(value.len() - begin);
        (is_secret && length > 0).then(|| begin..begin + length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_parameters_are_known_by_name() {
        let secret = [
            "apps.push.password",
            "apps.statePolling.password",
            "device.auth.localAdminPassword",
            "device.auth.localUserPassword",
            "device.logincred.password",
            "device.net.dot1x.password",
            "device.net.secondaryNetwork.wifi.WEP.key",
            "device.net.secondaryNetwork.wifi.WPA.password",
            "device.pacfile.password",
            "device.prov.password",
            "device.sec.configEncryption.key",
            "device.sec.TLS.customDeviceKey1",
            "device.wifi.psk.key",
            "device.wifi.wep.key1",
            "diags.pcap.background.encryption.key",
            "dir.corp.alt.password",
            "exchange.auth.password",
            "prov.login.localPassword",
            "REG.12.AUTH.PASSWORD",
            "reg.1.auth.password.VVX500",
            "reg.2.pin",
            "reg.1.server.2.pstnServerAuth.password",
            "sec.auth.admin.room.password",
            "sec.TLS.customDeviceKey.3",
            "snmp.community",
            "snmp.privacyPassword",
        ];
        for name in secret {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_masked_value_shows_no_secret_and_no_password_of_an_address() {
        assert_eq!(masked("reg.1.auth.password", "canary"), MASK);
        assert_eq!(masked("reg.1.auth.password", ""), "");
        let address = "ftp://user:canary@1.2.3.4/${mac_address}/x.cfg, https://a:b@c";
        assert_eq!(
            masked("CONFIG_FILES", address),
            format!("ftp://user:{MASK}@1.2.3.4/${{mac_address}}/x.cfg, https://a:{MASK}@c")
        );
        for open in ["https://pdms.example.lan:8443/a@b", "sip:user@host:5060", "https://user@host/", "a://b", "://", "x://é:@h"]
        {
            assert_eq!(masked("x", open), open);
        }
    }

    #[test]
    fn private_keys_and_passwords_of_addresses_are_masked_under_any_name() {
        for kind in ["", "RSA ", "EC ", "ENCRYPTED "] {
            let key = format!("-----BEGIN {kind}PRIVATE KEY-----\nMIIB\n-----END {kind}PRIVATE KEY-----");
            assert_eq!(masked("res.x", &key), MASK, "{kind}");
        }
        assert_eq!(masked("btoe.PairingCode", "1234"), MASK);
        for (value, shown) in [
            ("http://h/a?user=b&password=canary&x=1", "http://h/a?user=b&password=••••••••&x=1"),
            ("http://h/a?PWD=canary#x", "http://h/a?PWD=••••••••#x"),
            ("ftp://u:canary@h/, http://v:canary@i/?token=canary", "ftp://u:••••••••@h/, http://v:••••••••@i/?token=••••••••"),
            ("u:canary@h/logs", "u:••••••••@h/logs"),
            ("sip:100:canary@h", "sip:100:••••••••@h"),
        ] {
            assert_eq!(masked("a.b", value), shown, "{value}");
        }
        for value in ["sip:100@h", "a@b", "http://h/?q=1", "-----BEGIN CERTIFICATE-----\nMIIB", "x=y@z", "10:30", "?password="] {
            assert_eq!(masked("a.b", value), value, "{value}");
        }
    }

    #[test]
    fn masks_of_other_programs_are_known_where_a_secret_is_expected() {
        for mask in ["***", "********", "••••••", "●●●●", "â€¢â€¢â€¢â€¢"] {
            assert!(is_foreign_mask("reg.1.auth.password", mask) && !is_foreign_mask("reg.1.label", mask), "{mask}");
        }
        for value in ["", "**", "***a", "secret"] {
            assert!(!is_foreign_mask("reg.1.auth.password", value), "{value}");
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_is_shown() {
        let open = [
            "device.prov.password.set",
            "prov.login.localPassword.hashed",
            "sec.auth.admin.room.password.minLength",
            "sec.pwd.length.admin",
            "dir.corp.auth.useLoginCredentials",
            "device.wifi.psk.keyType",
            "key.1.function.prim",
            "call.internationalPrefix.key",
            "feature.exchangeVoiceMail.skipPin.enabled",
            "device.sec.TLS.customCaCert1",
            "reg.1.auth.userId",
            "mb.main.autoBackKey",
            "",
        ];
        for name in open {
            assert!(!is_secret(name), "{name}");
        }
    }
}
