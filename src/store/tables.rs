//! Every table of the database: name, key and value. Table definitions stand nowhere else.
//!
//! The number in a name is the version of its layout: a table whose keys change gets a new name and a migration.
//! Keys are made by [`super::keys`]; data of an account begins with the account's number. Values are made by
//! [`super::codec`] from the domain type named here; `tests/stored` holds a record of each that must stay readable.

use std::marker::PhantomData;

use redb::TableDefinition;

use crate::domain::account::Account;
use crate::domain::activity::Activity;
use crate::domain::deployment::Place;
use crate::domain::device::{Block, Device, DeviceKey, Sighting};
use crate::domain::device_file::DeviceFile;
use crate::domain::flash::Flash;
use crate::domain::group::Group;
use crate::domain::ids::{
    AccountId, DeletionId, GroupId, ImageId, PersonGroupId, PersonId, ProfileId, ResourceId, RoomId, SchemaId, SiteId, UserId,
    ViewId,
};
use crate::domain::image::Image;
use crate::domain::people::{Person, PersonGroup, Room};
use crate::domain::profile::Profile;
use crate::domain::recycle_bin::{Deletion, Kept};
use crate::domain::resource::Resource;
use crate::domain::run::{Run, Subject};
use crate::domain::schema::uploaded::{SchemaChoice, Uploaded};
use crate::domain::server::ServerSettings;
use crate::domain::session::{Session, SessionKey};
use crate::domain::site::Site;
use crate::domain::standard::Installed;
use crate::domain::token::{Token, TokenKey};
use crate::domain::trust::Trust;
use crate::domain::user::User;
use crate::domain::view::View;
use jiff::Timestamp;

/// How redb sees every table: bytes to bytes.
pub(super) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// A table with the types of its keys and values.
pub struct Table<K, V> {
    pub(super) name: &'static str,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Table<K, V> {
    const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// The same table with another idea of its values: for migrations, which know no domain types.
    pub(crate) const fn with_values<W>(&self) -> Table<K, W> {
        Table::new(self.name)
    }

    pub(super) const fn definition(&self) -> Definition {
        TableDefinition::new(self.name)
    }
}

/// What the database says of itself. Key: a word, `schema_version` or the name of a counter. Value: a number.
pub const META: Table<(String,), u64> = Table::new("meta");
/// Settings of the server. Key: the word `settings`. Value: [`ServerSettings`].
pub const SERVER: Table<(String,), ServerSettings> = Table::new("server-1");
/// Accounts. Key: account. Value: [`Account`], its password sealed.
pub const ACCOUNTS: Table<(AccountId,), Account> = Table::new("accounts-1");
/// Users. Key: user. Value: [`User`].
pub const USERS: Table<(UserId,), User> = Table::new("users-1");
/// Sessions of users. Key: hash of the cookie's value, 32 bytes. Value: [`Session`].
pub const SESSIONS: Table<(SessionKey,), Session> = Table::new("sessions-1");
/// API tokens. Key: keyed hash of the token, 32 bytes. Value: [`Token`].
pub const TOKENS: Table<(TokenKey,), Token> = Table::new("tokens-1");
/// Devices. Key: account, device key. Value: [`Device`].
pub const DEVICES: Table<(AccountId, DeviceKey), Device> = Table::new("devices-1");
/// Last contact of each device. Key: account, device key. Value: [`Sighting`].
pub const SIGHTINGS: Table<(AccountId, DeviceKey), Sighting> = Table::new("sightings-1");
/// Devices deleted with *block*. Key: account, device key. Value: [`Block`].
pub const BLOCKED: Table<(AccountId, DeviceKey), Block> = Table::new("blocked-1");
/// What was learned of each key. Key: account, device key. Value: [`Trust`].
pub const TRUSTS: Table<(AccountId, DeviceKey), Trust> = Table::new("trusts-1");
/// Profiles. Key: account, profile. Value: [`Profile`], secret values sealed.
pub const PROFILES: Table<(AccountId, ProfileId), Profile> = Table::new("profiles-1");
/// Profiles attached to places other than devices. Key: account, place. Value: profiles, highest first; a place without any has no row.
pub const DEPLOYMENT: Table<(AccountId, Place), Vec<ProfileId>> = Table::new("deployment-1");
/// Sites but *Internet*. Key: account, site. Value: [`Site`].
pub const SITES: Table<(AccountId, SiteId), Site> = Table::new("sites-1");
/// Device groups. Key: account, group. Value: [`Group`]. Devices carry the list of their groups themselves.
pub const GROUPS: Table<(AccountId, GroupId), Group> = Table::new("groups-1");
/// Groups that automatically added devices join. Key: account. Value: groups, highest first; without any there is no row.
pub const DEFAULT_GROUPS: Table<(AccountId,), Vec<GroupId>> = Table::new("default-groups-1");
/// People. Key: account, person. Value: [`Person`].
pub const PEOPLE: Table<(AccountId, PersonId), Person> = Table::new("people-1");
/// Groups of people. Key: account, group. Value: [`PersonGroup`]. People carry the list of their groups themselves.
pub const PERSON_GROUPS: Table<(AccountId, PersonGroupId), PersonGroup> = Table::new("person-groups-1");
/// Rooms. Key: account, room. Value: [`Room`].
pub const ROOMS: Table<(AccountId, RoomId), Room> = Table::new("rooms-1");
/// Activity log. Key: account (0 for the server), running number. Value: [`Activity`].
pub const ACTIVITY: Table<(AccountId, u64), Activity> = Table::new("activity-1");
/// Ended runs of devices. Key: account, subject, first request's time. Value: [`Run`].
pub const RUNS: Table<(AccountId, Subject, Timestamp), Run> = Table::new("runs-1");
/// Ended runs of everybody who was not let in. Key: account, subject, first request's time. Value: [`Run`].
pub const REFUSED_RUNS: Table<(AccountId, Subject, Timestamp), Run> = Table::new("refused-runs-1");
/// Files kept for devices. Key: account, device key, file name. Value: [`DeviceFile`].
pub const FILES: Table<(AccountId, DeviceKey, String), DeviceFile> = Table::new("files-1");
/// What devices were served that stays in their flash. Key: account, device key. Value: [`Flash`].
pub const FLASH: Table<(AccountId, DeviceKey), Flash> = Table::new("flash-1");

/// Uploaded schemas. Key: account, schema. Value: [`Uploaded`].
pub const SCHEMAS: Table<(AccountId, SchemaId), Uploaded> = Table::new("schemas-1");
/// Images of software. Key: account, image. Value: [`Image`].
pub const IMAGES: Table<(AccountId, ImageId), Image> = Table::new("images-1");
/// Part numbers that devices told. Key: account, model. Value: part numbers, the latest first.
pub const PART_NUMBERS: Table<(AccountId, String), Vec<String>> = Table::new("part-numbers-1");
/// Which schema counts. Key: account. Value: [`SchemaChoice`].
pub const SCHEMA_CHOICES: Table<(AccountId,), SchemaChoice> = Table::new("schema-choices-1");

/// Standard profiles as the last version brought them. Key: number. Value: [`Installed`].
pub const STANDARD: Table<(u64,), Installed> = Table::new("standard-1");

/// What people deleted, one row an act. Key: account, deletion. Value: [`Deletion`].
pub const DELETIONS: Table<(AccountId, DeletionId), Deletion> = Table::new("deletions-1");
/// What went by it. Key: account, deletion, number within it. Value: [`Kept`], secret values sealed as they were.
pub const DELETED: Table<(AccountId, DeletionId, u64), Kept> = Table::new("deleted-1");

/// Saved views of lists. Key: account, view. Value: [`View`].
pub const VIEWS: Table<(AccountId, ViewId), View> = Table::new("views-1");

/// Resource files. Key: account, resource file. Value: [`Resource`]; the content is among the blobs.
pub const RESOURCES: Table<(AccountId, ResourceId), Resource> = Table::new("resources-1");

/// All of them, made when the database is.
pub(super) const ALL: [Definition; 32] = [
    META.definition(),
    SERVER.definition(),
    ACCOUNTS.definition(),
    USERS.definition(),
    SESSIONS.definition(),
    TOKENS.definition(),
    DEVICES.definition(),
    SIGHTINGS.definition(),
    BLOCKED.definition(),
    TRUSTS.definition(),
    PROFILES.definition(),
    DEPLOYMENT.definition(),
    SITES.definition(),
    GROUPS.definition(),
    DEFAULT_GROUPS.definition(),
    PEOPLE.definition(),
    PERSON_GROUPS.definition(),
    ROOMS.definition(),
    ACTIVITY.definition(),
    RUNS.definition(),
    REFUSED_RUNS.definition(),
    FILES.definition(),
    FLASH.definition(),
    SCHEMAS.definition(),
    IMAGES.definition(),
    PART_NUMBERS.definition(),
    SCHEMA_CHOICES.definition(),
    STANDARD.definition(),
    DELETIONS.definition(),
    DELETED.definition(),
    VIEWS.definition(),
    RESOURCES.definition(),
];
