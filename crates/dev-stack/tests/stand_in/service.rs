//! Stands in for any service in the tests of this crate: answers readiness and nothing else.
#![expect(clippy::print_stdout, reason = "its output is its log")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

fn main() -> std::io::Result<()> {
    let address = std::env::vars()
        .find(|(name, _)| name == "OPS_ADDR")
        .map(|(_, value)| value);
    let listener = TcpListener::bind(address.unwrap_or_default())?;
    println!("ready on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let mut stream = stream?;
        let mut line = String::new();
        BufReader::new(stream.try_clone()?).read_line(&mut line)?;
        let status = if line.starts_with("GET /readyz ") {
            "200 OK"
        } else {
            "404 Not Found"
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )?;
    }
    Ok(())
}
