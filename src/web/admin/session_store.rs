//! Where the session middleware keeps sessions: with the services, so that they can be listed, ended and outlive a restart.

use std::collections::HashMap;

use actix_session::SessionMiddleware;
use actix_session::config::{BrowserSession, TtlExtensionPolicy};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Key, SameSite};
use actix_web::web::Data;
use serde::de::DeserializeOwned;

use super::session::{ADDRESS, AGENT, COOKIE, Person, USER};
use crate::domain::limits::SESSION_IDLE_HOURS;
use crate::services::Services;
use crate::services::error::ServiceError;
use crate::services::sessions::{self, Content};
use crate::web::blocking;

/// The middleware that knows who is behind a cookie.
///
/// The cookie ends with the browser; how long a session lives is decided by the services alone (R15).
pub fn middleware(services: &Data<Services>) -> SessionMiddleware<Store> {
    let mut key = Vec::with_capacity(64);
    for half in ["session cookie 1", "session cookie 2"] {
        key.extend_from_slice(&*services.secrets().derived_key(half));
    }
    let lifecycle = BrowserSession::default()
        .state_ttl(Duration::hours(SESSION_IDLE_HOURS))
        .state_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest);
    SessionMiddleware::builder(Store(services.clone()), Key::from(&key))
        .cookie_name(COOKIE.to_owned())
        .cookie_secure(true)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".to_owned())
        .session_lifecycle(lifecycle)
        .build()
}

/// Sessions of the services, as the middleware wants them.
pub struct Store(Data<Services>);

impl SessionStore for Store {
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        Ok(sessions::find(&self.0, key.as_ref()).map(|session| session.state.into_iter().collect()))
    }

    async fn save(&self, state: HashMap<String, String>, _: &Duration) -> Result<SessionKey, SaveError> {
        let begun = blocking::call(&self.0, |services| sessions::begin(services, content(state))).await;
        let cookie = begun.map_err(|error| SaveError::Other(error.into()))?;
        SessionKey::try_from(cookie).map_err(|error| SaveError::Other(error.into()))
    }

    async fn update(&self, key: SessionKey, state: HashMap<String, String>, _: &Duration) -> Result<SessionKey, UpdateError> {
        let cookie = String::from(key);
        let kept = blocking::call(&self.0, move |services| {
            sessions::update(services, &cookie, content(state))?;
            Ok::<_, ServiceError>(cookie)
        });
        let cookie = kept.await.map_err(|error| UpdateError::Other(error.into()))?;
        SessionKey::try_from(cookie).map_err(|error| UpdateError::Other(error.into()))
    }

    async fn update_ttl(&self, key: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        let cookie = key.as_ref().to_owned();
        Ok(blocking::call(&self.0, move |services| sessions::touch(services, &cookie)).await?)
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        let cookie = key.as_ref().to_owned();
        Ok(blocking::call(&self.0, move |services| sessions::end(services, &cookie)).await?)
    }
}

/// What the services want to know by name is taken out of the pages' state.
fn content(state: HashMap<String, String>) -> Content {
    fn read<T: DeserializeOwned>(state: &HashMap<String, String>, name: &str) -> Option<T> {
        serde_json::from_str(state.get(name)?).ok()
    }
    let person = read::<Person>(&state, USER);
    Content {
        user: person.as_ref().map(|person| person.id),
        confirmed_at: person.and_then(|person| person.confirmed_at),
        address: read(&state, ADDRESS),
        user_agent: read(&state, AGENT).unwrap_or_default(),
        state: state.into_iter().collect(),
    }
}
