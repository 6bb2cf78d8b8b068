//! Sites as CSV: the guide's four columns in any order and letter case, and some of our own for what a site has besides (R90–R96).
//!
//! Subnets are JSON in one cell. Strictly read first; what is not, is read as the guide prints it: quotation marks not doubled, private
//! lists beside the object that they belong to, brackets missing at the end. What is written is always strict.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::cells::{guarded, unguarded};
use super::reader::{Row, Sheet, SheetError};
use crate::domain::clock::time_of_day;
use crate::domain::limits::{MINUTES_PER_DAY, SITES};
use crate::domain::site::draft::{NetworkInput, SiteInput};
use crate::domain::site::{Network, Site};

/// The columns, those of the guide first.
const COLUMNS: [&str; 8] = [
    "site_name",
    "description",
    "location_name",
    "subnets",
    "time_zone",
    "polling_window",
    "download_path",
    "site_specific_control",
];
/// Those that must be there (R92).
const REQUIRED: [&str; 2] = ["site_name", "subnets"];

/// One row, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRow {
    /// Line that it begins in.
    pub line: u64,
    /// What stands there, or why it cannot be read.
    pub site: Result<SiteCells, String>,
}

/// The cells of a row; none where the file has no such column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteCells {
    /// Name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Where it is, in words.
    pub location: Option<String>,
    /// Its networks.
    pub networks: Vec<NetworkInput>,
    /// IANA time zone; blank for the account's.
    pub time_zone: Option<String>,
    /// Polling window; none in it for the account's.
    pub polling_window: Option<Option<(u16, u16)>>,
    /// Download path; blank for the account's.
    pub download_path: Option<String>,
    /// Whether only an agent at the site controls its phones.
    pub site_specific: Option<bool>,
}

impl SiteCells {
    /// The site that it makes of one that is there, or of none.
    pub fn over(self, present: Option<&Site>) -> SiteInput {
        let text = |cell: Option<String>, of: fn(&Site) -> &str| cell.unwrap_or_else(|| present.map_or("", of).to_owned());
        SiteInput {
            name: self.name,
            description: text(self.description, |site| &site.description),
            location: text(self.location, |site| &site.location),
            networks: self.networks,
            time_zone: text(self.time_zone, |site| site.time_zone.as_deref().unwrap_or_default()),
            polling_window: self.polling_window.unwrap_or_else(|| present.and_then(|site| site.polling_window)),
            download_path: text(self.download_path, |site| site.download_path.as_ref().map_or("", |path| path.as_str())),
            site_specific: self.site_specific.unwrap_or_else(|| present.is_some_and(|site| site.site_specific)),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// It cannot be read as a whole: no header, a column that is missing or not known, too many rows.
pub fn read(bytes: &[u8]) -> Result<Vec<SiteRow>, SheetError> {
    let sheet = Sheet::read(bytes, None)?;
    let of_header = |message: String| SheetError { line: 1, message };
    let mut places = HashMap::new();
    for (place, name) in sheet.columns.iter().enumerate() {
        let Some(known) = COLUMNS.iter().find(|known| *known == name) else {
            return Err(of_header(format!("“{name}” is no column of sites; the columns are {}", COLUMNS.join(", "))));
        };
        if places.insert(*known, place).is_some() {
            return Err(of_header(format!("the column {name} stands there twice")));
        }
    }
    if let Some(missing) = REQUIRED.iter().find(|name| !places.contains_key(*name)) {
        return Err(of_header(format!("the column {missing} is missing; site_name and subnets are required")));
    }
    if sheet.rows.len() > SITES {
        let line = sheet.rows[SITES].line;
        return Err(SheetError { line, message: format!("a file has at most {SITES} sites; split it") });
    }
    let parse = |row: &Row| SiteRow { line: row.line, site: cells(row, &sheet, &places) };
    Ok(sheet.rows.iter().map(parse).collect())
}

fn cells(row: &Row, sheet: &Sheet, places: &HashMap<&str, usize>) -> Result<SiteCells, String> {
    let subnets_at = places["subnets"];
    let is_whole = row.cells.len() == sheet.columns.len();
    let strict = is_whole.then(|| strict(&row.cells[subnets_at])).and_then(Result::ok);
    let (cells, networks) = match strict {
        Some(networks) => (row.cells.clone(), networks),
        None => as_printed(row, sheet, subnets_at)?,
    };
    let cell = |name: &str| places.get(name).and_then(|place| cells.get(*place)).map(|text| unguarded(text.trim()).to_owned());
    let polling_window = cell("polling_window").map(|text| window(&text)).transpose()?;
    Ok(SiteCells {
        name: cell("site_name").unwrap_or_default(),
        description: cell("description"),
        location: cell("location_name"),
        networks,
        time_zone: cell("time_zone"),
        polling_window,
        download_path: cell("download_path"),
        site_specific: cell("site_specific_control").map(|text| yes_or_no(&text)).transpose()?,
    })
}

/// `yes` or `no`; blank for no.
fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" | "" => Ok(false),
        _ => Err(format!("site_specific_control: “{text}” is neither yes nor no")),
    }
}

/// `03:00-05:00`; blank for none.
fn window(text: &str) -> Result<Option<(u16, u16)>, String> {
    let minute = |text: &str| {
        let (hours, minutes) = text.trim().split_once(':')?;
        let minute =
            hours.parse::<u16>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok().filter(|minute| *minute < 60)?)?;
        (minute <= MINUTES_PER_DAY).then_some(minute)
    };
    if text.is_empty() {
        return Ok(None);
    }
    let ends = text.split_once('-').and_then(|(from, to)| minute(from).zip(minute(to)));
    ends.map(Some).ok_or_else(|| format!("polling_window: “{text}” is no window; write it as 03:00-05:00"))
}

/// The cell of subnets as it is to be (R93).
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SubnetCell {
    public_subnet_list: Vec<PublicSubnet>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PublicSubnet {
    ip_address: String,
    mask_length: MaskLength,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    private_subnet_list: Vec<PrivateSubnet>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PrivateSubnet {
    ip_address: String,
    mask_length: MaskLength,
}

/// The guide writes numbers as texts; programs write them as numbers.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum MaskLength {
    Text(String),
    Number(u64),
}

fn network(ip: &str, mask: &MaskLength) -> String {
    let mask = match mask {
        MaskLength::Text(text) => text.trim().to_owned(),
        MaskLength::Number(number) => number.to_string(),
    };
    joined(ip, &mask)
}

/// Address and mask length as one text; what is missing is told by whoever parses it.
fn joined(ip: &str, mask: &str) -> String {
    if mask.is_empty() { ip.trim().to_owned() } else { format!("{}/{mask}", ip.trim()) }
}

fn strict(cell: &str) -> Result<Vec<NetworkInput>, serde_json::Error> {
    let parsed: SubnetCell = serde_json::from_str(cell)?;
    let one = |public: &PublicSubnet| NetworkInput {
        public: network(&public.ip_address, &public.mask_length),
        private: public.private_subnet_list.iter().map(|one| network(&one.ip_address, &one.mask_length)).collect(),
    };
    Ok(parsed.public_subnet_list.iter().map(one).collect())
}

/// The cells and networks of a row whose subnets are not strictly written: from the first brace to the last bracket everything is theirs.
fn as_printed(row: &Row, sheet: &Sheet, subnets_at: usize) -> Result<(Vec<String>, Vec<NetworkInput>), String> {
    let (wanted, found) = (sheet.columns.len(), row.cells.len());
    let other = || {
        format!(
            "the row has {found} cells, the header {wanted}; use the {} that the header uses, and put quotation marks around cells \
             that hold one",
            sheet.separator.word()
        )
    };
    let (Some(from), Some(to)) = (row.raw.find('{'), row.raw.rfind(['}', ']', '>'])) else {
        return Err(if found == wanted { no_subnets(&row.cells[subnets_at]) } else { other() });
    };
    if to < from {
        return Err(other());
    }
    let json = row.raw[from..=to].replace("\"\"", "\"");
    let (before, after) = (row.raw[..from].trim_end_matches('"'), row.raw[to + 1..].trim_start_matches('"'));
    let around = format!("{before}{after}\n");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(sheet.separator.byte())
        .flexible(true)
        .has_headers(false)
        .from_reader(around.as_bytes());
    let cells: Vec<String> = match reader.records().next() {
        Some(Ok(record)) => record.iter().map(|cell| cell.trim().to_owned()).collect(),
        _ => return Err(other()),
    };
    if cells.len() != wanted {
        return Err(other());
    }
    tolerant(&json).map(|networks| (cells, networks))
}

fn no_subnets(cell: &str) -> String {
    format!("subnets: “{}” is no list of subnets; write {EXAMPLE}", cell.chars().take(40).collect::<String>())
}

/// What a cell of subnets looks like.
const EXAMPLE: &str = r#"{"public-subnet-list":[{"ip-address":"20.1.0.0","mask-length":"16"}]}"#;

/// Reads subnets whatever became of the brackets around them.
fn tolerant(text: &str) -> Result<Vec<NetworkInput>, String> {
    let mut networks: Vec<NetworkInput> = Vec::new();
    let (mut is_private, mut ip, mut mask) = (false, None::<String>, None::<String>);
    let mut tokens = tokens(text)?.into_iter();
    while let Some(token) = tokens.next() {
        match token.as_str() {
            "]" => is_private = false,
            "public-subnet-list" | "private-subnet-list" if ip.is_some() || mask.is_some() => break,
            "public-subnet-list" => is_private = false,
            "private-subnet-list" => is_private = true,
            "ip-address" if ip.is_none() => ip = tokens.next(),
            "mask-length" if mask.is_none() => mask = tokens.next(),
            // Another one begins before this one is whole.
            "ip-address" | "mask-length" => break,
            other => return Err(format!("subnets: “{other}” does not belong there; write {EXAMPLE}")),
        }
        if let (Some(address), Some(bits)) = (&ip, &mask) {
            let network = joined(address, bits);
            match (is_private, networks.last_mut()) {
                (true, Some(last)) => last.private.push(network),
                (true, None) => {
                    return Err("subnets: private subnets stand behind a public one, and there is none before them".to_owned());
                }
                (false, _) => networks.push(NetworkInput { public: network, private: Vec::new() }),
            }
            (ip, mask) = (None, None);
        }
    }
    match (ip, mask) {
        (None, None) => Ok(networks),
        (Some(ip), _) => Err(format!("subnets: the mask length of {ip} is missing")),
        (None, Some(mask)) => Err(format!("subnets: the address of the mask length {mask} is missing")),
    }
}

/// Texts and numbers in order, and where a list ends.
fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '"' => {
                let end = rest[1..].find('"').ok_or_else(|| "subnets: a quotation mark is not closed".to_owned())?;
                tokens.push(rest[1..=end].to_owned());
                rest = &rest[end + 2..];
            }
            '0'..='9' => {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                tokens.push(rest[..end].to_owned());
                rest = &rest[end..];
            }
            ']' => {
                tokens.push("]".to_owned());
                rest = &rest[1..];
            }
            '{' | '}' | '[' | ':' | ',' | '>' => rest = &rest[1..],
            c if c.is_whitespace() => rest = &rest[c.len_utf8()..],
            c => return Err(format!("subnets: “{c}” does not belong there; write {EXAMPLE}")),
        }
    }
    Ok(tokens)
}

/// Sites as a file that reads back to the same. Texts are quoted where they need it.
///
/// # Errors
/// Only of writing to memory.
pub fn write<'a>(sites: impl Iterator<Item = &'a Site>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for site in sites {
        let window = site.polling_window.map(|(from, to)| format!("{}-{}", time_of_day(from), time_of_day(to)));
        writer.write_record([
            guarded(site.name.as_str()).as_ref(),
            guarded(&site.description).as_ref(),
            guarded(&site.location).as_ref(),
            written(&site.networks).as_str(),
            site.time_zone.as_deref().unwrap_or_default(),
            window.unwrap_or_default().as_str(),
            site.download_path.as_ref().map_or("", |path| path.as_str()),
            if site.site_specific { "yes" } else { "" },
        ])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn written(networks: &[Network]) -> String {
    let private = |subnet: &crate::domain::subnet::Subnet| PrivateSubnet {
        ip_address: subnet.address().to_string(),
        mask_length: MaskLength::Text(subnet.bits().to_string()),
    };
    let public = |network: &Network| PublicSubnet {
        ip_address: network.public.address().to_string(),
        mask_length: MaskLength::Text(network.public.bits().to_string()),
        private_subnet_list: network.private.iter().map(private).collect(),
    };
    let cell = SubnetCell { public_subnet_list: networks.iter().map(public).collect() };
    serde_json::to_string(&cell).unwrap_or_default()
}

#[cfg(test)]
#[path = "sites_tests.rs"]
mod tests;
