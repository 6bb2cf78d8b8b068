//! Light, dark or as the system says: kept in a cookie so that the first painted page is right.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

const COOKIE: &str = "__Host-theme";

/// How pages look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The theme of the browser that asks.
    pub fn of(request: &HttpRequest) -> Self {
        request.cookie(COOKIE).map_or(Self::System, |cookie| Self::parse(cookie.value()))
    }

    /// A theme by its name; anything else follows the system.
    pub fn parse(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The cookie that keeps it; scripts need not read it.
    pub fn cookie(self) -> Cookie<'static> {
        Cookie::build(COOKIE, self.name())
            .path("/")
            .secure(true)
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(Duration::days(365))
            .finish()
    }

    /// Value of `data-theme`; none where the system decides.
    pub fn attribute(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.name())
    }

    /// What the switch is called.
    pub fn label(self) -> &'static str {
        match self {
            Self::System => "Theme: as the system",
            Self::Light => "Theme: light",
            Self::Dark => "Theme: dark",
        }
    }

    /// The choices: name and label.
    pub fn choices(self) -> [(&'static str, &'static str); 3] {
        [("system", "As the system"), ("light", "Light"), ("dark", "Dark")]
    }

    /// Whether it is the one of this name.
    pub fn is(self, name: &str) -> bool {
        self.name() == name
    }

    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}
