//! Effective configuration: every attribute with its winner and what that beat, and the two files as the device gets them
//! (R108, R159, R166). Secrets are masked before they come near a template.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::head::{self, Head};
use super::text::{self, Text};
use crate::domain::credential::Recipient;
use crate::domain::deployment::{Container, subject};
use crate::domain::device::Device;
use crate::domain::device_list::Listed;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::parameter;
use crate::domain::provision::view::{EffectiveView, File, Layer, Row, Source, explain};
use crate::domain::world::World;
use crate::services::deployment::Target;
use crate::services::effective_file::{self, EffectiveFile};
use crate::services::{Services, credentials, device_files};
use crate::web::admin::failure::Failure;
use crate::web::admin::layout::{Page, html};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::parameter_help::Help;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words::{Shown, Tone as _};
use crate::web::{blocking, places};

#[derive(Template)]
#[template(path = "devices/effective.html")]
struct EffectivePage {
    page: Page,
    head: Head,
    list: ListQuery,
    pager: Pager,
    rows: Vec<RowView>,
    /// Where values can come from: word and label.
    sources: Vec<(&'static str, &'static str)>,
    warnings: Vec<String>,
    /// Overrides that the device itself keeps: link and name.
    own_files: Vec<(String, String)>,
}

struct RowView {
    name: String,
    help: Help,
    in_master: bool,
    winner: LayerView,
    beaten: Vec<LayerView>,
}

struct LayerView {
    value: Shown,
    set: Option<String>,
    source: String,
    href: Option<String>,
    /// The place that the profile is attached to: page and name.
    container: Option<(String, String)>,
    /// It is no profile's: added by rule, the base or the device's name.
    ours: bool,
}

/// `GET /admin/devices/{key}/effective`
pub async fn show(
    request: HttpRequest,
    key: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (known, world) = head::find(&services, &who, &key)?;
    let device = known.device.key.clone();
    let own = blocking::call(&services, move |services| device_files::overrides(services, DEFAULT_ACCOUNT, &device))
        .await
        .map_err(Failure::of(&who))?;
    let list = ListQuery::of(&request, &["name"]);
    let secrets = credentials::of(&services, DEFAULT_ACCOUNT, &known.device.key);
    let channel = credentials::channel_of(&services, DEFAULT_ACCOUNT, &known.device.key);
    let view = explain(&Recipient { device: &known.device, secrets: &secrets, channel }, &world);
    let view = own.iter().fold(view, |view, (kind, _, set)| view.with_overrides(*kind, set));
    let sources = sources(&view);
    let wanted = Wanted::of(&list);
    let found: Vec<&Row> = view.rows.iter().filter(|row| wanted.admits(row)).collect();
    let pager = list.pager(found.len());
    let page = who.page("Effective configuration");
    let head = Head::new(&known, page.now).marked(&services);
    let link = |name: &str| (format!("/admin/devices/{}/files/{name}", head.key), format!("{}-{name}", head.key));
    let own_files = own.iter().map(|(_, name, _)| link(name)).collect();
    Ok(html(&EffectivePage {
        own_files,
        rows: found[pager.range()].iter().map(|row| row_view(row, &known, &world)).collect(),
        warnings: view.warnings.iter().map(ToString::to_string).collect(),
        page,
        head,
        list,
        pager,
        sources,
    }))
}

/// What the list is narrowed to.
struct Wanted<'a> {
    words: Vec<String>,
    from: Option<&'a str>,
    show: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(list: &'a ListQuery) -> Self {
        let words = list.q().split_whitespace().map(str::to_lowercase).collect();
        Self { words, from: list.filter("from"), show: list.filter("show") }
    }

    /// Secret values cannot be searched for: that would tell them letter by letter.
    fn admits(&self, row: &Row) -> bool {
        let source = row.winner.source.describe().to_lowercase();
        let value = row.winner.value.as_deref().map(|value| parameter::masked(&row.name, value).to_lowercase());
        let holds = |word: &String| {
            row.name.to_lowercase().contains(word)
                || source.contains(word)
                || value.as_ref().is_some_and(|value| value.contains(word))
        };
        self.words.iter().all(holds)
            && self.from.is_none_or(|from| source_word(&row.winner.source).0 == from)
            && match self.show {
                Some("beating") => !row.beaten.is_empty(),
                Some("master") => row.file == File::Master,
                _ => true,
            }
    }
}

/// A word for addresses, and the label.
fn source_word(source: &Source) -> (&'static str, &'static str) {
    match source {
        Source::Override(_) => ("phone", "Set on the device itself"),
        Source::Rule => ("rule", "Added by rule"),
        Source::Profile { container, .. } => {
            let word = match container {
                Container::Device => "device",
                Container::Person => "person",
                Container::PersonGroup => "person-group",
                Container::Site => "site",
                Container::Model => "model",
                Container::Group => "group",
                Container::Global | Container::Base => "global",
            };
            (word, container.label())
        }
        Source::DeviceName => ("name", "Name sent to the device"),
        Source::Base => ("base", "Built-in base"),
    }
}

fn sources(view: &EffectiveView) -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<_> = view.rows.iter().map(|row| source_word(&row.winner.source)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn row_view(row: &Row, known: &Listed, world: &World) -> RowView {
    let device = &*known.device;
    let version = known.sighting.software_version.as_deref();
    let advise = |value| world.schemas.advise_device(device.family.as_deref(), version, &row.name, value);
    RowView {
        name: row.name.clone(),
        help: Help::with(world.schemas.current(), &row.name, row.winner.value.as_deref().and_then(advise)),
        in_master: row.file == File::Master,
        winner: layer_view(&row.name, &row.winner, device, world),
        beaten: row.beaten.iter().map(|layer| layer_view(&row.name, layer, device, world)).collect(),
    }
}

fn layer_view(name: &str, layer: &Layer, device: &Device, world: &World) -> LayerView {
    let (href, container) = match &layer.source {
        Source::Profile { place, id, .. } => {
            let (target, name) = match place {
                None => (Target::Device(device.key.clone()), "Device".to_owned()),
                Some(place) => (Target::Place(place.clone()), subject(place, world)),
            };
            (Some(format!("/admin/profiles/{id}")), Some((places::page(&target), name)))
        }
        Source::Override(kind) => {
            (Some(format!("/admin/devices/{}/files/{}", device.key, device_files::override_file(*kind))), None)
        }
        Source::DeviceName => (Some(format!("/admin/devices/{}", device.key)), None),
        Source::Base => (Some("/admin/provisioning".to_owned()), None),
        Source::Rule => (None, None),
    };
    let source = match &layer.source {
        Source::Profile { name, .. } => name.clone(),
        other => other.describe(),
    };
    LayerView {
        value: layer.value.as_deref().map_or_else(Shown::absent, |value| Shown::of(name, value)),
        set: layer.set.clone(),
        ours: !matches!(layer.source, Source::Profile { .. }),
        source,
        href,
        container,
    }
}

/// `GET /admin/devices/{key}/effective/{file}`: `master` or `parameters`.
pub async fn file(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let (key, wanted) = path.into_inner();
    let (known, world) = head::find(&services, &who, &key)?;
    let Some(file) = EffectiveFile::parse(&wanted) else { return Err(Failure::not_found(&who, "file", wanted)) };
    let secrets = credentials::of(&services, DEFAULT_ACCOUNT, &known.device.key);
    let channel = credentials::channel_of(&services, DEFAULT_ACCOUNT, &known.device.key);
    let recipient = Recipient { device: &known.device, secrets: &secrets, channel };
    let (name, bytes) = effective_file::shown(&recipient, &world, file);
    let page = who.page("Effective configuration");
    let head = Head::new(&known, page.now).marked(&services);
    let note = "This is the file as the device gets it now, but for the secrets: they are masked here only.";
    Ok(text::page(
        page,
        head,
        &request,
        Text { name, size_bytes: bytes.len() as u64, bytes, at: None, download: None, note: Some(note) },
    ))
}
