//! Given answers: a server without a network, and a phone that walks through a run against it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::simulate::credentials::Credentials;
use crate::simulate::models::Model;
use crate::simulate::phone::{Occasion, Phone};
use crate::simulate::rules::Rules;
use crate::simulate::run::Report;
use crate::simulate::wire::{Answer, Method, Move, Reading, Reply, Request};

pub const USER: &str = "phones";
pub const PASSWORD: &str = "u2Jr-example";
pub const LINE: &str =
    r#"reg.1.address="100" reg.1.auth.userId="100" reg.1.auth.password="secret" reg.1.server.1.address="sip.example.lan""#;

/// Files by name, behind Basic credentials.
#[derive(Clone, Default)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

impl Files {
    /// A master that lists the given files, and these files as parameter files with the given attributes.
    pub fn of(phone: &Phone, listed: &[(&str, &str)]) -> Self {
        let names: Vec<_> = listed.iter().map(|(name, _)| *name).collect();
        let mut files = Self::default();
        files.put(
            &format!("{}.cfg", phone.mac),
            &format!(r#"<APPLICATION CONFIG_FILES="{}" APP_FILE_PATH="sip.ld"/>"#, names.join(", ")),
        );
        for (name, attributes) in listed {
            files.put(name, &format!("<polycomConfig {attributes}/>"));
        }
        files
    }

    pub fn put(&mut self, name: &str, body: &str) {
        self.0.insert(format!("/{name}"), body.as_bytes().to_vec());
    }

    pub fn remove(&mut self, name: &str) {
        self.0.remove(&format!("/{name}"));
    }

    /// The answer of a server that keeps these files and takes every upload.
    pub fn answer(&self, request: &Request) -> Answer {
        if request.header("Authorization") != Some(&Credentials::new(USER, PASSWORD).basic()) {
            return Reply::challenge().into();
        }
        if request.method == Method::Put {
            return Reply::new(201, "").into();
        }
        let Some(body) = self.0.get(&request.path) else { return Reply::new(404, "none").into() };
        let mut reply = Reply::new(200, body.clone());
        if let Reading::Opening(bytes) = request.reading {
            reply.body.truncate(bytes);
        }
        reply.into()
    }

    /// The rest of an answer that was opened.
    pub fn rest(&self, request: &Request) -> Answer {
        self.answer(&Request { reading: Reading::Whole, ..request.clone() })
    }
}

/// A phone that knows the server's address and the shared credentials.
pub fn phone(model: &str, rules: Rules) -> Phone {
    let model = Model::find(model).expect("a model of the table");
    let mut phone = Phone::new(model, model.mac(7), rules, Arc::from(Vec::new()));
    phone.point_at("https://pdms.example.lan:8443/", USER, PASSWORD);
    phone
}

/// Walks through one run; `answer` hears each request with its number, counted from zero.
pub fn walk(phone: &mut Phone, occasion: Occasion, mut answer: impl FnMut(&Request, usize) -> Answer) -> Report {
    assert!(phone.begin(occasion, Timestamp::UNIX_EPOCH), "the phone knows a server");
    for number in 0..200 {
        match phone.wants() {
            Some(Move::Send(request)) => phone.take(answer(&request, number)),
            Some(Move::ReadOn) => panic!("only a test of images reads on"),
            None => return phone.end(),
        }
    }
    panic!("a run has an end");
}

/// Boots against these files.
pub fn boot(phone: &mut Phone, files: &Files) -> Report {
    walk(phone, Occasion::Boot, |request, _| files.answer(request))
}

/// Polls these files.
pub fn poll(phone: &mut Phone, files: &Files) -> Report {
    walk(phone, Occasion::Poll, |request, _| files.answer(request))
}

/// Walks through one run and answers its requests in order, with `answer` as in [`walk`].
pub fn requests(phone: &mut Phone, occasion: Occasion, mut answer: impl FnMut(&Request) -> Answer) -> Vec<Request> {
    let mut seen = Vec::new();
    walk(phone, occasion, |request, _| {
        seen.push(request.clone());
        answer(request)
    });
    seen
}
