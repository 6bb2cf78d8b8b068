//! What differs between the files that devices get in one world and in another. Devices of one shape before and one after are compared
//! once; what is each device's own is looked at for each.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::super::account::Slot;
use super::super::clock;
use super::super::credential::Channel;
use super::super::deployment::{Placed, applicable};
use super::super::device::Device;
use super::super::ids::{ProfileId, SiteId};
use super::super::parameter::{ParameterSet, is_of_device, is_of_xml, masked};
use super::super::profile::Profile;
use super::super::resolution::{Effective, Mention, Resolved, mentioned, merge, merge_only, twin_of};
use super::super::rollover;
use super::super::world::World;
use super::master::{APP_FILE_PATH, is_master};
use super::polling::{GMT_OFFSET, POLLING_TIME, own_offset};
use super::software::{self, Software};
use super::{Draft, LocalTime, PollingClock, Setting, Shape, Text, below_profiles, by_rule, draft, naming, variables};

/// What devices of one shape get in one world.
#[derive(Clone, Debug)]
pub struct Served<'w> {
    world: &'w World,
    placed: Vec<Placed<'w>>,
    shape: Shape,
    /// The offset that was set at the phone, in seconds: its polling minute hangs on it.
    own_offset: Option<i64>,
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
        Self { world, placed, shape, own_offset: own_offset(device) }
    }

    /// By what it is known again within its world.
    pub fn identity(&self) -> Identity {
        (self.shape.clone(), self.own_offset)
    }

    fn told(&self, effective: &Effective<'w>) -> Told<'w> {
        let time = LocalTime::at(self.shape.site, self.world);
        Told { world: self.world, polling: PollingClock::new(effective, time), time }
    }

    fn frame(&self) -> Frame {
        let Shape { key_bytes, named, channel, site, ref software, .. } = self.shape;
        (key_bytes, named, channel, site, software.clone(), self.own_offset)
    }

    fn polls_like(&self, told: &Told<'_>, other: &Self, other_told: &Told<'_>) -> bool {
        told.polling == other_told.polling && self.own_offset == other.own_offset
    }

    /// The parameters that this server gives or reads: what profiles say of them decides more than their own values.
    fn bound_names(&self) -> Vec<String> {
        let Shape { channel, named, site, software, .. } = &self.shape;
        let time = LocalTime::at(*site, self.world);
        let rule = by_rule(*channel, &Effective::default(), software, self.world);
        let below = below_profiles(*named, *channel, time, self.world, &mut Vec::new());
        let given = rule.into_iter().chain(below).map(|given| given.name.into_owned());
        let read = [rollover::parameter(Slot::One), rollover::parameter(Slot::Two), GMT_OFFSET, software::LINE];
        given.chain(read.map(str::to_owned)).collect()
    }

    /// The attributes that can differ whatever profiles say; none where any can.
    fn around_profiles(&self, next: &Self) -> Option<BTreeSet<String>> {
        let (was, is) = (self.world, next.world);
        let is_named = self.shape.named || next.shape.named;
        let mut names: BTreeSet<String> = is_named.then(|| naming::PARAMETER.to_owned()).into_iter().collect();
        if self.shape.software != next.shape.software {
            // Profiles may hold what it is written into; then anything can.
            if self.shape.software.from != next.shape.software.from
                || [self, next].iter().any(|one| one.shape.software.is_of_cx())
            {
                return None;
            }
            names.insert(APP_FILE_PATH.to_owned());
        }
        if self.own_offset != next.own_offset {
            names.insert(POLLING_TIME.to_owned());
        }
        let same_time = LocalTime::at(self.shape.site, was) == LocalTime::at(next.shape.site, is);
        if was.account == is.account && was.endpoints == is.endpoints && same_time {
            return Some(names);
        }
        let nothing = Effective::default();
        let same_clock = self.polls_like(&self.told(&nothing), next, &next.told(&nothing));
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
type Frame = (usize, bool, Channel, Option<SiteId>, Software, Option<i64>);

/// What devices of one world that are served the same way have in common: the shape, and the offset that was set at the phone.
pub type Identity = (Shape, Option<i64>);

/// What profiles say of some parameters: name, value and twin, and of a secret which one it is.
type Said<'w> = Vec<(&'w str, Option<&'w str>, Option<&'w str>, usize)>;

/// Where two lists of profiles differ: profiles at the same place that were edited, and those that are not at the same place.
type Edits = (Vec<ProfileId>, Vec<ProfileId>, Vec<ProfileId>);

/// What can differ for devices of some frames between lists that differ in the same way.
#[derive(Debug)]
struct Scope {
    /// Parameters, without `.set`, that can have other winners.
    touched: BTreeSet<String>,
    /// Attributes that can differ whatever profiles say, and what a polling minute depends on: the value counts that a phone gets.
    around: BTreeSet<String>,
}

/// What decides how devices of one scope differ. Profiles that stand first in both lists and are the same beat all others: what they
/// say stays, and which of them say it makes no difference.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Inputs<'w> {
    scope: *const Scope,
    /// Touched parameters that the first profiles keep as they are.
    kept: Vec<&'w str>,
    /// What they say of what is around profiles.
    said: Said<'w>,
    /// The other profiles that have a part in it.
    rest: (Vec<ProfileId>, Vec<ProfileId>),
}

/// Compares what devices are served; what is alike is compared once, and of profiles only what has a part in the change counts.
#[derive(Default)]
pub struct Comparer<'w> {
    around: HashMap<(Frame, Frame), Rc<Option<BTreeSet<String>>>>,
    scopes: HashMap<(Frame, Frame, Edits), Rc<Scope>>,
    /// What a profile says of what is in a scope, named without `.set`.
    parts: HashMap<(*const Scope, *const Profile), Rc<Vec<&'w str>>>,
    by_inputs: HashMap<Inputs<'w>, Option<Rc<Difference<'w>>>>,
    known: Known<'w>,
    /// The same of parameters that are bound to others alone.
    bound: Known<'w>,
    /// The names that are bound in the files of these frames.
    names: HashMap<(Frame, Frame), Rc<Vec<String>>>,
}

/// What differs between files of these frames, by what profiles say before and after.
type Known<'w> = HashMap<(Frame, Frame, Said<'w>, Said<'w>), Rc<Difference<'w>>>;

impl<'w> Comparer<'w> {
    /// What differs when a device that gets the one is to get the other; none where nothing does.
    pub fn compare(&mut self, old: &Served<'w>, new: &Served<'w>) -> Option<Rc<Difference<'w>>> {
        let frames = (old.frame(), new.frame());
        let around = Rc::clone(self.around.entry(frames.clone()).or_insert_with(|| Rc::new(old.around_profiles(new))));
        let Some(around) = &*around else {
            return self.difference(old, new, merge(&old.placed), merge(&new.placed));
        };
        let edits = edits(&old.placed, &new.placed);
        if edits == Edits::default() && around.is_empty() {
            return None;
        }
        let scope = self.scopes.entry((frames.0.clone(), frames.1.clone(), edits)).or_insert_with(|| {
            let touched = touched(&old.placed, &new.placed).into_iter().map(str::to_owned).collect();
            // A phone's polling minute depends on the one, whatever else is touched, and a profile may say the other.
            Rc::new(Scope {
                touched,
                around: around.iter().cloned().chain([GMT_OFFSET, POLLING_TIME].map(str::to_owned)).collect(),
            })
        });
        let scope = Rc::clone(scope);
        let inputs = self.inputs(&scope, &old.placed, &new.placed);
        if let Some(known) = self.by_inputs.get(&inputs) {
            return known.clone();
        }
        let names: BTreeSet<&str> =
            scope.touched.iter().map(String::as_str).filter(|name| inputs.kept.binary_search(name).is_err()).collect();
        let difference = if names.is_empty() && around.is_empty() {
            None
        } else {
            let names = names.into_iter().chain(scope.around.iter().map(String::as_str)).collect();
            self.difference(old, new, merge_only(&old.placed, &names), merge_only(&new.placed, &names))
        };
        self.by_inputs.insert(inputs, difference.clone());
        difference
    }

    /// What decides how two lists differ.
    fn inputs(&mut self, scope: &Rc<Scope>, old: &[Placed<'w>], new: &[Placed<'w>]) -> Inputs<'w> {
        let first = old.iter().zip(new).take_while(|(old, new)| std::ptr::eq(old.profile, new.profile)).count();
        let (mut kept, mut said) = (BTreeSet::new(), Said::new());
        for one in &old[..first] {
            for name in &*self.part(scope, one) {
                if !scope.around.contains(*name) {
                    kept.insert(*name);
                } else if said.iter().all(|(known, ..)| known != name) {
                    said.extend(self::said(&merge_only(std::slice::from_ref(one), &BTreeSet::from([*name]))));
                }
            }
        }
        said.sort_unstable();
        let mut rest = |placed: &[Placed<'w>]| -> Vec<ProfileId> {
            let has_part = |one: &&Placed<'w>| self.part(scope, one).iter().any(|name| !kept.contains(name));
            placed[first..].iter().filter(has_part).map(|one| one.profile.id).collect()
        };
        let rest = (rest(old), rest(new));
        Inputs { scope: Rc::as_ptr(scope), kept: kept.into_iter().collect(), said, rest }
    }

    /// What a profile says of what is in a scope.
    fn part(&mut self, scope: &Rc<Scope>, placed: &Placed<'w>) -> Rc<Vec<&'w str>> {
        let of_profile = || {
            let parameters = &placed.profile.parameters;
            let size = scope.touched.len() + scope.around.len();
            let names = match size < parameters.len() {
                true => scope.touched.union(&scope.around).filter_map(|name| mentioned(placed, name)).collect(),
                false => {
                    let names = parameters.iter().map(|(name, _)| base_of(name.as_str()));
                    let is_in = |name: &&str| scope.touched.contains(*name) || scope.around.contains(*name);
                    names.filter(is_in).filter_map(|name| mentioned(placed, name)).collect()
                }
            };
            Rc::new(names)
        };
        Rc::clone(self.parts.entry((Rc::as_ptr(scope), std::ptr::from_ref(placed.profile))).or_insert_with(of_profile))
    }

    fn difference(
        &mut self,
        old: &Served<'w>,
        new: &Served<'w>,
        was: Effective<'w>,
        is: Effective<'w>,
    ) -> Option<Rc<Difference<'w>>> {
        let key = (old.frame(), new.frame(), said(&was), said(&is));
        let difference = match self.known.get(&key) {
            Some(known) => Rc::clone(known),
            None => {
                let difference = self.made(old, new, was, is);
                self.known.insert(key, Rc::clone(&difference));
                difference
            }
        };
        (!difference.attributes.is_empty()).then_some(difference)
    }

    /// Devices whose own profiles all differ have little in common but what is bound to other parameters, and that alone takes drafts.
    fn made(&mut self, old: &Served<'w>, new: &Served<'w>, was: Effective<'w>, is: Effective<'w>) -> Rc<Difference<'w>> {
        let frames = (old.frame(), new.frame());
        let names = || Rc::new([old, new].into_iter().flat_map(Served::bound_names).collect());
        let names = Rc::clone(self.names.entry(frames.clone()).or_insert_with(names));
        let bound: HashSet<&str> = was.iter().chain(is.iter()).filter(|one| is_bound(one, &names)).map(|one| one.name).collect();
        let (was, free_was) = was.split(|one| bound.contains(one.name));
        let (is, free_is) = is.split(|one| bound.contains(one.name));
        let difference = || {
            let (before, after) = (old.told(&was), new.told(&is));
            let same_clock = old.polls_like(&before, new, &after);
            let drafts = (draft(&was, &old.shape, old.world), draft(&is, &new.shape, new.world));
            Rc::new(Difference { attributes: differing(drafts.0, drafts.1, same_clock), before, after })
        };
        let key = (frames.0, frames.1, said(&was), said(&is));
        let together = Rc::clone(self.bound.entry(key).or_insert_with(difference));
        let free = differing_free(&free_was, &free_is);
        if free.is_empty() {
            return together;
        }
        let mut all = Difference::clone(&together);
        all.attributes.extend(free);
        all.attributes.sort_by(|a, b| a.name.cmp(&b.name));
        Rc::new(all)
    }
}

/// Whether what is said of a parameter decides more than its own value, or something else decides that.
fn is_bound(resolved: &Resolved<'_>, names: &[String]) -> bool {
    let Resolved { name, winner, .. } = resolved;
    is_master(name)
        || is_of_xml(name)
        || twin_of(name).is_some()
        || names.iter().any(|bound| bound.eq_ignore_ascii_case(name))
        || [winner.value, winner.set].into_iter().flatten().any(|text| variables::is_about_software(text))
}

/// What differs of parameters that are not bound: each is served as profiles say it.
fn differing_free<'w>(was: &Effective<'w>, is: &Effective<'w>) -> Vec<Differing<'w>> {
    let names: BTreeSet<&str> = was.iter().chain(is.iter()).map(|one| one.name).collect();
    let text = |text: Option<&'w Arc<str>>| text.map(|text| Text::Profile(Cow::Borrowed(&**text)));
    let both = |name: &str| {
        let [old, new] = [was, is].map(|effective| effective.get(name).map(|one| one.winner));
        let value = |mention: Option<Mention<'w>>| text(mention.and_then(|mention| mention.value));
        let set = |mention: Option<Mention<'w>>| text(mention.and_then(|mention| mention.set));
        let twin = || differs(format!("{name}.set"), set(old), set(new), true);
        [differs(name.to_owned(), value(old), value(new), true), is_of_device(name).then(twin).flatten()]
    };
    names.into_iter().flat_map(both).flatten().collect()
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

/// How many profiles stand at the same place from the top of both lists on, and how many of the others from their end on.
fn ends(old: &[Placed<'_>], new: &[Placed<'_>]) -> (usize, usize) {
    let is_same = |(old, new): &(&Placed<'_>, &Placed<'_>)| old.profile.id == new.profile.id;
    let head = old.iter().zip(new).take_while(is_same).count();
    (head, old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(is_same).count())
}

/// The profiles that stand at the same place in both lists and were edited.
fn edited<'l, 'w>(old: &'l [Placed<'w>], new: &'l [Placed<'w>]) -> impl Iterator<Item = (&'w Profile, &'w Profile)> {
    let (head, tail) = ends(old, new);
    let kept = old[..head].iter().zip(new).chain(old.iter().rev().take(tail).zip(new.iter().rev()));
    kept.map(|(old, new)| (old.profile, new.profile)).filter(|(old, new)| !std::ptr::eq(*old, *new))
}

fn edits(old: &[Placed<'_>], new: &[Placed<'_>]) -> Edits {
    let (head, tail) = ends(old, new);
    let moved = |placed: &[Placed<'_>]| placed[head..placed.len() - tail].iter().map(|one| one.profile.id).collect();
    (edited(old, new).map(|(old, _)| old.id).collect(), moved(old), moved(new))
}

/// The parameters, without `.set`, that can have other winners: those of profiles that are not at the same place in both lists, and
/// those that a profile at the same place now says otherwise.
fn touched<'w>(old: &[Placed<'w>], new: &[Placed<'w>]) -> BTreeSet<&'w str> {
    let mut names = BTreeSet::new();
    for (old, new) in edited(old, new) {
        names.extend(otherwise(&old.parameters, &new.parameters));
        names.extend(otherwise(&new.parameters, &old.parameters));
    }
    let (head, tail) = ends(old, new);
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
        let line = draft.software.line().map(|version| Text::Fixed(Cow::Owned(version.to_owned())));
        let line = line.map(|version| Setting { name: Cow::Borrowed(software::LINE), value: version });
        let files = draft.files;
        let lists = [files.master, files.binding, files.profiles, files.base].into_iter().flatten();
        lists.chain(line).map(|setting| (setting.name, setting.value)).collect()
    };
    let (mut old, mut new) = (all(old), all(new));
    let names: BTreeSet<String> = old.keys().chain(new.keys()).map(ToString::to_string).collect();
    let one = |name: String| {
        let (old, new) = (old.remove(&*name), new.remove(&*name));
        differs(name, old, new, same_clock)
    };
    names.into_iter().filter_map(one).collect()
}

/// The attribute, where it differs or may differ for some devices.
fn differs<'w>(name: String, old: Option<Text<'w>>, new: Option<Text<'w>>, same_clock: bool) -> Option<Differing<'w>> {
    let is_open = match (&old, &new) {
        (Some(Text::PollingTime), Some(Text::PollingTime)) if same_clock => return None,
        (Some(Text::PollingTime), _) | (_, Some(Text::PollingTime)) => true,
        (Some(Text::DeviceName), _) | (_, Some(Text::DeviceName)) => true,
        (Some(old), Some(new)) if is_other_secret(&name, old, new) => false,
        (Some(old), Some(new)) if old == new || plain(old).is_some_and(|old| plain(new) == Some(old)) => return None,
        (None, None) => return None,
        (old, new) => [old, new].into_iter().flatten().any(has_variable),
    };
    Some(Differing { name, old, new, is_open })
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

impl Differing<'_> {
    /// Whether each device has to be looked at.
    pub fn is_open(&self) -> bool {
        self.is_open
    }
}

impl Difference<'_> {
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
            Text::PollingTime => self.polling_window(device),
            Text::OwnUser => "a user name of its own".to_owned(),
            Text::OwnPassword | Text::AdminPassword => "a password of its own".to_owned(),
        }
    }

    /// When a device polls, so told that another minute is told otherwise: also where the window stays and the phone's clock is another.
    fn polling_window(&self, device: &Device) -> String {
        let span = |(from, to): (u16, u16)| format!("between {} and {}", clock::time_of_day(from), clock::time_of_day(to));
        let (window, on_clock) = (self.time.window, self.polling.window_for(device));
        match window == on_clock {
            true => format!("a minute of its own {}, {}", span(window), self.time.zone),
            false => format!("a minute of its own {} on its clock, {}, {}", span(on_clock), span(window), self.time.zone),
        }
    }
}
