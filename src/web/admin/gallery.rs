//! Every component of `macros.html` on one page, so that each is compiled and its markup tested where no page uses it yet.

use askama::Template;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::flash::{Flash, FlashKind};
use super::forms::Form;
use super::layout::{Bar, Page};
use super::paging::{ListQuery, Pager};
use super::theme::Theme;
use crate::domain::field_error::FieldErrors;
use crate::domain::user::Role;

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"{% extends "base.html" %}{% block content %}
{{ m::breadcrumbs([("/admin/devices", "Device Monitor")]) }}
{% call m::header("Gallery", "All components.") %}<a class="btn" href="/admin/">x</a>{% endcall %}
{{ m::tabs(page, "Views", [("/admin/gallery", "Here"), ("/admin/other", "There")]) }}
{{ m::error_summary(form) }}
<form method="post">{{ m::csrf(page) }}
{{ m::text(form, "name", "Name", hint="Letters.", required=true) }}
{{ m::text(form, "secret", "Password", kind="password", autocomplete="new-password") }}
{{ m::textarea(form, "note", "Note", rows=3, code=true) }}
{{ m::select(form, "model", "Model", [("a", "A"), ("b", "B")]) }}
{{ m::checkbox(form, "on", "On", hint="Switches it on.") }}
{{ m::radio(form, "base", "manage", "Manage fully", hint="All.") }}
</form>
{% call m::table("Things") %}<thead><tr>{{ m::select_all("bulk") }}{{ m::sortable(list, "name", "Name") }}</tr></thead>
<tbody><tr>{{ m::select_row("bulk", "1", "thing 1") }}<td>{{ m::badge("ok", "online") }} {{ m::when(page, page.now) }} {{ m::copy(page, "0004f2abcdef", "MAC address") }}</td></tr></tbody>{% endcall %}
{{ m::pager_bar(pager) }}
{{ m::empty(page, "device", "No device yet.", href="/admin/devices/new", action="Add device") }}
{{ m::bar_list(bars) }}
{% call m::expander("More") %}<p>x</p>{% endcall %}
{{ m::change("name", Some("a"), None::<&str>) }}
{{ m::code_view("File", "<x/>") }}
{% endblock %}"##
)]
struct Gallery {
    page: Page,
    form: Form,
    list: ListQuery,
    pager: Pager,
    bars: Vec<Bar>,
}

fn gallery() -> String {
    let list = ListQuery::parse("/admin/gallery", "sort=-name&per_page=10&page=2", &["name"]);
    let form = Form::filled([("name", "\"><svg onload=alert(1)>"), ("model", "b"), ("secret", "hunter2")]);
    let page = Page {
        title: "Gallery".to_owned(),
        user: Some("Ada".to_owned()),
        role: Some(Role::Owner),
        csrf: "token".to_owned(),
        session_seconds: Some(600),
        flash: Some(Flash { kind: FlashKind::Ok, text: "Saved.".to_owned(), undo: None }),
        demo: true,
        theme: Theme::Dark,
        here: "/admin/gallery?x=\"><b>".to_owned(),
        people: true,
        pending: 3,
        now: Timestamp::UNIX_EPOCH,
        zone: TimeZone::UTC,
        views: None,
        not_understood: Vec::new(),
        impact: None,
    };
    let gallery = Gallery {
        page,
        form: form.rejected(&FieldErrors::one("name", "“\"” is not allowed")),
        pager: list.pager(35),
        list,
        bars: Bar::list([("VVX 411".to_owned(), 3, Some("/admin/devices?model=VVX+411".to_owned()))]),
    };
    gallery.render().expect("the gallery renders")
}

#[test]
fn an_error_is_tied_to_its_field_and_linked_from_the_summary() {
    let html = gallery();
    assert!(html.contains(r##"<a href="#f-name">"##), "{html}");
    assert!(html.contains(r#"aria-invalid="true" aria-describedby="f-name-hint f-name-error""#), "{html}");
    assert!(html.contains(r#"id="f-name-error""#));
}

#[test]
fn typed_text_is_escaped_and_passwords_never_come_back() {
    let html = gallery();
    assert!(!html.contains("<svg onload") && !html.contains("\"><b>"));
    assert!(!html.contains("hunter2"));
}

#[test]
fn the_page_holds_its_frame() {
    let html = gallery();
    for part in ["data-theme=\"dark\"", "class=\"skip-link\"", "Saved.", "aria-sort=\"descending\"", "11 to 20 of 35", "Demo."] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
    assert!(html.contains(r#"<option value="b" selected>"#));
}

#[test]
fn every_icon_that_a_template_names_is_in_the_sprite() {
    let sprite = include_str!("../../../static/icons.svg");
    let html = gallery();
    for part in html.split("icons.svg").skip(1) {
        let name = part.split('#').nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        assert!(sprite.contains(&format!("id=\"{name}\"")), "no icon {name}");
    }
}
