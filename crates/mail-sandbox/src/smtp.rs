//! The sockets of SMTP: lines in, answers out, mails un-stuffed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::sandbox::Sandbox;
use crate::session::{Answer, MAX_BYTES, Session, Then};

/// Sessions at the same time.
const SESSIONS: usize = 200;
/// A client that says nothing for so long is gone.
const PATIENCE: Duration = Duration::from_mins(2);
/// Longest line, its end included: RFC 5321 allows 1000.
const MAX_LINE: u64 = 4_096;

/// Takes mails until shutdown.
pub async fn serve(listener: TcpListener, sandbox: Sandbox, shutdown: CancellationToken) {
    let free = Arc::new(Semaphore::new(SESSIONS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Beyond that a client waits in the backlog.
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else {
            return;
        };
        let (sandbox, shutdown) = (sandbox.clone(), shutdown.clone());
        tokio::spawn(async move {
            let talk = tokio::time::timeout(Duration::from_hours(1), talk(stream, sandbox));
            if let Some(Ok(Err(error))) = shutdown.run_until_cancelled(talk).await {
                tracing::debug!(%error, "a session ended early");
            }
            drop(permit);
        });
    }
}

async fn talk(stream: TcpStream, sandbox: Sandbox) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut session = Session::new(sandbox.clone());
    let mut answer = session.greeting();
    loop {
        let slow_ms = sandbox.turn(|settings| settings.slow_ms);
        if slow_ms > 0 {
            tokio::time::sleep(Duration::from_millis(slow_ms)).await;
        }
        stream.write_all(answer.lines.as_bytes()).await?;
        stream.flush().await?;
        answer = match answer.then {
            Then::Quit => return stream.shutdown().await,
            Then::Data => {
                if let Some(raw) = read_mail(&mut stream).await? {
                    session.data(&raw)
                } else {
                    session.reset();
                    Answer {
                        lines: format!("552 more than {MAX_BYTES} bytes\r\n"),
                        then: Then::Go,
                    }
                }
            }
            Then::Go => match read_line(&mut stream).await? {
                Some(line) => session.command(String::from_utf8_lossy(&line).trim_end()),
                None => return Ok(()),
            },
        };
    }
}

/// A line with its end; `None` when the client has hung up.
async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut bounded = stream.take(MAX_LINE);
    let read = tokio::time::timeout(PATIENCE, bounded.read_until(b'\n', &mut line)).await??;
    if read == 0 {
        return Ok(None);
    }
    if !line.ends_with(b"\n") {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a line is too long, or cut",
        ));
    }
    Ok(Some(line))
}

/// A mail without its dots; `None` if it was too large, though all of it was read.
async fn read_mail(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut raw = Vec::new();
    let mut fits = true;
    loop {
        let Some(line) = read_line(stream).await? else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        if line == b".\r\n" || line == b".\n" {
            return Ok(fits.then_some(raw));
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        fits = fits && raw.len() + line.len() <= MAX_BYTES;
        if fits {
            raw.extend_from_slice(line);
        }
    }
}
