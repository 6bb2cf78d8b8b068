//! Saved views on a real store: whose they are, who shares, and when they end.

use super::*;
use crate::domain::account::Secret;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::user::User;
use crate::domain::view::ViewInput;
use crate::services::activity::{self, ActivityQuery};
use crate::services::testing::{Bench, bench};
use crate::services::users::{self, Access, NewUser};

fn user(bench: &Bench, name: &str, role: Role) -> User {
    let email = format!("{name}@example.test").to_lowercase();
    let access = Access::Password(Secret::new("four unhurried words"));
    let new = NewUser { name: name.to_owned(), email, role, access };
    users::add(&bench.services, &Actor::CommandLine, &new, Mode::Keep).expect("added").user
}

fn draft(name: &str, shared_with: &str, opens: bool) -> ViewDraft {
    let input = ViewInput {
        list: "devices".to_owned(),
        name: name.to_owned(),
        query: "status=offline".to_owned(),
        shared_with: shared_with.to_owned(),
        opens,
    };
    ViewDraft::parse(&input).expect("a good one")
}

fn made(bench: &Bench, user: &User, draft: ViewDraft) -> Result<View, ServiceError> {
    create(&bench.services, &user.actor(), DEFAULT_ACCOUNT, draft, Mode::Keep)
}

fn names(bench: &Bench, user: &User) -> Vec<String> {
    seen(&bench.services, DEFAULT_ACCOUNT, Some(user.id), user.role).into_iter().map(|view| view.name).collect()
}

fn entries(bench: &Bench) -> usize {
    let query = ActivityQuery { object: Some("view".to_owned()), limit: 10, ..Default::default() };
    activity::list(&bench.services, DEFAULT_ACCOUNT, &query).expect("listed").total
}

#[test]
fn everybody_keeps_views_and_only_those_who_edit_the_account_share_them() {
    let bench = bench();
    let (ada, val) = (user(&bench, "Ada", Role::AccountAdmin), user(&bench, "Val", Role::Viewer));
    let own = made(&bench, &val, draft("Mine", "", true)).expect("kept");
    assert_eq!((names(&bench, &val), names(&bench, &ada), entries(&bench)), (vec!["Mine".to_owned()], Vec::new(), 0));
    assert!(matches!(made(&bench, &val, draft("All", "viewer", false)), Err(ServiceError::Denied(_))));
    let shared = made(&bench, &ada, draft("All", "viewer", true)).expect("shared");
    assert_eq!((names(&bench, &val), entries(&bench)), (vec!["All".to_owned(), "Mine".to_owned()], 1));
    let opens = |user: &User| opens(&bench.services, DEFAULT_ACCOUNT, ListName::of("devices")?, Some(user.id), user.role);
    assert_eq!((opens(&val), opens(&ada)), (Some(own.clone()), Some(shared.clone())));
    let delete = |user: &User, view: &View| delete(&bench.services, &user.actor(), DEFAULT_ACCOUNT, view.id, Mode::Keep);
    assert!(matches!(delete(&val, &shared), Err(ServiceError::Denied(_))));
    assert!(matches!(delete(&ada, &own), Err(ServiceError::NotFound { .. })), "nobody sees another one's own view");
    delete(&val, &own).expect("deleted");
    assert_eq!((names(&bench, &val), entries(&bench)), (vec!["All".to_owned()], 1));
}

#[test]
fn a_taken_name_and_an_old_revision_are_refused_and_one_view_opens_a_list() {
    let bench = bench();
    let val = user(&bench, "Val", Role::Viewer);
    let first = made(&bench, &val, draft("Offline", "", true)).expect("kept");
    let taken = made(&bench, &val, draft("offline", "", false));
    assert!(matches!(taken, Err(ServiceError::Invalid(errors)) if errors.of("name").is_some()));
    made(&bench, &val, draft("Other", "", true)).expect("kept");
    let shown = Shown { id: first.id, revision: 1 };
    let rename = |name: &str| update(&bench.services, &val.actor(), DEFAULT_ACCOUNT, shown, draft(name, "", false), Mode::Keep);
    assert!(!get(&bench.services, &val.actor(), DEFAULT_ACCOUNT, first.id).expect("there").opens, "the other one took its place");
    assert_eq!(rename("Silent").expect("renamed").modified.revision, 2);
    assert!(matches!(rename("Again"), Err(ServiceError::Conflict(_))));
    for number in 2..VIEWS_PER_USER {
        made(&bench, &val, draft(&format!("View {number}"), "", false)).expect("there is room");
    }
    assert!(matches!(made(&bench, &val, draft("One more", "", false)), Err(ServiceError::Conflict(_))));
}

#[test]
fn views_end_with_their_user_and_outlive_a_restart() {
    let bench = bench();
    let (ada, val) = (user(&bench, "Ada", Role::AccountAdmin), user(&bench, "Val", Role::Viewer));
    made(&bench, &ada, draft("All", "viewer", false)).expect("shared");
    made(&bench, &val, draft("Mine", "", false)).expect("kept");
    bench.services.rebuild().expect("read anew");
    assert_eq!(names(&bench, &val), ["All", "Mine"]);
    assert_eq!(faults(&bench.services).expect("readable"), Vec::<String>::new());
    users::delete(&bench.services, &Actor::CommandLine, val.id, Mode::Keep).expect("deleted");
    assert_eq!((names(&bench, &ada), names(&bench, &val), entries(&bench)), (vec!["All".to_owned()], vec!["All".to_owned()], 1));
}

#[test]
fn what_is_shared_outlives_its_user_and_belongs_to_whoever_deleted_him() {
    let bench = bench();
    let (ada, bea) = (user(&bench, "Ada", Role::AccountAdmin), user(&bench, "Bea", Role::Owner));
    made(&bench, &ada, draft("All", "viewer", true)).expect("shared");
    made(&bench, &ada, draft("Night", "operator", false)).expect("shared");
    made(&bench, &ada, draft("Mine", "", false)).expect("kept");
    let delete = |mode| users::delete(&bench.services, &bea.actor(), ada.id, mode);
    let tried = delete(Mode::TryOut).expect("it could be");
    assert_eq!(delete(Mode::Keep).expect("deleted"), tried, "what is told is what happens");
    let left = tried.views;
    assert_eq!((left.gone, left.passed_on), (vec!["Mine".to_owned()], vec!["All".to_owned(), "Night".to_owned()]));
    assert_eq!((names(&bench, &bea), left.ownerless), (vec!["All".to_owned(), "Night".to_owned()], Vec::new()));
    let all = seen(&bench.services, DEFAULT_ACCOUNT, Some(bea.id), Role::Owner);
    assert!(all.iter().all(|view| view.is_of(Some(bea.id))), "{all:?}");
    assert_eq!((all[0].opens, all[0].shared_with, entries(&bench)), (true, Some(Role::Viewer), 4));

    // Whoever is no user inherits nothing, and an own view of the name goes before one that comes from elsewhere.
    let cid = user(&bench, "Cid", Role::Owner);
    made(&bench, &cid, draft("Mine", "", false)).expect("kept");
    let gone = users::delete(&bench.services, &Actor::CommandLine, bea.id, Mode::Keep).expect("deleted");
    assert_eq!(gone.views.ownerless, ["All", "Night"]);
    assert_eq!(names(&bench, &cid), ["All", "Mine", "Night"]);
    assert_eq!(faults(&bench.services).expect("readable"), Vec::<String>::new());
}

#[test]
fn a_view_that_its_list_would_misread_is_not_kept() {
    let bench = bench();
    let ada = user(&bench, "Ada", Role::AccountAdmin);
    let query = |query: &str| ViewDraft { query: query.to_owned(), ..draft("Sick", "", false) };
    let Err(ServiceError::Invalid(errors)) = made(&bench, &ada, query("status=sick&site=hall&model=any")) else {
        panic!("it is refused");
    };
    let told: Vec<_> = errors.iter().map(|error| (error.field, error.message.clone())).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].0, "query");
    assert!(told[0].1.contains("“status” does not take “sick”: use one of: online"), "{told:?}");
    let view = made(&bench, &ada, query("status=online&hide=key")).expect("kept");
    let shown = Shown { id: view.id, revision: 1 };
    let change = |draft| update(&bench.services, &ada.actor(), DEFAULT_ACCOUNT, shown, draft, Mode::Keep);
    assert!(matches!(change(query("status=sick")), Err(ServiceError::Invalid(_))));
    assert_eq!(change(query("status=offline")).expect("changed").query, "status=offline");
}
