//! The binary as an admin starts it: first run, verbs, signals, and what goes wrong with disks and ports.

mod backup;
mod ca;
mod check;
mod crash;
mod demo;
mod first_run;
mod first_serving;
mod new_key;
mod refusals;
mod secrets;
mod signals;
mod verbs;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to start, stop or say something, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `pdms serve`. Dropping it kills the process.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    /// What it said until it was ready.
    pub greeting: String,
}

/// `pdms` with arguments, in a directory of the test.
pub fn pdms(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pdms"));
    command.args(arguments).current_dir(folder).env_remove("PDMS_STATE").env_remove("PDMS_LOG");
    // Whoever else runs a server on this machine has the usual ports.
    command.env("PDMS_HTTPS", "127.0.0.1:0").env("PDMS_HTTP", "off");
    command
}

/// Runs a verb to its end, with `input` on stdin.
pub fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = pdms(folder, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // A verb that reads nothing may have ended already.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

/// What a verb printed on stderr; it must have failed with this exit status.
pub fn refused(output: &Output, status: i32) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert!(output.stdout.is_empty(), "only data goes to stdout");
    text
}

/// What a verb printed on stdout; it must have succeeded.
pub fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Sets a state directory up without a server.
pub fn set_up(folder: &Path) {
    let answers = "[owner]\nname = \"Ada\"\nemail = \"ada@example.test\"\npassword = \"four unhurried words\"\n\
                   [provisioning]\nuser = \"phones\"\npassword = \"only-for-tests-1\"\n[server]\npublic_name = \"localhost\"\n";
    std::fs::write(folder.join("setup.toml"), answers).expect("written");
    succeeded(&run(folder, &["setup", "--from", "setup.toml"], ""));
}

impl Running {
    /// Starts on any free port, with the state in `pdms-state` of the folder.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// Starts with more arguments.
    pub fn start_with(folder: &Path, more: &[&str]) -> Self {
        let arguments = [&["serve", "--https", "127.0.0.1:0", "--http", "off"], more].concat();
        Self::of(pdms(folder, &arguments))
    }

    /// Starts a command that ends up being the server.
    pub fn of(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary runs");
        let (say, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| say.send(line)));
        let mut running = Self { child, lines, greeting: String::new() };
        running.greeting = running.wait_for("  State ");
        running
    }

    /// Everything it says until a line has this in it.
    pub fn wait_for(&self, part: &str) -> String {
        let mut text = String::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("“{part}” was never said; but:\n{text}"));
            text.push_str(&line);
            text.push('\n');
            if line.contains(part) {
                return text;
            }
        }
    }

    /// Its address, with a final slash.
    pub fn url(&self) -> String {
        let line = self.greeting.lines().find(|line| line.contains("Open")).expect("an address is told");
        line.split_whitespace().last().expect("an address").to_owned()
    }

    /// What curl gets from a path below the address: the status and the body.
    pub fn get(&self, path: &str) -> (String, String) {
        let url = self.url() + path;
        let output = Command::new("curl").args(["-sk", "-w", "\n%{http_code}", &url]).output().expect("curl is installed");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').expect("the status stands last");
        (status.to_owned(), body.to_owned())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process number");
        kill_process(Pid::from_raw(id).expect("a process number"), signal).expect("it runs");
    }

    /// Waits for its end and answers the exit status.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }

    /// Stops it as a service manager does.
    pub fn stop(self) {
        self.signal(Signal::TERM);
        assert_eq!(self.wait(), Some(0));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The admin socket of the state directory in a folder.
pub fn socket(folder: &Path) -> PathBuf {
    folder.join("pdms-state/admin.sock")
}
