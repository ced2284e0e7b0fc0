//! The sandbox as one value: state, journal and clock behind one lock.
//!
//! Owns the order of things: decide, journal, apply, wait for the disk, answer. Must not know HTTP routes.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use service_kit::Clock;
use tokio::sync::Notify;

use crate::commands::{Change, Outcome};
use crate::fault::Fault;
use crate::journal::{Durable, Journal, JournalLost, Seq};
use crate::settings::Settings;
use crate::state::{Answer, Record, State};

/// What a request gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Value,
    /// The answer was given before, to the same idempotency key.
    pub replayed: bool,
    /// Leave the client without it for a while.
    pub hang: bool,
}

/// A request to change something.
#[derive(Debug, Clone, Copy)]
pub struct Keyed<'a> {
    /// The idempotency key, if the client gave one.
    pub key: Option<&'a str>,
    /// Digest of path and parameters.
    pub digest: &'a str,
}

struct Inner {
    state: State,
    journal: Journal,
    dice: StdRng,
}

/// A running sandbox; clones share it.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Mutex<Inner>>,
    durable: Durable,
    clock: Clock,
    /// Rung when there is something to deliver or to settle.
    pub(crate) changed: Arc<Notify>,
}

impl Sandbox {
    /// Opens the journal in `folder` and goes on where it ended.
    pub fn open(folder: &Path, settings: Settings, clock: Clock) -> io::Result<Self> {
        let mut state = State::new(settings);
        let journal = Journal::open(folder, &mut state)?;
        let durable = journal.durable();
        let inner = Inner {
            state,
            journal,
            dice: StdRng::from_os_rng(),
        };
        let changed = Arc::new(Notify::new());
        Ok(Self {
            inner: Arc::new(Mutex::new(inner)),
            durable,
            clock,
            changed,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Reads something that is on disk by the time it is returned.
    pub async fn read<T>(&self, look: impl FnOnce(&State) -> T) -> Result<T, JournalLost> {
        let (seen, seq) = {
            let inner = self.lock();
            (look(&inner.state), inner.journal.last())
        };
        self.wait(seq).await?;
        Ok(seen)
    }

    /// Changes what is only in memory: tries and flights of deliveries.
    pub(crate) fn touch<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.lock().state)
    }

    /// Answers a request, or repeats the answer its key had before.
    pub async fn answer(&self, keyed: Keyed<'_>, decide: impl FnOnce(&mut Change<'_>) -> Outcome) -> Reply {
        let (reply, seq) = {
            let mut inner = self.lock();
            match replay(&inner.state, keyed) {
                Some(reply) => (reply, inner.journal.last()),
                None => match self.decide(&mut inner, keyed, decide) {
                    Ok(decided) => decided,
                    Err(error) => return lost(&error),
                },
            }
        };
        self.changed.notify_one();
        match self.wait(seq).await {
            Ok(()) => reply,
            Err(error) => lost(&io::Error::other(error)),
        }
    }

    fn decide(
        &self,
        inner: &mut Inner,
        keyed: Keyed<'_>,
        decide: impl FnOnce(&mut Change<'_>) -> Outcome,
    ) -> io::Result<(Reply, Seq)> {
        let now = self.clock.now();
        let mut change = Change::new(&inner.state, now, &mut inner.dice);
        let outcome = decide(&mut change);
        let mut records = change.records;
        let (status, body) = match outcome.answer {
            Ok(body) => (200, body),
            Err(fault) => (fault.status, fault.body()),
        };
        // As at Stripe, a request that was refused before it did anything leaves its key free.
        if let Some(key) = keyed.key
            && !records.is_empty()
        {
            let answer = Answer {
                key: key.to_owned(),
                digest: keyed.digest.to_owned(),
                status,
                body: body.clone(),
                at: now,
            };
            records.push(Record::Answered(Box::new(answer)));
        }
        let seq = commit(inner, records)?;
        Ok((
            Reply {
                status,
                body,
                replayed: false,
                hang: outcome.hang,
            },
            seq,
        ))
    }

    /// Journals and applies records that no request asked for.
    pub async fn record(&self, records: Vec<Record>) -> io::Result<()> {
        let seq = commit(&mut self.lock(), records)?;
        self.changed.notify_one();
        self.wait(seq).await.map_err(io::Error::other)
    }

    /// Lets everything that is due by now reach its end; returns how many did.
    pub async fn settle_due(&self) -> io::Result<usize> {
        let mut settled = 0;
        let seq = {
            let mut inner = self.lock();
            let now = self.clock.now();
            while let Some((at, id)) = inner.state.due.first().cloned()
                && at <= now
            {
                let inner = &mut *inner;
                let mut change = Change::new(&inner.state, now, &mut inner.dice);
                change.settle(&id);
                let records = change.records;
                inner.state.due.remove(&(at, id));
                commit(inner, records)?;
                settled += 1;
            }
            inner.journal.last()
        };
        self.wait(seq).await.map_err(io::Error::other)?;
        Ok(settled)
    }

    async fn wait(&self, seq: Seq) -> Result<(), JournalLost> {
        self.durable.clone().wait(seq).await
    }
}

fn replay(state: &State, keyed: Keyed<'_>) -> Option<Reply> {
    let known = state.answers.get(keyed.key?)?;
    if known.digest != keyed.digest {
        let fault = Fault::key_reused();
        return Some(Reply {
            status: fault.status,
            body: fault.body(),
            replayed: false,
            hang: false,
        });
    }
    Some(Reply {
        status: known.status,
        body: known.body.clone(),
        replayed: true,
        hang: false,
    })
}

fn commit(inner: &mut Inner, records: Vec<Record>) -> io::Result<Seq> {
    if records.is_empty() {
        return Ok(inner.journal.last());
    }
    let seq = inner.journal.append(&records)?;
    for record in records {
        inner.state.apply(record);
    }
    Ok(seq)
}

fn lost(error: &io::Error) -> Reply {
    tracing::error!(%error, "a request could not be journalled");
    let fault = Fault::internal();
    Reply {
        status: fault.status,
        body: fault.body(),
        replayed: false,
        hang: false,
    }
}
