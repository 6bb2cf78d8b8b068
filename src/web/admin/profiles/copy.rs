//! Copying a profile (R126). A template's form asks for what the copy is to hold (R113, R114).

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::profile::find;
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::limits::{NAME_CHARS, PARAMETER_VALUE_BYTES};
use crate::domain::names::Name;
use crate::domain::profile::Profile;
use crate::domain::standard::{Input, InputKind, StandardProfile, TEMPLATE_ENDING};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::profiles::{self, CopyInput};
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::session::SignedIn;
use crate::web::admin::unsent;
use crate::web::admin::words;
use crate::web::blocking;

#[derive(Template)]
#[template(path = "profiles/copy.html")]
struct CopyPage {
    page: Page,
    form: Form,
    purpose: String,
    /// The original: path and name.
    original: (String, String),
    /// What a template asks for.
    fields: Vec<Field>,
}

/// One field of a template.
struct Field {
    name: String,
    label: String,
    hint: String,
    shape: Shape,
    required: bool,
    /// Characters that the box takes.
    most: usize,
}

/// The box of a field.
enum Shape {
    Text,
    /// Never filled by the page or by a browser.
    Secret,
    Number,
    /// Values and labels.
    Choice(Vec<(String, String)>),
}

impl CopyPage {
    fn new(who: &SignedIn, services: &Services, original: &Profile, form: Form) -> Result<Self, Failure> {
        let asked = template(who, services, original)?;
        let purpose = match asked {
            Some(_) => format!("{} asks for values first. The copy gets them; it is deployed nowhere at first.", original.name),
            None => {
                let parameters = words::count(original.parameters.len(), "parameter", "parameters");
                format!("A new profile with the {parameters} of {}. It is deployed nowhere at first.", original.name)
            }
        };
        Ok(Self {
            page: who.page(format!("Copy {}", original.name)),
            form,
            purpose,
            original: (format!("/admin/profiles/{}", original.id), original.name.to_string()),
            fields: asked.map(|asked| asked.inputs.iter().map(field).collect()).unwrap_or_default(),
        })
    }
}

/// What a template asks for; none for all other profiles.
fn template(who: &SignedIn, services: &Services, original: &Profile) -> Result<Option<&'static StandardProfile>, Failure> {
    let world = services.world(DEFAULT_ACCOUNT).map_err(Failure::of(who))?;
    Ok(world.standard.get(original.id).map(|standard| standard.shipped).filter(|shipped| shipped.is_template()))
}

fn field(input: &Input) -> Field {
    let choices = || {
        let left_open = if input.default.is_some() { "The usual one" } else { "Leave it out" };
        let left_open = (!input.required).then(|| (String::new(), left_open.to_owned()));
        left_open.into_iter().chain(input.choices.iter().map(|choice| (choice.clone(), choice.clone()))).collect()
    };
    Field {
        name: field_name(input),
        label: input.label.clone(),
        hint: hint(input),
        shape: match input.kind {
            InputKind::Secret => Shape::Secret,
            InputKind::Number => Shape::Number,
            InputKind::Choice => Shape::Choice(choices()),
            InputKind::Text | InputKind::Host | InputKind::Url => Shape::Text,
        },
        required: input.required,
        most: input.most_length.unwrap_or(PARAMETER_VALUE_BYTES),
    }
}

/// The field of an input in the form: what begins with `secret-` is never kept or given back.
fn field_name(input: &Input) -> String {
    let prefix = if input.kind == InputKind::Secret { "secret" } else { "input" };
    format!("{prefix}-{}", input.name)
}

/// What it is for, with its limits.
fn hint(input: &Input) -> String {
    let length = match (input.least_length, input.most_length) {
        (Some(least), Some(most)) => format!(" {least} to {most} characters."),
        (Some(least), None) => format!(" At least {least} characters."),
        (None, Some(most)) => format!(" At most {most} characters."),
        (None, None) => String::new(),
    };
    let range = match (input.min, input.max) {
        (Some(min), Some(max)) => format!(" {min} to {max}."),
        (Some(min), None) => format!(" At least {min}."),
        (None, Some(max)) => format!(" At most {max}."),
        (None, None) => String::new(),
    };
    let default = input.default.as_ref().map(|default| format!(" Left empty, it becomes {default}."));
    format!("{}{length}{range}{}", input.help, default.unwrap_or_default())
}

/// `GET /admin/profiles/{id}/copy`
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    who: SignedIn,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let original = find(&services, &who, &id)?;
    let name = original.name.as_str().trim_end_matches(TEMPLATE_ENDING);
    let name = if name.chars().count() + 5 > NAME_CHARS { String::new() } else { format!("{name} copy") };
    let name = Name::parse(&name).map_or_else(|_| String::new(), |name| name.to_string());
    let offered = Form::filled([("name", name), ("description", original.description.clone())]);
    let form = unsent::given_back_from(request.path(), &request, &who, &services).unwrap_or(offered);
    Ok(html(&CopyPage::new(&who, &services, &original, form)?))
}

/// `POST /admin/profiles/{id}/copy`
pub async fn save(
    id: web::Path<String>,
    who: SignedIn,
    form: Form,
    services: web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let original = find(&services, &who, &id)?;
    let inputs = template(&who, &services, &original)?.map(|asked| asked.inputs.as_slice()).unwrap_or_default();
    let typed = |input: &Input| (input.name.clone(), form.value(&field_name(input)).to_owned());
    let input = CopyInput {
        name: form.value("name").to_owned(),
        description: Some(form.value("description").to_owned()),
        inputs: inputs.iter().map(typed).collect::<BTreeMap<_, _>>(),
    };
    let (actor, original_id) = (who.actor.clone(), original.id);
    let copy = move |services: &Services| profiles::copy(services, &actor, DEFAULT_ACCOUNT, original_id, &input, Mode::Keep);
    match blocking::call(&services, copy).await {
        Ok(made) => {
            let path = format!("/admin/profiles/{}", made.id);
            Ok(who.done(&path, "The copy is made. It is deployed nowhere yet."))
        }
        Err(ServiceError::Invalid(errors)) => {
            let form = form.rejected_by(&errors, |key| named(inputs, key));
            Ok(html_rejected(&CopyPage::new(&who, &services, &original, form)?))
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// The field that an error is of.
fn named(inputs: &[Input], key: &str) -> String {
    inputs.iter().find(|input| input.name == key).map_or_else(|| key.to_owned(), field_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::standard::standard_profiles;

    #[test]
    fn every_field_of_a_template_has_a_box_that_takes_what_it_takes() {
        for template in standard_profiles().values().filter(|profile| profile.is_template()) {
            for (input, field) in template.inputs.iter().zip(template.inputs.iter().map(field)) {
                assert_eq!(named(&template.inputs, &input.name), field.name, "{}", template.name);
                assert_eq!(field.name.starts_with("secret-"), input.kind == InputKind::Secret, "{}", template.name);
                assert!(field.hint.starts_with(&input.help), "{}", template.name);
            }
        }
        assert_eq!(named(&[], "name"), "name");
    }
}
