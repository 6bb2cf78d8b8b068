//! Time zones as phones know them: an offset and a daylight-saving rule.
