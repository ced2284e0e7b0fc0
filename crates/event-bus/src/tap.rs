//! Taps: events as they pass, for subscriptions. Nothing is stored, so a tap says when something may have passed
//! unseen, and its listeners then read the current state.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::StreamExt;
use lapin::Channel;
use lapin::options::BasicConsumeOptions;
use lapin::types::FieldTable;
use service_kit::Host;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

use crate::link::{self, Broker, LinkError};
use crate::{Message, topology};

/// Signals a listener may lag behind before it is told of a gap instead.
const BACKLOG_ALL: usize = 1_024;
const BACKLOG_SUBJECT: usize = 32;

/// What a listener hears.
#[derive(Debug, Clone)]
pub enum Signal {
    /// An event passed.
    Event(Arc<Message>),
    /// Events may have passed unseen (the tap has just connected, or the listener lagged): read the state again.
    Gap,
}

/// A tap of this process on an exchange; cheap to clone. Its queue is exclusive and dies with the connection.
#[derive(Debug, Clone)]
pub struct Tap(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    all: broadcast::Sender<Signal>,
    // One channel per subject with listeners, so that an event wakes only those it concerns.
    by_subject: Mutex<HashMap<String, broadcast::Sender<Signal>>>,
    shutdown: CancellationToken,
}

impl Tap {
    fn new(shutdown: CancellationToken) -> Self {
        let all = broadcast::Sender::new(BACKLOG_ALL);
        Self(Arc::new(Inner {
            all,
            by_subject: Mutex::default(),
            shutdown,
        }))
    }

    /// Hears every event.
    pub fn subscribe(&self) -> TapReceiver {
        TapReceiver {
            receiver: self.0.all.subscribe(),
            subject: None,
            shutdown: self.0.shutdown.clone(),
        }
    }

    /// Hears the events about one aggregate.
    pub fn subscribe_to(&self, subject: &str) -> TapReceiver {
        let mut by_subject = self.0.by_subject();
        let sender = by_subject
            .entry(subject.to_owned())
            .or_insert_with(|| broadcast::Sender::new(BACKLOG_SUBJECT));
        let interest = Interest {
            tap: Arc::clone(&self.0),
            subject: subject.to_owned(),
        };
        TapReceiver {
            receiver: sender.subscribe(),
            subject: Some(interest),
            shutdown: self.0.shutdown.clone(),
        }
    }

    // A send fails only when nobody listens.
    fn event(&self, message: Message) {
        let sender = self.0.by_subject().get(&message.subject).cloned();
        let signal = Signal::Event(Arc::new(message));
        if let Some(sender) = sender {
            let _ = sender.send(signal.clone());
        }
        let _ = self.0.all.send(signal);
    }

    fn gap(&self) {
        let _ = self.0.all.send(Signal::Gap);
        for sender in self.0.by_subject().values() {
            let _ = sender.send(Signal::Gap);
        }
    }
}

impl Inner {
    fn by_subject(&self) -> MutexGuard<'_, HashMap<String, broadcast::Sender<Signal>>> {
        self.by_subject.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears a tap's signals from its making on.
#[derive(Debug)]
pub struct TapReceiver {
    receiver: broadcast::Receiver<Signal>,
    // Declared after the receiver, so that it is dropped when the receiver no longer counts.
    subject: Option<Interest>,
    shutdown: CancellationToken,
}

impl TapReceiver {
    /// The next signal; `None` once the process shuts down.
    pub async fn next(&mut self) -> Option<Signal> {
        tokio::select! {
            biased;
            signal = self.receiver.recv() => match signal {
                Ok(signal) => Some(signal),
                Err(RecvError::Lagged(_)) => Some(Signal::Gap),
                Err(RecvError::Closed) => None,
            },
            () = self.shutdown.cancelled() => None,
        }
    }

    /// The aggregate it listens to, if only one.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_ref().map(|interest| interest.subject.as_str())
    }
}

/// Takes a subject's channel away with its last listener.
#[derive(Debug)]
struct Interest {
    tap: Arc<Inner>,
    subject: String,
}

impl Drop for Interest {
    fn drop(&mut self) {
        let mut by_subject = self.tap.by_subject();
        if by_subject
            .get(&self.subject)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            by_subject.remove(&self.subject);
        }
    }
}

/// Starts a tap on the host.
pub(crate) fn spawn(broker: Broker, host: &Host, exchange: &'static str, routing_key: &'static str) -> Tap {
    let tap = Tap::new(host.shutdown.clone());
    let feed = Arc::new(Feed {
        broker: broker.clone(),
        tap: tap.clone(),
        exchange,
        routing_key,
        shutdown: host.shutdown.clone(),
    });
    let shutdown = host.shutdown.clone();
    let role = feed.role();
    broker.health.starting(&role);
    host.spawn(
        "event tap",
        link::supervise(broker, role, shutdown, move || Arc::clone(&feed).session()),
    );
    tap
}

struct Feed {
    broker: Broker,
    tap: Tap,
    exchange: &'static str,
    routing_key: &'static str,
    shutdown: CancellationToken,
}

impl Feed {
    fn role(&self) -> String {
        format!("tap {} {}", self.exchange, self.routing_key)
    }

    async fn session(self: Arc<Self>) -> Result<(), LinkError> {
        let role = self.role();
        let subscribe = async |channel: &Channel| {
            let names = &self.broker.names;
            let queue = topology::declare_own(channel, names, self.exchange, self.routing_key).await?;
            let options = BasicConsumeOptions {
                no_ack: true,
                exclusive: true,
                ..Default::default()
            };
            channel
                .basic_consume(queue, "".into(), options, FieldTable::default())
                .await
        };
        let (link, mut deliveries) = self.broker.open(&role, subscribe).await?;
        self.broker.health.up(&role);
        self.tap.gap();
        loop {
            let delivery = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => {
                    link.close().await;
                    return Ok(());
                }
                delivery = deliveries.next() => delivery.ok_or(LinkError::Cancelled)??,
            };
            match Message::delivered(&delivery) {
                Ok(message) => self.tap.event(message),
                // The consumers' queues park it with the reason.
                Err(error) => tracing::debug!(role, %error, "not an event"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::EventId;

    fn message(subject: &str) -> Message {
        Message {
            id: EventId::generate(),
            kind: "test.happened.v1".to_owned(),
            subject: subject.to_owned(),
            aggregate_version: 1,
            time: chrono::DateTime::UNIX_EPOCH,
            body: serde_json::Value::Null,
            correlation_id: None,
            traceparent: None,
            attempts: 0,
        }
    }

    #[tokio::test]
    async fn a_listener_hears_its_subject_and_gaps() {
        let tap = Tap::new(CancellationToken::new());
        let (mut mine, mut all) = (tap.subscribe_to("a"), tap.subscribe());
        tap.event(message("b"));
        tap.event(message("a"));
        tap.gap();
        assert!(matches!(mine.next().await, Some(Signal::Event(m)) if m.subject == "a"));
        assert!(matches!(mine.next().await, Some(Signal::Gap)));
        assert!(matches!(all.next().await, Some(Signal::Event(m)) if m.subject == "b"));
    }

    #[tokio::test]
    async fn a_listener_that_lags_is_told_of_a_gap() {
        let tap = Tap::new(CancellationToken::new());
        let mut mine = tap.subscribe_to("a");
        for _ in 0..=BACKLOG_SUBJECT {
            tap.event(message("a"));
        }
        assert!(matches!(mine.next().await, Some(Signal::Gap)));
    }

    #[test]
    fn the_last_listener_takes_its_channel_away() {
        let tap = Tap::new(CancellationToken::new());
        let (first, second) = (tap.subscribe_to("a"), tap.subscribe_to("a"));
        drop(first);
        assert_eq!(tap.0.by_subject().len(), 1);
        drop(second);
        assert!(tap.0.by_subject().is_empty());
    }
}
