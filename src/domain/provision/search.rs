//! Finding something in an effective configuration, and what two of them do not share.

use super::super::deployment::subject;
use super::super::device::DeviceKey;
use super::super::field_error::FieldErrors;
use super::super::parameter;
use super::super::schema::Schema;
use super::super::world::World;
use super::view::{EffectiveView, File, Layer, Part, Row, Source};

/// Where a value can come from: word and label, strongest first.
pub const SOURCES: [(&str, &str); 12] = [
    ("phone", "Set on the device itself"),
    ("flash", "Still in flash"),
    ("rule", "Added by rule"),
    ("device", "Device"),
    ("person", "Person or room"),
    ("person-group", "Person group"),
    ("site", "Site"),
    ("model", "Device model"),
    ("group", "Device group"),
    ("global", "Global"),
    ("name", "Name sent to the device"),
    ("base", "Built-in base"),
];

/// What a list can be narrowed to: word and label.
pub const SHOWN: [(&str, Show, &str); 6] = [
    ("beating", Show::Beating, "What beats something"),
    ("overridden", Show::Overridden, "What the phone overrides"),
    ("flash", Show::Flash, "What is left in flash"),
    ("differs", Show::Differs, "What differs from the default"),
    ("unknown", Show::Unknown, "What the dictionary does not have"),
    ("master", Show::Master, "The master file"),
];

/// A kind of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Those in which something is beaten.
    Beating,
    /// Those whose value the phone itself has set.
    Overridden,
    /// Those that are served no longer and are still in the phone's flash.
    Flash,
    /// Those whose value is not what the dictionary says a phone does without it.
    Differs,
    /// Those that the dictionary does not have.
    Unknown,
    /// Those of the master file.
    Master,
}

/// What somebody looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    words: Vec<String>,
    /// Who decides, as [`SOURCES`] has it.
    from: Option<&'static str>,
    /// Who says anything at all.
    layer: Option<&'static str>,
    show: Option<Show>,
}

impl Wanted {
    /// What a query asks for: words that all occur in name, value, profile or place of one row; a word of [`SOURCES`] for who decides
    /// and one for who says anything; one of [`SHOWN`].
    ///
    /// # Errors
    /// Of the fields `from`, `layer` and `show`, which words they take.
    pub fn parse(q: &str, from: Option<&str>, layer: Option<&str>, show: Option<&str>) -> Result<Self, FieldErrors> {
        let source = |text: &str| match SOURCES.iter().find(|(word, _)| *word == text) {
            Some((word, _)) => Ok(*word),
            None => Err(format!("use one of: {}", SOURCES.map(|(word, _)| word).join(", "))),
        };
        let shown = |text: &str| match SHOWN.iter().find(|(word, ..)| *word == text) {
            Some((_, show, _)) => Ok(*show),
            None => Err(format!("use one of: {}", SHOWN.map(|(word, ..)| word).join(", "))),
        };
        let mut errors = FieldErrors::new();
        let wanted = Self {
            words: q.split_whitespace().map(str::to_lowercase).collect(),
            from: from.and_then(|text| errors.take("from", source(text))),
            layer: layer.and_then(|text| errors.take("layer", source(text))),
            show: show.and_then(|text| errors.take("show", shown(text))),
        };
        errors.into_result(Some(wanted))
    }

    /// Whether it is a row that is looked for.
    pub fn admits(&self, row: &Row, world: &World, schema: &Schema) -> bool {
        self.from.is_none_or(|from| row.winner.source.word() == from)
            && self.layer.is_none_or(|layer| row.layers().any(|one| one.source.word() == layer))
            && self.show.is_none_or(|show| is_shown(show, row, schema))
            && (self.words.is_empty() || self.is_told(row, world))
    }

    /// Secret values cannot be searched for: that would tell them letter by letter.
    fn is_told(&self, row: &Row, world: &World) -> bool {
        let layers = row.layers().flat_map(|layer| {
            let value = layer.value.as_deref().map(|value| parameter::masked(&row.name, value).into_owned());
            [Some(layer.source.describe()), place_of(&layer.source, world), value]
        });
        let told: Vec<String> =
            std::iter::once(Some(row.name.clone())).chain(layers).flatten().map(|text| text.to_lowercase()).collect();
        self.words.iter().all(|word| told.iter().any(|text| text.contains(word)))
    }
}

/// The place that a source speaks for, in words.
pub fn place_of(source: &Source, world: &World) -> Option<String> {
    match source {
        Source::Profile { place: Some(place), .. } => Some(subject(place, world)),
        Source::Base(part) => part.site().and_then(|site| world.sites.get(&site)).map(|site| format!("site {}", site.name)),
        _ => None,
    }
}

fn is_shown(show: Show, row: &Row, schema: &Schema) -> bool {
    match show {
        Show::Beating => !row.beaten.is_empty(),
        Show::Overridden => row.is_overridden(),
        Show::Flash => matches!(row.winner.source, Source::Flash { .. }),
        Show::Differs => differs(row, schema) == Some(true),
        Show::Unknown => is_unknown(row, schema),
        Show::Master => row.file == File::Master,
    }
}

/// Whether the dictionary does not have a parameter. Attributes of the master file are none.
pub fn is_unknown(row: &Row, schema: &Schema) -> bool {
    row.file != File::Master && !schema.is_empty() && schema.find(&row.name).is_none()
}

/// Whether a phone would do something else without the row; none where the dictionary does not say what.
pub fn differs(row: &Row, schema: &Schema) -> Option<bool> {
    let value = row.winner.value.as_deref().filter(|_| row.file != File::Master)?;
    let default = schema.find(&row.name)?.definition.default.as_deref()?;
    let is_same = |a: &str, b: &str| {
        let a = a.trim();
        a.eq_ignore_ascii_case(b.trim()) || as_switch(a).is_some_and(|a| Some(a) == as_switch(b.trim()))
    };
    Some(!value.is_empty() && !is_same(value, default))
}

/// A switch is written in two ways.
fn as_switch(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        text if text.eq_ignore_ascii_case("true") => Some(true),
        text if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A row that two devices do not share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Name.
    pub name: String,
    /// Which of the files it is in.
    pub file: File,
    /// What the first one has.
    pub left: Option<Layer>,
    /// What the second one has.
    pub right: Option<Layer>,
}

/// What two devices do not share, by file and name. What this server makes for each device alone, such as its credentials and its
/// polling minute, is left out: it says nothing about why two phones behave differently.
pub fn differences(left: (&DeviceKey, &EffectiveView), right: (&DeviceKey, &EffectiveView)) -> Vec<Difference> {
    let ((left_key, left), (right_key, right)) = (left, right);
    let (left_key, right_key) = (left_key.to_string(), right_key.to_string());
    // Files and addresses that are named for the device are the same ones.
    let said = |row: Option<&Row>, key: &str| {
        row.map(|row| (row.winner.value.as_ref().map(|value| value.replace(key, "\0")), row.winner.set.clone()))
    };
    let mut found = Vec::new();
    let (mut left, mut right) = (left.rows.iter().peekable(), right.rows.iter().peekable());
    let place = |row: &&Row| (row.file, row.name.clone());
    loop {
        let (one, other) = match (left.peek(), right.peek()) {
            (None, None) => return found,
            (Some(a), Some(b)) if place(a) == place(b) => (left.next(), right.next()),
            (Some(a), Some(b)) if place(a) < place(b) => (left.next(), None),
            (Some(_), None) => (left.next(), None),
            (_, Some(_)) => (None, right.next()),
        };
        let is_own = |row: Option<&Row>| row.is_none_or(|row| is_of_each(&row.winner.source));
        if said(one, &left_key) != said(other, &right_key) && !(is_own(one) && is_own(other) && one.is_some() && other.is_some())
        {
            let name = one.or(other).map(|row| (row.name.clone(), row.file));
            found.extend(name.map(|(name, file)| Difference {
                name,
                file,
                left: one.map(|row| row.winner.clone()),
                right: other.map(|row| row.winner.clone()),
            }));
        }
    }
}

/// Whether it is another value for each device by itself.
fn is_of_each(source: &Source) -> bool {
    matches!(source, Source::Rule | Source::Base(Part::AdminPassword | Part::MasterFile | Part::Polling(_)))
}

#[cfg(test)]
mod tests {
    use super::super::super::deployment::Place;
    use super::super::super::device::Device;
    use super::super::super::schema::{Definition, Kind, exact_numbers};
    use super::super::super::testing::{deployed, device, parameter_set, profile, to, world};
    use super::super::view::{Override, explain};
    use super::*;

    fn schema() -> Schema {
        let definition = |name: &str, default: Option<&str>| Definition {
            name: name.into(),
            numbers: exact_numbers(name),
            kind: Kind::Text { least: None, most: None },
            default: default.map(Into::into),
            text: "words".into(),
            restarts: None,
            is_secret: false,
        };
        Schema::new(vec![
            definition("voice.volume", Some("0")),
            definition("up.timeOut", Some("40")),
            definition("reg.1.auth.password", None),
        ])
    }

    fn found(q: &str, from: Option<&str>, layer: Option<&str>, show: Option<&str>) -> Vec<String> {
        let site = profile(2, &[("voice.volume", "3"), ("x.unknown", "1"), ("reg.1.auth.password", "CANARY")]);
        let mut world = deployed(world(), vec![(Place::Global, profile(1, &[("voice.volume", "7"), ("up.timeOut", "40")]))]);
        world = deployed(world, vec![(Place::Model("VVX 411".to_owned()), site)]);
        let mut phone = device("0004f2aabbcc");
        phone.model = Some("VVX 411".to_owned());
        let menu = parameter_set(&[("up.timeOut", "30")]);
        let view = explain(&to(&phone), &world).with_overrides(Override::PhoneMenu, jiff::Timestamp::UNIX_EPOCH, &menu);
        let wanted = Wanted::parse(q, from, layer, show).expect("known words");
        let rows = view.rows.into_iter().filter(|row| wanted.admits(row, &world, &schema()));
        rows.map(|row| row.name)
            .filter(|name| ["voice.volume", "x.unknown", "up.timeOut", "reg.1.auth.password"].contains(&name.as_str()))
            .collect()
    }

    #[test]
    fn rows_are_found_by_name_value_profile_and_place_of_any_layer_and_never_by_a_secret() {
        assert_eq!(found("VOLUME", None, None, None), ["voice.volume"]);
        assert_eq!(found("7 profile", None, None, None), ["voice.volume"], "a value that was beaten");
        assert_eq!(found("model VVX", None, None, None), ["reg.1.auth.password", "voice.volume", "x.unknown"]);
        assert_eq!(found("canary", None, None, None), [""; 0]);
    }

    #[test]
    fn rows_are_narrowed_to_who_decides_who_speaks_and_what_is_odd() {
        assert_eq!(found("", Some("model"), None, None), ["reg.1.auth.password", "voice.volume", "x.unknown"]);
        assert_eq!(found("", None, Some("global"), None), ["up.timeOut", "voice.volume"]);
        assert_eq!(found("", Some("phone"), None, Some("overridden")), ["up.timeOut"]);
        assert_eq!(found("", None, None, Some("unknown")), ["x.unknown"]);
        assert_eq!(found("", None, None, Some("differs")), ["up.timeOut", "voice.volume"]);
        assert!(Wanted::parse("", Some("x"), None, Some("y")).is_err_and(|errors| errors.iter().count() == 2));
    }

    #[test]
    fn two_devices_are_told_apart_by_what_they_do_not_share_alone() {
        let mut world =
            deployed(world(), vec![(Place::Global, profile(1, &[("voice.volume", "7"), ("CONFIG_FILES", "$mac_address.x")]))]);
        let own = profile(9, &[("voice.volume", "3"), ("lcl.ml.lang", "German_Germany")]);
        world.profiles.insert(own.id, own.clone().into());
        let (mut one, other) = (device("0004f2aabbcc"), device("0004f2aabbdd"));
        let compared = |one: &Device, other: &Device| {
            let (left, right) = (explain(&to(one), &world), explain(&to(other), &world));
            differences((&one.key, &left), (&other.key, &right))
        };
        let same = compared(&one, &other);
        assert_eq!(same, [], "files and minutes of their own are no difference");
        one.profiles = vec![own.id];
        let found = compared(&one, &other);
        let told = |layer: &Option<Layer>| layer.as_ref().and_then(|layer| layer.value.clone()).unwrap_or_default();
        let told: Vec<_> = found.iter().map(|one| (one.name.as_str(), told(&one.left), told(&one.right))).collect();
        let expected = [("lcl.ml.lang", "German_Germany", ""), ("voice.volume", "3", "7")];
        assert_eq!(told, expected.map(|(name, left, right)| (name, left.to_owned(), right.to_owned())));
    }
}
