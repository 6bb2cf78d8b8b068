//! One run of a phone over a real network: carries what it wants to the server and tells it what came of it.

use std::io;
use std::time::{Duration, Instant};

use super::connection::{Connection, Sending};
use super::faults::Fault;
use super::network::{Network, PATIENCE};
use super::phone::{Occasion, Phone};
use super::run::Report;
use super::wire::{Answer, Method, Move, Reading, Reply, Request};

/// One request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Method.
    pub method: Method,
    /// Absolute path.
    pub path: String,
    /// Status; none where the connection failed.
    pub status: Option<u16>,
    /// How long it took, connecting included.
    pub took: Duration,
    /// What was read of the answer's body.
    pub body: Vec<u8>,
    /// Why the connection failed.
    pub trouble: Option<String>,
}

/// A run that is over.
#[derive(Clone, Debug, Default)]
pub struct Journey {
    /// What the phone makes of it.
    pub report: Report,
    /// Its requests, in order.
    pub exchanges: Vec<Exchange>,
}

/// A run under way. Dropped in the middle, it is the plug that was pulled.
pub struct Trip<'a> {
    phone: &'a mut Phone,
    line: Line<'a>,
    exchanges: Vec<Exchange>,
}

/// The phone's end of the line.
struct Line<'a> {
    network: &'a Network,
    fault: Option<Fault>,
    /// The open connection with the server it leads to.
    connection: Option<(String, Connection)>,
    opened: Option<Reply>,
    count: usize,
}

/// Walks a phone through one run. A phone that knows no server does nothing.
pub async fn travel(phone: &mut Phone, occasion: Occasion, network: &Network, fault: Option<Fault>) -> Journey {
    let mut trip = Trip::new(phone, occasion, network, fault);
    while trip.step().await.is_some() {}
    trip.end()
}

impl<'a> Trip<'a> {
    /// Begins a run.
    pub fn new(phone: &'a mut Phone, occasion: Occasion, network: &'a Network, fault: Option<Fault>) -> Self {
        phone.begin(occasion, network.now());
        let line = Line { network, fault, connection: None, opened: None, count: 0 };
        Self { phone, line, exchanges: Vec::new() }
    }

    /// Does the next thing that the phone wants and answers what came of it; none when the run is over.
    pub async fn step(&mut self) -> Option<&Exchange> {
        let next = self.phone.wants()?;
        let begun = Instant::now();
        let (answer, trouble) = match tokio::time::timeout(PATIENCE, self.line.carry(self.phone, &next)).await {
            Ok(Ok(reply)) => (Answer::Reply(reply), None),
            Ok(Err(error)) => (Answer::Cut, Some(error.to_string())),
            Err(_) => (Answer::Cut, Some(format!("no answer in {} s", PATIENCE.as_secs()))),
        };
        let (status, body) = match &answer {
            Answer::Reply(reply) => (Some(reply.status), reply.body.clone()),
            Answer::Cut => {
                self.line.connection = None;
                (None, Vec::new())
            }
        };
        match (&next, self.line.fault) {
            (Move::ReadOn, Some(Fault::PowerCut)) => self.phone.lose_power(),
            _ => self.phone.take(answer),
        }
        let took = begun.elapsed();
        match next {
            Move::Send(Request { method, path, .. }) => {
                self.exchanges.push(Exchange { method, path, status, took, body, trouble });
            }
            Move::ReadOn => {
                if let Some(last) = self.exchanges.last_mut() {
                    last.took += took;
                    (last.body, last.status, last.trouble) = (body, status, trouble);
                }
            }
        }
        self.exchanges.last()
    }

    /// Ends the run.
    pub fn end(self) -> Journey {
        Journey { report: self.phone.end(), exchanges: self.exchanges }
    }
}

impl Line<'_> {
    async fn carry(&mut self, phone: &Phone, next: &Move) -> io::Result<Reply> {
        let request = match next {
            Move::Send(request) => request,
            Move::ReadOn => {
                let opened = self.opened.take().ok_or(io::ErrorKind::NotConnected)?;
                let (_, connection) = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
                if self.fault == Some(Fault::PowerCut) {
                    connection.read_a_third().await?;
                    return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the power failed on purpose"));
                }
                return connection.read_on(opened).await;
            }
        };
        self.count += 1;
        tokio::time::sleep(Duration::from_secs(u64::from(request.after_seconds))).await;
        if self.fault.is_some_and(|fault| fault.cuts(self.count)) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cut on purpose"));
        }
        let on_purpose = self.fault.is_some_and(|fault| fault.hangs_up(self.count));
        let kept = self.connection.as_ref().is_some_and(|(_, connection)| connection.is_open());
        let reply = match self.exchange(phone, request).await {
            // The server may have closed a kept connection meanwhile: once more over a new one, as every client does.
            Err(_) if kept && !on_purpose && !self.connection.as_ref().is_some_and(|(_, connection)| connection.has_heard()) => {
                self.connection = None;
                self.exchange(phone, request).await
            }
            outcome => outcome,
        }?;
        self.opened = matches!(request.reading, Reading::Opening(_)).then(|| reply.clone());
        Ok(reply)
    }

    async fn exchange(&mut self, phone: &Phone, request: &Request) -> io::Result<Reply> {
        let authority = request.server.authority();
        let kept = self.connection.take().filter(|(peer, connection)| *peer == authority && connection.is_open());
        let connection = match kept {
            Some((_, connection)) => connection,
            None => Connection::new(self.network.connect(phone.mac, &request.server, &phone.trust()).await?),
        };
        let (_, connection) = self.connection.insert((authority, connection));
        let sending = self.fault.map_or(Sending::Whole, |fault| fault.sending(self.count));
        connection.send(request, sending).await?;
        if self.fault.is_some_and(|fault| fault.hangs_up(self.count)) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "hung up on purpose"));
        }
        connection.receive(request.method, request.reading).await
    }
}
