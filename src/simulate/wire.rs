//! What passes between a phone and its server: a request, and what came back. No sockets here.

use super::address::Address;

/// The methods a phone uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Fetch.
    Get,
    /// Ask for a log's length.
    Head,
    /// Upload.
    Put,
}

impl Method {
    /// The method as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
        }
    }
}

/// How much of the answer's body a phone wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of it.
    Whole,
    /// The first bytes; then it decides whether to read on or to hang up (rule 17).
    Opening(usize),
}

/// One request of a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// The server it goes to. Its path is the directory that the phone's own path was joined to.
    pub server: Address,
    /// Absolute path.
    pub path: String,
    /// Headers that the phone gives, but for those of the transport (`Host`, `Content-Length`, `Connection`).
    pub headers: Vec<(&'static str, String)>,
    /// Body of an upload.
    pub body: Vec<u8>,
    /// How much of the answer is read.
    pub reading: Reading,
    /// Seconds that the phone waits before it sends this.
    pub after_seconds: u32,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What a phone wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Send this. An answer that was not read to its end is left by hanging up.
    Send(Request),
    /// Read the rest of the present answer.
    ReadOn,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An answer with a status.
    Reply(Reply),
    /// No connection, no handshake, or a connection that ended before the answer did.
    Cut,
}

/// An answer with a status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The values of `WWW-Authenticate`.
    pub challenges: Vec<String>,
    /// What was read of the body.
    pub body: Vec<u8>,
    /// The body's whole length as the server told it.
    pub length: Option<u64>,
}

impl Reply {
    /// A reply with a status and a body that came whole.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { status, challenges: Vec::new(), length: u64::try_from(body.len()).ok(), body }
    }

    /// A 401 that asks for Basic credentials.
    pub fn challenge() -> Self {
        Self { challenges: vec!["Basic realm=\"phones\"".to_owned()], ..Self::new(401, "") }
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}
