//! The two files that phones get, as bytes.
//!
//! UTF-8 without byte order mark, no comments, and the order of the provision: the same provision always gives the same
//! bytes. A value comes back from any XML parser as it went in; line breaks and tabs are written as character references,
//! since parsers turn bare ones into blanks (protocol/provisioning.md 10).

use std::borrow::Cow;

use quick_xml::events::attributes::Attribute;

use crate::domain::credential::Recipient;
use crate::domain::device::Device;
use crate::domain::parameter::ParameterSet;
use crate::domain::provision::variables::{self, Piece};
use crate::domain::provision::{DeviceValues, Draft, Files, PollingClock, Provision, Setting, Text};
use crate::domain::provision::{master, paths};
use crate::domain::world::World;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// The master file of a provision.
pub fn master(provision: &Provision<'_>) -> Vec<u8> {
    let mut file = Template::default();
    master_file(&provision.files, &mut file);
    file.text.into_bytes()
}

/// The parameter file of a provision.
pub fn parameters(provision: &Provision<'_>) -> Vec<u8> {
    let mut file = Template::default();
    parameter_file(&provision.files, &mut file);
    file.text.into_bytes()
}

/// A profile by itself, as a file that phones take and that reads back to the same.
pub fn profile(parameters: &ParameterSet) -> Vec<u8> {
    let mut text = format!("{DECLARATION}<polycomConfig");
    for (name, value) in parameters.iter() {
        text.push_str("\n ");
        text.push_str(name.as_str());
        text.push_str("=\"");
        text.push_str(&escaped(value));
        text.push('"');
    }
    text.push_str("/>\n");
    text.into_bytes()
}

/// Settings that a device keeps itself, as it uploads them; none is a file, too (protocol/provisioning.md 9).
pub fn overrides<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut text = format!("{DECLARATION}<PHONE_CONFIG>\n <OVERRIDES");
    for (name, value) in parameters {
        text.push_str(&format!("\n  {name}=\"{}\"", escaped(value)));
    }
    text.push_str("/>\n</PHONE_CONFIG>\n");
    text.into_bytes()
}

/// Both files of all devices of one shape, written but for the few values that differ from device to device.
///
/// For one and the same world and shape it never changes, so it may be kept as long as the world is the current one:
/// filling it copies bytes, while making it merges, sorts and escapes.
#[derive(Clone, Debug)]
pub struct Prepared {
    master: Template,
    /// The files that the master file names, variables not yet replaced.
    listed: Vec<Box<str>>,
    /// The directories that it names, by attribute.
    directories: Vec<(Box<str>, Box<str>)>,
    parameters: Template,
    polling: PollingClock,
}

impl Prepared {
    /// Writes a draft.
    pub fn new(draft: &Draft<'_>) -> Self {
        let (mut master, mut parameters) = (Template::default(), Template::default());
        master_file(&draft.files, &mut master);
        parameter_file(&draft.files, &mut parameters);
        let directories = directories(&draft.files.master);
        Self { master, listed: listed(&draft.files.master), directories, parameters, polling: draft.polling }
    }

    /// Whether the device's master file names this file, in any attribute that names files for phones to fetch; `asked` is
    /// [`crate::domain::phone_file::location`] of what is asked for.
    pub fn lists(&self, asked: &str, device: &Device) -> bool {
        let key = device.key.to_string();
        self.listed.iter().any(|entry| paths::names(entry, Some(&key), asked))
    }

    /// Whether a path is that of a file below the directory of this attribute, also where it is that of one model.
    pub fn is_below(&self, attribute: &str, name: &str, asked: &str, device: &Device) -> bool {
        let key = device.key.to_string();
        let is_it = |one: &str| one.strip_prefix(attribute).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        let mut found = self.directories.iter().filter(|(one, _)| is_it(one));
        found.any(|(_, path)| paths::names(&format!("{}/{name}", path.trim_end_matches('/')), Some(&key), asked))
    }

    /// The master file of a device: the bytes that [`master`] gives for it.
    pub fn master(&self, recipient: &Recipient<'_>, world: &World) -> Vec<u8> {
        self.master.fill(&DeviceValues::of(recipient, &self.polling, world))
    }

    /// The parameter file of a device: the bytes that [`parameters`] gives for it.
    pub fn parameters(&self, recipient: &Recipient<'_>, world: &World) -> Vec<u8> {
        self.parameters.fill(&DeviceValues::of(recipient, &self.polling, world))
    }

    /// How much memory it takes, roughly, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.master.text.len() + self.parameters.text.len()
    }
}

fn directories(master: &[Setting<'_, Text<'_>>]) -> Vec<(Box<str>, Box<str>)> {
    let named = texts(master).filter(|(name, path)| name.contains("_DIRECTORY") && !path.is_empty());
    named.map(|(name, path)| (Box::from(name), Box::from(path))).collect()
}

fn texts<'m>(master: &'m [Setting<'_, Text<'_>>]) -> impl Iterator<Item = (&'m str, &'m str)> {
    master.iter().filter_map(|setting| match &setting.value {
        Text::Fixed(text) | Text::Profile(text) => Some((&*setting.name, &**text)),
        _ => None,
    })
}

fn listed(master: &[Setting<'_, Text<'_>>]) -> Vec<Box<str>> {
    texts(master).flat_map(|(name, text)| master::listed(name, text)).map(Box::from).collect()
}

fn master_file<V: Value>(files: &Files<'_, V>, out: &mut Template) {
    out.raw(DECLARATION);
    element("APPLICATION", &files.master, out);
}

fn parameter_file<V: Value>(files: &Files<'_, V>, out: &mut Template) {
    out.raw(DECLARATION);
    out.raw("<polycomConfig>\n");
    for (name, settings) in [("rule", &files.binding), ("profiles", &files.profiles), ("base", &files.base)] {
        if !settings.is_empty() {
            element(name, settings, out);
        }
    }
    out.raw("</polycomConfig>\n");
}

/// A usual length of an attribute, so that a file's buffer need not grow often.
const ATTRIBUTE_BYTES: usize = 64;

/// One empty element, an attribute a line. Element names mean nothing to phones; these tell a reader where values come from.
fn element<V: Value>(name: &str, settings: &[Setting<'_, V>], out: &mut Template) {
    out.text.reserve(settings.len() * ATTRIBUTE_BYTES);
    out.raw("<");
    out.raw(name);
    for setting in settings {
        out.raw("\n ");
        out.raw(&setting.name);
        out.raw("=\"");
        setting.value.write(out);
        out.raw("\"");
    }
    out.raw("/>\n");
}

/// A value that can be written, now or with open places.
trait Value {
    fn write(&self, out: &mut Template);
}

impl Value for Cow<'_, str> {
    fn write(&self, out: &mut Template) {
        out.raw(&escaped(self));
    }
}

impl Value for Text<'_> {
    fn write(&self, out: &mut Template) {
        match self {
            Self::Fixed(text) => out.raw(&escaped(text)),
            Self::Profile(text) => {
                for piece in variables::pieces(text) {
                    match piece {
                        Piece::Text(text) => out.raw(&escaped(text)),
                        Piece::Key => out.open(Place::Key),
                    }
                }
            }
            Self::PollingTime => out.open(Place::PollingTime),
            Self::DeviceName => out.open(Place::DeviceName),
            Self::OwnUser => out.open(Place::OwnUser),
            Self::OwnPassword => out.open(Place::OwnPassword),
            Self::AdminPassword => out.open(Place::AdminPassword),
        }
    }
}

/// A text as the value of an attribute.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    Attribute::from(("", text)).value
}

/// A written file with places left open for one device's values.
#[derive(Clone, Debug, Default)]
struct Template {
    text: String,
    /// Where in the text which value belongs, from left to right.
    places: Vec<(usize, Place)>,
}

/// A value that differs from device to device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Key,
    PollingTime,
    DeviceName,
    OwnUser,
    OwnPassword,
    AdminPassword,
}

/// Longest of the values but for names: a serial number.
const LONGEST_VALUE_BYTES: usize = 32;

impl Template {
    fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn open(&mut self, place: Place) {
        self.places.push((self.text.len(), place));
    }

    fn fill(&self, values: &DeviceValues) -> Vec<u8> {
        // Names may hold what XML wants escaped. Keys, times and what is derived for a device are letters, digits and colons.
        let name = escaped(&values.name);
        let secrets = &values.secrets;
        let longest = name.len().max(LONGEST_VALUE_BYTES);
        let mut bytes = Vec::with_capacity(self.text.len() + longest * self.places.len());
        let mut written = 0;
        for (at, place) in &self.places {
            bytes.extend_from_slice(&self.text.as_bytes()[written..*at]);
            written = *at;
            let value = match place {
                Place::Key => values.key.as_str(),
                Place::PollingTime => values.polling_time.as_str(),
                Place::DeviceName => &name,
                Place::OwnUser => secrets.user.as_str(),
                Place::OwnPassword => secrets.password.expose(),
                Place::AdminPassword => secrets.admin_password.expose(),
            };
            bytes.extend_from_slice(value.as_bytes());
        }
        bytes.extend_from_slice(&self.text.as_bytes()[written..]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::credential::Channel;
    use crate::domain::deployment::{self, Place};
    use crate::domain::names::Name;
    use crate::domain::parameter::check_value;
    use crate::domain::profile::Profile;
    use crate::domain::provision::{Shape, anonymous, draft, provision};
    use crate::domain::resolution::merge;
    use crate::domain::testing::{deployed, device, hostile_parameters, profile, property_config, to, world};

    /// Names and values as an independent parser reads them.
    fn read(bytes: &[u8]) -> Vec<(String, String)> {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        let document = roxmltree::Document::parse(text).expect("well-formed");
        let attributes = document.descendants().flat_map(|node| node.attributes());
        attributes.map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned())).collect()
    }

    fn prepared(device: &Device, world: &World) -> Prepared {
        let placed = deployment::applicable(device, world);
        Prepared::new(&draft(&merge(&placed), &Shape::of(device, Channel::Tls, &placed, world), world))
    }

    #[test]
    fn a_master_file_is_one_application_element() {
        let file = String::from_utf8(master(&anonymous())).expect("UTF-8");
        let expected = concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n",
            "<APPLICATION\n APP_FILE_PATH=\"swupdate/none/none/sip.ld\"\n CONFIG_FILES=\"\"\n SERVICE_FILES=\"\"\n"
        );
        assert!(file.starts_with(expected), "{file}");
        assert!(file.ends_with("\n FLK_DIRECTORY=\"\"/>\n"), "{file}");
    }

    #[test]
    fn what_the_master_file_lists_is_known_by_name() {
        let lists =
            [("CONFIG_FILES", "a.cfg, /b/$mac_address.cfg"), ("CONFIG_FILES_VVX500", "vvx.cfg"), ("MISC_FILES", "logo.jpg")];
        let world = deployed(world(), vec![(Place::Global, profile(1, &lists))]);
        let device = device("0004f2aabbcc");
        let kept = prepared(&device, &world);
        for path in ["0004f2aabbcc-profile.cfg", "a.cfg", "b/0004f2aabbcc.cfg", "vvx.cfg", "logo.jpg"] {
            assert!(kept.lists(path, &device), "{path}");
        }
        for path in ["", "c.cfg", "b/0004f2aabbcd.cfg", "swupdate/none/none/sip.ld"] {
            assert!(!kept.lists(path, &device), "{path}");
        }
    }

    #[test]
    fn line_breaks_and_tabs_are_written_as_references() {
        let world = deployed(world(), vec![(Place::Global, profile(1, &[("a.cert", "one\r\n\ttwo <&>'\"")]))]);
        let file = String::from_utf8(parameters(&provision(&to(&device("0004f2aabbcc")), &world))).expect("UTF-8");
        assert!(file.contains("\n a.cert=\"one&#13;&#10;&#9;two &lt;&amp;&gt;&apos;&quot;\"/>\n"), "{file}");
        assert!(!file.contains("<!--") && !file.starts_with('\u{feff}'));
    }

    proptest! {
        #![proptest_config(property_config())]

        #[test]
        fn any_value_comes_back_as_it_went_in(value in any::<String>()) {
            prop_assume!(check_value(&value).is_ok());
            let settings = [Setting { name: "a.b".into(), value: Cow::Borrowed(&*value) }];
            let mut file = Template::default();
            element("x", &settings, &mut file);
            prop_assert_eq!(read(file.text.as_bytes()), [("a.b".to_owned(), value)]);
        }

        #[test]
        fn what_is_kept_ready_is_what_would_be_made_anew(
            sets in prop::collection::vec(hostile_parameters(), 0..4),
            keys in prop::collection::vec("0004f2[0-9a-f]{6}|[g-z][0-9a-z]{7,20}", 1..4),
            name in prop::option::of("[a-z.#]{1,50}"),
        ) {
            let profiles = sets.into_iter().zip(1..).map(|(parameters, id)| Profile { parameters, ..profile(id, &[]) });
            let world = deployed(world(), profiles.map(|profile| (Place::Global, profile)).collect());
            for key in keys {
                let mut device = device(&key);
                device.family = Some("Studio".to_owned());
                device.sent_name = name.as_deref().map(|name| Name::parse(name).expect("by its pattern"));
                let anew = provision(&to(&device), &world);
                // Made for another device of the same shape.
                let mut twin = device.clone();
                twin.key = key.chars().map(|c| if c == '1' { '2' } else { c }).collect::<String>().parse().expect("as valid as the key");
                let kept = prepared(&twin, &world);
                prop_assert_eq!(kept.master(&to(&device), &world), master(&anew));
                prop_assert_eq!(kept.parameters(&to(&device), &world), parameters(&anew));
                let told = anew.files.parameters().map(|one| (one.name.to_string(), one.value.to_string())).collect::<Vec<_>>();
                prop_assert_eq!(read(&parameters(&anew)), told);
            }
        }
    }
}
