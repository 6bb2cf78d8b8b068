//! A backup under a passphrase: any stream of bytes in encrypted chunks, none of which can be changed, left out or put elsewhere.
//!
//! Argon2id makes the key of the passphrase; XChaCha20-Poly1305 seals each chunk under the nonce *random beginning, number of the
//! chunk, whether it is the last* (the STREAM construction), bound to the header. So a cut or a prolonged file does not open.

use std::io::{self, Read, Seek, SeekFrom, Write};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize as _, Zeroizing};

use super::BackupError;
use crate::domain::account::Secret;

/// What a sealed backup begins with.
const MAGIC: &[u8; 20] = b"pdms-sealed-backup\n\x01";
const SALT_BYTES: usize = 16;
const NONCE_START_BYTES: usize = 19;
const HEADER_BYTES: usize = MAGIC.len() + 3 * 4 + SALT_BYTES + NONCE_START_BYTES;
/// Bytes that one chunk seals.
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes by which a sealed chunk is longer.
const TAG_BYTES: usize = 16;
/// More than any cost of ours: what a header may make us spend.
const MOST: Cost = Cost { memory_kib: 256 * 1024, passes: 16, lanes: 8 };

/// What making a key of a passphrase costs whoever tries one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// What backups are made with: about a fifth of a second, and 64 MiB.
    pub const USUAL: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// As good as nothing.
    #[cfg(test)]
    pub(super) const OF_TESTS: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };
}

/// Whether a file that begins so is sealed.
pub fn is_sealed(beginning: &[u8]) -> bool {
    beginning.starts_with(MAGIC)
}

/// What each chunk is sealed with.
struct Sealer {
    cipher: XChaCha20Poly1305,
    header: [u8; HEADER_BYTES],
}

impl Sealer {
    fn new(passphrase: &Secret, header: [u8; HEADER_BYTES]) -> io::Result<Self> {
        let invalid = |cause| io::Error::new(io::ErrorKind::InvalidData, cause);
        let rest = header.strip_prefix(MAGIC).ok_or_else(|| invalid("its header is none of ours".to_owned()))?;
        let (numbers, rest) = rest.split_at(12);
        let number = |at: usize| numbers[at..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let cost = Cost { memory_kib: number(0), passes: number(4), lanes: number(8) };
        if cost.memory_kib > MOST.memory_kib || cost.passes > MOST.passes || cost.lanes > MOST.lanes {
            return Err(invalid("its header asks for more work than any of ours".to_owned()));
        }
        let params =
            Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|error| invalid(error.to_string()))?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), &rest[..SALT_BYTES], &mut *key)
            .map_err(|error| invalid(error.to_string()))?;
        Ok(Self { cipher: XChaCha20Poly1305::new((&*key).into()), header })
    }

    fn nonce(&self, number: u32, last: bool) -> XNonce {
        let mut nonce = [0; NONCE_START_BYTES + 5];
        nonce[..NONCE_START_BYTES].copy_from_slice(&self.header[HEADER_BYTES - NONCE_START_BYTES..]);
        nonce[NONCE_START_BYTES..NONCE_START_BYTES + 4].copy_from_slice(&number.to_be_bytes());
        nonce[NONCE_START_BYTES + 4] = u8::from(last);
        XNonce::from(nonce)
    }

    fn seal(&self, number: u32, last: bool, msg: &[u8]) -> io::Result<Vec<u8>> {
        let sealed = self.cipher.encrypt(&self.nonce(number, last), Payload { msg, aad: &self.header });
        sealed.map_err(|_| io::Error::other("a chunk could not be sealed"))
    }

    fn open(&self, number: u32, last: bool, msg: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        let opened = self.cipher.decrypt(&self.nonce(number, last), Payload { msg, aad: &self.header });
        let cause = || format!("its encrypted part {} does not open", number + 1);
        opened.map(Zeroizing::new).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, cause()))
    }
}

/// Seals what is written to it. Without [`Sealing::finish`] nothing of it opens as a whole.
pub struct Sealing<W> {
    out: W,
    sealer: Sealer,
    buffer: Zeroizing<Vec<u8>>,
    chunk: u32,
}

impl<W: Write> Sealing<W> {
    /// Begins with the header. Slow: the key is made of the passphrase.
    ///
    /// # Errors
    /// The header could not be written.
    pub fn begin(mut out: W, passphrase: &Secret, cost: Cost) -> io::Result<Self> {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(MAGIC);
        for number in [cost.memory_kib, cost.passes, cost.lanes] {
            header.extend_from_slice(&number.to_be_bytes());
        }
        header.extend_from_slice(&rand::random::<[u8; SALT_BYTES]>());
        header.extend_from_slice(&rand::random::<[u8; NONCE_START_BYTES]>());
        let header = header.try_into().map_err(|_| io::Error::other("the header has another length"))?;
        let sealer = Sealer::new(passphrase, header)?;
        out.write_all(&sealer.header)?;
        Ok(Self { out, sealer, buffer: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES)), chunk: 0 })
    }

    /// Ends with the last chunk.
    ///
    /// # Errors
    /// It could not be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_chunk(true)?;
        Ok(self.out)
    }

    fn write_chunk(&mut self, last: bool) -> io::Result<()> {
        let sealed = self.sealer.seal(self.chunk, last, &self.buffer)?;
        self.out.write_all(&sealed)?;
        self.buffer.zeroize();
        self.chunk = self.chunk.checked_add(1).ok_or_else(|| io::Error::other("there are too many chunks"))?;
        Ok(())
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == CHUNK_BYTES && !bytes.is_empty() {
            self.write_chunk(false)?;
        }
        let count = bytes.len().min(CHUNK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads what was sealed, at any place; each chunk is opened when it is read.
pub struct Opened<R> {
    inner: R,
    sealer: Sealer,
    /// Bytes of all sealed chunks together.
    sealed_bytes: u64,
    chunks: u32,
    at: u64,
    chunk: Zeroizing<Vec<u8>>,
    chunk_number: u32,
}

const SEALED_CHUNK: u64 = (CHUNK_BYTES + TAG_BYTES) as u64;

impl<R: Read + Seek> Opened<R> {
    /// Opens the first chunk, which tells whether the passphrase is the right one. Slow.
    ///
    /// # Errors
    /// [`BackupError::WrongPassphrase`]; the file is no sealed backup or cannot be read.
    pub fn open(mut inner: R, passphrase: &Secret) -> Result<Self, BackupError> {
        let bytes = inner.seek(SeekFrom::End(0)).map_err(BackupError::reading)?;
        inner.rewind().map_err(BackupError::reading)?;
        let mut header = [0; HEADER_BYTES];
        inner.read_exact(&mut header).map_err(BackupError::reading)?;
        let sealer = Sealer::new(passphrase, header).map_err(BackupError::reading)?;
        let sealed_bytes = bytes - HEADER_BYTES as u64;
        let chunks = u32::try_from(sealed_bytes.div_ceil(SEALED_CHUNK)).unwrap_or_default();
        if chunks == 0 {
            return Err(BackupError::Damaged("it ends after its header".to_owned()));
        }
        let mut opened = Self { inner, sealer, sealed_bytes, chunks, at: 0, chunk: Zeroizing::default(), chunk_number: u32::MAX };
        match opened.load(0) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(BackupError::WrongPassphrase),
            Err(error) => Err(BackupError::reading(error)),
            Ok(()) => Ok(opened),
        }
    }

    fn length(&self) -> u64 {
        self.sealed_bytes.saturating_sub(u64::from(self.chunks) * TAG_BYTES as u64)
    }

    fn load(&mut self, number: u32) -> io::Result<()> {
        let begin = u64::from(number) * SEALED_CHUNK;
        let length = (self.sealed_bytes - begin).min(SEALED_CHUNK);
        self.inner.seek(SeekFrom::Start(HEADER_BYTES as u64 + begin))?;
        let mut sealed = vec![0; usize::try_from(length).unwrap_or_default()];
        self.inner.read_exact(&mut sealed)?;
        self.chunk = self.sealer.open(number, number + 1 == self.chunks, &sealed)?;
        self.chunk_number = number;
        Ok(())
    }
}

impl<R: Read + Seek> Read for Opened<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.length() {
            return Ok(0);
        }
        let number = u32::try_from(self.at / CHUNK_BYTES as u64).map_err(io::Error::other)?;
        if number != self.chunk_number {
            self.load(number)?;
        }
        let from = usize::try_from(self.at % CHUNK_BYTES as u64).map_err(io::Error::other)?;
        let part = self.chunk.get(from..).unwrap_or_default();
        let count = part.len().min(into.len());
        into[..count].copy_from_slice(&part[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for Opened<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it is looked for before its beginning"))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut sealing = Sealing::begin(Vec::new(), &Secret::new("CANARY_PASS"), Cost::OF_TESTS).expect("begun");
        sealing.write_all(content).expect("written");
        sealing.finish().expect("finished")
    }

    fn opened(sealed: &[u8], passphrase: &str) -> Result<Vec<u8>, BackupError> {
        let mut content = Vec::new();
        Opened::open(Cursor::new(sealed), &Secret::new(passphrase))?.read_to_end(&mut content).map_err(BackupError::reading)?;
        Ok(content)
    }

    #[test]
    fn what_was_sealed_comes_back_whatever_its_length() {
        for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            let content: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            assert_eq!(opened(&sealed(&content), "CANARY_PASS").expect("opens"), content, "{length}");
        }
    }

    #[test]
    fn it_is_read_from_any_place() {
        let content: Vec<u8> = (0..CHUNK_BYTES * 2 + 9).map(|at| (at % 251) as u8).collect();
        let mut reader = Opened::open(Cursor::new(sealed(&content)), &Secret::new("CANARY_PASS")).expect("opens");
        for at in [CHUNK_BYTES * 2, CHUNK_BYTES - 2, 0] {
            reader.seek(SeekFrom::Start(at as u64)).expect("sought");
            let mut some = [0; 9];
            reader.read_exact(&mut some).expect("read");
            assert_eq!(some, content[at..at + 9]);
        }
    }

    #[test]
    fn parts_left_out_put_elsewhere_or_added_do_not_open() {
        let whole = sealed(&vec![7; CHUNK_BYTES * 3]);
        let chunk = |number: usize| HEADER_BYTES + number * (CHUNK_BYTES + TAG_BYTES);
        let cut = whole[..chunk(2)].to_vec();
        let left_out = [&whole[..chunk(1)], &whole[chunk(2)..]].concat();
        let swapped = [&whole[..chunk(0)], &whole[chunk(1)..chunk(2)], &whole[chunk(0)..chunk(1)], &whole[chunk(2)..]].concat();
        let added = [&whole[..], &[0; 20]].concat();
        for changed in [cut, left_out, swapped, added, whole[..HEADER_BYTES].to_vec(), whole[..5].to_vec()] {
            assert!(opened(&changed, "CANARY_PASS").is_err());
        }
    }

    #[test]
    fn another_passphrase_does_not_open_it_and_the_content_does_not_show() {
        let whole = sealed(b"CANARY_CONTENT");
        assert!(matches!(opened(&whole, "CANARY_PASSS"), Err(BackupError::WrongPassphrase)));
        assert!(!whole.windows(14).any(|part| part == b"CANARY_CONTENT"));
    }
}
