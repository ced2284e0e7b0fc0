//! The mails that were caught, newest last, and the settings, behind one lock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use mail_parser::MessageParser;
use serde::Serialize;
use service_kit::Clock;

use crate::settings::Settings;

/// Kept; the oldest are forgotten.
const KEPT: usize = 2_000;

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caught {
    /// Its number here, from 1.
    pub id: u64,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// The sender, as the envelope names them.
    pub from: String,
    /// The recipients, as the envelope names them.
    pub to: Vec<String>,
    /// The header `Message-ID`, without its brackets.
    pub message_id: Option<String>,
    /// The header `Subject`.
    pub subject: String,
    /// Its first text.
    pub text: String,
    /// Its first HTML.
    pub html: String,
    /// As it came.
    pub raw: String,
}

/// A running sandbox; clones share it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    inner: Arc<Mutex<Inner>>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Inner {
    mails: VecDeque<Caught>,
    taken: u64,
    settings: Settings,
}

impl Sandbox {
    /// An empty one.
    pub fn new(clock: Clock) -> Self {
        Self {
            inner: Arc::default(),
            clock,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All mails, oldest first.
    pub fn mails(&self) -> Vec<Caught> {
        self.lock().mails.iter().cloned().collect()
    }

    /// The mails to an address, oldest first.
    pub fn mails_to(&self, address: &str) -> Vec<Caught> {
        let inner = self.lock();
        let to_them = inner
            .mails
            .iter()
            .filter(|mail| mail.to.iter().any(|to| to == address));
        to_them.cloned().collect()
    }

    /// One mail.
    pub fn mail(&self, id: u64) -> Option<Caught> {
        self.lock().mails.iter().find(|mail| mail.id == id).cloned()
    }

    /// Forgets all mails.
    pub fn clear(&self) {
        self.lock().mails.clear();
    }

    /// The settings.
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Changes the settings.
    pub fn set(&self, settings: Settings) {
        self.lock().settings = settings;
    }

    pub(crate) fn turn<T>(&self, turn: impl FnOnce(&mut Settings) -> T) -> T {
        turn(&mut self.lock().settings)
    }

    /// Takes a mail.
    pub(crate) fn take(&self, from: String, to: Vec<String>, raw: &[u8]) {
        let read = MessageParser::default().parse(raw);
        let of = |part: Option<&str>| part.unwrap_or_default().to_owned();
        let body = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap_or_default().into_owned();
        let mut caught = Caught {
            id: 0,
            at: self.clock.now(),
            from,
            to,
            message_id: read
                .as_ref()
                .and_then(|mail| mail.message_id().map(ToOwned::to_owned)),
            subject: of(read.as_ref().and_then(|mail| mail.subject())),
            text: body(read.as_ref().and_then(|mail| mail.body_text(0))),
            html: body(read.as_ref().and_then(|mail| mail.body_html(0))),
            raw: String::from_utf8_lossy(raw).into_owned(),
        };
        let mut inner = self.lock();
        inner.taken += 1;
        caught.id = inner.taken;
        inner.mails.push_back(caught);
        if inner.mails.len() > KEPT {
            inner.mails.pop_front();
        }
    }
}
