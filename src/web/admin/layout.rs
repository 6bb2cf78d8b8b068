//! What every page has: title, menu, signed-in person, message, form token, clock. Templates extend `base.html` and hold a
//! [`Page`] in a field named `page`.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::http::{Method, StatusCode};
use askama::Template;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

use super::assets;
use super::flash::Flash;
use super::impact::Panel;
use super::theme::Theme;
use super::view_bar::{NotUnderstood, ViewBar};
use crate::domain::user::Role;
use crate::web::route_roles;

/// The frame of one page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Title of the page, in its heading and in the browser's tab.
    pub title: String,
    /// Name of the person signed in; none on the pages that need nobody.
    pub user: Option<String>,
    /// What that person may do.
    pub role: Option<Role>,
    /// Token that every form repeats.
    pub csrf: String,
    /// Seconds until the session ends unless it is used again; none where nobody is signed in.
    pub session_seconds: Option<i64>,
    /// The message of the last action.
    pub flash: Option<Flash>,
    /// Whether this is a demonstration with simulated phones.
    pub demo: bool,
    /// Light, dark or as the system says.
    pub theme: Theme,
    /// Path and query of this page.
    pub here: String,
    /// Whether there are people or rooms: until then the menu does not speak of them (R156).
    pub people: bool,
    /// How many phones wait for somebody to let them in.
    pub pending: usize,
    /// The moment the page is made.
    pub now: Timestamp,
    /// Zone that times are shown in.
    pub zone: TimeZone,
    /// The saved views of the list that this page is.
    pub views: Option<ViewBar>,
    /// Filters that the list does not understand.
    pub not_understood: Vec<NotUnderstood>,
    /// What the change does to devices that this page asks about; its forms carry the mark of it.
    pub impact: Option<Arc<Panel>>,
}

/// One block of the left menu.
#[derive(Clone, Debug)]
pub struct MenuBlock {
    /// Heading.
    pub title: &'static str,
    /// Entries.
    pub items: Cow<'static, [MenuItem]>,
}

/// One entry of the left menu, under the guide's name (R28).
#[derive(Clone, Copy, Debug)]
pub struct MenuItem {
    /// Address.
    pub path: &'static str,
    /// The guide's name of the page.
    pub label: &'static str,
    /// Icon of `static/icons.svg`.
    pub icon: &'static str,
}

const fn item(path: &'static str, label: &'static str, icon: &'static str) -> MenuItem {
    MenuItem { path, label, icon }
}

/// The page whose menu entry tells how many wait.
const PENDING: &str = "/admin/pending";

/// The page that the menu has only once there is something on it or beside it.
const PEOPLE: &str = "/admin/people";
/// The pages that belong to the same entry, and all of them as they are declared.
const BESIDE_PEOPLE: [&str; 2] = ["/admin/person-groups", "/admin/rooms"];
const PEOPLE_DECLARED: &str = "/admin/{kind:people|person-groups|rooms}";

const MENU: &[MenuBlock] = &[
    MenuBlock { title: "Overview", items: Cow::Borrowed(&[item("/admin/", "Dashboard", "dashboard")]) },
    MenuBlock {
        title: "Devices",
        items: Cow::Borrowed(&[
            item("/admin/sites", "Sites", "site"),
            item("/admin/devices", "Device Monitor", "device"),
            item("/admin/groups", "Device Groups", "group"),
            item(PEOPLE, "People and Rooms", "user"),
            item(PENDING, "Pending", "open"),
            item("/admin/unknown-phones", "Unknown Phones", "unknown"),
            item("/admin/coming-up", "A Phone Coming Up", "up"),
        ]),
    },
    MenuBlock {
        title: "Configuration",
        items: Cow::Borrowed(&[
            item("/admin/profiles", "Profile Configuration", "profile"),
            item("/admin/deployment", "Profile Deployment", "deployment"),
            item("/admin/resources", "Resource Files", "resource"),
            item("/admin/software", "Software", "download"),
            item("/admin/provisioning", "Provisioning Settings", "settings"),
        ]),
    },
    MenuBlock {
        title: "Administration",
        items: Cow::Borrowed(&[
            item("/admin/activity", "Activity Log", "activity"),
            item("/admin/recycle-bin", "Recycle Bin", "trash"),
            item("/admin/users", "Users", "user"),
            item("/admin/tokens", "API Tokens", "key"),
            item("/admin/backups", "Backups", "download"),
            item("/admin/storage", "Storage", "storage"),
        ]),
    },
];

impl Page {
    /// The address of a file below `static/`.
    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    /// The left menu: what the person may open.
    pub fn menu(&self) -> Vec<MenuBlock> {
        let open = |block: &MenuBlock| MenuBlock {
            title: block.title,
            items: block.items.iter().filter(|item| self.may_open(item.path) && self.is_used(item.path)).copied().collect(),
        };
        MENU.iter().map(open).filter(|block| !block.items.is_empty()).collect()
    }

    fn is_used(&self, path: &str) -> bool {
        self.people || path != PEOPLE
    }

    /// Whether the person may open the page at this address of [`route_roles`].
    pub fn may_open(&self, path: &str) -> bool {
        let path = if path == PEOPLE { PEOPLE_DECLARED } else { path };
        route_roles::least(&Method::GET, path).role().is_none_or(|least| self.role >= Some(least))
    }

    /// Whether the person decides about phones at the door.
    pub fn may_admit(&self) -> bool {
        self.role >= Some(Role::Operator)
    }

    /// Whether the person changes what an account holds.
    pub fn may_edit(&self) -> bool {
        self.role >= Some(Role::AccountAdmin)
    }

    /// Whether the person runs the whole installation.
    pub fn is_owner(&self) -> bool {
        self.role == Some(Role::Owner)
    }

    /// Whether this page is the one of a menu entry or belongs to it.
    pub fn is_below(&self, path: &str) -> bool {
        let here = self.path();
        let is_at = |path: &str| here == path || here.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        match path {
            "/admin/" => here == path,
            PEOPLE => is_at(PEOPLE) || BESIDE_PEOPLE.into_iter().any(is_at),
            path => is_at(path),
        }
    }

    /// How many wait behind a menu entry.
    pub fn waiting(&self, path: &str) -> Option<usize> {
        (path == PENDING && self.pending > 0).then_some(self.pending)
    }

    /// Whether this page is the one of a tab, query aside.
    pub fn is_at(&self, path: &str) -> bool {
        self.path() == path
    }

    /// A time as people write it, with its zone (R55).
    pub fn exact(&self, at: &Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// A time in words, seen from now.
    pub fn ago(&self, at: &Timestamp) -> String {
        ago(self.now, *at)
    }

    fn path(&self) -> &str {
        self.here.split('?').next().unwrap_or_default()
    }
}

/// A time in words, seen from another: `just now`, `5 min ago`, `in 3 h`; days from two on, then dates.
pub fn ago(now: Timestamp, at: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs();
    let amount = match seconds.unsigned_abs() {
        0..45 => return "just now".to_owned(),
        s @ 45..5_400 => format!("{} min", (s + 30) / 60),
        s @ 5_400..172_800 => format!("{} h", (s + 1_800) / 3_600),
        s @ 172_800..5_184_000 => format!("{} days", (s + 43_200) / 86_400),
        _ => return at.strftime("%Y-%m-%d").to_string(),
    };
    if seconds >= 0 { format!("{amount} ago") } else { format!("in {amount}") }
}

/// A count with its bar and, where one shows exactly these, the link to the list (R22, R25).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// What is counted.
    pub label: String,
    /// How many.
    pub count: usize,
    /// Length of the bar against the longest, 0 to 100.
    pub percent: usize,
    /// The list of exactly these.
    pub href: Option<String>,
}

impl Bar {
    /// Bars for counts, in the order given; the longest fills the line, and what there is little of is still seen.
    pub fn list(counts: impl IntoIterator<Item = (String, usize, Option<String>)>) -> Vec<Self> {
        let counts: Vec<_> = counts.into_iter().collect();
        let most = counts.iter().map(|(_, count, _)| *count).max().unwrap_or(0).max(1);
        counts
            .into_iter()
            .map(|(label, count, href)| Self { label, count, percent: (count * 100 / most).max(count.min(1)), href })
            .collect()
    }
}

/// Asks before something that cannot be taken back: what will happen, for how many, and what to press.
#[derive(Template)]
#[template(path = "confirm.html")]
pub struct ConfirmPage {
    /// Frame; its title is the question.
    pub page: Page,
    /// What will happen (contract 5.15).
    pub sentences: Vec<String>,
    /// Where the form goes.
    pub action: String,
    /// Hidden fields.
    pub fields: Vec<(String, String)>,
    /// Ways to do it, of which one is chosen; the first is offered.
    pub choices: Vec<Choice>,
    /// Label of the button that does it.
    pub verb: &'static str,
    /// Whether nothing is lost by it: then the button does not warn.
    pub is_harmless: bool,
    /// Where *Cancel* leads.
    pub back: String,
}

/// One way of several.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Field.
    pub name: &'static str,
    /// Value.
    pub value: &'static str,
    /// Label.
    pub label: &'static str,
    /// What it means.
    pub hint: &'static str,
}

/// A page that says what went wrong and where to go from here.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Frame; its title says what went wrong.
    pub page: Page,
    /// HTTP status.
    pub status: u16,
    /// Cause and next step.
    pub sentences: Vec<String>,
    /// What the log knows the request by.
    pub request_id: Option<String>,
    /// Where to go.
    pub href: String,
    /// What is there.
    pub action: &'static str,
}

/// Answers a page with 200.
pub fn html(page: &impl Template) -> HttpResponse {
    html_with(StatusCode::OK, page)
}

/// Answers a form again that was rejected, with 422.
pub fn html_rejected(page: &impl Template) -> HttpResponse {
    html_with(StatusCode::UNPROCESSABLE_ENTITY, page)
}

/// Answers a page with any status.
pub fn html_with(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(text) => HttpResponse::build(status).insert_header(ContentType::html()).body(text),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            HttpResponse::InternalServerError().insert_header(ContentType::plaintext()).body("the page could not be made\n")
        }
    }
}

/// Sends the browser to another page after something was done.
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((actix_web::http::header::LOCATION, path)).finish()
}

/// The moment cut to seconds: what forms and lists show.
pub fn to_second(at: Timestamp) -> Timestamp {
    at.round(Unit::Second).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + n).expect("a time in range")
    }

    #[test]
    fn times_are_told_in_words() {
        let now = seconds(0);
        for (at, words) in
            [(-10, "just now"), (-300, "5 min ago"), (-7_200, "2 h ago"), (-259_200, "3 days ago"), (3_600, "in 60 min")]
        {
            assert_eq!(ago(now, seconds(at)), words);
        }
        assert_eq!(ago(now, seconds(-90 * 86_400)), "2026-10-17");
    }

    #[test]
    fn the_longest_bar_fills_the_line_and_none_divides_by_zero() {
        let bars = Bar::list([("VVX".to_owned(), 4, None), ("CCX".to_owned(), 1, None)]);
        assert_eq!(bars.iter().map(|b| b.percent).collect::<Vec<_>>(), [100, 25]);
        let bars = Bar::list([("VVX".to_owned(), 4_900, None), ("CCX".to_owned(), 1, None)]);
        assert_eq!(bars.iter().map(|b| b.percent).collect::<Vec<_>>(), [100, 1]);
        assert_eq!(Bar::list([("none".to_owned(), 0, None)])[0].percent, 0);
    }
}
