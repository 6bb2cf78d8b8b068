//! Sign-ins to the admin pages: who is behind a cookie, until when, and how they are listed and ended (R12, R13, R15).
//!
//! All sessions are in memory. Those of users are rows too, so that a restart signs nobody out; what changes at every request
//! (the last use, a message for the next page) is written only now and then, so that reading a page waits for no disk.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::Services;
use super::commit::commit;
use super::error::ServiceError;
use super::secrets::random_text;
use crate::domain::access::Grant;
use crate::domain::activity::SERVER;
use crate::domain::ids::UserId;
use crate::domain::limits::{SESSION_DAYS, SESSION_IDLE_HOURS, STRANGER_SESSION_MINUTES, STRANGER_SESSIONS};
use crate::domain::session::{Session, SessionKey};
use crate::store;

/// Characters of the value in the cookie: more than 256 bits.
const COOKIE_CHARS: usize = 48;
/// How old the row's last use may get before it is written anew.
const WRITE_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// All sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    open: Mutex<HashMap<SessionKey, Kept>>,
}

/// A session and when its row was written; none without a row.
#[derive(Clone, Debug)]
struct Kept {
    session: Session,
    written_at: Option<Timestamp>,
}

/// What a page puts into a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Who is signed in.
    pub user: Option<UserId>,
    /// What the pages keep between two requests.
    pub state: BTreeMap<String, String>,
    /// When the person last gave the password.
    pub confirmed_at: Option<Timestamp>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The browser's User-Agent, capped.
    pub user_agent: String,
}

/// A session of a user, as the user sees it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its key.
    pub key: SessionKey,
    /// The session.
    pub session: Session,
}

impl Sessions {
    /// Takes in the rows, at start.
    pub(super) fn load(&self, tx: &impl store::Read) -> Result<(), ServiceError> {
        let rows = store::sessions::all(tx)?;
        let mut open = self.open.lock();
        open.extend(rows.into_iter().map(|(key, session)| {
            let written_at = Some(session.last_seen_at);
            (key, Kept { session, written_at })
        }));
        Ok(())
    }
}

/// The key of a cookie's value.
pub fn key_of(cookie: &str) -> SessionKey {
    SessionKey(Sha256::digest(cookie.as_bytes()).into())
}

/// The session behind a cookie, unless it ended.
pub fn find(services: &Services, cookie: &str) -> Option<Session> {
    let now = services.clock.now();
    let open = services.sessions.open.lock();
    open.get(&key_of(cookie)).map(|kept| kept.session.clone()).filter(|session| session.expires_at > now)
}

/// Begins a session and answers the value of its cookie.
///
/// # Errors
/// The row of a user's session could not be written.
pub fn begin(services: &Services, content: Content) -> Result<String, ServiceError> {
    let now = services.clock.now();
    let cookie = random_text(COOKIE_CHARS);
    let session = Session {
        user: content.user,
        state: content.state,
        created_at: now,
        last_seen_at: now,
        expires_at: expiry(content.user, now, now),
        confirmed_at: content.confirmed_at,
        address: content.address,
        user_agent: content.user_agent,
    };
    let key = key_of(&cookie);
    let written_at = session.user.is_some().then_some(now);
    {
        let mut open = services.sessions.open.lock();
        make_room(&mut open, now);
        open.insert(key, Kept { session, written_at });
    }
    if written_at.is_some() {
        write(services, key)?;
    }
    Ok(cookie)
}

/// Puts new content into a session; a session that ended meanwhile stays ended.
///
/// # Errors
/// The row could not be written.
pub fn update(services: &Services, cookie: &str, content: Content) -> Result<(), ServiceError> {
    used(services, key_of(cookie), |session| {
        session.user = content.user;
        session.state = content.state;
        session.confirmed_at = content.confirmed_at;
        session.address = content.address.or(session.address);
    })
}

/// Notes that a session was used: it lives on (R15).
///
/// # Errors
/// The row could not be written.
pub fn touch(services: &Services, cookie: &str) -> Result<(), ServiceError> {
    used(services, key_of(cookie), |_| ())
}

fn used(services: &Services, key: SessionKey, change: impl FnOnce(&mut Session)) -> Result<(), ServiceError> {
    let now = services.clock.now();
    let must_write = {
        let mut open = services.sessions.open.lock();
        let Some(kept) = open.get_mut(&key).filter(|kept| kept.session.expires_at > now) else { return Ok(()) };
        let before = (kept.session.user, kept.session.confirmed_at);
        change(&mut kept.session);
        kept.session.last_seen_at = now;
        kept.session.expires_at = expiry(kept.session.user, kept.session.created_at, now);
        let row_is_fresh = kept.written_at.is_some_and(|at| now.duration_since(at) < WRITE_AFTER);
        let must_write =
            kept.session.user.is_some() && !(row_is_fresh && before == (kept.session.user, kept.session.confirmed_at));
        if must_write {
            kept.written_at = Some(now);
        }
        must_write
    };
    if must_write { write(services, key) } else { Ok(()) }
}

/// Writes a session's row as memory has it. A session that was ended meanwhile is not brought back: whoever ends one takes it
/// out of memory before its row is removed.
fn write(services: &Services, key: SessionKey) -> Result<(), ServiceError> {
    commit(services, Grant::system("sessions"), SERVER, |change| {
        if let Some(kept) = services.sessions.open.lock().get(&key) {
            store::sessions::put(change.tx(), key, &kept.session)?;
        }
        Ok(())
    })
}

/// Ends the session behind a cookie.
///
/// # Errors
/// Its row could not be removed: it would be back after a restart.
pub fn end(services: &Services, cookie: &str) -> Result<(), ServiceError> {
    end_all(services, |key, _| *key == key_of(cookie)).map(|_| ())
}

/// A user's sessions, the last used first.
pub fn of_user(services: &Services, user: UserId) -> Vec<Listed> {
    let now = services.clock.now();
    let open = services.sessions.open.lock();
    let own = open.iter().filter(|(_, kept)| kept.session.user == Some(user) && kept.session.expires_at > now);
    let mut listed: Vec<Listed> = own.map(|(key, kept)| Listed { key: *key, session: kept.session.clone() }).collect();
    listed.sort_by_key(|one| (std::cmp::Reverse(one.session.last_seen_at), one.key));
    listed
}

/// Ends one of a user's sessions and tells whether there was one.
///
/// # Errors
/// Its row could not be removed.
pub fn end_one_of(services: &Services, user: UserId, key: SessionKey) -> Result<bool, ServiceError> {
    Ok(end_all(services, |one, session| *one == key && session.user == Some(user))? > 0)
}

/// Ends all sessions of a user: the password changed, or the user is gone (ADM-06).
///
/// # Errors
/// A row could not be removed.
pub fn end_all_of(services: &Services, user: UserId) -> Result<usize, ServiceError> {
    end_all(services, |_, session| session.user == Some(user))
}

/// Forgets the sessions that ran out.
///
/// # Errors
/// A row could not be removed.
pub fn sweep(services: &Services) -> Result<usize, ServiceError> {
    let now = services.clock.now();
    end_all(services, |_, session| session.expires_at <= now)
}

fn end_all(services: &Services, ends: impl Fn(&SessionKey, &Session) -> bool) -> Result<usize, ServiceError> {
    let mut ended: Vec<(SessionKey, Kept)> = Vec::new();
    {
        let mut open = services.sessions.open.lock();
        let keys: Vec<SessionKey> = open.iter().filter(|(key, kept)| ends(key, &kept.session)).map(|(key, _)| *key).collect();
        ended.extend(keys.into_iter().filter_map(|key| open.remove_entry(&key)));
    }
    if ended.iter().any(|(_, kept)| kept.written_at.is_some()) {
        commit(services, Grant::system("sessions"), SERVER, |change| {
            for (key, _) in &ended {
                store::sessions::delete(change.tx(), *key)?;
            }
            Ok(())
        })?;
    }
    Ok(ended.len())
}

/// Visitors who are not signed in can begin only so many sessions: the oldest of theirs make room.
fn make_room(open: &mut HashMap<SessionKey, Kept>, now: Timestamp) {
    let strangers = open.values().filter(|kept| kept.session.user.is_none()).count();
    if strangers < STRANGER_SESSIONS {
        return;
    }
    open.retain(|_, kept| kept.session.user.is_some() || kept.session.expires_at > now);
    let mut ages: Vec<(Timestamp, SessionKey)> = open
        .iter()
        .filter(|(_, kept)| kept.session.user.is_none())
        .map(|(key, kept)| (kept.session.last_seen_at, *key))
        .collect();
    ages.sort_unstable();
    for (_, key) in ages.iter().take((ages.len() + STRANGER_SESSIONS / 10).saturating_sub(STRANGER_SESSIONS)) {
        open.remove(key);
    }
}

/// When a user's session ends that is used now and then no more (R15).
pub fn ends_at(begun_at: Timestamp, now: Timestamp) -> Timestamp {
    let idle = now + SignedDuration::from_hours(SESSION_IDLE_HOURS);
    idle.min(begun_at + SignedDuration::from_hours(24 * SESSION_DAYS))
}

fn expiry(user: Option<UserId>, created_at: Timestamp, now: Timestamp) -> Timestamp {
    if user.is_none() {
        return now + SignedDuration::from_mins(STRANGER_SESSION_MINUTES);
    }
    ends_at(created_at, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Opening;
    use crate::services::clock::Clock;

    const USER: UserId = UserId(7);

    fn start() -> Timestamp {
        Timestamp::from_second(1_800_000_000).expect("a time")
    }

    fn opened(dir: &tempfile::TempDir, clock: &Clock) -> Services {
        Services::open(Opening::new(dir.path().join("state"), clock.clone())).expect("a fresh state directory")
    }

    fn of(user: Option<UserId>) -> Content {
        Content { user, ..Content::default() }
    }

    #[test]
    fn a_users_session_outlives_a_restart_and_a_strangers_does_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Clock::manual(start());
        let services = opened(&dir, &clock);
        let user = begin(&services, of(Some(USER))).expect("begun");
        let stranger = begin(&services, of(None)).expect("begun");
        assert!(find(&services, &stranger).is_some());
        drop(services);
        let services = opened(&dir, &clock);
        assert_eq!(find(&services, &user).and_then(|s| s.user), Some(USER));
        assert_eq!(find(&services, &stranger), None);
    }

    #[test]
    fn a_session_lives_on_while_it_is_used_but_not_for_ever() {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Clock::manual(start());
        let services = opened(&dir, &clock);
        let cookie = begin(&services, of(Some(USER))).expect("begun");
        let mut now = start();
        let mut hours = 0;
        while find(&services, &cookie).is_some() {
            touch(&services, &cookie).expect("touched");
            hours += SESSION_IDLE_HOURS - 1;
            now += SignedDuration::from_hours(SESSION_IDLE_HOURS - 1);
            clock.advance_to(now);
        }
        assert!((SESSION_DAYS * 24..SESSION_DAYS * 24 + SESSION_IDLE_HOURS).contains(&hours), "ended after {hours} h");
        let idle = begin(&services, of(Some(USER))).expect("begun");
        clock.advance_to(now + SignedDuration::from_hours(SESSION_IDLE_HOURS));
        assert_eq!(find(&services, &idle), None);
        assert_eq!(sweep(&services).expect("swept"), 2);
    }

    #[test]
    fn ended_sessions_stay_ended() {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Clock::manual(start());
        let services = opened(&dir, &clock);
        let cookies: Vec<String> = (0..3).map(|_| begin(&services, of(Some(USER))).expect("begun")).collect();
        assert_eq!(of_user(&services, USER).len(), 3);
        end(&services, &cookies[0]).expect("ended");
        assert!(!end_one_of(&services, UserId(8), key_of(&cookies[1])).expect("asked"), "a session of somebody else");
        assert!(end_one_of(&services, USER, key_of(&cookies[1])).expect("asked"));
        assert_eq!(end_all_of(&services, USER).expect("ended"), 1);
        update(&services, &cookies[2], of(Some(USER))).expect("nothing to do");
        drop(services);
        let services = opened(&dir, &clock);
        assert!(cookies.iter().all(|cookie| find(&services, cookie).is_none()));
    }

    #[test]
    fn strangers_cannot_fill_the_memory_nor_push_users_out() {
        let dir = tempfile::tempdir().expect("a folder");
        let services = opened(&dir, &Clock::manual(start()));
        let user = begin(&services, of(Some(USER))).expect("begun");
        for _ in 0..STRANGER_SESSIONS + 50 {
            begin(&services, of(None)).expect("begun");
        }
        assert!(services.sessions.open.lock().len() <= STRANGER_SESSIONS + 1);
        assert!(find(&services, &user).is_some());
    }
}
