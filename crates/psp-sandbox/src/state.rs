//! All the sandbox knows, in memory, as the sum of its records.
//!
//! Owns the indexes and how a record changes them. Must not decide anything: [`crate::commands`] does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::objects::{Event, Intent, Refund};
use crate::settings::Settings;

/// How long an idempotency key is remembered at least, as at Stripe.
const KEY_AGE: TimeDelta = TimeDelta::hours(24);

/// The answer to a request that bore an idempotency key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The key.
    pub key: String,
    /// Digest of path and parameters.
    pub digest: String,
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Value,
    /// When it was given.
    pub at: DateTime<Utc>,
}

/// A delivery of a webhook that has not been accepted yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// What is delivered.
    pub event: Event,
    /// 0, or 1 for the deliberate duplicate.
    pub copy: u8,
    /// Not before this.
    pub at: DateTime<Utc>,
    /// Tries so far; forgotten by a restart.
    #[serde(skip)]
    pub attempts: u32,
    /// Being sent just now.
    #[serde(skip)]
    pub in_flight: bool,
}

/// One change of the state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// An intent is now this.
    Intent(Box<Intent>),
    /// A refund is now this.
    Refund(Box<Refund>),
    /// A webhook is to be delivered.
    Queued(Box<Delivery>),
    /// A webhook was accepted.
    Delivered {
        /// The event.
        event: String,
        /// Which of its deliveries.
        copy: u8,
    },
    /// A request with a key was answered.
    Answered(Box<Answer>),
    /// These settings were changed.
    Settings(Value),
}

/// Everything, by id and in order of creation.
#[derive(Debug, Default)]
pub struct State {
    /// All intents.
    pub intents: HashMap<String, Intent>,
    /// Their ids, oldest first.
    pub intent_order: Vec<String>,
    /// All refunds.
    pub refunds: HashMap<String, Refund>,
    /// Their ids, oldest first.
    pub refund_order: Vec<String>,
    /// Answers by idempotency key.
    pub answers: HashMap<String, Answer>,
    /// Webhooks not accepted yet.
    pub deliveries: BTreeMap<(String, u8), Delivery>,
    /// What settles by itself, by time: intents and refunds.
    pub due: BTreeSet<(DateTime<Utc>, String)>,
    /// Present settings.
    pub settings: Settings,
    changed_settings: Option<Value>,
}

impl State {
    /// A new state with settings from the environment.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Takes one change in.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Intent(intent) => self.put_intent(*intent),
            Record::Refund(refund) => self.put_refund(*refund),
            Record::Queued(delivery) => {
                self.deliveries
                    .insert((delivery.event.id.clone(), delivery.copy), *delivery);
            }
            Record::Delivered { event, copy } => {
                self.deliveries.remove(&(event, copy));
            }
            Record::Answered(answer) => {
                self.answers.insert(answer.key.clone(), *answer);
            }
            Record::Settings(patch) => {
                if let Ok(settings) = self.settings.patched(&patch) {
                    self.settings = settings;
                    let known = self
                        .changed_settings
                        .get_or_insert_with(|| Value::Object(serde_json::Map::new()));
                    crate::settings::merge(known, &patch);
                }
            }
        }
    }

    fn put_intent(&mut self, intent: Intent) {
        let id = intent.id.clone();
        let due = intent.succeeds_at;
        match self.intents.insert(id.clone(), intent) {
            Some(Intent {
                succeeds_at: Some(before),
                ..
            }) => {
                self.due.remove(&(before, id.clone()));
            }
            Some(_) => {}
            None => self.intent_order.push(id.clone()),
        }
        self.due.extend(due.map(|at| (at, id)));
    }

    fn put_refund(&mut self, refund: Refund) {
        let id = refund.id.clone();
        let due = refund.settles.map(|(at, _)| at);
        match self.refunds.insert(id.clone(), refund) {
            Some(Refund {
                settles: Some((before, _)),
                ..
            }) => {
                self.due.remove(&(before, id.clone()));
            }
            Some(_) => {}
            None => self.refund_order.push(id.clone()),
        }
        self.due.extend(due.map(|at| (at, id)));
    }

    /// The fewest records that make this state again.
    pub fn snapshot(&self) -> impl Iterator<Item = Record> {
        let newest = self.answers.values().map(|answer| answer.at).max();
        let fresh = move |answer: &&Answer| newest.is_none_or(|newest| newest - answer.at < KEY_AGE);
        let intents = self.intent_order.iter().filter_map(|id| self.intents.get(id));
        let refunds = self.refund_order.iter().filter_map(|id| self.refunds.get(id));
        let settings = self.changed_settings.clone().map(Record::Settings);
        settings
            .into_iter()
            .chain(intents.cloned().map(|intent| Record::Intent(Box::new(intent))))
            .chain(refunds.cloned().map(|refund| Record::Refund(Box::new(refund))))
            .chain(
                self.deliveries
                    .values()
                    .cloned()
                    .map(|queued| Record::Queued(Box::new(queued))),
            )
            .chain(
                self.answers
                    .values()
                    .filter(fresh)
                    .cloned()
                    .map(|a| Record::Answered(Box::new(a))),
            )
    }
}
