//! What a device is to take next on its way to the version that is chosen for it (contract 5.12, R391, R392).
//!
//! Pure, and the only place that decides it: composing, refusing other images and every page ask here.

use super::SoftwareVersion;
use super::ladder::{Hop, Ladder};

/// The next step of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'l> {
    /// It has the version that is chosen. Its image is named all the same where it is there: a phone looks at its header and goes on.
    Stay {
        /// Whether the image is there.
        is_there: bool,
    },
    /// It takes this version.
    Serve(SoftwareVersion),
    /// It takes a stop on its way.
    Hop(SoftwareVersion, &'l Hop),
    /// It must make a stop whose image is not there.
    MissingHop(&'l Hop),
    /// The version lies before the stop that it would have to make: there is no way to it.
    NoWay(&'l Hop),
    /// There is no image of the chosen version.
    MissingImage,
    /// The image has no file for its hardware.
    NoPart(SoftwareVersion),
    /// The chosen version is older than what it has, and nobody has allowed that.
    NeedsConsent,
    /// It took all of this version's image three times and kept its software.
    Withdrawn(SoftwareVersion),
    /// It has not told its version yet, and its family has stops: none must be left out.
    NotHeard,
}

/// Whether the image of a version is there for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// With a file for its hardware.
    Whole(SoftwareVersion),
    /// Without one.
    WithoutPart(SoftwareVersion),
    /// Not at all.
    Absent,
}

/// What is known of a device on its way.
#[derive(Clone, Copy, Debug)]
pub struct Traveller<'a> {
    /// Its family.
    pub family: &'a str,
    /// Version of its Application.
    pub installed: Option<&'a SoftwareVersion>,
    /// Version of its Updater or boot ROM.
    pub updater: Option<&'a SoftwareVersion>,
    /// The older version that it may be taken back to.
    pub downgrade_to: Option<&'a SoftwareVersion>,
}

/// The next step to a version. `held` says of a stop or of the version whether its image is there, `is_withdrawn` whether that is kept
/// from this device.
pub fn next_step<'l>(
    traveller: &Traveller<'_>,
    target: &SoftwareVersion,
    ladder: &'l Ladder,
    held: impl Fn(Wanted<'_>) -> Held,
    is_withdrawn: impl Fn(&SoftwareVersion) -> bool,
) -> Step<'l> {
    let of_target = || held(Wanted::Release(target));
    let take = |version: SoftwareVersion| match is_withdrawn(&version) {
        true => Step::Withdrawn(version),
        false => Step::Serve(version),
    };
    let whole = |held| match held {
        Held::Whole(version) => take(version),
        Held::WithoutPart(version) => Step::NoPart(version),
        Held::Absent => Step::MissingImage,
    };
    let Some(installed) = traveller.installed else {
        return if ladder.concerns(traveller.family) { Step::NotHeard } else { whole(of_target()) };
    };
    if target.begins(installed) {
        return Step::Stay { is_there: matches!(of_target(), Held::Whole(_)) };
    }
    if target < installed {
        let is_allowed = traveller.downgrade_to == Some(target);
        return if is_allowed { whole(of_target()) } else { Step::NeedsConsent };
    }
    let Some(hop) = ladder.hop(traveller.family, installed, traveller.updater, target) else { return whole(of_target()) };
    if hop.updater_below.is_none() && hop.via > *target {
        return Step::NoWay(hop);
    }
    match held(Wanted::Stop(hop)) {
        Held::Whole(version) if is_withdrawn(&version) => Step::Withdrawn(version),
        Held::Whole(version) => Step::Hop(version, hop),
        Held::WithoutPart(version) => Step::NoPart(version),
        Held::Absent => Step::MissingHop(hop),
    }
}

/// Which image is asked about.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// That of this version.
    Release(&'a SoftwareVersion),
    /// One that is this stop.
    Stop(&'a Hop),
}

impl Wanted<'_> {
    /// Whether a version is what is asked about.
    pub fn is(self, version: &SoftwareVersion) -> bool {
        match self {
            Self::Release(wanted) => wanted == version,
            Self::Stop(hop) => hop.is_at(version),
        }
    }
}

impl Step<'_> {
    /// The version whose image the device is sent to; none where it is sent to none.
    pub fn version<'s>(&'s self, target: &'s SoftwareVersion) -> Option<&'s SoftwareVersion> {
        match self {
            Self::Stay { is_there: true } => Some(target),
            Self::Serve(version) | Self::Hop(version, _) => Some(version),
            _ => None,
        }
    }

    /// A word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Stay { .. } => "stay",
            Self::Serve(_) => "serve",
            Self::Hop(..) => "hop",
            Self::MissingHop(_) => "missing-hop",
            Self::NoWay(_) => "no-way",
            Self::MissingImage => "missing-image",
            Self::NoPart(_) => "no-part",
            Self::NeedsConsent => "needs-consent",
            Self::Withdrawn(_) => "withdrawn",
            Self::NotHeard => "not-heard",
        }
    }

    /// The step with its reason, in a sentence or two.
    pub fn told(&self, family: &str, target: &SoftwareVersion) -> String {
        match self {
            Self::Stay { is_there: true } => format!("It has {target}. It looks at the image at each boot and goes on."),
            Self::Stay { is_there: false } => format!("It has {target}. Its image is not here, which only matters for others."),
            Self::Serve(version) => format!("At its next boot or poll it takes {version} and restarts."),
            Self::Hop(version, hop) => {
                format!("It takes {version} first, and {target} after that: {} Other images are refused until then.", hop.why)
            }
            Self::MissingHop(hop) => {
                format!("It keeps what it has: it must take {} first, and that image is not here. {}", hop.via, hop.why)
            }
            Self::NoWay(hop) => format!(
                "It keeps what it has: it can only go over {}, which is later than {target}. {} Choose {} or a later version.",
                hop.via, hop.why, hop.via
            ),
            Self::MissingImage => {
                format!("Couldn't find software image {family} {target}. It keeps what it has until the image is uploaded.")
            }
            Self::NoPart(version) => {
                format!("It keeps what it has: the image {family} {version} has no file for its part number.")
            }
            Self::NeedsConsent => format!("It keeps what it has: {target} is older, and nobody has allowed that yet."),
            Self::Withdrawn(version) => format!(
                "It took all of {version} three times and kept its software, so the image is withdrawn from it. {HINT_OF_A_FAILED_HOP}"
            ),
            Self::NotHeard => {
                "It keeps what it has: it has not told its version yet, and there may be a stop on its way.".to_owned()
            }
        }
    }
}

/// What to do where a step fails again and again (R393).
pub const HINT_OF_A_FAILED_HOP: &str =
    "On the phone's own web page, Utilities > Software Upgrade, choose that very version; then press Try again.";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ladder::Confidence;
    use super::*;
    use crate::domain::testing::property_config;

    fn version(text: &str) -> SoftwareVersion {
        text.parse().expect("a version")
    }

    fn hop(from: Option<&str>, below: &str, to: &str, via: &str) -> Hop {
        Hop {
            families: vec!["VVX".to_owned()],
            from: from.map(version),
            below: version(below),
            updater_below: None,
            to: version(to),
            via: version(via),
            exact: true,
            why: "New container.".to_owned(),
            confidence: Confidence::Sure,
            source: "a test".to_owned(),
        }
    }

    fn ladder() -> Ladder {
        Ladder::new(vec![hop(Some("5.4.0"), "5.7.3.1797", "5.8.0", "5.7.3.1797")]).expect("a way")
    }

    fn traveller(installed: &SoftwareVersion) -> Traveller<'_> {
        Traveller { family: "VVX", installed: Some(installed), updater: None, downgrade_to: None }
    }

    fn among<'a>(images: &'a [SoftwareVersion]) -> impl Fn(Wanted<'_>) -> Held + 'a {
        |wanted| images.iter().rfind(|one| wanted.is(one)).map_or(Held::Absent, |one| Held::Whole(one.clone()))
    }

    fn step<'l>(ladder: &'l Ladder, installed: &str, target: &str, images: &[&str]) -> Step<'l> {
        let images: Vec<_> = images.iter().map(|one| version(one)).collect();
        next_step(&traveller(&version(installed)), &version(target), ladder, among(&images), |_| false)
    }

    #[test]
    fn a_stop_comes_first_and_where_its_image_is_missing_nothing_else_is_taken() {
        let ladder = ladder();
        let (to, stop) = ("5.9.8.5760", "5.7.3.1797");
        assert!(matches!(step(&ladder, "5.5.2.8571", to, &[stop, to]), Step::Hop(version, _) if version.as_str() == stop));
        assert!(matches!(step(&ladder, "5.5.2.8571", to, &[to, "5.7.2.1"]), Step::MissingHop(_)), "no other one will do");
        assert_eq!(step(&ladder, stop, to, &[stop, to]), Step::Serve(version(to)));
        assert_eq!(step(&ladder, to, to, &[stop, to]), Step::Stay { is_there: true });
        assert_eq!(step(&ladder, "5.5.2.8571", stop, &[stop]), Step::Serve(version(stop)), "the stop is where it goes");
        assert_eq!(step(&ladder, "5.5.2.8571", "5.6.0.17325", &["5.6.0.17325"]), Step::Serve(version("5.6.0.17325")));
        assert_eq!(step(&ladder, "5.9.7.4477", "5.9.8.5760", &[]), Step::MissingImage);
    }

    #[test]
    fn nobody_goes_back_without_consent_and_a_short_version_means_every_release_of_it() {
        let (ladder, installed, older) = (ladder(), version("5.9.8.5760"), version("5.9.7.4477"));
        let images = [older.clone()];
        assert_eq!(step(&ladder, "5.9.8.5760", "5.9.7.4477", &["5.9.7.4477"]), Step::NeedsConsent);
        let allowed = Traveller { downgrade_to: Some(&older), ..traveller(&installed) };
        assert_eq!(next_step(&allowed, &older, &ladder, among(&images), |_| false), Step::Serve(older.clone()));
        let other = version("5.9.6.1");
        let allowed = Traveller { downgrade_to: Some(&other), ..traveller(&installed) };
        assert_eq!(next_step(&allowed, &older, &ladder, among(&images), |_| false), Step::NeedsConsent);
        assert_eq!(step(&ladder, "5.9.8.5760", "5.9.8", &["5.9.8"]), Step::Stay { is_there: true });
    }

    #[test]
    fn a_version_that_was_not_told_waits_where_there_are_stops_and_a_withdrawn_image_is_kept_back() {
        let (ladder, target) = (ladder(), version("5.9.8.5760"));
        let unheard = |family| Traveller { family, installed: None, updater: None, downgrade_to: None };
        let images = [target.clone()];
        assert_eq!(next_step(&unheard("VVX"), &target, &ladder, among(&images), |_| false), Step::NotHeard);
        assert_eq!(next_step(&unheard("CCX"), &target, &ladder, among(&images), |_| false), Step::Serve(target.clone()));
        let installed = version("5.9.7.4477");
        let told = next_step(&traveller(&installed), &target, &ladder, among(&images), |_| true);
        assert_eq!((told.version(&target), told.word()), (None, "withdrawn"));
        assert!(told.told("VVX", &target).contains("Software Upgrade"), "R393");
    }

    #[test]
    fn a_version_before_its_stop_cannot_be_reached() {
        let ladder = Ladder::new(vec![hop(None, "4.0.0", "4.0.0", "5.9.4.3247")]).expect("a way");
        assert!(matches!(step(&ladder, "3.3.1.0933", "5.8.0.1", &["5.8.0.1", "5.9.4.3247"]), Step::NoWay(_)));
    }

    #[test]
    fn a_boot_rom_is_brought_by_a_stop_of_its_own() {
        let rom = Hop { updater_below: Some(version("4.4.0")), exact: false, ..hop(None, "3.3.0", "4.0.0", "4.4.0") };
        let ladder = Ladder::new(vec![rom, hop(None, "4.0.0", "4.0.0", "4.0.15.1047")]).expect("a way");
        let (installed, old, new, target) =
            (version("3.2.7.0198"), version("4.2.1.0275"), version("4.4.0.0423"), version("4.0.15.1047"));
        let images = [new.clone(), target.clone()];
        let at = |updater| Traveller { updater, ..traveller(&installed) };
        for early in [Some(&old), None] {
            let told = next_step(&at(early), &target, &ladder, among(&images), |_| false);
            assert_eq!(told.version(&target), Some(&new), "{early:?}");
        }
        assert_eq!(next_step(&at(Some(&new)), &target, &ladder, among(&images), |_| false), Step::Serve(target));
    }

    #[test]
    fn a_hop_that_would_be_made_again_is_no_hop() {
        assert!(Ladder::new(vec![hop(None, "5.8.0", "5.9.0", "5.7.3.1797")]).is_err());
    }

    fn some_version() -> impl Strategy<Value = SoftwareVersion> {
        (0..4_u32, 0..4_u32).prop_map(|(major, minor)| version(&format!("{major}.{minor}")))
    }

    fn some_ladder() -> impl Strategy<Value = Ladder> {
        let one = (prop::option::of(some_version()), some_version(), some_version(), some_version());
        prop::collection::vec(one, 0..4).prop_map(|hops| {
            let made = hops.into_iter().map(|(from, below, to, via)| Hop {
                from,
                below: below.clone().min(via.clone()),
                to,
                via,
                ..hop(None, "1.0", "1.0", "1.0")
            });
            Ladder::new(made.collect()).expect("no stop concerns those that made it")
        })
    }

    proptest! {
        #![proptest_config(property_config())]

        /// Whoever takes every step arrives or stops at a reason: never in a circle, never back, and never past a stop that concerns him.
        #[test]
        fn the_way_only_leads_up_and_leaves_no_stop_out(
            ladder in some_ladder(),
            from in some_version(),
            target in some_version(),
            images in prop::collection::vec(some_version(), 0..8),
        ) {
            let mut at = from;
            for _ in 0..20 {
                let told = next_step(&traveller(&at), &target, &ladder, among(&images), |_| false);
                let Some(next) = told.version(&target).filter(|_| !matches!(told, Step::Stay { .. })) else { return Ok(()) };
                prop_assert!(*next > at, "{at} -> {next}");
                prop_assert!(*next <= target, "{next} is beyond {target}");
                prop_assert!(images.contains(next));
                if let Some(stop) = ladder.hop("VVX", &at, None, &target) {
                    prop_assert!(stop.is_at(next), "{at} -> {next} leaves out {}", stop.via);
                }
                at = next.clone();
            }
            prop_assert!(false, "no end");
        }
    }
}
