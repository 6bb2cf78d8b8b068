//! Storage: what takes how much of the disk, how long it is kept, and what happens as the disk fills.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::failure::Failure;
use super::forms::Form;
use super::layout::{Page, html};
use super::session::SignedIn;
use super::words;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::{BIN_DAYS, LOG_BYTES_PER_DEVICE};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::images::limits;
use crate::services::storage::{self, Kind, State, Storage, Usage};
use crate::web::blocking;
use crate::web::methods::Routes;
use crate::web::phone::Door;

const HERE: &str = "/admin/storage";

#[derive(Template)]
#[template(path = "storage/show.html")]
struct StoragePage {
    page: Page,
    free: String,
    total: String,
    ours: String,
    /// How much of the disk is in use, 0 to 100, and how much of that is ours.
    used_percent: u64,
    ours_percent: u64,
    reserve: String,
    state: (&'static str, &'static str),
    is_refusing: bool,
    rows: Vec<Row>,
    /// Whether packages of software are kept, and what they take.
    form: Form,
    packages: String,
}

struct Row {
    what: &'static str,
    href: Option<&'static str>,
    size: String,
    files: u64,
    kept: String,
}

/// The address of Storage.
pub fn configure(routes: &mut Routes) {
    routes.get(HERE, show).post("/admin/storage/packages", save_packages);
}

async fn show(who: SignedIn, services: web::Data<Services>, door: web::Data<Door>) -> Result<HttpResponse, Failure> {
    let (actor, reserve_bytes) = (who.actor.clone(), door.reserve_bytes());
    let look = move |services: &Services| storage::look(services, &actor, reserve_bytes);
    let storage = blocking::call(&services, look).await.map_err(Failure::of(&who))?;
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    Ok(html(&page_of(who.page("Storage"), &storage, &world)))
}

/// `POST /admin/storage/packages`: whether packages of software are kept as they are uploaded.
async fn save_packages(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let (actor, keep) = (who.actor.clone(), form.is("keep", "on"));
    let save = move |services: &Services| limits::keep_packages(services, &actor, DEFAULT_ACCOUNT, keep, Mode::Keep);
    blocking::call(&services, save).await.map_err(Failure::of(&who))?;
    Ok(who.done(
        HERE,
        if keep { "Packages are kept from now on." } else { "Packages are no longer kept. Those that are here stay." },
    ))
}

fn page_of(page: Page, storage: &Storage, world: &World) -> StoragePage {
    let ours: u64 = storage.kinds.iter().map(|(_, usage)| usage.bytes).sum();
    let percent = |bytes: u64| (u128::from(bytes) * 100 / u128::from(storage.total_bytes.max(1))).min(100) as u64;
    let used = storage.total_bytes.saturating_sub(storage.free_bytes);
    let packages = world.images.values().map(|image| image.disk_bytes() - image.stored_bytes()).sum();
    let row = |(kind, usage): &(Kind, _)| row(*kind, *usage);
    StoragePage {
        page,
        free: words::size(storage.free_bytes),
        total: words::size(storage.total_bytes),
        ours: words::size(ours),
        used_percent: percent(used),
        ours_percent: percent(ours),
        reserve: words::size(storage.reserve_bytes),
        state: state_words(storage.state),
        is_refusing: storage.state == State::Refusing,
        rows: storage.kinds.iter().map(row).collect(),
        form: Form::filled([("keep", if world.account.image_limits.keep_packages { "on" } else { "" })]),
        packages: words::size(packages),
    }
}

fn row(kind: Kind, usage: Usage) -> Row {
    let (what, href, kept) = match kind {
        Kind::Database => {
            ("Database", None, "For as long as the installation lives; rows that go make room for others.".to_owned())
        }
        Kind::Software => {
            ("Software", Some("/admin/software"), "Until somebody deletes the image, or the package beside it.".to_owned())
        }
        Kind::Resources => ("Resource files", Some("/admin/resources"), "Until somebody deletes the file.".to_owned()),
        Kind::DeviceFiles => {
            ("Files of devices", None, format!("As long as their device, and {BIN_DAYS} days in the recycle bin after it."))
        }
        Kind::Logs => {
            let most = words::size(LOG_BYTES_PER_DEVICE);
            ("Logs, core dumps and captures", None, format!("By their age; at most {most} a device, the oldest make room."))
        }
        Kind::Backups => ("Backups in the state directory", Some("/admin/backups"), "By the plan of backups.".to_owned()),
        Kind::Unfinished => {
            ("Uploads on their way", None, "Until they end; what a crash left is removed at the next start.".to_owned())
        }
    };
    Row { what, href, size: words::size(usage.bytes), files: usage.files, kept }
}

fn state_words(state: State) -> (&'static str, &'static str) {
    match state {
        State::Fine => ("ok", "enough room"),
        State::Tight => ("warn", "running short"),
        State::Refusing => ("bad", "uploads are refused"),
    }
}
