//! The guide's sample as it is printed, every form of a file, and the way there and back.

use proptest::prelude::*;

use super::*;
use crate::domain::ids::SiteId;
use crate::domain::site::draft::SiteDraft;
use crate::domain::testing::property_config;

/// The guide's sample, letter for letter.
const PRINTED: &str = r#"site_name,description,location_name,subnets
Test_site,Site for testing,Test location,"{"public-subnet-list":[{"ip-address":"1.2.3.4","mask-length":"32"},"private-subnet-list":[{"ip-address":"172.21.120.1","mask-length":"28"},{"ip-address":"192.168.1.1","mask-length":"28"}],{"ip-address":"2.3.4.5","mask-length":"32"}]"
"#;

fn rows(text: &str) -> Vec<SiteRow> {
    read(text.as_bytes()).expect("a file of sites")
}

fn one(text: &str) -> SiteCells {
    rows(text).remove(0).site.expect("a good row")
}

fn refused(text: &str) -> String {
    rows(text).remove(0).site.expect_err("a bad row")
}

fn networks(cells: &SiteCells) -> Vec<String> {
    cells.networks.iter().map(|one| format!("{} [{}]", one.public, one.private.join(" "))).collect()
}

#[test]
fn the_guides_sample_is_taken_as_it_is_printed() {
    let cells = one(PRINTED);
    assert_eq!((cells.name.as_str(), cells.description.as_deref()), ("Test_site", Some("Site for testing")));
    assert_eq!(cells.location.as_deref(), Some("Test location"));
    assert_eq!(networks(&cells), ["1.2.3.4/32 [172.21.120.1/28 192.168.1.1/28]", "2.3.4.5/32 []"]);
    let other = PRINTED.replace("site_name,description,location_name,subnets", "Site_Name;Description;Location_Name;Subnets");
    let other = other.replace("Test_site,Site for testing,Test location,", "Test_site;Site for testing;Test location;");
    assert_eq!(one(&other), cells, "with another separator");
    let last_first = r#"subnets,site_name
"{"public-subnet-list":[{"ip-address":"1.2.3.4","mask-length":"32"}]>>",Berlin"#;
    assert_eq!((one(last_first).name.as_str(), networks(&one(last_first))), ("Berlin", vec!["1.2.3.4/32 []".to_owned()]));
}

#[test]
fn a_strict_file_is_read_in_any_order_and_letter_case_with_numbers_or_texts() {
    let cells = one(
        "SUBNETS\tSite_Name\n\"{\"\"public-subnet-list\"\":[{\"\"ip-address\"\":\"\"20.1.0.0\"\",\"\"mask-length\"\":16,\"\"private-subnet-list\"\":[{\"\"ip-address\"\":\"\"10.0.0.0\"\",\"\"mask-length\"\":\"\"8\"\"}]}]}\"\tBerlin\n",
    );
    assert_eq!((cells.name.as_str(), networks(&cells)), ("Berlin", vec!["20.1.0.0/16 [10.0.0.0/8]".to_owned()]));
    assert_eq!((cells.description, cells.location, cells.polling_window), (None, None, None));
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_the_next_step() {
    let header = |text: &str| read(text.as_bytes()).expect_err("refused").to_string();
    assert!(header("site_name,colour,subnets\n").contains("line 1: “colour” is no column of sites"));
    assert!(header("site_name,description\n").contains("the column subnets is missing"));
    assert!(header("site_name,site_name,subnets\n").contains("twice"));
    assert!(refused("site_name,subnets\nBerlin,none\n").contains("“none” is no list of subnets"));
    assert!(refused("site_name,subnets\nBerlin;{\"public-subnet-list\":[]}\n").contains("use the comma that the header uses"));
    assert!(
        refused("site_name,subnets\nBerlin,{\"ip-address\":\"1.2.3.4\"}\n").contains("the mask length of 1.2.3.4 is missing")
    );
    let first = r#"site_name,subnets
B,"{""public-subnet-list"":[{""ip-address"":""127.73.0.0""},{""ip-address"":""9.9.9.0"",""mask-length"":""24""}]}""#;
    assert!(refused(&format!("{first}\n")).contains("the mask length of 127.73.0.0 is missing"), "the first one is not lost");
    assert!(
        refused(&first.replace(r#"""ip-address"":""127.73.0.0"""#, r#"""mask-length"":""8"""#))
            .contains("the address of the mask length 24")
    );
    assert!(refused("site_name,subnets\nBerlin,{\"public\":[]}\n").contains("“public” does not belong there"));
    assert!(refused("site_name,subnets,polling_window\nBerlin,{},3 to 5\n").contains("“3 to 5” is no window"));
    let behind = "site_name,subnets\nBerlin,{\"private-subnet-list\":[{\"ip-address\":\"1.2.3.4\",\"mask-length\":\"8\"}]}\n";
    assert!(refused(behind).contains("behind a public one"));
    let lines: Vec<_> = rows("site_name,subnets\n\nA,{}\nB,{}\n").iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 4]);
}

#[test]
fn what_looks_like_a_formula_is_guarded_and_comes_back() {
    for text in ["=1+1", "'=1", "-x", "@a", "plain", "'quoted'"] {
        assert_eq!(unguarded(&guarded(text)), text);
    }
    assert_eq!((guarded("=1+1").as_ref(), guarded("plain").as_ref()), ("'=1+1", "plain"));
}

#[test]
fn a_file_is_held_at_its_number_of_sites() {
    let file = |count: usize| format!("site_name,subnets\n{}", "A,{}\n".repeat(count));
    assert_eq!(rows(&file(SITES)).len(), SITES);
    assert!(read(file(SITES + 1).as_bytes()).is_err_and(|error| error.line == SITES as u64 + 2));
}

fn sites() -> impl Strategy<Value = Vec<Site>> {
    let subnet = (any::<std::net::IpAddr>(), 1..=32_u8)
        .prop_map(|(ip, bits)| crate::domain::subnet::Subnet::around(ip, bits).expect("few enough bits"));
    let network = (subnet.clone(), prop::collection::vec(subnet, 0..3)).prop_map(|(public, private)| Network { public, private });
    let zone = prop::option::of(Just("America/New_York".to_owned()));
    let texts = ("[a-zA-Z0-9#._()-]{1,20}", "[ -~äöü\n]{0,20}", "[ -~]{0,20}");
    let site = (texts, prop::collection::vec(network, 0..4), zone, prop::option::of(0..1_439_u16));
    let site = site.prop_map(|((name, description, location), networks, time_zone, from)| Site {
        id: SiteId(2),
        name: crate::domain::names::Name::parse(&name).expect("by its pattern"),
        description: description.trim().to_owned(),
        location: location.trim().to_owned(),
        networks,
        time_zone,
        polling_window: from.map(|from| (from, from + 1)),
        ..Site::internet()
    });
    prop::collection::vec(site, 0..5)
}

proptest! {
    #![proptest_config(property_config())]

    #[test]
    fn what_is_written_reads_back_to_the_same(sites in sites()) {
        let file = write(sites.iter()).expect("written");
        let read: Vec<_> = read(&file).expect("our own file").into_iter().map(|row| row.site.expect("our own row").over(None)).collect();
        let expected: Vec<_> = sites.iter().map(SiteDraft::of).collect();
        for (input, expected) in read.iter().zip(&expected) {
            let networks = expected.networks.iter().map(|one| (one.public.to_string(), one.private.len())).collect::<Vec<_>>();
            prop_assert_eq!(input.networks.iter().map(|one| (one.public.clone(), one.private.len())).collect::<Vec<_>>(), networks);
            prop_assert_eq!(&input.name, expected.name.as_str());
            prop_assert_eq!(&input.description, &expected.description);
            prop_assert_eq!(&input.location, &expected.location);
            prop_assert_eq!(Some(&input.time_zone).filter(|zone| !zone.is_empty()), expected.time_zone.as_ref());
            prop_assert_eq!(input.polling_window, expected.polling_window);
        }
        prop_assert_eq!(read.len(), expected.len());
    }
}

#[test]
fn the_largest_site_fits_into_its_part_of_the_largest_file() {
    use crate::domain::limits::{
        DESCRIPTION_CHARS, LOCATION_CHARS, NAME_CHARS, NETWORK_CSV_BYTES, NETWORKS_PER_SITE, SITE_CSV_BYTES,
    };
    let longest = |at: usize| format!("ffff:ffff:ffff:ffff:ffff:ffff:ffff:{:x}/128", 0xf000 + at);
    let one = |at: usize| NetworkInput { public: longest(at), private: vec![longest(at)] };
    for (networks, most) in [((0..NETWORKS_PER_SITE / 2).map(one).collect::<Vec<_>>(), NETWORKS_PER_SITE), (vec![one(0)], 2)] {
        let input = SiteInput {
            name: "𝒩".repeat(NAME_CHARS),
            description: "𝒩".repeat(DESCRIPTION_CHARS),
            location: "𝒩".repeat(LOCATION_CHARS),
            networks,
            time_zone: "America/Argentina/ComodRivadavia".to_owned(),
            polling_window: Some((0, 1440)),
            download_path: "https://files.example.test".to_owned(),
            site_specific: true,
        };
        let mut site = Site::internet();
        SiteDraft::parse(&input).expect("a site").into_site(&mut site);
        let bytes = write(std::iter::once(&site)).expect("a file").len();
        assert!(bytes <= most * NETWORK_CSV_BYTES + SITE_CSV_BYTES, "{bytes}");
    }
}
