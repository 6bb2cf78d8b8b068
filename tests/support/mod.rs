//! What feature tests share: a server in the same process and phones that talk to it.

pub mod api;
pub mod browser;
pub mod openapi;
pub mod phone;
pub mod proxy;
pub mod server;

use pdms::domain::account::Secret;
use pdms::domain::credential::DeviceSecrets;

/// The certificate of an authority, in PEM form.
pub fn authority(name: &str) -> Vec<u8> {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.self_signed(&rcgen::KeyPair::generate().expect("a key")).expect("signed").pem().into_bytes()
}

/// The certificate of an authority, in PEM form, with its revocation list and the next one, which name nobody.
pub fn revoking_authority(name: &str) -> (Vec<u8>, [Vec<u8>; 2]) {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("signed").pem().into_bytes();
    let issuer = rcgen::Issuer::new(params, key);
    let lists = [1, 2].map(|month| {
        let list = rcgen::CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2026, month, 1),
            next_update: rcgen::date_time_ymd(2036, month, 1),
            crl_number: u64::from(month).into(),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        list.signed_by(&issuer).expect("signed").pem().expect("a text").into_bytes()
    });
    (certificate, lists)
}

/// What a page sends on that shows what a form does to devices before it is done; none of any other page.
pub fn confirmation(page: &str) -> Option<[(&'static str, String); 2]> {
    let value = |name: &str| {
        let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
        rest.split('"').next().map(str::to_owned)
    };
    Some([("impact_form", value("impact_form")?), ("impact_mark", value("impact_mark")?)])
}

/// Secrets of a device, for tests that make its files without a server.
pub fn secrets() -> DeviceSecrets {
    DeviceSecrets {
        user: "own-user".to_owned(),
        password: Secret::new("own-password"),
        admin_password: Secret::new("0123456789"),
    }
}
