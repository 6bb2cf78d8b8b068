//! What differs between the files that devices get in one world and in another. Devices of one shape before and one after are compared
//! once; what is each device's own is looked at for each.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::super::clock;
use super::super::credential::Channel;
use super::super::deployment::{Placed, applicable};
use super::super::device::Device;
use super::super::ids::SiteId;
use super::super::parameter::{ParameterSet, masked};
use super::super::resolution::{Effective, Mention, Resolved, merge, merge_only, twin_of};
use super::super::world::World;
use super::polling::GMT_OFFSET;
use super::{Draft, LocalTime, PollingClock, Shape, Text, draft, naming, variables};

/// What devices of one shape get in one world.
#[derive(Clone, Debug)]
pub struct Served<'w> {
    world: &'w World,
    placed: Vec<Placed<'w>>,
    shape: Shape,
}

/// An attribute that differs, or may differ for some devices of the shape.
#[derive(Clone, Debug)]
pub struct Differing<'w> {
    /// Its name, with `.set` where that is what differs.
    pub name: String,
    old: Option<Text<'w>>,
    new: Option<Text<'w>>,
    /// Whether each device has to be looked at.
    is_open: bool,
}

/// Everything that differs for devices of one shape before and one after.
#[derive(Clone, Debug)]
pub struct Difference<'w> {
    /// By name.
    pub attributes: Vec<Differing<'w>>,
    before: Told<'w>,
    after: Told<'w>,
}

/// What values of a device are worked out and told from.
#[derive(Clone, Debug)]
struct Told<'w> {
    world: &'w World,
    polling: PollingClock,
    time: LocalTime<'w>,
}

impl<'w> Served<'w> {
    /// What a device gets.
    pub fn to(device: &Device, channel: Channel, world: &'w World) -> Self {
        let placed = applicable(device, world);
        let shape = Shape::of(device, channel, &placed, world);
        Self { world, placed, shape }
    }

    /// By what it is known again within its world.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    fn told(&self, effective: &Effective<'w>) -> Told<'w> {
        let time = LocalTime::at(self.shape.site, self.world);
        Told { world: self.world, polling: PollingClock::new(effective, time), time }
    }

    fn frame(&self) -> Frame {
        (self.shape.key_bytes, self.shape.named, self.shape.channel, self.shape.site)
    }

    /// The attributes that can differ whatever profiles say; none where any can.
    fn around_profiles(&self, next: &Self) -> Option<BTreeSet<String>> {
        let (was, is) = (self.world, next.world);
        let is_named = self.shape.named || next.shape.named;
        let mut names: BTreeSet<String> = is_named.then(|| naming::PARAMETER.to_owned()).into_iter().collect();
        let same_time = LocalTime::at(self.shape.site, was) == LocalTime::at(next.shape.site, is);
        if was.account == is.account && was.endpoints == is.endpoints && same_time {
            return Some(names);
        }
        let nothing = Effective::default();
        let same_clock = self.told(&nothing).polling == next.told(&nothing).polling;
        let [old, new] = [self, next].map(|one| draft(&nothing, &one.shape, one.world));
        let rule = |draft: &Draft<'_>| draft.files.binding.iter().map(|one| one.name.to_string()).collect::<Vec<_>>();
        // Spellings of what the rule governs, certificates of profiles and paths to this server hang together with these.
        if was.endpoints != is.endpoints || rule(&old) != rule(&new) {
            return None;
        }
        names.extend(differing(old, new, same_clock).into_iter().map(|one| base_of(&one.name).to_owned()));
        Some(names)
    }
}

/// What of a shape is no profile's.
type Frame = (usize, bool, Channel, Option<SiteId>);

/// What profiles say of some parameters: name, value and twin, and of a secret which one it is.
type Said<'w> = Vec<(&'w str, Option<&'w str>, Option<&'w str>, usize)>;

/// Compares what devices are served; what is alike is compared once.
#[derive(Default)]
pub struct Comparer<'w> {
    around: HashMap<(Frame, Frame), Rc<Option<BTreeSet<String>>>>,
    known: HashMap<(Frame, Frame, Said<'w>, Said<'w>), Rc<Difference<'w>>>,
}

impl<'w> Comparer<'w> {
    /// What differs when a device that gets the one is to get the other; none where nothing does.
    pub fn compare(&mut self, old: &Served<'w>, new: &Served<'w>) -> Option<Rc<Difference<'w>>> {
        let frames = (old.frame(), new.frame());
        let around = Rc::clone(self.around.entry(frames).or_insert_with(|| Rc::new(old.around_profiles(new))));
        let (was, is) = match &*around {
            Some(around) => {
                let mut names: BTreeSet<&str> = touched(&old.placed, &new.placed);
                names.extend(around.iter().map(String::as_str));
                if names.is_empty() {
                    return None;
                }
                // A phone's polling minute depends on it, whatever else is touched.
                names.insert(GMT_OFFSET);
                (merge_only(&old.placed, &names), merge_only(&new.placed, &names))
            }
            None => (merge(&old.placed), merge(&new.placed)),
        };
        let difference = || {
            let (before, after) = (old.told(&was), new.told(&is));
            let same_clock = before.polling == after.polling;
            let drafts = (draft(&was, &old.shape, old.world), draft(&is, &new.shape, new.world));
            Rc::new(Difference { attributes: differing(drafts.0, drafts.1, same_clock), before, after })
        };
        let difference = self.known.entry((frames.0, frames.1, said(&was), said(&is))).or_insert_with(difference);
        (!difference.attributes.is_empty()).then(|| Rc::clone(difference))
    }
}

fn said<'w>(effective: &Effective<'w>) -> Said<'w> {
    let one = |resolved: &Resolved<'w>| {
        let Mention { value, set, .. } = resolved.winner;
        let value = value.map(|value| &**value);
        let which = value.filter(|value| masked(resolved.name, value) != **value).map_or(0, |value| value.as_ptr().addr());
        (resolved.name, value, set.map(|set| &**set), which)
    };
    effective.iter().map(one).collect()
}

/// The parameters, without `.set`, that can have other winners: those of profiles that are not at the same place in both lists, and
/// those that a profile at the same place now says otherwise.
fn touched<'w>(old: &[Placed<'w>], new: &[Placed<'w>]) -> BTreeSet<&'w str> {
    let is_same = |(old, new): &(&Placed<'w>, &Placed<'w>)| old.profile.id == new.profile.id;
    let head = old.iter().zip(new).take_while(is_same).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(is_same).count();
    let mut names = BTreeSet::new();
    let kept = old[..head].iter().zip(new).chain(old.iter().rev().take(tail).zip(new.iter().rev()));
    for (old, new) in kept.filter(|(old, new)| !std::ptr::eq(old.profile, new.profile)) {
        names.extend(otherwise(&old.profile.parameters, &new.profile.parameters));
        names.extend(otherwise(&new.profile.parameters, &old.profile.parameters));
    }
    let moved = old[head..old.len() - tail].iter().chain(&new[head..new.len() - tail]);
    names.extend(moved.flat_map(|one| one.profile.parameters.iter()).map(|(name, _)| base_of(name.as_str())));
    names
}

/// What one set says that another one does not.
fn otherwise<'w>(these: &'w ParameterSet, those: &'w ParameterSet) -> impl Iterator<Item = &'w str> {
    these.iter().filter(|(name, value)| those.get(name.as_str()) != Some(&***value)).map(|(name, _)| base_of(name.as_str()))
}

fn base_of(name: &str) -> &str {
    twin_of(name).unwrap_or(name)
}

type Attributes<'w> = BTreeMap<Cow<'w, str>, Text<'w>>;

fn differing<'w>(old: Draft<'w>, new: Draft<'w>, same_clock: bool) -> Vec<Differing<'w>> {
    let all = |draft: Draft<'w>| -> Attributes<'w> {
        let files = draft.files;
        let lists = [files.master, files.binding, files.profiles, files.base].into_iter().flatten();
        lists.map(|setting| (setting.name, setting.value)).collect()
    };
    let (mut old, mut new) = (all(old), all(new));
    let names: BTreeSet<String> = old.keys().chain(new.keys()).map(ToString::to_string).collect();
    let one = |name: String| {
        let (old, new) = (old.remove(&*name), new.remove(&*name));
        let is_open = match (&old, &new) {
            (Some(Text::PollingTime), Some(Text::PollingTime)) if same_clock => return None,
            (Some(Text::PollingTime), _) | (_, Some(Text::PollingTime)) => true,
            (Some(Text::DeviceName), _) | (_, Some(Text::DeviceName)) => true,
            (Some(old), Some(new)) if is_other_secret(&name, old, new) => false,
            (Some(old), Some(new)) if old == new || plain(old).is_some_and(|old| plain(new) == Some(old)) => return None,
            (old, new) => [old, new].into_iter().flatten().any(has_variable),
        };
        Some(Differing { name, old, new, is_open })
    };
    names.into_iter().filter_map(one).collect()
}

/// Whether a secret comes from elsewhere than before. Whoever puts a profile of their own before another one must not be told that both hold
/// the same secret, so it counts as another one.
fn is_other_secret(name: &str, old: &Text<'_>, new: &Text<'_>) -> bool {
    match (old, new) {
        (Text::Profile(Cow::Borrowed(old)), Text::Profile(Cow::Borrowed(new))) => {
            !std::ptr::eq(old.as_ptr(), new.as_ptr()) && masked(name, new) != **new
        }
        _ => false,
    }
}

fn has_variable(text: &Text<'_>) -> bool {
    matches!(text, Text::Profile(text) if variables::pieces(text).any(|piece| piece == variables::Piece::Key))
}

/// The text of a value that is the same for every device; who says it makes no difference to a phone.
fn plain<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    match text {
        Text::Fixed(fixed) => Some(fixed),
        Text::Profile(written) if !has_variable(text) => Some(written),
        _ => None,
    }
}

impl<'w> Difference<'w> {
    /// Whether each device has to be looked at.
    pub fn is_open(&self) -> bool {
        self.attributes.iter().any(|one| one.is_open)
    }

    /// What differs for this device, as it was and as it will be.
    pub fn of(&self, old: &Device, new: &Device) -> Vec<&Differing<'w>> {
        let differs = |one: &&Differing<'w>| {
            !one.is_open
                || one.old.as_ref().map(|text| self.before.value(text, old))
                    != one.new.as_ref().map(|text| self.after.value(text, new))
        };
        self.attributes.iter().filter(differs).collect()
    }

    /// Old and new value of an attribute as pages may show them: secrets masked, what is each device's own in words.
    pub fn shown(&self, one: &Differing<'_>, old: &Device, new: &Device) -> (Option<String>, Option<String>) {
        let shown =
            |told: &Told<'_>, text: &Option<Text<'_>>, device| text.as_ref().map(|text| told.shown(&one.name, text, device));
        (shown(&self.before, &one.old, old), shown(&self.after, &one.new, new))
    }

    /// Old and new value as they are, to be hashed.
    pub fn values(&self, one: &Differing<'_>, old: &Device, new: &Device) -> (Option<String>, Option<String>) {
        let value = |told: &Told<'_>, text: &Option<Text<'_>>, device| text.as_ref().map(|text| told.value(text, device));
        (value(&self.before, &one.old, old), value(&self.after, &one.new, new))
    }
}

impl Told<'_> {
    /// The value for a device; of its own secrets only which one it is: they change by no admin's hand.
    fn value(&self, text: &Text<'_>, device: &Device) -> String {
        match text {
            Text::Fixed(text) => text.to_string(),
            Text::Profile(text) => variables::expand(text, &device.key.to_string()).into_owned(),
            Text::PollingTime => self.polling.time_for(device),
            Text::DeviceName => naming::told(device, self.world).unwrap_or_default().to_owned(),
            Text::OwnUser => "\0own user".to_owned(),
            Text::OwnPassword => "\0own password".to_owned(),
            Text::AdminPassword => "\0own admin password".to_owned(),
        }
    }

    fn shown(&self, name: &str, text: &Text<'_>, device: &Device) -> String {
        match text {
            Text::Fixed(text) | Text::Profile(text) => masked(name, text).into_owned(),
            Text::DeviceName => naming::told(device, self.world).unwrap_or_default().to_owned(),
            Text::PollingTime => {
                let (from, to) = self.time.window;
                let [from, to] = [from, to].map(clock::time_of_day);
                format!("a minute of its own between {from} and {to}, {}", self.time.zone)
            }
            Text::OwnUser => "a user name of its own".to_owned(),
            Text::OwnPassword | Text::AdminPassword => "a password of its own".to_owned(),
        }
    }
}
