//! Uploaded schemas: looked at, accepted, put in use, taken back (R138, R143).

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, LazyLock};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::catalog::schema::dictionary;
use crate::domain::access::{Action, Actor, authorize};
use crate::domain::activity::Event;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{AccountId, SchemaId};
use crate::domain::limits::{SCHEMA_BYTES, SCHEMA_PACKED_BYTES, SCHEMAS};
use crate::domain::names::Name;
use crate::domain::schema::layers::{Difference, families};
use crate::domain::schema::uploaded::{InUse, Packed, Reading, SchemaChoice, Schemas, Shelved, Uploaded};
use crate::domain::schema::{Definition, Schema};
use crate::domain::world::World;
use crate::services::Services;
use crate::services::commit::{Change, Mode, perform};
use crate::services::error::ServiceError;
use crate::services::import::FILE;
use crate::store::{self, Read};
use crate::xml::xsd;

/// What an uploaded schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It counts in every search and check.
    Everything,
    /// It stands beside, for devices of its family.
    Beside,
}

/// The fields of an upload as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadInput {
    /// Name.
    pub name: String,
    /// Family of devices; empty for none.
    pub family: String,
    /// Software version; empty for none.
    pub version: String,
    /// Whether it stands beside the one that counts.
    pub beside: bool,
}

/// A schema to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadDraft {
    name: Name,
    family: Option<String>,
    version: Option<String>,
    purpose: Purpose,
}

impl UploadDraft {
    /// Checks the fields of an upload.
    ///
    /// # Errors
    /// Of `name`, `family` and `version`.
    pub fn parse(input: &UploadInput, world: &World) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let name = errors.take("name", Name::parse(&input.name));
        if let Some(name) = &name
            && world.schemas.shelf.iter().any(|one| one.uploaded.name.folded() == name.folded())
        {
            errors.add("name", format_args!("there is a schema “{name}” already; choose another name"));
        }
        let family = Some(input.family.trim()).filter(|family| !family.is_empty());
        let known = family.and_then(|family| world.models.family(family));
        match family {
            Some(family) if known.is_none() => errors.add("family", format_args!("there is no family “{family}”")),
            None if input.beside => errors.add("family", "choose the family of devices that it is for"),
            _ => {}
        }
        let version = input.version.trim();
        if version.chars().count() > 40 || !version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')) {
            errors.add("version", "letters, digits and . - _ only, at most 40, such as 5.9.4");
        }
        let purpose = if input.beside { Purpose::Beside } else { Purpose::Everything };
        let draft = name.map(|name| Self {
            name,
            family: known.map(|family| family.name.clone()),
            version: Some(version.to_owned()).filter(|version| !version.is_empty()),
            purpose,
        });
        errors.into_result(draft)
    }
}

/// What a file is, before it is accepted.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Parameters that it declares, each index by itself.
    pub parameters: usize,
    /// The same with each family once.
    pub families: usize,
    /// Families that count once it is used for everything: its own, and those that only the dictionary of pdms has.
    pub counting: usize,
    /// How many of them only the dictionary has.
    pub of_dictionary: usize,
    /// What counts now.
    pub against: String,
    /// What is different once it is used for everything.
    pub difference: Difference,
}

/// Reads a file, and compares what counts now with what counts once it is used for everything: it lies over the dictionary, in the place
/// of the uploaded schema that does now.
///
/// # Errors
/// Of the field [`FILE`], with line and column, for what is no schema.
pub fn look(services: &Services, account: AccountId, file: &[u8]) -> Result<Preview, ServiceError> {
    let world = services.world(account)?;
    let declared = declared(file)?;
    let parameters = declared.len();
    let new = Schema::new(families(declared.clone()));
    let after = Schema::over(declared, dictionary());
    let difference = Difference::between(world.schemas.current(), &after);
    let chosen = world.schemas.choice.current.uploaded().and_then(|id| world.schemas.get(id));
    let against = chosen.map_or_else(|| DICTIONARY.to_owned(), |chosen| chosen.uploaded.name.to_string());
    let of_dictionary = after.iter().filter(|one| new.find(&one.name).is_none()).count();
    Ok(Preview { parameters, families: new.len(), counting: after.len(), of_dictionary, against, difference })
}

/// What the shipped dictionary is called beside uploaded schemas.
const DICTIONARY: &str = "the dictionary of pdms";

fn declared(file: &[u8]) -> Result<Vec<Definition>, ServiceError> {
    let declared = xsd::read(file).map_err(|error| FieldErrors::one(FILE, error))?;
    if declared.is_empty() {
        let message = "the file is an XML schema that declares no parameter: nothing could be searched or checked by it. Choose the \
                       polycomConfig.xsd that comes with the software of the phones";
        return Err(FieldErrors::one(FILE, message).into());
    }
    Ok(declared)
}

/// Takes a schema. One for everything counts from then on, and what counted before is kept for a rollback.
///
/// # Errors
/// As [`look`]; [`ServiceError::Conflict`] where there are too many.
pub fn accept(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    draft: UploadDraft,
    (file, content): (&str, &[u8]),
    mode: Mode,
) -> Result<Uploaded, ServiceError> {
    let grant = authorize(actor, Action::EditAccount(account))?;
    let parameters = declared(content)?.len();
    let content = pack(content)?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        if world.schemas.shelf.iter().any(|one| one.uploaded.name.folded() == draft.name.folded()) {
            return Err(FieldErrors::one("name", format_args!("there is a schema “{}” already", draft.name)).into());
        }
        if world.schemas.shelf.len() >= SCHEMAS {
            return Err(ServiceError::Conflict(format!("there are {SCHEMAS} uploaded schemas; delete one first")));
        }
        let uploaded = Uploaded {
            id: store::schemas::next_id(change.tx())?,
            name: draft.name,
            family: draft.family,
            version: draft.version,
            file: file.to_owned(),
            parameters,
            uploaded_by: change.actor().to_owned(),
            uploaded_at: change.now(),
            content,
        };
        store::schemas::put(change.tx(), account, &uploaded)?;
        let event = Event::new("schema", uploaded.name.to_string(), "uploaded");
        change.record(event.change("parameters", None, Some(parameters.to_string())))?;
        if draft.purpose == Purpose::Everything {
            put_in_use(change, &world, InUse::Uploaded(uploaded.id), uploaded.name.as_str())?;
        }
        change.schemas_changed()?;
        Ok(uploaded)
    })
}

/// Puts another schema in use; `revision` is that of the choice that was shown.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] when somebody else chose meanwhile.
pub fn choose(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    revision: u64,
    to: InUse,
    mode: Mode,
) -> Result<SchemaChoice, ServiceError> {
    change_choice(services, actor, account, revision, mode, |change, world| {
        let name = match to.uploaded() {
            None => DICTIONARY.to_owned(),
            Some(id) => world.schemas.get(id).ok_or_else(|| ServiceError::not_found("schema", id))?.uploaded.name.to_string(),
        };
        put_in_use(change, world, to, &name)
    })
}

/// Puts in use what was before: one click forth and back.
///
/// # Errors
/// [`ServiceError::Conflict`] where nothing was, or somebody else chose meanwhile.
pub fn roll_back(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    revision: u64,
    mode: Mode,
) -> Result<SchemaChoice, ServiceError> {
    let before = services.world(account)?.schemas.choice.previous;
    let before = before.ok_or_else(|| ServiceError::Conflict("no other schema was in use before".to_owned()))?;
    choose(services, actor, account, revision, before, mode)
}

/// Says whether values that the schema rules out are refused (R141).
///
/// # Errors
/// [`ServiceError::Conflict`] when somebody else chose meanwhile.
pub fn set_refusing(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    revision: u64,
    refuses: bool,
    mode: Mode,
) -> Result<SchemaChoice, ServiceError> {
    change_choice(services, actor, account, revision, mode, |change, world| {
        let old = world.schemas.choice;
        if old.refuses == refuses {
            change.leave_as_is();
            return Ok(old);
        }
        let choice = SchemaChoice { refuses, revision: old.revision + 1, ..old };
        store::schemas::put_choice(change.tx(), account, &choice)?;
        let word = |refuses: bool| Some(if refuses { "refused" } else { "told" }.to_owned());
        let event = Event::new("schema", "checks", "changed");
        change.record(event.change("values that the schema rules out", word(old.refuses), word(refuses)))?;
        Ok(choice)
    })
}

/// Deletes an uploaded schema that is not in use.
///
/// # Errors
/// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] for the one in use.
pub fn delete(services: &Services, actor: &Actor, account: AccountId, id: SchemaId, mode: Mode) -> Result<(), ServiceError> {
    let grant = authorize(actor, Action::EditAccount(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        let gone = world.schemas.get(id).ok_or_else(|| ServiceError::not_found("schema", id))?;
        let choice = world.schemas.choice;
        if choice.current == InUse::Uploaded(id) {
            return Err(ServiceError::Conflict(format!(
                "“{}” is in use; put another schema or the dictionary in use first",
                gone.uploaded.name
            )));
        }
        store::schemas::delete(change.tx(), account, id)?;
        if choice.previous == Some(InUse::Uploaded(id)) {
            let choice = SchemaChoice { previous: None, revision: choice.revision + 1, ..choice };
            store::schemas::put_choice(change.tx(), account, &choice)?;
        }
        change.record(Event::new("schema", gone.uploaded.name.to_string(), "deleted"))?;
        change.schemas_changed()
    })
}

fn change_choice(
    services: &Services,
    actor: &Actor,
    account: AccountId,
    revision: u64,
    mode: Mode,
    make: impl FnOnce(&mut Change<'_>, &World) -> Result<SchemaChoice, ServiceError>,
) -> Result<SchemaChoice, ServiceError> {
    let grant = authorize(actor, Action::EditAccount(account))?;
    perform(services, mode, grant, account, |change| {
        let world = services.world(account)?;
        if world.schemas.choice.revision != revision {
            return Err(ServiceError::stale("choice of a schema", ""));
        }
        let choice = make(change, &world)?;
        change.schemas_changed()?;
        Ok(choice)
    })
}

/// Writes the choice, and forgets those that nothing names any more: neither in use, nor before, nor of a family.
fn put_in_use(change: &mut Change<'_>, world: &World, to: InUse, name: &str) -> Result<SchemaChoice, ServiceError> {
    let old = world.schemas.choice;
    if old.current == to {
        change.leave_as_is();
        return Ok(old);
    }
    let choice = SchemaChoice { current: to, previous: Some(old.current), revision: old.revision + 1, ..old };
    let account = change.account_id();
    store::schemas::put_choice(change.tx(), account, &choice)?;
    let named: HashSet<_> = [choice.current, old.current].into_iter().filter_map(InUse::uploaded).collect();
    for one in &world.schemas.shelf {
        if one.uploaded.family.is_none() && !named.contains(&one.uploaded.id) {
            store::schemas::delete(change.tx(), account, one.uploaded.id)?;
            change.record(Event::new("schema", one.uploaded.name.to_string(), "deleted as the one before the last"))?;
        }
    }
    let former = match old.current.uploaded().and_then(|id| world.schemas.get(id)) {
        Some(former) => former.uploaded.name.to_string(),
        None => DICTIONARY.to_owned(),
    };
    let event = Event::new("schema", name, "put in use");
    change.record(event.change("in use", Some(former), Some(name.to_owned())))?;
    Ok(choice)
}

/// Takes the schema that came in an image: it stands beside, for devices of its family. One that cannot be read, or for which there is
/// no room, is left out, and that is told: the software counts.
pub(in crate::services) fn take_of_image(
    change: &mut Change<'_>,
    world: &World,
    (family, version): (&str, &str),
    file: &[u8],
) -> Result<Option<SchemaId>, ServiceError> {
    let title = format!("{family} {version}");
    let left_out = |change: &mut Change<'_>, why: String| {
        change.record(Event::new("schema", title.clone(), "left out").change("why", None, Some(why)))?;
        Ok(None)
    };
    let declared = match declared(file).and_then(|declared| Ok((declared.len(), pack(file)?))) {
        Ok(declared) => declared,
        Err(error) => return left_out(change, error.to_string()),
    };
    if world.schemas.shelf.len() >= SCHEMAS {
        return left_out(change, format!("there are {SCHEMAS} uploaded schemas"));
    }
    let is_free = |name: &Name| world.schemas.shelf.iter().all(|one| one.uploaded.name.folded() != name.folded());
    let names = std::iter::once(title.clone()).chain((2..100).map(|number| format!("{title} ({number})")));
    let Some(name) = names.filter_map(|name| Name::parse(&name).ok()).find(is_free) else {
        return left_out(change, "its name is taken".to_owned());
    };
    let ((parameters, content), account) = (declared, change.account_id());
    let uploaded = Uploaded {
        id: store::schemas::next_id(change.tx())?,
        name,
        family: Some(family.to_owned()),
        version: Some(version.to_owned()),
        file: "polycomConfig.xsd".to_owned(),
        parameters,
        uploaded_by: change.actor().to_owned(),
        uploaded_at: change.now(),
        content,
    };
    store::schemas::put(change.tx(), account, &uploaded)?;
    change.schemas_changed()?;
    Ok(Some(uploaded.id))
}

/// Removes the schema of an image that goes, unless it counts for everything now.
pub(in crate::services) fn delete_of_image(change: &mut Change<'_>, world: &World, id: SchemaId) -> Result<(), ServiceError> {
    let choice = world.schemas.choice;
    if choice.current == InUse::Uploaded(id) || world.schemas.get(id).is_none() {
        return Ok(());
    }
    store::schemas::delete(change.tx(), change.account_id(), id)?;
    if choice.previous == Some(InUse::Uploaded(id)) {
        let choice = SchemaChoice { previous: None, revision: choice.revision + 1, ..choice };
        store::schemas::put_choice(change.tx(), change.account_id(), &choice)?;
    }
    change.schemas_changed()
}

/// Makes a file small.
///
/// # Errors
/// Of the field [`FILE`], where it stays too large to keep.
pub fn pack(file: &[u8]) -> Result<Packed, ServiceError> {
    let too_large = || FieldErrors::one(FILE, "the file is too large to be kept");
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(file).map_err(|_| too_large())?;
    let packed = encoder.finish().map_err(|_| too_large())?;
    if packed.len() > SCHEMA_PACKED_BYTES {
        return Err(too_large().into());
    }
    Ok(Packed(packed.into()))
}

/// The file again; none where it is damaged or larger than a schema may be.
pub fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    ZlibDecoder::new(packed).take(SCHEMA_BYTES as u64 + 1).read_to_end(&mut file).ok()?;
    (file.len() <= SCHEMA_BYTES).then_some(file)
}

/// The schemas of an account as they are stored; each is read when it is first asked for.
pub(in crate::services) fn read_all(tx: &impl Read, account: AccountId) -> Result<Schemas, ServiceError> {
    let shelf = store::schemas::all(tx, account)?.into_iter().map(|uploaded| {
        let (content, name) = (uploaded.content.clone(), uploaded.name.to_string());
        let read = move || {
            let read = unpack(&content.0).and_then(|file| xsd::read(&file).ok());
            if read.is_none() {
                tracing::error!("the uploaded schema {name} cannot be read any more; upload it again");
            }
            Schema::new(families(read.unwrap_or_default()))
        };
        let schema: Reading = LazyLock::new(Box::new(read));
        Shelved { uploaded: Arc::new(uploaded), schema: Arc::new(schema) }
    });
    Ok(Schemas::new(dictionary(), store::schemas::choice(tx, account)?, shelf.collect()))
}
