//! Everything a page can do, the API can (contract 6): each handler of the pages has its operations, by name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::openapi::operations;

/// Handlers of the pages by `room::handler`, and the operations that do or tell the same; without any, the reason.
const TWINS: &[(&str, &[&str], &str)] = &[
    ("account::change_password", &["change_own_password"], ""),
    ("account::end_session", &["end_sign_in"], ""),
    ("account::set_theme", &[], "the colours of one browser are no state of the server"),
    ("account::show", &["show_session", "list_sign_ins", "list_users"], ""),
    ("account::stay", &["show_session"], ""),
    ("activity::download", &["read_activity_week"], ""),
    ("activity::show", &["list_activity"], ""),
    ("confirm::show", &["confirm_session"], ""),
    ("confirm::take", &["confirm_session"], ""),
    ("coming_up::show", &["show_coming_up"], ""),
    ("coming_up::steps", &["show_coming_up"], ""),
    (
        "dashboard::show",
        &["list_devices", "show_settings", "show_server", "list_refused_runs", "list_activity", "list_warnings"],
        "",
    ),
    ("deployment::home::save", &["set_global"], ""),
    ("deployment::home::show", &["show_global", "list_deployment"], ""),
    ("deployment::place::save", &["set_of_place", "set_of_device"], ""),
    ("deployment::place::show", &["show_of_place", "show_of_device"], ""),
    ("backups::delete", &["delete_backup"], ""),
    ("backups::download", &["read_backup"], ""),
    ("backups::make", &["make_backup"], ""),
    ("backups::save", &["replace_backup_plan"], ""),
    ("backups::show", &["list_backups", "show_backup_plan"], ""),
    ("backups::verify", &["verify_backup"], ""),
    ("storage::save_packages", &["set_image_limits"], ""),
    ("storage::show", &["show_storage"], ""),
    ("devices::add::save", &["add_devices"], ""),
    ("devices::add::show", &["add_devices"], ""),
    ("devices::blocked::show", &["list_blocked"], ""),
    ("devices::blocked::unblock", &["unblock_device"], ""),
    ("devices::delete::ask", &["delete_devices"], ""),
    ("devices::delete::save", &["delete_device", "delete_devices"], ""),
    ("devices::detail::save_certificate", &["note_certificate"], ""),
    ("devices::detail::show", &["show_device", "show_certificate"], ""),
    ("devices::compare::show", &["compare_devices"], ""),
    ("devices::what_if::file", &["read_what_if"], ""),
    ("devices::what_if::show", &["show_what_if"], ""),
    ("devices::effective::file", &["read_effective"], ""),
    ("devices::effective::show", &["show_effective"], ""),
    ("devices::export::file", &["export_devices"], ""),
    ("devices::export::in_clear", &["export_devices_in_clear"], ""),
    ("devices::export::show", &["export_devices"], ""),
    ("devices::export::template", &["export_devices"], ""),
    ("devices::directories::ask", &["merge_directories"], ""),
    ("devices::directories::save", &["merge_directories"], ""),
    ("devices::file_versions::ask_delete", &["delete_file"], ""),
    ("devices::file_versions::compare", &["compare_versions"], ""),
    ("devices::file_versions::delete", &["delete_file"], ""),
    ("devices::downgrades::save", &["allow_downgrades"], ""),
    ("devices::file_versions::delete_value", &["delete_value"], ""),
    ("devices::file_versions::restore", &["restore_file"], ""),
    ("devices::files::download", &["read_file"], ""),
    ("devices::files::download_served", &["read_effective"], ""),
    ("devices::files::list", &["list_files", "list_overrides"], ""),
    ("devices::files::show", &["read_file", "list_versions"], ""),
    ("devices::add_to_group::save", &["change_members"], ""),
    ("devices::groups::save", &["set_groups_of_device"], ""),
    ("devices::groups::show", &["show_groups_of_device"], ""),
    ("devices::import::decide", &["import_devices"], ""),
    ("devices::import::log", &["import_devices"], ""),
    ("devices::import::preview", &["import_devices"], ""),
    ("devices::import::show", &["import_devices"], ""),
    ("devices::import::upload", &["import_devices"], ""),
    ("devices::lines::save", &["set_lines"], ""),
    ("devices::lines::show", &["show_lines"], ""),
    ("devices::lines_of_many::ask", &["show_lines"], ""),
    ("devices::lines_of_many::decide", &["set_lines_of_devices"], ""),
    ("devices::lines_of_many::home", &["list_devices"], ""),
    ("devices::lines_of_many::look", &["set_lines_of_devices"], ""),
    ("devices::lines_of_many::preview", &["set_lines_of_devices"], ""),
    ("devices::list::show", &["list_devices"], ""),
    ("devices::logs::ask_delete", &["delete_log", "delete_logs"], ""),
    ("devices::logs::delete", &["delete_log", "delete_logs"], ""),
    ("devices::logs::download", &["read_log"], ""),
    ("devices::logs::list", &["list_logs", "search_logs"], ""),
    ("devices::logs::show", &["read_log"], ""),
    ("devices::logs::zip", &["read_logs"], ""),
    ("devices::upload::ask", &["upload_files"], ""),
    ("devices::upload::ask_many", &["upload_files"], ""),
    ("devices::upload::decide", &["upload_files"], ""),
    ("devices::upload::preview", &["upload_files"], ""),
    ("devices::upload::take", &["upload_files"], ""),
    ("devices::owner::save", &["set_owner"], ""),
    ("devices::owner::show", &["show_device", "list_people", "list_rooms"], ""),
    ("devices::owners::save", &["set_owners"], ""),
    ("devices::password::list", &["list_deleted"], ""),
    ("devices::password::reveal", &["reveal_phone_password"], ""),
    ("devices::password::reveal_deleted", &["reveal_deleted"], ""),
    ("devices::software::act", &["allow_downgrade", "try_software_again"], ""),
    ("devices::software::show", &["show_software_of_device"], ""),
    ("software_report::show", &["show_software_report"], ""),
    ("devices::profiles::save", &["set_of_device"], ""),
    ("devices::profiles::show", &["show_of_device"], ""),
    ("devices::runs::show", &["list_device_runs"], ""),
    ("devices::summary::save", &["change_device", "replace_device"], ""),
    ("devices::summary::show", &["show_device"], ""),
    ("groups::add::save", &["create_groups", "change_members"], ""),
    ("groups::add::show", &["create_groups"], ""),
    ("groups::default::save", &["set_default_groups"], ""),
    ("groups::default::show", &["show_default_groups"], ""),
    ("groups::delete::ask", &["delete_groups"], ""),
    ("groups::delete::save", &["delete_group", "delete_groups"], ""),
    ("groups::devices::save", &["change_members"], ""),
    ("groups::devices::show", &["list_devices"], ""),
    ("groups::group::save", &["change_group", "replace_group"], ""),
    ("groups::group::show", &["show_group"], ""),
    ("groups::list::show", &["list_groups"], ""),
    ("groups::profiles::save", &["set_of_place"], ""),
    ("groups::profiles::show", &["show_of_place"], ""),
    ("groups::top::ask", &["set_to_top_priority"], ""),
    ("groups::top::save", &["set_to_top_priority"], ""),
    ("people::delete::ask", &["delete_people", "delete_person_groups", "delete_rooms"], ""),
    ("people::delete::save", &["delete_person", "delete_person_group", "delete_room"], ""),
    ("people::groups::save", &["set_groups_of_person"], ""),
    ("people::groups::show", &["show_groups_of_person"], ""),
    ("people::list::show", &["list_people", "list_person_groups", "list_rooms"], ""),
    ("people::members::save", &["change_people_of_group"], ""),
    ("people::members::show", &["list_people"], ""),
    ("people::one::add", &["create_people", "create_person_groups", "create_rooms"], ""),
    ("people::one::ask", &["create_people", "create_person_groups", "create_rooms"], ""),
    ("people::one::save", &["change_person", "change_person_group", "change_room", "replace_person"], ""),
    ("people::one::show", &["show_person", "show_person_group", "show_room"], ""),
    ("people::profiles::save", &["set_of_place"], ""),
    ("people::profiles::show", &["show_of_place"], ""),
    ("pending::act::ask_unbind", &["decide_pending"], ""),
    ("pending::act::save", &["decide_pending", "act_on_device"], ""),
    ("pending::act::set_window", &["open_window", "close_window"], ""),
    ("pending::list::show", &["list_pending", "show_window"], ""),
    ("phone_certificates::ask", &["delete_manufacturer"], ""),
    ("phone_certificates::delete", &["delete_manufacturer"], ""),
    ("phone_certificates::lists::ask", &["list_revocation_lists", "delete_revocation_list"], ""),
    ("phone_certificates::lists::delete", &["delete_revocation_list"], ""),
    ("phone_certificates::lists::upload", &["add_revocation_lists"], ""),
    ("phone_certificates::save", &["change_settings"], ""),
    ("phone_certificates::show", &["show_settings", "list_manufacturers", "list_revocation_lists"], ""),
    ("phone_certificates::upload", &["add_manufacturers"], ""),
    ("recycle_bin::list::show", &["list_deletions"], ""),
    ("recycle_bin::one::show", &["show_deletion"], ""),
    ("recycle_bin::purge::ask", &["purge_deletions"], ""),
    ("recycle_bin::purge::save", &["purge_deletions"], ""),
    ("recycle_bin::restore::save", &["restore_deletions"], ""),
    ("profiles::add::save", &["create_profiles", "import_as_profile"], ""),
    ("profiles::add::show", &["create_profiles"], ""),
    ("profiles::archive::decide", &["import_profiles"], ""),
    ("profiles::archive::export", &["export_profiles"], ""),
    ("profiles::archive::export_secrets", &["export_profiles_with_secrets"], ""),
    ("profiles::archive::preview", &["import_profiles"], ""),
    ("profiles::archive::show", &["import_profiles", "export_profiles"], ""),
    ("profiles::archive::upload", &["import_profiles"], ""),
    ("profiles::copy::save", &["copy_profile"], ""),
    ("profiles::copy::show", &["copy_profile"], ""),
    ("profiles::delete::ask", &["show_uses"], ""),
    ("profiles::delete::save", &["delete_profile", "delete_profiles"], ""),
    ("profiles::fields::show", &["search_parameters", "show_parameter", "show_profile"], ""),
    ("profiles::history::show", &["show_parameter_history"], ""),
    ("profiles::import::decide", &["import_into_profile"], ""),
    ("profiles::import::paste", &["import_into_profile"], ""),
    ("profiles::import::preview", &["import_into_profile"], ""),
    ("profiles::import::upload", &["import_into_profile"], ""),
    ("profiles::list::show", &["list_profiles"], ""),
    ("profiles::software::choose", &["change_profile", "replace_profile"], ""),
    ("profiles::profile::edit", &["change_profile", "replace_profile"], ""),
    ("profiles::profile::rename", &["change_profile", "replace_profile"], ""),
    ("profiles::profile::show", &["show_profile"], ""),
    ("provisioning::addresses::ask", &["list_addresses", "delete_address"], ""),
    ("provisioning::addresses::remove", &["delete_address"], ""),
    ("provisioning::rollover::show", &["show_ca_rollover"], ""),
    ("provisioning::rollover::take", &["step_ca_rollover"], ""),
    ("provisioning::ca_pem", &["read_ca"], ""),
    ("provisioning::credentials::end", &["end_former"], ""),
    ("provisioning::credentials::save", &["change_settings"], ""),
    ("provisioning::credentials::show", &["show_credentials", "list_users_of_former"], ""),
    ("provisioning::reveal", &["reveal_password"], ""),
    ("provisioning::save", &["change_server", "change_settings"], ""),
    ("provisioning::home", &["show_settings"], ""),
    ("provisioning::show", &["show_settings", "show_server"], ""),
    ("resources::add::save", &["upload_resource"], ""),
    ("resources::add::show", &["upload_resource"], ""),
    ("resources::content::download", &["read_resource"], ""),
    ("resources::content::show", &["read_resource"], ""),
    ("resources::delete::ask", &["delete_resource", "delete_resources"], ""),
    ("resources::delete::save", &["delete_resource", "delete_resources"], ""),
    ("resources::list::show", &["list_resources"], ""),
    ("resources::replace::save", &["replace_resource"], ""),
    ("resources::replace::show", &["show_resource"], ""),
    ("resources::resource::save", &["change_resource"], ""),
    ("resources::resource::show", &["show_resource"], ""),
    ("runs::list::show", &["list_refused_runs"], ""),
    ("runs::subject::show", &["list_refused_runs"], ""),
    ("schema::save", &["change_schema", "roll_back_schema", "delete_schema"], ""),
    ("schema::show", &["show_schema"], ""),
    ("schema::upload::decide", &["upload_schema"], ""),
    ("schema::upload::home", &["show_schema"], ""),
    ("schema::upload::preview", &["upload_schema"], ""),
    ("schema::upload::take", &["upload_schema"], ""),
    ("sites::add::save", &["add_sites"], ""),
    ("sites::add::show", &["add_sites"], ""),
    ("sites::delete::ask", &["delete_site", "delete_sites"], ""),
    ("sites::delete::save", &["delete_site", "delete_sites"], ""),
    ("sites::download_path::save", &["change_site", "replace_site"], ""),
    ("sites::download_path::show", &["show_site"], ""),
    ("sites::profiles::save", &["set_of_place"], ""),
    ("sites::profiles::show", &["show_of_place"], ""),
    ("sites::import::decide", &["import_sites"], ""),
    ("sites::import::export", &["export_sites"], ""),
    ("sites::import::log", &["import_sites"], ""),
    ("sites::import::preview", &["import_sites"], ""),
    ("sites::import::show", &["import_sites"], ""),
    ("sites::import::upload", &["import_sites"], ""),
    ("sites::list::show", &["list_sites"], ""),
    ("sites::moves::save", &["decide_pending_moves"], ""),
    ("sites::moves::show", &["list_pending_moves"], ""),
    ("sites::networks::save_private", &["change_site", "replace_site"], ""),
    ("sites::networks::save_public", &["change_site", "replace_site"], ""),
    ("sites::networks::show_private", &["show_site"], ""),
    ("sites::networks::show_public", &["show_site"], ""),
    ("sites::site::save", &["change_site", "replace_site"], ""),
    ("sites::site::show", &["show_site"], ""),
    ("sites::tester::show", &["match_site"], ""),
    ("software::image::ask", &["delete_image"], ""),
    ("software::image::delete", &["delete_image"], ""),
    ("software::image::delete_license", &["delete_license"], ""),
    ("software::image::reveal_license", &["reveal_license"], ""),
    ("software::image::save_license", &["put_license"], ""),
    ("software::image::show", &["show_image", "show_downloads"], ""),
    ("software::packages::ask", &["delete_packages"], ""),
    ("software::packages::delete", &["delete_packages"], ""),
    ("software::packages::download", &["read_package"], ""),
    ("software::list::save_limits", &["set_image_limits"], ""),
    ("software::list::show", &["list_images", "list_image_uploads", "show_image_limits"], ""),
    ("software::upload::answer", &["answer_image_upload", "cancel_image_upload"], ""),
    ("software::upload::home", &["list_images"], ""),
    ("software::upload::show", &["show_image_upload"], ""),
    ("software::upload::state", &["show_image_upload"], ""),
    ("software::upload::take", &["begin_image_upload", "send_image_upload", "finish_image_upload"], ""),
    ("tokens::ask", &["list_tokens"], ""),
    ("tokens::make", &["create_token"], ""),
    ("tokens::revoke", &["revoke_token"], ""),
    ("tokens::show", &["list_tokens"], ""),
    ("views::ask", &["delete_view"], ""),
    ("views::delete", &["delete_view"], ""),
    ("views::edit", &["list_views"], ""),
    ("views::new", &["create_view"], ""),
    ("views::save", &["create_view"], ""),
    ("views::show", &["list_views"], ""),
    ("views::update", &["change_view"], ""),
    ("users::add::save", &["add_user"], ""),
    ("users::add::show", &["add_user"], ""),
    ("users::show", &["list_users"], ""),
    ("users::user::ask_delete", &["show_user"], ""),
    ("users::user::ask_reset", &["show_user"], ""),
    ("users::user::reset", &["reset_second_factor"], ""),
    ("users::user::ask_invite", &["show_user"], ""),
    ("users::user::delete", &["delete_user"], ""),
    ("users::user::end_session", &["end_sign_in_of_user"], ""),
    ("users::user::invite", &["invite_user"], ""),
    ("users::user::save", &["change_user", "set_user_password"], ""),
    ("users::user::show", &["show_user", "list_sign_ins_of_user"], ""),
    ("second_factor::confirm", &["confirm_second_factor"], ""),
    ("second_factor::disable", &["disable_second_factor"], ""),
    ("second_factor::renew", &["renew_recovery_codes"], ""),
    ("second_factor::show", &["show_second_factor", "offer_second_factor"], ""),
    ("setup::ask", &[], "before set-up there is nobody who could call; `pdms setup --from` does the same"),
    ("setup::setup_restore::take", &[], "before set-up there is nobody who could call; `pdms restore` does the same"),
    ("setup::take", &[], "before set-up there is nobody who could call; `pdms setup --from` does the same"),
    ("sign_in::ask_code", &["begin_session"], ""),
    ("sign_in::ask_email", &["begin_session"], ""),
    ("sign_in::ask_password", &["begin_session"], ""),
    ("sign_in::sign_out", &["end_session"], ""),
    ("sign_in::take_code", &["begin_session"], ""),
    ("sign_in::take_email", &["begin_session"], ""),
    ("sign_in::take_password", &["begin_session"], ""),
    ("invitation::ask", &["accept_invitation"], ""),
    ("invitation::take", &["accept_invitation"], ""),
    ("sign_in::use_link", &[], "a link of the demonstration, for browsers"),
];

/// Every handler that a text of a room registers, as `room::handler`.
fn registered(room: &str, text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]").next().unwrap_or(text);
    let mut found = BTreeSet::new();
    for method in [".get(", ".post("] {
        for (at, _) in text.match_indices(method) {
            // An address and its handler; whatever else is asked for by these words has no address.
            let rest = text[at + method.len()..].trim_start();
            let is_constant = |first: &str| !first.is_empty() && first.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            let is_address = ["\"/", "format!(\"{HERE}", "format!(\"/"].iter().any(|start| rest.starts_with(start))
                || is_constant(rest.split(',').next().unwrap_or_default());
            let (_, handler) = rest.split('\n').next().and_then(|line| line.split_once(", ")).unwrap_or_default();
            let handler = handler.split(')').next().unwrap_or_default();
            // A reload after a form is sent to its page by a handler without a name.
            if is_address && !handler.contains('|') {
                found.insert(format!("{room}::{handler}"));
            }
        }
    }
    found
}

/// The room that a file of the pages is: its path without what every path has.
fn room(path: &Path, root: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path).with_extension("");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy().into_owned()).filter(|part| part != "mod").collect();
    if parts.is_empty() { "admin".to_owned() } else { parts.join("::") }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => sources(&path, found),
            path if path.extension().is_some_and(|ending| ending == "rs") => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn everything_a_page_can_do_the_api_can() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/admin");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a source");
    let handlers: BTreeSet<String> = files.iter().flat_map(|path| registered(&room(path, &root), &read(path))).collect();
    let known: BTreeSet<&str> = operations().filter_map(|(_, _, operation)| operation["operationId"].as_str()).collect();
    assert!(handlers.len() > 50, "{handlers:?}");
    for handler in &handlers {
        let twin = TWINS.iter().find(|(name, ..)| name == handler);
        let (_, operations, why_none) =
            twin.unwrap_or_else(|| panic!("name the operation of the API that does what {handler} does"));
        assert_eq!(operations.is_empty(), !why_none.is_empty(), "{handler} has operations, or a reason why not");
        for operation in *operations {
            assert!(known.contains(operation), "{handler}: there is no operation {operation}");
        }
    }
}

#[test]
fn handlers_are_found_however_they_are_registered() {
    let text = "routes.get(HERE, show).post(\"/x\", add::save);\n.post(format!(\"{HERE}/a\"), save_a)\n
        routes.get(format!(\"{HERE}/{form}\"), || async { see_other(HERE) }); map.get(&key).then(a, b)";
    assert_eq!(registered("room", text).into_iter().collect::<Vec<_>>(), ["room::add::save", "room::save_a", "room::show"]);
    let root = Path::new("src/web/admin");
    let rooms = ["src/web/admin/mod.rs", "src/web/admin/account.rs", "src/web/admin/devices/mod.rs"]
        .map(|path| room(Path::new(path), root));
    assert_eq!(rooms, ["admin", "account", "devices"]);
}
