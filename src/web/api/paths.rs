//! What stands in the paths of the API.

use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::Problem;
use crate::domain::device::DeviceKey;
use crate::domain::ids::{GroupId, ProfileId, ResourceId, SiteId};

/// Something of an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AccountPath {
    /// Label of the account; [`super::caller::Caller`] reads it.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
}

/// A device of an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DevicePath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// MAC or serial number.
    #[param(example = "0004f2abcdef")]
    key: String,
}

impl DevicePath {
    /// The device. What is no key at all names no device.
    pub fn key(&self) -> Result<DeviceKey, Problem> {
        self.key.parse().map_err(|_| Problem::not_found("device", &self.key))
    }
}

/// A profile of an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProfilePath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Number of the profile.
    #[param(value_type = u64)]
    id: String,
}

impl ProfilePath {
    /// The profile. What is no number names no profile.
    pub fn id(&self) -> Result<ProfileId, Problem> {
        self.id.parse().map_err(|_| Problem::not_found("profile", &self.id))
    }
}

/// A site of an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SitePath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Number of the site; 1 is *Internet*.
    #[param(value_type = u64)]
    id: String,
}

impl SitePath {
    /// The site. What is no number names no site.
    pub fn id(&self) -> Result<SiteId, Problem> {
        self.id.parse().map_err(|_| Problem::not_found("site", &self.id))
    }
}

/// A device group of an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct GroupPath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Number of the device group.
    #[param(value_type = u64)]
    id: String,
}

impl GroupPath {
    /// The group. What is no number names no group.
    pub fn id(&self) -> Result<GroupId, Problem> {
        self.id.parse().map_err(|_| Problem::not_found("device group", &self.id))
    }
}

/// A resource file of an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ResourcePath {
    /// Label of the account.
    #[param(example = "default")]
    #[expect(dead_code, reason = "the caller extractor reads it; here it is for the description")]
    account: String,
    /// Number of the resource file.
    #[param(value_type = u64)]
    id: String,
}

impl ResourcePath {
    /// The file. What is no number names none.
    pub fn id(&self) -> Result<ResourceId, Problem> {
        self.id.parse().map_err(|_| Problem::not_found("resource file", &self.id))
    }
}
