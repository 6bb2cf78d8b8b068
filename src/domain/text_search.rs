//! What is typed into the search box of a list: words that must all stand somewhere, in any letter case, and MACs in any spelling
//! (R57). Where a word stands in something that the list does not show, the row says so (R58).

/// A search text, made ready to be looked for in many rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextSearch {
    words: Vec<String>,
    /// The hexadecimal digits of the text, if it is nothing else but them and separators: a MAC or a part of one.
    digits: Option<String>,
}

/// Where a search found a row, as far as the list does not show it by itself (R58).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit<'a> {
    /// In a column of the list.
    Column,
    /// In something else: what it is, and its text.
    Hidden(&'static str, &'a str),
}

impl TextSearch {
    /// Reads what was typed.
    pub fn new(text: &str) -> Self {
        let words = text.split_whitespace().map(str::to_lowercase).collect();
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.' | ' ')).collect();
        let is_hex = digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        Self { words, digits: is_hex.then(|| digits.to_ascii_lowercase()) }
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Its words, in lower case.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether the whole of it is the key of a device, or a part of one, in any spelling.
    pub fn finds_key(&self, key: &str) -> bool {
        self.digits.as_ref().is_some_and(|digits| key.contains(digits.as_str()))
    }

    /// Whether every word stands in one of these texts.
    pub fn finds(&self, texts: &[&str]) -> bool {
        self.words.iter().all(|word| texts.iter().any(|text| holds(text, word)))
    }

    /// Where it stands: in the columns, or in what else belongs to the row. None: not all words do.
    pub fn hit<'a>(&self, columns: &[&str], others: &[(&'static str, &'a str)]) -> Option<Hit<'a>> {
        let mut hit = Hit::Column;
        for word in self.words.iter().filter(|word| !columns.iter().any(|text| holds(text, word))) {
            let (what, text) = others.iter().find(|(_, text)| holds(text, word))?;
            hit = Hit::Hidden(what, text);
        }
        Some(hit)
    }
}

/// Whether a text holds a word that is in lower case already. Most texts are ASCII: these are compared without a copy.
pub fn holds(text: &str, word: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(word);
    }
    word.is_empty() || text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_stands_somewhere_in_any_letter_case() {
        let search = TextSearch::new("BÜRO mitte");
        assert!(search.finds(&["büro 3", "Berlin-Mitte"]) && !search.finds(&["büro 3"]));
        assert!(TextSearch::new("  ").is_empty() && TextSearch::new("").finds(&[]));
    }

    #[test]
    fn a_mac_is_found_in_any_spelling_and_by_any_part() {
        for text in ["0004f2aa0001", "00:04:F2:AA:00:01", "0004.f2aa.0001", "00-04-f2-aa-00-01", "aa:00", "00 04 f2 aa 00 01"] {
            assert!(TextSearch::new(text).finds_key("0004f2aa0001"), "{text}");
        }
        assert!(!TextSearch::new("a").finds_key("0004f2aa0001") && !TextSearch::new("office").finds_key("0004f2aa0001"));
    }

    #[test]
    fn what_no_column_shows_is_told() {
        let hit = |text: &str| TextSearch::new(text).hit(&["Berlin"], &[("description", "Near the river")]);
        assert_eq!(hit("berlin"), Some(Hit::Column));
        assert_eq!(hit("berlin RIVER"), Some(Hit::Hidden("description", "Near the river")));
        assert_eq!(hit("berlin lake"), None);
    }
}
