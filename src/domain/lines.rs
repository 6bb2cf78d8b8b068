//! Lines of a device as a form: plain `reg.N.*` parameters, read back from whatever profile they stand in (R108, R119).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::activity::MASK;
use super::deployment::{Container, applicable, subject};
use super::device::Device;
use super::ids::ProfileId;
use super::limits::LINES;
use super::parameter::{ParameterName, ParameterSet, check_value, masked};
use super::profile::ProfileKind;
use super::profile::draft::ParameterEdit;
use super::resolution::{Effective, merge};
use super::schema::Schema;
use super::world::World;

/// One field of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineField {
    /// Extension or address.
    Address,
    /// Name shown to others.
    DisplayName,
    /// Text beside the line key.
    Label,
    /// User name of the registration.
    User,
    /// Its password.
    Password,
    /// Registrar.
    Server,
    /// Its port.
    Port,
    /// How it is reached.
    Transport,
    /// Second registrar.
    Server2,
    /// Its port.
    Port2,
    /// How it is reached.
    Transport2,
}

impl LineField {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 11] = [
        Self::Address,
        Self::DisplayName,
        Self::Label,
        Self::User,
        Self::Password,
        Self::Server,
        Self::Port,
        Self::Transport,
        Self::Server2,
        Self::Port2,
        Self::Transport2,
    ];

    /// A word for forms and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::DisplayName => "display_name",
            Self::Label => "label",
            Self::User => "user",
            Self::Password => "password",
            Self::Server => "server",
            Self::Port => "port",
            Self::Transport => "transport",
            Self::Server2 => "server_2",
            Self::Port2 => "port_2",
            Self::Transport2 => "transport_2",
        }
    }

    /// The field of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.word() == word)
    }

    /// What the form calls it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Address => "Extension or address",
            Self::DisplayName => "Display name",
            Self::Label => "Label",
            Self::User => "User name",
            Self::Password => "Password",
            Self::Server => "Server",
            Self::Port => "Port",
            Self::Transport => "Transport",
            Self::Server2 => "Second server",
            Self::Port2 => "Second port",
            Self::Transport2 => "Second transport",
        }
    }

    /// Whether its value is never shown.
    pub fn is_secret(self) -> bool {
        self == Self::Password
    }

    /// The parameter of a line.
    pub fn parameter(self, line: usize) -> String {
        let ending = match self {
            Self::Address => "address",
            Self::DisplayName => "displayName",
            Self::Label => "label",
            Self::User => "auth.userId",
            Self::Password => "auth.password",
            Self::Server => "server.1.address",
            Self::Port => "server.1.port",
            Self::Transport => "server.1.transport",
            Self::Server2 => "server.2.address",
            Self::Port2 => "server.2.port",
            Self::Transport2 => "server.2.transport",
        };
        format!("reg.{line}.{ending}")
    }
}

/// What one field of a line has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// What the device's own profile says, as long as it counts.
    pub own: Option<Arc<str>>,
    /// What counts otherwise: value and where it comes from.
    pub inherited: Option<(Arc<str>, String)>,
}

impl Cell {
    /// What the device gets.
    pub fn value(&self) -> Option<&str> {
        self.own.as_deref().or(self.inherited.as_ref().map(|(value, _)| &**value))
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from one.
    pub number: usize,
    /// Its fields, in the order of [`LineField::ALL`].
    pub cells: [Cell; LineField::ALL.len()],
}

impl Line {
    /// Whether nothing says anything of it.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.value().is_none())
    }
}

/// The lines of a device: at least `least`, and all that some profile speaks of.
pub fn read(device: &Device, world: &World, own: Option<ProfileId>, least: usize) -> Vec<Line> {
    let placed = applicable(device, world);
    let effective = merge(&placed);
    let without_own: Vec<_> = placed.iter().filter(|one| Some(one.profile.id) != own).copied().collect();
    let below = merge(&without_own);
    let used = (1..=LINES).rev().find(|line| LineField::ALL.iter().any(|field| effective.get(&field.parameter(*line)).is_some()));
    let line = |number| Line {
        number,
        cells: LineField::ALL.map(|field| cell(&field.parameter(number), &effective, &below, own, world)),
    };
    (1..=least.max(used.unwrap_or(0)).min(LINES)).map(line).collect()
}

fn cell(name: &str, effective: &Effective<'_>, below: &Effective<'_>, own: Option<ProfileId>, world: &World) -> Cell {
    let winner = effective.get(name).map(|resolved| &resolved.winner);
    let is_own = winner.filter(|winner| winner.container == Container::Device && Some(winner.profile.id) == own);
    let inherited = below.get(name).map(|resolved| &resolved.winner).and_then(|winner| {
        let place = winner.place.map_or_else(|| "this device".to_owned(), |place| subject(place, world));
        Some((Arc::clone(winner.value?), format!("{} ({place})", winner.profile.name)))
    });
    Cell { own: is_own.and_then(|winner| winner.value).cloned(), inherited }
}

/// What was typed of one line: fields that are not there stay as they are, an empty one is taken out of the device's own profile.
pub type TypedLine = BTreeMap<LineField, String>;

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    /// The line.
    pub line: usize,
    /// The field.
    pub field: LineField,
    /// Why.
    pub message: String,
}

/// What is wrong with typed lines, by the rules of values and what the schema says of port and transport.
pub fn check(typed: &BTreeMap<usize, TypedLine>, schema: &Schema) -> Vec<LineFault> {
    let mut faults = Vec::new();
    for (line, fields) in typed {
        for (field, value) in fields {
            let message = match fault(*line, *field, value, schema) {
                Some(message) => message,
                None => continue,
            };
            faults.push(LineFault { line: *line, field: *field, message });
        }
    }
    faults
}

fn fault(line: usize, field: LineField, value: &str, schema: &Schema) -> Option<String> {
    if !(1..=LINES).contains(&line) {
        return Some(format!("lines are counted from 1 to {LINES}"));
    }
    if let Err(error) = check_value(value) {
        return Some(error.to_string());
    }
    match field {
        LineField::Port | LineField::Port2 if !value.is_empty() && value.parse::<u16>().is_err() => {
            Some("a port is a number from 0 to 65535".to_owned())
        }
        LineField::Address | LineField::User | LineField::Server | LineField::Server2 if value.contains(char::is_whitespace) => {
            Some("no blanks are taken here".to_owned())
        }
        LineField::Server | LineField::Server2 if has_scheme(value) => {
            Some("enter the server's name or address alone, without sip: or https:// before it".to_owned())
        }
        LineField::Label | LineField::DisplayName | LineField::Password if value.contains(['\n', '\r']) => {
            Some("no line breaks are taken here".to_owned())
        }
        LineField::Transport | LineField::Transport2 => {
            let found = schema.find(&field.parameter(line));
            found.and_then(|found| found.definition.kind.check(value).err()).map(|error| error.to_string())
        }
        _ => None,
    }
}

/// Whether a text begins as an address of the web or of SIP does: `https://pbx`, `sip:pbx`.
fn has_scheme(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("://") || lower.starts_with("sip:") || lower.starts_with("sips:")
}

/// What typed lines change of the device's own profile. A masked secret stays as it was.
pub fn edits(typed: &BTreeMap<usize, TypedLine>, device: &Device, world: &World, own: Option<ProfileId>) -> Vec<ParameterEdit> {
    let effective = merge(&applicable(device, world));
    let mut edits = Vec::new();
    for (line, fields) in typed {
        for (field, value) in fields {
            let name = field.parameter(*line);
            let Ok(parameter) = ParameterName::parse(&name) else { continue };
            let is_own = effective.get(&name).is_some_and(|resolved| Some(resolved.winner.profile.id) == own);
            let counts = effective.value(&name);
            match value.as_str() {
                MASK => {}
                "" if is_own => edits.push(ParameterEdit::Remove(parameter)),
                "" => {}
                // What comes from elsewhere with the same value needs no copy here.
                value if counts == Some(value) && !field.is_secret() => {}
                value => edits.push(ParameterEdit::Set(parameter, value.into())),
            }
        }
    }
    edits
}

/// Where lines of a device are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placing {
    /// Into its CSV profile, which holds these parameters and stands above (contract 5.1).
    pub csv: Option<(ProfileId, Vec<ParameterEdit>)>,
    /// Into its own profile.
    pub own: Vec<ParameterEdit>,
    /// The place of its own profile among the others of the device, where it is made or moves.
    pub at: usize,
    /// The profile that it has to stand above, because that one says something of the same.
    pub above: Option<ProfileId>,
}

/// Where edits are written, so that each of them counts: a parameter of the CSV profile into that, everything else into the device's own
/// profile, which stands below the CSV profile and above whatever would hide it.
pub fn place(edits: Vec<ParameterEdit>, device: &Device, world: &World, own: Option<ProfileId>) -> Placing {
    let others: Vec<_> = device.profiles.iter().filter(|id| Some(**id) != own).filter_map(|id| world.profile(*id)).collect();
    let csv_at = others.iter().position(|profile| profile.kind == ProfileKind::UserImported);
    let own_at = own.and_then(|own| device.profiles.iter().position(|id| *id == own));
    let own = own.and_then(|own| world.profile(own));
    let mut placing = Placing { at: csv_at.map_or(0, |at| at + 1), ..Placing::default() };
    let mut least: Option<usize> = None;
    for edit in edits {
        let ParameterEdit::Set(name, _) = &edit else {
            placing.own.push(edit);
            continue;
        };
        let holder = others.iter().position(|profile| profile.parameters.get(name.as_str()).is_some());
        let is_said_above = |at: usize| {
            own_at.is_some_and(|own_at| own_at <= at) && own.is_some_and(|own| own.parameters.get(name.as_str()).is_some())
        };
        match holder {
            Some(at) if Some(at) == csv_at && !is_said_above(at) => {
                placing.csv.get_or_insert_with(|| (others[at].id, Vec::new())).1.push(edit);
                continue;
            }
            Some(at) => least = Some(least.map_or(at, |least| least.min(at))),
            None => {}
        }
        placing.own.push(edit);
    }
    placing.at = own_at.unwrap_or(placing.at);
    if let Some(least) = least.filter(|least| *least < placing.at) {
        (placing.at, placing.above) = (least, Some(others[least].id));
    }
    placing
}

/// Name, value before and value after of what edits change; secrets are masked.
pub fn told(edits: &[ParameterEdit], before: &ParameterSet) -> Vec<(String, Option<String>, Option<String>)> {
    let shown = |name: &str, value: Option<&str>| value.map(|value| masked(name, value).into_owned());
    edits
        .iter()
        .map(|edit| match edit {
            ParameterEdit::Set(name, value) => {
                (name.to_string(), shown(name.as_str(), before.get(name.as_str())), shown(name.as_str(), Some(value)))
            }
            ParameterEdit::Remove(name) => (name.to_string(), shown(name.as_str(), before.get(name.as_str())), None),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::deployment::Place;
    use crate::domain::testing::{deployed, device, profile, world};

    fn typed(fields: &[(LineField, &str)]) -> BTreeMap<usize, TypedLine> {
        BTreeMap::from([(1, fields.iter().map(|(field, value)| (*field, (*value).to_owned())).collect())])
    }

    #[test]
    fn values_are_read_from_wherever_they_stand() {
        let global = profile(2, &[("reg.1.server.1.address", "pbx"), ("reg.2.address", "200")]);
        let mut world = deployed(world(), vec![(Place::Global, global)]);
        let own = profile(1, &[("reg.1.address", "100"), ("reg.1.server.1.address", "near")]);
        world.profiles.insert(own.id, Arc::new(own));
        let mut phone = device("0004f2000001");
        phone.profiles = vec![ProfileId(1)];
        let lines = read(&phone, &world, Some(ProfileId(1)), 1);
        assert_eq!(lines.len(), 2, "also the second, which Global speaks of");
        assert_eq!(lines[0].cells[0].own.as_deref(), Some("100"));
        let server = &lines[0].cells[5];
        assert_eq!((server.own.as_deref(), server.inherited.as_ref().map(|(value, _)| &**value)), (Some("near"), Some("pbx")));
        let (value, from) = lines[1].cells[0].inherited.clone().expect("from Global");
        assert!(&*value == "200" && from.ends_with("(Global)"), "{from}");

        let changes = edits(
            &typed(&[(LineField::Address, ""), (LineField::Server, "far"), (LineField::Label, "")]),
            &phone,
            &world,
            Some(ProfileId(1)),
        );
        assert_eq!(changes.len(), 2, "{changes:?}");
        let same = typed(&[(LineField::Address, "100"), (LineField::Password, MASK)]);
        assert!(edits(&same, &phone, &world, Some(ProfileId(1))).is_empty());
    }

    #[test]
    fn lines_go_where_they_count() {
        let mut csv = profile(1, &[("reg.1.address", "100")]);
        csv.kind = ProfileKind::UserImported;
        let mut world = world();
        for one in [csv, profile(2, &[("reg.1.label", "own")]), profile(3, &[("reg.1.displayName", "shared")])] {
            world.profiles.insert(one.id, Arc::new(one));
        }
        let mut phone = device("0004f2000001");
        let placed = |phone: &Device, own: Option<u64>, fields: &[(LineField, &str)]| {
            let own = own.map(ProfileId);
            place(edits(&typed(fields), phone, &world, own), phone, &world, own)
        };
        phone.profiles = vec![ProfileId(1), ProfileId(3)];
        let new = placed(&phone, None, &[(LineField::Address, "7"), (LineField::User, "u")]);
        assert_eq!(new.csv.as_ref().map(|(id, edits)| (id.0, edits.len())), Some((1, 1)), "the CSV profile holds it");
        assert_eq!((new.own.len(), new.at, new.above), (1, 1, None), "below the CSV profile (contract 5.1)");
        phone.profiles = vec![ProfileId(1), ProfileId(3), ProfileId(2)];
        let stays = placed(&phone, Some(2), &[(LineField::User, "u")]);
        assert_eq!((stays.at, stays.above), (2, None));
        let moves = placed(&phone, Some(2), &[(LineField::DisplayName, "x")]);
        assert_eq!((moves.csv, moves.at, moves.above), (None, 1, Some(ProfileId(3))), "above what would hide it");
        phone.profiles = vec![ProfileId(2), ProfileId(1)];
        let label = placed(&phone, Some(2), &[(LineField::Label, "x"), (LineField::Address, "8")]);
        assert_eq!((label.own.len(), label.csv.is_some(), label.at), (1, true, 0));
    }

    #[test]
    fn wrong_fields_are_told_with_their_line() {
        let wrong = typed(&[(LineField::Address, "1 2"), (LineField::Port, "70000"), (LineField::Label, "front desk")]);
        let faults = check(&wrong, &Schema::default());
        assert_eq!(faults.iter().map(|fault| fault.field).collect::<Vec<_>>(), [LineField::Address, LineField::Port]);
        assert_eq!(check(&BTreeMap::from([(99, typed(&[(LineField::Label, "x")])[&1].clone())]), &Schema::default()).len(), 1);
        let port = typed(&[(LineField::Port, "5060"), (LineField::Server, "")]);
        assert!(check(&port, &Schema::default()).is_empty(), "the server may come from elsewhere");
    }

    #[test]
    fn a_server_has_no_scheme_and_no_label_or_password_has_a_line_break() {
        use LineField::{Label, Password, Server, Server2};
        for (field, value) in
            [(Server, "https://pbx.example.test"), (Server2, "sip:10.1.1.1"), (Label, "front\ndesk"), (Password, "a\r\nb")]
        {
            assert_eq!(check(&typed(&[(field, value)]), &Schema::default()).len(), 1, "{value:?}");
        }
        let good = [(Server, "2001:db8::5"), (Server2, "sip.example.test"), (Label, "front desk"), (Password, "a b://")];
        assert!(check(&typed(&good), &Schema::default()).is_empty());
    }

    #[test]
    fn every_field_has_a_word_and_a_parameter_of_its_own() {
        let mut names: Vec<_> = LineField::ALL.iter().map(|field| field.parameter(7)).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), LineField::ALL.len());
        assert!(LineField::ALL.iter().all(|field| LineField::of(field.word()) == Some(*field)));
    }
}
