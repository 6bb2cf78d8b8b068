//! The only place where failures of services become HTTP statuses; pages and API differ in form alone.

use actix_web::http::StatusCode;

use crate::services::error::ServiceError;

/// The status of a failure.
pub fn status(error: &ServiceError) -> StatusCode {
    match error {
        ServiceError::NotFound { .. } | ServiceError::Absent(_) => StatusCode::NOT_FOUND,
        ServiceError::Conflict(_) | ServiceError::ReadOnly(_) | ServiceError::Unconfirmed => StatusCode::CONFLICT,
        ServiceError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ServiceError::Denied(_) => StatusCode::FORBIDDEN,
        error if error.is_disk_full() => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Whether the failure is a fault of the server: its words and causes belong into the log, under an id, and not to the caller.
pub fn is_fault(error: &ServiceError) -> bool {
    status(error) == StatusCode::INTERNAL_SERVER_ERROR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_and_no_secret_of_ours() {
        let full = ServiceError::file("write", "/x")(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!((status(&full), is_fault(&full)), (StatusCode::INSUFFICIENT_STORAGE, false));
        let lost = ServiceError::file("read", "/secret/place")(std::io::Error::other("disk"));
        assert!(is_fault(&lost));
    }
}
