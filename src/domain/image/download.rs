//! What came of a phone's request for software: checked, broken off, or taken whole (protocol/provisioning.md 4.4).

use crate::domain::run::{Percent, Reason};

/// Bytes up to which a phone that hangs up has only looked at the header: that is in the first kilobytes, and what is on the way by
/// then is what the buffers of both sides hold.
pub const CHECKED_BYTES: u64 = 4 * 1024 * 1024;
/// From how much on a download counts as whole, in percent.
pub const WHOLE_PERCENT: u64 = 95;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It looked at the header and hung up: it has this software, or does not want it.
    Checked,
    /// The connection ended on the way.
    BrokenOff(Percent),
    /// It has it.
    Whole,
}

impl Outcome {
    /// Of a download that ended at a place of a file, having begun at another.
    pub fn of(from: u64, ended_at: u64, size_bytes: u64) -> Self {
        if u128::from(ended_at) * 100 >= u128::from(size_bytes) * u128::from(WHOLE_PERCENT) {
            return Self::Whole;
        }
        // A phone that goes on with a download has looked at the header before.
        if from == 0 && ended_at <= CHECKED_BYTES {
            return Self::Checked;
        }
        Self::BrokenOff(Percent::of(ended_at, size_bytes))
    }

    /// As a run tells it.
    pub fn reason(self) -> Reason {
        match self {
            Self::Checked => Reason::SoftwareChecked,
            Self::BrokenOff(percent) => Reason::SoftwareBrokenOff(percent),
            Self::Whole => Reason::SoftwareTaken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 40_000_000;

    #[test]
    fn a_phone_that_hangs_up_after_the_header_has_checked_and_one_that_took_95_percent_has_it() {
        assert_eq!(Outcome::of(0, 0, SIZE), Outcome::Checked);
        assert_eq!(Outcome::of(0, 65_536, SIZE), Outcome::Checked);
        assert_eq!(Outcome::of(0, CHECKED_BYTES + 1, SIZE), Outcome::BrokenOff(Percent::of(CHECKED_BYTES + 1, SIZE)));
        assert_eq!(Outcome::of(0, SIZE / 100 * 95 - 1, SIZE), Outcome::BrokenOff(Percent::of(94, 100)));
        assert_eq!(Outcome::of(0, SIZE / 100 * 95, SIZE), Outcome::Whole);
        assert_eq!(Outcome::of(0, SIZE, SIZE), Outcome::Whole);
    }

    #[test]
    fn a_piece_counts_by_where_it_ends() {
        assert_eq!(Outcome::of(SIZE / 2, SIZE, SIZE), Outcome::Whole);
        assert_eq!(Outcome::of(1_000, 2_000, SIZE), Outcome::BrokenOff(Percent::of(0, 100)));
        assert_eq!(Outcome::of(0, 10, 10), Outcome::Whole, "a small file is taken at once");
    }
}
