//! Files of devices on a real store: what each row does, and what becomes of the profile that it makes.

use super::*;
use crate::domain::activity::MASK;
use crate::domain::device_list::DeviceQuery;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::commit::{Mode, commit};
use crate::services::devices::{self, Afterwards};
use crate::services::error::ServiceError;
use crate::services::testing::{Bench, bench, grant, newest_activity, owner};
use crate::services::{Services, groups, profiles};

const MAC: &str = "0004f23ea4e1";

fn key(text: &str) -> DeviceKey {
    text.parse().expect("a key")
}

fn taken(existing: Existing) -> Options {
    Options { existing, create_groups: true, ..Options::default() }
}

fn imported(bench: &Bench, file: &str, existing: Existing) -> Plan {
    let (rows, mode) = (BadRows::LeaveOut, Mode::Keep);
    import(&bench.services, &owner(), DEFAULT_ACCOUNT, "a.csv", file.as_bytes(), taken(existing), rows, mode).expect("imported")
}

fn words(plan: &Plan) -> Vec<&'static str> {
    plan.rows.iter().map(|row| row.outcome.word()).collect()
}

fn faults(plan: &Plan) -> Vec<String> {
    plan.rows.iter().flat_map(|row| row.outcome.faults()).map(ToString::to_string).collect()
}

fn device(services: &Services, text: &str) -> Device {
    Device::clone(&devices::get(services, DEFAULT_ACCOUNT, &key(text)).expect("there").device)
}

/// The values of a device's CSV profile.
fn values(services: &Services, text: &str) -> Vec<(String, String)> {
    let world = services.world(DEFAULT_ACCOUNT).expect("set up");
    let own = csv_profiles(&world);
    let set = own.get(&profile_name(&key(text))).map(|profile| profile.parameters.clone()).unwrap_or_default();
    set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn group_names(services: &Services, text: &str) -> Option<String> {
    groups::names(&services.world(DEFAULT_ACCOUNT).expect("set up"), &device(services, text).groups)
}

#[test]
fn a_device_comes_with_its_groups_and_a_profile_above_all_others() {
    let bench = bench();
    let file = "mac_address, endpoint_name, endpoint_group, reg.1.address, reg.1.auth.password, up.x\n\
                0004F23EA4E1, SoundPoint-EA4E1, EPGroup1|EPGroup2, 1000, CANARY, \n";
    assert_eq!(words(&imported(&bench, file, Existing::Skip)), ["added"]);
    let services = &bench.services;
    let made = device(services, MAC);
    assert_eq!(made.name.as_ref().map(ToString::to_string).as_deref(), Some("SoundPoint-EA4E1"));
    assert_eq!(made.sent_name, None, "a phone's name stays here");
    assert_eq!((made.family.as_deref(), made.added_at), (None, bench.clock.now()));
    assert_eq!(group_names(services, MAC).as_deref(), Some("EPGroup1, EPGroup2"));
    assert_eq!(values(services, MAC), pairs(&[("reg.1.address", "1000"), ("reg.1.auth.password", "CANARY")]));
    let profile = profiles::get(services, DEFAULT_ACCOUNT, made.profiles[0]).expect("its own");
    assert_eq!((profile.name.as_str(), profile.kind), ("0004f23ea4e1_csv_profile", ProfileKind::UserImported));
    let told = newest_activity(services);
    assert_eq!(told, "ada: device a.csv imported; added - -> 1");
    assert_eq!(words(&imported(&bench, file, Existing::Skip)), ["skipped"]);
    let masked = file.replace("CANARY", MASK);
    assert_eq!(words(&imported(&bench, &masked, Existing::Merge)), ["unchanged"]);
    assert_eq!(words(&imported(&bench, &masked, Existing::Overwrite)), ["unchanged"]);
    assert_eq!(newest_activity(services), told, "nothing was done");
    let as_who = |confirmed| {
        let crate::domain::access::Actor::User { id, name, role, account, consent, .. } = owner() else { panic!("a user") };
        let actor = crate::domain::access::Actor::User { id, name, role, account, confirmed, consent };
        let (rows, mode, how) = (BadRows::LeaveOut, Mode::TryOut, taken(Existing::Merge));
        import(services, &actor, DEFAULT_ACCOUNT, "a.csv", file.as_bytes(), how, rows, mode).expect("planned")
    };
    let unconfirmed = as_who(false);
    assert_eq!(words(&unconfirmed), ["changed"], "whoever brings a secret is not told that it is the one");
    assert!(unconfirmed.brings_secrets && !unconfirmed.compares_secrets);
    let confirmed = as_who(true);
    assert_eq!(words(&confirmed), ["unchanged"], "who may see it is told that nothing changes");
    assert!(confirmed.compares_secrets && !confirmed.brings_secrets);
}

#[test]
fn the_twin_of_an_empty_cell_is_not_taken_either() {
    let bench = bench();
    let heads = "mac_address,reg.1.address,device.net.vlanId,device.net.vlanId.set";
    imported(&bench, &format!("{heads}\n{MAC},100,,1\n"), Existing::Merge);
    assert_eq!(values(&bench.services, MAC), pairs(&[("reg.1.address", "100")]));
    imported(&bench, &format!("{heads}\n{MAC},100,40,\n"), Existing::Merge);
    imported(&bench, &format!("{heads}\n{MAC},100,,1\n"), Existing::Merge);
    let both = [("device.net.vlanId", "40"), ("device.net.vlanId.set", "1"), ("reg.1.address", "100")];
    assert_eq!(values(&bench.services, MAC), pairs(&both), "the value is there already");
}

#[test]
fn what_a_stronger_profile_of_the_device_hides_is_told() {
    let bench = bench();
    let services = &bench.services;
    imported(&bench, &format!("mac_address,reg.1.address,reg.1.label\n{MAC},1,2\n"), Existing::Skip);
    commit(services, grant(crate::domain::access::Action::EditProfiles(DEFAULT_ACCOUNT)), DEFAULT_ACCOUNT, |change| {
        change.record(Event::new("profile", "x", "added"))?;
        change.put_profile(crate::domain::testing::profile(900, &[("reg.1.address", "7")]))?;
        let mut above = device(services, MAC);
        above.profiles.insert(0, crate::domain::ids::ProfileId(900));
        change.put_device(above)
    })
    .expect("attached above");
    let plan = imported(&bench, &format!("mac_address,reg.1.address,reg.1.label\n{MAC},3,4\n"), Existing::Merge);
    let by = "profile 900".to_owned();
    assert_eq!(plan.hidden, [Hidden { name: "reg.1.address".to_owned(), by: by.clone(), profiles: 1, rows: 1, line: 2 }]);
    assert_eq!(plan.hidden(&plan.rows[0]), [("reg.1.address".to_owned(), by)]);
    let told = plan.told().remove(0).told;
    assert!(told.iter().any(|one| one == "reg.1.address has no effect: hidden by profile “profile 900”"), "{told:?}");
}

#[test]
fn overwriting_drops_what_came_before_and_merging_keeps_it() {
    let bench = bench();
    let services = &bench.services;
    let header = "mac_address,endpoint_name,endpoint_group";
    imported(&bench, &format!("{header},a.b,c.d\n{MAC},Desk,One|Two,1,2\n"), Existing::Skip);
    imported(&bench, &format!("{header},A.B,e.f\n{MAC},,Three,9,\n"), Existing::Merge);
    assert_eq!(values(services, MAC), pairs(&[("a.b", "9"), ("c.d", "2")]), "its spelling stays");
    assert_eq!(group_names(services, MAC).as_deref(), Some("One, Two, Three"));
    assert!(device(services, MAC).name.is_some());
    imported(&bench, &format!("{header},e.f\n{MAC},,Three,5\n"), Existing::Overwrite);
    assert_eq!(values(services, MAC), pairs(&[("e.f", "5")]));
    assert_eq!((group_names(services, MAC).as_deref(), device(services, MAC).name), (Some("Three"), None));
    let last = imported(&bench, &format!("mac_address\n{MAC}\n"), Existing::Overwrite);
    assert_eq!(words(&last), ["changed"]);
    assert_eq!((values(services, MAC), device(services, MAC).profiles), (Vec::new(), Vec::new()));
    assert_eq!(group_names(services, MAC).as_deref(), Some("Three"), "the file says nothing of groups");
}

#[test]
fn each_bad_row_is_told_with_its_column_and_the_others_are_taken() {
    let bench = bench();
    let services = &bench.services;
    imported(&bench, "mac_address\n0004f2000001\n0004f2000002\n", Existing::Skip);
    devices::delete(services, &owner(), DEFAULT_ACCOUNT, &key("0004f2000001"), Afterwards::Block, Mode::Keep).expect("deleted");
    let file = "mac_address,serial_number,endpoint_type,endpoint_name,endpoint_group,a.b,CONFIG_FILES\n\
                0004f2000001,,,,,,\n\
                0004f20000,,,,,,\n\
                ,8218404c20ccf9,,,,,\n\
                ,8218404c20ccf9,VVX,,,,\n\
                0004f2000003,,Teapot,a/b,Nowhere|c*d,,\n\
                0004f2000004,,,,,\u{1},../x.cfg\n\
                0004f2000005,,,,,\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022},\n\
                00:04:f2:00:00:06,,vvx,,,,\n\
                0004f2000006,,,,,,\n\
                ,,,x,,,\n";
    let options = Options { create_groups: false, ..taken(Existing::Merge) };
    let call = |rows, mode| import(services, &owner(), DEFAULT_ACCOUNT, "a.csv", file.as_bytes(), options, rows, mode);
    let Err(ServiceError::Invalid(errors)) = call(BadRows::Refuse, Mode::Keep) else { panic!("refused") };
    assert!(errors.iter().any(|error| error.message.starts_with("line 3, mac_address: a MAC address has 12")), "{errors}");
    assert!(services.roster(DEFAULT_ACCOUNT).find(&key("0004f2000006")).is_none());
    let result = call(BadRows::LeaveOut, Mode::Keep).expect("taken");
    let told = faults(&result);
    for part in [
        "deleted and blocked",
        "mac_address: a MAC address has 12",
        "endpoint_type: required for devices that go by a serial number",
        "mac_address: devices of this type go by their MAC",
        "endpoint_type: unknown type",
        "endpoint_name: “/” (character 2)",
        "a.b: the value holds the control character",
        "CONFIG_FILES: ",
        "a.b: this is the mask of a secret",
        "this device stands in line 9 already",
        "the row names no device",
    ] {
        assert!(told.iter().any(|fault| fault.contains(part)), "{part}: {told:?}");
    }
    assert_eq!(words(&result).iter().filter(|word| **word == "added").count(), 1);
    assert_eq!(device(services, "0004f2000006").family.as_deref(), Some("VVX"));
    assert!(result.rows[7].note.is_some(), "colons are told");
    let groups = imported(&bench, "mac_address,endpoint_group\n0004f2000007,a*b|c\n", Existing::Skip);
    assert!(faults(&groups)[0].starts_with("endpoint_group: “a*b”") && groups.new_groups().next().is_none());
}

#[test]
fn a_studio_goes_by_its_serial_number_and_takes_its_name() {
    let bench = bench();
    let file = "mac_address, serial_number, endpoint_type, endpoint_name, endpoint_group\n\
                00E0DB4C20CC, 8218404c20ccf9, Polycom Studio, Jsmith_Studio, EPGroup1|\nEPGroup2\n";
    assert_eq!(words(&imported(&bench, file, Existing::Skip)), ["added"]);
    let bar = device(&bench.services, "8218404c20ccf9");
    assert_eq!((bar.family.as_deref(), bar.sent_name.is_some()), (Some("Studio"), true));
    assert_eq!(group_names(&bench.services, "8218404c20ccf9").as_deref(), Some("EPGroup1, EPGroup2"));
    let again = imported(&bench, "serial_number,a.b\n8218404c20ccf9,1\n", Existing::Merge);
    assert_eq!(words(&again), ["changed"], "its type is known");
    let other = imported(&bench, "serial_number,endpoint_type\n8218404c20ccf9,G7500\n", Existing::Merge);
    assert!(faults(&other)[0].starts_with("mac_address: devices of this type"), "{:?}", faults(&other));
}

#[test]
fn a_device_takes_its_profile_along_and_nobody_else_gets_it() {
    let bench = bench();
    let services = &bench.services;
    imported(&bench, &format!("mac_address,a.b\n{MAC},1\n"), Existing::Skip);
    let profile = device(services, MAC).profiles[0];
    let shown = profiles::Shown { id: profile, revision: 1 };
    let name = Name::parse("Another").expect("a name");
    assert!(profiles::rename(services, &owner(), DEFAULT_ACCOUNT, shown, name, String::new(), Mode::Keep).is_err());
    let told = devices::delete(services, &owner(), DEFAULT_ACCOUNT, &key(MAC), Afterwards::Forget, Mode::Keep).expect("deleted");
    assert_eq!((told.own_profile.as_deref(), told.detached_profiles.len()), (Some("0004f23ea4e1_csv_profile"), 0));
    assert!(profiles::get(services, DEFAULT_ACCOUNT, profile).is_err(), "phn_11: it goes with its device");
    imported(&bench, &format!("mac_address,a.b\n{MAC},2\n"), Existing::Skip);
    let again = device(services, MAC).profiles[0];
    profiles::delete(services, &owner(), DEFAULT_ACCOUNT, again, Mode::Keep).expect("it can be removed");
    assert!(device(services, MAC).profiles.is_empty());
    let after = imported(&bench, &format!("mac_address,a.b\n{MAC},3\n"), Existing::Merge);
    assert_eq!((words(&after), values(services, MAC)), (vec!["changed"], pairs(&[("a.b", "3")])));
}

#[test]
fn an_export_imports_to_the_same_and_its_masks_change_no_secret() {
    let bench = bench();
    let services = &bench.services;
    let file = "mac_address,endpoint_name,endpoint_group,device.hostname,reg.1.auth.password,a.b,a.c\n\
                0004f2000001,Desk,One|Two,host,CANARY,\" x \",=1+1\n\
                0004f2000002,,,,,,\n";
    imported(&bench, file, Existing::Skip);
    let before = values(services, "0004f2000001");
    assert!(
        before.contains(&("device.hostname.set".to_owned(), "1".to_owned()))
            && before.contains(&("a.b".to_owned(), " x ".to_owned()))
    );
    for separator in Separator::ALL {
        let options = ExportOptions { separator, with_mark: true, with_place: true, ..ExportOptions::default() };
        let file = export(services, DEFAULT_ACCOUNT, &DeviceQuery::default(), options).expect("written");
        let text = String::from_utf8(file).expect("UTF-8");
        assert!(!text.contains("CANARY") && !text.contains("hostname.set"), "{text}");
        for existing in [Existing::Merge, Existing::Overwrite] {
            let result = imported(&bench, &text, existing);
            assert_eq!(words(&result), ["unchanged", "unchanged"], "{text} {:?}", faults(&result));
        }
    }
    let in_clear = |actor: &crate::domain::access::Actor, mode| {
        export_in_clear(services, actor, DEFAULT_ACCOUNT, &DeviceQuery::default(), ExportOptions::default(), mode)
    };
    assert_eq!(in_clear(&owner(), Mode::TryOut).expect("tried out"), (2, None));
    let file = in_clear(&owner(), Mode::Keep).expect("written").1.expect("told");
    let text = String::from_utf8(file).expect("UTF-8");
    assert!(text.contains("CANARY") && text.contains("'=1+1"), "{text}");
    assert_eq!(newest_activity(services), "ada: device 2 devices exported with secrets");
    let viewer = crate::domain::access::Actor::User {
        id: crate::domain::ids::UserId(2),
        name: "vi".to_owned(),
        role: crate::domain::user::Role::Viewer,
        account: DEFAULT_ACCOUNT,
        confirmed: true,
        consent: crate::domain::consent::Consent::default(),
    };
    assert!(matches!(in_clear(&viewer, Mode::Keep), Err(ServiceError::Denied(_))));
}

#[test]
fn values_that_many_rows_share_and_what_the_dictionary_does_not_know_are_told() {
    let bench = bench();
    let row = |at: usize| format!("0004f2{at:06x},{},40,same,{}\n", at, if at < 20 { "pw" } else { "other" });
    let rows: String = (0..25).map(row).collect();
    let file = format!("mac_address,reg.1.address,up.timeOut,no.such.thing,reg.1.auth.password\n{rows}");
    let shown = plan(&bench.services, &owner(), DEFAULT_ACCOUNT, file.as_bytes(), taken(Existing::Skip)).expect("planned");
    let hints: Vec<_> = shown.hints.iter().map(|hint| (hint.name.as_str(), hint.rows, hint.is_all)).collect();
    assert_eq!(hints, [("up.timeOut", 25, true), ("no.such.thing", 25, true), ("reg.1.auth.password", 20, false)]);
    assert_eq!(shown.hints[2].value, MASK);
    let unknown = shown.advice.iter().find(|one| one.name == "no.such.thing").expect("told");
    assert_eq!((unknown.rows, unknown.line), (25, 2));
    assert!(shown.told().iter().flat_map(|row| &row.told).all(|told| !told.contains("pw")), "{:?}", shown.told());
    assert_ne!(
        shown.mark(),
        plan(&bench.services, &owner(), DEFAULT_ACCOUNT, format!("{file}0004f2ffffff,1,,,\n").as_bytes(), taken(Existing::Skip))
            .expect("planned")
            .mark()
    );
}

#[test]
fn what_changed_between_plan_and_change_is_planned_anew() {
    let bench = bench();
    let services = &bench.services;
    imported(&bench, &format!("mac_address,a.b\n{MAC},1\n"), Existing::Skip);
    let file = format!("mac_address,c.d\n{MAC},2\n");
    let shown = plan(services, &owner(), DEFAULT_ACCOUNT, file.as_bytes(), taken(Existing::Merge)).expect("planned");
    let id = device(services, MAC).profiles[0];
    let edit = |change: &mut crate::services::commit::Change<'_>| {
        let mut profile = Profile::clone(&*profiles::get(services, DEFAULT_ACCOUNT, id)?);
        profile.parameters.insert(crate::domain::parameter::ParameterName::parse("e.f").expect("a name"), "3");
        change.record(Event::new("profile", "x", "changed"))?;
        change.put_profile(profile)
    };
    commit(services, grant(crate::domain::access::Action::EditProfiles(DEFAULT_ACCOUNT)), DEFAULT_ACCOUNT, edit).expect("edited");
    let after = plan(services, &owner(), DEFAULT_ACCOUNT, file.as_bytes(), taken(Existing::Merge)).expect("planned");
    assert_ne!(shown.mark(), after.mark());
    let import_as = |mark: &str| {
        import_shown(services, &owner(), DEFAULT_ACCOUNT, "a.csv", file.as_bytes(), taken(Existing::Merge), mark)
            .expect("planned")
    };
    assert!(import_as(&shown.mark()).is_none());
    assert_eq!(values(services, MAC), pairs(&[("a.b", "1"), ("e.f", "3")]), "nothing is taken that nobody was shown");
    assert_eq!(import_as(&after.mark()).map(|plan| words(&plan)), Some(vec!["changed"]));
    assert_eq!(values(services, MAC), pairs(&[("a.b", "1"), ("c.d", "2"), ("e.f", "3")]));
}
