//! The two files that phones get, as bytes.
//!
//! UTF-8 without byte order mark, no comments, and the order of the provision: the same provision always gives the same
//! bytes. A value comes back from any XML parser as it went in; line breaks and tabs are written as character references,
//! since parsers turn bare ones into blanks (protocol/provisioning.md 10).

use std::borrow::Cow;

use quick_xml::events::attributes::Attribute;

use crate::domain::device::Device;
use crate::domain::provision::variables::{self, Piece};
use crate::domain::provision::{DeviceValues, Draft, Files, PollingClock, Provision, Setting, Text};

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

/// Both files of all devices of one shape, written but for the few values that differ from device to device.
///
/// For one and the same world and shape it never changes, so it may be kept as long as the world is the current one:
/// filling it copies bytes, while making it merges, sorts and escapes.
#[derive(Clone, Debug)]
pub struct Prepared {
    master: Template,
    parameters: Template,
    polling: PollingClock,
}

impl Prepared {
    /// Writes a draft.
    pub fn new(draft: &Draft<'_>) -> Self {
        let (mut master, mut parameters) = (Template::default(), Template::default());
        master_file(&draft.files, &mut master);
        parameter_file(&draft.files, &mut parameters);
        Self { master, parameters, polling: draft.polling }
    }

    /// The master file of a device: the bytes that [`master`] gives for it.
    pub fn master(&self, device: &Device) -> Vec<u8> {
        self.master.fill(&DeviceValues::of(device, &self.polling))
    }

    /// The parameter file of a device: the bytes that [`parameters`] gives for it.
    pub fn parameters(&self, device: &Device) -> Vec<u8> {
        self.parameters.fill(&DeviceValues::of(device, &self.polling))
    }

    /// How much memory it takes, roughly, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.master.text.len() + self.parameters.text.len()
    }
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

/// One empty element, an attribute a line. Element names mean nothing to phones; these tell a reader where values come from.
fn element<V: Value>(name: &str, settings: &[Setting<'_, V>], out: &mut Template) {
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
        }
    }
}

/// A text as the value of an attribute.
fn escaped(text: &str) -> Cow<'_, str> {
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
}

impl Template {
    fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn open(&mut self, place: Place) {
        self.places.push((self.text.len(), place));
    }

    fn fill(&self, values: &DeviceValues) -> Vec<u8> {
        // Keys and times hold nothing that XML would want escaped, names may.
        let name = escaped(&values.name);
        let longest = values.key.len().max(values.polling_time.len()).max(name.len());
        let mut bytes = Vec::with_capacity(self.text.len() + longest * self.places.len());
        let mut written = 0;
        for (at, place) in &self.places {
            bytes.extend_from_slice(&self.text.as_bytes()[written..*at]);
            written = *at;
            let value = match place {
                Place::Key => values.key.as_str(),
                Place::PollingTime => values.polling_time.as_str(),
                Place::DeviceName => &name,
            };
            bytes.extend_from_slice(value.as_bytes());
        }
        bytes.extend_from_slice(&self.text.as_bytes()[written..]);
        bytes
    }
}
