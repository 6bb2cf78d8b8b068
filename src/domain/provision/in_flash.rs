//! Which parameters of a configuration a phone writes to its flash, where they stay when they are served no longer (contract 5.11).

use std::borrow::Cow;

use super::super::credential::Recipient;
use super::super::resolution::{is_off, twin_of};
use super::super::world::World;
use super::{DeviceValues, Draft, PollingClock, Setting, Text};

/// The parameters of a draft that stay in flash: those that begin with `device.` and whose twin is on. The switch over all of them
/// is always on: the rule says so.
#[derive(Clone, Debug)]
pub struct InFlash<'a> {
    settings: Vec<Setting<'a, Text<'a>>>,
    polling: PollingClock,
}

impl<'a> InFlash<'a> {
    /// Those of a draft.
    pub fn of(draft: Draft<'a>) -> Self {
        let polling = draft.polling;
        let all: Vec<_> = draft.files.parameters().cloned().collect();
        let is_on = |text: &Text<'_>| !matches!(text, Text::Fixed(text) | Text::Profile(text) if is_off(text));
        let on = all.iter().filter(|one| is_on(&one.value)).filter_map(|one| twin_of(&one.name));
        let on: std::collections::BTreeSet<String> = on.map(str::to_owned).collect();
        Self { settings: all.into_iter().filter(|one| on.contains(&*one.name)).collect(), polling }
    }

    /// Name and value of each for one device.
    pub fn told(&self, recipient: &Recipient<'_>, world: &World) -> Vec<(String, Cow<'a, str>)> {
        let values = DeviceValues::of(recipient, &self.polling, world);
        self.settings.iter().map(|one| (one.name.to_string(), one.value.clone().fill(&values))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::deployment::{Place, applicable};
    use super::super::super::resolution::merge;
    use super::super::super::testing::{deployed, device, profile, to, world};
    use super::super::{Shape, draft};
    use super::*;

    #[test]
    fn what_begins_with_device_and_is_meant_stays_in_flash() {
        let values = [
            ("device.net.vlanId", "7"),
            ("device.net.vlanId.set", "1"),
            ("device.net.lldpEnabled", "1"),
            ("device.net.etherModeLAN", "Auto"),
            ("device.net.etherModeLAN.set", "0"),
            ("voice.volume", "3"),
        ];
        let world = deployed(world(), vec![(Place::Global, profile(1, &values))]);
        let phone = device("0004f2aabbcc");
        let recipient = to(&phone);
        let placed = applicable(&phone, &world);
        let shape = Shape::of(&phone, recipient.channel, &placed, &world);
        let told = InFlash::of(draft(&merge(&placed), &shape, &world)).told(&recipient, &world);
        let value = |name: &str| told.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
        assert_eq!((value("device.net.vlanId"), value("device.prov.user")), (Some("7"), Some("own-user")));
        for not in ["device.net.lldpEnabled", "device.net.etherModeLAN", "voice.volume", "device.set", "device.net.vlanId.set"] {
            assert_eq!(value(not), None, "{not}");
        }
    }
}
