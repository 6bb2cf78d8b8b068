//! What a User-Agent tells of a phone.
