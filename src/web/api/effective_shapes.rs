//! Effective configurations as JSON. Only shapes; [`super::effective`] has the operations.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::profile_shapes::AdviceShape;
use crate::domain::deployment::Place;
use crate::domain::device::Device;
use crate::domain::parameter::masked;
use crate::domain::provision::search::{Difference, differs, is_unknown};
use crate::domain::provision::view::{EffectiveView, File, Layer, Row, Source};
use crate::domain::world::World;
use crate::services::deployment::Target;
use crate::services::provenance::{Provenance, Stamp};

use crate::web::places;

/// The effective configuration of a device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EffectiveShape {
    /// Master attributes first, then parameters, then what only the phone itself has, each in the order of their names.
    pub rows: Vec<RowShape>,
    /// What an admin should know.
    pub warnings: Vec<String>,
}

/// One attribute with its winner and what that beat.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RowShape {
    /// Name; a parameter and its `.set` twin are one row.
    pub name: String,
    /// `master` or `parameters`: the file that it is in; `phone` where only the phone itself holds it.
    pub file: String,
    /// Whether its values are masked.
    pub secret: bool,
    /// Whether the dictionary does not have it.
    pub unknown: bool,
    /// Whether the value is another one than that which a phone goes by without it; absent where the dictionary does not say which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differs_from_default: Option<bool>,
    /// What the dictionary finds odd about the name or the value that the device gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<AdviceShape>,
    /// What the device goes by.
    pub winner: LayerShape,
    /// What it does not go by, strongest first.
    pub beaten: Vec<LayerShape>,
}

/// One source's word about an attribute.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LayerShape {
    /// The source in words.
    #[schema(example = "Office phones (Global)")]
    pub source: String,
    /// `phone` for a setting of the phone itself, `flash` for what is left in its flash, `rule`, `device`, `person`, `person-group`, `site`,
    /// `model`, `group`, `global`, `name` for the name sent to the device, or `base`.
    pub kind: String,
    /// The container, where a profile speaks.
    pub container: Option<String>,
    /// The place that the profile is attached to, as `groups/7`, or the site whose time it is; absent for the device itself.
    pub place: Option<String>,
    /// The profile, where one speaks.
    pub profile: Option<u64>,
    /// The value; absent where only the `.set` twin is there.
    pub value: Option<String>,
    /// The value of the `.set` twin.
    pub set: Option<String>,
    /// Of a setting of the phone itself: when it uploaded the file that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded_at: Option<Timestamp>,
    /// Of what is left in flash: when it was served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flash: Option<InFlashShape>,
    /// Who gave the parameter this value in the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<StampShape>,
    /// Who attached the profile there; absent where the activity log does not tell any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_by: Option<StampShape>,
}

/// When something was served that stays in a phone's flash.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct InFlashShape {
    /// Since when it was served with this value.
    pub since: Timestamp,
    /// When it was served last, where that is known.
    pub last_served: Option<Timestamp>,
    /// When the device was first served without it.
    pub ceased: Timestamp,
}

/// Who did something, and when.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct StampShape {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Whether it is told of this very parameter; else of the profile's last change.
    pub exact: bool,
}

impl From<&Stamp> for StampShape {
    fn from(stamp: &Stamp) -> Self {
        Self { by: stamp.by.clone(), at: stamp.at, exact: stamp.is_exact }
    }
}

impl EffectiveShape {
    /// A configuration with who set what, and with what is said of each value to the device's software of this version.
    pub fn new(view: EffectiveView, who: &Provenance, of: (&Device, Option<&str>), world: &World) -> Self {
        let warnings = view.warnings.iter().map(ToString::to_string).collect();
        Self { rows: view.rows.into_iter().map(|row| RowShape::new(row, who, of, world)).collect(), warnings }
    }
}

impl RowShape {
    fn new(row: Row, who: &Provenance, (device, version): (&Device, Option<&str>), world: &World) -> Self {
        let schema = world.schemas.current();
        let (unknown, differs_from_default) = (is_unknown(&row, schema), differs(&row, schema));
        let Row { name, file, secret, winner, beaten } = row;
        let advise = |value| world.schemas.advise_device(device.family.as_deref(), version, &name, value);
        let advice = winner.value.as_deref().and_then(advise).map(AdviceShape::from);
        let layer = |layer| LayerShape::new(&name, layer, who);
        let (winner, beaten) = (layer(winner), beaten.into_iter().map(layer).collect());
        Self { file: file_word(file).to_owned(), secret, unknown, differs_from_default, advice, winner, beaten, name }
    }
}

fn file_word(file: File) -> &'static str {
    match file {
        File::Master => "master",
        File::Parameters => "parameters",
        File::Phone => "phone",
    }
}

impl LayerShape {
    fn new(name: &str, Layer { source, value, set }: Layer, who: &Provenance) -> Self {
        let told = |place: &Place| match places::words(&Target::Place(place.clone())) {
            (word, id) if id.is_empty() => word.to_owned(),
            (word, id) => format!("{word}/{id}"),
        };
        let mut shape = Self {
            source: source.describe(),
            kind: source.word().to_owned(),
            container: None,
            place: None,
            profile: None,
            value: value.map(|value| masked(name, &value).into_owned()),
            set,
            uploaded_at: None,
            in_flash: None,
            set_by: None,
            attached_by: None,
        };
        match &source {
            Source::Profile { container, place, id, .. } => {
                shape.container = Some(container.word().to_owned());
                shape.place = place.as_ref().map(told);
                shape.profile = Some(id.0);
                shape.set_by = who.set(*id, name).map(StampShape::from);
                shape.attached_by = who.attached(*id, place.as_ref()).map(StampShape::from);
            }
            Source::Override { at, .. } => shape.uploaded_at = Some(*at),
            Source::Flash { since, last_served, ceased } => {
                shape.in_flash = Some(InFlashShape { since: *since, last_served: *last_served, ceased: *ceased });
            }
            Source::Base(part) => shape.place = part.site().map(|site| told(&Place::Site(site))),
            Source::Rule | Source::DeviceName => {}
        }
        shape
    }
}

/// What two devices do not share.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ComparisonShape {
    /// The attributes, by file and name.
    pub differences: Vec<DifferenceShape>,
}

/// An attribute that two devices do not share.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DifferenceShape {
    /// Name; a parameter and its `.set` twin are one.
    pub name: String,
    /// `master`, `parameters` or `phone`.
    pub file: String,
    /// What the first device goes by; absent where it has none.
    pub left: Option<LayerShape>,
    /// What the second device goes by; absent where it has none.
    pub right: Option<LayerShape>,
}

impl From<Vec<Difference>> for ComparisonShape {
    fn from(found: Vec<Difference>) -> Self {
        let nobody = Provenance::default();
        let shape = |Difference { name, file, left, right }: Difference| {
            let layer = |layer: Option<Layer>| layer.map(|layer| LayerShape::new(&name, layer, &nobody));
            let (left, right) = (layer(left), layer(right));
            DifferenceShape { file: file_word(file).to_owned(), left, right, name }
        };
        Self { differences: found.into_iter().map(shape).collect() }
    }
}
