//! An ordered list of profiles at one place, as Profile Deployment and the Profiles tab of a device show and change it
//! (R148, R152, R237). Every order can be made with buttons or typed; dragging only saves presses.

use std::str::FromStr;

use actix_web::web;

use super::conflict::{self, Conflict, Differing};
use super::failure::Failure;
use super::forms::Form;
use super::session::SignedIn;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::deployment::{self, Target};
use crate::services::error::ServiceError;
use crate::web::blocking;

/// The list with everything to change it: what `_attached.html` needs.
pub struct Attached {
    /// Heading.
    pub title: &'static str,
    /// Where its forms go.
    pub action: String,
    /// The list as it is shown, for [`Shown::parse`].
    pub shown: String,
    /// Its profiles, strongest first.
    pub rows: Vec<AttachedRow>,
    /// What else could be attached: id and name.
    pub choices: Vec<(String, String)>,
    /// Standard profiles that could be: id, name, and whether one must be copied first.
    pub standard: Vec<(String, String, bool)>,
    /// What phones will make of these profiles that may not be meant.
    pub warnings: Vec<String>,
}

/// One profile of the list.
pub struct AttachedRow {
    /// Key.
    pub id: ProfileId,
    /// Name.
    pub name: String,
    /// How much it says.
    pub note: String,
}

impl Attached {
    /// The list of a place.
    pub fn new(title: &'static str, action: String, list: &[ProfileId], world: &World) -> Self {
        let row = |id: &ProfileId| {
            let profile = world.profile(*id)?;
            let note = super::words::count(profile.parameters.len(), "parameter", "parameters");
            Some(AttachedRow { id: *id, name: profile.name.to_string(), note })
        };
        let others = world.profiles.values().filter(|profile| !list.contains(&profile.id));
        let mut choices: Vec<_> = others.map(|profile| (profile.id.to_string(), profile.name.to_string())).collect();
        choices.sort_by_key(|(_, name)| name.to_lowercase());
        let standard = world.standard.iter().map(|standard| &standard.profile).filter(|profile| !list.contains(&profile.id));
        let mut standard: Vec<_> =
            standard.map(|profile| (profile.id.to_string(), profile.name.to_string(), profile.is_template())).collect();
        standard.sort_by_key(|(_, name, _)| name.to_lowercase());
        let warnings = deployment::warnings(world, list).iter().map(ToString::to_string).collect();
        Self { title, action, shown: written(list), rows: list.iter().filter_map(row).collect(), choices, standard, warnings }
    }
}

/// What came of a form of the list.
pub enum Outcome {
    /// It is done; the message says what.
    Done(&'static str),
    /// A field breaks a rule.
    Rejected(Form),
    /// Somebody else changed the list since it was shown: both lists by name, and the form with what was chosen.
    Conflict(Conflict, Form),
}

/// Does what a form of `_attached.html` asks for, if the list is still the one that was shown.
///
/// # Errors
/// What the service cannot do.
pub async fn save(services: &web::Data<Services>, who: &SignedIn, target: Target, form: Form) -> Result<Outcome, Failure> {
    let order = match read(&form) {
        Ok(order) => order,
        Err(errors) => return Ok(Outcome::Rejected(form.rejected(&errors))),
    };
    let (actor, place, Order { shown, wanted, done }) = (who.actor.clone(), target.clone(), order.clone());
    let set =
        move |services: &Services| deployment::set(services, &actor, DEFAULT_ACCOUNT, &place, Some(&shown), wanted, Mode::Keep);
    match blocking::call(services, set).await {
        Ok(_) => Ok(Outcome::Done(done)),
        Err(ServiceError::Invalid(errors)) => Ok(Outcome::Rejected(form.rejected(&errors))),
        Err(ServiceError::Conflict(_)) => {
            let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
            let now = deployment::of(services, DEFAULT_ACCOUNT, &target).map_err(Failure::of(who))?;
            let names = |list: &[ProfileId]| {
                let name = |id: &ProfileId| world.profile(*id).map(|profile| profile.name.to_string());
                list.iter().filter_map(name).collect::<Vec<_>>().join(", ")
            };
            let list =
                Differing { label: "Profiles, strongest first".to_owned(), stored: names(&now), typed: names(&order.wanted) };
            let conflict = match &target {
                Target::Device(key) => {
                    Conflict::new(services, who, DEFAULT_ACCOUNT, 1, conflict::of_device("deployment", key), vec![list]).await?
                }
                Target::Place(_) => {
                    Conflict::new(services, who, DEFAULT_ACCOUNT, 1, conflict::of("deployment", "Global"), vec![list]).await?
                }
            };
            Ok(Outcome::Conflict(conflict, form))
        }
        Err(error) => Err(Failure::new(who, error)),
    }
}

/// A list as a hidden field carries it.
fn written(list: &[ProfileId]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// What a form asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The list that the person saw.
    pub shown: Vec<ProfileId>,
    /// The list as it is to be.
    pub wanted: Vec<ProfileId>,
    /// What is done, in words for the message.
    pub done: &'static str,
}

/// Reads what a form of `_attached.html` asks for.
///
/// # Errors
/// The rule that a field breaks.
pub fn read(form: &Form) -> Result<Order, FieldErrors> {
    let shown: Vec<ProfileId> = form.value("shown").split(',').filter_map(|text| text.parse().ok()).collect();
    let (verb, id) = form.value("do").split_once('-').unwrap_or((form.value("do"), ""));
    let (wanted, done) = match (verb, ProfileId::from_str(id)) {
        ("top", Ok(id)) => (moved(&shown, id, |_| 0), "Moved to the top."),
        ("up", Ok(id)) => (moved(&shown, id, |at| at.saturating_sub(1)), "Moved up."),
        ("down", Ok(id)) => (moved(&shown, id, |at| at + 1), "Moved down."),
        ("remove", Ok(id)) => (shown.iter().copied().filter(|one| *one != id).collect(), "Removed."),
        ("attach", _) => (with_attached(&shown, form)?, "Added."),
        ("order", _) => (in_typed_order(&shown, form)?, "Order saved."),
        _ => return Err(FieldErrors::one("do", "press one of the buttons of this page")),
    };
    Ok(Order { shown, wanted, done })
}

/// The list with one profile at another place; the others keep their order.
fn moved(list: &[ProfileId], id: ProfileId, to: impl Fn(usize) -> usize) -> Vec<ProfileId> {
    let mut list = list.to_vec();
    if let Some(at) = list.iter().position(|one| *one == id) {
        let profile = list.remove(at);
        list.insert(to(at).min(list.len()), profile);
    }
    list
}

fn with_attached(shown: &[ProfileId], form: &Form) -> Result<Vec<ProfileId>, FieldErrors> {
    let id: ProfileId = form.value("profile").parse().map_err(|_| FieldErrors::one("profile", "choose a profile to add"))?;
    let mut list: Vec<_> = shown.iter().copied().filter(|one| *one != id).collect();
    let at = if form.value("where") == "bottom" { list.len() } else { 0 };
    list.insert(at, id);
    Ok(list)
}

/// The list in the order of the typed positions. Whoever was given another position than the one shown goes before those that
/// have this position anyway: typing 1 puts a profile on top.
fn in_typed_order(shown: &[ProfileId], form: &Form) -> Result<Vec<ProfileId>, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut keyed = Vec::with_capacity(shown.len());
    for (at, id) in shown.iter().enumerate() {
        let now = at + 1;
        match form.text(&format!("place-{id}")).map_or(Ok(now), str::parse::<usize>) {
            // Moving down, it comes to stand behind the one that it takes the place of.
            Ok(typed) if typed > now => keyed.push(((typed, 2), *id)),
            Ok(typed) if typed < now => keyed.push(((typed, 0), *id)),
            Ok(typed) => keyed.push(((typed, 1), *id)),
            Err(_) => errors.add("order", format!("a position is a number from 1 to {}", shown.len())),
        }
    }
    keyed.sort_by_key(|(key, _)| *key);
    errors.into_result(Some(keyed.into_iter().map(|(_, id)| id).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &[u64]) -> Vec<ProfileId> {
        list.iter().copied().map(ProfileId).collect()
    }

    fn wanted(fields: &[(&str, &str)]) -> Vec<ProfileId> {
        let form = Form::filled([("shown", "5,6,7")].into_iter().chain(fields.iter().copied()));
        read(&form).expect("a good form").wanted
    }

    #[test]
    fn buttons_and_typed_positions_give_the_same_order() {
        for fields in [[("do", "top-7"), ("x", "")], [("do", "order"), ("place-7", "1")]] {
            assert_eq!(wanted(&fields), ids(&[7, 5, 6]));
        }
        for fields in [[("do", "down-5"), ("x", "")], [("do", "order"), ("place-5", "2")], [("do", "order"), ("place-6", "1")]] {
            assert_eq!(wanted(&fields), ids(&[6, 5, 7]), "{fields:?}");
        }
        assert_eq!(wanted(&[("do", "up-5")]), ids(&[5, 6, 7]));
        assert_eq!(wanted(&[("do", "down-7")]), ids(&[5, 6, 7]));
        assert_eq!(wanted(&[("do", "order"), ("place-5", "3"), ("place-6", "2"), ("place-7", "1")]), ids(&[7, 6, 5]));
    }

    #[test]
    fn profiles_are_attached_at_either_end_and_removed() {
        assert_eq!(wanted(&[("do", "attach"), ("profile", "9"), ("where", "top")]), ids(&[9, 5, 6, 7]));
        assert_eq!(wanted(&[("do", "attach"), ("profile", "9"), ("where", "bottom")]), ids(&[5, 6, 7, 9]));
        assert_eq!(wanted(&[("do", "remove-6")]), ids(&[5, 7]));
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let form = |fields: &[(&str, &str)]| read(&Form::filled(fields.iter().copied()));
        assert!(form(&[("shown", "5"), ("do", "attach"), ("profile", "")]).is_err());
        assert!(form(&[("shown", "5"), ("do", "order"), ("place-5", "first")]).is_err());
        assert!(form(&[("shown", "5"), ("do", "explode-5")]).is_err());
    }
}
