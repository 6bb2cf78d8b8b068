//! One run of a phone: the requests of a boot or poll in order, and what each answer leads to.

use std::collections::VecDeque;

use super::address::{Address, own_address};
use super::boot::{Errand, Log, Program, Step};
use super::credentials::Credentials;
use super::files::{self, Master};
use super::firmware::{Decision, Installation, OPENING_BYTES};
use super::memory::{Directory, Fetched, Layer};
use super::phone::{Occasion, Phone};
use super::rules::Rule;
use super::trust::Trust;
use super::wire::{Answer, Method, Move, Reading, Reply, Request};

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// A master file came.
    pub master: bool,
    /// Every listed file came and the configuration was taken up.
    pub configured: bool,
    /// The phone restarts now: a value in flash, a parameter, or an image needs it (rules 9, 18, 21, 26).
    pub restart: bool,
    /// Files that could not be had, with the status, or none where the connection was cut. Missing optional files do not count.
    pub missing: Vec<(String, Option<u16>)>,
    /// Uploads that were not taken (rule 23).
    pub uploads_lost: u32,
    /// Names in the files that the phone does not know (rule 22).
    pub unknown: u32,
    /// Files that were not well-formed (rule 22).
    pub ill_formed: u32,
    /// What came of an image that was fetched whole.
    pub installation: Option<Installation>,
    /// The requests in order, as the phone's own log has them.
    pub trail: Vec<String>,
}

/// What one request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    Master { site: bool },
    Image { combined: bool },
    File,
    Overrides(Layer),
    Optional,
    Directory { seed: bool },
    Upload(Option<Layer>),
}

/// One file to fetch or upload, with how far the phone has got with it.
#[derive(Clone, Debug)]
struct Task {
    purpose: Purpose,
    program: Program,
    method: Method,
    server: Address,
    path: String,
    body: Vec<u8>,
    authorization: Option<String>,
    refused: u32,
    after_seconds: u32,
    reads_on: bool,
}

/// A run in progress.
#[derive(Clone, Debug)]
pub struct Run {
    occasion: Occasion,
    server: Address,
    credentials: Option<Credentials>,
    trust: Trust,
    plan: VecDeque<Step>,
    tasks: VecDeque<Task>,
    master: Option<Master>,
    listed: Vec<(String, Fetched)>,
    answers: u32,
    report: Report,
}

impl Run {
    /// The run of an occasion (rule 19).
    pub(super) fn new(phone: &Phone, occasion: Occasion, server: Address, credentials: Option<Credentials>) -> Self {
        let steps = match occasion {
            Occasion::Boot => phone.model.boot,
            _ if phone.rules.alternative(Rule::PollOrder) => phone.model.boot,
            _ => phone.model.poll,
        };
        let spoken = |step: &&Step| occasion == Occasion::Boot || step.program == Program::Application;
        Self {
            occasion,
            // Credentials of the address have been weighed against those in flash (rule 11).
            server: Address { credentials: None, ..server },
            credentials,
            trust: phone.present_trust(),
            plan: steps.iter().filter(spoken).copied().collect(),
            tasks: VecDeque::new(),
            master: None,
            listed: Vec::new(),
            answers: 0,
            report: Report::default(),
        }
    }

    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    pub(super) fn into_report(self) -> Report {
        self.report
    }

    /// What the phone wants next.
    pub(super) fn next(&mut self, phone: &mut Phone) -> Option<Move> {
        while self.tasks.is_empty() {
            let step = self.plan.pop_front()?;
            self.unfold(phone, step);
        }
        let task = self.tasks.front_mut()?;
        if task.reads_on {
            return Some(Move::ReadOn);
        }
        if task.authorization.is_none() && phone.rules.alternative(Rule::FirstRequest) {
            task.authorization = credentials_for(task, &self.server, self.credentials.as_ref()).map(Credentials::basic);
        }
        let mut headers = vec![("User-Agent", phone.user_agent(task.program))];
        if phone.model.agent.starts_with("G_SERIES") {
            let (mac, address) = (phone.mac.to_string(), own_address(phone.mac));
            headers.push(("X-Device", format!("8218{}/{mac}/{address}", &mac[2..])));
        }
        headers.extend(task.authorization.clone().map(|value| ("Authorization", value)));
        Some(Move::Send(Request {
            method: task.method,
            server: task.server.clone(),
            path: task.path.clone(),
            headers,
            body: task.body.clone(),
            reading: if matches!(task.purpose, Purpose::Image { .. }) { Reading::Opening(OPENING_BYTES) } else { Reading::Whole },
            after_seconds: task.after_seconds,
        }))
    }

    /// Hears an answer: asks again with credentials where that helps (rules 13, 14), else settles the file.
    pub(super) fn take(&mut self, phone: &mut Phone, answer: Answer) {
        let Some(mut task) = self.tasks.pop_front() else { return };
        let status = if let Answer::Reply(reply) = &answer { Some(reply.status) } else { None };
        self.report.trail.push(format!("{} {} {}", task.method.as_str(), task.path, status.unwrap_or(0)));
        self.answers += 1;
        if let Answer::Reply(Reply { status: 401, challenges, .. }) = &answer
            && self.asks_again(phone, &mut task, challenges)
        {
            self.tasks.push_front(task);
            return;
        }
        match answer {
            Answer::Reply(reply) if matches!(reply.status, 200..=299) => self.had(phone, task, reply),
            _ => self.not_had(phone, task, status),
        }
    }

    fn asks_again(&mut self, phone: &Phone, task: &mut Task, challenges: &[String]) -> bool {
        let Some(credentials) = credentials_for(task, &self.server, self.credentials.as_ref()) else { return false };
        let Some(answer) = credentials.answer(challenges, task.method.as_str(), &task.path, self.answers) else { return false };
        let sent = task.authorization.take();
        let other_scheme = sent.as_deref().is_some_and(|sent| sent.starts_with("Basic") && answer.starts_with("Digest"));
        if sent.is_none() || other_scheme {
            task.authorization = Some(answer);
            task.after_seconds = 0;
            return true;
        }
        let (limit, delay) = phone.memory.flash.attempts();
        task.refused += 1;
        if task.refused >= limit || phone.rules.alternative(Rule::RefusedCredentials) {
            return false;
        }
        task.after_seconds = delay;
        true
    }

    /// Turns a step into requests.
    fn unfold(&mut self, phone: &mut Phone, step: Step) {
        let mac = phone.mac;
        let own = |suffix: &str| format!("{mac}{suffix}");
        match step.errand {
            Errand::Master => {
                self.master = None;
                self.fetch(step.program, Purpose::Master { site: false }, &own(".cfg"));
            }
            Errand::Image => self.open_image(phone, step.program, false),
            Errand::Files => self.fetch_listed(step.program),
            Errand::PhoneOverrides => self.fetch_overrides(phone, step.program, Layer::Phone),
            Errand::WebOverrides => self.fetch_overrides(phone, step.program, Layer::Web),
            Errand::CloudOverrides => self.fetch_overrides(phone, step.program, Layer::Cloud),
            Errand::SiteLicence => {
                self.fetch_from(phone, step.program, Purpose::Optional, "LICENSE_DIRECTORY", "000000000000-license.cfg")
            }
            Errand::OwnLicence => {
                self.fetch_from(phone, step.program, Purpose::Optional, "LICENSE_DIRECTORY", &own("-license.cfg"))
            }
            Errand::Calls => self.fetch_from(phone, step.program, Purpose::Optional, "CALL_LISTS_DIRECTORY", &own("-calls.xml")),
            Errand::Directory => {
                let purpose = Purpose::Directory { seed: false };
                self.fetch_from(phone, step.program, purpose, "CONTACTS_DIRECTORY", &own("-directory.xml"));
            }
            Errand::LogLength => {
                self.fetch_from(phone, step.program, Purpose::Optional, "LOG_FILE_DIRECTORY", &own("-app.log"));
                self.tasks.iter_mut().for_each(|task| task.method = Method::Head);
            }
            Errand::Log(log) => {
                let body = self.log(phone, log);
                self.upload(phone, step.program, None, "LOG_FILE_DIRECTORY", &own(log.suffix()), body);
            }
            Errand::UploadPhoneOverrides => self.upload_overrides(phone, step.program, Layer::Phone),
            Errand::UploadWebOverrides => self.upload_overrides(phone, step.program, Layer::Web),
        }
    }

    fn task(program: Program, purpose: Purpose, server: Address, path: String) -> Task {
        let (method, body, authorization) = (Method::Get, Vec::new(), None);
        Task { purpose, program, method, server, path, body, authorization, refused: 0, after_seconds: 0, reads_on: false }
    }

    /// A file below the boot server's directory, or at an address of its own.
    fn fetch(&mut self, program: Program, purpose: Purpose, name: &str) {
        let elsewhere = if name.contains("://") { split_address(name) } else { None };
        let (server, path) = elsewhere.unwrap_or_else(|| (self.server.clone(), self.server.join(name)));
        self.tasks.push_back(Self::task(program, purpose, server, path));
    }

    /// A file below one of the directories that a master file named.
    fn fetch_from(&mut self, phone: &Phone, program: Program, purpose: Purpose, directory: &str, name: &str) {
        let name = match phone.memory.directories.get(directory) {
            Some(place) => format!("{}/{name}", place.trim_end_matches('/')),
            None => name.to_owned(),
        };
        self.fetch(program, purpose, &name);
    }

    fn upload(&mut self, phone: &Phone, program: Program, layer: Option<Layer>, directory: &str, name: &str, body: Vec<u8>) {
        self.fetch_from(phone, program, Purpose::Upload(layer), directory, name);
        if let Some(task) = self.tasks.back_mut() {
            task.method = Method::Put;
            task.body = body;
        }
    }

    fn fetch_overrides(&mut self, phone: &Phone, program: Program, layer: Layer) {
        let name = format!("{}{}", phone.mac, layer.suffix());
        self.fetch_from(phone, program, Purpose::Overrides(layer), "OVERRIDES_DIRECTORY", &name);
    }

    fn upload_overrides(&mut self, phone: &Phone, program: Program, layer: Layer) {
        let own = phone.memory.overrides(layer);
        if own.changed {
            let name = format!("{}{}", phone.mac, layer.suffix());
            self.upload(phone, program, Some(layer), "OVERRIDES_DIRECTORY", &name, files::write_overrides(&own.values));
        }
    }

    /// `<dir>/<part number>.<base>`, then `<dir>/<base>` (rule 17).
    fn open_image(&mut self, phone: &Phone, program: Program, combined: bool) {
        let Some(path) = self.master.as_ref().map(|master| master.image.as_deref().unwrap_or("sip.ld")) else { return };
        let name = match path.rsplit_once('/') {
            _ if combined => path.to_owned(),
            Some((directory, base)) => format!("{directory}/{}.{base}", phone.model.part_number),
            None => format!("{}.{path}", phone.model.part_number),
        };
        self.fetch(program, Purpose::Image { combined }, &name);
    }

    fn fetch_listed(&mut self, program: Program) {
        self.listed.clear();
        for name in self.master.as_ref().map(|master| master.files.clone()).unwrap_or_default() {
            self.fetch(program, Purpose::File, &name);
        }
        if self.master.as_ref().is_some_and(|master| master.files.is_empty()) {
            self.report.configured = false;
        }
    }

    fn log(&self, phone: &Phone, log: Log) -> Vec<u8> {
        let mut text = format!("{} {} {}\n", phone.model.name, phone.mac, log.suffix().trim_start_matches('-'));
        for line in &self.report.trail {
            text += &format!("cfg |3|00|{line}\n");
        }
        text.into_bytes()
    }

    /// The file came.
    fn had(&mut self, phone: &mut Phone, task: Task, reply: Reply) {
        match task.purpose {
            Purpose::Master { .. } => match Master::read(&reply.body, phone.model.name) {
                Ok(master) => self.had_master(phone, master),
                Err(files::IllFormed) => {
                    self.report.ill_formed += 1;
                    self.not_had(phone, task, Some(reply.status));
                }
            },
            Purpose::Image { .. } => self.had_image(phone, task, &reply),
            Purpose::File => {
                let file = self.read_parameters(phone, &reply.body);
                if file.is_none() {
                    self.report.missing.push((task.path.clone(), Some(reply.status)));
                }
                self.had_listed(phone, file);
            }
            Purpose::Overrides(layer) => match files::read_parameters(&reply.body) {
                Ok((values, _)) => phone.memory.take_overrides(layer, Some(values), phone.rules),
                Err(files::IllFormed) => self.report.ill_formed += 1,
            },
            Purpose::Directory { seed } => {
                let has_own = phone.memory.directory.as_ref().is_some_and(|directory| directory.own);
                if !seed || !has_own {
                    phone.memory.directory = Some(Directory { body: reply.body, own: !seed });
                }
            }
            Purpose::Upload(Some(layer)) => phone.memory.overrides_mut(layer).changed = false,
            Purpose::Upload(None) | Purpose::Optional => {}
        }
    }

    /// The file did not come: a status, or none where the connection was cut.
    fn not_had(&mut self, phone: &mut Phone, task: Task, status: Option<u16>) {
        let missing = (task.path.clone(), status);
        match task.purpose {
            Purpose::Master { site: false } => {
                if status == Some(404) || !phone.rules.alternative(Rule::FallbackMaster) {
                    self.fetch(task.program, Purpose::Master { site: true }, "000000000000.cfg");
                }
                self.report.missing.push(missing);
            }
            Purpose::Master { site: true } => self.report.missing.push(missing),
            Purpose::Image { combined: false } => self.open_image(phone, task.program, true),
            Purpose::Image { combined: true } => {}
            Purpose::File => {
                self.report.missing.push(missing);
                self.had_listed(phone, None);
            }
            Purpose::Overrides(layer) if status == Some(404) => phone.memory.take_overrides(layer, None, phone.rules),
            Purpose::Directory { seed: false } if !phone.memory.directory.as_ref().is_some_and(|d| d.own) => {
                let purpose = Purpose::Directory { seed: true };
                self.fetch_from(phone, task.program, purpose, "CONTACTS_DIRECTORY", "000000000000-directory.xml");
            }
            Purpose::Upload(_) => self.report.uploads_lost += 1,
            Purpose::Overrides(_) | Purpose::Directory { .. } | Purpose::Optional => {}
        }
    }

    fn had_master(&mut self, phone: &mut Phone, master: Master) {
        self.report.master = true;
        phone.memory.directories.clone_from(&master.directories);
        if master.files.is_empty() {
            phone.memory.apply(Vec::new(), phone.rules);
        }
        self.master = Some(master);
    }

    fn had_image(&mut self, phone: &mut Phone, mut task: Task, reply: &Reply) {
        let memory = &mut phone.memory;
        let whole = reply.length.is_some_and(|length| u64::try_from(reply.body.len()) == Ok(length));
        if !task.reads_on {
            let decision = memory.software.look(&reply.body, &memory.flash, phone.rules);
            if decision != Decision::Fetch {
                return;
            }
            if !whole {
                task.reads_on = true;
                self.tasks.push_front(task);
                return;
            }
        }
        let installation = memory.software.install(&reply.body, reply.length);
        self.report.installation = Some(installation);
        if installation == Installation::Installed {
            // It starts anew at once: what it has now asks for the rest (rule 18).
            self.report.restart = true;
            self.tasks.clear();
            self.plan.clear();
        }
    }

    /// Reads a listed file; none where it counts as one that could not be had (rule 22).
    fn read_parameters(&mut self, phone: &Phone, body: &[u8]) -> Fetched {
        match files::read_parameters(body) {
            Ok((parameters, unknown)) => {
                self.report.unknown += unknown;
                Some(parameters)
            }
            Err(files::IllFormed) => {
                self.report.ill_formed += 1;
                (!phone.rules.alternative(Rule::IllFormedFile)).then(files::Parameters::new)
            }
        }
    }

    /// Notes one listed file; after the last one the configuration is taken up.
    fn had_listed(&mut self, phone: &mut Phone, file: Fetched) {
        let Some(name) = self.master.as_ref().and_then(|master| master.files.get(self.listed.len()).cloned()) else { return };
        self.listed.push((name, file));
        if self.tasks.iter().any(|task| task.purpose == Purpose::File) {
            return;
        }
        let listed = std::mem::take(&mut self.listed);
        self.report.configured = listed.iter().all(|(_, file)| file.is_some());
        let applied = phone.memory.apply(listed, phone.rules);
        let by_flash = applied.flash_restart && !phone.rules.alternative(Rule::FlashRestart);
        let by_parameters = self.occasion != Occasion::Boot && applied.needs_restart;
        let always = self.occasion == Occasion::CheckSync
            && phone.memory.effective("voIpProt.SIP.specialEvent.checkSync.alwaysReboot") == Some("1");
        self.report.restart |= by_flash || by_parameters || always;
        if self.report.restart && phone.rules.alternative(Rule::RestartAtEnd) {
            self.plan.clear();
        }
    }
}

/// The credentials for a request: those in its own address, or the phone's where it goes to the boot server.
fn credentials_for<'a>(task: &'a Task, boot_server: &Address, own: Option<&'a Credentials>) -> Option<&'a Credentials> {
    let home = (&task.server.host, task.server.port) == (&boot_server.host, boot_server.port);
    task.server.credentials.as_ref().or(own.filter(|_| home))
}

/// An address that ends in a file name: the server, and the absolute path.
fn split_address(text: &str) -> Option<(Address, String)> {
    let (directory, name) = text.rsplit_once('/')?;
    let server = Address::parse(directory, None)?;
    let path = server.join(name);
    Some((server, path))
}
