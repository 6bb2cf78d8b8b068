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

/// Secrets of a device, for tests that make its files without a server.
pub fn secrets() -> DeviceSecrets {
    DeviceSecrets {
        user: "own-user".to_owned(),
        password: Secret::new("own-password"),
        admin_password: Secret::new("0123456789"),
    }
}
