//! A line of a phone's log taken apart: `0417110903|sip  |4|03|text` (time, module, level, events missed, text). Other lines stay as they are.

/// A line in the vendor's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The phone's own time, as it writes it.
    pub time: &'a str,
    /// The part of the software that speaks.
    pub module: &'a str,
    /// How grave it is.
    pub level: Level,
    /// What it says.
    pub text: &'a str,
}

/// How grave a line is, from the vendor's numbers 0 to 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// 0 to 2, for those who look for faults.
    Debug,
    /// 3, and lines that are always written.
    Info,
    /// 4: something went wrong and was mended.
    Minor,
    /// 5: something will not work.
    Major,
    /// 6: it stopped.
    Fatal,
}

impl Level {
    /// All of them, the gravest last.
    pub const ALL: [Self; 5] = [Self::Debug, Self::Info, Self::Minor, Self::Major, Self::Fatal];

    /// A word for pages and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Fatal => "fatal",
        }
    }

    /// Reads its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }

    fn of(field: &str) -> Option<Self> {
        Some(match field {
            "0" | "1" | "2" => Self::Debug,
            "3" | "*" => Self::Info,
            "4" => Self::Minor,
            "5" => Self::Major,
            "6" => Self::Fatal,
            _ => return None,
        })
    }
}

/// Longest name of a module, and of a time.
const MODULE_CHARS: usize = 12;
const TIME_CHARS: usize = 24;

/// Takes a line apart; none for one of another form.
pub fn parse(line: &str) -> Option<LogLine<'_>> {
    let mut fields = line.splitn(5, '|');
    let (time, module, level, _missed, text) =
        (fields.next()?, fields.next()?.trim(), fields.next()?.trim(), fields.next()?, fields.next()?);
    let is_time = |c: char| c.is_ascii_digit() || matches!(c, '.' | ':' | '-' | ' ' | 'T');
    let is_ours = (1..=TIME_CHARS).contains(&time.len())
        && time.starts_with(|c: char| c.is_ascii_digit())
        && time.chars().all(is_time)
        && (1..=MODULE_CHARS).contains(&module.len())
        && module.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    Level::of(level).filter(|_| is_ours).map(|level| LogLine { time, module, level, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_vendors_form_are_taken_apart() {
        let line = parse("0417110903|sip  |4|03|Registration failed | 403").expect("ours");
        assert_eq!((line.time, line.module, line.level), ("0417110903", "sip", Level::Minor));
        assert_eq!(line.text, "Registration failed | 403");
        assert_eq!(parse("000013.270|cfg|*|00|Prm").map(|line| line.level), Some(Level::Info));
        assert_eq!(parse("0101000013|wdog |6|00|").map(|line| (line.level, line.text)), Some((Level::Fatal, "")));
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        for line in
            ["", "plain text", "a|b|c|d|e", "0417110903|sip|9|00|x", "0417110903|s ip|4|00|x", "0417110903|sip|4|00", "||||"]
        {
            assert_eq!(parse(line), None, "{line}");
        }
        assert!(Level::ALL.iter().all(|level| Level::parse(level.word()) == Some(*level)));
    }
}
