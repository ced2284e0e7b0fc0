//! One socket from upgrade to close.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use serde_json::Value as Json;
use service_auth::{AuthError, CurrentUser};
use service_kit::refusal::{Door, refused};
use service_kit::trace;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep, interval_at, sleep, timeout};
use tokio_stream::StreamMap;
use tracing::Span;

use super::Endpoint;
use super::protocol::{ClientMessage, Close, ServerMessage, token, traceparent};
use super::quota::UserSocket;
use crate::error::{ApiError, Code};
use crate::refusals::{self, Who};
use crate::viewer::{ClientIp, Viewer};
use crate::{document, http, limit, mask, nulls};

/// How long the peer has to answer our close before the connection is dropped.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// How a socket ended.
enum End {
    /// We close it, and say why.
    Close(Close),
    /// The peer closes it.
    Closed,
    /// The peer is gone, or does not read.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// A result of a subscription; `None` is its end.
type Event = Option<Response>;

/// What happened on the socket.
enum Input {
    Message(ClientMessage),
    /// A ping or pong of the transport.
    Alive,
}

struct Socket {
    endpoint: Arc<Endpoint>,
    wire: WebSocket,
    from: ClientIp,
    /// Who it belongs to, once that is known.
    user: Option<CurrentUser>,
    /// What was wrong with the token.
    fault: Option<AuthError>,
}

/// Serves a socket until either side ends it.
pub(super) async fn serve(endpoint: Arc<Endpoint>, socket: WebSocket, from: ClientIp) {
    let _open = endpoint.metrics.socket();
    let mut socket = Socket {
        endpoint,
        wire: socket,
        from,
        user: None,
        fault: None,
    };
    let Err(end) = socket.session().await;
    match end {
        End::Close(close) => socket.close(close).await,
        End::Closed => socket.drain().await,
        End::Gone => {}
    }
}

impl Socket {
    async fn session(&mut self) -> Result<std::convert::Infallible, End> {
        if self.wire.protocol().is_none() {
            return Err(Close::NoSubprotocol.into());
        }
        let shutdown = self.endpoint.host.shutdown.clone();
        let init = self.endpoint.config.limits.init;
        let (user, traceparent, socket_of_user) = tokio::select! {
            () = shutdown.cancelled() => return Err(Close::GoingAway.into()),
            greeted = timeout(init, self.greet()) => greeted.map_err(|_| Close::InitTimeout)??,
        };
        self.send(&ServerMessage::ConnectionAck).await?;
        Session::new(self, user, traceparent, socket_of_user).run().await
    }

    /// Waits for `connection_init` and checks its token.
    async fn greet(&mut self) -> Result<(CurrentUser, Option<String>, UserSocket), End> {
        let payload = loop {
            match self.receive().await? {
                Input::Message(ClientMessage::ConnectionInit { payload }) => break payload,
                Input::Message(ClientMessage::Subscribe { .. }) => return Err(Close::Unauthorized.into()),
                Input::Message(ClientMessage::Ping {}) => self.send(&ServerMessage::Pong).await?,
                Input::Message(ClientMessage::Pong {} | ClientMessage::Complete { .. }) | Input::Alive => {}
            }
        };
        let token = token(payload.as_ref()).ok_or(Close::Forbidden)?;
        let user = match self.endpoint.config.users.verify(token).await {
            Ok(user) => user,
            Err(AuthError::Unavailable) => return Err(Close::TryAgain.into()),
            Err(error) => {
                self.fault = Some(error);
                return Err(Close::Forbidden.into());
            }
        };
        let place = self.endpoint.quota.claim(user.id);
        // Also of the one socket too many it is known whose it is.
        self.user = Some(user.clone());
        Ok((
            user,
            traceparent(payload.as_ref()),
            place.ok_or(Close::TooManySockets)?,
        ))
    }

    async fn receive(&mut self) -> Result<Input, End> {
        match self.wire.recv().await {
            None => Err(End::Gone),
            Some(Ok(Message::Close(_))) => Err(End::Closed),
            Some(Ok(Message::Text(text))) => ClientMessage::read(&text)
                .map(Input::Message)
                .ok_or_else(|| Close::BadMessage.into()),
            Some(Ok(Message::Binary(_))) => Err(Close::BadMessage.into()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(Input::Alive),
            Some(Err(error)) => Err(broken(&error)),
        }
    }

    async fn send(&mut self, message: &ServerMessage<'_>) -> Result<(), End> {
        let text = serde_json::to_string(message).map_err(|error| {
            tracing::error!(%error, "a message could not be written");
            End::Gone
        })?;
        self.write(Message::Text(text.into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.endpoint.config.limits.write, self.wire.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    fn who(&self) -> Who<'_> {
        Who(self.user.as_ref(), self.from)
    }

    /// Says why the socket ends.
    async fn close(mut self, close: Close) {
        self.endpoint.metrics.closed(close.code());
        if close.is_refusal() {
            let why = self
                .fault
                .map_or_else(|| close.reason().to_owned(), |fault| fault.to_string());
            refused(
                Door::Socket,
                self.who(),
                self.endpoint.config.path,
                &close.code().to_string(),
                why,
            );
        }
        let frame = CloseFrame {
            code: close.code(),
            reason: close.reason().into(),
        };
        if self.write(Message::Close(Some(frame))).await.is_ok() {
            self.drain().await;
        }
    }

    /// Reads on for a moment, which also answers the peer's close: dropping unread input would reset the connection
    /// and lose what was said last.
    async fn drain(mut self) {
        let rest = async { while let Some(Ok(_)) = self.wire.recv().await {} };
        // Either outcome ends the socket.
        let _ = timeout(CLOSE_GRACE, rest).await;
    }
}

/// The results of a subscription, made in its span, which lasts as long as they do.
fn within(span: Span, mut results: BoxStream<'static, Response>) -> impl Stream<Item = Response> + Send {
    stream::poll_fn(move |context| span.in_scope(|| results.poll_next_unpin(context)))
}

/// A transport error: one for size can still be answered, after any other the connection is gone.
fn broken(error: &axum::Error) -> End {
    if crate::error::chain(error).contains("too long") {
        Close::TooLarge.into()
    } else {
        End::Gone
    }
}

/// An initialised socket.
struct Session<'s> {
    socket: &'s mut Socket,
    user: CurrentUser,
    /// Of the connection, for operations that bear none.
    traceparent: Option<String>,
    subscriptions: StreamMap<String, BoxStream<'static, Event>>,
    expiry: Pin<Box<Sleep>>,
    ping: Interval,
    last_heard: Instant,
    _place: UserSocket,
}

impl<'s> Session<'s> {
    fn new(
        socket: &'s mut Socket,
        user: CurrentUser,
        traceparent: Option<String>,
        place: UserSocket,
    ) -> Self {
        let left = user.expires_at - socket.endpoint.host.clock.now();
        let every = socket.endpoint.config.limits.ping;
        let mut ping = interval_at(Instant::now() + every, every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            socket,
            user,
            traceparent,
            subscriptions: StreamMap::new(),
            expiry: Box::pin(sleep(left.to_std().unwrap_or_default())),
            ping,
            last_heard: Instant::now(),
            _place: place,
        }
    }

    async fn run(mut self) -> Result<std::convert::Infallible, End> {
        let shutdown = self.socket.endpoint.host.shutdown.clone();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Err(Close::GoingAway.into()),
                () = &mut self.expiry => return Err(Close::TokenExpired.into()),
                _ = self.ping.tick() => self.keep_alive().await?,
                input = self.socket.receive() => self.hear(input?).await?,
                Some((id, event)) = self.subscriptions.next() => self.tell(&id, event).await?,
            }
        }
    }

    async fn keep_alive(&mut self) -> Result<(), End> {
        let silence = self.last_heard.elapsed();
        if silence > self.ping.period().mul_f32(2.5) {
            return Err(End::Gone);
        }
        self.socket.write(Message::Ping(Vec::new().into())).await
    }

    async fn hear(&mut self, input: Input) -> Result<(), End> {
        self.last_heard = Instant::now();
        match input {
            Input::Alive | Input::Message(ClientMessage::Pong {}) => Ok(()),
            Input::Message(ClientMessage::Ping {}) => self.socket.send(&ServerMessage::Pong).await,
            Input::Message(ClientMessage::ConnectionInit { .. }) => Err(Close::TooManyInits.into()),
            Input::Message(ClientMessage::Complete { id }) => {
                self.subscriptions.remove(&id);
                Ok(())
            }
            Input::Message(ClientMessage::Subscribe { id, payload }) => {
                if self.subscriptions.contains_key(&id) {
                    return Err(Close::DuplicateId.into());
                }
                match self.subscribe(payload).await {
                    Ok(events) => {
                        self.subscriptions.insert(id, events);
                        Ok(())
                    }
                    Err(error) => self.refuse(&id, error).await,
                }
            }
        }
    }

    /// Starts a subscription, and nothing else than a subscription.
    async fn subscribe(&mut self, payload: Json) -> Result<BoxStream<'static, Event>, ServerError> {
        let endpoint = &self.socket.endpoint;
        if self.subscriptions.len() >= endpoint.config.limits.subscriptions_per_socket {
            let code = Code::RateLimited { retry_after_s: 1 };
            return Err(http::server_error(ApiError::new(
                code,
                "Too many subscriptions on this socket",
            )));
        }
        let cause = traceparent(payload.get("extensions"));
        let mut request =
            http::from_json(payload).map_err(|why| http::server_error(ApiError::bad_input(why)))?;
        let checked = document::check(&mut request, false)?;
        if checked.operation_type != OperationType::Subscription {
            return Err(http::server_error(ApiError::bad_input(
                "Only subscriptions are served here",
            )));
        }
        let rates = endpoint.config.rates.as_ref();
        limit::admit(rates, Some(&self.user), self.socket.from, &checked)
            .await
            .map_err(http::server_error)?;
        endpoint.metrics.count(&checked, "ok");
        let open = endpoint.metrics.subscription();
        let (types, asked) = (Arc::clone(&endpoint.types), checked.asked(&request));
        let span = checked.span();
        trace::with_parent(&span, cause.as_deref().or(self.traceparent.as_deref()));
        let results = endpoint.engine.stream(
            request
                .data(Viewer(Some(self.user.clone())))
                .data(self.socket.from),
        );
        let results = within(span, results);
        let events = results.map(move |mut response| {
            let _counted = &open;
            nulls::mend(&types, &asked, &mut response);
            Some(response)
        });
        Ok(events.chain(stream::iter([None])).boxed())
    }

    /// Passes on a result. One without data ends the subscription: it never began, or can't go on.
    async fn tell(&mut self, id: &str, event: Event) -> Result<(), End> {
        let Some(mut response) = event else {
            self.subscriptions.remove(id);
            return self.socket.send(&ServerMessage::Complete { id }).await;
        };
        refusals::note(&response, self.socket.who(), "subscription");
        mask::mask(&mut response);
        if response.data == async_graphql::Value::Null && !response.errors.is_empty() {
            self.subscriptions.remove(id);
            let payload = &response.errors;
            return self.socket.send(&ServerMessage::Error { id, payload }).await;
        }
        let payload = (&response).into();
        self.socket.send(&ServerMessage::Next { id, payload }).await
    }

    async fn refuse(&mut self, id: &str, error: ServerError) -> Result<(), End> {
        let limited = Code::RateLimited { retry_after_s: 1 }.as_str();
        let mut response = Response::from_errors(vec![error]);
        if refusals::code_of(&response.errors[0]) == Some(limited) {
            refusals::note(&response, self.socket.who(), "subscribe");
        } else {
            refusals::note_document(&response.errors[0], self.socket.who(), None);
        }
        mask::mask(&mut response);
        let payload = &response.errors;
        self.socket.send(&ServerMessage::Error { id, payload }).await
    }
}
