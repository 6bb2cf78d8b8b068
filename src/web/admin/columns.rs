//! The columns of a list: which of them are shown, chosen by links, and the whole list as a file (R243). A list declares its columns
//! once; page, chooser and file follow from it.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_DISPOSITION;

use super::paging::ListQuery;
use crate::services::list_file;

/// A column as the chooser offers it: the link shows it or hides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its word in addresses.
    pub word: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// Whether the list shows it.
    pub is_shown: bool,
    /// The list with it, or without.
    pub href: String,
}

/// The columns of a list that may be hidden. The one that names the object always stays and is none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// Those that an address shows: its word `hide` names the others, as in `hide=key,public_ip`, and its word `more` those of the
    /// `rare` ones that are wanted too, for which a desk has no room. Words that do not exist hide nothing.
    pub fn of(list: &ListQuery, all: &[(&'static str, &'static str)], rare: &[&str]) -> Self {
        let named = |field: &str| -> Vec<&str> { list.filter(field).unwrap_or_default().split(',').collect() };
        let (hidden, more) = (named("hide"), named("more"));
        let column = |(word, label): &(&'static str, &'static str)| {
            let (field, words) = if rare.contains(word) { ("more", &more) } else { ("hide", &hidden) };
            let is_named = words.contains(word);
            let others = all.iter().map(|(other, _)| *other).filter(|other| other != word && words.contains(other));
            let named: Vec<&str> = others.chain((!is_named).then_some(*word)).collect();
            Column { word, label, is_shown: is_named == (field == "more"), href: list.with(&[(field, &named.join(","))]) }
        };
        Self(all.iter().map(column).collect())
    }

    /// Whether a column is shown; what cannot be hidden is.
    pub fn shows(&self, word: &str) -> bool {
        self.0.iter().all(|column| column.word != word || column.is_shown)
    }

    /// All rows that a list found, as a file with the columns that it shows. `naming` heads the column that always stays; `cells` has
    /// its text first, then that of each other column in the order in which the list declares them.
    pub fn file<const N: usize>(&self, name: &str, naming: &str, rows: impl Iterator<Item = [String; N]>) -> HttpResponse {
        let shown: Vec<bool> = [true].into_iter().chain(self.0.iter().map(|column| column.is_shown)).collect();
        let header = [naming].into_iter().chain(self.0.iter().map(|column| column.label));
        let header: Vec<String> = header.zip(&shown).filter(|(_, shown)| **shown).map(|(label, _)| label.to_owned()).collect();
        let chosen =
            |cells: [String; N]| cells.into_iter().zip(&shown).filter(|(_, shown)| **shown).map(|(cell, _)| cell).collect();
        HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"pdms-{name}.csv\"")))
            .body(list_file::csv([header].into_iter().chain(rows.map(chosen))))
    }
}

impl<'a> IntoIterator for &'a Columns {
    type Item = &'a Column;
    type IntoIter = std::slice::Iter<'a, Column>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    const ALL: [(&str, &str); 2] = [("model", "Model"), ("site", "Site Name")];

    fn columns(query: &str) -> Columns {
        Columns::of(&ListQuery::parse("/admin/devices", query, &["name"]), &ALL, &[])
    }

    #[test]
    fn a_column_is_hidden_and_shown_by_its_link() {
        let all = columns("q=a");
        assert!(all.shows("model") && all.shows("site") && all.shows("name"));
        assert_eq!((&all).into_iter().next().map(|one| one.href.as_str()), Some("/admin/devices?q=a&hide=model"));
        let one = columns("q=a&hide=model,nonsense");
        assert!(!one.shows("model") && one.shows("site"));
        let hrefs: Vec<_> = one.into_iter().map(|one| one.href.as_str()).collect();
        assert_eq!(hrefs, ["/admin/devices?q=a", "/admin/devices?q=a&hide=model%2Csite"]);
    }

    #[test]
    fn a_rare_column_is_shown_when_it_is_asked_for() {
        let of = |query: &str| Columns::of(&ListQuery::parse("/admin/devices", query, &["name"]), &ALL, &["site"]);
        let (few, more) = (of("hide=model"), of("hide=model&more=site"));
        assert!(!few.shows("site") && !few.shows("model") && more.shows("site"));
        let link = |columns: &Columns| columns.into_iter().nth(1).map(|one| one.href.clone());
        assert_eq!(link(&few).as_deref(), Some("/admin/devices?hide=model&more=site"));
        assert_eq!(link(&more).as_deref(), Some("/admin/devices?hide=model"));
    }

    #[actix_web::test]
    async fn a_file_has_the_columns_that_are_shown() {
        let rows = [["=1+1", "VVX 411", "Berlin, Mitte"]].map(|row| row.map(str::to_owned));
        let answer = columns("hide=model").file("devices", "Device Name", rows.into_iter());
        let body = to_bytes(answer.into_body()).await.expect("a body");
        assert_eq!(body, "Device Name,Site Name\r\n'=1+1,\"Berlin, Mitte\"\r\n".as_bytes());
    }
}
