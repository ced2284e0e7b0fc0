//! The sockets of SMTP: lines in, answers out, mails un-stuffed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::guard::{Guard, Tls};
use crate::sandbox::Sandbox;
use crate::session::{Answer, MAX_BYTES, Session, Then};

/// Sessions at the same time.
const SESSIONS: usize = 200;
/// A client that says nothing for so long is gone.
const PATIENCE: Duration = Duration::from_mins(2);
/// Longest line, its end included: RFC 5321 allows 1000.
const MAX_LINE: u64 = 4_096;

/// Takes mails from anybody until shutdown.
pub async fn serve(listener: TcpListener, sandbox: Sandbox, shutdown: CancellationToken) {
    serve_guarded(listener, sandbox, Guard::default(), shutdown).await;
}

/// Takes mails from whoever does what the guard wants, until shutdown.
pub async fn serve_guarded(
    listener: TcpListener,
    sandbox: Sandbox,
    guard: Guard,
    shutdown: CancellationToken,
) {
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
        let (sandbox, guard, shutdown) = (sandbox.clone(), guard.clone(), shutdown.clone());
        tokio::spawn(async move {
            let talk = tokio::time::timeout(Duration::from_hours(1), talk(stream, sandbox, guard));
            if let Some(Ok(Err(error))) = shutdown.run_until_cancelled(talk).await {
                tracing::debug!(%error, "a session ended early");
            }
            drop(permit);
        });
    }
}

async fn talk(stream: TcpStream, sandbox: Sandbox, guard: Guard) -> io::Result<()> {
    let mut session = Session::new(sandbox.clone(), guard.rules());
    let greeting = session.greeting();
    if let Tls::Implicit(acceptor) = guard.tls {
        let stream = acceptor.accept(stream).await?;
        return converse(stream, &sandbox, &mut session, greeting).await.map(drop);
    }
    let secure = converse(stream, &sandbox, &mut session, greeting).await?;
    if let (Some(stream), Tls::Starttls(acceptor)) = (secure, guard.tls) {
        let stream = acceptor.accept(stream).await?;
        session.secure();
        let nothing = Answer {
            lines: String::new(),
            then: Then::Go,
        };
        converse(stream, &sandbox, &mut session, nothing).await?;
    }
    Ok(())
}

/// Talks until one of both hangs up, or until the stream is to go on encrypted: then it is given back.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    sandbox: &Sandbox,
    session: &mut Session,
    mut answer: Answer,
) -> io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    loop {
        let slow_ms = sandbox.turn(|settings| settings.slow_ms);
        if slow_ms > 0 {
            tokio::time::sleep(Duration::from_millis(slow_ms)).await;
        }
        stream.write_all(answer.lines.as_bytes()).await?;
        stream.flush().await?;
        answer = match answer.then {
            Then::Quit => return stream.shutdown().await.map(|()| None),
            // What came too early came from nobody who is known.
            Then::Secure if !stream.buffer().is_empty() => return Err(io::ErrorKind::InvalidData.into()),
            Then::Secure => return Ok(Some(stream.into_inner())),
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
                None => return Ok(None),
            },
        };
    }
}

/// A line with its end; `None` when the client has hung up.
async fn read_line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Option<Vec<u8>>> {
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
async fn read_mail<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Option<Vec<u8>>> {
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
