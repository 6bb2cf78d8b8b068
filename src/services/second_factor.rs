//! The second factor: codes of an authenticator app (RFC 6238) and recovery codes, asked for after the password (ADM-11).
//!
//! A code is taken once, and so is a recovery code; guesses are slowed by user, whoever makes them. The secret is sealed at rest;
//! of recovery codes only keyed hashes are kept. What is being set up waits in memory until its first code was right.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use totp_rs::{Algorithm, Builder, Totp};

use super::commit::{Change, Mode, commit, perform};
use super::error::ServiceError;
use super::secrets::random_text;
use super::sign_in::SignInError;
use super::throttle::Key;
use super::{Services, passwords, sessions, users};
use crate::domain::access::{Action, Actor, Grant, authorize};
use crate::domain::account::Secret;
use crate::domain::activity::{Event, SERVER};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::UserId;
use crate::domain::user::{SecondFactor, User};
use crate::store;

/// What authenticator apps show the code under.
const ISSUER: &str = "pdms";
/// Digits of a code.
const DIGITS: u8 = 6;
/// Seconds that a code is shown for.
const STEP_SECONDS: u64 = 30;
/// Codes of the step before and of the next one are taken too: clocks of telephones differ.
const SKEW: u16 = 1;
/// Recovery codes made at a time.
const RECOVERY_CODES: usize = 10;
/// Random characters of one: about 50 bits, which slowed guesses never find.
const RECOVERY_CHARS: usize = 10;
/// How long something that is being set up waits for its first code.
const PATIENCE: SignedDuration = SignedDuration::from_mins(30);

/// Secrets of users who are setting up a second factor.
#[derive(Debug, Default)]
pub struct Enrolments(Mutex<HashMap<UserId, Enrolment>>);

#[derive(Clone, Debug)]
struct Enrolment {
    secret: [u8; 20],
    until: Timestamp,
}

/// What an authenticator app is told.
#[derive(Debug)]
pub struct Offer {
    /// The secret, to be typed.
    pub secret: Secret,
    /// The same with names, to be scanned.
    pub url: Secret,
}

/// Begins to set up a second factor. Asked again within half an hour, it offers the same secret.
///
/// # Errors
/// [`ServiceError::Conflict`] where there is one already.
pub fn offer(services: &Services, actor: &Actor, id: UserId) -> Result<Offer, ServiceError> {
    authorize(actor, Action::EditSelf(id))?;
    let user = users::get(services, id)?;
    if user.second_factor.is_some() {
        return Err(ServiceError::Conflict("the second factor is on already; switch it off first to set it up anew".to_owned()));
    }
    let now = services.clock.now();
    let mut waiting = services.enrolments.0.lock();
    waiting.retain(|_, one| one.until > now);
    let secret = waiting.entry(id).or_insert_with(|| Enrolment { secret: rand::random(), until: now + PATIENCE }).secret;
    let totp = totp(secret.to_vec(), &user);
    let url = totp.to_url().map_err(|error| ServiceError::Conflict(error.to_string()))?;
    Ok(Offer { secret: Secret::new(totp.secret().to_base32()), url: Secret::new(url) })
}

/// Switches the second factor on with the first code of the app, for somebody who knows the password. Answers the recovery codes,
/// which nobody can tell again.
///
/// # Errors
/// A wrong password or code, told at its field; nothing is being set up.
pub fn confirm(
    services: &Services,
    actor: &Actor,
    id: UserId,
    current: &Secret,
    code: &str,
    mode: Mode,
) -> Result<Vec<Secret>, ServiceError> {
    let grant = authorize(actor, Action::EditSelf(id))?;
    let user = passwords::prove(services, id, current)?;
    let now = services.clock.now();
    let waiting = services.enrolments.0.lock().get(&id).filter(|one| one.until > now).map(|one| one.secret);
    let Some(secret) = waiting else {
        return Err(ServiceError::Conflict("this took too long; begin to set up the second factor again".to_owned()));
    };
    let guess =
        services.sign_ins.count(vec![Key::Code(id)], now).map_err(|wait| FieldErrors::one("code", SignInError::Wait(wait)))?;
    let step = totp(secret.to_vec(), &user).check(&plain(code), seconds(now));
    let step = step.ok_or_else(|| FieldErrors::one("code", "this is not the code that the app shows now"))?;
    guess.was_right();
    let codes = recovery_codes();
    let factor = SecondFactor {
        secret: services.secrets.seal(&place(id), &hex::encode(secret)),
        since: now,
        last_step: step,
        recovery: codes.iter().map(|code| hash(services, id, code.expose())).collect(),
    };
    perform(services, mode, grant, SERVER, |change| {
        put(change, id, Some(factor))?;
        change.record(Event::new("user", user.name.as_str(), "switched on the second factor of"))
    })?;
    if mode == Mode::Keep {
        services.enrolments.0.lock().remove(&id);
    }
    Ok(codes)
}

/// Switches the second factor off, for somebody who knows the password.
///
/// # Errors
/// A wrong password, told at the field `current`; there is none.
pub fn disable(services: &Services, actor: &Actor, id: UserId, current: &Secret, mode: Mode) -> Result<(), ServiceError> {
    let grant = authorize(actor, Action::EditSelf(id))?;
    let user = passwords::prove(services, id, current)?;
    must_be_on(&user)?;
    perform(services, mode, grant, SERVER, |change| {
        put(change, id, None)?;
        change.record(Event::new("user", user.name.as_str(), "switched off the second factor of"))
    })
}

/// Makes new recovery codes in place of all others, for somebody who knows the password.
///
/// # Errors
/// As [`disable`].
pub fn renew_recovery(
    services: &Services,
    actor: &Actor,
    id: UserId,
    current: &Secret,
    mode: Mode,
) -> Result<Vec<Secret>, ServiceError> {
    let grant = authorize(actor, Action::EditSelf(id))?;
    let user = passwords::prove(services, id, current)?;
    let codes = recovery_codes();
    let hashes: Vec<String> = codes.iter().map(|code| hash(services, id, code.expose())).collect();
    perform(services, mode, grant, SERVER, |change| {
        let mut factor = stored(change, id)?;
        factor.recovery = hashes;
        put(change, id, Some(factor))?;
        change.record(Event::new("user", user.name.as_str(), "made new recovery codes of"))
    })?;
    Ok(codes)
}

/// Takes the second factor from somebody else who lost it, and ends the user's sessions. One's own is switched off with the
/// password: whoever finds a browser signed in must not take it away.
///
/// # Errors
/// The actor may not; there is none; it is the actor's own.
pub fn reset(services: &Services, actor: &Actor, id: UserId, mode: Mode) -> Result<User, ServiceError> {
    let grant = authorize(actor, Action::EditUsers)?;
    if matches!(actor, Actor::User { id: own, .. } if *own == id) {
        return Err(ServiceError::Conflict(
            "switch your own second factor off in Account Details, with your password".to_owned(),
        ));
    }
    let user = perform(services, mode, grant, SERVER, |change| {
        stored(change, id)?;
        let user = put(change, id, None)?;
        change.record(Event::new("user", user.name.as_str(), "took the second factor from"))?;
        Ok(user)
    })?;
    if mode == Mode::Keep {
        sessions::end_all_of(services, id)?;
    }
    Ok(user)
}

/// Checks a code or a recovery code at the door, and uses it up.
///
/// # Errors
/// [`SignInError::Wrong`]; [`SignInError::Wait`] after too many guesses.
pub(super) fn check(services: &Services, user: &User, code: &str, mode: Mode) -> Result<(), SignInError> {
    let now = services.clock.now();
    let guess = services.sign_ins.count(vec![Key::Code(user.id)], now).map_err(SignInError::Wait)?;
    let code = plain(code);
    let is_right = perform(services, mode, Grant::system("sign-in"), SERVER, |change| {
        let mut factor = stored(change, user.id)?;
        if let Some(step) = opened(services, user, &factor)?.check(&code, seconds(now)).filter(|step| *step > factor.last_step) {
            factor.last_step = step;
            put(change, user.id, Some(factor))?;
            return Ok(true);
        }
        let hash = hash(services, user.id, &code);
        // The hashes are keyed, so that comparing them in no constant time tells nothing about the codes.
        let Some(place) = factor.recovery.iter().position(|one| *one == hash) else { return Ok(false) };
        factor.recovery.remove(place);
        let left = factor.recovery.len();
        put(change, user.id, Some(factor))?;
        let event = Event::new("user", user.name.as_str(), "used a recovery code of");
        change.record(event.change("recovery codes", Some((left + 1).to_string()), Some(left.to_string())))?;
        Ok(true)
    })?;
    if is_right {
        guess.was_right();
        return Ok(());
    }
    if guess.begins_pause {
        let event = Event::new("user", user.name.as_str(), "too many wrong codes");
        commit(services, Grant::system("sign-in"), SERVER, |change| change.record(event))?;
    }
    Err(SignInError::Wrong)
}

fn must_be_on(user: &User) -> Result<(), ServiceError> {
    match user.second_factor {
        Some(_) => Ok(()),
        None => Err(ServiceError::Conflict("there is no second factor".to_owned())),
    }
}

fn stored(change: &Change<'_>, id: UserId) -> Result<SecondFactor, ServiceError> {
    let user = store::users::get(change.tx(), id)?.ok_or_else(|| ServiceError::not_found("user", id))?;
    must_be_on(&user)?;
    user.second_factor.ok_or_else(|| ServiceError::not_found("second factor", id))
}

fn put(change: &Change<'_>, id: UserId, factor: Option<SecondFactor>) -> Result<User, ServiceError> {
    let mut user = store::users::get(change.tx(), id)?.ok_or_else(|| ServiceError::not_found("user", id))?;
    user.second_factor = factor;
    store::users::put(change.tx(), &user)?;
    Ok(user)
}

fn opened(services: &Services, user: &User, factor: &SecondFactor) -> Result<Totp, ServiceError> {
    let text = services.secrets.open_text(&place(user.id), &factor.secret)?;
    let secret = hex::decode(text).map_err(|_| ServiceError::Conflict("the stored second factor cannot be read".to_owned()))?;
    Ok(totp(secret, user))
}

fn totp(secret: Vec<u8>, user: &User) -> Totp {
    let secret = totp_rs::Secret::new(secret.into_boxed_slice());
    let named =
        Builder::new().with_algorithm(Algorithm::SHA1).with_digits(DIGITS).with_skew(SKEW).with_step_duration(STEP_SECONDS);
    // A colon would end the name in the address that apps scan.
    named.with_secret(secret).with_issuer(Some(ISSUER)).with_account_name(user.email.replace(':', " ")).build_noncompliant()
}

fn recovery_codes() -> Vec<Secret> {
    let code = || random_text(RECOVERY_CHARS).to_lowercase();
    (0..RECOVERY_CODES).map(|_| Secret::new(code())).collect()
}

/// A code as typed: people write blanks and hyphens into them.
fn plain(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric()).take(64).collect::<String>().to_lowercase()
}

fn hash(services: &Services, id: UserId, code: &str) -> String {
    hex::encode(services.secrets.stored_hash(&format!("recovery code of {id} {}", plain(code))))
}

pub(super) fn place(id: UserId) -> String {
    format!("users/{id}/second_factor")
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::sign_in::{self, From, Passed};
    use crate::services::testing::{Bench, bench};
    use crate::services::users::UserDraft;

    const GOOD: &str = "four unhurried words";

    fn good() -> Secret {
        Secret::new(GOOD)
    }

    fn ada(bench: &Bench) -> User {
        let draft = UserDraft { name: "Ada".to_owned(), email: "ada@example.test".to_owned(), password: good() };
        users::create(&bench.services, &Actor::CommandLine, &draft).expect("a good draft")
    }

    /// The code that an app shows some seconds from now.
    fn code(bench: &Bench, secret: &Secret, later: i64) -> String {
        let secret = totp_rs::Secret::try_from_base32(secret.expose()).expect("base 32");
        let app =
            Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).with_account_name("ada").build_noncompliant();
        app.generate(seconds(bench.clock.now() + SignedDuration::from_secs(later))).to_string()
    }

    fn enrolled(bench: &Bench) -> (User, Secret, Vec<Secret>) {
        let user = ada(bench);
        let offer = offer(&bench.services, &user.actor(), user.id).expect("offered");
        let first = code(bench, &offer.secret, 0);
        let codes = confirm(&bench.services, &user.actor(), user.id, &good(), &first, Mode::Keep).expect("confirmed");
        bench.clock.advance_to(bench.clock.now() + SignedDuration::from_secs(90));
        (users::get(&bench.services, user.id).expect("a user"), offer.secret, codes)
    }

    fn wait(bench: &Bench, seconds: i64) {
        bench.clock.advance_to(bench.clock.now() + SignedDuration::from_secs(seconds));
    }

    #[test]
    fn it_is_on_with_the_first_right_code_and_the_password() {
        let bench = bench();
        let services = &bench.services;
        let user = ada(&bench);
        let first = offer(services, &user.actor(), user.id).expect("offered");
        assert_eq!(first.secret, offer(services, &user.actor(), user.id).expect("offered").secret, "a reload shows the same");
        assert!(first.url.expose().starts_with("otpauth://totp/"), "{}", first.url.expose());
        let right = code(&bench, &first.secret, 0);
        let confirm =
            |password: &str, code: &str| confirm(services, &user.actor(), user.id, &Secret::new(password), code, Mode::Keep);
        assert!(confirm("wrong", &right).is_err());
        assert!(confirm(GOOD, "000000x").is_err());
        let codes = confirm(GOOD, &right).expect("switched on");
        assert_eq!(codes.len(), RECOVERY_CODES);
        let user = users::get(services, user.id).expect("a user");
        let stored = serde_json::to_string(&user).expect("JSON");
        assert!(!stored.contains(first.secret.expose()) && codes.iter().all(|code| !stored.contains(code.expose())), "{stored}");
        assert!(offer(services, &user.actor(), user.id).is_err(), "it is on already");
    }

    #[test]
    fn adm_11_a_code_is_good_once_and_so_is_the_one_before() {
        let bench = bench();
        let (user, secret, _) = enrolled(&bench);
        let now = code(&bench, &secret, 0);
        check(&bench.services, &user, &now, Mode::Keep).expect("right");
        assert!(check(&bench.services, &user, &now, Mode::Keep).is_err(), "the same code twice");
        assert!(check(&bench.services, &user, &code(&bench, &secret, -30), Mode::Keep).is_err(), "an older one afterwards");
        wait(&bench, 90);
        let previous = code(&bench, &secret, -30);
        check(&bench.services, &user, &previous, Mode::Keep).expect("the previous window");
        assert!(check(&bench.services, &user, &previous, Mode::Keep).is_err(), "but once");
        wait(&bench, 90);
        assert!(check(&bench.services, &user, &code(&bench, &secret, -90), Mode::Keep).is_err(), "too old");
    }

    #[test]
    fn a_recovery_code_is_good_once_however_it_is_written() {
        let bench = bench();
        let (user, _, codes) = enrolled(&bench);
        let typed = format!(" {}-{} ", &codes[0].expose()[..5].to_uppercase(), &codes[0].expose()[5..]);
        check(&bench.services, &user, &typed, Mode::Keep).expect("right");
        assert!(check(&bench.services, &user, &typed, Mode::Keep).is_err());
        let left = users::get(&bench.services, user.id).expect("a user").second_factor.expect("on").recovery.len();
        assert_eq!(left, RECOVERY_CODES - 1);
        let new = renew_recovery(&bench.services, &user.actor(), user.id, &good(), Mode::Keep).expect("renewed");
        assert!(check(&bench.services, &user, codes[1].expose(), Mode::Keep).is_err(), "the old ones are worth nothing");
        check(&bench.services, &user, new[0].expose(), Mode::Keep).expect("right");
    }

    #[test]
    fn guesses_are_slowed_and_the_right_code_opens_after_the_pause() {
        let bench = bench();
        let (user, secret, _) = enrolled(&bench);
        let waits = |_| match check(&bench.services, &user, "000000", Mode::Keep) {
            Err(SignInError::Wait(wait)) => Some(wait),
            _ => None,
        };
        let pause = (0..10).find_map(waits).expect("a pause within ten guesses");
        assert!(matches!(check(&bench.services, &user, &code(&bench, &secret, 0), Mode::Keep), Err(SignInError::Wait(_))));
        wait(&bench, pause.as_secs());
        check(&bench.services, &user, &code(&bench, &secret, 0), Mode::Keep).expect("right");
    }

    #[test]
    fn switching_it_off_takes_the_password_and_an_owner_helps_whoever_lost_it() {
        let bench = bench();
        let services = &bench.services;
        let (user, _, _) = enrolled(&bench);
        assert!(disable(services, &user.actor(), user.id, &Secret::new("wrong"), Mode::Keep).is_err());
        let passed =
            sign_in::attempt(services, &user.email, &good(), &From::default(), Mode::Keep).expect("the password is right");
        assert!(matches!(passed, Passed::CodeNeeded(_)));
        assert!(reset(services, &user.actor(), user.id, Mode::Keep).is_err(), "one's own takes the password");
        reset(services, &Actor::CommandLine, user.id, Mode::Keep).expect("taken away");
        let passed = sign_in::attempt(services, &user.email, &good(), &From::default(), Mode::Keep).expect("signed in");
        assert!(matches!(passed, Passed::In(_)));
        assert!(disable(services, &user.actor(), user.id, &good(), Mode::Keep).is_err(), "there is none");
    }
}
