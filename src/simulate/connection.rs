//! One connection of a phone: writes requests, reads answers. HTTP/1.1 as far as phones go: no chunks, no compression, no redirects.

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::network::Stream;
use super::wire::{Method, Reading, Reply, Request};

/// An answer's head may have this many bytes.
const HEAD_BYTES: usize = 16 * 1024;
const HEADERS: usize = 64;

/// How the bytes of a request reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// At once.
    Whole,
    /// The first half, and then nothing more.
    Half,
    /// In small pieces with a pause between.
    Slowly,
}

/// An open connection with what was read ahead.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    ahead: Vec<u8>,
    /// Bytes of the present answer's body that were not read yet.
    rest: u64,
    closing: bool,
    /// Whether a byte of an answer to the last request came.
    heard: bool,
}

struct Head {
    status: u16,
    challenges: Vec<String>,
    length: Option<u64>,
    closing: bool,
}

impl Connection {
    /// A connection on a stream.
    pub fn new(stream: Stream) -> Self {
        Self { stream, ahead: Vec::new(), rest: 0, closing: false, heard: false }
    }

    /// Whether another request may go over it.
    pub fn is_open(&self) -> bool {
        !self.closing && self.rest == 0
    }

    /// Whether any byte of an answer to the last request came.
    pub fn has_heard(&self) -> bool {
        self.heard
    }

    /// Sends a request, or part of it.
    pub async fn send(&mut self, request: &Request, sending: Sending) -> io::Result<()> {
        let mut bytes =
            format!("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method.as_str(), request.path, request.server.authority());
        for (name, value) in &request.headers {
            bytes += &format!("{name}: {value}\r\n");
        }
        bytes += "Accept: */*\r\n";
        if request.method == Method::Put {
            bytes += &format!("Content-Length: {}\r\n", request.body.len());
        }
        bytes += "\r\n";
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(&request.body);
        self.heard = false;
        match sending {
            Sending::Whole => self.write(&bytes).await,
            Sending::Half => self.write(&bytes[..bytes.len() / 2]).await,
            Sending::Slowly => {
                for piece in bytes.chunks(bytes.len().div_ceil(8)) {
                    self.write(piece).await?;
                    tokio::time::sleep(Duration::from_millis(40)).await;
                }
                Ok(())
            }
        }
    }

    /// Reads an answer, its body as far as the phone wants it.
    pub async fn receive(&mut self, method: Method, reading: Reading) -> io::Result<Reply> {
        let head = self.head().await?;
        let bodiless = method == Method::Head || matches!(head.status, 100..=199 | 204 | 304);
        let length = if bodiless { Some(0) } else { head.length };
        self.closing = head.closing || length.is_none();
        let wanted = match (length, reading) {
            (Some(length), Reading::Opening(bytes)) => length.min(u64::try_from(bytes).unwrap_or(u64::MAX)),
            (Some(length), Reading::Whole) => length,
            (None, _) => u64::MAX,
        };
        self.rest = length.unwrap_or(u64::MAX);
        let mut body = Vec::new();
        self.read_body(&mut body, wanted).await?;
        Ok(Reply { status: head.status, challenges: head.challenges, body, length: head.length })
    }

    /// Reads the rest of an answer that was opened.
    pub async fn read_on(&mut self, mut opened: Reply) -> io::Result<Reply> {
        self.read_body(&mut opened.body, u64::MAX).await?;
        Ok(opened)
    }

    /// Reads a third of the rest of an answer that was opened, and nothing more ever.
    pub async fn read_a_third(&mut self) -> io::Result<()> {
        self.closing = true;
        self.read_body(&mut Vec::new(), self.rest / 3).await
    }

    async fn read_body(&mut self, body: &mut Vec<u8>, wanted: u64) -> io::Result<()> {
        let mut wanted = wanted.min(self.rest);
        while wanted > 0 {
            if self.ahead.is_empty() && self.read().await? == 0 {
                // Without a length, the end of the connection is the end of the body.
                return if self.rest > u64::MAX / 2 {
                    self.rest = 0;
                    Ok(())
                } else {
                    Err(ErrorKind::UnexpectedEof.into())
                };
            }
            let taken = self.ahead.len().min(usize::try_from(wanted).unwrap_or(usize::MAX));
            body.extend(self.ahead.drain(..taken));
            let taken = u64::try_from(taken).unwrap_or(u64::MAX);
            wanted -= taken;
            self.rest -= taken;
        }
        Ok(())
    }

    async fn head(&mut self) -> io::Result<Head> {
        loop {
            if let Some((head, length)) = parse(&self.ahead)? {
                self.ahead.drain(..length);
                return Ok(head);
            }
            if self.ahead.len() > HEAD_BYTES {
                return Err(io::Error::other("the answer's head has no end"));
            }
            if self.read().await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes).await,
            Stream::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.ahead.reserve(8 * 1024);
        let count = match &mut self.stream {
            Stream::Plain(stream) => stream.read_buf(&mut self.ahead).await?,
            Stream::Tls(stream) => stream.read_buf(&mut self.ahead).await?,
        };
        self.heard |= count > 0;
        Ok(count)
    }
}

/// Reads a head, if it has come whole; answers its length too.
fn parse(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes).map_err(io::Error::other)? else { return Ok(None) };
    let mut head = Head { status: response.code.unwrap_or(0), challenges: Vec::new(), length: None, closing: false };
    for header in response.headers.iter() {
        let value = String::from_utf8_lossy(header.value);
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => head.length = value.trim().parse().ok(),
            "www-authenticate" => head.challenges.push(value.into_owned()),
            "connection" => head.closing = value.eq_ignore_ascii_case("close"),
            "transfer-encoding" | "content-encoding" => {
                return Err(io::Error::other("a chunked or compressed answer, which phones do not read"));
            }
            _ => {}
        }
    }
    Ok(Some((head, length)))
}
