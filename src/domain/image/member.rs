//! Names in archives of software: which of them are taken at all, and what becomes of each file.

/// Longest name of a file in an archive, in bytes: phones ask for no longer ones.
const NAME_BYTES: usize = 255;
/// Endings of files beside the software that phones fetch: languages, tones, pictures.
const CONTENT: [&str; 10] = ["wav", "mp3", "jpg", "jpeg", "png", "bmp", "gif", "ico", "xml", "ttf"];
/// Folders with languages.
const LANGUAGES: [&str; 3] = ["vvxlocalization", "soundpointiplocalization", "languages"];
/// Endings of such files outside of the folders with languages.
const OUTSIDE: [&str; 7] = ["wav", "mp3", "jpg", "jpeg", "png", "bmp", "gif"];

/// What becomes of a file of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Served to phones.
    Served,
    /// `sip.ver`: tells the version, and is served.
    Version,
    /// `polycomConfig.xsd`: the schema.
    Schema,
    /// Left out: samples, release notes, whatever else.
    LeftOut,
}

/// The path that a name in an archive means, without `.` and outer slashes; empty for the archive's own folder.
///
/// # Errors
/// Why it is none that a package of software has. Then nothing of the package is taken.
pub fn path(name: &str) -> Result<String, &'static str> {
    if name.len() > NAME_BYTES {
        return Err("is longer than any name of a phone's file");
    }
    if name.contains('\\') {
        return Err("has a backslash");
    }
    if name.starts_with('/') {
        return Err("begins at the root of the disk");
    }
    if name.contains(':') {
        return Err("names a drive");
    }
    if name.chars().any(char::is_control) {
        return Err("has characters that nobody sees");
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err("leads out of the archive");
    }
    Ok(parts.join("/"))
}

/// The folder of a package in which its software lies: that of the first `.ld`, else that of `sip.ver`. Some have one folder around all.
pub fn base<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> String {
    let of = |is: fn(&str) -> bool| paths.clone().find(|path| is(&path.to_ascii_lowercase())).map(folder);
    let found = of(|path| path.ends_with(".ld")).or_else(|| of(|path| last(path) == "sip.ver"));
    found.unwrap_or_default().to_owned()
}

/// The path below the base; none for what lies elsewhere.
pub fn below<'a>(base: &str, path: &'a str) -> Option<&'a str> {
    if base.is_empty() { Some(path) } else { path.strip_prefix(base)?.strip_prefix('/') }
}

/// What becomes of the file at a path below the base.
pub fn part(path: &str) -> Part {
    let lower = path.to_ascii_lowercase();
    let ending = last(&lower).rsplit_once('.').map_or("", |(_, ending)| ending);
    let first = lower.split('/').next().unwrap_or_default();
    match ending {
        _ if last(&lower) == "polycomconfig.xsd" => Part::Schema,
        _ if lower == "sip.ver" => Part::Version,
        "ld" if !lower.contains('/') => Part::Served,
        _ if LANGUAGES.contains(&first) && CONTENT.contains(&ending) => Part::Served,
        _ if first != "config" && OUTSIDE.contains(&ending) => Part::Served,
        _ => Part::LeftOut,
    }
}

/// The name of a file that is a package by itself, as it is served: letters, digits and `. - _`.
pub fn served_name(file: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
    let name: String = last(file).chars().map(plain).take(100).collect();
    name.trim_start_matches(['.', '-']).to_owned()
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for bad in ["../x", "a/../../x", "/etc/passwd", "..\\x", "C:/x", "c:x", "a\0b", "a\nb", ".."] {
            assert!(path(bad).is_err(), "{bad:?}");
        }
        assert!(path(&"a".repeat(256)).is_err());
        assert_eq!(path("./a//b/./c.ld").as_deref(), Ok("a/b/c.ld"));
        assert_eq!(path("...wav").as_deref(), Ok("...wav"), "three dots are a name");
    }

    #[test]
    fn of_a_package_is_kept_what_phones_fetch() {
        let served = [
            "3111-44500-001.sip.ld",
            "sip.ld",
            "VVXLocalization/Chinese_China/VVX-dictionary.xml",
            "Beach.jpg",
            "SoundPointIPWelcome.wav",
        ];
        for path in served {
            assert_eq!(part(path), Part::Served, "{path}");
        }
        let left = [
            "000000000000.cfg",
            "000000000000-directory~.xml",
            "Config/site.cfg",
            "Config/picture.png",
            "x/sip.ver",
            "x/y.ld",
            "run.exe",
        ];
        for path in left {
            assert_eq!(part(path), Part::LeftOut, "{path}");
        }
        assert_eq!((part("sip.ver"), part("Config/polycomConfig.xsd")), (Part::Version, Part::Schema));
    }

    #[test]
    fn one_folder_around_all_is_left_away() {
        let paths = ["UC/readme.txt", "UC/5.9/3111-44500-001.sip.ld", "UC/5.9/sip.ver"];
        let base = base(paths.into_iter());
        assert_eq!(base, "UC/5.9");
        assert_eq!((below(&base, paths[1]), below(&base, paths[0])), (Some("3111-44500-001.sip.ld"), None));
        assert_eq!(below("", "a/b"), Some("a/b"));
    }

    #[test]
    fn a_file_that_is_a_package_by_itself_keeps_a_plain_name() {
        assert_eq!(served_name("3111-44500-001.sip.ld"), "3111-44500-001.sip.ld");
        assert_eq!(served_name("../.hidden name;.tar"), "hidden-name-.tar");
    }
}
