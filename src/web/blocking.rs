//! The one way from asynchronous handlers into services that may wait for the disk or hash a password.

use actix_web::web;

use crate::services::Services;
use crate::services::error::ServiceError;

/// Runs a call of services on a thread that may block.
///
/// # Errors
/// What the service reports, or [`ServiceError::Interrupted`] where the thread did not come to an end.
pub async fn call<T: Send + 'static>(
    services: &web::Data<Services>,
    work: impl FnOnce(&Services) -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    let services = services.clone();
    web::block(move || work(&services)).await.unwrap_or(Err(ServiceError::Interrupted))
}
