//! Uploading resource files, several at once: each is taken or refused by itself, and the page says which (R216).

use actix_multipart::{Field, Multipart};
use actix_web::{HttpResponse, web};
use askama::Template;
use futures_util::StreamExt as _;

use super::HERE;
use crate::domain::ids::{DEFAULT_ACCOUNT, ResourceId};
use crate::domain::limits::{RESOURCE_BYTES_ADVISED, RESOURCES_AT_ONCE};
use crate::domain::resource::{Resource, ResourceDraft, ResourceInput, endings};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::{ServiceError, chain};
use crate::services::resources;
use crate::web::admin::failure::Failure;
use crate::web::admin::forms::{Form, sentence};
use crate::web::admin::layout::{Page, html, html_rejected};
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::phone::Door;
use crate::web::resource_upload::{self, Cut};
use crate::web::{blocking, sizes};

/// Characters of a field beside the files.
const FIELD_BYTES: usize = 4_096;
/// Bytes of a name that is told when it is refused.
const NAME_CHARS: usize = 80;

#[derive(Template)]
#[template(path = "resources/add.html")]
struct AddPage {
    page: Page,
    form: Form,
    /// What became of each file that was sent.
    outcomes: Vec<Outcome>,
    /// What a browser offers to choose.
    accept: String,
    most: String,
    at_once: usize,
}

/// What became of a file that was sent.
struct Outcome {
    name: String,
    /// The file, where it was taken.
    taken: Option<ResourceId>,
    /// Why not, or what to know about it.
    words: String,
}

fn page(who: &SignedIn, door: &Door, form: Form, outcomes: Vec<Outcome>) -> AddPage {
    AddPage {
        page: who.page("Upload Resource Files"),
        form,
        outcomes,
        accept: endings().map(|ending| format!(".{ending}")).collect::<Vec<_>>().join(","),
        most: sizes::in_words(door.uploads().caps.resource_bytes),
        at_once: RESOURCES_AT_ONCE,
    }
}

/// `GET /admin/resources/add`
pub async fn show(who: SignedIn, door: web::Data<Door>) -> Result<HttpResponse, Failure> {
    Ok(html(&page(&who, &door, Form::default(), Vec::new())))
}

/// `POST /admin/resources/add`
pub async fn save(
    who: SignedIn,
    services: web::Data<Services>,
    door: web::Data<Door>,
    mut parts: Multipart,
) -> Result<HttpResponse, Failure> {
    let (mut form, mut outcomes) = (Form::default(), Vec::new());
    while let Some(part) = parts.next().await {
        let Ok(part) = part else {
            outcomes.push(refused("", "the upload did not arrive whole; send it again"));
            break;
        };
        if part.name() != Some(resources::FILE) {
            let name = part.name().unwrap_or_default().to_owned();
            let value = field(part).await;
            if matches!(name.as_str(), "folder" | "description") {
                form.set(&name, value);
            }
            continue;
        }
        let name = file_name(&part);
        if name.is_empty() {
            // A browser sends an empty part where no file was chosen.
            field(part).await;
            continue;
        }
        if outcomes.len() >= RESOURCES_AT_ONCE {
            outcomes.push(refused(&name, &format!("at most {RESOURCES_AT_ONCE} files are taken at once; send the rest again")));
            break;
        }
        let (outcome, goes_on) = take(&who, &services, &door, &form, name, part).await?;
        outcomes.push(outcome);
        if !goes_on {
            break;
        }
    }
    let taken = outcomes.iter().filter(|one| one.taken.is_some()).count();
    if outcomes.is_empty() {
        outcomes.push(refused("", "choose at least one file"));
    }
    if outcomes.iter().any(|one| one.taken.is_none()) {
        return Ok(html_rejected(&page(&who, &door, form, outcomes)));
    }
    let told: Vec<&str> = outcomes.iter().map(|one| one.words.as_str()).filter(|words| !words.is_empty()).collect();
    let message = format!("{} uploaded. {}", words::count(taken, "file is", "files are"), told.join(" "));
    let to = match outcomes.as_slice() {
        [Outcome { taken: Some(id), .. }] => format!("{HERE}/{id}"),
        _ => HERE.to_owned(),
    };
    Ok(who.done(&to, message.trim_end()))
}

/// Receives one file and takes it. Whether the next one can be read tells the second answer.
async fn take(
    who: &SignedIn,
    services: &web::Data<Services>,
    door: &web::Data<Door>,
    form: &Form,
    name: String,
    part: Field,
) -> Result<(Outcome, bool), Failure> {
    let input = ResourceInput {
        folder: form.value("folder").to_owned(),
        name: name.clone(),
        description: form.value("description").to_owned(),
    };
    // The name first: nothing of a file is kept that could not be taken.
    let draft = ResourceDraft::parse(&input);
    let mut file = match resource_upload::receive(services, door, part, None).await {
        Ok(file) => file,
        Err(Cut::Service(error)) => return Err(Failure::new(who, error)),
        Err(cut) => return Ok((refused(&name, &cut.told().unwrap_or_default()), false)),
    };
    let draft = match draft {
        Ok(draft) => draft,
        Err(errors) => return Ok((refused(&name, &first(&ServiceError::from(errors))), true)),
    };
    let actor = who.actor.clone();
    let work = move |services: &Services| resources::create(services, &actor, DEFAULT_ACCOUNT, draft, &mut file, Mode::Keep);
    match blocking::call(services, work).await {
        Ok(made) => Ok((Outcome { name: made.path.to_string(), taken: Some(made.id), words: advice(&made) }, true)),
        Err(error @ (ServiceError::Invalid(_) | ServiceError::Conflict(_))) => Ok((refused(&name, &first(&error)), true)),
        Err(error) => Err(Failure::new(who, error)),
    }
}

/// What to know about a file that was taken (R43, R217).
pub fn advice(resource: &Resource) -> String {
    match resource.size_bytes > RESOURCE_BYTES_ADVISED {
        true => {
            let advised = sizes::in_words(RESOURCE_BYTES_ADVISED);
            format!("{} has {}: phones are known to take files up to {advised}.", resource.path, words::size(resource.size_bytes))
        }
        false => String::new(),
    }
}

/// The first thing that is wrong.
pub fn first(error: &ServiceError) -> String {
    match error {
        ServiceError::Invalid(errors) => errors.iter().next().map(|one| one.message.clone()).unwrap_or_default(),
        error => chain(error),
    }
}

fn refused(name: &str, why: &str) -> Outcome {
    Outcome { name: crate::domain::run::clean(name, NAME_CHARS), taken: None, words: sentence(why) }
}

/// The name of a file without the folders that it lies in on its sender's machine.
pub fn file_name(part: &Field) -> String {
    let name = part.content_disposition().and_then(|header| header.get_filename()).unwrap_or_default();
    name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

/// A field beside the files. Each part has to be read before the next one comes.
pub async fn field(mut part: Field) -> String {
    let mut value = Vec::new();
    while let Some(Ok(chunk)) = part.next().await {
        value.extend_from_slice(&chunk[..chunk.len().min(FIELD_BYTES.saturating_sub(value.len()))]);
    }
    String::from_utf8_lossy(&value).into_owned()
}
