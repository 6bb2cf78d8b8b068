//! What the second of two people sees who edit the same thing (R14): nothing of theirs is lost, nothing of the other's is
//! overwritten unseen. The page shows what the other one changed, what differs, and the typed text with the new revision.

use actix_web::web;

use super::failure::Failure;
use super::forms::Form;
use super::session::SignedIn;
use crate::domain::activity::{Activity, Event};
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;
use crate::services::Services;
use crate::services::activity;
use crate::web::blocking;

/// Changes of others that are shown; the Activity Log has them all.
const SHOWN: u64 = 5;

/// What `_conflict.html` shows.
pub struct Conflict {
    /// Fields whose stored value is not the typed one.
    pub differing: Vec<Differing>,
    /// What was changed since the form was opened, newest first.
    pub meanwhile: Vec<Activity>,
}

/// A field that somebody else saved while it was being edited here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// Label of the field.
    pub label: String,
    /// What is stored now.
    pub stored: String,
    /// What was typed here.
    pub typed: String,
}

impl Conflict {
    /// The conflict with the last `missed` changes that `is_about` picks from an account's log.
    ///
    /// # Errors
    /// The log could not be read.
    pub async fn new(
        services: &web::Data<Services>,
        who: &SignedIn,
        log: AccountId,
        missed: u64,
        is_about: impl FnMut(&Event) -> bool + Send + 'static,
        differing: Vec<Differing>,
    ) -> Result<Self, Failure> {
        let limit = usize::try_from(missed.clamp(1, SHOWN)).unwrap_or(1);
        let read = blocking::call(services, move |services| activity::last(services, log, limit, is_about));
        Ok(Self { meanwhile: read.await.map_err(Failure::of(who))?, differing })
    }
}

impl Differing {
    /// The fields whose stored value is not the typed one. `stored` has name, label and value of each.
    pub fn between(form: &Form, stored: impl IntoIterator<Item = (&'static str, &'static str, String)>) -> Vec<Self> {
        let differing = |(name, label, stored): (&'static str, &'static str, String)| {
            let typed = form.value(name).trim().replace("\r\n", "\n");
            (form.has(name) && typed != stored).then(|| Self { label: label.to_owned(), stored, typed })
        };
        stored.into_iter().filter_map(differing).collect()
    }
}

/// Picks the changes of a profile, also those under its former names.
pub fn of_profile(name: &str) -> impl FnMut(&Event) -> bool + Send + 'static {
    of_named("profile", name)
}

/// Picks the changes of an object of a kind that is told under its new name when it is renamed, also those under its former names.
pub fn of_named(object: &'static str, name: &str) -> impl FnMut(&Event) -> bool + Send + 'static {
    let mut name = name.to_owned();
    move |event| {
        let is_it = event.object == object && event.subject == name;
        let renamed = event.changes.iter().filter(|_| is_it).find(|change| change.field == "name");
        if let Some(former) = renamed.and_then(|change| change.old.clone()) {
            name = former;
        }
        is_it
    }
}

/// Picks the changes of a user, also under former names: the log tells a change under the name that the user had before.
pub fn of_user(name: &str) -> impl FnMut(&Event) -> bool + Send + 'static {
    let mut name = name.to_owned();
    move |event| {
        let renamed = event.changes.iter().find(|change| change.field == "name").and_then(|change| change.new.as_deref());
        let is_it = event.object == "user" && renamed.unwrap_or(&event.subject) == name;
        if is_it {
            name.clone_from(&event.subject);
        }
        is_it
    }
}

/// Picks the changes of a device, whatever its name was: of itself (`device`) or of its profiles (`deployment`).
pub fn of_device(object: &'static str, key: &DeviceKey) -> impl FnMut(&Event) -> bool + Send + 'static {
    let (alone, named) = (key.to_string(), format!("({key})"));
    move |event| event.object == object && (event.subject == alone || event.subject.ends_with(&named))
}

/// Picks the changes of an object of which there is one.
pub fn of(object: &'static str, subject: &str) -> impl FnMut(&Event) -> bool + Send + 'static {
    let subject = subject.to_owned();
    move |event| event.object == object && event.subject == subject
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(subject: &str, former: Option<&str>) -> Event {
        let event = Event::new("profile", subject, "changed");
        former.map_or(event.clone(), |former| event.change("name", Some(former.to_owned()), Some(subject.to_owned())))
    }

    #[test]
    fn a_renamed_profile_is_followed_back_and_another_one_of_its_name_is_not_taken_for_it() {
        let mut is_about = of_profile("C");
        let newest_first =
            [changed("C", None), changed("C", Some("B")), changed("C", None), changed("B", Some("A")), changed("A", None)];
        let picked: Vec<bool> = newest_first.iter().map(&mut is_about).collect();
        assert_eq!(picked, [true, true, false, true, true]);
    }

    #[test]
    fn a_renamed_user_is_followed_back_by_the_name_of_before() {
        let user = |subject: &str| Event::new("user", subject, "changed");
        let renamed = |old: &str, new: &str| user(old).change("name", Some(old.to_owned()), Some(new.to_owned()));
        let newest_first = [user("Cy"), renamed("Bob", "Cy"), user("Cy"), user("Bob"), renamed("Ann", "Bob")];
        let picked: Vec<bool> = newest_first.iter().map(of_user("Cy")).collect();
        assert_eq!(picked, [true, true, false, true, true]);
    }

    #[test]
    fn a_device_is_known_by_its_key_under_every_name() {
        let key: DeviceKey = "0004f2abcdef".parse().expect("a key");
        let mut is_about = of_device("device", &key);
        for (subject, expected) in
            [("0004f2abcdef", true), ("Hall (0004f2abcdef)", true), ("0004f2abcdee", false), ("Hall", false)]
        {
            assert_eq!(is_about(&Event::new("device", subject, "changed")), expected, "{subject}");
        }
        assert!(!is_about(&Event::new("deployment", "0004f2abcdef", "changed")));
    }
}
