//! User-Agents as phones send them, read once for each text: a phone repeats its own with every request.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use actix_web::http::header::{HeaderMap, USER_AGENT};

use crate::catalog::models::models;
use crate::domain::user_agent::{UserAgent, cleaned};

/// Texts that a worker remembers: those of the phones that boot at the same time.
const REMEMBERED: usize = 2_048;

/// A User-Agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// As it is kept and shown.
    pub text: Arc<str>,
    /// What it tells; none if it is no phone's.
    pub phone: Option<Arc<UserAgent>>,
}

/// One place for each hash: what comes later takes the place.
type Recent = Vec<Option<(Box<[u8]>, Agent)>>;

thread_local! {
    static RECENT: RefCell<Recent> = const { RefCell::new(Vec::new()) };
}

/// The User-Agent of a request.
pub fn of(headers: &HeaderMap) -> Agent {
    let raw = headers.get(USER_AGENT).map_or(&b""[..], |value| value.as_bytes());
    RECENT.with_borrow_mut(|recent| {
        if recent.is_empty() {
            recent.resize(REMEMBERED, None);
        }
        let mut hasher = DefaultHasher::new();
        raw.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % REMEMBERED as u64).unwrap_or(0);
        match &recent[place] {
            Some((known, agent)) if **known == *raw => agent.clone(),
            _ => {
                let agent = read(raw);
                recent[place] = Some((raw.into(), agent.clone()));
                agent
            }
        }
    })
}

fn read(raw: &[u8]) -> Agent {
    let text = cleaned(raw);
    let phone = UserAgent::parse(&text, models()).map(Arc::new);
    Agent { text: text.into(), phone }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn a_text_is_read_once_and_never_taken_for_another() {
        let headers = |n: usize| {
            let mut headers = HeaderMap::new();
            let text = format!("FileTransport PolycomVVX-VVX_500-UA/5.9.7.{n} Type/Application");
            headers.insert(USER_AGENT, HeaderValue::from_str(&text).expect("a header value"));
            headers
        };
        for n in 0..2 * REMEMBERED {
            let version = of(&headers(n)).phone.and_then(|phone| phone.version.clone());
            assert_eq!(version, Some(format!("5.9.7.{n}")));
        }
        assert!(Arc::ptr_eq(&of(&headers(1)).text, &of(&headers(1)).text));
        assert!(of(&HeaderMap::new()).phone.is_none());
    }
}
