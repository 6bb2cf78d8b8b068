//! What a list showed last is shown again when its person comes back, until signing out or *Reset* (R62). The address still
//! decides (R59): what it says is shown and remembered; only where it says nothing, the memory is asked, and after it the view that
//! the list opens with.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse};

use super::layout::see_other;
use super::paging::ListQuery;
use super::session::SignedIn;
use super::view_bar;

/// Where the session keeps the queries of the lists, by path.
const KEY: &str = "lists";
/// Characters of a query that is remembered.
const QUERY_CHARS: usize = 1_000;

/// What a list's address asks for, or the redirect to what was shown last. To be called before the page is made, which takes
/// the message that waits.
pub fn enter(who: &SignedIn, request: &HttpRequest, sortable: &[&'static str]) -> Result<ListQuery, Box<HttpResponse>> {
    let mut lists: BTreeMap<String, String> = who.session().get(KEY).ok().flatten().unwrap_or_default();
    let list = ListQuery::of(request, sortable).remembered();
    if request.query_string().is_empty() {
        return match lists.get(request.path()) {
            Some(query) => Err(Box::new(see_other(&format!("{}?{query}", request.path())))),
            None => match view_bar::opening(who, request) {
                Some(view) => Err(Box::new(see_other(&view))),
                None => {
                    view_bar::leave(who, request, &list);
                    Ok(list)
                }
            },
        };
    }
    if list.is_file() {
        // A file has no place for a notice: the page has.
        let is_understood = view_bar::not_understood_of(request, &list).is_empty();
        return if is_understood { Ok(list) } else { Err(Box::new(see_other(&list.link()))) };
    }
    view_bar::leave(who, request, &list);
    let query = list.lasting();
    let is_new = if query.is_empty() || query.len() > QUERY_CHARS {
        lists.remove(request.path()).is_some()
    } else {
        lists.insert(request.path().to_owned(), query.clone()).as_ref() != Some(&query)
    };
    if is_new && let Err(error) = who.session().insert(KEY, lists) {
        tracing::error!(%error, "what a list shows could not be remembered");
    }
    Ok(list)
}
