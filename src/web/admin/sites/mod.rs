//! Sites: the list, the pages of one site, which site claims an address, and the moves that wait (R70–R89).

mod add;
mod delete;
mod import;
mod list;
mod moves;
mod networks;
mod saving;
mod site;
mod tester;

use std::sync::Arc;

use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::ids::SiteId;
use crate::domain::site::{Site, Sites};
use crate::services::sites::told_ties;
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
        .post("/admin/sites/{id}/private", networks::save_private);
}

/// What every page of one site begins with.
pub struct Head {
    id: SiteId,
    name: String,
    is_internet: bool,
    devices: usize,
    /// What should be looked at.
    warnings: Vec<String>,
}

impl Head {
    fn new(site: &Site, sites: &Sites, services: &Services) -> Self {
        let mut warnings: Vec<String> = told_ties(std::slice::from_ref(site), sites).iter().map(ToString::to_string).collect();
        if site.is_unset() {
            warnings.push(
                "Nobody has entered yet where this site is, so it claims no device: enter its subnets, or delete it".to_owned(),
            );
        }
        let counts = sites::device_counts(services, DEFAULT_ACCOUNT);
        Self {
            id: site.id,
            name: site.name.to_string(),
            is_internet: site.is_internet(),
            devices: counts.get(&site.id).copied().unwrap_or_default(),
            warnings,
        }
    }

    /// The pages of a site, under the guide's names (R82).
    fn tabs(&self) -> Vec<(String, &'static str)> {
        let tab = |(path, label): (&str, &'static str)| (format!("/admin/sites/{}{path}", self.id), label);
        [("", "General Information"), ("/public", "Public Subnets"), ("/private", "Private Subnets")].map(tab).to_vec()
    }
}

/// The site that an address names.
fn find(services: &Services, who: &SignedIn, id: &str) -> Result<Arc<Site>, Failure> {
    let id: SiteId = id.parse().map_err(|_| Failure::not_found(who, "site", id))?;
    sites::get(services, DEFAULT_ACCOUNT, id).map_err(Failure::of(who))
}
