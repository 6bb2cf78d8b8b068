//! Whose request this is by its address: the socket's, unless the peer is a proxy that the settings name (P5b, NET-06).

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

use crate::domain::run::assembly::ConnectionId;

/// Where a proxy writes the addresses that a request came by, nearest last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the phone. Behind trusted proxies it is the right-most hop that is none of them: everything left of it is
/// what that hop claims.
pub fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    if trusted.is_empty() || !is_trusted(peer, trusted) {
        return peer;
    }
    let mut nearest = peer;
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).filter_map(|line| line.to_str().ok()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        // A hop that cannot be read hides all behind it: the last proxy that told the truth is the best answer.
        let Some(address) = hop_address(hop.trim()) else { return nearest };
        nearest = address;
        if !is_trusted(address, trusted) {
            return address;
        }
    }
    nearest
}

/// Numbers a connection by its far end: address and port are unique among open connections.
pub fn connection_id(peer: SocketAddr) -> ConnectionId {
    let address = match peer.ip().to_canonical() {
        IpAddr::V4(ip) => u64::from(ip.to_bits()),
        // Runs join by connection only within two minutes, so folding an address costs nothing.
        IpAddr::V6(ip) => ip.segments().iter().fold(1, |folded: u64, s| folded.rotate_left(7) ^ u64::from(*s)),
    };
    address.rotate_left(16) ^ u64::from(peer.port())
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// `192.0.2.7`, `192.0.2.7:5061`, `2001:db8::7` or `[2001:db8::7]:5061`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|s| s.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn seen(peer: &str, lines: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HeaderName::from_static(FORWARDED_FOR), HeaderValue::from_static(line));
        }
        let trusted = ["10.0.0.0/24".parse().expect("a network"), "fd00::/8".parse().expect("a network")];
        address(peer.parse().expect("an address"), &headers, &trusted).to_string()
    }

    #[test]
    fn net_06_a_peer_that_is_no_trusted_proxy_is_itself_whatever_it_claims() {
        assert_eq!(seen("192.0.2.9", &["20.1.5.5"]), "192.0.2.9");
        assert_eq!(seen("::ffff:192.0.2.9", &["20.1.5.5"]), "192.0.2.9");
    }

    #[test]
    fn net_06_behind_trusted_proxies_it_is_the_right_most_untrusted_hop() {
        assert_eq!(seen("10.0.0.1", &["20.1.5.5, 198.51.100.4, 10.0.0.2"]), "198.51.100.4");
        assert_eq!(seen("10.0.0.1", &["20.1.5.5", "198.51.100.4:6000", "10.0.0.2"]), "198.51.100.4");
        assert_eq!(seen("fd00::1", &["[2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_hop_that_cannot_be_read_ends_the_search() {
        assert_eq!(seen("10.0.0.1", &["20.1.5.5, unknown, 10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn connections_have_numbers_of_their_own() {
        let ids: std::collections::HashSet<_> = ["10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1", "[::1]:1", "[2001:db8::7]:1"]
            .map(|peer| connection_id(peer.parse().expect("a socket address")))
            .into();
        assert_eq!(ids.len(), 5);
    }
}
