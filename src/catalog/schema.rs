//! The shipped parameter dictionary: `data/schema/` (R137).

use std::sync::LazyLock;

use rust_embed::Embed;

use crate::domain::schema::Schema;
use crate::xml::xsd;

#[derive(Embed)]
#[folder = "data/schema"]
struct Files;

/// The names of the schemas; beside them lie lists for people.
fn files() -> impl Iterator<Item = impl AsRef<str>> {
    Files::iter().filter(|name| name.ends_with(".xsd"))
}

/// Our own dictionary. Read once, at first use: some tens of milliseconds.
pub fn dictionary() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        let files = files().filter_map(|name| Files::get(name.as_ref()));
        let read = |file: rust_embed::EmbeddedFile| xsd::read(&file.data).expect("a test has read every shipped file");
        Schema::new(files.flat_map(read).collect())
    });
    &SCHEMA
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalog::governed::governed;
    use crate::xml;

    #[test]
    fn every_shipped_file_is_a_schema_of_described_parameters_in_order() {
        let mut names = BTreeSet::new();
        for file in files() {
            let file = file.as_ref();
            let content = Files::get(file).expect("listed");
            let read = xsd::read(&content.data).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(!read.is_empty(), "{file}");
            let folded = |name: &str| name.to_ascii_lowercase();
            assert!(read.is_sorted_by_key(|one| folded(&one.name)), "{file}");
            for one in read {
                assert!(!one.text.is_empty(), "{file}: {} has no words", one.name);
                if let Some(default) = &one.default {
                    assert_eq!(one.kind.check(default), Ok(()), "{file}: the default of {}", one.name);
                }
                assert!(names.insert(folded(&one.name)), "{file}: {} stands in another file, too", one.name);
            }
        }
        assert_eq!(names.len(), dictionary().len());
    }

    /// A search goes once through names and descriptions and copies none of them: at the speed of memory a megabyte is a millisecond, and 50 are
    /// allowed (R122).
    #[test]
    fn a_search_looks_through_little() {
        assert!(dictionary().searched_bytes() < 4 * 1024 * 1024, "{}", dictionary().searched_bytes());
        assert!(dictionary().search("ring", usize::MAX).len() > 20);
        assert!(dictionary().search("r", usize::MAX).is_empty());
    }

    #[test]
    fn what_the_server_sets_by_itself_is_described() {
        for name in governed().keys() {
            assert!(dictionary().find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn indexes_names_of_models_and_secrets_are_known() {
        let find = |name: &str| dictionary().find(name);
        assert!(find("reg.12.auth.password").is_some_and(|found| found.definition.is_secret && found.is_spelt_so));
        assert!(find("powerSaving.enable.VVX500").is_some_and(|found| found.is_for_a_model));
        assert!(find("voice.nothing.of.the.kind").is_none());
        assert_eq!(dictionary().search("reg.1.addr", 5).first().map(|one| &*one.name), Some("reg.1.address"));
    }

    #[test]
    fn what_the_dictionary_calls_a_secret_is_masked() {
        let shown = dictionary().iter().filter(|one| one.is_secret && !crate::domain::parameter::is_secret(&one.name));
        let shown: Vec<_> = shown.map(|one| one.name.to_string()).collect();
        assert!(shown.is_empty(), "{shown:?}");
    }

    /// The parameters of real configuration files are in the dictionary, or listed as what they are.
    #[test]
    #[expect(clippy::print_stdout, reason = "a test that must skip something says so")]
    fn the_parameters_of_real_files_are_described_or_listed_as_left_out() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let Ok(files) = std::fs::read_dir(folder.join("../shared/data/cfg")) else {
            println!("skipped: the real files are not there");
            return;
        };
        let list = |name: &str| std::fs::read_to_string(folder.join("data/schema").join(name)).expect("a list");
        let lists = list("left-out.tsv") + &list("left-out-media.tsv");
        let left_out: BTreeSet<_> =
            lists.lines().filter_map(|line| line.split('\t').next()).map(str::to_ascii_lowercase).collect();
        let mut unknown = BTreeSet::new();
        for file in files {
            let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
            let Ok(parameters) = xml::read::parameters(&bytes) else { continue };
            let names = parameters.into_iter().map(|entry| entry.name).filter(|name| name.contains('.'));
            unknown
                .extend(names.filter(|name| dictionary().find(name).is_none() && !left_out.contains(&name.to_ascii_lowercase())));
        }
        assert!(unknown.is_empty(), "{} unknown: {unknown:?}", unknown.len());
    }
}
