//! What devices of the demo keep here: settings of their own with versions, two directories that differ, a certificate, and logs.

use std::collections::BTreeSet;

use crate::domain::access::Actor;
use crate::domain::device::DeviceKey;
use crate::domain::given_file::Directory;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::phone_file::DeviceFile;
use crate::services::commit::Mode;
use crate::services::device_files::given::{self, Sent};
use crate::services::error::ServiceError;
use crate::services::{Services, uploads};

use super::fleet;

/// What the first phone keeps, one upload after the other.
const PHONE: [&str; 3] = [
    "<PHONE_CONFIG><OVERRIDES up.timeOut=\"60\"/></PHONE_CONFIG>",
    "<PHONE_CONFIG><OVERRIDES up.timeOut=\"60\" up.backlight.idleIntensity=\"1\"/></PHONE_CONFIG>",
    "<PHONE_CONFIG><OVERRIDES up.timeOut=\"120\" up.backlight.idleIntensity=\"1\" lcl.ml.lang=\"German_Germany\"/></PHONE_CONFIG>",
];
const WEB: &str = "<PHONE_CONFIG><OVERRIDES up.timeOut=\"30\" tcpIpApp.sntp.address=\"ntp.example.lan\"/></PHONE_CONFIG>";

/// Its own contacts and those of the house: first and last name, number.
const OWN: &[(&str, &str, &str)] = &[("Reception", "", "100"), ("Ada", "Okonkwo", "2001"), ("Dentist", "", "030 5550199")];
const GIVEN: &[(&str, &str, &str)] =
    &[("Reception", "Ground floor", "100"), ("Ada", "Okonkwo", "2001"), ("Bruno", "Keller", "2002")];

const APP_LOG: &str = "\
1122030411|cfg  |3|00|Prm|Configuration file 1 of 1 read\n\
1122030411|copy |3|00|Download of master configuration: 200\n\
1122030413|dhcpc|1|00|Lease renewed\n\
1122030415|sip  |4|00|Registration of line 2 failed: 403\n\
1122030415|sip  |2|00|Next attempt in 30 seconds\n\
1122030420|ldap |5|00|Corporate directory: no answer within 10 seconds\n\
1122030502|so   |3|00|Line 1 registered\n\
1122031207|wdog |6|00|Task did not answer; the phone restarts\n\
--- the log begins anew ---\n";
const BOOT_LOG: &str = "1122030355|boot |3|00|Updater started\n1122030358|boot |3|00|Application is the right one\n";

/// Keeps all of it, as phones and pages do.
///
/// # Errors
/// What the services refuse.
pub fn keep(services: &Services, actor: &Actor) -> Result<(), ServiceError> {
    let mut known =
        (0..fleet::PHONES).filter(|index| fleet::is_added_before(*index)).map(|index| DeviceKey::from(fleet::mac(index)));
    let known = known.by_ref().filter(|key| services.roster(DEFAULT_ACCOUNT).find(key).is_some());
    for (number, key) in known.take(3).enumerate() {
        if number == 0 {
            for content in PHONE {
                uploads::keep_file(services, DEFAULT_ACCOUNT, &key, DeviceFile::Phone, content.as_bytes())?;
            }
            uploads::keep_file(services, DEFAULT_ACCOUNT, &key, DeviceFile::Web, WEB.as_bytes())?;
            uploads::keep_file(services, DEFAULT_ACCOUNT, &key, DeviceFile::Directory, directory(OWN).as_bytes())?;
        }
        let sent = [Sent { name: "directory.xml".to_owned(), bytes: directory(GIVEN).into_bytes() }];
        let keys = BTreeSet::from([key.clone()]);
        given::put(services, actor, DEFAULT_ACCOUNT, &keys, Directory::Contacts, &sent, Mode::Keep)?;
        for (kind, content) in [("boot.log", BOOT_LOG.to_owned()), ("app.log", APP_LOG.repeat(1 + 90 * number))] {
            let mut draft = uploads::draft(services)?;
            uploads::write(services, &mut draft, content.as_bytes())?;
            uploads::keep_log(services, DEFAULT_ACCOUNT, &key, kind, draft)?;
        }
    }
    Ok(())
}

fn directory(contacts: &[(&str, &str, &str)]) -> String {
    let item =
        |(first, last, number): &(&str, &str, &str)| format!("<item><ln>{last}</ln><fn>{first}</fn><ct>{number}</ct></item>");
    let items: String = contacts.iter().map(item).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<directory><item_list>{items}</item_list></directory>\n"
    )
}
