//! A wire that is listened to: passes on what comes to a socket, and keeps every byte of both directions.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// The wire. It ends with this value.
pub struct Proxy {
    /// Where it is.
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Proxy {
    /// A wire that leads to a socket. Whoever comes keeps its address: the server must not take all for one.
    pub fn to(target: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        runtime.spawn(async move {
            while let Ok((phone, peer)) = listener.accept().await {
                tokio::spawn(carry(phone, peer, target, Arc::clone(&kept)));
            }
        });
        Self { address, heard, _runtime: runtime }
    }

    /// Everything that crossed the wire so far.
    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock()).into_owned()
    }
}

async fn carry(phone: TcpStream, peer: SocketAddr, target: SocketAddr, heard: Arc<Mutex<Vec<u8>>>) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(peer.ip(), 0))?;
    let server = socket.connect(target).await?;
    let ((mut from_phone, mut to_phone), (mut from_server, mut to_server)) = (phone.into_split(), server.into_split());
    let there = pass(&mut from_phone, &mut to_server, &heard);
    let back = pass(&mut from_server, &mut to_phone, &heard);
    tokio::try_join!(there, back).map(|_| ())
}

async fn pass(
    from: &mut tokio::net::tcp::OwnedReadHalf,
    to: &mut tokio::net::tcp::OwnedWriteHalf,
    heard: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        heard.lock().extend_from_slice(&buffer[..count]);
        to.write_all(&buffer[..count]).await?;
    }
}
