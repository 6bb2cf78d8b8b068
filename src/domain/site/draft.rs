//! What an admin typed about a site, checked: form, JSON and CSV rows share these rules (R81, R82, contract 5.4).
//!
//! Whether the name is free is left for the service.

use super::super::clock::{parse_window, parse_zone};
use super::super::field_error::FieldErrors;
use super::super::limits::{DESCRIPTION_CHARS, LOCATION_CHARS, NETWORKS_PER_SITE};
use super::super::names::Name;
use super::super::subnet::Subnet;
use super::download_path::DownloadPath;
use super::{Network, Site};

/// The fields of a site as they were typed. Blank means none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteInput {
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Where it is, in words.
    pub location: String,
    /// Its networks. Rows without any text are left out.
    pub networks: Vec<NetworkInput>,
    /// IANA time zone; blank for the account's.
    pub time_zone: String,
    /// First minute of the polling window and the first one after it; none for the account's.
    pub polling_window: Option<(u16, u16)>,
    /// From where its phones take software and resource files; blank: from where the account says.
    pub download_path: String,
    /// Whether only an agent at the site controls its phones.
    pub site_specific: bool,
}

/// One public network as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkInput {
    /// The public network.
    pub public: String,
    /// The networks behind it.
    pub private: Vec<String>,
}

/// A site to add, or what an edited one is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteDraft {
    /// Name.
    pub name: Name,
    /// Free text.
    pub description: String,
    /// Where it is, in words.
    pub location: String,
    /// Its networks.
    pub networks: Vec<Network>,
    /// Its time zone, where it has one of its own.
    pub time_zone: Option<String>,
    /// Its polling window, where it has one of its own.
    pub polling_window: Option<(u16, u16)>,
    /// Its download path, where it has one of its own.
    pub download_path: Option<DownloadPath>,
    /// Whether only an agent at the site controls its phones.
    pub site_specific: bool,
}

impl SiteDraft {
    /// Checks the fields of a site.
    ///
    /// # Errors
    /// Every field that breaks a rule.
    pub fn parse(input: &SiteInput) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        let name = errors.take("name", Name::parse(&input.name));
        let description = errors.take("description", text(&input.description, DESCRIPTION_CHARS)).unwrap_or_default();
        let location = errors.take("location", text(&input.location, LOCATION_CHARS)).unwrap_or_default();
        let networks = networks(&input.networks, &mut errors);
        let zone = Some(&input.time_zone).filter(|zone| !zone.trim().is_empty());
        let time_zone = zone.and_then(|zone| errors.take("time_zone", parse_zone(zone)));
        let polling_window = input.polling_window.and_then(|window| errors.take("polling_window", parse_window(window)));
        let path = Some(&input.download_path).filter(|path| !path.trim().is_empty());
        let download_path = path.and_then(|path| errors.take("download_path", path.parse()));
        let site_specific = input.site_specific;
        errors.into_result(name.map(|name| Self {
            name,
            description,
            location,
            networks,
            time_zone,
            polling_window,
            download_path,
            site_specific,
        }))
    }

    /// What a site is as it stands.
    pub fn of(site: &Site) -> Self {
        Self {
            name: site.name.clone(),
            description: site.description.clone(),
            location: site.location.clone(),
            networks: site.networks.clone(),
            time_zone: site.time_zone.clone(),
            polling_window: site.polling_window,
            download_path: site.download_path.clone(),
            site_specific: site.site_specific,
        }
    }

    /// Puts it into a site.
    pub fn into_site(self, site: &mut Site) {
        let Self { name, description, location, networks, time_zone, polling_window, download_path, site_specific } = self;
        (site.name, site.description, site.location) = (name, description, location);
        (site.networks, site.time_zone, site.polling_window) = (networks, time_zone, polling_window);
        (site.download_path, site.site_specific) = (download_path, site_specific);
    }
}

fn text(typed: &str, most: usize) -> Result<String, String> {
    let typed = typed.trim();
    let chars = typed.chars().count();
    if chars > most {
        return Err(format!("at most {most} characters are kept; these are {chars}"));
    }
    match typed.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        Some(c) => Err(format!("it holds a control character (U+{:04X}); type it anew", u32::from(c))),
        None => Ok(typed.to_owned()),
    }
}

/// The networks of all rows, each public one once.
fn networks(rows: &[NetworkInput], errors: &mut FieldErrors) -> Vec<Network> {
    let mut networks: Vec<Network> = Vec::new();
    for (row, input) in (1..).zip(rows) {
        let mut typed = input.private.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).peekable();
        if input.public.trim().is_empty() {
            if typed.peek().is_some() {
                errors.add("networks", format_args!("row {row}: enter the public network that these private ones are behind"));
            }
            continue;
        }
        let public = errors.take("networks", Subnet::parse(&input.public).map_err(|error| format!("row {row}: {error}")));
        let mut private = Vec::new();
        for text in typed {
            let parsed = Subnet::parse(text).map_err(|error| format!("row {row}, private networks: {error}"));
            let Some(subnet) = errors.take("networks", parsed) else { continue };
            if private.contains(&subnet) {
                errors.add("networks", format_args!("row {row}, private networks: {subnet} stands there twice"));
            }
            private.push(subnet);
        }
        let Some(public) = public else { continue };
        if networks.iter().any(|other| other.public == public) {
            errors.add(
                "networks",
                format_args!("row {row}: {public} stands in the list twice; put its private networks into one row"),
            );
        }
        networks.push(Network { public, private });
    }
    let count: usize = networks.iter().map(|network| 1 + network.private.len()).sum();
    if count > NETWORKS_PER_SITE {
        errors.add("networks", format_args!("a site has at most {NETWORKS_PER_SITE} networks; these are {count}"));
    }
    networks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(public: &str, private: &[&str]) -> NetworkInput {
        NetworkInput { public: public.to_owned(), private: private.iter().map(ToString::to_string).collect() }
    }

    fn parse(networks: Vec<NetworkInput>) -> Result<SiteDraft, String> {
        let input = SiteInput { name: "Office".to_owned(), networks, ..SiteInput::default() };
        SiteDraft::parse(&input).map_err(|errors| errors.to_string())
    }

    #[test]
    fn networks_are_masked_and_blank_rows_left_out() {
        let draft =
            parse(vec![row("20.56.31.0/8", &["3.1.0.9/16", " "]), row("", &[""]), row("2001:db8::/32", &[])]).expect("good");
        let shown: Vec<_> = draft.networks.iter().map(|one| (one.public.to_string(), one.private.len())).collect();
        assert_eq!(shown, [("20.0.0.0/8".to_owned(), 1), ("2001:db8::/32".to_owned(), 0)]);
    }

    #[test]
    fn what_is_wrong_with_a_network_is_told_with_its_row() {
        let told = |networks| parse(networks).expect_err("wrong");
        assert!(told(vec![row("10.0.0.0/8", &[]), row("lan", &[])]).contains("row 2: “lan” is no IP address"));
        assert!(told(vec![row("10.0.0.0/8", &["10.0.0.0/40"])]).contains("row 1, private networks: “40” is no mask length"));
        assert!(
            told(vec![row("10.0.0.0/8", &[]), row("10.1.0.0/8", &[])]).contains("row 2: 10.0.0.0/8 stands in the list twice")
        );
        assert!(told(vec![row("10.0.0.0/8", &["3.1.0.0/16", "3.1.2.0/16"])]).contains("3.1.0.0/16 stands there twice"));
        assert!(told(vec![row(" ", &["10.0.0.0/8"])]).contains("row 1: enter the public network"));
    }

    #[test]
    fn networks_are_held_at_their_limit() {
        let rows = |count: usize| (0..count).map(|i| row(&format!("10.{}.{}.0/24", i / 256, i % 256), &[])).collect();
        assert!(parse(rows(NETWORKS_PER_SITE)).is_ok());
        assert!(parse(rows(NETWORKS_PER_SITE + 1)).is_err_and(|error| error.contains("at most")));
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let input = SiteInput {
            name: "a/b".to_owned(),
            description: "x".repeat(DESCRIPTION_CHARS + 1),
            location: "y".repeat(LOCATION_CHARS + 1),
            networks: vec![row("x", &[])],
            time_zone: "Nowhere".to_owned(),
            polling_window: Some((300, 300)),
            download_path: "http://relay/".to_owned(),
            site_specific: false,
        };
        let errors = SiteDraft::parse(&input).expect_err("all wrong");
        let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "description", "location", "networks", "time_zone", "polling_window", "download_path"]);
    }

    #[test]
    fn a_site_comes_back_from_its_draft() {
        let draft = parse(vec![row("10.0.0.0/8", &["10.1.0.0/16"])]).expect("good");
        let mut site = Site::internet();
        draft.clone().into_site(&mut site);
        assert_eq!(SiteDraft::of(&site), draft);
    }
}
