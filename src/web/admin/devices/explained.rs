//! An effective configuration as pages show it: searched, narrowed, in sections and in pages of bounded size. Secrets are masked before
//! they come near a template.

use jiff::Timestamp;

use crate::domain::deployment::subject;
use crate::domain::device::Device;
use crate::domain::provision::search::{SHOWN, SOURCES, Wanted, differs};
use crate::domain::provision::view::{EffectiveView, File, Layer, Row, Source};
use crate::domain::world::World;
use crate::services::deployment::Target;
use crate::services::device_files;
use crate::services::provenance::Provenance;
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::parameter_help::Help;
use crate::web::admin::words::{Shown, shortened};
use crate::web::places;

/// Bytes of long values and of what is beaten that one page opens; the rest is cut or counted. With the rows themselves a page stays
/// below 500 KB whatever profiles hold.
const OPENED_BYTES: usize = 100_000;
/// Bytes that one more layer costs, beside its value.
const LAYER_BYTES: usize = 700;

/// What a page shows of an effective configuration.
pub struct Explained {
    pub list: ListQuery,
    /// The same without search and filters; none where nothing is narrowed.
    pub reset: Option<String>,
    pub pager: Pager,
    pub sections: Vec<Section>,
    /// Where values can come from: word and label.
    pub sources: Vec<(&'static str, &'static str)>,
    /// What can be shown alone: word and label.
    pub shown: Vec<(&'static str, &'static str)>,
    pub warnings: Vec<String>,
    /// How many parameters the phone itself decides, and how many are left in its flash.
    pub overridden: usize,
    pub left_in_flash: usize,
}

/// Rows of one file.
pub struct Section {
    pub title: &'static str,
    pub note: &'static str,
    pub rows: Vec<RowView>,
}

pub struct RowView {
    pub name: String,
    pub help: Help,
    /// What a phone would do without it, where it does something else with it.
    pub default: Option<String>,
    pub winner: LayerView,
    pub beaten: Vec<LayerView>,
    /// Beaten layers for which there was no room.
    pub more: usize,
}

pub struct LayerView {
    pub value: Shown,
    pub set: Option<String>,
    pub source: String,
    pub href: Option<String>,
    /// The place that the profile is attached to, or the site whose time it is: page and name.
    pub container: Option<(String, String)>,
    /// It is no profile's: the phone's own, added by rule, the base or the device's name.
    pub ours: bool,
    /// Who did what when, and when what was served.
    pub stamps: Vec<(String, Timestamp)>,
}

/// What a list is narrowed to. Words in an address that mean nothing narrow nothing.
pub fn wanted(list: &ListQuery) -> Wanted {
    let q = list.q();
    Wanted::parse(&q, list.filter("from"), list.filter("layer"), list.filter("show"))
        .or_else(|_| Wanted::parse(&q, None, None, None))
        .unwrap_or_default()
}

/// The rows that are wanted, all of them.
pub fn found<'a>(view: &'a EffectiveView, wanted: &Wanted, world: &World) -> Vec<&'a Row> {
    view.rows.iter().filter(|row| wanted.admits(row, world, world.schemas.current())).collect()
}

impl Explained {
    /// The page of a list.
    pub fn new(
        list: ListQuery,
        view: &EffectiveView,
        found: &[&Row],
        who: &Provenance,
        (device, version): (&Device, Option<&str>),
        world: &World,
    ) -> Self {
        let pager = list.pager(found.len());
        let mut opened = OPENED_BYTES;
        let mut sections: Vec<(File, Section)> = Vec::new();
        for row in &found[pager.range()] {
            let shown = row_view(row, who, (device, version), world, &mut opened);
            match sections.last_mut().filter(|(file, _)| *file == row.file) {
                Some((_, section)) => section.rows.push(shown),
                None => sections.push((row.file, Section { rows: vec![shown], ..section(row.file) })),
            }
        }
        let speaks = |word: &str| view.rows.iter().flat_map(Row::layers).any(|layer| layer.source.word() == word);
        Self {
            sections: sections.into_iter().map(|(_, section)| section).collect(),
            sources: SOURCES
                .into_iter()
                .filter(|(word, _)| speaks(word) || list.is("from", word) || list.is("layer", word))
                .collect(),
            shown: SHOWN.into_iter().map(|(word, _, label)| (word, label)).collect(),
            warnings: view.warnings.iter().map(ToString::to_string).collect(),
            overridden: view.rows.iter().filter(|row| row.is_overridden()).count(),
            left_in_flash: view.rows.iter().filter(|row| matches!(row.winner.source, Source::Flash { .. })).count(),
            reset: reset(&list),
            list,
            pager,
        }
    }
}

/// What else stands in the address, such as the question of what a phone would get, stays.
fn reset(list: &ListQuery) -> Option<String> {
    const NARROWING: [&str; 4] = ["q", "from", "layer", "show"];
    let is_narrowed = NARROWING.iter().any(|name| list.filter(name).is_some());
    is_narrowed.then(|| list.with(&[NARROWING[0], NARROWING[1], NARROWING[2], NARROWING[3], "page"].map(|name| (name, ""))))
}

fn section(file: File) -> Section {
    let (title, note) = match file {
        File::Master => (
            "Master file",
            "What the phone is told to fetch, and where it keeps things. Lists of files are put together, everything else is overwritten.",
        ),
        File::Parameters => ("Parameters", "One file with everything that its containers say."),
        File::Phone => ("Only on the phone", "Nobody serves these: the phone keeps them by itself."),
    };
    Section { title, note, rows: Vec::new() }
}

fn row_view(
    row: &Row,
    who: &Provenance,
    (device, version): (&Device, Option<&str>),
    world: &World,
    opened: &mut usize,
) -> RowView {
    let winner = layer_view(&row.name, &row.winner, who, device, world, opened);
    let mut beaten = Vec::new();
    for layer in &row.beaten {
        if *opened < LAYER_BYTES {
            break;
        }
        *opened -= LAYER_BYTES;
        beaten.push(layer_view(&row.name, layer, who, device, world, opened));
    }
    let schema = world.schemas.current();
    let default = schema.find(&row.name).and_then(|found| found.definition.default.as_deref());
    let advise = |value| world.schemas.advise_device(device.family.as_deref(), version, &row.name, value);
    let default = default.filter(|_| differs(row, schema) == Some(true));
    RowView {
        name: row.name.clone(),
        help: Help::with(schema, &row.name, row.winner.value.as_deref().and_then(advise)),
        default: default.map(|default| shortened(if default.is_empty() { "empty" } else { default }, 80)),
        winner,
        more: row.beaten.len() - beaten.len(),
        beaten,
    }
}

/// One source's word as pages show it. `opened` is what a page may still open of long values.
pub fn layer_view(name: &str, layer: &Layer, who: &Provenance, device: &Device, world: &World, opened: &mut usize) -> LayerView {
    let (href, container) = links(&layer.source, device, world);
    let source = match &layer.source {
        Source::Profile { name, .. } => name.clone(),
        other => other.describe(),
    };
    let mut value = layer.value.as_deref().map_or_else(Shown::absent, |value| Shown::of(name, value));
    let cost = escaped_bytes(&value.rest);
    if cost > *opened {
        value.rest = String::new();
        value.text.push('…');
    } else {
        *opened -= cost;
    }
    LayerView {
        value,
        set: layer.set.clone(),
        ours: !matches!(layer.source, Source::Profile { .. }),
        source,
        href,
        container,
        stamps: stamps(name, &layer.source, who),
    }
}

/// Bytes of a text on a page, where marks take five of them.
fn escaped_bytes(text: &str) -> usize {
    text.len() + 4 * text.bytes().filter(|byte| matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'')).count()
}

/// The page of a source, and page and name of its place.
fn links(source: &Source, device: &Device, world: &World) -> (Option<String>, Option<(String, String)>) {
    match source {
        Source::Profile { place, id, .. } => {
            let (target, name) = match place {
                None => (Target::Device(device.key.clone()), "Device".to_owned()),
                Some(place) => (Target::Place(place.clone()), subject(place, world)),
            };
            (Some(format!("/admin/profiles/{id}")), Some((places::page(&target), name)))
        }
        Source::Override { kind, .. } => {
            (Some(format!("/admin/devices/{}/files/{}", device.key, device_files::override_file(*kind))), None)
        }
        Source::Flash { .. } => (Some(format!("/admin/devices/{}/runs", device.key)), None),
        Source::DeviceName => (Some(format!("/admin/devices/{}", device.key)), None),
        Source::Base(part) => {
            let site = part.site().and_then(|id| world.sites.get(&id));
            let site = site.map(|site| (format!("/admin/sites/{}", site.id), format!("site {}", site.name)));
            (Some("/admin/provisioning".to_owned()), site)
        }
        Source::Rule => (None, None),
    }
}

fn stamps(name: &str, source: &Source, who: &Provenance) -> Vec<(String, Timestamp)> {
    match source {
        Source::Override { at, .. } => vec![("uploaded".to_owned(), *at)],
        Source::Flash { since, last_served, ceased } => {
            let ceased = ("first served without it".to_owned(), *ceased);
            let last = last_served.map(|at| ("last served".to_owned(), at));
            std::iter::once(("was served so from".to_owned(), *since)).chain(last).chain([ceased]).collect()
        }
        Source::Profile { id, place, .. } => {
            let set = who.set(*id, name).map(|stamp| match stamp.is_exact {
                true => (format!("set by {}", stamp.by), stamp.at),
                false => (format!("profile last changed by {}", stamp.by), stamp.at),
            });
            let attached = who.attached(*id, place.as_ref()).map(|stamp| (format!("attached by {}", stamp.by), stamp.at));
            set.into_iter().chain(attached).collect()
        }
        _ => Vec::new(),
    }
}
