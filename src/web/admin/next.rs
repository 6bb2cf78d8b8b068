//! Where to go after signing in: only ever a page of our own, whatever the address bar was given (ADM-09).

/// Path and query of a page of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

/// Where people land who were going nowhere (R20).
pub const HOME: &str = "/admin/";

impl LocalPath {
    /// Takes a path below `/admin/` that no browser can read as another origin's; none otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let printable = text.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'\\');
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let ours = path == "/admin" || path.starts_with("/admin/");
        let loops = ["/admin/sign-in", "/admin/sign-out"].iter().any(|p| path.starts_with(p));
        let climbs = path.contains("//") || path.split('/').any(|part| part == ".." || part == ".");
        (printable && ours && !loops && !climbs && text.len() <= 2_000).then(|| Self(text.to_owned()))
    }

    /// The path as given, or the dashboard's.
    pub fn or_home(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|| Self(HOME.to_owned()))
    }

    /// The path and query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The sign-in page that leads back here.
    pub fn sign_in(&self) -> String {
        if self.0 == HOME {
            return "/admin/sign-in".to_owned();
        }
        serde_urlencoded::to_string([("next", &self.0)])
            .map_or_else(|_| "/admin/sign-in".to_owned(), |query| format!("/admin/sign-in?{query}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_ours_are_taken_with_their_query() {
        for text in ["/admin", "/admin/", "/admin/devices?q=a%20b&page=2", "/admin/devices/0004f2abcdef#runs"] {
            assert_eq!(LocalPath::parse(text).map(|p| p.0), Some(text.to_owned()));
        }
        assert_eq!(LocalPath::or_home("/admin/devices?q=x").sign_in(), "/admin/sign-in?next=%2Fadmin%2Fdevices%3Fq%3Dx");
    }

    #[test]
    fn nothing_leads_to_another_origin() {
        for text in [
            "",
            "//evil",
            "https:evil",
            "https://evil/admin/",
            "/\\evil",
            "/admin/\\evil",
            "/admin//evil",
            "/admin/../..//evil",
            "/adminevil",
            "\t//evil",
            "/admin/\r\nSet-Cookie:x",
            "javascript:alert(1)",
            "/admin/sign-in?next=/admin/sign-in",
        ] {
            assert_eq!(LocalPath::parse(text), None, "{text:?}");
            assert_eq!(LocalPath::or_home(text).as_str(), HOME);
        }
    }
}
