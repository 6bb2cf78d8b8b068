//! The orders of `boot.rs` against those that real phones were seen to send, where the recordings lie beside the repository.

use super::given::{self, Files, LINE, requests};
use crate::simulate::memory::Layer;
use crate::simulate::phone::Occasion;
use crate::simulate::rules::{Rule, Rules};

/// Recording, model, occasion.
const RECORDED: &[(&str, &str, Occasion)] = &[
    ("vvx500-5.9.7-boot", "VVX500", Occasion::Boot),
    ("vvx500-5.9.7-poll", "VVX500", Occasion::Poll),
    ("trio8800-7.2-boot", "Trio8800", Occasion::Boot),
    ("spip550-4.0.15-boot", "SPIP550", Occasion::Boot),
    ("spip670-3.3-double-boot", "SPIP670", Occasion::Boot),
    ("ccx600-8.0-boot", "CCX600", Occasion::Boot),
    ("edge-e450-8.0-boot", "EdgeE450", Occasion::Boot),
];

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn every_recorded_request_is_sent_in_its_order_and_under_its_name() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/transcripts");
    if !folder.is_dir() {
        eprintln!("skipped: no recordings in {}", folder.display());
        return;
    }
    for (name, model, occasion) in RECORDED {
        let text = std::fs::read_to_string(folder.join(format!("{name}.tsv"))).expect("a recording of this name");
        let wanted = recorded(&text, model);
        let sent = simulated(model, *occasion);
        let mut left = sent.iter();
        for line in &wanted {
            assert!(left.any(|s| s == line), "{name}: {line:?} is missing or out of order in {sent:#?}");
        }
    }
}

/// Method, path and User-Agent of each step.
fn recorded(text: &str, model: &str) -> Vec<(String, String, String)> {
    let phone = given::phone(model, Rules::USUAL);
    let agent = text.lines().find_map(|line| line.strip_prefix("# ua\t")).expect("a User-Agent");
    let steps = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    steps
        .map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            let (program, version) = columns[2].split_once('=').unwrap_or_default();
            let path = match columns[1] {
                "@image" => format!("/{}.sip.ld", phone.model.part_number),
                "@files" => "/a.cfg".to_owned(),
                path => path.replace("{mac}", &phone.mac.to_string()),
            };
            let agent = agent.replace("{version}", version).replace("{program}", program);
            // Whether the serial number stands there is a matter of `device.prov.tagSerialNo`.
            (columns[0].to_owned(), path, agent.replace(" (SN:{mac})", ""))
        })
        .collect()
}

fn simulated(model: &str, occasion: Occasion) -> Vec<(String, String, String)> {
    let mut phone = given::phone(model, Rules::USUAL.with(Rule::FirstRequest));
    phone.change(Layer::Phone, "up.timeOut", "41");
    phone.change(Layer::Web, "up.timeOut", "42");
    let files = Files::of(&phone, &[("a.cfg", LINE)]);
    let seen = requests(&mut phone, occasion, |request| files.answer(request));
    let agent = |request: &crate::simulate::wire::Request| request.header("User-Agent").unwrap_or_default().to_owned();
    seen.iter().map(|request| (request.method.as_str().to_owned(), request.path.clone(), agent(request))).collect()
}
