//! Listening, answering, and draining without dropping a request.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::Listener;

/// How long the headers of the next request may take, the first or another one: the server counts a connection's rest
/// in. Longer than callers keep a connection that rests (the routers 60 s, services 20 s), because who sends while we
/// hang up has lost a request and can't know whether it was done.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);
/// After this, connections that still answer are cut.
const DRAIN: Duration = Duration::from_secs(10);

/// A connection is asked to end with the first answer after this long, and up to half as long more, so that not all end
/// at once. Callers that keep theirs for ever, as routers do, would never find a process that came later.
const AGE: Duration = Duration::from_mins(1);

/// A bound socket and its routes.
pub(crate) struct Bound {
    name: &'static str,
    socket: TcpListener,
    router: Router,
    age: Duration,
}

impl Bound {
    /// Binds before anything is served, so that a taken port is an error of the start.
    pub(crate) async fn bind(listener: Listener) -> anyhow::Result<Self> {
        let (name, addr) = (listener.name, listener.addr);
        let socket = TcpListener::bind(addr)
            .await
            .map_err(|error| anyhow::anyhow!("listener {name} can't bind {addr}: {error}"))?;
        Ok(Self {
            name,
            socket,
            router: listener.instrumented(),
            age: AGE,
        })
    }

    /// Answers until `stop`, then lets the connections finish.
    pub(crate) async fn serve(self, stop: CancellationToken) {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT);
        builder.http2().timer(TokioTimer::new());
        let graceful = GracefulShutdown::new();
        while let Some(accepted) = stop.run_until_cancelled(self.socket.accept()).await {
            match accepted {
                Ok((stream, peer)) => {
                    // Each of a caller's connections comes from another port.
                    let age = self.age + self.age * u32::from(peer.port() % 64) / 128;
                    answer(&builder, &graceful, stream, self.router.clone(), age);
                }
                Err(error) => {
                    // Out of descriptors, usually: yield instead of spinning.
                    tracing::warn!(listener = self.name, %error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(self.socket);
        if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
            tracing::warn!(listener = self.name, "connections cut after the drain time");
        }
    }
}

fn answer(
    builder: &Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    stream: TcpStream,
    router: Router,
    age: Duration,
) {
    drop(stream.set_nodelay(true));
    let begun = Instant::now();
    let peer = stream.peer_addr().ok();
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        }
        let router = router.clone();
        async move {
            let is_http1 = request.version() <= Version::HTTP_11;
            let mut response = router
                .oneshot(request.map(axum::body::Body::new))
                .await
                .unwrap_or_else(|never| match never {});
            if is_http1 && begun.elapsed() >= age && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended early");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn a_request_in_flight_is_answered_after_the_stop() {
        let entered = Arc::new(Notify::new());
        let release = Arc::new(Notify::new());
        let (seen, go) = (entered.clone(), release.clone());
        let router = Router::new().route(
            "/",
            get(move || async move {
                seen.notify_one();
                go.notified().await;
                "done"
            }),
        );
        let bound = Bound::bind(Listener::new("test", "127.0.0.1:0".parse().unwrap(), router))
            .await
            .unwrap();
        let addr = bound.socket.local_addr().unwrap();
        let stop = CancellationToken::new();
        let server = tokio::spawn(bound.serve(stop.clone()));

        let mut client = TcpStream::connect(addr).await.unwrap();
        client
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        entered.notified().await;
        stop.cancel();
        release.notify_one();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("done"), "{answer}");
        server.await.unwrap();
        assert!(TcpStream::connect(addr).await.is_err(), "no longer listening");
    }

    #[tokio::test]
    async fn a_connection_goes_on_until_it_is_old() {
        for (age, goes_on) in [(AGE, true), (Duration::ZERO, false)] {
            let router = Router::new().route("/", get(async || "done"));
            let mut bound = Bound::bind(Listener::new("test", "127.0.0.1:0".parse().unwrap(), router))
                .await
                .unwrap();
            bound.age = age;
            let addr = bound.socket.local_addr().unwrap();
            let stop = CancellationToken::new();
            let server = tokio::spawn(bound.serve(stop.clone()));
            let mut client = TcpStream::connect(addr).await.unwrap();
            let ask = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
            client.write_all(ask).await.unwrap();
            let mut first = vec![0; 1024];
            let read = client.read(&mut first).await.unwrap();
            let first = String::from_utf8_lossy(&first[..read]).to_lowercase();
            assert!(first.ends_with("done"), "{first}");
            assert_eq!(first.contains("connection: close"), !goes_on, "{first}");
            let mut more = [0; 16];
            if goes_on {
                client.write_all(ask).await.unwrap();
            }
            assert_eq!(client.read(&mut more).await.unwrap() > 0, goes_on);
            stop.cancel();
            server.await.unwrap();
        }
    }

    #[test]
    fn callers_let_go_of_a_resting_connection_before_we_do() {
        assert!(HEADER_TIMEOUT > crate::http::POOL_IDLE_TIMEOUT);
        let routers = include_str!("../../../router/router.yaml");
        let kept = routers
            .lines()
            .find_map(|line| line.trim().strip_prefix("pool_idle_timeout: ")?.strip_suffix('s'));
        let kept: u64 = kept.unwrap().parse().unwrap();
        assert!(
            HEADER_TIMEOUT > Duration::from_secs(kept),
            "the routers keep it {kept} s"
        );
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_that_names_it() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = taken.local_addr().unwrap();
        let error = Bound::bind(Listener::new("graphql", addr, Router::new()))
            .await
            .err()
            .unwrap();
        assert!(error.to_string().contains("graphql"), "{error}");
    }
}
