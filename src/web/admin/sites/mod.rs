//! Sites: the list, the pages of one site, which site claims an address, and the moves that wait (R70–R89).

mod add;
mod delete;
mod download_path;
mod import;
mod list;
mod moves;
mod networks;
mod profiles;
mod saving;
mod site;
mod tester;

use std::sync::Arc;

use crate::domain::ids::{DEFAULT_ACCOUNT, SiteId};
use crate::domain::site::{Site, Sites};
use crate::domain::subnet::Subnet;
use crate::services::certificates::ServerNames;
use crate::services::sites::{told_clock, told_ties};
use crate::services::{Services, sites};
use crate::web::admin::failure::Failure;
use crate::web::admin::session::SignedIn;
use crate::web::methods::Routes;

/// The addresses below `/admin/sites`.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/admin/sites", list::show)
        .get("/admin/sites/add", add::show)
        .post("/admin/sites/add", add::save)
        .get("/admin/sites/delete", delete::ask)
        .post("/admin/sites/delete", delete::save)
        .get("/admin/sites/export", import::export)
        .get("/admin/sites/import", import::show)
        .post("/admin/sites/import", import::upload)
        .get("/admin/sites/import/{token}", import::preview)
        .post("/admin/sites/import/{token}", import::decide)
        .get("/admin/sites/import/{token}/log", import::log)
        .get("/admin/sites/moves", moves::show)
        .post("/admin/sites/moves", moves::save)
        .get("/admin/sites/test", tester::show)
        .get("/admin/sites/{id}", site::show)
        .post("/admin/sites/{id}", site::save)
        .get("/admin/sites/{id}/public", networks::show_public)
        .post("/admin/sites/{id}/public", networks::save_public)
        .get("/admin/sites/{id}/private", networks::show_private)
        .post("/admin/sites/{id}/private", networks::save_private)
        .get("/admin/sites/{id}/profiles", profiles::show)
        .post("/admin/sites/{id}/profiles", profiles::save)
        .get("/admin/sites/{id}/download-path", download_path::show)
        .post("/admin/sites/{id}/download-path", download_path::save);
}

/// What every page of one site begins with.
pub struct Head {
    id: SiteId,
    name: String,
    is_internet: bool,
    devices: usize,
    /// What should be looked at.
    warnings: Vec<String>,
    /// Nobody has entered its networks.
    unset: Option<Unset>,
    /// The networks of this server, where they can be offered.
    own: Vec<Subnet>,
}

/// A site whose networks nobody has entered yet (R74).
pub struct Unset {
    id: SiteId,
    name: String,
    revision: u64,
}

impl Unset {
    fn of(site: &Site) -> Option<Self> {
        site.is_unset().then(|| Self { id: site.id, name: site.name.to_string(), revision: site.revision })
    }
}

impl Head {
    fn new(site: &Site, sites: &Sites, services: &Services) -> Self {
        let ties = told_ties(std::slice::from_ref(site), sites);
        let warnings = ties.iter().map(ToString::to_string).chain(told_clock(site)).collect();
        let counts = sites::device_counts(services, DEFAULT_ACCOUNT);
        Self {
            id: site.id,
            name: site.name.to_string(),
            is_internet: site.is_internet(),
            devices: counts.get(&site.id).copied().unwrap_or_default(),
            warnings,
            unset: Unset::of(site),
            own: if site.is_unset() { ServerNames::own_subnets() } else { Vec::new() },
        }
    }

    /// The pages of a site, under the guide's names (R82).
    fn tabs(&self) -> Vec<(String, &'static str)> {
        let tab = |(path, label): (&str, &'static str)| (format!("/admin/sites/{}{path}", self.id), label);
        let all = [
            ("", "General Information"),
            ("/public", "Public Subnets"),
            ("/private", "Private Subnets"),
            ("/profiles", "Profile"),
            ("/download-path", "Download Path"),
        ];
        all.map(tab).to_vec()
    }
}

/// The site that an address names.
fn find(services: &Services, who: &SignedIn, id: &str) -> Result<Arc<Site>, Failure> {
    let id: SiteId = id.parse().map_err(|_| Failure::not_found(who, "site", id))?;
    sites::get(services, DEFAULT_ACCOUNT, id).map_err(Failure::of(who))
}
