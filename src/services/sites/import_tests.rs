//! Imports and exports of sites on a real store.

use super::*;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::sites::list;
use crate::services::testing::{Bench, bench, newest_activity, owner};

const FILE_OF_TWO: &str = "site_name;location_name;subnets;time_zone\n\
    Berlin;Mitte;{\"public-subnet-list\":[{\"ip-address\":\"10.1.0.0\",\"mask-length\":\"16\"}]};Europe/Berlin\n\
    Bonn;;{\"public-subnet-list\":[{\"ip-address\":\"10.2.0.0\",\"mask-length\":\"16\",\"private-subnet-list\":[{\"ip-address\":\"192.168.0.0\",\"mask-length\":\"16\"}]}]};\n";

fn take(bench: &Bench, file: &str, mode: Mode) -> Result<Imported, ServiceError> {
    import(&bench.services, &owner(), DEFAULT_ACCOUNT, file.as_bytes(), mode)
}

fn outcomes(plan: &Plan) -> Vec<&'static str> {
    plan.rows.iter().map(|row| row.outcome.word()).collect()
}

fn told(plan: &Plan) -> Vec<String> {
    plan.told().iter().map(|row| format!("{} {} {}; {}", row.line, row.subject, row.word, row.told.join("; "))).collect()
}

fn sites(bench: &Bench) -> Vec<SiteDraft> {
    let all = list(&bench.services, DEFAULT_ACCOUNT).expect("listed");
    all.iter().filter(|site| !site.is_internet()).map(|site| SiteDraft::of(site)).collect()
}

#[test]
fn a_file_is_shown_then_taken_and_taken_again_changes_nothing() {
    let bench = bench();
    let shown = plan(&bench.services, DEFAULT_ACCOUNT, FILE_OF_TWO.as_bytes()).expect("a plan");
    assert!(shown.is_doable());
    assert_eq!((outcomes(&shown), sites(&bench).len()), (vec!["added", "added"], 0));
    assert_eq!(take(&bench, FILE_OF_TWO, Mode::TryOut).expect("tried").plan, shown);
    assert_eq!((take(&bench, FILE_OF_TWO, Mode::Keep).expect("taken").plan, sites(&bench).len()), (shown, 2));
    assert!(newest_activity(&bench.services).starts_with("ada: site Bonn added"));
    let again = take(&bench, FILE_OF_TWO, Mode::Keep).expect("taken");
    assert_eq!((outcomes(&again.plan), again.plan.is_doable()), (vec!["unchanged", "unchanged"], false));
}

#[test]
fn a_row_that_adds_a_site_tells_everything_that_is_stored_of_it() {
    let bench = bench();
    let file = "site_name;description;location_name;subnets;time_zone;polling_window;download_path;site_specific_control\n\
        Bonn;Old town;Markt;{\"public-subnet-list\":[{\"ip-address\":\"10.2.0.0\",\"mask-length\":\"16\",\"private-subnet-list\":[{\"ip-address\":\"192.168.0.0\",\"mask-length\":\"16\"}]}]};Europe/Berlin;02:00-04:00;https://files.example.test;yes\n";
    let shown = plan(&bench.services, DEFAULT_ACCOUNT, file.as_bytes()).expect("a plan");
    let all = "2 Bonn added; name is now “Bonn”; description is now “Old town”; location is now “Markt”; networks is now “10.2.0.0/16 \
        (192.168.0.0/16)”; time zone is now “Europe/Berlin”; polling window is now “02:00 to 04:00”; download path is now \
        “https://files.example.test/”; site specific control is now “on”";
    assert_eq!(told(&shown), [all]);
}

#[test]
fn a_row_takes_the_place_of_the_site_of_its_name_and_says_what_changes() {
    let bench = bench();
    take(&bench, FILE_OF_TWO, Mode::Keep).expect("taken");
    let file = "site_name,subnets\nBERLIN,\"{\"\"public-subnet-list\"\":[]}\"\n";
    let shown = plan(&bench.services, DEFAULT_ACCOUNT, file.as_bytes()).expect("a plan");
    let Outcome::Changed(changes) = &shown.rows[0].outcome else { panic!("{shown:?}") };
    let fields: Vec<_> = changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["name", "networks"], "what the file has no column for stays");
    assert_eq!(
        told(&shown)[0],
        "2 BERLIN changed; name was “Berlin”, is now “BERLIN”; networks was “10.1.0.0/16”, is now nothing"
    );
    take(&bench, file, Mode::Keep).expect("taken");
    assert_eq!((sites(&bench)[0].location.as_str(), sites(&bench)[0].networks.len()), ("Mitte", 0));
}

#[test]
fn one_bad_row_keeps_the_whole_file_out_and_each_is_named() {
    let bench = bench();
    let file = "site_name,subnets\nA,{}\na,{}\nInternet,{}\nB,\"{\"\"public-subnet-list\"\":[{\"\"ip-address\"\":\"\"1.2.3.4\"\",\"\"mask-length\"\":33}]}\"\nC,x\n";
    let shown = plan(&bench.services, DEFAULT_ACCOUNT, file.as_bytes()).expect("a plan");
    assert_eq!(outcomes(&shown), ["added", "refused", "refused", "refused", "refused"]);
    assert!(
        !shown.is_doable()
            && told(&shown)[1].contains("“a” stands in line 2 already")
            && told(&shown)[3].contains("IPv4 takes 0 to 32")
    );
    let Err(ServiceError::Invalid(errors)) = take(&bench, file, Mode::Keep) else { panic!("taken") };
    let lines: Vec<_> = errors.iter().filter_map(|error| error.message.split(':').next()).collect();
    assert_eq!(lines, ["line 3", "line 4", "line 5", "line 6"]);
    assert!(sites(&bench).is_empty() && take(&bench, "nothing here", Mode::Keep).is_err());
}

#[test]
fn an_export_imports_to_the_same_on_an_empty_server() {
    let (full, empty) = (bench(), bench());
    take(&full, FILE_OF_TWO, Mode::Keep).expect("taken");
    for with_mark in [false, true] {
        let file = export(&full.services, DEFAULT_ACCOUNT, |_| true, with_mark).expect("exported");
        import(&empty.services, &owner(), DEFAULT_ACCOUNT, &file, Mode::Keep).expect("taken");
        assert_eq!(sites(&empty), sites(&full));
        assert_eq!(export(&empty.services, DEFAULT_ACCOUNT, |_| true, with_mark).expect("exported"), file);
    }
}
