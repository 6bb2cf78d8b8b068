//! What devices are offered by the shipped models and stops (contract 5.12).

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use crate::catalog;
use crate::domain::deployment::{Place, applicable};
use crate::domain::device::Device;
use crate::domain::ids::{ImageId, ProfileId, SiteId};
use crate::domain::image::{Image, ImageFile};
use crate::domain::profile::Profile;
use crate::domain::software::offer::{components, may_fetch, offer};
use crate::domain::software::{SoftwareChoice, SoftwareVersion};
use crate::domain::testing::{deployed, device, profile, property_config, with_account, world};
use crate::domain::world::World;

fn version(text: &str) -> SoftwareVersion {
    text.parse().expect("a version")
}

fn choosing(id: u64, family: &str, text: &str) -> Profile {
    let choice = SoftwareChoice { family: family.to_owned(), version: version(text) };
    Profile { software: vec![choice], ..profile(id, &[]) }
}

fn with_images(mut world: World, images: &[(&str, &str, &[&str])]) -> World {
    world.models = catalog::models::models();
    world.ladder = catalog::upgrade_paths::ladder();
    let made = images.iter().zip(1..).map(|((family, text, files), id)| {
        let file =
            |path: &&str| ImageFile { path: (*path).to_owned(), size_bytes: 1, sha256: String::new(), blob: String::new() };
        let image = Image {
            id: ImageId(id),
            version: version(text),
            families: vec![(*family).to_owned()],
            source: String::new(),
            size_bytes: 1,
            sha256: String::new(),
            files: files.iter().map(file).collect(),
            profile: ProfileId(1_000 + id),
            schema: None,
            license: None,
            packages: Vec::new(),
            at: Timestamp::UNIX_EPOCH,
            by: "admin".to_owned(),
        };
        (image.id, Arc::new(image))
    });
    world.images = Arc::new(made.collect());
    world
}

fn vvx(installed: Option<&str>) -> Device {
    let mut phone = Device { family: Some("VVX".to_owned()), model: Some("VVX 411".to_owned()), ..device("64167f000411") };
    phone.change_software(|software| software.told.runs(installed.map(version), None));
    phone
}

fn offered(device: &Device, world: &World) -> Option<(String, &'static str, Option<String>)> {
    let placed = applicable(device, world);
    let offer = offer(device, &placed, world)?;
    let next = offer.sent().next.map(|(_, version)| version);
    Some((offer.version.to_string(), offer.step.word(), next))
}

const PART: &str = "3111-48450-001.sip.ld";

#[test]
fn a_vvx_on_5_5_2_is_led_over_5_7_3_to_5_9_8_and_gets_no_other_image_meanwhile() {
    let chosen = deployed(world(), vec![(Place::Global, choosing(1, "VVX", "5.9.8.5760"))]);
    let all: [(&str, &str, &[&str]); 3] =
        [("VVX", "5.7.3.1797", &[PART]), ("VVX", "5.9.8.5760", &[PART]), ("VVX", "5.8.0.1", &[PART])];
    let whole = with_images(chosen.clone(), &all);
    let at = |installed, world: &World| offered(&vvx(Some(installed)), world).expect("chosen");
    let target = "5.9.8.5760".to_owned();
    assert_eq!(at("5.5.2.8571", &whole), (target.clone(), "hop", Some("5.7.3.1797".to_owned())));
    let may = |text: &str| {
        let phone = vvx(Some("5.5.2.8571"));
        may_fetch(&phone, &applicable(&phone, &whole), &whole, &version(text))
    };
    assert_eq!(["5.7.3.1797", "5.9.8.5760", "5.8.0.1", "5.5.2.8571"].map(may), [true, false, false, true]);
    assert_eq!(at("5.7.3.1797", &whole), (target.clone(), "serve", Some(target.clone())));
    assert_eq!(at("5.9.8.5760", &whole), (target.clone(), "stay", Some(target.clone())));
    let without_stop = with_images(chosen, &all[1..]);
    assert_eq!(at("5.5.2.8571", &without_stop), (target, "missing-hop", None));
}

#[test]
fn an_image_without_the_phones_part_number_is_not_named_and_what_the_phone_told_wins_over_the_table() {
    let chosen = deployed(world(), vec![(Place::Global, choosing(1, "VVX", "5.9.8.5760"))]);
    let mut other = with_images(chosen.clone(), &[("VVX", "5.9.8.5760", &["3111-99999-001.sip.ld"])]);
    let mut phone = vvx(Some("5.9.7.4477"));
    assert_eq!(offered(&phone, &other).map(|told| told.1), Some("no-part"));
    Arc::make_mut(&mut other.part_numbers).insert("VVX 411".to_owned(), vec!["3111-99999-001".to_owned()]);
    assert_eq!(offered(&phone, &other).map(|told| told.1), Some("serve"), "other phones of its model told it");
    phone.change_software(|software| software.told.part_number = Some("3111-48450-001".to_owned()));
    assert_eq!(offered(&phone, &other).map(|told| told.1), Some("no-part"), "it told another one itself");
    let combined = with_images(chosen, &[("VVX", "5.9.8.5760", &["sip.ld"])]);
    assert_eq!(offered(&phone, &combined).map(|told| told.1), Some("serve"), "a combined image is for every hardware");
}

#[test]
fn r364_the_least_version_is_brought_only_where_that_is_switched_on_and_nobody_chooses() {
    let images: [(&str, &str, &[&str]); 1] = [("VVX", "5.9.4.3247", &[PART])];
    let plain = with_images(world(), &images);
    let raising = with_account(plain.clone(), |account| account.software.raise_to_minimum = true);
    assert_eq!(offered(&vvx(Some("5.9.0.1")), &plain), None);
    let told = offered(&vvx(Some("5.9.0.1")), &raising).expect("by rule");
    assert_eq!((told.0.as_str(), told.1), ("5.9.4.3247", "serve"));
    assert_eq!(offered(&vvx(Some("5.9.8.5760")), &raising), None, "nobody goes back by it");
    let chosen = deployed(raising, vec![(Place::Global, choosing(1, "VVX", "5.9.0.1"))]);
    assert_eq!(offered(&vvx(Some("5.9.0.1")), &chosen).map(|told| told.0), Some("5.9.0.1".to_owned()));
}

#[test]
fn two_sites_want_different_versions_and_a_group_series_stands_behind_a_trio() {
    let of_site = |id| Place::Site(SiteId(id));
    let profiles = vec![
        (of_site(2), choosing(1, "VVX", "5.9.8.5760")),
        (of_site(3), choosing(2, "VVX", "5.9.7.4477")),
        (Place::Global, choosing(3, "RealPresence Group Series", "6.2.2.1")),
    ];
    let images: [(&str, &str, &[&str]); 3] =
        [("VVX", "5.9.8.5760", &[PART]), ("VVX", "5.9.7.4477", &[PART]), ("RealPresence Group Series", "6.2.2.1", &["a.tar"])];
    let world = with_images(deployed(world(), profiles), &images);
    let at = |site| offered(&Device { site: Some(SiteId(site)), ..vvx(Some("5.9.6.2327")) }, &world).map(|told| told.0);
    assert_eq!((at(2), at(3), at(4)), (Some("5.9.8.5760".to_owned()), Some("5.9.7.4477".to_owned()), None));
    let trio = Device { family: Some("Trio".to_owned()), ..device("64167f008800") };
    let placed = applicable(&trio, &world);
    let beside: Vec<_> = components(&trio, &placed, &world).iter().map(|offer| (offer.family, offer.step.word())).collect();
    assert_eq!(beside, [("RealPresence Group Series", "serve")]);
    assert!(components(&vvx(None), &applicable(&vvx(None), &world), &world).is_empty());
}

proptest! {
    #![proptest_config(property_config())]

    /// Whatever images there are: what a device is sent to is an image with a file for it, and one that it may fetch.
    #[test]
    fn nobody_is_sent_to_what_is_not_there_or_is_refused(
        installed in prop::option::of(prop::sample::select(&["3.3.1.0933", "5.0.1.1", "5.5.2.8571", "5.7.3.1797", "5.9.8.5760"][..])),
        chosen in prop::sample::select(&["5.4.7.1", "5.7.3.1797", "5.9.4.3247", "5.9.8.5760"][..]),
        images in prop::sample::subsequence(vec!["5.4.7.1", "5.7.3.1797", "5.9.4.3247", "5.9.8.5760"], 0..=4),
        has_part in any::<bool>(),
    ) {
        let files: &[&str] = if has_part { &[PART] } else { &["3111-00000-001.sip.ld"] };
        let images: Vec<(&str, &str, &[&str])> = images.into_iter().map(|text| ("VVX", text, files)).collect();
        let world = with_images(deployed(world(), vec![(Place::Global, choosing(1, "VVX", chosen))]), &images);
        let phone = vvx(installed);
        let placed = applicable(&phone, &world);
        if let Some(next) = offered(&phone, &world).and_then(|told| told.2) {
            prop_assert!(has_part && images.iter().any(|(_, text, _)| *text == next));
            prop_assert!(may_fetch(&phone, &placed, &world, &version(&next)));
        }
    }
}
