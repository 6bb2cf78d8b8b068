//! One simulated phone: what it remembers, and what it does by itself. A [`Run`] is what it does with a server.
//!
//! A phone knows nothing of sockets: [`Phone::wants`] says what it wants, [`Phone::take`] hears what came of it. So every rule can be
//! tested on given answers, and the same phone walks over a real network in [`super::fleet`].

use jiff::Timestamp;

use crate::domain::mac::Mac;

use super::address::{self, Dhcp};
use super::boot::Program;
use super::firmware::Software;
use super::memory::{Layer, Line, Memory};
use super::models::Model;
use super::polling::{self, Clock};
use super::rules::{Rule, Rules};
use super::run::{Report, Run};
use super::trust::{BuiltIn, Trust};
use super::wire::{Answer, Move};

/// What makes a phone ask its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Power, a restart, a reboot: Updater and Application.
    Boot,
    /// Its own time has come: Application only (rule 19).
    Poll,
    /// It was told to by SIP: Application only (rule 21).
    CheckSync,
}

/// How a phone answers a check-sync (rule 21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckSync {
    /// It re-reads its files now.
    Now,
    /// It waits for the call to end.
    AfterCall,
}

/// One simulated phone.
#[derive(Clone, Debug)]
pub struct Phone {
    /// Its model.
    pub model: &'static Model,
    /// Its MAC address.
    pub mac: Mac,
    /// What DHCP tells it.
    pub dhcp: Dhcp,
    /// What it remembers.
    pub memory: Memory,
    /// Which readings of the rules it follows.
    pub rules: Rules,
    /// When it last started.
    pub started: Timestamp,
    built_in: BuiltIn,
    run: Option<Run>,
}

impl Phone {
    /// A phone from the box on a network that gives the time.
    pub fn new(model: &'static Model, mac: Mac, rules: Rules, built_in: BuiltIn) -> Self {
        let software = Software::factory(model.application, model.updater);
        Self {
            model,
            mac,
            dhcp: Dhcp { option_42: true, ..Dhcp::default() },
            memory: Memory::new(software),
            rules,
            started: Timestamp::UNIX_EPOCH,
            built_in,
            run: None,
        }
    }

    /// Somebody types the server's address and credentials into the menu: they go to flash.
    pub fn point_at(&mut self, address: &str, user: &str, password: &str) {
        self.memory.flash.write("device.prov.serverName", address);
        self.memory.flash.write("device.prov.user", user);
        self.memory.flash.write("device.prov.password", password);
    }

    /// A phone that knows none of the certificate authorities.
    pub fn forget_built_in(&mut self) {
        self.built_in = BuiltIn::from(Vec::new());
    }

    /// Begins a run. Answers false where the phone knows no server: then it goes on with what it has.
    pub fn begin(&mut self, occasion: Occasion, now: Timestamp) -> bool {
        if occasion == Occasion::Boot {
            self.started = now;
        }
        let server = address::boot_server(&self.memory.flash, &self.dhcp, self.rules);
        self.run = server.map(|(server, credentials)| Run::new(self, occasion, server, credentials));
        self.run.is_some()
    }

    /// What the phone wants next; none when its run is over.
    pub fn wants(&mut self) -> Option<Move> {
        let mut run = self.run.take()?;
        let next = run.next(self);
        self.run = Some(run);
        next
    }

    /// Hears what came of the last move.
    pub fn take(&mut self, answer: Answer) {
        if let Some(mut run) = self.run.take() {
            run.take(self, answer);
            self.run = Some(run);
        }
    }

    /// The power fails: nothing of the run is left but what was written before.
    pub fn lose_power(&mut self) {
        self.run = None;
    }

    /// Ends the run and tells what came of it. Before [`Phone::wants`] has answered none, this is pulling the plug.
    pub fn end(&mut self) -> Report {
        self.memory.note_line();
        self.run.take().map(Run::into_report).unwrap_or_default()
    }

    /// What the phone goes by at its next connection (rules 15, 16).
    pub fn trust(&self) -> Trust {
        match &self.run {
            Some(run) if !self.rules.alternative(Rule::PushedTrust) => run.trust().clone(),
            _ => self.present_trust(),
        }
    }

    pub(super) fn present_trust(&self) -> Trust {
        let named = self.memory.flash.get("device.sntp.serverName").or(self.memory.effective("tcpIpApp.sntp.address"));
        let knows_time = self.dhcp.option_42 || named.is_some_and(|name| !name.is_empty());
        Trust::of(&self.memory.flash, &self.built_in, knows_time)
    }

    /// The User-Agent of one of its programs (protocol/provisioning.md 3.1).
    pub fn user_agent(&self, program: Program) -> String {
        let software = &self.memory.software;
        let (version, word) = match program {
            Program::Updater => (&software.updater, "Updater"),
            Program::Application => (&software.application, "Application"),
        };
        let mut text = format!("FileTransport {}/{version}", self.model.agent);
        if self.memory.flash.get("device.prov.tagSerialNo") == Some("1") {
            text += &format!(" (SN:{})", self.mac);
        }
        if self.model.names_program {
            text += &format!(" Type/{word}");
        }
        text
    }

    /// How its first line stands (rule 25).
    pub fn line(&self) -> Line {
        self.memory.line()
    }

    /// Whether the desk is dead (rule 25).
    pub fn is_dead(&self) -> bool {
        self.line() == Line::Dead
    }

    /// Someone changes a setting at the phone; it is uploaded at the next occasion (rule 6).
    pub fn change(&mut self, layer: Layer, name: &str, value: &str) {
        self.memory.change(layer, name, value);
    }

    /// Someone resets the phone to factory settings (rules 7, 8).
    pub fn factory_reset(&mut self) {
        self.memory.factory_reset();
    }

    /// A check-sync arrives (rule 21).
    pub fn check_sync(&self, in_call: bool) -> CheckSync {
        if in_call && !self.rules.alternative(Rule::CheckSyncInCall) { CheckSync::AfterCall } else { CheckSync::Now }
    }

    /// When the phone polls next, by its own clock (rule 20).
    pub fn next_poll(&self, now: Timestamp) -> Option<Timestamp> {
        let parameter = |name: &str| self.memory.effective(name).map(str::to_owned);
        let clock = Clock { parameter: &parameter, dhcp_offset: self.dhcp.option_2 };
        polling::next_poll(&clock, self.mac, self.started, now)
    }
}
