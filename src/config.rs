//! Settings of the process: flag over environment over file over default. What admins set in the browser is not here but in the store.
//!
//! The file is TOML; each of its keys is also a variable: `https` is `PDMS_HTTPS`, `certificate.key` is `PDMS_CERTIFICATE__KEY`.

mod addresses;
mod variables;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use crate::domain::admission::NewDeviceCaps;
use crate::domain::limits::ACTIVITY_WEEKS;
use crate::domain::upload::UploadCaps;
use crate::services::certificates::OwnFiles;
use crate::services::retention::Keep;
use crate::services::uploads::UploadSettings;

pub use addresses::{HttpSocket, PublicUrl};

/// Default of `--state`.
const STATE: &str = "./pdms-state";
/// Default of `--https`.
const HTTPS: &str = "0.0.0.0:8443";
/// Default of `--http`.
const HTTP: &str = "0.0.0.0:8080";
/// Default of the log filter.
const LOG: &str = "info,actix_server=warn";

/// Everything that a server needs to know before it can open its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The state directory.
    pub state: PathBuf,
    /// Where HTTPS listens. Port 0 takes any free port.
    pub https: SocketAddr,
    /// Where plain HTTP listens; none to leave it off.
    pub http: Option<SocketAddr>,
    /// The address that phones and people use, where it is not the name given at set-up with our own port.
    pub public_url: Option<PublicUrl>,
    /// Proxies whose word about a client's address counts (NET-06).
    pub trusted_proxies: Vec<IpNet>,
    /// The admin's own certificate.
    pub certificate: Option<OwnFiles>,
    /// How much phones may upload.
    pub uploads: UploadSettings,
    /// How many new devices may come.
    pub new_devices: NewDeviceCaps,
    /// How long things are kept.
    pub keep: Keep,
    /// What is logged, as `tracing` filters are written: `info`, `warn,pdms::web=debug`.
    pub log: String,
    /// Whether this is a demonstration.
    pub demo: bool,
    /// The file that the settings came from: read again on SIGHUP.
    pub file: Option<PathBuf>,
    /// Variables that begin with `PDMS_`, are no settings and look like none: somebody may miss what they were to do.
    pub ignored: Vec<String>,
}

/// What one source of settings says; none where it says nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// See [`Config::state`].
    pub state: Option<PathBuf>,
    /// See [`Config::https`].
    pub https: Option<SocketAddr>,
    /// See [`Config::http`].
    pub http: Option<HttpSocket>,
    /// See [`Config::public_url`].
    pub public_url: Option<PublicUrl>,
    /// See [`Config::trusted_proxies`].
    #[serde(default, deserialize_with = "networks")]
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// See [`Config::log`].
    pub log: Option<String>,
    /// See [`Config::certificate`].
    pub certificate: Option<CertificateLayer>,
    /// See [`Config::uploads`].
    #[serde(default)]
    pub uploads: UploadsLayer,
    /// See [`Config::new_devices`].
    #[serde(default)]
    pub new_devices: NewDevicesLayer,
    /// See [`Config::keep`].
    #[serde(default)]
    pub retention: RetentionLayer,
}

/// The `[certificate]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateLayer {
    /// The chain in PEM form.
    file: PathBuf,
    /// Its private key in PEM form.
    key: PathBuf,
}

/// The `[uploads]` table: most bytes of one upload by kind, and what uploads leave free of the disk.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadsLayer {
    log_bytes: Option<u64>,
    override_bytes: Option<u64>,
    directory_bytes: Option<u64>,
    dump_bytes: Option<u64>,
    resource_bytes: Option<u64>,
    reserve_bytes: Option<u64>,
}

/// The `[new_devices]` table: how many devices that were never seen may come.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDevicesLayer {
    per_address: Option<usize>,
    per_hour: Option<usize>,
}

/// The `[retention]` table: days that device logs are kept, bytes of them in all, and whole weeks of the activity log beside the present one.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionLayer {
    log_days: Option<u32>,
    log_bytes: Option<u64>,
    #[serde(default, deserialize_with = "activity_weeks")]
    activity_weeks: Option<u32>,
}

/// Why the settings cannot be used, with the place and the next step.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {error}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file says something that is no setting, or not in its form; the library's text has line and column.
    #[error("the settings file {path} is not usable: {error}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Line, column and rule.
        error: toml::de::Error,
    },
    /// A variable has the wrong form.
    #[error("the variables PDMS_… are not usable: {0}")]
    Variables(toml::de::Error),
    /// A variable is nearly a setting.
    #[error("the variable {name} is no setting; did you mean {nearest}? Correct or unset it")]
    Misspelt {
        /// As it is written.
        name: String,
        /// The setting that it looks like.
        nearest: String,
    },
}

impl Config {
    /// Puts the sources together. `file` is what `--config` or `PDMS_CONFIG` names; `variables` is the environment.
    ///
    /// # Errors
    /// A source that cannot be read or says something that is no setting.
    pub fn load(
        flags: Layer,
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let from_file = file.map(read_file).transpose()?.unwrap_or_default();
        let variables::Read { layer: from_variables, ignored } = variables::read(variables)?;
        let layer = flags.over(from_variables).over(from_file);
        Ok(Self {
            state: layer.state.unwrap_or_else(|| STATE.into()),
            https: layer.https.unwrap_or_else(|| HTTPS.parse().expect("a literal address")),
            http: layer.http.map_or_else(|| HTTP.parse().ok(), |http| http.0),
            public_url: layer.public_url,
            trusted_proxies: layer.trusted_proxies.unwrap_or_default(),
            certificate: layer.certificate.map(|own| OwnFiles { certificate: own.file, key: own.key }),
            uploads: layer.uploads.settings(),
            new_devices: layer.new_devices.caps(),
            keep: layer.retention.keep(),
            log: layer.log.unwrap_or_else(|| LOG.to_owned()),
            demo: false,
            file: file.map(Path::to_owned),
            ignored,
        })
    }
}

impl Layer {
    /// What this one says, and where it says nothing what the other says.
    fn over(self, below: Self) -> Self {
        Self {
            state: self.state.or(below.state),
            https: self.https.or(below.https),
            http: self.http.or(below.http),
            public_url: self.public_url.or(below.public_url),
            trusted_proxies: self.trusted_proxies.or(below.trusted_proxies),
            log: self.log.or(below.log),
            certificate: self.certificate.or(below.certificate),
            uploads: self.uploads.over(below.uploads),
            new_devices: self.new_devices.over(below.new_devices),
            retention: self.retention.over(below.retention),
        }
    }
}

impl UploadsLayer {
    fn over(self, below: Self) -> Self {
        Self {
            log_bytes: self.log_bytes.or(below.log_bytes),
            override_bytes: self.override_bytes.or(below.override_bytes),
            directory_bytes: self.directory_bytes.or(below.directory_bytes),
            dump_bytes: self.dump_bytes.or(below.dump_bytes),
            resource_bytes: self.resource_bytes.or(below.resource_bytes),
            reserve_bytes: self.reserve_bytes.or(below.reserve_bytes),
        }
    }

    fn settings(self) -> UploadSettings {
        let default = UploadSettings::default();
        let caps = UploadCaps {
            log_bytes: self.log_bytes.unwrap_or(default.caps.log_bytes),
            override_bytes: self.override_bytes.unwrap_or(default.caps.override_bytes),
            directory_bytes: self.directory_bytes.unwrap_or(default.caps.directory_bytes),
            dump_bytes: self.dump_bytes.unwrap_or(default.caps.dump_bytes),
            resource_bytes: self.resource_bytes.unwrap_or(default.caps.resource_bytes),
        };
        UploadSettings { caps, reserve_bytes: self.reserve_bytes.unwrap_or(default.reserve_bytes) }
    }
}

impl NewDevicesLayer {
    fn over(self, below: Self) -> Self {
        Self { per_address: self.per_address.or(below.per_address), per_hour: self.per_hour.or(below.per_hour) }
    }

    fn caps(self) -> NewDeviceCaps {
        let default = NewDeviceCaps::default();
        NewDeviceCaps {
            per_address: self.per_address.unwrap_or(default.per_address),
            per_hour: self.per_hour.unwrap_or(default.per_hour),
        }
    }
}

impl RetentionLayer {
    fn over(self, below: Self) -> Self {
        Self {
            log_days: self.log_days.or(below.log_days),
            log_bytes: self.log_bytes.or(below.log_bytes),
            activity_weeks: self.activity_weeks.or(below.activity_weeks),
        }
    }

    fn keep(self) -> Keep {
        let default = Keep::default();
        Keep {
            log_days: self.log_days.unwrap_or(default.log_days),
            log_bytes: self.log_bytes.unwrap_or(default.log_bytes),
            activity_weeks: self.activity_weeks.unwrap_or(default.activity_weeks),
        }
    }
}

fn read_file(path: &Path) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Read { path: path.to_owned(), error })?;
    toml::from_str(&text).map_err(|error| ConfigError::File { path: path.to_owned(), error })
}

/// Four weeks of the activity log are kept whatever the settings say (R349).
fn activity_weeks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let weeks = u32::deserialize(deserializer)?;
    if weeks < ACTIVITY_WEEKS {
        let words = format!("the activity log is kept for at least {ACTIVITY_WEEKS} weeks; write that or more, or leave it out");
        return Err(serde::de::Error::custom(words));
    }
    Ok(Some(weeks))
}

/// A list, or a text with commas as variables and flags have it.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<IpNet>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Networks {
        List(Vec<String>),
        Text(String),
    }
    let texts: Vec<String> = match Networks::deserialize(deserializer)? {
        Networks::List(list) => list,
        Networks::Text(text) => text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect(),
    };
    texts.iter().map(|text| network(text).map_err(serde::de::Error::custom)).collect::<Result<_, _>>().map(Some)
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("“{text}” is no network; write 10.0.0.0/8, 2001:db8::/32 or an address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("written");
        file
    }

    #[test]
    fn nothing_is_needed() {
        let config = Config::load(Layer::default(), None, []).expect("defaults");
        assert_eq!(config.https.to_string(), "0.0.0.0:8443");
        assert_eq!(config.http.map(|address| address.port()), Some(8080));
        assert_eq!(config.state, Path::new("./pdms-state"));
    }

    #[test]
    fn flags_beat_variables_and_variables_beat_the_file() {
        let file =
            file("https = \"127.0.0.1:1\"\nhttp = \"off\"\nlog = \"warn\"\ntrusted_proxies = [\"10.0.0.0/8\", \"192.0.2.1\"]");
        let flags = Layer { https: "127.0.0.1:3".parse().ok(), ..Layer::default() };
        let variables = variables(&[("PDMS_HTTPS", "127.0.0.1:2"), ("PDMS_LOG", "debug"), ("PDMS_BIN", "x"), ("HOME", "/")]);
        let config = Config::load(flags, Some(file.path()), variables).expect("settings");
        assert_eq!((config.https.port(), config.http, config.log.as_str()), (3, None, "debug"));
        assert_eq!(config.trusted_proxies.len(), 2);
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line() {
        let file = file("https = \"127.0.0.1:1\"\nhtps = 3\n");
        let error = Config::load(Layer::default(), Some(file.path()), []).expect_err("misspelt").to_string();
        assert!(error.contains("line 2") && error.contains("htps"), "{error}");
    }

    #[test]
    fn four_weeks_of_the_activity_log_are_kept_whatever_is_set() {
        let with = |weeks: u32| {
            let text = format!("[retention]\nactivity_weeks = {weeks}\n");
            let by_variable = variables(&[("PDMS_RETENTION__ACTIVITY_WEEKS", &weeks.to_string())]);
            let by_file = Config::load(Layer::default(), Some(file(&text).path()), []).map(|config| config.keep.activity_weeks);
            let by_variable = Config::load(Layer::default(), None, by_variable).map(|config| config.keep.activity_weeks);
            [by_file, by_variable].map(|read| read.map_err(|error| error.to_string()))
        };
        assert_eq!(with(4), [Ok(4), Ok(4)]);
        for refused in with(3) {
            assert!(refused.as_ref().is_err_and(|words| words.contains("at least 4 weeks")), "{refused:?}");
        }
        assert!(with(0)[0].as_ref().is_err_and(|words| words.contains("line 2")));
    }

    #[test]
    fn limits_are_set_one_by_one() {
        let file = file("[uploads]\nlog_bytes = 5\ndump_bytes = 6\n[new_devices]\nper_hour = 7\n[retention]\nlog_days = 3\n");
        let variables = variables(&[("PDMS_UPLOADS__LOG_BYTES", "8")]);
        let config = Config::load(Layer::default(), Some(file.path()), variables).expect("settings");
        let caps = config.uploads.caps;
        assert_eq!((caps.log_bytes, caps.dump_bytes, config.new_devices.per_hour), (8, 6, 7));
        assert_eq!(config.keep, Keep { log_days: 3, ..Keep::default() });
        assert_eq!(caps.override_bytes, UploadCaps::default().override_bytes);
    }
}
