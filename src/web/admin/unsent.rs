//! What was typed into a form whose session had ended when it was sent (R15): it is kept while its person signs in, and then
//! given back in the form, to be looked at and sent again. Nothing is ever done by itself: whoever signs in may be another
//! person, and is then given nothing. Secrets are not kept; they are typed again.

use actix_web::HttpRequest;

use super::devices::with_secrets_masked;
use super::flash::{self, Flash, FlashKind};
use super::flash_choice;
use super::forms::Form;
use super::next::LocalPath;
use super::session::SignedIn;
use crate::domain::ids::UserId;
use crate::domain::parameter;
use crate::services::Services;
use crate::services::unsent_forms::Unsent;

/// Names the form in the address of its page.
pub const PARAMETER: &str = "unsent";
/// Stands for a form whose text is not given back: a button, or passwords alone.
const NOTHING_KEPT: &str = "none";

/// Keeps a form that cannot be taken now and answers the page that gives it back; `fallback` is the page that it stood on.
pub fn keep(services: &Services, action: &str, body: &[u8], owner: Option<UserId>, fallback: &LocalPath) -> LocalPath {
    let form = Form::from_urlencoded(body).unwrap_or_default();
    let is_empty = form.pairs().all(|(name, _)| name == "csrf");
    let kept = owner.filter(|_| !is_empty).zip(page_of(action, &form));
    let Some((owner, page)) = kept else { return with(fallback.as_str(), NOTHING_KEPT) };
    let typed: Vec<(String, String)> =
        form.pairs().filter(|(name, _)| *name != "csrf").map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let fields: Vec<_> = typed.iter().filter(|(name, value)| !is_secret(&form, name, value)).cloned().collect();
    let lacks_secrets = fields.len() < typed.len();
    let unsent = Unsent { owner, action: action.to_owned(), fields, lacks_secrets, at: services.clock().now() };
    with(&page, &services.unsent_forms().put(unsent))
}

/// The form that the address of a page names, with where it was sent to; the page then says how it came back.
pub fn given_back(request: &HttpRequest, who: &SignedIn, services: &Services) -> Option<(String, Form)> {
    let word = word(request).filter(|word| word != NOTHING_KEPT)?;
    let Some(unsent) = services.unsent_forms().get(&word, who.person.id, services.clock().now()) else {
        flash::put(
            who.session(),
            FlashKind::Warn,
            "What was typed here before was not kept any longer, or somebody else typed it. Nothing was saved.",
        );
        return None;
    };
    let secrets = if unsent.lacks_secrets { " Passwords and other secrets were not kept: type them again." } else { "" };
    let text = format!(
        "You were not signed in any more, so nothing is saved yet. What you typed is back in its form: look at it and save it.{secrets}"
    );
    flash::put(who.session(), FlashKind::Warn, text);
    Some((unsent.action, Form::filled(unsent.fields)))
}

/// The form that the address of a page names, if it was sent to this address.
pub fn given_back_from(action: &str, request: &HttpRequest, who: &SignedIn, services: &Services) -> Option<Form> {
    given_back(request, who, services).filter(|(sent_to, _)| sent_to == action).map(|(_, form)| form)
}

/// What a page says to which a person came back whose form held nothing to give back.
pub fn told(request: &HttpRequest) -> Option<Flash> {
    let text = "You were not signed in any more, so the last step was not done. Nothing was changed; do it again.";
    (word(request)? == NOTHING_KEPT).then(|| Flash { kind: FlashKind::Warn, text: text.to_owned(), undo: None })
}

fn word(request: &HttpRequest) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).ok()?;
    pairs.into_iter().find(|(name, _)| name == PARAMETER).map(|(_, word)| word)
}

fn with(page: &str, word: &str) -> LocalPath {
    let page = page.split('#').next().unwrap_or_default();
    LocalPath::or_home(&format!("{page}{}{PARAMETER}={word}", if page.contains('?') { '&' } else { '?' }))
}

/// The page whose form has this address, for forms with text that somebody typed.
fn page_of(action: &str, form: &Form) -> Option<String> {
    let parts: Vec<&str> = action.strip_prefix("/admin/")?.split('/').collect();
    let page = |path: String| LocalPath::parse(&path).map(|path| path.as_str().to_owned());
    match parts[..] {
        ["provisioning", "address" | "account" | "time" | "base"] => page("/admin/provisioning".to_owned()),
        ["devices", "delete" | "blocked"] | ["profiles", "delete"] | ["sites", "delete" | "moves" | "import"] => None,
        ["sites", _] | ["sites", _, "public" | "private"] => page(action.to_owned()),
        ["devices", _] | ["profiles", _] | ["profiles", _, "copy"] => page(action.to_owned()),
        ["profiles", id, "parameters"] if form.is("do", "change") => {
            let edit = serde_urlencoded::to_string([("edit", form.value("name"))]).ok()?;
            page(format!("/admin/profiles/{id}?{edit}"))
        }
        ["profiles", id, "parameters"] if form.is("do", "add") => page(format!("/admin/profiles/{id}")),
        ["profiles", id, "paste"] => page(format!("/admin/profiles/{id}")),
        _ => None,
    }
}

fn is_secret(form: &Form, name: &str, value: &str) -> bool {
    match name {
        "value" => parameter::masked(form.value("name"), value) != value,
        "new_value" => parameter::masked(form.value("new_name"), value) != value,
        "xml" => with_secrets_masked(value.as_bytes()) != value.as_bytes(),
        _ if flash_choice::is_field(name) => !value.is_empty(),
        _ => !value.is_empty() && (name.contains("password") || name.starts_with("secret-") || name == "confirm_code"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(action: &str, fields: &[(&str, &str)]) -> Option<String> {
        page_of(action, &Form::filled(fields.iter().copied()))
    }

    #[test]
    fn a_form_goes_back_to_the_page_that_it_stands_on() {
        let change = [("do", "change"), ("name", "a.b&c")];
        assert_eq!(page("/admin/profiles/7/parameters", &change).as_deref(), Some("/admin/profiles/7?edit=a.b%26c"));
        for (action, expected) in [
            ("/admin/provisioning/time", "/admin/provisioning"),
            ("/admin/devices/0004f2abcdef", "/admin/devices/0004f2abcdef"),
            ("/admin/devices/add", "/admin/devices/add"),
            ("/admin/profiles/7/copy", "/admin/profiles/7/copy"),
            ("/admin/profiles/7/paste", "/admin/profiles/7"),
        ] {
            assert_eq!(page(action, &[]).as_deref(), Some(expected), "{action}");
        }
        for action in
            ["/admin/devices/delete", "/admin/deployment", "/admin/account/password", "/admin/sign-out", "/setup", "/admin//evil"]
        {
            assert_eq!(page(action, &[]), None, "{action}");
        }
    }

    #[test]
    fn secrets_are_told_from_other_texts() {
        let form = Form::filled([("name", "reg.1.auth.password"), ("new_name", "reg.1.label")]);
        for (name, value, expected) in [
            ("password", "x", true),
            ("confirm_password", "x", true),
            ("confirm_code", "123456", true),
            ("password", "", false),
            ("value", "x", true),
            ("new_value", "x", false),
            ("xml", "<a reg.1.label=\"x\"/>", false),
            ("xml", "<a reg.1.auth.password=\"x\"/>", true),
            ("description", "x", false),
            ("impact_value.device.auth.localUserPassword", "x", true),
        ] {
            assert_eq!(is_secret(&form, name, value), expected, "{name} {value}");
        }
    }

    #[test]
    fn the_word_joins_whatever_query_there_is() {
        assert_eq!(with("/admin/devices", "w").as_str(), "/admin/devices?unsent=w");
        assert_eq!(with("/admin/profiles/7?edit=a#edit", "w").as_str(), "/admin/profiles/7?edit=a&unsent=w");
    }
}
