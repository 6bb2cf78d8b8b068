//! The dashboard: counts that lead to their lists, what needs attention, what is left to set up (R8, R20–R27).

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;

use super::failure::Failure;
use super::layout::{Bar, Page, html};
use super::paging::PER_PAGE_MOST;
use super::session::SignedIn;
use super::words;
use crate::domain::activity::Activity;
use crate::domain::deployment::Place;
use crate::domain::device_list::{LastResult, Status};
use crate::domain::ids::{DEFAULT_ACCOUNT, GroupId, SiteId};
use crate::domain::pending::{Pending, RefusedDevice, Standing, word};
use crate::domain::run::Reason;
use crate::domain::world::World;
use crate::services::Services;
use crate::services::activity;
use crate::services::address::Address;
use crate::services::alerts;
use crate::services::pending;
use crate::services::presence;
use crate::services::roster::Counts;
use crate::services::warnings::{self, MendedAt, Warning};
use crate::web::blocking;
use crate::web::methods::Routes;

/// How many of the last activities are shown.
const ACTIVITIES: usize = 8;
/// Sites that are counted; the list has them all.
const SITES_SHOWN: usize = 10;
/// How many groups are shown.
const GROUPS_SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    page: Page,
    alerts: Vec<Alert>,
    checklist: Vec<Step>,
    /// How many steps of the checklist are done.
    done: usize,
    figures: Vec<Figure>,
    panes: Vec<Pane>,
    activities: Vec<Activity>,
}

/// Something that needs attention.
#[derive(Clone)]
struct Alert {
    tone: &'static str,
    text: String,
    /// Where it is mended; empty where no page does.
    href: String,
    action: &'static str,
}

/// A step of the way from an empty server to a provisioned phone; real state ticks it (R8).
struct Step {
    done: bool,
    title: &'static str,
    text: &'static str,
    href: &'static str,
    action: &'static str,
}

/// A count that leads to the list of exactly these devices (R21).
struct Figure {
    count: usize,
    label: &'static str,
    href: String,
}

/// Counts by one property.
struct Pane {
    title: &'static str,
    bars: Vec<Bar>,
    empty: &'static str,
    /// What is to be known of it, and the list with all of it.
    note: Option<(&'static str, &'static str)>,
}

/// The address of the dashboard.
pub fn configure(routes: &mut Routes) {
    routes.get("/admin/", show).get("/admin", show);
}

async fn show(who: SignedIn, services: web::Data<Services>, address: web::Data<Address>) -> Result<HttpResponse, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let log = blocking::call(&services, move |services| {
        presence::settle(services);
        activity::newest(services, DEFAULT_ACCOUNT, ACTIVITIES)
    });
    let activities = log.await.map_err(Failure::of(&who))?;
    let page = who.page("Dashboard");
    // All that the page tells of devices comes from one walk, beside the threads that answer phones.
    let now = page.now;
    let told = blocking::call(&services, move |services| {
        Ok((warnings::list(services, &address)?, services.roster(DEFAULT_ACCOUNT).counts(now)))
    });
    let (warnings, counts) = told.await.map_err(Failure::of(&who))?;
    let pending = pending::list(&services, DEFAULT_ACCOUNT);
    let checklist = checklist(&world, &counts);
    let mut alerts = alerts(&page, &world, &counts, warnings, &alerts::refused_together(&services, DEFAULT_ACCOUNT));
    alerts.extend(waiting(&pending));
    alerts.extend(moves(&counts));
    Ok(html(&DashboardPage {
        alerts,
        done: checklist.iter().filter(|step| step.done).count(),
        checklist,
        figures: figures(&counts),
        panes: panes(&counts, &world),
        activities,
        page,
    }))
}

fn alerts(page: &Page, world: &World, counts: &Counts, warnings: Vec<Warning>, refused: &[RefusedDevice]) -> Vec<Alert> {
    const SETTINGS: (&str, &str) = ("/admin/provisioning", "Provisioning Settings");
    const BACKUPS: &str = "/admin/backups";
    const STORAGE: &str = "/admin/storage";
    let mut alerts = Vec::new();
    let mut tell =
        |tone, text: String, (href, action): (&str, _)| alerts.push(Alert { tone, text, href: href.to_owned(), action });
    if !world.account.provisioning.enabled {
        tell("warn", "Phones are not served: every one is told to come back later and keeps what it has.".to_owned(), SETTINGS);
    }
    let networks = &world.account.admission.legacy_http;
    if !networks.is_empty() {
        let names: Vec<String> = networks.iter().map(ToString::to_string).collect();
        let text =
            format!("Phones in {} are served over plain HTTP: everybody there can read their configuration.", names.join(", "));
        tell("warn", text, SETTINGS);
    }
    for Warning { is_urgent, text, place } in warnings {
        let tone = if is_urgent { "bad" } else { "warn" };
        match place {
            MendedAt::Settings => tell(tone, text, SETTINGS),
            MendedAt::Ca => tell(tone, text, ("/admin/provisioning/ca", "See who")),
            MendedAt::PhoneCertificates => tell(tone, text, ("/admin/provisioning/phone-certificates#lists", "See the lists")),
            MendedAt::Profile(id) => tell(tone, text, (&format!("/admin/profiles/{id}"), "Open the profile")),
            MendedAt::Machine => tell(tone, text, ("", "")),
            // Everybody is told; only who may open the page is led there.
            MendedAt::Storage => tell(tone, text, (if page.may_open(STORAGE) { STORAGE } else { "" }, "Storage")),
            MendedAt::Backups => tell(tone, text, (if page.may_open(BACKUPS) { BACKUPS } else { "" }, "Backups")),
            MendedAt::Unbinding => {
                let (href, action) = unbinding(page, refused);
                tell(tone, text, (&href, action));
            }
            MendedAt::Refused => tell(tone, text, (&format!("/admin/pending?reason={}", word(Reason::Bound)), "Pending")),
            MendedAt::Pending => tell(tone, text, ("/admin/pending", "Pending")),
        }
    }
    let failed = counts.result(LastResult::Failed);
    if failed > 0 {
        let who = if failed == 1 { "1 device".to_owned() } else { format!("{failed} devices") };
        let text = format!("{who} did not take the whole configuration at the last run.");
        tell("bad", text, ("/admin/devices?result=failed", "Show them and why"));
    }
    alerts
}

/// Where these bound devices are unbound, for whoever may.
fn unbinding(page: &Page, refused: &[RefusedDevice]) -> (String, &'static str) {
    const UNBIND: &str = "/admin/pending/unbind";
    let keys: Vec<_> =
        refused.iter().filter(|one| one.is_by_shared).take(PER_PAGE_MOST).map(|one| ("select", one.key.to_string())).collect();
    let query = serde_urlencoded::to_string(keys).unwrap_or_default();
    match page.may_open(UNBIND) {
        true => (format!("{UNBIND}?back=/admin/&{query}"), "Unbind these"),
        false => ("/admin/pending".to_owned(), "Pending"),
    }
}

fn waiting(pending: &[Pending]) -> Option<Alert> {
    let waiting = pending.iter().filter(|one| one.standing == Standing::Waiting).count();
    let who = words::count(waiting, "phone waits", "phones wait");
    let href = format!("/admin/pending?standing={}", Standing::Waiting.word());
    (waiting > 0).then(|| Alert { tone: "warn", text: format!("{who} to be let in."), href, action: "Pending" })
}

fn moves(counts: &Counts) -> Option<Alert> {
    let waiting = counts.waiting_moves;
    let text = format!("{} in no site's network any more.", words::count(waiting, "device is", "devices are"));
    (waiting > 0).then(|| Alert { tone: "warn", text, href: "/admin/sites/moves".to_owned(), action: "Pending moves" })
}

fn checklist(world: &World, counts: &Counts) -> Vec<Step> {
    let step = |done, title, text, href, action| Step { done, title, text, href, action };
    let on_global = world.deployment.get(&Place::Global).is_some_and(|profiles| !profiles.is_empty());
    let came = counts.never_seen < counts.total;
    let complete = counts.result(LastResult::Success) > 0;
    vec![
        step(true, "Set the server up", "", "/admin/provisioning", "Provisioning Settings"),
        step(
            !world.profiles.is_empty() || on_global,
            "Create a profile",
            "A profile is a named set of parameters: type them, bring the configuration file that you have, or take a standard one.",
            "/admin/profiles",
            "Profile Configuration",
        ),
        step(
            on_global,
            "Put it on Global",
            "What is on Global goes to every phone; a profile on a single device beats it.",
            "/admin/deployment",
            "Profile Deployment",
        ),
        step(
            came,
            "Point a phone here",
            "Give phones the provisioning address by DHCP, or type it on one. A phone that comes is added by itself.",
            "/admin/provisioning",
            "How to do it",
        ),
        step(
            complete,
            "See the first phone provisioned",
            "It is provisioned when it has fetched every file. The tab Runs on its page in the Device Monitor tells each step; a phone that got nothing is found here, with the reason:",
            "/admin/unknown-phones",
            "Unknown Phones",
        ),
    ]
}

fn figures(counts: &Counts) -> Vec<Figure> {
    let of = |status: Status| {
        let count = match status {
            Status::Online => counts.online,
            Status::Offline => counts.offline,
            Status::NeverSeen => counts.never_seen,
        };
        Figure { count, label: status.label(), href: link("status", status.word()) }
    };
    let total = Figure { count: counts.total, label: "Total", href: "/admin/devices?all=".to_owned() };
    vec![of(Status::Online), total, of(Status::Offline), of(Status::NeverSeen)]
}

fn panes(counts: &Counts, world: &World) -> Vec<Pane> {
    let families = counted(&counts.families, "family", "Type not known yet");
    let models = counted(&counts.models, "model", "Model not known yet");
    let result = |wanted: LastResult| (wanted.label().to_owned(), counts.result(wanted), Some(link("result", wanted.word())));
    let results = if counts.total == 0 { Vec::new() } else { Bar::list(LastResult::ALL.iter().map(|wanted| result(*wanted))) };
    let empty = "No device yet.";
    let mut panes = vec![
        Pane { title: "Device Type", bars: families, empty, note: None },
        Pane { title: "Site", bars: by_site(counts, world), empty, note: None },
        Pane { title: "Device Model", bars: models, empty, note: None },
        Pane { title: "Result of the last run", bars: results, empty, note: None },
    ];
    if !world.groups.is_empty() {
        let note = Some(("A device in several groups counts in each of them.", "/admin/groups"));
        panes.insert(1, Pane { title: "Device Group", bars: groups(counts, world), empty, note });
    }
    panes
}

/// The groups with the most devices, also those without any (R24).
fn groups(counts: &Counts, world: &World) -> Vec<Bar> {
    let count = |id: &GroupId| counts.groups.get(id).copied().unwrap_or_default();
    let named = world.groups.values().map(|group| (group.name.to_string(), count(&group.id), group.id));
    let mut counts: Vec<_> = named.collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let counts = counts.into_iter().take(GROUPS_SHOWN);
    Bar::list(counts.map(|(name, count, id)| (name, count, Some(link("group", &id.to_string())))))
}

/// The sites with the most devices.
fn by_site(counts: &Counts, world: &World) -> Vec<Bar> {
    let name = |id: &SiteId| world.sites.get(id).map_or_else(|| id.to_string(), |site| site.name.to_string());
    let mut counts: Vec<_> = counts.sites.iter().map(|(id, count)| (name(id), *count, *id)).collect();
    counts.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    let bars = counts.into_iter().take(SITES_SHOWN);
    Bar::list(bars.map(|(name, count, id)| (name, count, Some(link("site", &id.to_string())))))
}

/// Bars for the values of one property, the most frequent first; those without a value come last and have no list.
fn counted(counts: &BTreeMap<String, usize>, filter: &str, unknown: &str) -> Vec<Bar> {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(value, count)| (value.is_empty(), std::cmp::Reverse(*count), *value));
    Bar::list(counts.into_iter().map(|(value, count)| match value.as_str() {
        "" => (unknown.to_owned(), *count, None),
        value => (value.to_owned(), *count, Some(link(filter, value))),
    }))
}

fn link(filter: &str, value: &str) -> String {
    let query = serde_urlencoded::to_string([(filter, value)]).unwrap_or_default();
    format!("/admin/devices?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_comes_first_and_each_count_leads_to_its_list() {
        let counts = [("CCX", 1), ("", 3), ("VVX", 2)].map(|(family, count)| (family.to_owned(), count)).into();
        let bars = counted(&counts, "family", "Unknown");
        let shown: Vec<_> = bars.iter().map(|bar| (bar.label.as_str(), bar.count, bar.href.as_deref())).collect();
        let expected =
            [("VVX", 2, Some("/admin/devices?family=VVX")), ("CCX", 1, Some("/admin/devices?family=CCX")), ("Unknown", 3, None)];
        assert_eq!(shown, expected);
    }
}
