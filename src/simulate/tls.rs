//! TLS as phones speak it (rule 15): version 1.2 with RSA suites, no resumption, the name checked only where that is switched on, the
//! phone's own clock, and a factory certificate for servers that ask.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::domain::mac::Mac;

use super::network::Time;
use super::trust::Trust;

/// The vendor's default cipher list, as far as it is spoken here: it excludes ECDSA and keeps ECDHE with RSA and AES-GCM.
fn provider() -> CryptoProvider {
    let suites = [
        aws_lc_rs::cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        aws_lc_rs::cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];
    CryptoProvider { cipher_suites: suites.to_vec(), ..aws_lc_rs::default_provider() }
}

/// What one kind of trust comes to; without a factory certificate.
pub fn config(trust: &Trust, time: &Time) -> Result<ClientConfig, Error> {
    let provider = Arc::new(provider());
    let verifier = PhoneVerifier::new(trust, Arc::clone(&provider))?;
    let clock = Arc::new(PhoneClock { trust: trust.clone(), time: Arc::clone(time) });
    let builder = ClientConfig::builder_with_details(provider, clock).with_protocol_versions(&[&rustls::version::TLS12])?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The same, for one phone with its factory certificate.
pub fn with_factory_certificate(shared: &ClientConfig, factory: &Factory, mac: Mac) -> ClientConfig {
    let mut config = shared.clone();
    config.client_auth_cert_resolver = Arc::new(FactoryCertificate { factory: factory.clone(), mac });
    config
}

struct PhoneClock {
    trust: Trust,
    time: Time,
}

impl std::fmt::Debug for PhoneClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PhoneClock").field(&self.trust).finish()
    }
}

impl TimeProvider for PhoneClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.trust.clock((self.time)().as_second())).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Verifies the chain as the library does, but asks for the name only where the phone is told to.
#[derive(Debug)]
struct PhoneVerifier {
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    checks_name: bool,
}

impl PhoneVerifier {
    fn new(trust: &Trust, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        // What is no certificate is skipped, as a phone skips a slot it cannot read.
        roots.add_parsable_certificates(trust.roots.iter().map(|der| CertificateDer::from(der.clone())));
        let build = || WebPkiServerVerifier::builder_with_provider(Arc::new(roots.clone()), Arc::clone(&provider)).build();
        let chain = if roots.is_empty() { None } else { Some(build().map_err(|e| Error::General(e.to_string()))?) };
        Ok(Self { chain, provider, checks_name: trust.checks_name })
    }
}

impl ServerCertVerifier for PhoneVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Err(CertificateError::UnknownIssuer.into()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The simulated manufacturer: makes each phone's factory certificate when a server asks for it.
#[derive(Clone)]
pub struct Factory(Arc<Issuer<'static, KeyPair>>);

impl std::fmt::Debug for Factory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Factory")
    }
}

impl Factory {
    /// A manufacturer with a certificate authority of its own, which no real device trusts.
    pub fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Simulated phone manufacturer");
        Ok(Self(Arc::new(Issuer::new(params, KeyPair::generate()?))))
    }

    /// The certificate of one phone: its MAC is the common name (rule 15).
    fn certificate(&self, mac: Mac) -> Option<CertifiedKey> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, mac.to_string().to_uppercase());
        let key = KeyPair::generate().ok()?;
        let certificate = params.signed_by(&key, &self.0).ok()?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).ok()?;
        CertifiedKey::from_der(vec![certificate.der().clone()], key, &aws_lc_rs::default_provider()).ok()
    }
}

#[derive(Debug)]
struct FactoryCertificate {
    factory: Factory,
    mac: Mac,
}

impl ResolvesClientCert for FactoryCertificate {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.factory.certificate(self.mac).map(Arc::new)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server's certificate from an authority, valid in the years 2020 to 2040.
    fn server_certificate(name: &str) -> (Vec<u8>, CertificateDer<'static>) {
        let years = |params: &mut CertificateParams| {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2040, 1, 1);
        };
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        years(&mut authority);
        let (authority_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
        let root = authority.self_signed(&authority_key).expect("a certificate").der().to_vec();
        let mut leaf = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        years(&mut leaf);
        let leaf = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).expect("a certificate");
        (root, leaf.der().clone())
    }

    fn judge(trust: &Trust, certificate: &CertificateDer<'_>, name: &str) -> Result<(), Error> {
        let verifier = PhoneVerifier::new(trust, Arc::new(provider()))?;
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let now = UnixTime::since_unix_epoch(Duration::from_secs(trust.clock(1_800_000_000).unsigned_abs()));
        verifier.verify_server_cert(certificate, &[], &name, &[], now).map(|_| ())
    }

    #[test]
    fn rule_15_chain_and_clock_are_verified_and_the_name_only_where_it_is_asked_for() {
        let (root, leaf) = server_certificate("pdms.example.lan");
        let trust = Trust { roots: vec![root], checks_name: false, knows_time: true };
        assert_eq!(judge(&trust, &leaf, "pdms.example.lan"), Ok(()));
        assert_eq!(judge(&trust, &leaf, "other.example.lan"), Ok(()), "a phone does not look at the name");
        assert!(judge(&Trust { checks_name: true, ..trust.clone() }, &leaf, "other.example.lan").is_err());
        assert!(
            judge(&Trust { knows_time: false, ..trust.clone() }, &leaf, "pdms.example.lan").is_err(),
            "in 1999 it is not valid yet"
        );
        assert!(judge(&Trust { roots: Vec::new(), ..trust.clone() }, &leaf, "pdms.example.lan").is_err());
        let (other, _) = server_certificate("pdms.example.lan");
        assert!(judge(&Trust { roots: vec![other], ..trust }, &leaf, "pdms.example.lan").is_err());
    }

    #[test]
    fn rule_15_the_factory_certificate_carries_the_mac() {
        let key = Factory::new().ok().and_then(|factory| factory.certificate(Mac::from_bytes([0, 4, 0xf2, 0xa, 0xb, 0xc])));
        let key = key.expect("a certificate");
        let (_, certificate) = x509_parser::parse_x509_certificate(&key.cert[0]).expect("a readable certificate");
        let name = certificate.subject().iter_common_name().next().and_then(|cn| cn.as_str().ok());
        assert_eq!(name, Some("0004F20A0B0C"));
    }
}
