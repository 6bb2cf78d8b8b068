//! *Resource File* beside a parameter's value: the name of an uploaded file, put in its place (R124). The list and the value are parts of
//! one form, so that nothing but a browser is needed.

use crate::domain::world::World;
use crate::web::admin::forms::Form;

/// Field of the file that is chosen, and the word of the button that takes it.
const RESOURCE: &str = "resource";

/// The names that are offered, as people read them.
pub fn offered(world: &World) -> Vec<String> {
    let mut names: Vec<String> = world.resources.all().values().map(|one| one.path.to_string()).collect();
    names.sort_by_cached_key(|name| name.to_lowercase());
    names
}

/// A form with the chosen file as its value, where the button beside the files was pressed; else as it is.
pub fn chosen(mut form: Form) -> Form {
    let (verb, field) = match form.value("do") {
        "resource" => ("change", "value"),
        "add-resource" => ("add", "new_value"),
        _ => return form,
    };
    let path = form.value(RESOURCE).trim().to_owned();
    form.set("do", verb);
    if !path.is_empty() {
        form.set(field, path);
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_file_takes_the_place_of_the_value() {
        let of = |verb: &str, path: &str| {
            let form = Form::filled([("do", verb), ("value", "typed"), ("new_value", "typed"), ("resource", path)]);
            let form = chosen(form);
            ["do", "value", "new_value"].map(|name| form.value(name).to_owned())
        };
        assert_eq!(of("resource", "a.wav"), ["change", "a.wav", "typed"]);
        assert_eq!(of("add-resource", "a.wav"), ["add", "typed", "a.wav"]);
        assert_eq!(of("change", "a.wav"), ["change", "typed", "typed"]);
        assert_eq!(of("resource", ""), ["change", "typed", "typed"], "nothing was chosen");
    }
}
