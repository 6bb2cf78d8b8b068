//! Where phones and people reach the server: the provisioning address, and certificates that cover it (R185, R186, R190).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;

use super::Services;
use super::certificates::{Certificates, Origin, Refreshed, ServerNames};
use super::commit::commit;
use super::error::{ServiceError, chain};
use crate::domain::access::Grant;
use crate::domain::activity::{Event, SERVER};
use crate::domain::server::{BaseUrl, ServerSettings};
use crate::domain::subnet::Subnet;
use crate::domain::world::Endpoints;
use crate::store;

/// The server's address: what was bound, what the settings say, and the certificates that go with it.
#[derive(Debug)]
pub struct Address {
    certificates: Arc<Certificates>,
    fixed: Option<(String, u16)>,
    bound: SocketAddr,
    /// Where plain HTTP listens, while it does.
    http: Option<SocketAddr>,
    /// Every name and address that people may use for this server, as of the last refresh.
    names: ArcSwap<ServerNames>,
    /// Why the certificates could not be read or made at the last refresh.
    fault: ArcSwapOption<String>,
    /// Held during a refresh.
    refreshing: Mutex<()>,
}

/// Where a server is reached, and by which names.
#[derive(Clone, Debug)]
pub struct Published {
    /// The address that phones are told.
    pub url: String,
    /// Other addresses that answer, also those that were told before.
    pub other_urls: Vec<String>,
    /// Names and addresses that the certificate covers.
    pub names: ServerNames,
}

impl Address {
    /// `fixed` is the host and port of `--public-url`, which beats the name given at set-up.
    pub fn new(
        certificates: Arc<Certificates>,
        fixed: Option<(String, u16)>,
        bound: SocketAddr,
        http: Option<SocketAddr>,
    ) -> Self {
        let names = ArcSwap::from_pointee(ServerNames::of_this_machine(&[]));
        Self { certificates, fixed, bound, http, names, fault: ArcSwapOption::empty(), refreshing: Mutex::default() }
    }

    /// The certificates.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The certificates, for whoever shakes hands.
    pub fn certificates_handle(&self) -> Arc<Certificates> {
        Arc::clone(&self.certificates)
    }

    /// Whether the address stands in the settings of the process, so that the page cannot change it.
    pub fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// Why the certificates in the folder cannot be used, while the former ones are (OPS-04).
    pub fn fault(&self) -> Option<Arc<String>> {
        self.fault.load_full()
    }

    /// The ports of HTTPS: the one that is listened on, and the one that stands in the settings of the process.
    pub fn ports(&self) -> BTreeSet<u16> {
        self.fixed.iter().map(|(_, port)| *port).chain([self.bound.port()]).collect()
    }

    /// Whether a host of a request is this server: a page that is asked for under a foreign name is not shown (NET-05).
    pub fn is_known_as(&self, host: &str) -> bool {
        self.names.load().covers_host(host) || self.certificates.active().names.covers_host(host)
    }

    /// Names and addresses of this machine that could be given to phones, the best first.
    pub fn candidates(&self) -> Vec<String> {
        let names = ServerNames::of_this_machine(&[]);
        let mut all = vec![reachable(self.bound, &names)];
        all.extend(names.hosts().map(str::to_owned));
        all.extend(names.addresses().filter(|ip| !ip.is_loopback()).map(|ip| ip.to_string()));
        let mut seen = BTreeSet::new();
        all.retain(|name| seen.insert(name.clone()));
        all
    }

    /// The networks that this machine is in.
    pub fn own_subnets(&self) -> Vec<Subnet> {
        ServerNames::own_subnets()
    }

    /// The addresses that a person on this network can open, for the terminal.
    pub fn urls(&self, services: &Services) -> Vec<String> {
        let first = services.worlds.endpoints().https_url.clone();
        let others = match self.bound.ip() {
            ip if ip.is_unspecified() => ServerNames::of_this_machine(&[]).addresses().filter(IpAddr::is_ipv4).collect(),
            ip => vec![ip],
        };
        let mut urls = vec![first];
        for ip in others {
            let url = url(&ip.to_string(), self.bound.port());
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        urls
    }

    /// The addresses that answer besides the one that phones are told: those of this machine and those told before.
    pub fn other_urls(&self, services: &Services, told: &[String]) -> Vec<String> {
        let current = services.worlds.endpoints().https_url.clone();
        let all: BTreeSet<String> = self.urls(services).into_iter().chain(told.iter().cloned()).collect();
        all.into_iter().filter(|url| *url != current).collect()
    }

    /// Where the server would be with these settings: what [`Address::refresh`] would make of them.
    pub fn with(&self, services: &Services, settings: &ServerSettings) -> Published {
        let wanted = ServerNames::of_this_machine(&self.public_names(settings));
        let url = self.url(settings, &wanted);
        let active = self.certificates.active();
        let stays = active.origin == Origin::Own || active.names.covers(&wanted);
        let names = if stays { active.names.clone() } else { wanted };
        let before: BTreeSet<String> = self.urls(services).into_iter().chain(settings.addresses.iter().cloned()).collect();
        Published { other_urls: before.into_iter().filter(|other| *other != url).collect(), url, names }
    }

    /// Renews what is due of the certificates, and tells the worlds and the list of handed-out addresses where we are. To be
    /// called at start, after a change of the name, on SIGHUP, and every now and then.
    ///
    /// # Errors
    /// Certificates that cannot be read or made; then the old ones stay in use and the address is told all the same.
    pub fn refresh(&self, services: &Services) -> Result<Refreshed, ServiceError> {
        // Two at a time could use settings that the other has overtaken.
        let _alone = self.refreshing.lock();
        let settings: ServerSettings = services.store.read(store::server::get)?;
        let names = ServerNames::of_this_machine(&self.public_names(&settings));
        let refreshed = self.certificates.refresh(&settings.given, &names, services.clock.now());
        self.fault.store(refreshed.as_ref().err().map(|error| Arc::new(chain(error))));
        let https_url = self.url(&settings, &names);
        let http_url = self.http.map(|http| http_url(&self.host(&settings, &names), http.port()));
        self.names.store(Arc::new(names));
        let (ca_pem, next_ca) = self.certificates.active().given_cas();
        services.set_endpoints(Endpoints { https_url: https_url.clone(), http_url, ca_pem, next_ca });
        if settings.set_up_at.is_some() && !settings.addresses.contains(&https_url) {
            commit(services, Grant::system("address"), SERVER, |change| {
                let mut settings = store::server::get(change.tx())?;
                settings.addresses.push(https_url.clone());
                settings.handed_out_at.insert(https_url.clone(), change.now());
                store::server::put(change.tx(), &settings)?;
                Ok(())
            })?;
        }
        let given = self.certificates.given();
        if settings.given != given {
            commit(services, Grant::system("certificates"), SERVER, |change| {
                let mut settings = store::server::get(change.tx())?;
                settings.given.own = given.own;
                // A rollover may have ended meanwhile: what the settings name is never replaced from here.
                settings.given.ca = settings.given.ca.take().or_else(|| given.ca.clone());
                store::server::put(change.tx(), &settings)?;
                Ok(())
            })?;
        }
        if matches!(refreshed, Ok(Refreshed::Changed)) {
            let until = self.certificates.active().not_after.to_string();
            commit(services, Grant::system("certificates"), SERVER, |change| {
                change.record(Event::new("certificate", "server", "renewed").change("valid until", None, Some(until)))
            })?;
        }
        Ok(refreshed?)
    }

    fn url(&self, settings: &ServerSettings, names: &ServerNames) -> String {
        let port = self.fixed.as_ref().map_or(self.bound.port(), |(_, port)| *port);
        url(&self.host(settings, names), port)
    }

    /// The name or address that phones are told.
    fn host(&self, settings: &ServerSettings, names: &ServerNames) -> String {
        match (&self.fixed, &settings.public_name) {
            (Some((host, _)), _) => host.clone(),
            (None, Some(host)) => host.clone(),
            (None, None) => reachable(self.bound, names),
        }
    }

    /// The name in use first, then all that were handed out: old ones stay in the certificate (R186).
    fn public_names(&self, settings: &ServerSettings) -> Vec<String> {
        let fixed = self.fixed.iter().map(|(host, _)| host.clone());
        let former = settings.addresses.iter().filter_map(|url| Some(BaseUrl::parse(url)?.host));
        let mut names: Vec<String> = fixed.chain(settings.public_name.clone()).chain(former).collect();
        names.dedup();
        names
    }
}

/// What others on this network can reach, where no name was given.
fn reachable(bound: SocketAddr, names: &ServerNames) -> String {
    if bound.ip().is_loopback() {
        return "localhost".to_owned();
    }
    if !bound.ip().is_unspecified() {
        return bound.ip().to_string();
    }
    names.best()
}

fn url(host: &str, port: u16) -> String {
    BaseUrl { is_tls: true, host: host.to_owned(), port }.to_string()
}

fn http_url(host: &str, port: u16) -> String {
    BaseUrl { is_tls: false, host: host.to_owned(), port }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_the_best_of_what_is_bound_is_told() {
        let names = ServerNames::new(&[], "box", ["192.0.2.7".parse().expect("an address")]);
        let bound = |text: &str| reachable(text.parse().expect("a socket"), &names);
        assert_eq!(bound("127.0.0.1:1"), "localhost");
        assert_eq!(bound("0.0.0.0:1"), "192.0.2.7");
        assert_eq!(bound("198.51.100.1:1"), "198.51.100.1");
        assert_eq!(reachable("0.0.0.0:1".parse().expect("a socket"), &ServerNames::new(&[], "box", [])), "box");
    }
}
