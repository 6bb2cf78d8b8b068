//! The preview of an import: added, changed, unchanged, left out and refused, each with its rows (R122).

use std::sync::Arc;

use askama::Template;

use crate::domain::import::{ImportPreview, LeaveOut};
use crate::domain::parameter::ParameterSet;
use crate::domain::profile::Profile;
use crate::domain::provision::warnings_of;
use crate::domain::schema::Schema;
use crate::domain::schema::advice::Advice;
use crate::domain::world::World;
use crate::services::schema;
use crate::web::admin::layout::Page;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::parameter_help::{AdviceView, Help};
use crate::web::admin::words::{self, Shown};

/// Rows of each group that are shown at once; a group of its own page has them all.
const AT_ONCE: usize = 50;

/// The page.
#[derive(Template)]
#[template(path = "profiles/preview.html")]
pub struct PreviewPage {
    page: Page,
    /// Path of the profile, and its name.
    profile: (String, String),
    revision: u64,
    token: String,
    source: String,
    /// How much was read, in words.
    read: String,
    notice: Option<String>,
    groups: Vec<Group>,
    refused: Vec<Refusal>,
    accept: String,
    reach: String,
    /// What phones would make of the profile that may not be meant.
    warnings: Vec<String>,
    /// What the dictionary finds odd about what would be added or changed.
    advice: AdviceView,
}

/// Parameters that the same happens to.
struct Group {
    id: &'static str,
    title: &'static str,
    /// The title in a word or two.
    short: &'static str,
    note: &'static str,
    count: usize,
    rows: Vec<Row>,
    /// Whether the profile's own values are shown beside.
    has_old: bool,
    /// The box that takes them all the same: value and label.
    keep: Option<(&'static str, String)>,
    /// Link to all rows, where some are left away.
    all: Option<String>,
    /// Where we are, on the page of this group alone.
    pager: Option<Pager>,
}

struct Row {
    name: String,
    old: Option<Shown>,
    new: Shown,
    help: Help,
}

struct Refusal {
    place: String,
    name: String,
    reason: String,
}

/// Name, value in the profile where it is shown, value in the file.
type Line<'a> = (&'a str, Option<&'a str>, &'a str);

impl PreviewPage {
    /// The preview of what a file would change in a profile.
    #[expect(clippy::too_many_arguments, reason = "the page has this many facts, each from another place")]
    pub fn new(
        page: Page,
        profile: &Profile,
        source: &str,
        token: &str,
        shown: &ImportPreview,
        list: &ListQuery,
        changed_by: Option<String>,
        reach: usize,
        world: &World,
    ) -> Self {
        let taken = shown.added.len() + shown.changed.len() + shown.unchanged.len();
        let read = taken + shown.left_out.len() + shown.of_xml.len() + shown.refused.len();
        let notice = changed_by.map(|by| {
            format!("{by} changed this profile since you sent the file. The preview compares with the profile as it is now: look again before you accept.")
        });
        let changes = shown.added.len() + shown.changed.len();
        Self {
            page,
            profile: (format!("/admin/profiles/{}", profile.id), profile.name.to_string()),
            revision: profile.revision,
            token: token.to_owned(),
            source: source.to_owned(),
            read: words::count(read, "attribute", "attributes"),
            notice,
            groups: groups(world.schemas.current(), shown, &profile.parameters, list),
            refused: refusals(shown),
            warnings: warnings(profile, shown, world),
            advice: AdviceView::of(&advice(world.schemas.current(), shown)),
            accept: format!("Accept {}", words::count(changes, "change", "changes")),
            reach: match reach {
                0 => "The profile is deployed nowhere: no phone changes.".to_owned(),
                number => {
                    format!("{} when they next come.", words::count(number, "device gets the change", "devices get the changes"))
                }
            },
        }
    }
}

/// What phones would make of the profile after the import.
fn warnings(profile: &Profile, shown: &ImportPreview, world: &World) -> Vec<String> {
    let mut after = profile.clone();
    shown.apply(&mut after.parameters);
    warnings_of([&after], world).iter().map(ToString::to_string).collect()
}

/// What the dictionary finds odd about what would be added or changed.
fn advice(schema: &Schema, shown: &ImportPreview) -> Vec<Advice> {
    let added = shown.added.iter().map(|one| (one.name.clone(), Arc::from(&*one.value)));
    let changed = shown.changed.iter().map(|one| (one.name.clone(), Arc::from(&*one.new)));
    schema::advise(schema, &added.chain(changed).collect())
}

fn groups(schema: &Schema, shown: &ImportPreview, present: &ParameterSet, list: &ListQuery) -> Vec<Group> {
    let left_out = |why: LeaveOut| -> Vec<Line<'_>> {
        let of_kind = shown.left_out.iter().filter(move |one| one.why == why);
        of_kind.map(|one| (one.name.as_str(), present.get(one.name.as_str()), &*one.value)).collect()
    };
    let added = shown.added.iter().map(|one| (one.name.as_str(), None, &*one.value)).collect();
    let changed = shown.changed.iter().map(|one| (one.name.as_str(), Some(&*one.old), &*one.new)).collect();
    let unchanged = shown.unchanged.iter().map(|one| (one.name.as_str(), None, &*one.value)).collect();
    let of_xml = shown.of_xml.iter().map(|one| (one.name.as_str(), None, one.value.as_str())).collect();
    let empty = left_out(LeaveOut::Empty);
    let mut defaults = left_out(LeaveOut::Default);
    defaults.extend(left_out(LeaveOut::NotSet));
    let take = |count: usize, what: &str| {
        format!("Take {} all the same", if count == 1 { format!("the one that {what}") } else { format!("these {count}") })
    };
    let (take_empty, take_defaults) = (take(empty.len(), "is empty"), take(defaults.len(), "is left out"));
    [
        group("added", "Added", "New to this profile.", added, None, (schema, list)),
        group("changed", "Changed", "The profile has another value: the latest edit wins.", changed, None, (schema, list)),
        group(
            "empty",
            "Left out: empty",
            "An empty value says nothing to a phone.",
            empty,
            Some(("empty", take_empty)),
            (schema, list),
        ),
        group(
            "defaults",
            "Left out: default, or switched off",
            "What phones do anyway, values whose .set twin says 0, and such twins without a value.",
            defaults,
            Some(("defaults", take_defaults)),
            (schema, list),
        ),
        group(
            "xml",
            "Left out: of XML itself",
            "Namespaces and the place of a schema. No phone reads them as parameters.",
            of_xml,
            None,
            (schema, list),
        ),
        group("unchanged", "Unchanged", "The profile has them already.", unchanged, None, (schema, list)),
    ]
    .into_iter()
    .filter(|group| group.count > 0)
    .collect()
}

fn group(
    id: &'static str,
    title: &'static str,
    note: &'static str,
    lines: Vec<Line<'_>>,
    keep: Option<(&'static str, String)>,
    (schema, list): (&Schema, &ListQuery),
) -> Group {
    let alone = list.filter("show") == Some(id);
    let others = list.filter("show").is_some() && !alone;
    let pager = alone.then(|| list.pager(lines.len()));
    let range = match &pager {
        Some(pager) => pager.range(),
        // Unchanged values are counted; who wants to see them asks for the group.
        None if others || id == "unchanged" => 0..0,
        None => 0..lines.len().min(AT_ONCE),
    };
    let has_old = lines.iter().any(|(_, old, _)| old.is_some());
    let row = |(name, old, new): &Line<'_>| Row {
        name: (*name).to_owned(),
        old: old.map(|old| Shown::of(name, old)),
        new: Shown::of(name, new),
        help: Help::of(schema, name, Some(new)),
    };
    let all = (pager.is_none() && range.len() < lines.len()).then(|| list.with(&[("show", id), ("page", "")]));
    Group {
        id,
        title,
        short: title.split(',').next().unwrap_or(title),
        note,
        count: lines.len(),
        rows: lines[range].iter().map(row).collect(),
        has_old,
        keep,
        all,
        pager,
    }
}

/// What cannot be taken, and what the file says more than once.
fn refusals(shown: &ImportPreview) -> Vec<Refusal> {
    let refused =
        shown.refused.iter().map(|one| Refusal { place: one.at.to_string(), name: one.name.clone(), reason: one.reason.clone() });
    let twice = shown.conflicts.iter().filter(|one| one.differs()).map(|one| Refusal {
        place: one.values.first().map(|(_, at)| at.to_string()).unwrap_or_default(),
        name: one.name.to_string(),
        reason: format!("stands there {} times with different values; the last one counts", one.values.len()),
    });
    refused.chain(twice).collect()
}
