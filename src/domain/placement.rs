//! When a device moves to another site: not at the first request from elsewhere, and never out of all sites by itself (contract 5.6).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::SiteId;
use super::limits::MOVE_MINUTES;
use super::site::INTERNET;

/// Runs of a device from elsewhere than its site. Nothing while it comes from there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Placement(Option<Elsewhere>);

/// Another site that a device came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// The site.
    pub site: SiteId,
    /// Begin of the first run that came from there.
    pub since: Timestamp,
    /// Begin of the run that would have moved the device, had the site not been *Internet*: somebody has to say yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<Timestamp>,
}

impl Placement {
    /// Takes in where a run of a device came from that belongs to `present` and is not pinned. Answers the site that it belongs to from
    /// now on, where that is another one.
    pub fn ran(&mut self, present: SiteId, came_from: SiteId, began: Timestamp) -> Option<SiteId> {
        if came_from == present {
            self.0 = None;
            return None;
        }
        let elsewhere = self.0.get_or_insert(Elsewhere { site: came_from, since: began, waits_since: None });
        if elsewhere.site != came_from {
            *elsewhere = Elsewhere { site: came_from, since: began, waits_since: None };
        }
        if began.duration_since(elsewhere.since) < SignedDuration::from_mins(MOVE_MINUTES) {
            return None;
        }
        if came_from == INTERNET {
            elsewhere.waits_since.get_or_insert(began);
            return None;
        }
        self.0 = None;
        Some(came_from)
    }

    /// The move to *Internet* that waits for somebody's word.
    pub fn waiting(&self) -> Option<Elsewhere> {
        self.0.filter(|elsewhere| elsewhere.waits_since.is_some())
    }

    /// Somebody placed the device by hand, pinned it or said no: what it did before counts no more.
    pub fn settle(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICE: SiteId = SiteId(2);
    const BRANCH: SiteId = SiteId(3);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("a time")
    }

    /// The moves that runs make, each from a site at a minute.
    fn moves(runs: &[(SiteId, i64)]) -> (Vec<(i64, SiteId)>, Placement) {
        let (mut placement, mut present, mut moved) = (Placement::default(), OFFICE, Vec::new());
        for (site, minute) in runs {
            if let Some(to) = placement.ran(present, *site, at(*minute)) {
                present = to;
                moved.push((*minute, to));
            }
        }
        (moved, placement)
    }

    #[test]
    fn two_runs_half_an_hour_apart_move_a_device() {
        assert_eq!(moves(&[(BRANCH, 0), (BRANCH, 29)]).0, []);
        assert_eq!(moves(&[(BRANCH, 0), (BRANCH, 30)]).0, [(30, BRANCH)]);
        assert_eq!(moves(&[(BRANCH, 0), (BRANCH, 10), (BRANCH, 31)]).0, [(31, BRANCH)]);
    }

    #[test]
    fn a_run_from_its_own_or_a_third_site_starts_the_count_anew() {
        assert_eq!(moves(&[(BRANCH, 0), (OFFICE, 20), (BRANCH, 40)]).0, []);
        assert_eq!(moves(&[(BRANCH, 0), (SiteId(4), 20), (BRANCH, 40)]).0, []);
        assert_eq!(moves(&[(BRANCH, 0), (SiteId(4), 20), (SiteId(4), 50)]).0, [(50, SiteId(4))]);
    }

    #[test]
    fn a_move_to_internet_waits_until_somebody_says_yes_or_the_device_comes_back() {
        let (moved, placement) = moves(&[(INTERNET, 0), (INTERNET, 45), (INTERNET, 90)]);
        assert_eq!(moved, []);
        assert_eq!(placement.waiting().and_then(|move_| move_.waits_since), Some(at(45)));
        assert_eq!(moves(&[(INTERNET, 0), (INTERNET, 45), (OFFICE, 90)]).1, Placement::default());
        let mut placement = placement;
        placement.settle();
        assert_eq!(placement.waiting(), None);
    }

    #[test]
    fn from_internet_a_device_moves_as_from_everywhere() {
        let mut placement = Placement::default();
        assert_eq!(placement.ran(INTERNET, OFFICE, at(0)), None);
        assert_eq!(placement.ran(INTERNET, OFFICE, at(60)), Some(OFFICE));
    }

    #[test]
    fn a_clock_that_went_back_moves_nobody() {
        assert_eq!(moves(&[(BRANCH, 60), (BRANCH, 0)]).0, []);
    }
}
