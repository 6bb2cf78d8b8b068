//! Requests that are no requests: each is refused, and nothing that follows it on the connection is answered (NET-04, NET-07).

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::listener::{Listener, connect, run};

/// Everything that the server answers to these bytes until it closes the connection.
fn answers(listener: &Listener, bytes: &[u8]) -> String {
    run(async {
        let mut stream = connect(listener.address, listener.trusting()).await.expect("connected");
        // The server may close before it has read all of it.
        let _ = stream.write_all(bytes).await;
        let _ = stream.flush().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    })
}

#[test]
fn a_request_that_two_readers_could_read_differently_is_refused_with_all_that_follows() {
    let listener = Listener::start();
    let ambiguous = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "X-Folded: a\r\n b\r\nContent-Length: 0\r\n",
    ];
    for head in ambiguous {
        let bytes = format!("PUT /length HTTP/1.1\r\nHost: x\r\n{head}\r\n0\r\n\r\nGET /whoami HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = answers(&listener, bytes.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:?}: {answer}");
    }
}

#[test]
fn heads_beyond_measure_are_refused() {
    let listener = Listener::start();
    let many = (0..200).map(|number| format!("X-{number}: y\r\n")).collect::<String>();
    let long = format!("X-Long: {}\r\n", "y".repeat(200 * 1024));
    let path = "z".repeat(200 * 1024);
    for request in [
        format!("GET /whoami HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
        format!("GET /whoami HTTP/1.1\r\nHost: x\r\n{long}\r\n"),
        format!("GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n"),
    ] {
        let answer = answers(&listener, request.as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{}", &answer[..answer.len().min(200)]);
    }
    for path in [&b"\0"[..], &b"\xff"[..]] {
        let bytes = [b"GET /", path, b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"].concat();
        let answer = answers(&listener, &bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}
