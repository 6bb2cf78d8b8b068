//! Restoring, from the list, from the page of a deletion and by *Undo*. Where a name is taken, another one is asked for.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{HERE, selected};
use crate::domain::field_error::FieldErrors;
use crate::domain::ids::{DEFAULT_ACCOUNT, DeletionId};
use crate::services::Services;
use crate::services::commit::Mode;
use crate::services::error::ServiceError;
use crate::services::recycle_bin::{self, Item, Names, Restored, Wanted};
use crate::web::admin::failure::Failure;
use crate::web::admin::flash::{self, FlashKind};
use crate::web::admin::forms::Form;
use crate::web::admin::layout::{Page, html_rejected, see_other};
use crate::web::admin::next::LocalPath;
use crate::web::admin::session::SignedIn;
use crate::web::admin::words;
use crate::web::blocking;

/// What of fields with other names stands before their deletion and object.
const NAME: &str = "name-";
/// The field with the deletion whose objects are ticked.
const OF: &str = "deletion";
/// Things that were left out and are named in the message; the rest is counted.
const TOLD: usize = 3;

#[derive(Template)]
#[template(path = "recycle_bin/names.html")]
struct NamesPage {
    page: Page,
    form: Form,
    /// What the form repeats.
    fields: Vec<(String, String)>,
    /// Name of the field, and what the object is called.
    rows: Vec<(String, String)>,
    back: String,
}

/// `POST /admin/recycle-bin/restore`
pub async fn save(who: SignedIn, form: Form, services: web::Data<Services>) -> Result<HttpResponse, Failure> {
    let back = LocalPath::parse(form.value("back")).map_or_else(|| HERE.to_owned(), |path| path.as_str().to_owned());
    let wanted = wanted(&form);
    if wanted.is_empty() {
        return Ok(who.not_done(&back, "Tick first what is to be restored."));
    }
    let (actor, names, all) = (who.actor.clone(), names(&form), wanted.clone());
    let restore = move |services: &Services| recycle_bin::restore(services, &actor, DEFAULT_ACCOUNT, &all, &names, Mode::Keep);
    match blocking::call(&services, restore).await {
        Ok(restored) => Ok(done(&who, &back, &restored)),
        Err(ServiceError::Invalid(errors)) => ask_names(&who, form, wanted, &errors, back, &services).await,
        Err(error @ (ServiceError::Conflict(_) | ServiceError::Absent(_))) => {
            Ok(who.not_done(&back, format!("Not restored: {}.", error.to_string().trim_end_matches('.'))))
        }
        Err(error) => Err(Failure::new(&who, error)),
    }
}

/// Deletions as a whole, or ticked objects of one.
fn wanted(form: &Form) -> Vec<Wanted> {
    let Ok(deletion) = form.value(OF).parse() else { return selected(form).into_iter().map(Wanted::from).collect() };
    let objects: BTreeSet<u64> = form.values("select").filter_map(|text| text.parse().ok()).collect();
    if objects.is_empty() { Vec::new() } else { vec![Wanted { deletion, objects: Some(objects) }] }
}

fn names(form: &Form) -> Names {
    let name = |(field, typed): (&str, &str)| {
        let (deletion, number) = field.strip_prefix(NAME)?.split_once('-')?;
        Some(((deletion.parse().ok()?, number.parse().ok()?), typed.to_owned()))
    };
    form.pairs().filter_map(name).collect()
}

fn done(who: &SignedIn, back: &str, restored: &Restored) -> HttpResponse {
    let what = match restored.objects.as_slice() {
        [(_, name)] => format!("{name} is restored."),
        several => format!("{} are restored.", words::count(several.len(), "object", "objects")),
    };
    let mut left: Vec<&str> = restored.left_out.iter().take(TOLD).map(String::as_str).collect();
    if left.is_empty() {
        return who.done(back, what);
    }
    let more = restored.left_out.len().saturating_sub(TOLD);
    let more = format!("and {more} more");
    if restored.left_out.len() > TOLD {
        left.push(&more);
    }
    flash::put(who.session(), FlashKind::Warn, format!("{what} But: {}.", left.join("; ")));
    see_other(back)
}

/// Asks for other names for what cannot have its own.
async fn ask_names(
    who: &SignedIn,
    mut form: Form,
    wanted: Vec<Wanted>,
    errors: &FieldErrors,
    back: String,
    services: &web::Data<Services>,
) -> Result<HttpResponse, Failure> {
    let gather = move |services: &Services| {
        let mut items: Vec<Item> = Vec::new();
        for one in &wanted {
            let (_, all) = recycle_bin::get(services, DEFAULT_ACCOUNT, one.deletion)?;
            items.extend(all.into_iter().filter(|item| one.objects.as_ref().is_none_or(|some| some.contains(&item.number))));
        }
        Ok(items)
    };
    let items = blocking::call(services, gather).await.map_err(Failure::of(who))?;
    let mut rows = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let mut of_item = FieldErrors::new();
        errors.iter().filter(|error| error.item.unwrap_or(0) == i).for_each(|error| of_item.add("name", &error.message));
        let field = field(item.deletion, item.number);
        if of_item.is_empty() && !form.has(&field) {
            continue;
        }
        if !form.has(&field) {
            form.set(&field, item.name.clone());
        }
        form = form.rejected_by(&of_item, |_| field.clone());
        rows.push((field, format!("Name of the {} “{}”", item.kind.one(), item.name)));
    }
    let repeated = ["select", OF, "back"];
    let fields = form.pairs().filter(|(name, _)| repeated.contains(name));
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(html_rejected(&NamesPage { page: who.page("Names that are taken"), form, fields, rows, back }))
}

fn field(deletion: DeletionId, number: u64) -> String {
    format!("{NAME}{deletion}-{number}")
}
