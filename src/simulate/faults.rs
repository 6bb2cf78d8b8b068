//! What can go wrong on the way, on purpose.

use std::str::FromStr;

use super::connection::Sending;

/// One fault of a run. Requests are counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is gone when this request should be sent.
    Cut(usize),
    /// Half of this request is sent, then the connection is gone.
    Half(usize),
    /// The answer to this request is not waited for.
    HangUp(usize),
    /// This request is sent in small pieces.
    Slow(usize),
    /// The power fails in the middle of the first image that it fetches: nothing of that is left, and the phone asks for nothing more.
    PowerCut,
    /// The password is wrong.
    WrongPassword,
    /// The phone does not know the server's certificate authority.
    UnknownAuthority,
    /// The phone has no time and believes it is 1999.
    NoClock,
}

/// Why a fault was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{0}” is no fault; choose of cut@N, half@N, hang-up@N, slow@N with the number of a request from 1 on, \
     power-cut, wrong-password, unknown-authority, no-clock"
)]
pub struct UnknownFault(String);

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let unknown = || UnknownFault(text.to_owned());
        let (name, number) = text.trim().split_once('@').map_or((text.trim(), None), |(name, number)| (name, Some(number)));
        let number = number.map(|number| number.parse::<usize>().ok().filter(|n| *n > 0).ok_or_else(unknown)).transpose()?;
        match (name, number) {
            ("cut", Some(n)) => Ok(Self::Cut(n)),
            ("half", Some(n)) => Ok(Self::Half(n)),
            ("hang-up", Some(n)) => Ok(Self::HangUp(n)),
            ("slow", Some(n)) => Ok(Self::Slow(n)),
            ("power-cut", None) => Ok(Self::PowerCut),
            ("wrong-password", None) => Ok(Self::WrongPassword),
            ("unknown-authority", None) => Ok(Self::UnknownAuthority),
            ("no-clock", None) => Ok(Self::NoClock),
            _ => Err(unknown()),
        }
    }
}

impl Fault {
    /// Whether this request of a run never reaches the server.
    pub fn cuts(self, request: usize) -> bool {
        self == Self::Cut(request)
    }

    /// Whether the answer to this request is not waited for.
    pub fn hangs_up(self, request: usize) -> bool {
        self == Self::HangUp(request) || self == Self::Half(request)
    }

    /// How this request of a run is sent.
    pub fn sending(self, request: usize) -> Sending {
        match self {
            Self::Half(n) if n == request => Sending::Half,
            Self::Slow(n) if n == request => Sending::Slowly,
            _ => Sending::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_the_command_line() {
        assert_eq!("cut@3".parse(), Ok(Fault::Cut(3)));
        assert_eq!("power-cut".parse(), Ok(Fault::PowerCut));
        assert_eq!("wrong-password".parse(), Ok(Fault::WrongPassword));
        for text in ["cut", "cut@0", "cut@x", "no-clock@3", "fire"] {
            assert_eq!(text.parse::<Fault>(), Err(UnknownFault(text.to_owned())));
        }
    }
}
