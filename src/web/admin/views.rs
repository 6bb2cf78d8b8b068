//! Saved views: kept under a name from the list that shows them, renamed, shared, and deleted. Above the lists they are links
//! ([`super::view_bar`]).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::failure::Failure;
use super::forms::Form;
use super::layout::{ConfirmPage, Page, html, html_rejected, html_with};
use super::session::SignedIn;
use super::unsent;
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::user::Role;
use crate::domain::view::{ListName, View, ViewDraft, ViewInput, audience};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::views::{self, Shown};
use crate::web::blocking;
use crate::web::methods::Routes;

const HERE: &str = "/admin/views";

#[derive(Template)]
#[template(path = "views/list.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    /// The list that one came from: its name and path.
    back: Option<(&'static str, String)>,
}

struct Row {
    view: View,
    title: &'static str,
    is_own: bool,
    may_change: bool,
}

#[derive(Template)]
#[template(path = "views/edit.html")]
struct EditPage {
    page: Page,
    form: Form,
    action: String,
    list: ListName,
    /// What it shows, as one reads it in an address.
    query: String,
    audiences: Vec<(&'static str, String)>,
    /// Where *Return* leads.
    back: String,
}

/// The addresses of the views.
pub fn configure(routes: &mut Routes) {
    routes
        .get(HERE, show)
        .get("/admin/views/add", new)
        .post("/admin/views/add", save)
        .get("/admin/views/{id}", edit)
        .post("/admin/views/{id}", update)
        .get("/admin/views/{id}/delete", ask)
        .post("/admin/views/{id}/delete", delete);
}

async fn show(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> HttpResponse {
    let wanted = asked(&request, "list").and_then(|word| ListName::of(&word));
    let page = who.page("Saved Views");
    let mut seen = views::seen(&services, DEFAULT_ACCOUNT, Some(who.person.id), who.person.role);
    seen.retain(|view| wanted.is_none_or(|list| list.word == view.list));
    let rows = seen.into_iter().filter_map(|view| {
        let is_own = view.is_of(Some(who.person.id));
        let may_change = if view.shared_with.is_some() { page.may_edit() } else { is_own };
        Some(Row { title: ListName::of(&view.list)?.title, is_own, may_change, view })
    });
    let rows = rows.collect();
    html(&ListPage { page, rows, back: wanted.map(|list| (list.title, list.path())) })
}

/// A value of an address.
fn asked(request: &HttpRequest, name: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).ok()?;
    pairs.into_iter().find(|(own, _)| own == name).map(|(_, value)| value)
}

fn edit_page(who: &SignedIn, title: String, action: String, form: Form, list: ListName) -> EditPage {
    let page = who.page(title);
    let shares = Role::ALL.into_iter().filter(|_| page.may_edit()).map(|role| (role.word(), capital(audience(Some(role)))));
    EditPage {
        audiences: std::iter::once(("", "Only me".to_owned())).chain(shares).collect(),
        query: form.value("query").to_owned(),
        back: format!("{}?{}", list.path(), if form.value("query").is_empty() { "all=" } else { form.value("query") }),
        page,
        form,
        action,
        list,
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn read(form: &Form) -> Result<ViewDraft, FieldErrors> {
    let value = |name: &str| form.value(name).to_owned();
    ViewDraft::parse(&ViewInput {
        list: value("list"),
        name: value("name"),
        query: value("query"),
        shared_with: value("shared_with"),
        opens: form.has("opens"),
    })
}

fn add_page(who: &SignedIn, form: Form) -> Result<EditPage, Failure> {
    let list = ListName::of(form.value("list")).ok_or_else(|| Failure::not_found(who, "list", form.value("list")))?;
    Ok(edit_page(who, format!("Save View of {}", list.title), "/admin/views/add".to_owned(), form, list))
}

async fn new(request: HttpRequest, who: SignedIn, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let typed = unsent::given_back_from(request.path(), &request, &who, &services);
    let filled = || Form::filled(["list", "query"].map(|name| (name, asked(&request, name).unwrap_or_default())));
    Ok(html(&add_page(&who, typed.unwrap_or_else(filled))?))
}

async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let actor = who.actor.clone();
    let kept = match read(&form) {
        Ok(draft) => {
            let create = move |services: &Services| views::create(services, &actor, DEFAULT_ACCOUNT, draft, Mode::Keep);
            blocking::call(&services, create).await
        }
        Err(errors) => Err(errors.into()),
    };
    match kept {
        Ok(view) => Ok(who.done(&view.href(), format!("The view {} is kept.", view.name))),
        Err(ServiceError::Invalid(errors)) => Ok(html_rejected(&add_page(&who, form.rejected(&errors))?)),
        Err(ServiceError::Conflict(why)) => Ok(html_with(StatusCode::CONFLICT, &add_page(&who, form.refused(why))?)),
        Err(error) => Err(Failure::new(&who, error)),
    }
}

fn find(who: &SignedIn, services: &Services, id: &str) -> Result<View, Failure> {
    let id = id.parse().map_err(|_| Failure::not_found(who, "view", id))?;
    views::get(services, &who.actor, DEFAULT_ACCOUNT, id).map_err(Failure::of(who))
}

fn filled(view: &View) -> Form {
    let fields = [
        ("revision", view.modified.revision.to_string()),
        ("list", view.list.clone()),
        ("query", view.query.clone()),
        ("name", view.name.clone()),
        ("shared_with", view.shared_with.map_or("", Role::word).to_owned()),
    ];
    let opens = view.opens.then(|| ("opens", "on".to_owned()));
    Form::filled(fields.into_iter().chain(opens))
}

fn of_view(who: &SignedIn, view: &View, form: Form) -> Result<EditPage, Failure> {
    let list = ListName::of(&view.list).ok_or_else(|| Failure::not_found(who, "list", &view.list))?;
    Ok(edit_page(who, view.name.clone(), format!("{HERE}/{}", view.id), form, list))
}

async fn edit(
    request: HttpRequest,
    who: SignedIn,
    id: web::Path<String>,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let view = find(&who, &services, &id)?;
    let form = unsent::given_back_from(request.path(), &request, &who, &services).unwrap_or_else(|| filled(&view));
    Ok(html(&of_view(&who, &view, form)?))
}

async fn update(
    who: SignedIn,
    id: web::Path<String>,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let view = find(&who, &services, &id)?;
    let shown = Shown { id: view.id, revision: form.value("revision").parse().unwrap_or_default() };
    let actor = who.actor.clone();
    let changed = match read(&form) {
        Ok(draft) => {
            let update = move |services: &Services| views::update(services, &actor, DEFAULT_ACCOUNT, shown, draft, Mode::Keep);
            blocking::call(&services, update).await
        }
        Err(errors) => Err(errors.into()),
    };
    match changed {
        Ok(view) => Ok(who.done(&view.href(), "Updated.")),
        Err(ServiceError::Invalid(errors)) => Ok(html_rejected(&of_view(&who, &view, form.rejected(&errors))?)),
        Err(ServiceError::Conflict(why)) => {
            let now = find(&who, &services, &id)?;
            let mut form = form.refused(why);
            form.set("revision", now.modified.revision.to_string());
            Ok(html_with(StatusCode::CONFLICT, &of_view(&who, &now, form)?))
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}

async fn ask(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let view = find(&who, &services, &id)?;
    let mut sentences =
        vec![format!("Only the link goes: what the list shows stays as it is. {} sees it.", capital(view.audience()))];
    if view.opens {
        sentences.push("The list opens without it then.".to_owned());
    }
    Ok(html(&ConfirmPage {
        page: who.page(format!("Delete the view {}?", view.name)),
        sentences,
        action: format!("{HERE}/{}/delete", view.id),
        fields: Vec::new(),
        choices: Vec::new(),
        verb: "Delete",
        is_harmless: false,
        back: HERE.to_owned(),
    }))
}

async fn delete(who: SignedIn, id: web::Path<String>, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let id = find(&who, &services, &id)?.id;
    let actor = who.actor.clone();
    let delete = move |services: &Services| views::delete(services, &actor, DEFAULT_ACCOUNT, id, Mode::Keep);
    let view = blocking::call(&services, delete).await.map_err(Failure::of(&who))?;
    let path = ListName::of(&view.list).map_or_else(|| HERE.to_owned(), ListName::path);
    Ok(who.done(&path, format!("The view {} is deleted.", view.name)))
}
