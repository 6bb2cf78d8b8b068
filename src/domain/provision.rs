//! From effective parameters to the two files a phone gets: binding, base, master attributes.
