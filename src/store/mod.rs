//! The database: redb behind typed tables. No redb type leaves this folder.
