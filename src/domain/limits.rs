//! Every bound of the guide and of this server, with the rule it comes from.

/// Characters in a name of a device, group, profile, site or shared user (R30; the number is ours).
pub const NAME_CHARS: usize = 80;
/// Characters in a description (R31; the number is ours).
pub const DESCRIPTION_CHARS: usize = 1_000;
/// Characters in a parameter name: longest seen in the field is 76 (PRS-05).
pub const PARAMETER_NAME_CHARS: usize = 255;
/// Bytes in a parameter value; certificate chains are the longest real ones.
pub const PARAMETER_VALUE_BYTES: usize = 64 * 1024;
/// Parameters in one profile: twice what the largest vendor template holds.
pub const PARAMETERS_PER_PROFILE: usize = 10_000;
/// Bytes in an imported or pasted configuration file.
pub const IMPORT_BYTES: usize = 4 * 1024 * 1024;
/// Bytes in a file of devices: [`DEVICES_PER_ADD`] rows of a hundred columns, or of forty in UTF-16.
pub const DEVICE_CSV_BYTES: usize = 4 * IMPORT_BYTES;
/// Bytes in an uploaded schema: four times the largest one seen.
pub const SCHEMA_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of such a file once it is packed: a row of the database.
pub const SCHEMA_PACKED_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of an archive of profiles, out and in: an own profile of twenty parameters for each of [`DEVICES`] fits twice.
pub const ARCHIVE_UPLOAD_BYTES: usize = 64 * 1024 * 1024;
/// Bytes that an archive of profiles may be unpacked to.
pub const ARCHIVE_BYTES: usize = 192 * 1024 * 1024;
/// Bytes of a list in an archive: of its profiles, or of where they are attached.
pub const ARCHIVE_LIST_BYTES: usize = 32 * 1024 * 1024;
/// Profiles in one archive: each that is exported comes back, and none is of the longer form of ZIP, which begins at 65,535 members.
pub const ARCHIVE_PROFILES: usize = 60_000;
/// Files in such an archive: the profiles, their list, and folders that other programs put there.
pub const ARCHIVE_MEMBERS: usize = ARCHIVE_PROFILES + 2_000;
/// Lines of a device: as many as software 4 to 6 knows.
pub const LINES: usize = 34;
/// Devices whose lines are changed at once.
pub const LINES_AT_ONCE: usize = 1_000;
/// Uploaded schemas of an account.
pub const SCHEMAS: usize = 20;
/// Profiles attached to one container.
pub const PROFILES_PER_CONTAINER: usize = 200;
/// Bytes in the `CONFIG_FILES` list of a master file (protocol/provisioning.md 2).
pub const CONFIG_FILES_BYTES: usize = 2_047;
/// Bytes in one entry of a master file's lists and paths (protocol/provisioning.md 2).
pub const MASTER_PATH_BYTES: usize = 255;
/// Devices in one installation (R1).
pub const DEVICES: usize = 50_000;
/// Devices in one array add: as many rows as a device CSV may have (R41).
pub const DEVICES_PER_ADD: usize = 10_000;
/// Devices or profiles that are deleted in one change.
pub const DELETED_AT_ONCE: usize = DEVICES;
/// Saved views of one user (the number is ours).
pub const VIEWS_PER_USER: usize = 50;
/// Characters in the query of a saved view: as many as a list remembers.
pub const VIEW_QUERY_CHARS: usize = 1_000;
/// Whole weeks of the activity log that are kept beside the present one; settings may say more (R349).
pub const ACTIVITY_WEEKS: u32 = 4;
/// Days that device logs are kept unless set otherwise (R44).
pub const LOG_DAYS: u32 = 10;
/// Runs kept for each device.
pub const RUNS_PER_DEVICE: usize = 20;
/// Seconds of silence that end a run (contract 1).
pub const RUN_SILENCE_SECONDS: i64 = 120;
/// Requests kept of one run: four times what the longest boot seen sends.
pub const EXCHANGES_PER_RUN: usize = 120;
/// Runs that are open at a time for phones that were not let in, and for addresses: a sweep over MAC addresses costs no more.
pub const OPEN_REFUSED_RUNS: usize = 1_000;
/// Subjects among phones that were not let in, and among addresses, whose ended runs are kept.
pub const REFUSED_SUBJECTS: usize = 500;
/// Runs kept for each of [`REFUSED_SUBJECTS`].
pub const RUNS_PER_REFUSED_SUBJECT: usize = 5;
/// Bytes of logs, core dumps and captures kept of one device; the oldest make room.
pub const LOG_BYTES_PER_DEVICE: u64 = 64 * 1024 * 1024;
/// Logs, core dumps and captures kept of one device.
pub const LOG_FILES_PER_DEVICE: usize = 500;
/// Bytes of logs, core dumps and captures kept of all devices together, unless settings say otherwise; the oldest make room.
pub const LOG_BYTES_IN_ALL: u64 = 8 * 1024 * 1024 * 1024;
/// Days that logs may be kept (R44; the number is ours).
pub const LOG_DAYS_MOST: u32 = 366;
/// Uploads that are taken of one device in an hour: a phone that boots each minute sends no more (UPL-04; the number is ours).
pub const UPLOADS_PER_HOUR: u32 = 600;
/// Bytes of them: four times what is kept of a device.
pub const UPLOAD_BYTES_PER_HOUR: u64 = 4 * LOG_BYTES_PER_DEVICE;
/// Former versions kept of each file of a device (the number is ours).
pub const FILE_VERSIONS: usize = 10;
/// Files that people may put there for one device, beside those that it uploads itself (the number is ours).
pub const GIVEN_FILES: usize = 100;
/// Bytes of one of them: as many as of a directory.
pub const GIVEN_FILE_BYTES: usize = 4 * 1024 * 1024;
/// Files in one upload for devices.
pub const GIVEN_AT_ONCE: usize = 100;
/// Devices that files are uploaded for at once, or whose directories are merged: each has content of its own on the disk.
pub const GIVEN_DEVICES: usize = 1_000;
/// Contacts in a directory: as many as the largest phone takes (protocol/provisioning.md 9).
pub const CONTACTS: usize = 9_999;
/// Lines that a search in logs answers.
pub const LOG_LINES_FOUND: usize = 500;
/// Bytes of what follows the key in the name of a log, core dump or capture: with the time in front it fits into a file's name
/// on every file system (protocol/provisioning.md 10: 255).
pub const DUMP_NAME_BYTES: usize = 128;
/// Bytes of the disk that uploads of phones leave free for everything else.
pub const DISK_RESERVE_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes free below which the disk is told to be nearly full: time to act before uploads are refused.
pub const DISK_WARNING_BYTES: u64 = 4 * DISK_RESERVE_BYTES;
/// New devices from one address in ten minutes (contract 4).
pub const NEW_DEVICES_PER_ADDRESS: usize = 100;
/// New devices of one account in an hour (contract 4).
pub const NEW_DEVICES_PER_HOUR: usize = 2_000;
/// Characters of a path or a User-Agent from outside that are kept.
pub const OUTSIDE_TEXT_CHARS: usize = 200;
/// Seconds that a phone is told to wait where it is held (contract 4).
pub const RETRY_AFTER_SECONDS: u32 = 3_600;
/// First and last minute of the default polling window, 03:00 to 05:00 (R51).
pub const POLLING_WINDOW_MINUTES: (u16, u16) = (180, 300);
/// Seconds between two polls of a device, unless a profile says otherwise (R51, contract 5.8).
pub const POLLING_PERIOD_SECONDS: i64 = 86_400;
/// Seconds of silence after which a device counts as offline: two polling periods and one hour (contract 5.7).
pub const OFFLINE_AFTER_SECONDS: i64 = 2 * POLLING_PERIOD_SECONDS + 3_600;
/// Hours without a request after which a person must sign in again (R15; the number is ours).
pub const SESSION_IDLE_HOURS: i64 = 12;
/// Days after which a person must sign in again in any case.
pub const SESSION_DAYS: i64 = 7;
/// Minutes for which a password that was given once more counts (SEC-05; the number is ours).
pub const CONFIRMED_MINUTES: i64 = 10;
/// Minutes that a visitor has for a step of signing in.
pub const STRANGER_SESSION_MINUTES: i64 = 60;
/// Sessions of visitors who are not signed in.
pub const STRANGER_SESSIONS: usize = 2_000;
/// Characters that a user's password must have (ADM-02; the number is ours).
pub const PASSWORD_CHARS: usize = 12;
/// Bytes that a user's password may have.
pub const PASSWORD_BYTES: usize = 1_024;
/// Days that an API token lives unless somebody says otherwise (the number is ours).
pub const TOKEN_DAYS: i64 = 90;
/// Days that an API token may live.
pub const TOKEN_DAYS_MOST: i64 = 366;
/// API tokens of an account.
pub const TOKENS_PER_ACCOUNT: usize = 200;
/// Hours in which an invitation can be taken up.
pub const INVITATION_HOURS: i64 = 7 * 24;
/// Changed fields that one entry of the activity log keeps.
pub const ACTIVITY_CHANGES: usize = 200;
/// Characters of a value that the activity log keeps.
pub const ACTIVITY_VALUE_CHARS: usize = 500;
/// Characters that the password of the shared credentials may have (the number is ours).
pub const SHARED_PASSWORD_CHARS: usize = 128;
/// Minutes of a day: the latest end of a polling window.
pub const MINUTES_PER_DAY: u16 = 1_440;
/// Hours that a click on the page *Pending* lets a device in, unless it took everything before (contract 4, point 2).
pub const RIGHT_HOURS: i64 = 25;
/// Hours in which a device may come back after a reset or a replacement (contract 4, point 2).
pub const EXPECTED_HOURS: i64 = 24;
/// Days in which a device that was added beforehand may come for the first time (contract 4, point 3).
pub const STAGED_DAYS: i64 = 7;
/// Days that unknown devices may use a shared password that is replaced as planned (contract 4).
pub const FORMER_PASSWORD_DAYS: i64 = 14;
/// Minutes that the window for new phones stays open (contract 4, point 4).
pub const WINDOW_MINUTES: i64 = 30;
/// Hours that a phone which was first heard in that window has to come in.
pub const WINDOW_PATIENCE_HOURS: i64 = 4;
/// Addresses at which phones are that were given our certificate authority over plain HTTP and gave no proof yet.
pub const BOOTSTRAP_ADDRESSES: usize = 5_000;
/// Such phones at one address: behind address translation there may be many.
pub const BOOTSTRAPS_PER_ADDRESS: usize = 100;
/// Hours that are looked back on where a phone comes up.
pub const COMING_UP_HOURS: i64 = 24;
/// Keys that are no device's and of which something is remembered, mostly that they knocked.
pub const STRANGERS: usize = 5_000;
/// First requests without a secret that are counted by their address: of more the oldest are forgotten.
pub const NEWCOMERS_COUNTED: usize = 20_000;
/// Days that the secrets of a deleted device are still told (contract 5.9).
pub const DELETED_DAYS: i64 = 90;
/// Bound devices that may be refused within [`REFUSED_TOGETHER_MINUTES`] before that is an alert (contract 4, point 2).
pub const REFUSED_TOGETHER: usize = 5;
/// Minutes within which refusals of bound devices count together.
pub const REFUSED_TOGETHER_MINUTES: i64 = 10;
/// Hours that such an alert stays, unless the devices were let in.
pub const REFUSED_TOGETHER_HOURS: i64 = 24;
/// Sources from which more new devices came than may, and of which that is told.
pub const HELD_BACK_SOURCES: usize = 1_000;
/// Minutes without a new device that was held because of the rates, after which the next one is told anew: by then all of them have
/// room again.
pub const CROWD_MINUTES: i64 = 60;
/// Keys that one action on the page *Pending* may name.
pub const PENDING_AT_ONCE: usize = STRANGERS;
/// Wrong passwords from one address for one device that are answered at once (PHN-09).
pub const WRONG_AT_ONCE: u32 = 5;
/// Addresses besides the last one at which the way of one phone from plain HTTP is remembered.
pub const BOOTSTRAPS_PER_DEVICE: usize = 8;
/// Addresses besides the last one that are told of a key for which several ask and are not let in.
pub const KNOCKS_ELSEWHERE: usize = 15;
/// Minutes after which somebody who asked for a key counts as silent, and gives way first where more addresses ask for it than are told.
/// A phone that was told to come later asks every hour.
pub const SILENT_MINUTES: i64 = 90;
/// Days that it is told who was not let in.
pub const KNOCK_DAYS: i64 = 30;
/// Days that a device counts which still comes by an address that is no longer answered (contract 2).
pub const ADDRESS_USE_DAYS: i64 = 90;
/// Days that a phone is waited for which has not come, before one private CA takes the place of another (the number is ours).
pub const CA_WAIT_DAYS: i64 = 90;
/// Days that a phone is waited for which was led from plain HTTP to HTTPS and not let in since, before one private CA takes the place of
/// another: anybody can come so far under any MAC (the number is ours).
pub const CA_WAIT_LED_DAYS: i64 = 14;
/// Hours after one step of a rollover before the server takes the next by itself: whoever is being served meanwhile comes to rest, and
/// a person can think again (the number is ours).
pub const CA_STEP_HOURS: i64 = 1;
/// Certificates of manufacturers' authorities in one account (the number is ours; the largest maker has four).
pub const MANUFACTURER_CAS: usize = 50;
/// Bytes of a file with such certificates.
pub const MANUFACTURER_FILE_BYTES: usize = 512 * 1024;
/// Lists of revoked certificates in one account (the number is ours: one for each of [`MANUFACTURER_CAS`]).
pub const REVOCATION_LISTS: usize = MANUFACTURER_CAS;
/// Bytes of a file with such lists: one names some 25,000 certificates.
pub const REVOCATION_FILE_BYTES: usize = 1024 * 1024;
/// Bytes of all of them together: they are a part of the account's settings.
pub const REVOCATION_BYTES: usize = 4 * REVOCATION_FILE_BYTES;
/// Minutes between two runs from another site after which a device belongs to it (contract 5.6).
pub const MOVE_MINUTES: i64 = 30;
/// Device groups of an account.
pub const GROUPS: usize = 2_000;
/// Groups that one device is in.
pub const GROUPS_PER_DEVICE: usize = 100;
/// People of an account; so many rooms and groups of people too.
pub const PEOPLE: usize = 50_000;
/// Sites of one account (quality/performance.md P11).
pub const SITES: usize = 2_000;
/// Networks of one site, public and private ones together (the number is ours).
pub const NETWORKS_PER_SITE: usize = 500;
/// Bytes of a network in a file of sites: IPv6, quotation marks doubled, and of every second one the list that is behind it.
pub const NETWORK_CSV_BYTES: usize = 100;
/// Bytes of everything else in a row of a file of sites: its texts are the longest, in letters of four bytes.
pub const SITE_CSV_BYTES: usize = 4 * (NAME_CHARS + DESCRIPTION_CHARS + LOCATION_CHARS) + 2 * 1024;
/// Bytes in a file of sites: all that an account may hold can be exported, and imported again.
pub const SITES_CSV_BYTES: usize = SITES * (NETWORKS_PER_SITE * NETWORK_CSV_BYTES + SITE_CSV_BYTES);
/// Characters in the location of a site (the number is ours).
pub const LOCATION_CHARS: usize = 200;
/// Devices that a preview names one by one; the rest are counted.
pub const MOVES_NAMED: usize = 1_000;
/// Days that what was deleted is kept in the recycle bin.
pub const BIN_DAYS: i64 = 30;
/// Deletions that the recycle bin of an account holds; the oldest make room.
pub const BIN_DELETIONS: usize = 2_000;
/// Objects in all of them.
pub const BIN_OBJECTS: usize = 200_000;
/// Bytes of all their rows. What the newest deletion took is kept whatever its size.
pub const BIN_BYTES: u64 = 512 * 1024 * 1024;
/// Resource files of an account.
pub const RESOURCES: usize = 5_000;
/// Bytes up to which a resource file is small enough for phones (R43); larger ones are taken with a warning.
pub const RESOURCE_BYTES_ADVISED: u64 = 50 * 1024 * 1024;
/// Bytes of a resource file that is XML: it is read whole to see that phones can read it.
pub const RESOURCE_XML_BYTES: usize = 16 * 1024 * 1024;
/// Pixels of a picture, and the same of each side: the largest screen that phones drive has a quarter.
pub const RESOURCE_PIXELS: u64 = 40_000_000;
/// See [`RESOURCE_PIXELS`].
pub const RESOURCE_SIDE: u32 = 10_000;
/// Resource files that are uploaded, or deleted, at once.
pub const RESOURCES_AT_ONCE: usize = 50;
/// Deletions that are restored or deleted for good at once.
pub const BIN_AT_ONCE: usize = 200;

/// Part numbers that are remembered of a model: more revisions of one hardware there never were.
pub const PART_NUMBERS_PER_MODEL: usize = 16;
/// Images of software of an account, unless an owner says otherwise (R42).
pub const IMAGES: usize = 40;
/// Bytes of all their files together, unless an owner says otherwise (R42).
pub const IMAGES_BYTES: u64 = 30_000_000_000;
/// Bytes of one package of software, unless an owner says otherwise: the largest ones known have 985 MB.
pub const PACKAGE_BYTES: u64 = 1_500_000_000;
/// Bytes that one package may be allowed at most: what an archive without extensions can hold.
pub const PACKAGE_BYTES_MOST: u64 = 4_000_000_000;
/// Images that may be allowed at most: all of them are in memory.
pub const IMAGES_MOST: usize = 1_000;
/// Files in a package of software; the largest ones known have some 300.
pub const PACKAGE_ENTRIES: usize = 10_000;
/// Files of a package that are served.
pub const PACKAGE_SERVED: usize = 3_000;
/// Bytes that a package may be unpacked to.
pub const UNPACKED_BYTES: u64 = 8_000_000_000;
/// How many times its size a package may be unpacked to, once that is more than [`UNPACKED_ANYWAY_BYTES`]: images are packed already.
pub const UNPACKED_RATIO: u64 = 100;
/// Bytes that a package may be unpacked to whatever its size.
pub const UNPACKED_ANYWAY_BYTES: u64 = 16 * 1024 * 1024;
/// Uploads of software that are under way or wait for an answer.
pub const IMAGE_UPLOADS: usize = 20;
/// Hours after which an upload of software ends that nobody goes on with.
pub const IMAGE_UPLOAD_HOURS: i64 = 24;
/// Bytes of a key file of a software licence (R338).
pub const LICENSE_BYTES: usize = 64 * 1024;
