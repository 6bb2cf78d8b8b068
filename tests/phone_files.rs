//! Paths that phones ask for and what they name: contract 4, protocol/provisioning.md 1.3.

use proptest::prelude::*;

use pdms::domain::device::DeviceKey;
use pdms::domain::phone_file::{DefaultFile, DeviceFile, ImageFile, LogKind, PhoneFile, PhonePath};

const MAC: &str = "0004f2abcdef";

fn file(path: &str) -> PhoneFile {
    PhonePath::parse(path).file
}

fn key() -> DeviceKey {
    MAC.parse().expect("a MAC address")
}

#[test]
fn every_name_that_phones_were_seen_to_use_is_known() {
    let cases = [
        ("/{}.cfg", PhoneFile::Master(key())),
        ("/000000000000.cfg", PhoneFile::MasterDefault),
        ("/{}-profile.cfg", PhoneFile::Parameters(key())),
        ("/{}-phone.cfg", PhoneFile::Device(key(), DeviceFile::Phone)),
        ("/{}-web.cfg", PhoneFile::Device(key(), DeviceFile::Web)),
        ("/{}-Web.cfg", PhoneFile::Device(key(), DeviceFile::Web)),
        ("/{}-system.cfg", PhoneFile::Device(key(), DeviceFile::System)),
        ("/{}-cloud.cfg", PhoneFile::Device(key(), DeviceFile::Cloud)),
        ("/{}-license.cfg", PhoneFile::Device(key(), DeviceFile::License)),
        ("/{}-directory.xml", PhoneFile::Device(key(), DeviceFile::Directory)),
        ("/{}-DIRECTORY.XML", PhoneFile::Device(key(), DeviceFile::Directory)),
        ("/{}-calls.xml", PhoneFile::Device(key(), DeviceFile::Calls)),
        ("/000000000000-license.cfg", PhoneFile::Default(DefaultFile::License)),
        ("/000000000000-directory.xml", PhoneFile::Default(DefaultFile::Directory)),
        ("/{}-boot.log", PhoneFile::Log(key(), LogKind::Boot)),
        ("/{}-app.log", PhoneFile::Log(key(), LogKind::App)),
        ("/{}-appFlash.log", PhoneFile::Log(key(), LogKind::AppFlash)),
        ("/{}-now-app.log", PhoneFile::Log(key(), LogKind::Now("app".to_owned()))),
        ("/{}-now-boot.log", PhoneFile::Log(key(), LogKind::Now("boot".to_owned()))),
        ("/{}_2026.11.22_101112.pcap.tar.gz", PhoneFile::Capture(key(), format!("{MAC}_2026.11.22_101112.pcap.tar.gz"))),
        ("/{}-core.gz", PhoneFile::Capture(key(), format!("{MAC}-core.gz"))),
    ];
    for (pattern, expected) in cases {
        let path = pattern.replace("{}", MAC);
        assert_eq!(file(&path), expected, "{path}");
        let capitals = file(&path.to_uppercase());
        assert_eq!(std::mem::discriminant(&capitals), std::mem::discriminant(&expected), "{path} in capitals");
        assert_eq!(capitals.key(), expected.key(), "{path} in capitals");
        assert_eq!(file(&format!("/default{path}")), expected, "below the account");
        assert_eq!(file(&format!("//phones/logs{path}")), expected, "below directories");
    }
}

/// R220: whatever else an admin puts there for everybody.
#[test]
fn other_names_of_the_zero_key_are_files_like_any_other() {
    for name in ["000000000000-features.cfg", "000000000000-phone.cfg", "000000000000-DIRECTORY~.xml"] {
        assert_eq!(file(&format!("/{name}")), PhoneFile::Resource(name.to_owned()));
        assert!(!file(&format!("/{name}")).may_be_put());
    }
}

#[test]
fn directories_are_told_without_the_account() {
    let path = PhonePath::parse("/Default/phones/my%20logs/0004f2abcdef-app.log?x=1");
    assert_eq!(path.directory, "phones/my logs");
    assert_eq!(path.file, PhoneFile::Log(key(), LogKind::App));
    assert_eq!(PhonePath::parse("/0004f2abcdef.cfg").directory, "");
}

#[test]
fn every_way_to_write_a_path_is_the_same_path() {
    for path in
        ["/a/Site.cfg", "//a///site.cfg", "/./a/./site.cfg", "/default/a/site.cfg", "/a/s%69te.cfg?x=1", "/%2e/a/SITE.CFG"]
    {
        assert_eq!(PhonePath::parse(path).location, "a/site.cfg", "{path}");
    }
    assert_eq!(file("/./0004f2abcdef.cfg"), PhoneFile::Master(key()));
    assert_eq!(PhonePath::parse("/noextension").location, "noextension");
    assert_eq!(PhonePath::parse("/3111-44500-001.bootblock.ld").location, "bootblock.ld");
    assert_eq!(PhonePath::parse("/a/../site.cfg").location, "");
}

#[test]
fn a_dump_has_a_name_that_fits_into_a_file_name() {
    use pdms::domain::limits::DUMP_NAME_BYTES;
    for (bytes, fits) in [(DUMP_NAME_BYTES - 1, true), (DUMP_NAME_BYTES, true), (DUMP_NAME_BYTES + 1, false)] {
        let name = format!("-core{}", "x".repeat(bytes - "-core".len()));
        assert_eq!(file(&format!("/{MAC}{name}")).may_be_put(), fits, "{bytes} bytes");
    }
}

#[test]
fn serial_numbers_stand_where_macs_do() {
    let serial: DeviceKey = "8218404c20ccf9".parse().expect("a serial number");
    assert_eq!(file("/8218404C20CCF9.cfg"), PhoneFile::Master(serial.clone()));
    assert_eq!(file("/8218404c20ccf9-profile.cfg"), PhoneFile::Parameters(serial.clone()));
    assert_eq!(file("/8218404c20ccf9-phone.cfg"), PhoneFile::Device(serial, DeviceFile::Phone));
    assert_eq!(file("/features.cfg"), PhoneFile::Resource("features.cfg".to_owned()), "words are no serial numbers");
    assert_eq!(file("/site.cfg"), PhoneFile::Resource("site.cfg".to_owned()));
}

#[test]
fn images_lose_their_part_numbers() {
    let cases = [
        ("/sip.ld", None, "sip.ld"),
        ("/3111-44500-001.sip.ld", Some("3111-44500-001"), "sip.ld"),
        ("/3111-44500-001.3111-44500-001.sip.ld", Some("3111-44500-001"), "sip.ld"),
        ("/swupdate/VVX/5.9.8/3111-44500-001.sip.ld", Some("3111-44500-001"), "sip.ld"),
        ("/2345-12500-001.bootrom.ld", Some("2345-12500-001"), "bootrom.ld"),
        ("/bootrom.ld", None, "bootrom.ld"),
        ("/updater.ld", None, "updater.ld"),
        ("/bootblock.ld", None, "bootblock.ld"),
        ("/3111-17823-001.dect.ld", Some("3111-17823-001"), "dect.ld"),
        ("/43111-46161-001.sip.ld", None, "43111-46161-001.sip.ld"),
        ("/swupdate/group/6.2/release.tar", None, "release.tar"),
    ];
    for (path, part, base) in cases {
        let expected = ImageFile { part_number: part.map(str::to_owned), base: base.to_owned() };
        assert_eq!(file(path), PhoneFile::Image(expected), "{path}");
    }
}

#[test]
fn other_harmless_names_are_resources() {
    for path in [
        "SoundPointIPLocalization/French_France/SoundPointIP-dictionary.xml",
        "VVXLocalization/German_Germany/VVX-dictionary.xml",
        "languages/Website_dictionary_language_en-us.xml",
        "Warble.wav",
        "Leaf.jpg",
        "sip.ver",
        "resources/Büro.png",
    ] {
        assert_eq!(file(&format!("/{path}")), PhoneFile::Resource(path.to_owned()));
    }
}

#[test]
fn hostile_and_odd_paths_are_unknown() {
    for path in [
        "",
        "/",
        "/default/",
        "/../0004f2abcdef.cfg",
        "/logs/../0004f2abcdef.cfg",
        "/%2e%2e/0004f2abcdef.cfg",
        "/a%2f0004f2abcdef.cfg",
        "/a%5c0004f2abcdef.cfg",
        "/a\\0004f2abcdef.cfg",
        "/0004f2abcdef.cfg%00.wav",
        "/x%0d%0ay.wav",
        "/%ff.wav",
        "/%zz.wav",
        "/%4",
        "/x\u{202e}gnp.wav",
        "/noextension",
        "/.hidden",
        "/0004f2abcdef-evil.cfg",
        "/0004f2abcdef-now-a b.log",
        "/0004f2abcdef",
    ] {
        assert_eq!(file(path), PhoneFile::Unknown, "{path:?}");
    }
    assert_eq!(file(&format!("/{}.wav", "x".repeat(2_000))), PhoneFile::Unknown);
}

#[test]
fn separators_in_a_mac_make_it_none() {
    assert_eq!(file("/00-04-f2-ab-cd-ef.cfg").key(), None);
    assert_eq!(file("/00:04:f2:ab:cd:ef.cfg").key(), None);
}

#[test]
fn only_what_a_device_makes_may_be_put() {
    for name in [
        "-boot.log",
        "-app.log",
        "-appFlash.log",
        "-now-app.log",
        "-phone.cfg",
        "-web.cfg",
        "-system.cfg",
        "-directory.xml",
        "-calls.xml",
        "-cloud.cfg",
        "-core.gz",
        "_1.pcap",
    ] {
        assert!(file(&format!("/{MAC}{name}")).may_be_put(), "{name}");
    }
    for path in [
        "/0004f2abcdef.cfg",
        "/0004f2abcdef-profile.cfg",
        "/0004f2abcdef-license.cfg",
        "/000000000000.cfg",
        "/000000000000-directory.xml",
        "/sip.ld",
        "/a.wav",
        "/x",
    ] {
        assert!(!file(path).may_be_put(), "{path}");
    }
}

#[test]
fn suffixes_lead_back_to_their_files() {
    for kind in DeviceFile::ALL {
        assert_eq!(file(&format!("/{MAC}{}", kind.suffix())), PhoneFile::Device(key(), kind));
    }
    for log in [LogKind::Boot, LogKind::App, LogKind::AppFlash, LogKind::Now("x".to_owned())] {
        assert_eq!(file(&format!("/{MAC}-{}.log", log.stem())), PhoneFile::Log(key(), log));
    }
}

#[test]
fn all_names_of_the_recorded_boots_are_known() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/transcripts");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return;
    };
    let mut paths = 0;
    for entry in entries {
        let text = std::fs::read_to_string(entry.expect("a readable folder").path()).expect("a text file");
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let Some((method, path)) = line.split('\t').next().zip(line.split('\t').nth(1)) else { continue };
            if path.starts_with('@') {
                continue;
            }
            let file = file(&path.replace("{mac}", MAC).replace("{MAC}", &MAC.to_uppercase()));
            assert!(!matches!(file, PhoneFile::Unknown | PhoneFile::Resource(_)), "{path} is {file:?}");
            assert!(method != "PUT" || file.may_be_put(), "{path} may be put");
            paths += 1;
        }
    }
    assert!(paths > 40, "{paths} paths read");
}

proptest! {
    #[test]
    fn no_path_at_all_panics_or_leads_out(path in "\\PC{0,80}|[/%.0-9a-f\\\\-]{0,60}") {
        let parsed = PhonePath::parse(&path);
        prop_assert!(!parsed.directory.split('/').any(|s| s == ".." || s == "."));
        if let PhoneFile::Resource(name) = parsed.file {
            prop_assert!(!name.contains(['\\', '\0']) && !name.split('/').any(|s| s == ".."));
        }
    }
}
