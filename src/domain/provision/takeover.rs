//! What a device's file says of a CA that is taking the place of ours, in the place that the settings leave to it.

use std::collections::HashSet;

use super::binding;
use crate::domain::deployment::applicable;
use crate::domain::device::Device;
use crate::domain::ids::ProfileId;
use crate::domain::resolution::merge;
use crate::domain::rollover::{is_taken, parameter};
use crate::domain::world::World;

/// Whether the CA that takes the place of ours is in a device's file.
pub fn holds_next(device: &Device, world: &World) -> bool {
    binding::holds_next(world, &merge(&applicable(device, world)))
}

/// The profiles that may fill the place of the new CA with a certificate of their own.
///
/// Hardly any does: of fifty thousand devices those that none of these speaks for are passed by without a merge.
pub struct Fillers<'a> {
    world: &'a World,
    profiles: HashSet<ProfileId>,
}

impl<'a> Fillers<'a> {
    /// Those of an account.
    pub fn of(world: &'a World) -> Self {
        let filled = parameter(world.account.admission.bootstrap.ca_slot.other());
        let fills = |name: &str| name.eq_ignore_ascii_case(filled);
        let filling = world.all_profiles().filter(|profile| profile.parameters.iter().any(|(name, _)| fills(name.as_str())));
        Self { world, profiles: filling.map(|profile| profile.id).collect() }
    }

    /// Whether a device's profiles have a certificate of their own for that place.
    pub fn fill(&self, device: &Device) -> bool {
        if self.profiles.is_empty() {
            return false;
        }
        let placed = applicable(device, self.world);
        placed.iter().any(|one| self.profiles.contains(&one.profile.id))
            && is_taken(&merge(&placed), self.world.account.admission.bootstrap.ca_slot.other())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::Place;
    use crate::domain::testing::{deployed, device, profile, world};

    #[test]
    fn a_place_is_filled_for_whom_a_profile_with_a_value_speaks() {
        let name = parameter(world().account.admission.bootstrap.ca_slot.other());
        let upper = name.to_uppercase();
        let on_global = |parameters: &[(&str, &str)]| deployed(world(), vec![(Place::Global, profile(1, parameters))]);
        let fill = |world: &World| Fillers::of(world).fill(&device("0004f2000001"));
        assert!(fill(&on_global(&[(name, "PEM")])) && fill(&on_global(&[(&upper, "PEM")])));
        assert!(!fill(&on_global(&[("up.timeOut", "40")])));
        assert!(!fill(&on_global(&[(&format!("{name}.set"), "1")])), "a twin alone says nothing");
        let mut elsewhere = on_global(&[("up.timeOut", "40")]);
        elsewhere.profiles.insert(ProfileId(2), profile(2, &[(name, "PEM")]).into());
        assert!(!fill(&elsewhere), "it is attached nowhere");
        let carrier = Device { profiles: vec![ProfileId(2)], ..device("0004f2000001") };
        assert!(Fillers::of(&elsewhere).fill(&carrier));
    }
}
