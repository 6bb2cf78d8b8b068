//! What the demo shows before its phones come: an owner, profiles, devices with names. Made through the services, as pages make it.

use crate::domain::access::Actor;
use crate::domain::account::{BaseSettings, Secret};
use crate::domain::deployment::Place;
use crate::domain::device::DeviceKey;
use crate::domain::device::draft::{DeviceDraft, DeviceEdit};
use crate::domain::ids::{DEFAULT_ACCOUNT, ProfileId};
use crate::domain::mac::Mac;
use crate::domain::names::Name;
use crate::domain::profile::draft::{ProfileDraft, ProfileInput};
use crate::domain::user::User;
use crate::services::accounts::{TimeDraft, offer_credentials};
use crate::services::commit::Mode;
use crate::services::deployment::{self, Target};
use crate::services::devices::{self, Afterwards};
use crate::services::error::ServiceError;
use crate::services::secrets::random_text;
use crate::services::setup::{self, Opener, SetupDraft, SetupError};
use crate::services::users::UserDraft;
use crate::services::{Services, profiles};

use super::fleet::{self, LINES, NEVER_SEEN};
use super::{files, history, organised, resources, software};

/// A profile of the demo: name, description, parameters.
type ProfileText = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Attached to Global, highest first.
const GLOBAL: &[ProfileText] = &[
    (
        "SIP service",
        "Where lines register",
        &[
            ("voIpProt.server.1.address", "sip.example.lan"),
            ("voIpProt.server.1.port", "5061"),
            ("voIpProt.server.1.transport", "TLS"),
            ("voIpProt.SIP.specialEvent.checkSync.alwaysReboot", "0"),
        ],
    ),
    (
        "House standard",
        "Language, back-light and contacts for every desk",
        &[
            ("lcl.ml.lang", "English_United_Kingdom"),
            ("up.backlight.timeout", "60"),
            ("up.backlight.idleIntensity", "1"),
            ("up.screenCapture.enabled", "1"),
            ("dir.local.contacts.maxNum", "200"),
            ("feature.presence.enabled", "0"),
        ],
    ),
];

/// Attached to some devices.
const MEETING_ROOM: ProfileText = (
    "Meeting room",
    "Louder ringing and no call history",
    &[("up.timeOut", "120"), ("feature.callList.enabled", "0"), ("saf.2", resources::TONE)],
);

/// Attached nowhere.
const SPARE: ProfileText =
    ("Quiet hours", "Not in use at present", &[("se.rt.enabled", "0"), ("up.backlight.idleIntensity", "0")]);

/// Phones that come although their devices were deleted and blocked.
pub(super) const BLOCKED: [u32; 2] = [91, 153];

/// What the rest of the demo needs to know of it.
#[derive(Debug)]
pub struct Seeded {
    /// The owner, whom the link signs in.
    pub owner: User,
    /// The owner's password.
    pub password: Secret,
    /// The shared credentials.
    pub credentials: (String, String),
}

/// Sets the server up and fills it.
pub fn seed(services: &Services, public_name: &str) -> Result<Seeded, SetupError> {
    let (user, password) = offer_credentials();
    let draft = SetupDraft {
        owner: UserDraft {
            name: "Demo".to_owned(),
            email: "demo@example.lan".to_owned(),
            // The link signs in; it is asked for before secrets are shown.
            password: Secret::new(random_text(12).to_lowercase()),
        },
        provisioning_user: user,
        provisioning_password: password,
        public_name: public_name.to_owned(),
        time: TimeDraft { time_zone: "Europe/Berlin".to_owned(), time_server: "pool.ntp.org".to_owned() },
        base: BaseSettings::MANAGE,
    };
    let owner = setup::complete(services, Opener::CommandLine, &draft)?;
    let actor = owner.actor();
    let global = create(services, &actor, GLOBAL)?;
    resources::seed(services, &actor)?;
    let meeting = create(services, &actor, &[MEETING_ROOM])?;
    create(services, &actor, &[SPARE])?;
    deployment::set(services, &actor, DEFAULT_ACCOUNT, &Target::Place(Place::Global), None, global, Mode::Keep)?;
    let order = organised::sites(services, &actor)?;
    let lines = create_lines(services, &actor)?;
    devices::create(services, &actor, DEFAULT_ACCOUNT, drafts(&lines, &meeting), Mode::Keep)?;
    for index in BLOCKED {
        let key = DeviceKey::from(fleet::mac(index));
        devices::delete(services, &actor, DEFAULT_ACCOUNT, &key, Afterwards::Block, Mode::Keep)?;
    }
    organised::rest(services, &actor)?;
    software::upload(services, &actor)?;
    history::tell(services, order.moved)?;
    files::keep(services, &actor)?;
    let credentials = (draft.provisioning_user, draft.provisioning_password.expose().to_owned());
    Ok(Seeded { owner, password: draft.owner.password, credentials })
}

fn create(services: &Services, actor: &Actor, texts: &[ProfileText]) -> Result<Vec<ProfileId>, ServiceError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let inputs = texts.iter().map(|(name, description, parameters)| ProfileInput {
        name: (*name).to_owned(),
        description: (*description).to_owned(),
        parameters: parameters.iter().map(owned).collect(),
    });
    create_from(services, actor, inputs.collect())
}

/// One profile a phone with a line of its own.
fn create_lines(services: &Services, actor: &Actor) -> Result<Vec<ProfileId>, ServiceError> {
    let inputs = (0..LINES).map(|index| {
        let number = 200 + index;
        let parameter = |name: &str, value: String| (format!("reg.1.{name}"), value);
        ProfileInput {
            name: format!("Line {number}"),
            description: String::new(),
            parameters: vec![
                parameter("address", number.to_string()),
                parameter("label", number.to_string()),
                parameter("auth.userId", number.to_string()),
                parameter("auth.password", random_text(16)),
                parameter("server.1.address", "sip.example.lan".to_owned()),
            ],
        }
    });
    create_from(services, actor, inputs.collect())
}

fn create_from(services: &Services, actor: &Actor, inputs: Vec<ProfileInput>) -> Result<Vec<ProfileId>, ServiceError> {
    let drafts = inputs.iter().map(ProfileDraft::parse).collect::<Result<Vec<_>, _>>()?;
    let made = profiles::create(services, actor, DEFAULT_ACCOUNT, drafts, Mode::Keep)?;
    Ok(made.into_iter().map(|profile| profile.id).collect())
}

/// The devices that are added before their first contact: those with a line, with a name, and some that never come.
fn drafts(lines: &[ProfileId], meeting: &[ProfileId]) -> Vec<DeviceDraft> {
    let coming = (0..fleet::PHONES).filter(|index| fleet::is_added_before(*index)).map(|index| {
        let mut profiles: Vec<_> = lines.get(usize::try_from(index).unwrap_or(usize::MAX)).copied().into_iter().collect();
        if index % 9 == 5 {
            profiles.extend_from_slice(meeting);
        }
        draft(fleet::mac(index), place(index), profiles)
    });
    let absent = (0..NEVER_SEEN).map(|index| draft(fleet::absent(index), format!("Store room {}", index + 1), Vec::new()));
    coming.chain(absent).collect()
}

fn draft(mac: Mac, name: String, profiles: Vec<ProfileId>) -> DeviceDraft {
    let name = Some(Name::parse(&name).expect("names of the demo keep the rules"));
    let edit = DeviceEdit { name, ..DeviceEdit::default() };
    DeviceDraft { key: DeviceKey::from(mac), family: None, model: None, profiles, groups: Vec::new(), edit }
}

/// Where a phone stands.
fn place(index: u32) -> String {
    let (floor, room) = (index / 40 + 1, index % 40 + 1);
    match index % 9 {
        5 => format!("Meeting room {floor}.{room:02}"),
        0 if room == 1 => format!("Reception, floor {floor}").replace(',', ""),
        7 => format!("Workshop {floor}.{room:02}"),
        _ => format!("Office {floor}.{room:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::device_list::LastResult;
    use crate::services::Opening;
    use crate::services::clock::Clock;

    #[test]
    fn the_demo_keeps_every_rule_of_the_services() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let clock = Clock::manual("2026-11-22T12:00:00Z".parse().expect("a time"));
        let services = Services::open(Opening::new(dir.path().join("state"), clock)).expect("the state opens");
        let seeded = seed(&services, "127.0.0.1").expect("everything is accepted");
        assert_eq!(seeded.owner.name, "Demo");
        let roster = services.roster(DEFAULT_ACCOUNT);
        let lines = roster.all().iter().filter(|listed| !listed.device.profiles.is_empty()).count();
        assert!(roster.len() > 150 && lines >= 30, "{} devices, {lines} with profiles", roster.len());
        let without = roster.all().iter().filter(|one| LastResult::of(one.sighting.last_run) == LastResult::None).count();
        assert_eq!(without, usize::try_from(NEVER_SEEN).expect("a small number"), "all others polled last night");
        let world = services.world(DEFAULT_ACCOUNT).expect("set up");
        assert!(world.sites.len() >= 6 && world.groups.len() >= 4 && !world.default_groups.is_empty());
        assert!(!world.people.is_empty() && !world.person_groups.is_empty() && !world.rooms.is_empty());
        assert_eq!(crate::services::sites::moves::list(&services, DEFAULT_ACCOUNT).len(), history::MOVED);
        let at_home = crate::services::sites::device_counts(&services, DEFAULT_ACCOUNT);
        assert!(at_home.len() >= 5 && at_home.values().all(|devices| *devices > 0), "{at_home:?}");
        let containers: std::collections::BTreeSet<_> = world.deployment.keys().map(Place::container).collect();
        assert_eq!(containers.len(), 6, "every container but single devices has profiles: {containers:?}");
        let is_standard = |id: &ProfileId| world.profile(*id).is_some_and(|profile| profile.is_standard());
        assert!(world.deployment.values().flatten().any(is_standard));
        assert_eq!(world.deployment.get(&Place::Global).map(Vec::len), Some(GLOBAL.len()));
    }
}
