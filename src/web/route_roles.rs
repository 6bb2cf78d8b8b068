//! The table of addresses: the least role for every page and every operation of the API, and the one place where it is asked for.
//!
//! A page or operation that the table does not name is for owners alone, and `tests/roles.rs` fails for it. What a role may do is
//! asked for again where it is done: see [`crate::domain::access`].

use actix_web::http::Method;

use crate::domain::user::Role;

/// Who may ask for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Least {
    /// Anyone, signed in or not.
    Anyone,
    /// Whoever has this role or a higher one.
    Role(Role),
    /// The same, and a person gave the password a moment ago: a secret is told, or somebody is given a way in
    /// ([`crate::domain::access::Action::asks_again`]).
    Confirmed(Role),
}

impl Least {
    /// The role that it takes; none where anyone may ask.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Anyone => None,
            Self::Role(role) | Self::Confirmed(role) => Some(role),
        }
    }
}

const ANYONE: Least = Least::Anyone;
const VIEWER: Least = Least::Role(Role::Viewer);
const OPERATOR: Least = Least::Role(Role::Operator);
const ADMIN: Least = Least::Role(Role::AccountAdmin);
const OWNER: Least = Least::Role(Role::Owner);
const ADMIN_AGAIN: Least = Least::Confirmed(Role::AccountAdmin);
const OWNER_AGAIN: Least = Least::Confirmed(Role::Owner);

/// An address and who may ask for it, by method.
pub struct Address {
    path: &'static str,
    roles: [Option<Least>; METHODS.len()],
}

/// The methods that addresses take; HEAD is answered like GET.
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Begins a line of the table.
const fn at(path: &'static str) -> Address {
    Address { path, roles: [None; METHODS.len()] }
}

impl Address {
    const fn get(mut self, least: Least) -> Self {
        self.roles[0] = Some(least);
        self
    }

    const fn post(mut self, least: Least) -> Self {
        self.roles[1] = Some(least);
        self
    }

    const fn put(mut self, least: Least) -> Self {
        self.roles[2] = Some(least);
        self
    }

    const fn patch(mut self, least: Least) -> Self {
        self.roles[3] = Some(least);
        self
    }

    const fn delete(mut self, least: Least) -> Self {
        self.roles[4] = Some(least);
        self
    }
}

/// The pages. A page that shows secrets in clear, or hands out files as devices stored them, is for account admins who confirmed that
/// it is them; logs, core dumps and captures are for operators.
const PAGES: &[Address] = &[
    at("/setup").get(ANYONE).post(ANYONE),
    at("/setup/restore").post(ANYONE),
    at("/admin/sign-in").get(ANYONE).post(ANYONE),
    at("/admin/sign-in/password").get(ANYONE).post(ANYONE),
    at("/admin/sign-in/code").get(ANYONE).post(ANYONE),
    at("/admin/sign-in/link").get(ANYONE),
    at("/admin/invitation").get(ANYONE).post(ANYONE),
    at("/admin/theme").post(ANYONE),
    at("/admin/sign-out").post(VIEWER),
    at("/admin/session").post(VIEWER),
    at("/admin/confirm").get(VIEWER).post(VIEWER),
    at("/admin").get(VIEWER),
    at("/admin/").get(VIEWER),
    at("/admin/account").get(VIEWER),
    at("/admin/account/password").get(VIEWER).post(VIEWER),
    at("/admin/account/second-factor").get(VIEWER).post(VIEWER),
    at("/admin/account/second-factor/off").get(VIEWER).post(VIEWER),
    at("/admin/account/second-factor/recovery").get(VIEWER).post(VIEWER),
    at("/admin/account/sessions/{id}/end").post(VIEWER),
    at("/admin/activity").get(VIEWER),
    at("/admin/activity/download").get(VIEWER),
    at("/admin/storage").get(OWNER),
    at("/admin/storage/packages").post(OWNER),
    at("/admin/backups").get(OWNER),
    at("/admin/backups/plan").get(OWNER).post(OWNER),
    at("/admin/backups/make").post(OWNER),
    at("/admin/backups/{name}/download").get(OWNER_AGAIN),
    at("/admin/backups/{name}/verify").post(OWNER),
    at("/admin/backups/{name}/delete").post(OWNER),
    at("/admin/coming-up").get(VIEWER),
    at("/admin/coming-up/steps").get(VIEWER),
    at("/admin/deployment").get(VIEWER).post(ADMIN),
    at("/admin/deployment/{container}/{id}").get(VIEWER).post(ADMIN),
    at("/admin/devices").get(VIEWER),
    at("/admin/devices/add").get(ADMIN).post(ADMIN),
    at("/admin/devices/blocked").get(VIEWER).post(OPERATOR),
    at("/admin/devices/deleted").get(VIEWER).post(ADMIN_AGAIN),
    at("/admin/devices/delete").get(ADMIN).post(ADMIN),
    at("/admin/devices/export").get(VIEWER).post(ADMIN_AGAIN),
    at("/admin/devices/export/file").get(VIEWER),
    at("/admin/devices/import").get(ADMIN).post(ADMIN),
    at("/admin/devices/import/template").get(VIEWER),
    at("/admin/devices/import/{token}").get(ADMIN).post(ADMIN),
    at("/admin/devices/import/{token}/log").get(ADMIN),
    at("/admin/devices/{key}").get(VIEWER).post(ADMIN),
    at("/admin/devices/{key}/certificate").post(ADMIN),
    at("/admin/devices/{key}/detail").get(VIEWER),
    at("/admin/devices/what-if").get(VIEWER),
    at("/admin/devices/what-if/{file}").get(VIEWER),
    at("/admin/devices/{key}/compare").get(VIEWER),
    at("/admin/devices/{key}/effective").get(VIEWER),
    at("/admin/devices/{key}/effective/{file}").get(VIEWER),
    at("/admin/devices/{key}/files").get(VIEWER),
    at("/admin/devices/{key}/password").post(ADMIN_AGAIN),
    at("/admin/devices/directories").get(ADMIN).post(ADMIN),
    at("/admin/devices/upload").get(ADMIN).post(ADMIN),
    at("/admin/devices/upload/files").post(ADMIN),
    at("/admin/devices/upload/{token}").get(ADMIN).post(ADMIN),
    at("/admin/devices/{key}/files/{name}").get(VIEWER),
    at("/admin/devices/{key}/files/{name}/compare").get(ADMIN),
    at("/admin/devices/{key}/files/{name}/delete").get(ADMIN).post(ADMIN),
    at("/admin/devices/{key}/files/{name}/delete-value").post(ADMIN),
    at("/admin/devices/{key}/files/{name}/download").get(ADMIN_AGAIN),
    at("/admin/devices/{key}/files/{name}/restore").post(ADMIN),
    at("/admin/devices/{key}/served/{file}/download").get(ADMIN_AGAIN),
    at("/admin/devices/{key}/logs").get(VIEWER),
    at("/admin/devices/{key}/logs/delete").get(ADMIN).post(ADMIN),
    at("/admin/devices/{key}/logs/zip").get(OPERATOR),
    at("/admin/devices/{key}/logs/{name}").get(OPERATOR),
    at("/admin/devices/{key}/logs/{name}/download").get(OPERATOR),
    at("/admin/devices/{key}/profiles").get(VIEWER).post(ADMIN),
    at("/admin/devices/{key}/software").get(VIEWER).post(ADMIN),
    at("/admin/devices/{key}/runs").get(VIEWER),
    at("/admin/devices/groups").post(ADMIN),
    at("/admin/devices/lines").get(VIEWER).post(ADMIN),
    at("/admin/devices/lines/preview").get(VIEWER).post(ADMIN),
    at("/admin/devices/lines/preview/{token}").get(ADMIN).post(ADMIN),
    at("/admin/devices/{key}/lines").get(VIEWER).post(ADMIN),
    at("/admin/devices/{key}/groups").get(VIEWER).post(ADMIN),
    at("/admin/groups").get(VIEWER),
    at("/admin/groups/add").get(ADMIN).post(ADMIN),
    at("/admin/groups/default").get(VIEWER).post(ADMIN),
    at("/admin/groups/delete").get(ADMIN).post(ADMIN),
    at("/admin/groups/top").get(ADMIN).post(ADMIN),
    at("/admin/groups/{id}").get(VIEWER).post(ADMIN),
    at("/admin/groups/{id}/devices").get(VIEWER).post(ADMIN),
    at("/admin/groups/{id}/profiles").get(VIEWER).post(ADMIN),
    at("/admin/{kind:people|person-groups|rooms}").get(VIEWER),
    at("/admin/{kind:people|person-groups|rooms}/add").get(ADMIN).post(ADMIN),
    at("/admin/{kind:people|person-groups|rooms}/delete").get(ADMIN).post(ADMIN),
    at("/admin/{kind:people|person-groups|rooms}/{id}").get(VIEWER).post(ADMIN),
    at("/admin/{kind:people|person-groups|rooms}/{id}/profiles").get(VIEWER).post(ADMIN),
    at("/admin/people/{id}/groups").get(VIEWER).post(ADMIN),
    at("/admin/person-groups/{id}/members").get(VIEWER).post(ADMIN),
    at("/admin/devices/owner").post(ADMIN),
    at("/admin/devices/downgrades").post(ADMIN),
    at("/admin/devices/{key}/owner").get(VIEWER).post(ADMIN),
    at("/admin/pending").get(VIEWER).post(OPERATOR),
    at("/admin/pending/unbind").get(OPERATOR),
    at("/admin/pending/window").get(VIEWER).post(OPERATOR),
    at("/admin/profiles").get(VIEWER),
    at("/admin/profiles/add").get(ADMIN).post(ADMIN),
    at("/admin/profiles/delete").get(ADMIN).post(ADMIN),
    at("/admin/profiles/export").post(VIEWER),
    at("/admin/profiles/export/secrets").post(ADMIN_AGAIN),
    at("/admin/profiles/import").get(VIEWER).post(ADMIN),
    at("/admin/profiles/import/{token}").get(ADMIN).post(ADMIN),
    at("/admin/profiles/{id}/history").get(VIEWER),
    at("/admin/profiles/{id}").get(VIEWER).post(ADMIN),
    at("/admin/profiles/{id}/copy").get(ADMIN).post(ADMIN),
    at("/admin/profiles/{id}/fields").get(ADMIN),
    at("/admin/profiles/{id}/import").post(ADMIN),
    at("/admin/profiles/{id}/import/{token}").get(ADMIN).post(ADMIN),
    at("/admin/profiles/{id}/parameters").post(ADMIN),
    at("/admin/profiles/{id}/paste").post(ADMIN),
    at("/admin/profiles/{id}/software").post(ADMIN),
    at("/admin/provisioning").get(VIEWER),
    at("/admin/provisioning/addresses/remove").get(OWNER).post(OWNER),
    at("/admin/provisioning/ca").get(VIEWER).post(OWNER),
    at("/admin/provisioning/ca.pem").get(VIEWER),
    at("/admin/provisioning/phone-certificates").get(VIEWER).post(ADMIN),
    at("/admin/provisioning/phone-certificates/delete").get(ADMIN).post(ADMIN),
    at("/admin/provisioning/phone-certificates/lists/delete").get(ADMIN).post(ADMIN),
    at("/admin/provisioning/phone-certificates/lists/upload").get(VIEWER).post(ADMIN),
    at("/admin/provisioning/phone-certificates/upload").get(VIEWER).post(ADMIN),
    at("/admin/provisioning/reveal").get(VIEWER).post(ADMIN_AGAIN),
    at("/admin/provisioning/credentials").get(VIEWER).post(ADMIN),
    at("/admin/provisioning/credentials/end").get(VIEWER).post(ADMIN),
    at("/admin/provisioning/schema").get(VIEWER).post(ADMIN),
    at("/admin/provisioning/schema/upload").get(VIEWER).post(ADMIN),
    at("/admin/provisioning/schema/preview/{token}").get(ADMIN).post(ADMIN),
    at("/admin/provisioning/{part:address}").get(VIEWER).post(OWNER),
    at("/admin/provisioning/{part:account|time|base|admission|http|downloads}").get(VIEWER).post(ADMIN),
    at("/admin/recycle-bin").get(VIEWER),
    at("/admin/recycle-bin/restore").post(ADMIN),
    at("/admin/recycle-bin/delete").get(ADMIN).post(ADMIN),
    at("/admin/recycle-bin/{deletion}").get(VIEWER),
    at("/admin/resources").get(VIEWER),
    at("/admin/resources/add").get(ADMIN).post(ADMIN),
    at("/admin/resources/delete").get(ADMIN).post(ADMIN),
    at("/admin/resources/{id}").get(VIEWER).post(ADMIN),
    at("/admin/resources/{id}/content").get(VIEWER),
    at("/admin/resources/{id}/download").get(ADMIN_AGAIN),
    at("/admin/resources/{id}/replace").get(ADMIN).post(ADMIN),
    at("/admin/sites").get(VIEWER),
    at("/admin/sites/add").get(ADMIN).post(ADMIN),
    at("/admin/sites/delete").get(ADMIN).post(ADMIN),
    at("/admin/sites/export").get(VIEWER),
    at("/admin/sites/import").get(ADMIN).post(ADMIN),
    at("/admin/sites/import/{token}").get(ADMIN).post(ADMIN),
    at("/admin/sites/import/{token}/log").get(ADMIN),
    at("/admin/sites/moves").get(VIEWER).post(ADMIN),
    at("/admin/sites/test").get(VIEWER),
    at("/admin/sites/{id}").get(VIEWER).post(ADMIN),
    at("/admin/sites/{id}/public").get(VIEWER).post(ADMIN),
    at("/admin/sites/{id}/private").get(VIEWER).post(ADMIN),
    at("/admin/sites/{id}/profiles").get(VIEWER).post(ADMIN),
    at("/admin/sites/{id}/download-path").get(VIEWER).post(ADMIN),
    at("/admin/unknown-phones").get(VIEWER),
    at("/admin/unknown-phones/{subject}").get(VIEWER),
    at("/admin/software").get(VIEWER),
    at("/admin/software/limits").post(OWNER),
    at("/admin/software/upload").get(VIEWER).post(ADMIN),
    at("/admin/software/uploads/{upload}").get(VIEWER).post(ADMIN),
    at("/admin/software/uploads/{upload}/state").get(VIEWER),
    at("/admin/software/{id}").get(VIEWER),
    at("/admin/software/{id}/delete").get(ADMIN).post(ADMIN),
    at("/admin/software/{id}/packages/delete").get(ADMIN).post(ADMIN),
    at("/admin/software/{id}/packages/{number}").get(ADMIN),
    at("/admin/software/{id}/license").post(ADMIN),
    at("/admin/software/{id}/license/delete").post(ADMIN),
    at("/admin/software/{id}/license/reveal").post(ADMIN_AGAIN),
    at("/admin/tokens").get(ADMIN).post(ADMIN_AGAIN),
    at("/admin/tokens/{id}/revoke").get(ADMIN).post(ADMIN),
    at("/admin/views").get(VIEWER),
    at("/admin/views/add").get(VIEWER).post(VIEWER),
    at("/admin/views/{id}").get(VIEWER).post(VIEWER),
    at("/admin/views/{id}/delete").get(VIEWER).post(VIEWER),
    at("/admin/users").get(OWNER),
    at("/admin/users/add").get(OWNER_AGAIN).post(OWNER_AGAIN),
    at("/admin/users/{id}").get(OWNER).post(OWNER_AGAIN),
    at("/admin/users/{id}/delete").get(OWNER_AGAIN).post(OWNER_AGAIN),
    at("/admin/users/{id}/invite").get(OWNER).post(OWNER_AGAIN),
    at("/admin/users/{id}/second-factor").get(OWNER).post(OWNER_AGAIN),
    at("/admin/users/{id}/sessions/{session}/end").post(OWNER),
];

/// The operations of the API.
const OPERATIONS: &[Address] = &[
    at("/api/v1/openapi.json").get(ANYONE),
    at("/api/v1/session").get(VIEWER).post(ANYONE).delete(VIEWER),
    at("/api/v1/invitation").post(ANYONE),
    at("/api/v1/session/confirmation").post(VIEWER),
    at("/api/v1/session/password").put(VIEWER),
    at("/api/v1/session/second-factor").get(VIEWER).post(VIEWER).put(VIEWER).delete(VIEWER),
    at("/api/v1/session/second-factor/recovery").post(VIEWER),
    at("/api/v1/sessions").get(VIEWER),
    at("/api/v1/sessions/{id}").delete(VIEWER),
    at("/api/v1/server").get(VIEWER).patch(OWNER),
    at("/api/v1/server/addresses").get(VIEWER).delete(OWNER),
    at("/api/v1/server/ca-rollover").get(VIEWER).post(OWNER),
    at("/api/v1/server/ca.pem").get(VIEWER),
    at("/api/v1/server/warnings").get(VIEWER),
    at("/api/v1/server/backup-plan").get(OWNER).put(OWNER),
    at("/api/v1/server/storage").get(OWNER),
    at("/api/v1/server/backups").get(OWNER).post(OWNER),
    at("/api/v1/server/backups/{name}").get(OWNER_AGAIN).delete(OWNER),
    at("/api/v1/server/backups/{name}/verified").get(OWNER),
    at("/api/v1/users").get(OWNER).post(OWNER_AGAIN),
    at("/api/v1/users/{id}").get(OWNER).patch(OWNER_AGAIN).delete(OWNER_AGAIN),
    at("/api/v1/users/{id}/invitation").post(OWNER_AGAIN),
    at("/api/v1/users/{id}/password").put(OWNER_AGAIN),
    at("/api/v1/users/{id}/second-factor").delete(OWNER_AGAIN),
    at("/api/v1/users/{id}/sessions").get(OWNER),
    at("/api/v1/users/{id}/sessions/{session}").delete(OWNER),
    at("/api/v1/accounts/{account}/activity").get(VIEWER),
    at("/api/v1/accounts/{account}/activity/weeks/{day}").get(VIEWER),
    at("/api/v1/accounts/{account}/blocked").get(VIEWER),
    at("/api/v1/accounts/{account}/blocked/{key}").delete(OPERATOR),
    at("/api/v1/accounts/{account}/credentials").get(VIEWER),
    at("/api/v1/accounts/{account}/credentials/former").get(VIEWER).delete(ADMIN),
    at("/api/v1/accounts/{account}/deleted").get(VIEWER),
    at("/api/v1/accounts/{account}/deleted/{key}/reveal").post(ADMIN_AGAIN),
    at("/api/v1/accounts/{account}/devices/{key}/actions/{action}").post(OPERATOR),
    at("/api/v1/accounts/{account}/devices/{key}/reveal").post(ADMIN_AGAIN),
    at("/api/v1/accounts/{account}/pending").get(VIEWER),
    at("/api/v1/accounts/{account}/pending/{action}").post(OPERATOR),
    at("/api/v1/accounts/{account}/coming-up").get(VIEWER),
    at("/api/v1/accounts/{account}/deployment").get(VIEWER),
    at("/api/v1/accounts/{account}/deployment/devices/{key}").get(VIEWER).put(ADMIN),
    at("/api/v1/accounts/{account}/deployment/{container}/{id}").get(VIEWER).put(ADMIN),
    at("/api/v1/accounts/{account}/deployment/global").get(VIEWER).put(ADMIN),
    at("/api/v1/accounts/{account}/devices").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/devices/delete").post(ADMIN),
    at("/api/v1/accounts/{account}/devices/export").get(VIEWER).post(ADMIN_AGAIN),
    at("/api/v1/accounts/{account}/devices/import").post(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}").get(VIEWER).put(ADMIN).patch(ADMIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/certificate").get(VIEWER).put(ADMIN),
    at("/api/v1/accounts/{account}/what-if").get(VIEWER),
    at("/api/v1/accounts/{account}/what-if/{file}").get(VIEWER),
    at("/api/v1/accounts/{account}/devices/{key}/compare/{other}").get(VIEWER),
    at("/api/v1/accounts/{account}/devices/{key}/effective").get(VIEWER),
    at("/api/v1/accounts/{account}/devices/{key}/effective/{file}").get(VIEWER),
    at("/api/v1/accounts/{account}/devices/{key}/files").get(VIEWER),
    at("/api/v1/accounts/{account}/devices/files").post(ADMIN),
    at("/api/v1/accounts/{account}/devices/directories/merge").post(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/files/{name}").get(ADMIN_AGAIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/files/{name}/delete-value").post(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/files/{name}/difference").get(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/files/{name}/restore").post(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/files/{name}/versions").get(VIEWER),
    at("/api/v1/accounts/{account}/devices/{key}/overrides").get(VIEWER),
    at("/api/v1/accounts/{account}/devices/{key}/log-archive").get(OPERATOR),
    at("/api/v1/accounts/{account}/devices/{key}/log-lines").get(OPERATOR),
    at("/api/v1/accounts/{account}/devices/lines").put(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/lines").get(VIEWER).put(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/logs").get(VIEWER).delete(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/logs/{name}").get(OPERATOR).delete(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/runs").get(VIEWER),
    at("/api/v1/accounts/{account}/default-groups").get(VIEWER).put(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/groups").get(VIEWER).put(ADMIN),
    at("/api/v1/accounts/{account}/groups").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/groups/delete").post(ADMIN),
    at("/api/v1/accounts/{account}/groups/{id}").get(VIEWER).put(ADMIN).patch(ADMIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/groups/{id}/members").post(ADMIN),
    at("/api/v1/accounts/{account}/groups/{id}/top-priority").post(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/downloads").get(VIEWER),
    at("/api/v1/accounts/{account}/images").get(VIEWER),
    at("/api/v1/accounts/{account}/images/limits").get(VIEWER).put(OWNER),
    at("/api/v1/accounts/{account}/images/uploads").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/images/uploads/{upload}").get(VIEWER).put(ADMIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/images/uploads/{upload}/answer").post(ADMIN),
    at("/api/v1/accounts/{account}/images/uploads/{upload}/finish").post(ADMIN),
    at("/api/v1/accounts/{account}/images/{id}").get(VIEWER).delete(ADMIN),
    at("/api/v1/accounts/{account}/images/{id}/packages").delete(ADMIN),
    at("/api/v1/accounts/{account}/images/{id}/packages/{number}").get(ADMIN),
    at("/api/v1/accounts/{account}/images/{id}/license").put(ADMIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/images/{id}/license/reveal").post(ADMIN_AGAIN),
    at("/api/v1/accounts/{account}/manufacturers").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/manufacturers/{fingerprint}").delete(ADMIN),
    at("/api/v1/accounts/{account}/people").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/people/delete").post(ADMIN),
    at("/api/v1/accounts/{account}/people/{id}").get(VIEWER).put(ADMIN).patch(ADMIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/person-groups").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/person-groups/delete").post(ADMIN),
    at("/api/v1/accounts/{account}/person-groups/{id}").get(VIEWER).put(ADMIN).patch(ADMIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/rooms").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/rooms/delete").post(ADMIN),
    at("/api/v1/accounts/{account}/rooms/{id}").get(VIEWER).put(ADMIN).patch(ADMIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/people/{id}/groups").get(VIEWER).put(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/owner").put(ADMIN),
    at("/api/v1/accounts/{account}/devices/owner").post(ADMIN),
    at("/api/v1/accounts/{account}/person-groups/{id}/members").post(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/software").get(VIEWER),
    at("/api/v1/accounts/{account}/devices/{key}/software/allow-downgrade").post(ADMIN),
    at("/api/v1/accounts/{account}/software/allow-downgrades").post(ADMIN),
    at("/api/v1/accounts/{account}/devices/{key}/software/try-again").post(ADMIN),
    at("/api/v1/accounts/{account}/software/report").get(VIEWER),
    at("/admin/software/report").get(VIEWER),
    at("/api/v1/accounts/{account}/profiles").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/profiles/delete").post(ADMIN),
    at("/api/v1/accounts/{account}/profiles/export").get(VIEWER),
    at("/api/v1/accounts/{account}/profiles/export/secrets").get(ADMIN_AGAIN),
    at("/api/v1/accounts/{account}/profiles/import").post(ADMIN),
    at("/api/v1/accounts/{account}/profiles/import/archive").post(ADMIN),
    at("/api/v1/accounts/{account}/profiles/{id}/history").get(VIEWER),
    at("/api/v1/accounts/{account}/profiles/{id}").get(VIEWER).put(ADMIN).patch(ADMIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/profiles/{id}/copy").post(ADMIN),
    at("/api/v1/accounts/{account}/profiles/{id}/import").post(ADMIN),
    at("/api/v1/accounts/{account}/profiles/{id}/uses").get(VIEWER),
    at("/api/v1/accounts/{account}/recycle-bin").get(VIEWER),
    at("/api/v1/accounts/{account}/recycle-bin/delete").post(ADMIN),
    at("/api/v1/accounts/{account}/recycle-bin/restore").post(ADMIN),
    at("/api/v1/accounts/{account}/recycle-bin/{deletion}").get(VIEWER),
    at("/api/v1/accounts/{account}/resources").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/resources/delete").post(ADMIN),
    at("/api/v1/accounts/{account}/resources/{id}").get(VIEWER).patch(ADMIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/resources/{id}/content").get(ADMIN_AGAIN).put(ADMIN),
    at("/api/v1/accounts/{account}/revocation-lists").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/revocation-lists/{fingerprint}").delete(ADMIN),
    at("/api/v1/accounts/{account}/runs").get(VIEWER),
    at("/api/v1/accounts/{account}/schema").get(VIEWER).patch(ADMIN),
    at("/api/v1/accounts/{account}/schema/rollback").post(ADMIN),
    at("/api/v1/accounts/{account}/schema/uploads").post(ADMIN),
    at("/api/v1/accounts/{account}/schema/uploads/{id}").delete(ADMIN),
    at("/api/v1/accounts/{account}/schema/parameters").get(VIEWER),
    at("/api/v1/accounts/{account}/schema/parameters/{name}").get(VIEWER),
    at("/api/v1/accounts/{account}/settings").get(VIEWER).patch(ADMIN),
    at("/api/v1/accounts/{account}/settings/reveal").post(ADMIN_AGAIN),
    at("/api/v1/accounts/{account}/window").get(VIEWER).post(OPERATOR).delete(OPERATOR),
    at("/api/v1/accounts/{account}/sites").get(VIEWER).post(ADMIN),
    at("/api/v1/accounts/{account}/sites/delete").post(ADMIN),
    at("/api/v1/accounts/{account}/sites/export").get(VIEWER),
    at("/api/v1/accounts/{account}/sites/import").post(ADMIN),
    at("/api/v1/accounts/{account}/sites/match").get(VIEWER),
    at("/api/v1/accounts/{account}/sites/{id}").get(VIEWER).put(ADMIN).patch(ADMIN).delete(ADMIN),
    at("/api/v1/accounts/{account}/pending-moves").get(VIEWER),
    at("/api/v1/accounts/{account}/pending-moves/{answer}").post(ADMIN),
    at("/api/v1/accounts/{account}/tokens").get(ADMIN).post(ADMIN_AGAIN),
    at("/api/v1/accounts/{account}/tokens/{id}").delete(ADMIN),
    at("/api/v1/accounts/{account}/views").get(VIEWER).post(VIEWER),
    at("/api/v1/accounts/{account}/views/{id}").patch(VIEWER).delete(VIEWER),
];

/// What the table says of an address as it is registered.
pub fn declared(method: &Method, path: &str) -> Option<Least> {
    let line = PAGES.iter().chain(OPERATIONS).find(|line| line.path == path)?;
    let column = METHODS.iter().position(|known| known == method)?;
    line.roles[column]
}

/// All methods and addresses of the table.
pub fn all() -> impl Iterator<Item = (Method, &'static str)> {
    let lines = PAGES.iter().chain(OPERATIONS);
    lines.flat_map(|line| METHODS.into_iter().zip(line.roles).filter_map(|(method, role)| role.map(|_| (method, line.path))))
}

/// Who may ask for an address of the table, or of none.
pub(super) fn least(method: &Method, path: &str) -> Least {
    declared(method, path).unwrap_or(OWNER)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_address_stands_in_the_table_twice() {
        let mut seen = BTreeSet::new();
        for line in PAGES.iter().chain(OPERATIONS) {
            assert!(seen.insert(line.path), "{} stands there twice", line.path);
            assert!(line.roles.iter().any(Option::is_some), "{} takes nothing", line.path);
        }
    }

    #[test]
    fn what_the_table_does_not_name_is_for_owners_alone() {
        assert_eq!(declared(&Method::GET, "/admin/nothing"), None);
        assert_eq!(least(&Method::GET, "/admin/nothing"), OWNER);
        assert_eq!(least(&Method::DELETE, "/admin/devices"), OWNER);
    }

    /// What a viewer may send is about the viewer alone, or only reads: a form with more ticks than an address takes.
    #[test]
    fn whatever_changes_something_takes_more_than_a_viewer() {
        let own = [
            "/sign-in",
            "/sign-out",
            "/invitation",
            "/session",
            "/sessions",
            "/theme",
            "/setup",
            "/account",
            "/confirm",
            "/views",
        ];
        let reads = ["/admin/profiles/export"];
        for (method, path) in all().filter(|(method, path)| *method != Method::GET && !reads.contains(path)) {
            let is_own = own.iter().any(|word| {
                let rest =
                    path.trim_start_matches("/admin").trim_start_matches("/api/v1").trim_start_matches("/accounts/{account}");
                let rest = rest.strip_prefix(word);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            let is_open = matches!(least(&method, path), Least::Anyone | Least::Role(Role::Viewer));
            assert!(!is_open || is_own, "{method} {path}");
        }
    }
}
