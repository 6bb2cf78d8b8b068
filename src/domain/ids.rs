//! One newtype for each kind of object, so that an identifier of one kind can never stand in for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// An account: the owner of every other object (contract 1).
    AccountId,
    u32
);
id!(
    /// A person who signs in to the admin pages.
    UserId,
    u64
);
id!(
    /// An API token.
    TokenId,
    u64
);
id!(
    /// A configuration profile.
    ProfileId,
    u64
);
id!(
    /// A site (R70).
    SiteId,
    u64
);
id!(
    /// A device group (R97).
    GroupId,
    u64
);
id!(
    /// A person who owns devices (R156).
    PersonId,
    u64
);
id!(
    /// A group of people (R156).
    PersonGroupId,
    u64
);
id!(
    /// A room that devices stand in (R37, R156).
    RoomId,
    u64
);

id!(
    /// A saved view of a list.
    ViewId,
    u64
);
id!(
    /// An image: one release of software.
    ImageId,
    u64
);
id!(
    /// An uploaded schema of an account.
    SchemaId,
    u64
);

id!(
    /// A resource file (R215).
    ResourceId,
    u64
);

id!(
    /// One act of deleting, with everything that went by it (`domain/recycle_bin.rs`).
    DeletionId,
    u64
);

/// The account that exists from the start and is all that most installations ever see.
pub const DEFAULT_ACCOUNT: AccountId = AccountId(1);

/// The label of [`DEFAULT_ACCOUNT`] in addresses and in the API.
pub const DEFAULT_ACCOUNT_LABEL: &str = "default";
