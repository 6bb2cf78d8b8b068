//! Shared Credentials: changing them as planned or because they leaked, and who still comes with the former ones (R182–R184).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::Timestamp;

use crate::domain::account::{Account, Secret};
use crate::domain::activity::Event;
use crate::domain::admission::decide::Rules;
use crate::domain::device_list::Listed;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::services::Services;
use crate::services::accounts::{self, AccountDraft, Replacement};
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::shared_credentials::{self, Usage};
use crate::web::admin::columns::Columns;
use crate::web::admin::conflict::{Conflict, Differing};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected, html_with};
use crate::web::admin::paging::{ListQuery, Pager};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::admin::words;
use crate::web::blocking;

/// The page itself.
pub const HERE: &str = "/admin/provisioning/credentials";

/// What the devices that come with the former ones can be sorted by; the first is the default.
const SORTABLE: &[&str] = &["name", "key", "last_seen"];

/// The columns that may be hidden, by their word in the address. A device's name always stays.
const COLUMNS: [(&str, &str); 2] = [("key", "MAC or serial"), ("last_seen", "Last seen")];

#[derive(Template)]
#[template(path = "provisioning/credentials.html")]
struct CredentialsPage {
    page: Page,
    form: Form,
    revision: u64,
    conflict: Option<Conflict>,
    user: String,
    factory_default: bool,
    usage: Usage,
    planned: String,
    leaked: String,
    former: Option<Former>,
}

/// Shared credentials that are replaced as planned.
struct Former {
    user: String,
    replaced_at: Timestamp,
    unknown_until: Timestamp,
    users: Vec<FormerUser>,
    list: ListQuery,
    pager: Pager,
    columns: Columns,
    /// All of them, whatever the list shows.
    all: usize,
}

/// A device that still comes with them.
struct FormerUser {
    key: String,
    title: String,
    last_seen: Option<Timestamp>,
}

/// `GET /admin/provisioning/credentials`
pub async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let list = ListQuery::of(&request, SORTABLE);
    if list.is_file() {
        let (found, _) = found(&who, &services, &list)?;
        let cells = |one: FormerUser| [one.title, one.key, one.last_seen.map(words::file_time).unwrap_or_default()];
        return Ok(list.columns(&COLUMNS).file("former-credentials", "Device Name", found.into_iter().map(cells)));
    }
    let typed = unsent::given_back_from(request.path(), &request, &who, &services);
    Ok(html(&page(&request, &who, &services, typed)?))
}

/// `POST /admin/provisioning/credentials`: changes them.
pub async fn save(
    request: HttpRequest,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let replacement = match form.value("replacement") {
        "planned" => Replacement::Planned,
        "leaked" => Replacement::Leaked,
        _ => {
            let wrong = FieldErrors::one("replacement-planned", "say whether the change is planned, or whether they leaked");
            return Ok(html_rejected(&page(&request, &who, &services, Some(form.rejected(&wrong)))?));
        }
    };
    let draft = AccountDraft {
        user: Some(form.value("user").to_owned()),
        password: Some(Secret::new(form.value("password"))),
        replacement: Some(replacement),
        ..AccountDraft::default()
    };
    let (actor, revision) = (who.actor.clone(), form.value("revision").parse().unwrap_or_default());
    let change = move |services: &Services| accounts::update(services, &actor, DEFAULT_ACCOUNT, Some(revision), &draft);
    match blocking::call(&services, change).await {
        Ok(_) => Ok(who
            .done(HERE, "The shared credentials are changed. Enter them where phones get them: DHCP, or the phones themselves.")),
        Err(ServiceError::Invalid(wrong)) => Ok(html_rejected(&page(&request, &who, &services, Some(form.rejected(&wrong)))?)),
        Err(ServiceError::Conflict(_)) => {
            let account = account(&who, &services)?;
            let differing = Differing::between(&form, [("user", "User name", account.provisioning.user.clone())]);
            let is_about = |event: &Event| event.object == "account" && event.action == "changed";
            let missed = account.revision.saturating_sub(revision);
            let conflict = Conflict::new(&services, &who, DEFAULT_ACCOUNT, missed, is_about, differing).await?;
            let mut form = form;
            form.set("revision", account.revision.to_string());
            let mut page = page(&request, &who, &services, Some(form))?;
            page.conflict = Some(conflict);
            Ok(html_with(StatusCode::CONFLICT, &page))
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// `POST /admin/provisioning/credentials/end`: ends the former ones.
pub async fn end(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let actor = who.actor.clone();
    // A form that names none names none that there are.
    let shown = Some(form.value("replaced_at").parse().unwrap_or(Timestamp::MIN));
    let end = move |services: &Services| shared_credentials::end_former(services, &actor, DEFAULT_ACCOUNT, shown, Mode::Keep);
    match blocking::call(&services, end).await {
        Ok(_) => Ok(who.done(HERE, "The former shared credentials count no more.")),
        Err(ServiceError::Conflict(why)) => Ok(who.not_done(HERE, format!("Nothing was done: {why}."))),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

fn account(who: &SignedIn, services: &Services) -> Result<Account, Failure> {
    Ok(Account::clone(&services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?.account))
}

fn page(request: &HttpRequest, who: &SignedIn, services: &Services, typed: Option<Form>) -> Result<CredentialsPage, Failure> {
    let account = account(who, services)?;
    let usage = shared_credentials::usage(services, DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let list = ListQuery::of(request, SORTABLE);
    let (mut users, all) = found(who, services, &list)?;
    let pager = list.pager(users.len());
    let former = account.provisioning.former.as_ref().map(|former| Former {
        user: former.user.clone(),
        replaced_at: former.replaced_at,
        unknown_until: Rules::of(&account).former_until.unwrap_or(former.replaced_at),
        users: users.drain(pager.range()).collect(),
        columns: list.columns(&COLUMNS),
        list,
        pager,
        all,
    });
    let (planned, leaked) = consequences(usage);
    let offered = || {
        let (_, password) = accounts::offer_credentials();
        Form::filled([("user", account.provisioning.user.clone()), ("password", password.expose().to_owned())])
    };
    let revision = typed.as_ref().and_then(|form| form.value("revision").parse().ok()).unwrap_or(account.revision);
    Ok(CredentialsPage {
        page: who.page("Shared Credentials"),
        form: typed.unwrap_or_else(offered),
        revision,
        conflict: None,
        user: account.provisioning.user.clone(),
        factory_default: accounts::is_factory_default(&account),
        usage,
        planned,
        leaked,
        former,
    })
}

/// The devices that still come with the former ones, as the list shows them, and how many there are.
fn found(who: &SignedIn, services: &Services, list: &ListQuery) -> Result<(Vec<FormerUser>, usize), Failure> {
    let users = shared_credentials::users_of_former(services, DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    let search = list.search();
    let is_shown = |one: &FormerUser| search.finds_key(&one.key) || search.finds(&[&one.key, &one.title]);
    let mut found: Vec<FormerUser> = users.iter().map(former_user).filter(is_shown).collect();
    match list.sort_key() {
        "key" => found.sort_by(|a, b| a.key.cmp(&b.key)),
        "last_seen" => found.sort_by(|a, b| (a.last_seen, &a.key).cmp(&(b.last_seen, &b.key))),
        _ => found.sort_by_cached_key(|one| (one.title.to_lowercase(), one.key.clone())),
    }
    if list.descending() {
        found.reverse();
    }
    Ok((found, users.len()))
}

fn former_user(listed: &Listed) -> FormerUser {
    FormerUser { key: listed.device.key.to_string(), title: words::title(&listed.device), last_seen: listed.sighting.last_seen }
}

/// What either kind of change means, counted.
fn consequences(usage: Usage) -> (String, String) {
    let shared = usage.shared + usage.former;
    let planned = match shared {
        0 => "No device comes with the shared credentials.".to_owned(),
        n => {
            format!("{} on with the present ones, until each has come with others.", words::count(n, "device goes", "devices go"))
        }
    };
    let leaked = match shared {
        0 => "No device comes with the shared credentials.".to_owned(),
        n => format!(
            "{} refused from now on, and keep what they have, until somebody enters the new ones on them or in DHCP.",
            words::count(n, "device is", "devices are")
        ),
    };
    let own = format!(
        " {} by their own credentials and are not affected.",
        words::count(usage.own, "device comes in", "devices come in")
    );
    (format!("{planned} Phones that are not known yet may use the present ones for 14 days.{own}"), format!("{leaked}{own}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_change_means_is_counted() {
        let (planned, leaked) = consequences(Usage { total: 9, bound: 3, own: 4, shared: 2, former: 1 });
        assert!(planned.starts_with("3 devices go on") && planned.contains("4 devices come in by their own"), "{planned}");
        assert!(leaked.starts_with("3 devices are refused") && leaked.contains("4 devices"), "{leaked}");
        assert!(consequences(Usage::default()).1.starts_with("No device"));
    }
}
