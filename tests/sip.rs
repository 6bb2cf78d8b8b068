//! What the SIP profiles are worth: a real SIP client, set up with nothing but what the server serves to two phones, registers at a
//! real Kamailio and calls the other one. Skipped, with a line that says so, where Kamailio or baresip is not installed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use pdms::catalog::standard::standard_profiles;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::api::Api;
use crate::support::phone::Phone;
use crate::support::server::{PASSWORD, Server, USER};

/// How long anything may take before the test gives up; nothing waits this long where all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two phones: key, extension and password of the line.
const PHONES: [(&str, &str, &str); 2] = [("0004f2aa2001", "2001", "first-secret"), ("0004f2aa2002", "2002", "second-secret")];

/// A process that ends with the test.
struct Running {
    child: Child,
    lines: Receiver<String>,
    told: Vec<String>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        // Ends with the program, or as soon as nobody listens any more.
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines, told: Vec::new() }
    }

    /// Reads on until a line holds a text.
    fn until(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("no “{text}” came:\n{}", self.told.join("\n")));
            let found = line.contains(text);
            self.told.push(line);
            if found {
                return;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Asked to end, it ends the processes that it has made; killed, it would leave them behind. It may have ended by itself.
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let _ = id.map(|id| kill_process(id, Signal::TERM));
        let _ = self.child.wait();
    }
}

fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

fn kamailio(folder: &Path, port: u16) -> Running {
    let users = PHONES.map(|(_, extension, password)| format!("  $sht(users=>{extension}) = \"{password}\";\n")).concat();
    let settings = include_str!("sip/kamailio.cfg").replace("PORT", &port.to_string()).replace("USERS\n", &users);
    let file = folder.join("kamailio.cfg");
    std::fs::write(&file, settings).expect("a file");
    let mut command = Command::new("kamailio");
    command.arg("-f").arg(&file).arg("-w").arg(folder).arg("-Y").arg(folder).args(["-m", "16", "-M", "4"]);
    let running = Running::start(&mut command);
    is_ready(port);
    running
}

/// Asks the proxy until it answers.
fn is_ready(port: u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let own = socket.local_addr().expect("an address");
    socket.connect(("127.0.0.1", port)).expect("an address");
    socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a time limit");
    let request = format!(
        "OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKready\r\nMax-Forwards: 9\r\nFrom: <sip:test@{own}>;tag=1\r\nTo: <sip:127.0.0.1:{port}>\r\nCall-ID: ready\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    let end = Instant::now() + PATIENCE;
    let mut answer = [0; 1_500];
    while Instant::now() < end {
        // Until the proxy listens, sending and receiving fail at once or after the time limit.
        if socket.send(request.as_bytes()).and_then(|_| socket.recv(&mut answer)).is_ok() {
            return;
        }
    }
    panic!("Kamailio does not answer");
}

/// A SIP client whose account is what a phone was served.
fn client(folder: &Path, served: &BTreeMap<String, String>, rest: &str) -> Command {
    let value = |name: &str| served.get(name).map(String::as_str).unwrap_or_else(|| panic!("{name} is not served: {served:?}"));
    let transport = match served.get("reg.1.server.1.transport").map_or("DNSnaptr", String::as_str) {
        // With an address and a port there is nothing to ask DNS for.
        "UDPOnly" | "DNSnaptr" => "udp",
        other => panic!("{other} is not what this registrar speaks"),
    };
    let registers = value("reg.1.server.1.register") == "1" && value("voIpProt.server.1.register") == "1";
    let expires = if registers { value("voIpProt.server.1.expires") } else { "0" };
    let account = format!(
        "<sip:{}@{}:{};transport={transport}>;auth_user={};auth_pass={};regint={expires}{rest}\n",
        value("reg.1.address"),
        value("reg.1.server.1.address"),
        value("reg.1.server.1.port"),
        value("reg.1.auth.userId"),
        value("reg.1.auth.password"),
    );
    let modules = ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules"];
    let modules = modules.into_iter().find(|path| Path::new(path).is_dir()).expect("the modules of baresip");
    let settings = format!(
        "poll_method select\nnet_interface 127.0.0.1\nsip_listen 127.0.0.1:0\naudio_player aubridge,out\naudio_source aubridge,in\naudio_alert aubridge,alert\nmodule_path {modules}\nmodule g711.so\nmodule aubridge.so\nmodule_tmp account.so\nmodule_app menu.so\n"
    );
    std::fs::create_dir_all(folder).expect("a folder");
    for (name, text) in [("accounts", account.as_str()), ("config", &settings), ("contacts", "")] {
        std::fs::write(folder.join(name), text).expect("a file");
    }
    let mut command = Command::new("baresip");
    command.arg("-f").arg(folder);
    command
}

/// Sets up two phones as an admin would, and answers what each is served.
fn served(port: u16) -> [BTreeMap<String, String>; 2] {
    let server = Server::start();
    let api = Api::owner(&server);
    let standard = |name: &str| standard_profiles().get(name).expect("a standard profile").id().0;
    let place = json!({ "profiles": [standard("SIP-Interop-Kamailio")], "shown": [] });
    api.ok("PUT", "/deployment/global", Some(place));
    PHONES.map(|(key, extension, password)| {
        let inputs = json!({
            "extension": extension, "user": extension, "password": password, "server": "127.0.0.1", "port": port.to_string(),
        });
        let copy = format!("/profiles/{}/copy", standard("LineRegistration-TEMPLATE"));
        let line = api.ok("POST", &copy, Some(json!({ "name": format!("Line {extension}"), "inputs": inputs })));
        api.ok("POST", "/devices", Some(json!({ "key": key, "profiles": [line["id"]] })));
        let phone = Phone::new(&server).with_credentials(USER, PASSWORD);
        assert_eq!(phone.get(&format!("/{key}.cfg")).status, 200);
        let file = phone.get(&format!("/{key}-profile.cfg"));
        let entries = pdms::xml::read::parameters(file.text().as_bytes()).expect("a configuration");
        entries.into_iter().map(|entry| (entry.name, entry.value)).collect()
    })
}

#[test]
fn what_is_served_for_kamailio_registers_there_and_calls() {
    let missing: Vec<_> = ["kamailio", "baresip"].into_iter().filter(|program| !is_installed(program)).collect();
    if !missing.is_empty() {
        println!("skipped: {} not installed", missing.join(" and "));
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
    let [caller, callee] = served(port);
    let mut stranger = caller.clone();
    stranger.insert("reg.1.auth.password".to_owned(), "another-secret".to_owned());
    let _proxy = kamailio(folder.path(), port);

    let mut callee = Running::start(&mut client(&folder.path().join("callee"), &callee, ";answermode=auto"));
    callee.until("200 OK");
    let mut caller = Running::start(client(&folder.path().join("caller"), &caller, "").args(["-e", "/dial 2002"]));
    caller.until("Call established: sip:2002@");
    callee.until("Call established: sip:2001@");

    let mut stranger = Running::start(&mut client(&folder.path().join("stranger"), &stranger, ""));
    stranger.until("401 Unauthorized");
}
