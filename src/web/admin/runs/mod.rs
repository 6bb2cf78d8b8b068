//! Unknown Phones: who came and got nothing. Phones that were refused or held, and connections that never got past TLS, each
//! with its runs, the verdict and what to do (R177, R178).

mod list;
mod subject;
pub(super) mod view;

use crate::domain::device::DeviceKey;
use crate::domain::run::Subject;
use crate::web::methods::Routes;

/// The addresses below `/admin/unknown-phones`.
pub fn configure(routes: &mut Routes) {
    routes.get("/admin/unknown-phones", list::show).get("/admin/unknown-phones/{subject}", subject::show);
}

/// How addresses name a subject: its MAC or serial number, or its network address.
fn name(subject: &Subject) -> String {
    match subject {
        Subject::Device(key) | Subject::Stranger(key) => key.to_string(),
        Subject::Address(ip) => ip.to_string(),
    }
}

/// The subject that an address names. A network address is never a device's key: it has dots or colons in other places.
fn parse(name: &str) -> Option<Subject> {
    match name.parse() {
        Ok(ip) => Some(Subject::Address(ip)),
        Err(_) => name.parse::<DeviceKey>().ok().map(Subject::Stranger),
    }
}

/// Where the device that a phone claims to be can be added.
fn add_link(subject: &Subject, model: Option<&str>) -> Option<String> {
    let Subject::Stranger(key) = subject else { return None };
    let mut pairs = vec![("key", key.to_string())];
    pairs.extend(model.map(|model| ("model", model.to_owned())));
    serde_urlencoded::to_string(pairs).ok().map(|query| format!("/admin/devices/add?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_is_found_by_its_name_again() {
        let stranger = Subject::Stranger("0004f2c05001".parse().expect("a key"));
        for subject in
            [stranger, Subject::Address([10, 0, 0, 7].into()), Subject::Address("fe80::1".parse().expect("an address"))]
        {
            assert_eq!(parse(&name(&subject)), Some(subject));
        }
        assert_eq!(parse("../etc"), None);
    }
}
