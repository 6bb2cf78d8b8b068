//! Key files of software licences: one for each image that takes one, a new one in place of the former (R338, R339).

use super::find;
use super::taking::name_of;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, ImageId};
use crate::domain::image::{Image, License};
use crate::domain::limits::LICENSE_BYTES;
use crate::domain::run::clean;
use crate::services::Services;
use crate::services::commit::{Mode, perform};
use crate::services::error::ServiceError;

/// Where the key file of an image is sealed.
pub(in crate::services) fn place(account: AccountId, id: ImageId) -> String {
    format!("account {account}, licence of image {id}")
}

/// Takes a key file for an image, in place of the former one.
///
/// # Errors
/// Of `file`, for what is no text; [`ServiceError::NotFound`].
pub fn put(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: ImageId,
    (file, content): (&str, &[u8]),
    mode: Mode,
) -> Result<Image, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    let text = text_of(content)?;
    let file = clean(file.rsplit(['/', '\\']).next().unwrap_or_default(), 80);
    perform(services, mode, grant, account, |change| {
        let image = find(&*services.world(account)?, id)?;
        let sealed = services.secrets.seal(&place(account, id), text);
        let (by, at) = (change.actor().to_owned(), change.now());
        let license = License { file, size_bytes: content.len(), sealed, by, at };
        let former = image.license.as_ref().map(|license| license.file.clone());
        let event = Event::new("software licence", name_of(&image), if former.is_some() { "replaced" } else { "uploaded" });
        change.record(event.change("file", former, Some(license.file.clone())))?;
        let image = Image { license: Some(license), ..Image::clone(&image) };
        change.put_image(image.clone())?;
        Ok(image)
    })
}

fn text_of(content: &[u8]) -> Result<&str, FieldErrors> {
    let wrong = |why: String| FieldErrors::one("file", why);
    if content.len() > LICENSE_BYTES {
        return Err(wrong(format!("a key file has at most {} KiB; this one has more", LICENSE_BYTES / 1024)));
    }
    let text = std::str::from_utf8(content).ok().filter(|text| !text.contains('\0') && !text.trim().is_empty());
    text.ok_or_else(|| wrong("a key file is a text with at least one key in it (.txt); this is none".to_owned()))
}

/// The content of a key file in clear: noted, and for those alone who may see secrets.
///
/// # Errors
/// [`ServiceError::NotFound`], also of the licence.
pub fn reveal(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    id: ImageId,
    mode: Mode,
) -> Result<(String, String), ServiceError> {
    let grant = authorize(actor, Action::Reveal(account))?;
    let image = find(&*services.world(account)?, id)?;
    let license = image.license.as_ref().ok_or_else(|| ServiceError::not_found("software licence", name_of(&image)))?;
    let text = services.secrets.open_text(&place(account, id), &license.sealed)?;
    perform(services, mode, grant, account, |change| change.record(Event::new("software licence", name_of(&image), "shown")))?;
    Ok((license.file.clone(), text))
}

/// Removes the key file of an image.
///
/// # Errors
/// [`ServiceError::NotFound`], also where there is none.
pub fn delete(services: &Services, actor: &Actor, account: AccountId, id: ImageId, mode: Mode) -> Result<Image, ServiceError> {
    let grant = authorize(actor, Action::EditProfiles(account))?;
    perform(services, mode, grant, account, |change| {
        let image = find(&*services.world(account)?, id)?;
        let former = image.license.as_ref().map(|license| license.file.clone());
        let former = former.ok_or_else(|| ServiceError::not_found("software licence", name_of(&image)))?;
        change.record(Event::new("software licence", name_of(&image), "deleted").change("file", Some(former), None))?;
        let image = Image { license: None, ..Image::clone(&image) };
        change.put_image(image.clone())?;
        Ok(image)
    })
}
