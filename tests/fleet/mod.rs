//! Simulated phones against the real server, over HTTPS.

mod backups;
mod boots;
mod building;
mod fresh;
mod new_key;
mod rollover;
mod software;
mod states;
mod storm;
mod trust;
mod walk;

use std::sync::Arc;

use pdms::domain::deployment::Place;
use pdms::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use pdms::domain::profile::draft::{ProfileDraft, ProfileInput};
use pdms::services::commit::Mode;
use pdms::services::deployment::{self, Target};
use pdms::services::profiles;
use pdms::simulate::journey::Journey;
use pdms::simulate::models::Model;
use pdms::simulate::network::Network;
use pdms::simulate::phone::Phone;
use pdms::simulate::rules::Rules;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::support::server::{PASSWORD, Server, USER, admin};

/// A network on which the phones know the server's certificate authority and keep the server's time.
pub fn network(server: &Server) -> Arc<Network> {
    let clock = server.clock.clone();
    let network = Network::new(&server.base(), vec![authority(server)]).expect("a server on this machine");
    Arc::new(network.with_time(Arc::new(move || clock.now())))
}

fn authority(server: &Server) -> Vec<u8> {
    let world = server.world();
    let pem = world.endpoints.ca_pem.as_ref().expect("the certificate is the server's own");
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate").to_vec()
}

/// The `number`th phone of a model, with the server's address and the shared credentials typed in.
pub fn phone(server: &Server, network: &Network, model: &str, number: u32, rules: Rules) -> Phone {
    let model = Model::find(model).expect("a model of the table");
    let mut phone = Phone::new(model, model.mac(number), rules, network.built_in());
    phone.point_at(&server.base(), USER, PASSWORD);
    phone
}

/// A profile with these parameters.
pub fn profile(server: &Server, name: &str, parameters: &[(&str, &str)]) -> ProfileId {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let parameters = parameters.iter().map(owned).collect();
    let input = ProfileInput { name: name.to_owned(), description: String::new(), parameters };
    let draft = ProfileDraft::parse(&input).expect("a good profile");
    profiles::create(&server.services, &admin(), DEFAULT_ACCOUNT, vec![draft], Mode::Keep).expect("a new profile")[0].id
}

/// Puts profiles on Global, highest first.
pub fn put_on_global(server: &Server, profiles: Vec<ProfileId>) {
    let target = Target::Place(Place::Global);
    deployment::set(&server.services, &admin(), DEFAULT_ACCOUNT, &target, None, profiles, Mode::Keep).expect("attached");
}

/// A line that registers.
pub const LINE: &[(&str, &str)] = &[
    ("reg.1.address", "100"),
    ("reg.1.auth.userId", "100"),
    ("reg.1.auth.password", "line-secret"),
    ("reg.1.server.1.address", "sip.example.lan"),
];

/// The files that came, by path. Of a file that came twice, the last.
pub fn files(journey: &Journey) -> std::collections::BTreeMap<String, Vec<u8>> {
    let came = journey.exchanges.iter().filter(|exchange| exchange.status == Some(200) && exchange.path.ends_with(".cfg"));
    came.map(|exchange| (exchange.path.clone(), exchange.body.clone())).collect()
}

/// Does one thing on the phones' side.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    runtime().block_on(work)
}

/// A runtime for the phones' side. A connection lives on the one that it was made on.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
