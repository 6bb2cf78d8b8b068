//! How much software an account may hold (R42).

use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::AccountId;
use crate::domain::image::ImageLimits;
use crate::domain::limits::{IMAGES_MOST, PACKAGE_BYTES_MOST};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::{Mode, perform};
use crate::services::error::ServiceError;

/// Megabytes in the numbers that people type.
const MEGABYTE: u64 = 1_000_000;

/// How much there is, and may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Images.
    pub images: usize,
    /// Bytes of all their files, and of the packages that are kept beside them.
    pub bytes: u64,
    /// What is allowed.
    pub limits: ImageLimits,
}

/// The numbers as they are typed: images, and megabytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitsInput {
    /// Images.
    pub images: String,
    /// Megabytes of all images.
    pub megabytes: String,
    /// Megabytes of one package.
    pub package_megabytes: String,
}

impl Usage {
    /// Of an account.
    pub fn of(world: &World) -> Self {
        Self {
            images: world.images.len(),
            bytes: world.images.values().map(|image| image.disk_bytes()).sum(),
            limits: world.account.image_limits,
        }
    }
}

impl LimitsInput {
    /// Checks the numbers; `keep_packages` is decided elsewhere.
    ///
    /// # Errors
    /// Of `images`, `megabytes` and `package_megabytes`.
    pub fn parse(&self, keep_packages: bool) -> Result<ImageLimits, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut number = |field: &'static str, text: &str, most: u64| {
            let number = text.trim().parse::<u64>().ok().filter(|number| (1..=most).contains(number));
            errors.take(field, number.ok_or_else(|| format!("a whole number from 1 to {most}")))
        };
        let images = number("images", &self.images, IMAGES_MOST as u64);
        let megabytes = number("megabytes", &self.megabytes, 10_000_000);
        let package = number("package_megabytes", &self.package_megabytes, PACKAGE_BYTES_MOST / MEGABYTE);
        let limits = images.zip(megabytes).zip(package).map(|((images, megabytes), package)| ImageLimits {
            images: usize::try_from(images).unwrap_or(IMAGES_MOST),
            bytes: megabytes * MEGABYTE,
            package_bytes: package * MEGABYTE,
            keep_packages,
        });
        errors.into_result(limits)
    }
}

impl From<ImageLimits> for LimitsInput {
    fn from(limits: ImageLimits) -> Self {
        Self {
            images: limits.images.to_string(),
            megabytes: (limits.bytes / MEGABYTE).to_string(),
            package_megabytes: (limits.package_bytes / MEGABYTE).to_string(),
        }
    }
}

/// Sets what is allowed. What is there already stays.
///
/// # Errors
/// [`ServiceError::Denied`] for all but owners.
pub fn set(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    limits: ImageLimits,
    mode: Mode,
) -> Result<ImageLimits, ServiceError> {
    let grant = authorize(actor, Action::EditServer)?;
    perform(services, mode, grant, account, |change| {
        let mut settings = change.settings()?;
        let old = settings.image_limits;
        if old == limits {
            change.leave_as_is();
            return Ok(limits);
        }
        settings.image_limits = limits;
        settings.revision += 1;
        let text = |number: u64| Some(number.to_string());
        let yes = |is: bool| Some(if is { "yes" } else { "no" }.to_owned());
        let event = Event::new("software", "limits", "changed")
            .change("images", Some(old.images.to_string()), Some(limits.images.to_string()))
            .change("bytes", text(old.bytes), text(limits.bytes))
            .change("bytes of a package", text(old.package_bytes), text(limits.package_bytes))
            .change("packages are kept", yes(old.keep_packages), yes(limits.keep_packages));
        change.record(event)?;
        change.put_account(settings)?;
        Ok(limits)
    })
}

/// Says whether packages are kept as they are uploaded. What is kept already stays.
///
/// # Errors
/// [`ServiceError::Denied`] for all but owners.
pub fn keep_packages(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    keep_packages: bool,
    mode: Mode,
) -> Result<ImageLimits, ServiceError> {
    let limits = ImageLimits { keep_packages, ..services.world(account)?.account.image_limits };
    set(services, actor, account, limits, mode)
}
