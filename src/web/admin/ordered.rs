//! Ordered lists as pages show and change them: the profiles of a place, the groups of a device, the default groups (R102, R105,
//! R148). Every order can be made with buttons or typed; dragging only saves presses.
//!
//! What stands in a list and where it is kept is a [`List`]; a page holds a [`Tab`] in a field `tab`, includes `_ordered.html`, and
//! answers its forms by [`save`].

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web;

use super::choices::{self, Choices, OFFERED};
use super::conflict::{Conflict, Differing};
use super::failure::Failure;
use super::forms::Form;
use super::session::SignedIn;
use crate::domain::access::Actor;
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::names::folded;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::web::blocking;

/// What stands in an ordered list, and where it is kept. Its objects are known by their numbers.
pub trait List: Clone + Send + 'static {
    /// What is said around it.
    fn words(&self) -> &'static Words;

    /// The list as it is, strongest first.
    ///
    /// # Errors
    /// Whatever it belongs to is not there.
    fn present(&self, services: &Services) -> Result<Vec<u64>, ServiceError>;

    /// Sets it in place of the one that was shown.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] when that is no longer the list (R14); what may not stand in it.
    fn set(&self, services: &Services, actor: &Actor, shown: &[u64], wanted: Vec<u64>) -> Result<(), ServiceError>;

    /// One object; none where it is gone.
    fn item(&self, world: &World, id: u64) -> Option<Item>;

    /// Everything that may stand in it.
    fn choices(&self, world: &World) -> Vec<u64>;

    /// How one of them is offered.
    fn offer(&self, _: &World, _: u64) -> Offer {
        Offer::default()
    }

    /// What phones will make of the list that may not be meant.
    fn warnings(&self, _: &World, _: &[u64]) -> Vec<String> {
        Vec::new()
    }

    /// Picks the changes of this list from the activity log.
    fn is_about(&self, world: &World) -> Box<dyn FnMut(&Event) -> bool + Send>;
}

/// What is said around a list.
pub struct Words {
    /// Name of the field that adds.
    pub field: &'static str,
    /// Label of that field.
    pub label: &'static str,
    /// What being first means.
    pub hint: &'static str,
    /// What is said where nothing stands in it.
    pub empty: &'static str,
    /// What is said where everything stands in it.
    pub full: &'static str,
    /// What is said where there is nothing to choose from at all.
    pub nothing: &'static str,
    /// Where something is made to choose from: link and label.
    pub make: (&'static str, &'static str),
    /// What the list is called where two versions of it are compared.
    pub whole: &'static str,
    /// Whether a new one goes to the top unless told otherwise.
    pub to_top: bool,
}

/// How an object is offered that does not stand in a list yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offer {
    /// The heading that it stands under; those without one come first.
    pub heading: Option<&'static str>,
    /// What has to be done before it can be chosen.
    pub before: Option<&'static str>,
}

/// One object of a list.
pub struct Item {
    /// Key.
    pub id: u64,
    /// Name.
    pub name: String,
    /// What is said beside it.
    pub note: String,
    /// Its page.
    pub href: String,
}

/// One object that could be added.
pub struct Choice {
    /// Key.
    pub id: String,
    /// Name.
    pub name: String,
    /// What has to be done before it can be chosen.
    pub before: Option<&'static str>,
}

/// The list with everything to change it: what `_ordered.html` needs.
pub struct Tab {
    /// Heading.
    pub title: String,
    /// Where its forms go.
    pub action: String,
    /// What was typed.
    pub form: Form,
    /// Somebody else changed the list since it was shown.
    pub conflict: Option<Conflict>,
    /// The list as it is shown, for [`read`].
    pub shown: String,
    /// Its objects, strongest first.
    pub rows: Vec<Item>,
    /// What else could stand in it, by heading.
    pub choices: Vec<(Option<&'static str>, Vec<Choice>)>,
    /// Names to type, where there are too many to choose from; else none.
    pub names: Option<Choices>,
    /// What may not be meant.
    pub warnings: Vec<String>,
    /// What is said around it.
    pub words: &'static Words,
    /// Whom it concerns; empty where nothing is to be said.
    pub note: String,
    /// Where its former orders are told.
    pub history: Option<String>,
}

impl Tab {
    /// The list as it stands.
    ///
    /// # Errors
    /// Whatever it belongs to is not there.
    pub fn new(
        list: &impl List,
        services: &Services,
        who: &SignedIn,
        title: impl Into<String>,
        action: impl Into<String>,
    ) -> Result<Self, Failure> {
        let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
        let present = list.present(services).map_err(Failure::of(who))?;
        let mut choices: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for id in list.choices(&world).into_iter().filter(|id| !present.contains(id)) {
            let Offer { heading, before } = list.offer(&world, id);
            let choice = list.item(&world, id).map(|item| Choice { id: id.to_string(), name: item.name, before });
            choices.entry(heading).or_default().extend(choice);
        }
        choices.values_mut().for_each(|of| of.sort_by_cached_key(|choice| choice.name.to_lowercase()));
        Ok(Self {
            title: title.into(),
            action: action.into(),
            form: Form::default(),
            conflict: None,
            shown: written(&present),
            rows: present.iter().filter_map(|id| list.item(&world, *id)).collect(),
            names: names(list.words().field, &choices),
            choices: choices.into_iter().collect(),
            warnings: list.warnings(&world, &present),
            words: list.words(),
            note: String::new(),
            history: None,
        })
    }

    /// The same with a form that was not taken, and why.
    #[must_use]
    pub fn again(self, form: Form, conflict: Option<Conflict>) -> Self {
        Self { form, conflict, ..self }
    }

    /// The same with a sentence on whom it concerns.
    #[must_use]
    pub fn noted(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

/// What came of a form of the list.
pub enum Outcome {
    /// It is done; the message says what.
    Done(&'static str),
    /// A field breaks a rule, or somebody else changed the list since it was shown: the page is shown again with this status.
    Again(StatusCode, Form, Option<Conflict>),
}

/// Does what a form of `_ordered.html` asks for, if the list is still the one that was shown.
///
/// # Errors
/// What the service cannot do.
pub async fn save(services: &web::Data<Services>, who: &SignedIn, list: &impl List, form: Form) -> Result<Outcome, Failure> {
    let form = match with_named(form, list, services, who)? {
        Ok(form) => form,
        Err(form) => return Ok(Outcome::Again(StatusCode::UNPROCESSABLE_ENTITY, form, None)),
    };
    let order = match read(&form, list.words().field) {
        Ok(order) => order,
        Err(errors) => return Ok(rejected(form, &errors)),
    };
    let (actor, of, Order { shown, wanted, done }) = (who.actor.clone(), list.clone(), order.clone());
    let set = move |services: &Services| of.set(services, &actor, &shown, wanted);
    match blocking::call(services, set).await {
        Ok(()) => Ok(Outcome::Done(done)),
        Err(ServiceError::Invalid(errors)) => Ok(rejected(form, &errors)),
        Err(ServiceError::Conflict(why)) => {
            let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
            let now = list.present(services).map_err(Failure::of(who))?;
            if now == order.shown {
                return Ok(Outcome::Again(StatusCode::CONFLICT, form.refused(why), None));
            }
            let name = |id: &u64| list.item(&world, *id).map(|item| item.name);
            let names = |list: &[u64]| list.iter().filter_map(name).collect::<Vec<_>>().join(", ");
            let label = list.words().whole.to_owned();
            let differing = Differing { label, stored: names(&now), typed: names(&order.wanted) };
            let conflict = Conflict::new(services, who, DEFAULT_ACCOUNT, 1, list.is_about(&world), vec![differing]).await?;
            Ok(Outcome::Again(StatusCode::CONFLICT, form, Some(conflict)))
        }
        Err(error) => Err(Failure::new(who, error)),
    }
}

/// What can be added by its name, where it is too much for a list.
fn names(field: &'static str, choices: &BTreeMap<Option<&'static str>, Vec<Choice>>) -> Option<Choices> {
    let free = choices.values().flatten().filter(|one| one.before.is_none());
    let names = Choices::new(field, free.map(|one| (one.id.clone(), one.name.clone())));
    (choices.values().map(Vec::len).sum::<usize>() > OFFERED).then_some(names)
}

/// The form with what was typed by name, or with what is wrong about that.
fn with_named(mut form: Form, list: &impl List, services: &Services, who: &SignedIn) -> Result<Result<Form, Form>, Failure> {
    let (field, name) = (list.words().field, choices::typed(list.words().field));
    let Some(typed) = form.text(&name).map(folded) else { return Ok(Ok(form)) };
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let is_it = |id: &u64| list.item(&world, *id).is_some_and(|item| folded(&item.name) == typed);
    match list.choices(&world).into_iter().find(is_it) {
        Some(id) => {
            form.set(field, id.to_string());
            Ok(Ok(form))
        }
        None => {
            let why = format!("nothing that can stand here is called “{}”; type the whole name", form.value(&name).trim());
            let form = form.rejected_by(&FieldErrors::one(field, why), |_| name.clone());
            Ok(Err(form))
        }
    }
}

fn rejected(form: Form, errors: &FieldErrors) -> Outcome {
    Outcome::Again(StatusCode::UNPROCESSABLE_ENTITY, form.rejected(errors), None)
}

/// A list as a hidden field carries it.
fn written(list: &[u64]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// What a form asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The list that the person saw.
    pub shown: Vec<u64>,
    /// The list as it is to be.
    pub wanted: Vec<u64>,
    /// What is done, in words for the message.
    pub done: &'static str,
}

/// Reads what a form of `_ordered.html` asks for; `field` is the one that adds.
///
/// # Errors
/// The rule that a field breaks.
pub fn read(form: &Form, field: &'static str) -> Result<Order, FieldErrors> {
    let shown: Vec<u64> = form.value("shown").split(',').filter_map(|text| text.parse().ok()).collect();
    let (verb, id) = form.value("do").split_once('-').unwrap_or((form.value("do"), ""));
    if let ("top" | "up" | "down" | "remove", Ok(one)) = (verb, id.parse::<u64>()) {
        refuse_idle(&shown, verb, one)?;
    }
    let (wanted, done) = match (verb, id.parse::<u64>()) {
        ("top", Ok(id)) => (moved(&shown, id, |_| 0), "Moved to the top."),
        ("up", Ok(id)) => (moved(&shown, id, |at| at.saturating_sub(1)), "Moved up."),
        ("down", Ok(id)) => (moved(&shown, id, |at| at + 1), "Moved down."),
        ("remove", Ok(id)) => (shown.iter().copied().filter(|one| *one != id).collect(), "Removed."),
        ("attach", _) => (with_added(&shown, form, field)?, "Added."),
        ("order", _) => (in_typed_order(&shown, form)?, "Order saved."),
        _ => return Err(FieldErrors::one("do", "press one of the buttons of this page")),
    };
    Ok(Order { shown, wanted, done })
}

/// Says so where a button would do nothing: it was pressed on a page that is out of date.
fn refuse_idle(shown: &[u64], verb: &str, id: u64) -> Result<(), FieldErrors> {
    let why = match (shown.iter().position(|one| *one == id), verb) {
        (None, _) => "it is not in this list any more; reload the page",
        (Some(0), "up" | "top") => "it is the first one already",
        (Some(at), "down") if at + 1 == shown.len() => "it is the last one already",
        _ => return Ok(()),
    };
    Err(FieldErrors::one("do", why))
}

/// The list with one object at another place; the others keep their order.
fn moved(list: &[u64], id: u64, to: impl Fn(usize) -> usize) -> Vec<u64> {
    let mut list = list.to_vec();
    if let Some(at) = list.iter().position(|one| *one == id) {
        let one = list.remove(at);
        list.insert(to(at).min(list.len()), one);
    }
    list
}

fn with_added(shown: &[u64], form: &Form, field: &'static str) -> Result<Vec<u64>, FieldErrors> {
    let id: u64 = form.value(field).parse().map_err(|_| FieldErrors::one(field, "choose what to add"))?;
    let mut list: Vec<_> = shown.iter().copied().filter(|one| *one != id).collect();
    let at = if form.value("where") == "bottom" { list.len() } else { 0 };
    list.insert(at, id);
    Ok(list)
}

/// The list in the order of the typed positions. Whoever was given another position than the one shown goes before those that
/// have this position anyway: typing 1 puts a profile on top.
fn in_typed_order(shown: &[u64], form: &Form) -> Result<Vec<u64>, FieldErrors> {
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

    fn wanted(fields: &[(&str, &str)]) -> Vec<u64> {
        let form = Form::filled([("shown", "5,6,7")].into_iter().chain(fields.iter().copied()));
        read(&form, "profile").expect("a good form").wanted
    }

    #[test]
    fn buttons_and_typed_positions_give_the_same_order() {
        for fields in [[("do", "top-7"), ("x", "")], [("do", "order"), ("place-7", "1")]] {
            assert_eq!(wanted(&fields), [7, 5, 6]);
        }
        for fields in [[("do", "down-5"), ("x", "")], [("do", "order"), ("place-5", "2")], [("do", "order"), ("place-6", "1")]] {
            assert_eq!(wanted(&fields), [6, 5, 7], "{fields:?}");
        }
        assert_eq!(wanted(&[("do", "order"), ("place-5", "3"), ("place-6", "2"), ("place-7", "1")]), [7, 6, 5]);
    }

    #[test]
    fn objects_are_added_at_either_end_and_removed() {
        assert_eq!(wanted(&[("do", "attach"), ("profile", "9"), ("where", "top")]), [9, 5, 6, 7]);
        assert_eq!(wanted(&[("do", "attach"), ("profile", "9"), ("where", "bottom")]), [5, 6, 7, 9]);
        assert_eq!(wanted(&[("do", "remove-6")]), [5, 7]);
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let form = |fields: &[(&str, &str)]| read(&Form::filled(fields.iter().copied()), "profile");
        assert!(form(&[("shown", "5"), ("do", "attach"), ("profile", "")]).is_err());
        assert!(form(&[("shown", "5"), ("do", "order"), ("place-5", "first")]).is_err());
        assert!(form(&[("shown", "5"), ("do", "explode-5")]).is_err());
        let told = |pressed: &str| {
            let told = form(&[("shown", "5,6"), ("do", pressed)]).map(|order| order.done);
            told.map_err(|errors| errors.to_string())
        };
        for pressed in ["down-99999", "up-99999", "top-99999", "remove-99999", "up-5", "top-5", "down-6"] {
            assert!(told(pressed).is_err(), "{pressed} moves nothing: {:?}", told(pressed));
        }
        assert_eq!(told("down-5").as_deref(), Ok("Moved down."));
    }
}
