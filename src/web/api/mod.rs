//! The API: everything a page can do, as JSON below `/api/v1` (contract 6). Thin: the same drafts and services as the pages.
//!
//! [`routes!`] names every operation once; routing and description are both made from it, so neither can miss one.

pub mod activity;
pub mod addresses;
pub mod backups;
pub mod body;
pub mod caller;
pub mod coming_up;
pub mod credentials;
pub mod deployment;
mod description;
pub mod device_changes;
pub mod device_csv;
pub mod device_deletion;
pub mod device_files;
pub mod device_logs;
pub mod device_shapes;
pub mod device_software;
pub mod devices;
pub mod effective;
pub mod effective_shapes;
pub mod given_files;
pub mod group_shapes;
pub mod groups;
pub mod image_packages;
mod image_uploads;
pub mod images;
mod impact;
mod impact_described;
pub mod imports;
pub mod invitations;
pub mod lines;
pub mod list;
pub mod manufacturers;
mod matching;
pub mod membership;
pub mod paths;
pub mod pending;
pub mod people;
mod people_bulk;
pub mod people_shapes;
pub mod phone_passwords;
pub mod problem;
pub mod profile_archives;
pub mod profile_shapes;
pub mod profiles;
pub mod recycle_bin;
pub mod resources;
pub mod revocation_lists;
pub mod rollover;
pub mod runs;
pub mod schema;
pub mod schema_uploads;
mod second_factor;
pub mod sent;
pub mod server;
pub mod session;
pub mod settings;
pub mod sign_ins;
pub mod site_files;
pub mod site_shapes;
pub mod sites;
mod software_downgrades;
mod standard_shapes;
pub mod storage;
pub mod tokens;
pub mod users;
pub mod views;

use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, get, web};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use crate::services::Services;
use crate::web::admin::{security_headers, session_store};
use crate::web::methods::{self, Room};
use description::{Refusals, Session};
use device_deletion::AfterwardsWord;
use impact::Impact;
use impact_described::Impacts;
use problem::{FieldProblem, Problem, of_path, only_problems};
use settings::ReplacementWord;

/// Where the API is.
pub const ROOT: &str = "/api/v1";

/// Routes and description of the operations of the API.
macro_rules! routes {
    ($($room:ident::$operation:ident),+ $(,)?) => {
        fn operations(config: &mut web::ServiceConfig) {
            config$(.service($room::$operation))+;
        }

        #[derive(OpenApi)]
        #[openapi(
            info(title = "pdms", description = "Device management and provisioning server for Poly phones"),
            servers((url = "/api/v1")),
            paths($($room::$operation),+),
            components(schemas(Problem, FieldProblem, AfterwardsWord, ReplacementWord, Impact)),
            security(("session" = []), ("token" = [])),
            modifiers(&Session, &Impacts, &Refusals),
        )]
        struct Description;
    };
}

routes! {
    session::begin_session,
    session::show_session,
    invitations::accept_invitation,
    session::confirm_session,
    session::end_session,
    session::change_own_password,
    sign_ins::list_sign_ins,
    sign_ins::end_sign_in,
    given_files::upload_files,
    given_files::merge_directories,
    lines::set_lines_of_devices,
    lines::show_lines,
    lines::set_lines,
    devices::list_devices,
    device_csv::export_devices,
    device_csv::export_devices_in_clear,
    device_csv::import_devices,
    devices::show_device,
    effective::show_effective,
    effective::read_effective,
    effective::show_what_if,
    effective::read_what_if,
    effective::compare_devices,
    device_files::list_files,
    device_files::read_file,
    given_files::list_versions,
    given_files::compare_versions,
    given_files::restore_file,
    given_files::delete_value,
    given_files::delete_file,
    given_files::list_overrides,
    device_logs::list_logs,
    device_logs::search_logs,
    device_logs::read_logs,
    device_logs::read_log,
    device_logs::delete_log,
    device_logs::delete_logs,
    device_changes::add_devices,
    device_changes::change_device,
    device_changes::replace_device,
    device_deletion::delete_device,
    device_deletion::delete_devices,
    people_bulk::set_owners,
    people_bulk::change_people_of_group,
    device_deletion::list_blocked,
    device_deletion::unblock_device,
    resources::list_resources,
    resources::upload_resource,
    resources::delete_resources,
    resources::show_resource,
    resources::change_resource,
    resources::delete_resource,
    resources::read_resource,
    resources::replace_resource,
    recycle_bin::list_deletions,
    recycle_bin::show_deletion,
    recycle_bin::restore_deletions,
    recycle_bin::purge_deletions,
    device_software::show_software_of_device,
    device_software::allow_downgrade,
    device_software::try_software_again,
    software_downgrades::allow_downgrades,
    device_software::show_software_report,
    phone_passwords::reveal_phone_password,
    phone_passwords::list_deleted,
    phone_passwords::reveal_deleted,
    pending::list_pending,
    pending::decide_pending,
    pending::act_on_device,
    pending::show_window,
    pending::open_window,
    pending::close_window,
    profile_archives::export_profiles,
    profile_archives::export_profiles_with_secrets,
    profile_archives::import_profiles,
    profile_archives::show_parameter_history,
    profiles::list_profiles,
    profiles::create_profiles,
    imports::import_as_profile,
    profiles::show_profile,
    profiles::show_uses,
    profiles::replace_profile,
    profiles::change_profile,
    profiles::copy_profile,
    profiles::delete_profile,
    profiles::delete_profiles,
    imports::import_into_profile,
    sites::list_sites,
    sites::match_site,
    site_files::export_sites,
    site_files::import_sites,
    sites::show_site,
    sites::add_sites,
    sites::replace_site,
    sites::change_site,
    sites::delete_site,
    sites::delete_sites,
    sites::list_pending_moves,
    sites::decide_pending_moves,
    deployment::list_deployment,
    deployment::show_global,
    deployment::set_global,
    deployment::show_of_device,
    deployment::set_of_device,
    deployment::show_of_place,
    deployment::set_of_place,
    groups::list_groups,
    groups::create_groups,
    groups::delete_groups,
    groups::show_group,
    groups::replace_group,
    groups::change_group,
    groups::delete_group,
    membership::change_members,
    membership::set_to_top_priority,
    membership::show_groups_of_device,
    membership::set_groups_of_device,
    membership::show_default_groups,
    membership::set_default_groups,
    people::list_people,
    people::create_people,
    people::delete_people,
    people::show_person,
    people::replace_person,
    people::change_person,
    people::delete_person,
    people::list_person_groups,
    people::create_person_groups,
    people::delete_person_groups,
    people::show_person_group,
    people::replace_person_group,
    people::change_person_group,
    people::delete_person_group,
    people::list_rooms,
    people::create_rooms,
    people::delete_rooms,
    people::show_room,
    people::replace_room,
    people::change_room,
    people::delete_room,
    people::show_groups_of_person,
    people::set_groups_of_person,
    people::set_owner,
    runs::list_device_runs,
    runs::list_refused_runs,
    coming_up::show_coming_up,
    schema::search_parameters,
    schema::show_parameter,
    schema_uploads::show_schema,
    schema_uploads::change_schema,
    schema_uploads::roll_back_schema,
    schema_uploads::upload_schema,
    schema_uploads::delete_schema,
    settings::show_settings,
    settings::change_settings,
    settings::reveal_password,
    credentials::show_credentials,
    credentials::list_users_of_former,
    credentials::end_former,
    manufacturers::list_manufacturers,
    manufacturers::add_manufacturers,
    manufacturers::delete_manufacturer,
    revocation_lists::list_revocation_lists,
    revocation_lists::add_revocation_lists,
    revocation_lists::delete_revocation_list,
    manufacturers::show_certificate,
    manufacturers::note_certificate,
    server::show_server,
    server::change_server,
    server::read_ca,
    server::list_warnings,
    rollover::show_ca_rollover,
    rollover::step_ca_rollover,
    addresses::list_addresses,
    addresses::delete_address,
    storage::show_storage,
    backups::list_backups,
    backups::make_backup,
    backups::read_backup,
    backups::verify_backup,
    backups::delete_backup,
    backups::show_backup_plan,
    backups::replace_backup_plan,
    activity::list_activity,
    activity::read_activity_week,
    users::list_users,
    users::add_user,
    second_factor::show_second_factor,
    second_factor::offer_second_factor,
    second_factor::confirm_second_factor,
    second_factor::disable_second_factor,
    second_factor::renew_recovery_codes,
    second_factor::reset_second_factor,
    users::set_user_password,
    users::show_user,
    users::change_user,
    users::delete_user,
    users::invite_user,
    sign_ins::list_sign_ins_of_user,
    sign_ins::end_sign_in_of_user,
    image_uploads::list_image_uploads,
    image_uploads::begin_image_upload,
    image_uploads::show_image_upload,
    image_uploads::send_image_upload,
    image_uploads::cancel_image_upload,
    image_uploads::finish_image_upload,
    image_uploads::answer_image_upload,
    images::list_images,
    images::show_image_limits,
    images::set_image_limits,
    image_packages::read_package,
    image_packages::delete_packages,
    images::show_image,
    images::delete_image,
    images::put_license,
    images::reveal_license,
    images::delete_license,
    images::show_downloads,
    tokens::list_tokens,
    tokens::create_token,
    tokens::revoke_token,
    views::list_views,
    views::create_view,
    views::change_view,
    views::delete_view,
}

/// The description of the API: OpenAPI 3.1, made from the code.
pub fn description() -> Document {
    Description::openapi()
}

/// Registers the API below [`ROOT`], with sessions of its own accord. Its handlers want `Data` of [`Services`].
pub fn configure(config: &mut web::ServiceConfig, services: &web::Data<Services>) {
    config.service(
        web::scope(ROOT)
            .wrap(from_fn(impact::tell))
            .wrap(from_fn(caller::admit))
            .wrap(from_fn(methods::judge))
            .wrap(session_store::middleware(services))
            .wrap(from_fn(only_problems))
            .wrap(security_headers())
            .app_data(web::Data::new(Room::new(addresses(), method_refused)))
            .app_data(web::PathConfig::default().error_handler(of_path))
            .service(describe)
            .configure(operations)
            .default_service(web::to(nothing_here)),
    );
}

/// The description itself needs no session: it tells nothing of this installation.
#[get("/openapi.json")]
async fn describe() -> web::Json<Document> {
    web::Json(description())
}

/// Every operation, as the description has it: address and method.
pub fn addresses() -> Vec<(Method, String)> {
    let description = description();
    let mut all = vec![(Method::GET, format!("{ROOT}/openapi.json"))];
    for (path, item) in &description.paths.paths {
        let known = [
            (Method::GET, &item.get),
            (Method::PUT, &item.put),
            (Method::POST, &item.post),
            (Method::DELETE, &item.delete),
            (Method::PATCH, &item.patch),
        ];
        let taken = known.into_iter().filter(|(_, operation)| operation.is_some());
        all.extend(taken.map(|(method, _)| (method, format!("{ROOT}{path}"))));
    }
    all
}

fn method_refused(request: &HttpRequest, allow: &str) -> HttpResponse {
    let detail = format_args!("{} is no method of {}; it takes {allow}", request.method(), request.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).error_response()
}

async fn nothing_here(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("operation", format_args!("{} {}", request.method(), request.path())))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Every reference within a part of the document.
    fn references(part: &Value) -> Vec<&str> {
        let inner = match part {
            Value::Object(fields) => fields.values().flat_map(references).collect(),
            Value::Array(items) => items.iter().flat_map(references).collect(),
            _ => Vec::new(),
        };
        part.get("$ref").and_then(Value::as_str).into_iter().chain(inner).collect()
    }

    #[test]
    fn whatever_the_description_refers_to_is_in_it() {
        let document = serde_json::to_value(description()).expect("a document is JSON");
        for reference in references(&document) {
            let path = reference.strip_prefix('#').expect("a place in the document");
            assert!(document.pointer(path).is_some(), "{reference}");
        }
        assert!(references(&document).len() > 100);
    }

    #[test]
    fn the_description_is_of_openapi_3_1_and_names_every_operation_once() {
        let document = serde_json::to_value(description()).expect("a document is JSON");
        assert_eq!(document["openapi"], "3.1.0");
        let paths = document["paths"].as_object().expect("paths");
        let operations: Vec<&str> = paths
            .values()
            .flat_map(|path| path.as_object().expect("a path").values())
            .filter_map(|operation| operation["operationId"].as_str())
            .collect();
        let mut unique = operations.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), operations.len(), "{operations:?}");
        assert!(
            paths.keys().all(|path| path.starts_with('/') && !path.starts_with(ROOT)),
            "paths are below the server's address"
        );
    }
}
