//! Which site claims an address: the guide's table, and a naive oracle on random sites.

use proptest::prelude::*;

use super::index::SiteIndex;
use super::*;
use crate::domain::testing::property_config;

fn net(text: &str) -> Subnet {
    Subnet::parse(text).expect("a network")
}

fn site(id: u64, networks: &[(&str, &[&str])]) -> Site {
    let networks = networks
        .iter()
        .map(|(public, private)| Network { public: net(public), private: private.iter().map(|private| net(private)).collect() });
    Site {
        id: SiteId(id),
        name: Name::parse(&format!("Site {id}")).expect("a name"),
        description: String::new(),
        location: String::new(),
        networks: networks.collect(),
        time_zone: None,
        polling_window: None,
        download_path: None,
        site_specific: false,
        modified_by: "pdms".to_owned(),
        modified_at: Timestamp::UNIX_EPOCH,
        revision: 1,
    }
}

fn origin(seen: &str, own: Option<&str>) -> Origin {
    let parse = |text: &str| text.parse().expect("an address");
    Origin { seen: parse(seen), own: own.map(parse) }
}

fn claimed(sites: &[Site], seen: &str, own: Option<&str>) -> Option<u64> {
    site_for(sites, origin(seen, own)).map(|found| found.site.0)
}

/// The four sites of the guide's table, in its order, B-1, B-2.
fn guide() -> [Site; 4] {
    [
        site(11, &[("20.1.0.0/16", &["10.0.0.0/8"])]),
        site(12, &[("20.1.0.0/16", &["10.33.24.0/24"])]),
        site(21, &[("20.56.31.0/8", &["3.1.0.0/16"])]),
        site(22, &[("20.56.31.0/8", &[])]),
    ]
}

#[test]
fn the_guides_four_sites_are_told_apart_as_it_says() {
    let table = [
        ("20.1.9.9", Some("10.1.1.1"), Some(11)),
        ("20.1.9.9", Some("10.33.24.7"), Some(12)),
        ("20.77.1.1", Some("3.1.5.5"), Some(21)),
        ("20.77.1.1", Some("192.168.1.1"), Some(22)),
        ("20.77.1.1", None, Some(22)),
        // The longer public network has nothing for this address behind it: the shorter one has.
        ("20.1.9.9", Some("3.1.5.5"), Some(21)),
        ("20.1.9.9", Some("192.168.1.1"), Some(22)),
        ("21.1.9.9", Some("10.33.24.7"), None),
    ];
    for (seen, own, expected) in table {
        assert_eq!(claimed(&guide(), seen, own), expected, "{seen} {own:?}");
    }
}

#[test]
fn on_one_network_with_the_server_the_seen_address_is_the_phones_own() {
    let sites = [site(2, &[("10.0.0.0/8", &["10.1.0.0/16"])]), site(3, &[("10.0.0.0/8", &["10.2.0.0/16"])])];
    assert_eq!(claimed(&sites, "10.2.3.4", None), Some(3));
    assert_eq!(claimed(&sites, "10.3.3.4", None), None);
}

#[test]
fn ipv6_matches_as_ipv4_does_and_neither_takes_the_other() {
    let sites = [site(2, &[("2001:db8::/32", &[])]), site(3, &[("2001:db8:7::/48", &[])]), site(4, &[("10.0.0.0/8", &[])])];
    assert_eq!(claimed(&sites, "2001:db8:7::1", None), Some(3));
    assert_eq!(claimed(&sites, "2001:db8:8::1", None), Some(2));
    assert_eq!(claimed(&sites, "10.0.0.1", None), Some(4));
}

#[test]
fn a_site_of_zeros_claims_nobody() {
    let sites = [site(2, &[("0.0.0.0/0", &[])])];
    assert!(sites[0].is_unset());
    assert_eq!(claimed(&sites, "10.0.0.1", None), None);
}

#[test]
fn equal_claims_go_to_the_oldest_site_and_are_told() {
    let sites = [site(9, &[("10.1.0.0/16", &[])]), site(5, &[("10.1.2.0/16", &[]), ("10.2.0.0/16", &["10.2.1.0/24"])])];
    assert_eq!(claimed(&sites, "10.1.1.1", None), Some(5));
    let expected = Tie { older: SiteId(5), younger: SiteId(9), public: net("10.1.0.0/16"), private: None };
    let index = SiteIndex::new(&sites);
    assert_eq!(index.ties(&sites[0]), [expected]);
    assert_eq!(index.ties(&sites[1]), [expected]);
    assert_eq!(index.ties(&site(7, &[("10.2.0.0/16", &[])])), [], "behind it is another claim");
}

/// Networks and addresses that meet often: few bits differ.
fn subnet() -> impl Strategy<Value = Subnet> {
    (0u32..4, 0u32..4, 0u8..=32).prop_map(|(a, b, bits)| {
        Subnet::around(std::net::Ipv4Addr::from_bits(10 << 24 | a << 16 | b << 8).into(), bits).expect("few bits")
    })
}

fn sites() -> impl Strategy<Value = Vec<Site>> {
    let network = (subnet(), prop::collection::vec(subnet(), 0..3)).prop_map(|(public, private)| Network { public, private });
    prop::collection::vec(prop::collection::vec(network, 0..4), 0..8)
        .prop_map(|all| all.into_iter().zip(1..).map(|(networks, id)| Site { networks, ..site(id, &[]) }).collect())
}

fn address() -> impl Strategy<Value = IpAddr> {
    (0u32..5, 0u32..5, 0u32..3).prop_map(|(a, b, c)| std::net::Ipv4Addr::from_bits(10 << 24 | a << 16 | b << 8 | c).into())
}

/// The rule read aloud: one public length after the other, one private length after the other, one site after the other.
fn oracle(sites: &[Site], origin: Origin) -> Option<SiteId> {
    let own = origin.own.unwrap_or(origin.seen);
    for public in (0..=32).rev() {
        for private in (0..=32).rev().map(Some).chain([None]) {
            for site in sites {
                for network in &site.networks {
                    if network.public.bits() != public || !network.public.covers(origin.seen) {
                        continue;
                    }
                    let is_it = match private {
                        Some(bits) => network.private.iter().any(|net| net.bits() == bits && net.covers(own)),
                        None => network.private.is_empty(),
                    };
                    if is_it {
                        return Some(site.id);
                    }
                }
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(property_config())]

    #[test]
    fn the_match_equals_a_naive_search(sites in sites(), seen in address(), own in prop::option::of(address())) {
        let origin = Origin { seen, own };
        prop_assert_eq!(site_for(&sites, origin).map(|found| found.site), oracle(&sites, origin));
        prop_assert_eq!(SiteIndex::new(&sites).find(origin), site_for(&sites, origin));
    }

    #[test]
    fn the_order_of_storage_is_irrelevant(sites in sites(), seen in address(), own in prop::option::of(address())) {
        let origin = Origin { seen, own };
        let turned: Vec<_> = sites.iter().rev().cloned().collect();
        prop_assert_eq!(site_for(&sites, origin), site_for(&turned, origin));
    }
}
