//! The admin socket: other verbs of the command line reach the running server through `STATE/admin.sock`.
//!
//! One connection, one request as a line of JSON, one answer as a line of JSON; before that of a backup comes its content. The file's
//! mode is 0600 in a directory of mode 0700, so whoever connects is the server's own system user. The same [`answer`] serves a verb
//! that opened the store itself.

use std::fs::Permissions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::access::Actor;
use crate::domain::account::{BaseSettings, Secret};
use crate::domain::ids::DEFAULT_ACCOUNT;
use crate::domain::token::Token;
use crate::domain::user::{Role, User};
use crate::services::Services;
use crate::services::accounts::TimeDraft;
use crate::services::address::Address;
use crate::services::addresses::Answered;
use crate::services::backup;
use crate::services::certificates::OwnFiles;
use crate::services::check;
use crate::services::commit::Mode;
use crate::services::error::{ServiceError, chain};
use crate::services::passwords;
use crate::services::rollover::{self, State, Step};
use crate::services::setup::{self, Opener, SetupDraft};
use crate::services::tokens::{self, TokenDraft};
use crate::services::users::{self, Access, NewUser, UserDraft};

/// Bytes in a request: more than any verb sends.
const REQUEST_BYTES: u64 = 64 * 1024;
/// How long a verb may take to send its request.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// How long a verb waits for its answer: hashing a password behind others takes seconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// Bytes of one piece of a backup.
const PIECE_BYTES: usize = 64 * 1024;
/// How long one piece may take: the disk that it goes to may be slow.
const PIECE_LIMIT: Duration = Duration::from_secs(120);

/// What a verb asks for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verb")]
pub enum Request {
    /// `setup`
    Setup(SetUp),
    /// `user add`
    AddUser {
        /// Shown name.
        name: String,
        /// E-mail.
        email: String,
        /// Role.
        role: Role,
        /// Password.
        password: Secret,
    },
    /// `user password`
    SetPassword {
        /// E-mail or shown name.
        user: String,
        /// New password.
        password: Secret,
    },
    /// `user list`
    ListUsers,
    /// `token create`
    CreateToken {
        /// What it is for.
        name: String,
        /// What it may do.
        role: Role,
        /// Days until it ends.
        days: Option<i64>,
        /// Whether it may see secrets and manage users.
        secrets: bool,
    },
    /// `token list`
    ListTokens,
    /// `token revoke`
    RevokeToken {
        /// Name or number.
        which: String,
    },
    /// `check`
    Check {
        /// The own certificate that the settings name.
        own: Option<OwnFiles>,
    },
    /// `ca show`
    ShowCa,
    /// `ca start`, `ca switch`, `ca end`, `ca cancel`
    StepCa {
        /// Which.
        step: Step,
        /// What is to be known of it was said to be.
        known: bool,
    },
    /// `backup`: before the answer comes the backup itself, in pieces with their length before them and an empty one at the end.
    Backup {
        /// Where it goes, for the activity log.
        file: String,
        /// What it is encrypted with.
        passphrase: Option<Secret>,
    },
}

/// The answers of the set-up page.
#[derive(Debug, Serialize, Deserialize)]
pub struct SetUp {
    /// The owner's shown name.
    pub owner_name: String,
    /// The owner's e-mail.
    pub owner_email: String,
    /// The owner's password.
    pub owner_password: Secret,
    /// User name of the shared credentials.
    pub provisioning_user: String,
    /// Password of the shared credentials.
    pub provisioning_password: Secret,
    /// Host name or address under which phones and people reach the server.
    pub public_name: String,
    /// IANA name of the zone.
    pub time_zone: String,
    /// Time server.
    pub time_server: String,
    /// Parts of the built-in base.
    pub base: BaseSettings,
}

/// What a verb is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is done.
    Done,
    /// The users, in the order in which they were added.
    Users(Vec<ListedUser>),
    /// A token that was just made: nobody can tell it again.
    Token(Secret),
    /// The tokens, the newest first.
    Tokens(Vec<Token>),
    /// What is wrong with the state; nothing, if it is empty.
    Faults(Vec<String>),
    /// What is to be told, line by line.
    Lines(Vec<String>),
    /// It is not done, with the reason in words.
    Failed(String),
}

/// One user of a list.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedUser {
    /// Shown name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Role.
    pub role: Role,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// When the user was added.
    pub created_at: jiff::Timestamp,
}

/// The socket of a running server. Dropping it ends the thread and removes the file.
#[derive(Debug)]
pub struct LocalSocket {
    path: PathBuf,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LocalSocket {
    /// Opens the socket and answers on it. The state directory is held by this process, so a file that is left over from an
    /// earlier one may be replaced.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn open(path: &Path, services: Arc<Services>, address: Arc<Address>) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stopping);
        let thread = std::thread::Builder::new().name("admin-socket".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if seen.load(Ordering::SeqCst) {
                    return;
                }
                if let Err(error) = stream.and_then(|stream| serve(stream, Arc::clone(&services), &address)) {
                    tracing::debug!(%error, "a request on the admin socket broke off");
                }
            }
        })?;
        Ok(Self { path: path.to_owned(), stopping, thread: Some(thread) })
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread. Where that fails the thread goes with the process.
        let woken = UnixStream::connect(&self.path).is_ok();
        let _ = std::fs::remove_file(&self.path);
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

fn serve(stream: UnixStream, services: Arc<Services>, address: &Address) -> io::Result<()> {
    stream.set_read_timeout(Some(REQUEST_LIMIT))?;
    stream.set_write_timeout(Some(REQUEST_LIMIT))?;
    let mut line = String::new();
    BufReader::new((&stream).take(REQUEST_BYTES)).read_line(&mut line)?;
    let answered = match serde_json::from_str::<Request>(&line) {
        Ok(Request::Backup { file, passphrase }) => {
            // It takes as long as it takes: other verbs are answered meanwhile.
            let thread = std::thread::Builder::new().name("backup".to_owned());
            return thread.spawn(move || back_up(stream, &services, &file, passphrase.as_ref())).map(drop);
        }
        Ok(request) => {
            let is_setup = matches!(request, Request::Setup(_));
            let answered = match request {
                Request::Check { own } => checked(&services, own.as_ref(), Some(&Answered::now(&services, address))),
                Request::StepCa { step, known } => {
                    told_ca(rollover::take_running(&services, address, &Actor::CommandLine, step, known, Mode::Keep))
                }
                request => answer(&services, request),
            };
            if is_setup && let Err(error) = address.refresh(&services) {
                tracing::error!(%error, "the certificate could not be made for the new name");
            }
            answered
        }
        Err(error) => Answer::Failed(format!("the server does not understand this request ({error}); are both of one version?")),
    };
    tell(&stream, &answered)
}

fn tell(mut stream: &UnixStream, answered: &Answer) -> io::Result<()> {
    let mut text = serde_json::to_vec(answered)?;
    text.push(b'\n');
    stream.write_all(&text)
}

fn back_up(stream: UnixStream, services: &Services, file: &str, passphrase: Option<&Secret>) {
    let sent = || -> io::Result<()> {
        stream.set_write_timeout(Some(PIECE_LIMIT))?;
        let mut pieces = io::BufWriter::with_capacity(PIECE_BYTES, Pieces(&stream));
        let answered = backup::hand_out(services, &Actor::CommandLine, file, passphrase, &mut pieces);
        pieces.flush()?;
        drop(pieces);
        (&stream).write_all(&0_u32.to_be_bytes())?;
        tell(&stream, &answered.map_or_else(|error| Answer::Failed(chain(&error)), |_| Answer::Done))
    };
    if let Err(error) = sent() {
        tracing::warn!(%error, "a backup broke off: whoever asked for it went away");
    }
}

/// Sends what is written to it in pieces.
struct Pieces<'a>(&'a UnixStream);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(PIECE_BYTES)];
        if !piece.is_empty() {
            let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
            self.0.write_all(&length.to_be_bytes())?;
            self.0.write_all(piece)?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has the running server write a backup to `out`, which is a file of that name; none where no server answers on the socket. What was
/// written is nothing unless the answer is [`Answer::Done`].
///
/// # Errors
/// The server broke off, or `out` cannot be written.
pub fn ask_for_backup(socket: &Path, file: &str, passphrase: Option<&Secret>, out: &mut dyn Write) -> io::Result<Option<Answer>> {
    let Some(stream) = connect(socket)? else { return Ok(None) };
    stream.set_read_timeout(Some(PIECE_LIMIT))?;
    send(&stream, &Request::Backup { file: file.to_owned(), passphrase: passphrase.cloned() })?;
    let mut from = BufReader::new(&stream);
    let line = receive(&mut from, out).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::other("the server broke off, as it does when it stops; try again"),
        _ => error,
    })?;
    Ok(Some(serde_json::from_str(&line)?))
}

/// Takes the pieces of a backup, and the answer behind them.
fn receive(mut from: impl BufRead, out: &mut dyn Write) -> io::Result<String> {
    loop {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        match u64::from(u32::from_be_bytes(length)) {
            0 => break,
            length if length > PIECE_BYTES as u64 => {
                return Err(io::Error::other("it does not know this; are both of one version?"));
            }
            length if io::copy(&mut (&mut from).take(length), out)? != length => {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            _ => {}
        }
    }
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}

fn connect(socket: &Path) -> io::Result<Option<UnixStream>> {
    match UnixStream::connect(socket) {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(error),
    }
}

fn send(mut stream: &UnixStream, request: &Request) -> io::Result<()> {
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    stream.write_all(&text)
}

/// Asks the running server; none where no server answers on the socket.
///
/// # Errors
/// The server broke off.
pub fn ask(socket: &Path, request: &Request) -> io::Result<Option<Answer>> {
    let Some(stream) = connect(socket)? else { return Ok(None) };
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    send(&stream, request)?;
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    Ok(Some(serde_json::from_str(&line)?))
}

/// Does what a verb asks for, in the name of the command line.
pub fn answer(services: &Services, request: Request) -> Answer {
    let done = match request {
        Request::Setup(answers) => {
            setup::complete(services, Opener::CommandLine, &answers.into()).map(drop).map_err(|e| chain(&e))
        }
        Request::AddUser { name, email, role, password } => {
            add_user(services, &NewUser { name, email, role, access: Access::Password(password) })
        }
        Request::SetPassword { user, password } => set_password(services, &user, &password).map_err(|e| chain(&e)),
        Request::Check { own } => return checked(services, own.as_ref(), None),
        Request::CreateToken { name, role, days, secrets } => {
            let made = create_token(services, &TokenDraft { name, role, days, secrets });
            return made.map_or_else(Answer::Failed, Answer::Token);
        }
        Request::ListTokens => {
            return tokens::list(services, DEFAULT_ACCOUNT).map_or_else(|e| Answer::Failed(chain(&e)), Answer::Tokens);
        }
        Request::RevokeToken { which } => revoke_token(services, &which).map_err(|e| chain(&e)),
        Request::ShowCa => return told_ca(rollover::state(services)),
        Request::StepCa { step, known } => {
            return told_ca(rollover::take_stopped(services, &Actor::CommandLine, step, known));
        }
        Request::Backup { .. } => return Answer::Failed("a backup has content and is asked for otherwise".to_owned()),
        Request::ListUsers => return list_users(services).map_or_else(|e| Answer::Failed(chain(&e)), Answer::Users),
    };
    done.map_or_else(Answer::Failed, |()| Answer::Done)
}

fn told_ca(state: Result<State, ServiceError>) -> Answer {
    state.map_or_else(|error| Answer::Failed(chain(&error)), |state| Answer::Lines(state.lines()))
}

fn checked(services: &Services, own: Option<&OwnFiles>, answered: Option<&Answered>) -> Answer {
    check::faults(services, own, answered).map_or_else(|error| Answer::Failed(chain(&error)), Answer::Faults)
}

fn must_be_set_up(services: &Services) -> Result<(), String> {
    match setup::is_set_up(services) {
        true => Ok(()),
        false => Err("this server is not set up yet; open its set-up link, or use pdms setup --from FILE".to_owned()),
    }
}

fn add_user(services: &Services, new: &NewUser) -> Result<(), String> {
    must_be_set_up(services)?;
    users::add(services, &Actor::CommandLine, new, Mode::Keep).map(drop).map_err(|e| chain(&e))
}

fn create_token(services: &Services, draft: &TokenDraft) -> Result<Secret, String> {
    must_be_set_up(services)?;
    let made = tokens::create(services, &Actor::CommandLine, DEFAULT_ACCOUNT, draft, Mode::Keep);
    made.map(|made| made.text).map_err(|e| chain(&e))
}

fn revoke_token(services: &Services, which: &str) -> Result<(), ServiceError> {
    let id = tokens::find(services, DEFAULT_ACCOUNT, which)?.id;
    tokens::revoke(services, &Actor::CommandLine, DEFAULT_ACCOUNT, id, Mode::Keep).map(drop)
}

fn set_password(services: &Services, user: &str, password: &Secret) -> Result<(), ServiceError> {
    let user = users::find(services, user)?.ok_or_else(|| ServiceError::not_found("user", user))?;
    passwords::set(services, &Actor::CommandLine, user.id, password)
}

fn list_users(services: &Services) -> Result<Vec<ListedUser>, ServiceError> {
    let listed = |user: User| ListedUser {
        role: user.role,
        enabled: user.is_enabled(),
        name: user.name,
        email: user.email,
        created_at: user.created_at,
    };
    Ok(users::list(services)?.into_iter().map(listed).collect())
}

impl From<SetUp> for SetupDraft {
    fn from(answers: SetUp) -> Self {
        Self {
            owner: UserDraft { name: answers.owner_name, email: answers.owner_email, password: answers.owner_password },
            provisioning_user: answers.provisioning_user,
            provisioning_password: answers.provisioning_password,
            public_name: answers.public_name,
            time: TimeDraft { time_zone: answers.time_zone, time_server: answers.time_server },
            base: answers.base,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_that_breaks_off_anywhere_is_an_error() {
        let whole = [&[0, 0, 0, 2][..], b"ab", &[0, 0, 0, 0], b"{}\n"].concat();
        let mut out = Vec::new();
        assert_eq!((receive(&whole[..], &mut out).ok().as_deref(), &out[..]), (Some("{}\n"), &b"ab"[..]));
        for cut in 0..=10 {
            let kind = receive(&whole[..cut], &mut Vec::new()).map_err(|error| error.kind());
            assert_eq!(kind, Err(io::ErrorKind::UnexpectedEof), "{cut}");
        }
        assert!(receive(&b"HTTP/1.1"[..], &mut Vec::new()).is_err_and(|error| error.to_string().contains("of one version")));
    }
}
