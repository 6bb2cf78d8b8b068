//! A package that was unpacked becomes an image: its row, the profile that chooses it, and its schema, in one change (R129, R139, R210).
//!
//! The vendor splits a release into packages for different models: one with software for other hardware joins the image of its version.

use std::collections::HashSet;
use std::sync::Arc;

use super::package::{Refused, Unpacked, is_software};
use super::uploads::{DELETE_PACKAGES, Upload, in_words};
use crate::domain::access::Grant;
use crate::domain::activity::Event;
use crate::domain::ids::{ImageId, ProfileId};
use crate::domain::image::{Image, ImageFile, KeptPackage, find};
use crate::domain::limits::NAME_CHARS;
use crate::domain::names::Name;
use crate::domain::parameter::ParameterSet;
use crate::domain::profile::{Profile, ProfileKind};
use crate::domain::run::clean;
use crate::domain::software::{SoftwareChoice, SoftwareVersion};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::{Change, commit};
use crate::services::error::ServiceError;
use crate::services::schema;
use crate::store;

/// Characters of the names of all files that an image came in.
const SOURCE_CHARS: usize = 250;

/// What is known of a package before it is unpacked.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) sha256: String,
    pub(super) version: SoftwareVersion,
    pub(super) families: Vec<String>,
    pub(super) size_bytes: u64,
    /// Paths of its files in lower case.
    pub(super) paths: HashSet<String>,
    /// Somebody said that it takes the place of what the image of its version has for the same hardware.
    pub(super) replaces: bool,
}

/// An image as people call it: `VVX 5.9.8.5760`.
pub fn name_of(image: &Image) -> String {
    name(&image.families, &image.version)
}

fn name(families: &[String], version: &SoftwareVersion) -> String {
    format!("{} {version}", families.join(" and "))
}

impl Package {
    /// The image of the same version for one of its families that it neither joins nor replaces.
    pub(super) fn in_the_way(&self, world: &World) -> Option<ImageId> {
        let mut there = self.there(world);
        let joins = |id: &ImageId| world.images.get(id).is_some_and(|image| self.joins(image));
        match there.as_slice() {
            [one] if self.replaces || joins(one) => None,
            _ => there.pop(),
        }
    }

    /// Whether all of its software is for other hardware than what an image of its version has. What has no names of hardware joins
    /// nothing.
    fn joins(&self, image: &Image) -> bool {
        let mut own = self.paths.iter().filter(|path| is_software(path)).peekable();
        own.peek().is_some()
            && own.all(|path| image.file(path).is_none())
            && image.files.iter().any(|file| is_software(&file.path))
    }

    /// Whether an image keeps a file beside what comes: as long as it keeps software for any hardware that this package has none for.
    fn leaves<'i>(&self, image: &'i Image) -> impl Fn(&ImageFile) -> bool + use<'i, '_> {
        let stays = |file: &ImageFile| !self.paths.contains(&file.path.to_ascii_lowercase());
        let has_names = self.paths.iter().any(|path| is_software(path));
        let is_beside = has_names && image.files.iter().any(|file| is_software(&file.path) && stays(file));
        move |file| is_beside && stays(file)
    }

    /// The images of its version for its families, each once.
    fn there(&self, world: &World) -> Vec<ImageId> {
        let found = self.families.iter().filter_map(|family| find(&world.images, family, &self.version));
        let mut ids: Vec<ImageId> = found.map(|image| image.id).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Whether it finds room among the images (R42). What it replaces makes room; what it joins stays.
    pub(super) fn check_limits(&self, world: &World, bytes: u64) -> Result<(), Refused> {
        let limits = world.account.image_limits;
        let met = self.there(world);
        let stay = world.images.values().filter(|image| !met.contains(&image.id));
        let (count, sum) = stay.fold((0, 0_u64), |(count, sum), image| (count + 1, sum + image.disk_bytes()));
        let left = |image: &Arc<Image>| {
            let files: u64 = image.files.iter().filter(|file| self.leaves(image)(file)).map(|file| file.size_bytes).sum();
            // With all its files its packages go too.
            if files == 0 { 0 } else { files + (image.disk_bytes() - image.stored_bytes()) }
        };
        let sum = sum + met.iter().filter_map(|id| world.images.get(id)).map(left).sum::<u64>();
        if count >= limits.images {
            let told = format!("there are {count} images, as many as may be here; delete one that no device needs first");
            return Err(Refused::Package(told));
        }
        if sum.saturating_add(bytes) > limits.bytes {
            return Err(Refused::Package(format!(
                "it takes {}, and the images that are here have {} of {}; delete one that no device needs first, or {DELETE_PACKAGES}",
                in_words(bytes),
                in_words(sum),
                in_words(limits.bytes)
            )));
        }
        Ok(())
    }
}

/// Writes the image with its profile and schema. The content that it replaces goes once that is kept; what is for other hardware stays.
pub(super) fn take(
    services: &Services,
    upload: &Upload,
    package: Package,
    unpacked: &mut Unpacked<'_>,
) -> Result<ImageId, ServiceError> {
    let account = upload.account;
    let by = upload.by.clone();
    let schema_file = unpacked.schema.take();
    let files = unpacked.take();
    let original = unpacked.take_package();
    let blobs: Vec<String> = files.iter().map(|file| &file.blob).chain(original.iter().map(|one| &one.blob)).cloned().collect();
    let grant = Grant::system(&format!("software uploaded by {by}"));
    let taken = commit(services, grant, account, |change| {
        let world = services.world(account)?;
        // Others may have changed something while it was unpacked.
        if package.in_the_way(&world).is_some() {
            return Err(ServiceError::Conflict("an image of this version was added meanwhile; upload it again".to_owned()));
        }
        let former = package.there(&world).first().and_then(|id| world.images.get(id)).cloned();
        let left: Vec<ImageFile> = match &former {
            Some(former) => former.files.iter().filter(|file| package.leaves(former)(file)).cloned().collect(),
            None => Vec::new(),
        };
        let beside = former.as_ref().filter(|_| !left.is_empty());
        let former_schema = former.as_ref().and_then(|former| former.schema);
        let kept_schema = former_schema.filter(|_| beside.is_some() && schema_file.is_none());
        if let Some(schema) = former_schema.filter(|_| kept_schema.is_none()) {
            schema::delete_of_image(change, &world, schema)?;
        }
        let families = together(beside.map_or(&[], |former| &former.families), &package.families);
        let family = families.first().map(String::as_str).unwrap_or_default();
        let schema = match &schema_file {
            Some(file) => schema::take_of_image(change, &world, (family, package.version.as_str()), file)?,
            None => kept_schema,
        };
        let joins = former.as_ref().is_some_and(|former| package.joins(former));
        let image = Image {
            id: former.as_ref().map_or_else(|| store::images::next_id(change.tx()), |former| Ok(former.id))?,
            version: package.version.clone(),
            source: match beside {
                Some(former) if former.source != upload.file => {
                    clean(&format!("{} and {}", former.source, upload.file), SOURCE_CHARS)
                }
                _ => upload.file.clone(),
            },
            size_bytes: package.size_bytes + beside.map_or(0, |former| former.size_bytes),
            sha256: package.sha256.clone(),
            files: files.into_iter().chain(left.iter().cloned()).collect(),
            profile: put_profile(change, &world, (&package.version, &families), former.as_ref().map(|former| former.profile))?,
            families,
            schema,
            license: former.as_ref().and_then(|former| former.license.clone()),
            packages: packages(beside.map_or(&[], |former| &former.packages), original),
            at: change.now(),
            by,
        };
        let action = match &former {
            Some(_) if joins => "joined by another package",
            Some(_) => "replaced",
            None => "added",
        };
        let event = Event::new("software", name_of(&image), action)
            .change("file", former.as_ref().map(|former| former.source.clone()), Some(image.source.clone()))
            .change("SHA-256", former.as_ref().map(|former| former.sha256.clone()), Some(image.sha256.clone()))
            .change("files", former.as_ref().map(|former| former.files.len().to_string()), Some(image.files.len().to_string()));
        change.record(event)?;
        change.put_image(image.clone())?;
        Ok((image, former))
    });
    // What no row names is removed now or, if that fails, by the sweep at the next start.
    let stale: Vec<String> = match &taken {
        Ok((image, former)) => {
            let stays: HashSet<&str> = image.blobs().collect();
            former.iter().flat_map(|former| former.blobs()).filter(|blob| !stays.contains(blob)).map(str::to_owned).collect()
        }
        Err(_) => blobs,
    };
    stale.iter().for_each(|blob| drop(services.blobs.remove(blob)));
    taken.map(|(image, _)| image.id)
}

/// The packages of an image that another one is taken into: one of the same name takes the place of the former.
fn packages(former: &[KeptPackage], taken: Option<KeptPackage>) -> Vec<KeptPackage> {
    let is_other = |one: &&KeptPackage| taken.as_ref().is_none_or(|taken| taken.file != one.file);
    let others: Vec<KeptPackage> = former.iter().filter(is_other).cloned().collect();
    others.into_iter().chain(taken).collect()
}

/// Names that stand in either list, each once.
fn together(one: &[String], other: &[String]) -> Vec<String> {
    let more = other.iter().filter(|name| !one.contains(name));
    one.iter().chain(more).cloned().collect()
}

/// The profile that chooses the image for each of its families.
fn put_profile(
    change: &mut Change<'_>,
    world: &World,
    (version, families): (&SoftwareVersion, &[String]),
    former: Option<ProfileId>,
) -> Result<ProfileId, ServiceError> {
    let former = former.and_then(|id| world.profiles.get(&id));
    let choice = |family: &String| SoftwareChoice { family: family.clone(), version: version.clone() };
    let profile = Profile {
        id: former.map_or_else(|| store::profiles::next_id(change.tx()), |former| Ok(former.id))?,
        name: profile_name(world, (version, families), former.map(|former| former.id))?,
        description: "Comes with the image of this software, and goes with it.".to_owned(),
        kind: ProfileKind::Software,
        software: families.iter().map(choice).collect(),
        parameters: ParameterSet::new(),
        yields: false,
        modified_by: change.actor().to_owned(),
        modified_at: change.now(),
        revision: former.map_or(1, |former| former.revision + 1),
    };
    let id = profile.id;
    change.put_profile(profile)?;
    Ok(id)
}

/// A name that no other profile has.
fn profile_name(
    world: &World,
    (version, families): (&SoftwareVersion, &[String]),
    own: Option<ProfileId>,
) -> Result<Name, ServiceError> {
    let mut plain = name(families, version);
    if plain.chars().count() + 5 > NAME_CHARS {
        plain = format!("Software {version}");
    }
    let is_free = |name: &Name| world.all_profiles().all(|other| Some(other.id) == own || other.name.folded() != name.folded());
    let numbered = (2..1_000).map(|number| format!("{plain} ({number})"));
    let mut names = std::iter::once(plain.clone()).chain(numbered).filter_map(|name| Name::parse(&name).ok());
    names.find(is_free).ok_or_else(|| ServiceError::Conflict(format!("all names like “{plain}” are taken by profiles")))
}
