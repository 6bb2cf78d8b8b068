//! Which file a phone gets (contract 4, protocol/provisioning.md 4.2).

use super::*;
use crate::domain::phone_file::{PhoneFile, PhonePath};

fn image(id: u64, family: &str, version: &str, files: &[&str]) -> (ImageId, Arc<Image>) {
    let file =
        |path: &&str| ImageFile { path: (*path).to_owned(), size_bytes: 1, sha256: String::new(), blob: format!("{id}:{path}") };
    let image = Image {
        id: ImageId(id),
        version: version.parse().expect("a version"),
        families: vec![family.to_owned()],
        source: "package.zip".to_owned(),
        size_bytes: 1,
        sha256: String::new(),
        files: files.iter().map(file).collect(),
        profile: ProfileId(id),
        schema: None,
        license: None,
        packages: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
        by: "ada".to_owned(),
    };
    (image.id, Arc::new(image))
}

fn images() -> Images {
    BTreeMap::from([
        image(1, "VVX", "5.9.8.5760", &["3111-44500-001.sip.ld", "sip.ver", "VVXLocalization/Chinese/VVX.xml"]),
        image(2, "SoundPoint IP", "4.0.15", &["sip.ld"]),
        image(3, "Trio", "4.0.15", &["3111-65290-001.sip.ld", "sip.ld"]),
    ])
}

fn got(path: &str) -> Option<String> {
    let path = PhonePath::parse(path);
    let PhoneFile::Image(name) = &path.file else { return None };
    served(&images(), &path.location, name).map(|(_, file)| file.blob.clone())
}

#[test]
fn a_part_number_finds_its_image_once_or_twice_in_the_name_and_in_any_letter_case() {
    for path in [
        "/swupdate/VVX/5.9.8.5760/3111-44500-001.sip.ld",
        "/swupdate/VVX/5.9.8.5760/3111-44500-001.3111-44500-001.sip.ld",
        "/SWUPDATE/vvx/5.9.8.5760/3111-44500-001.SIP.LD",
        "/default/swupdate//VVX/./5.9.8.5760/3111%2d44500-001.sip.ld",
        "/swupdate/anything/5.9.8.5760/3111-44500-001.sip.ld",
        "/firmware/5.9.8.5760/3111-44500-001.sip.ld",
    ] {
        assert_eq!(got(path).as_deref(), Some("1:3111-44500-001.sip.ld"), "{path}");
    }
}

#[test]
fn no_image_is_given_for_another() {
    for path in [
        "/swupdate/VVX/5.9.8.5760/sip.ld",
        "/swupdate/VVX/5.9.8.5760/3111-48450-001.sip.ld",
        "/swupdate/VVX/5.9.8/3111-44500-001.sip.ld",
        "/swupdate/VVX/3111-44500-001.sip.ld",
        "/swupdate/VVX/5.9.8.5760/",
        "/3111-44500-001.sip.ld",
        "/swupdate/VVX/5.9.8.5760/../4.0.15/sip.ld",
        "/other/5.9.8.5760/sip.ver",
    ] {
        assert_eq!(got(path), None, "{path}");
    }
    assert_eq!(got("/swupdate/SoundPoint-IP/4.0.15/2345-12600-001.sip.ld"), None, "the phone asks for sip.ld next");
}

#[test]
fn the_folder_of_the_family_decides_between_images_of_one_version() {
    assert_eq!(got("/swupdate/SoundPoint-IP/4.0.15/sip.ld").as_deref(), Some("2:sip.ld"));
    assert_eq!(got("/swupdate/Trio/4.0.15/sip.ld").as_deref(), Some("3:sip.ld"));
    assert_eq!(got("/swupdate/Trio/4.0.15/3111-65290-001.sip.ld").as_deref(), Some("3:3111-65290-001.sip.ld"));
}

#[test]
fn what_lies_beside_the_software_is_served_below_its_path() {
    assert_eq!(got("/swupdate/VVX/5.9.8.5760/sip.ver").as_deref(), Some("1:sip.ver"));
    let language = got("/swupdate/VVX/5.9.8.5760/vvxlocalization/CHINESE/VVX.xml");
    assert_eq!(language.as_deref(), Some("1:VVXLocalization/Chinese/VVX.xml"));
}
