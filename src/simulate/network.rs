//! The network of simulated phones: sockets and TLS, on this machine only.
//!
//! There is no name service on it: every name that a phone is told leads to the machine of the given server, so that phones follow
//! the addresses in their configuration and still never leave the loopback interface.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::domain::mac::Mac;

use super::address::{Address, Scheme, own_address};
use super::tls::{self, Factory};
use super::trust::{BuiltIn, Trust};

/// How long a phone waits for a connection, a handshake or an answer.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Tells the time on the network; phones ask when they verify certificates and when they start.
pub type Time = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where phones connect, and with what.
pub struct Network {
    machine: IpAddr,
    built_in: BuiltIn,
    factory: Factory,
    time: Time,
    configs: Mutex<HashMap<Trust, Arc<ClientConfig>>>,
    /// The address behind which all of its phones stand; none where each has its own.
    address: Option<Ipv4Addr>,
}

/// Why a server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Not an address.
    #[error("“{0}” is not the address of a server; write something like https://127.0.0.1:8443/")]
    Address(String),
    /// A name that cannot be looked up.
    #[error("the name “{0}” cannot be looked up")]
    Name(String, #[source] std::io::Error),
    /// An address outside this machine.
    #[error("“{0}” is not on this machine; simulated phones only ever talk to loopback addresses, such as 127.0.0.1")]
    Elsewhere(String),
    /// The certificate authorities or the TLS library cannot be used.
    #[error("the certificate authority cannot be used")]
    Tls(#[from] rustls::Error),
    /// The simulated manufacturer's certificates cannot be made.
    #[error("the phones' factory certificates cannot be made")]
    Factory(#[from] rcgen::Error),
}

/// An open connection.
#[derive(Debug)]
pub enum Stream {
    /// Clear text.
    Plain(TcpStream),
    /// TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

#[expect(clippy::disallowed_methods, reason = "the server's clock is not on the wire: phones have a time server of their own")]
fn system_time() -> Timestamp {
    Timestamp::now()
}

impl Network {
    /// A network on which every name leads to the machine of this server, which must be this one.
    /// `built_in` are the certificate authorities that phones know from the factory, in DER form.
    pub fn new(server: &str, built_in: Vec<Vec<u8>>) -> Result<Self, NetworkError> {
        let address = Address::parse(server, None).ok_or_else(|| NetworkError::Address(server.to_owned()))?;
        let machine = loopback(&address)?;
        let (factory, time) = (Factory::new()?, Arc::new(system_time));
        Ok(Self { machine, built_in: built_in.into(), factory, time, configs: Mutex::default(), address: None })
    }

    /// The same network with another time server: for tests that set the time.
    #[must_use]
    pub fn with_time(self, time: Time) -> Self {
        Self { time, configs: Mutex::default(), ..self }
    }

    /// The same with all phones behind one loopback address, as those of a place are behind their router.
    #[must_use]
    pub fn with_address(self, address: Ipv4Addr) -> Self {
        Self { address: Some(address), ..self }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.time)()
    }

    /// The certificate authorities that phones know from the factory.
    pub fn built_in(&self) -> BuiltIn {
        Arc::clone(&self.built_in)
    }

    /// Connects as one phone: from an address of its own where the server is on IPv4, with its own trust and factory certificate.
    pub async fn connect(&self, mac: Mac, server: &Address, trust: &Trust) -> std::io::Result<Stream> {
        let stream = self.open(mac, server.port).await?;
        stream.set_nodelay(true)?;
        if server.scheme == Scheme::Http {
            return Ok(Stream::Plain(stream));
        }
        let name = ServerName::try_from(server.host.clone()).map_err(std::io::Error::other)?;
        let config = self.config(mac, trust).map_err(std::io::Error::other)?;
        Ok(Stream::Tls(Box::new(TlsConnector::from(config).connect(name, stream).await?)))
    }

    async fn open(&self, mac: Mac, port: u16) -> std::io::Result<TcpStream> {
        let target = SocketAddr::new(self.machine, port);
        let IpAddr::V4(_) = self.machine else { return TcpStream::connect(target).await };
        let socket = TcpSocket::new_v4()?;
        // Systems that give out 127.0.0.1 alone refuse; then all phones share it.
        if socket.bind(SocketAddr::new(IpAddr::V4(self.address.unwrap_or_else(|| own_address(mac))), 0)).is_err() {
            return TcpStream::connect(target).await;
        }
        socket.connect(target).await
    }

    fn config(&self, mac: Mac, trust: &Trust) -> Result<Arc<ClientConfig>, rustls::Error> {
        let shared = self.configs.lock().get(trust).cloned();
        let shared = match shared {
            Some(config) => config,
            None => {
                let config = Arc::new(tls::config(trust, &self.time)?);
                self.configs.lock().insert(trust.clone(), Arc::clone(&config));
                config
            }
        };
        Ok(Arc::new(tls::with_factory_certificate(&shared, &self.factory, mac)))
    }
}

fn loopback(address: &Address) -> Result<IpAddr, NetworkError> {
    use std::net::ToSocketAddrs;
    let elsewhere = || NetworkError::Elsewhere(address.host.clone());
    let found =
        (address.host.as_str(), address.port).to_socket_addrs().map_err(|e| NetworkError::Name(address.host.clone(), e))?;
    let found: Vec<IpAddr> = found.map(|a| a.ip()).collect();
    if found.iter().any(|ip| !ip.is_loopback()) {
        return Err(elsewhere());
    }
    found.iter().find(|ip| ip.is_ipv4()).or(found.first()).copied().ok_or_else(elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_taken() {
        for server in ["https://127.0.0.1:8443/", "http://[::1]:8080", "https://127.3.4.5:1/t1/", "localhost:8443"] {
            assert!(Network::new(server, Vec::new()).is_ok(), "{server}");
        }
        for server in ["https://192.0.2.1/", "https://0.0.0.0:8443/", "tftp://127.0.0.1/", ""] {
            assert!(Network::new(server, Vec::new()).is_err(), "{server}");
        }
    }

    #[test]
    fn every_phone_has_a_loopback_address_of_its_own() {
        let addresses: std::collections::HashSet<_> =
            (0..1000).map(|n| own_address(Mac::from_bytes([0, 4, 0xf2, 0, n_high(n), n_low(n)]))).collect();
        assert!(addresses.len() > 980, "{}", addresses.len());
        assert!(addresses.iter().all(|ip| ip.is_loopback() && *ip != Ipv4Addr::LOCALHOST));
    }

    fn n_high(n: u16) -> u8 {
        n.to_be_bytes()[0]
    }

    fn n_low(n: u16) -> u8 {
        n.to_be_bytes()[1]
    }
}
