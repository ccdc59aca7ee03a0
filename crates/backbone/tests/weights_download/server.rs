//! A web server that answers well or badly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

/// Gives every request this answer, after noting the path that it asks for.
pub(crate) fn serve(listener: &TcpListener, answer: &Answer, requests: &Mutex<Vec<String>>) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
        // What arrives is not HTTP if the client begins with a TLS handshake.
        let path = lines
            .next()
            .and_then(|line| line.split(' ').nth(1).map(str::to_owned));
        if let Some(path) = path {
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            requests.lock().unwrap().push(path);
            // The client may hang up first; what it makes of the answer is checked on its side.
            let _ = answer.send(&mut stream);
        }
    }
}

/// How the server answers.
pub(crate) enum Answer {
    /// This body, with its length announced.
    Body(Vec<u8>),
    /// This body in chunks, with no length announced.
    Chunked(Vec<u8>),
    /// The first so many bytes of the body, with the length of the whole announced; then the connection is closed.
    Truncated(Vec<u8>, usize),
    /// A status line other than 200.
    Status(&'static str),
    /// Nothing at all.
    Silence,
    /// The first so many bytes of the body, then nothing.
    SilenceAfter(Vec<u8>, usize),
}

impl Answer {
    fn send(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let ok = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        match self {
            Self::Body(body) => {
                stream.write_all(ok(body.len()).as_bytes())?;
                stream.write_all(body)
            }
            Self::Chunked(body) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                for chunk in body.chunks(50_000) {
                    write!(stream, "{:x}\r\n", chunk.len())?;
                    stream.write_all(chunk)?;
                    stream.write_all(b"\r\n")?;
                }
                stream.write_all(b"0\r\n\r\n")
            }
            Self::Truncated(body, sent) => {
                stream.write_all(ok(body.len()).as_bytes())?;
                stream.write_all(&body[..*sent])
            }
            Self::Status(status) => {
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\noops")
            }
            Self::Silence => wait_for_hang_up(stream),
            Self::SilenceAfter(body, sent) => {
                stream.write_all(ok(body.len()).as_bytes())?;
                stream.write_all(&body[..*sent])?;
                wait_for_hang_up(stream)
            }
        }
    }
}

fn wait_for_hang_up(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.read(&mut [0]).map(drop)
}
