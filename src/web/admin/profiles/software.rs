//! The software that a profile chooses: a version a family, of the images that are there (R129, R133).

use actix_web::{HttpResponse, web};

use super::profile::{find_own, overtaken, rejected, shown};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::image::{find, folder_of_family};
use crate::domain::profile::Profile;
use crate::domain::software::{SoftwareVersion, choices};
use crate::domain::world::World;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::profiles;
use crate::services::{Services, downgrades};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::session::SignedIn;
use crate::web::blocking;

/// What a profile can choose for one family.
pub struct Choice {
    /// Name of the form's field.
    pub field: String,
    pub family: String,
    /// The family behind whose devices these stand.
    pub beside: Option<String>,
    /// Versions: value and label, the newest first.
    pub versions: Vec<(String, String)>,
    /// The version that is chosen; empty for none.
    pub chosen: String,
    /// Its image is not there (R131).
    pub is_missing: bool,
    /// Devices that wait for consent to go back to it.
    pub waiting: usize,
}

impl Choice {
    /// What is to be known of the family.
    pub fn hint(&self) -> String {
        self.beside.as_ref().map_or_else(String::new, |family| format!("For what stands behind devices of {family}."))
    }
}

fn field(family: &str) -> String {
    format!("software-{}", folder_of_family(family))
}

/// The same with the devices that wait for consent to go back to what is chosen.
pub fn with_waiting(profile: &Profile, world: &World, services: &Services) -> Result<Vec<Choice>, ServiceError> {
    let mut choices = of(profile, world);
    for choice in &mut choices {
        if let Ok(version) = choice.chosen.parse() {
            choice.waiting = downgrades::waiting_for(services, DEFAULT_ACCOUNT, &version)?;
        }
    }
    Ok(choices)
}

/// What a profile can choose: families that images are there for, and those that it has chosen for.
pub fn of(profile: &Profile, world: &World) -> Vec<Choice> {
    let choice = |family: &crate::domain::model::Family| {
        let chosen = profile.software.iter().find(|choice| choice.family == family.name).map(|choice| &choice.version);
        let mut versions: Vec<&SoftwareVersion> =
            world.images.values().filter(|image| image.is_for(&family.name)).map(|image| &image.version).collect();
        versions.sort();
        versions.dedup();
        versions.reverse();
        let is_missing = chosen.is_some_and(|version| find(&world.images, &family.name, version).is_none());
        let mut offered = vec![(String::new(), "Not chosen here".to_owned())];
        if let Some(version) = chosen.filter(|_| is_missing) {
            offered.push((version.to_string(), format!("{version}: couldn't find the image")));
        }
        offered.extend(versions.iter().map(|version| (version.to_string(), version.to_string())));
        (offered.len() > 1).then(|| Choice {
            field: field(&family.name),
            family: family.name.clone(),
            beside: family.component_of.clone(),
            versions: offered,
            // As the image writes it, so that the box is found again.
            chosen: match chosen {
                Some(chosen) => versions.iter().find(|one| **one == chosen).map_or(chosen, |one| one).to_string(),
                None => String::new(),
            },
            is_missing,
            waiting: 0,
        })
    };
    world.models.families_with_software().filter_map(choice).collect()
}

/// `POST /admin/profiles/{id}/software`
pub async fn choose(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let profile = find_own(&services, &who, &id)?;
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(&who))?;
    let typed = world.models.families_with_software().filter_map(|family| {
        let version = form.text(&field(&family.name))?.trim();
        (!version.is_empty()).then(|| (family.name.clone(), version.to_owned()))
    });
    let software = match choices(&typed.collect::<Vec<_>>(), world.models) {
        Ok(software) => software,
        Err(errors) => return rejected(&who, &services, &profile, form, &errors),
    };
    let (actor, shown) = (who.actor.clone(), shown(&form, profile.id));
    let choose =
        move |services: &Services| profiles::choose_software(services, &actor, DEFAULT_ACCOUNT, shown, software, Mode::Keep);
    match blocking::call(&services, choose).await {
        Ok(_) => Ok(who.done(&format!("/admin/profiles/{}#software", profile.id), "The choice of software is saved.")),
        Err(ServiceError::Invalid(errors)) => rejected(&who, &services, &profile, form, &errors),
        Err(ServiceError::Conflict(_)) => overtaken(&who, &services, &id, form, Vec::new()).await,
        Err(error) => Err(Failure::new(&who, error)),
    }
}
