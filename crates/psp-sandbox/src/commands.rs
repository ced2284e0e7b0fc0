//! What may be asked of the provider, and what follows: a request and a state give records and an answer.
//!
//! Owns every rule of intents and refunds. Must not know HTTP, the journal or the clock: the moment and the dice
//! are handed in. A function here never changes the state; the records do.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::distr::Alphanumeric;
use rand::rngs::StdRng;
use serde_json::Value;

use crate::fault::Fault;
use crate::form::Params;
use crate::method::Behaviour;
use crate::objects::{Decline, Event, Intent, IntentStatus, Refund, RefundStatus};
use crate::state::{Delivery, Record, State};

/// What a request gives.
#[derive(Debug)]
pub struct Outcome {
    /// What the client hears.
    pub answer: Result<Value, Fault>,
    /// Leave the request without an answer for a while.
    pub hang: bool,
}

/// A request at work: what it reads, and the records it gathers.
pub struct Change<'a> {
    state: &'a State,
    now: DateTime<Utc>,
    dice: &'a mut StdRng,
    /// What is to be journalled and applied, in order.
    pub records: Vec<Record>,
}

impl<'a> Change<'a> {
    /// Begins at `now`.
    pub fn new(state: &'a State, now: DateTime<Utc>, dice: &'a mut StdRng) -> Self {
        Self {
            state,
            now,
            dice,
            records: Vec::new(),
        }
    }

    /// `POST /v1/payment_intents`.
    pub fn create_intent(&mut self, params: &Params) -> Outcome {
        match self.new_intent(params) {
            Err(fault) => Outcome {
                answer: Err(fault),
                hang: false,
            },
            Ok((intent, true)) => self.decide(intent),
            Ok((intent, false)) => {
                let answer = Ok(intent.to_json());
                self.records.push(Record::Intent(Box::new(intent)));
                Outcome { answer, hang: false }
            }
        }
    }

    fn new_intent(&mut self, params: &Params) -> Result<(Intent, bool), Fault> {
        params.required("amount")?;
        let amount = params.amount("amount")?.unwrap_or_default();
        let currency = currency(params.required("currency")?)?;
        let payment_method = params.get("payment_method").map(known_method).transpose()?;
        let confirm = params.flag("confirm")?;
        if confirm && payment_method.is_none() {
            let message = "You cannot confirm this PaymentIntent because it's missing a payment method.";
            return Err(Fault::param(
                "payment_method",
                "payment_intent_unexpected_state",
                message,
            ));
        }
        let status = match payment_method {
            Some(_) => IntentStatus::RequiresConfirmation,
            None => IntentStatus::RequiresPaymentMethod,
        };
        let intent = Intent {
            id: self.id("pi"),
            amount,
            currency,
            status,
            payment_method,
            metadata: params.nested("metadata"),
            description: params.get("description").map(str::to_owned),
            created: self.now,
            canceled_at: None,
            cancellation_reason: None,
            last_error: None,
            charge: None,
            amount_received: 0,
            amount_refunded: 0,
            behaviour: None,
            succeeds_at: None,
        };
        Ok((intent, confirm))
    }

    /// `POST /v1/payment_intents/:id/confirm`.
    pub fn confirm_intent(&mut self, id: &str, params: &Params) -> Outcome {
        match self.confirmable(id, params) {
            Ok(intent) => self.decide(intent),
            Err(fault) => Outcome {
                answer: Err(fault),
                hang: false,
            },
        }
    }

    fn confirmable(&self, id: &str, params: &Params) -> Result<Intent, Fault> {
        let mut intent = self.intent(id)?;
        match intent.status {
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation => {}
            _ => return Err(Fault::unexpected_state(&intent, "confirmed")),
        }
        if let Some(method) = params.get("payment_method") {
            intent.payment_method = Some(known_method(method)?);
        }
        if intent.payment_method.is_none() {
            let message = "You cannot confirm this PaymentIntent because it's missing a payment method.";
            return Err(Fault::param(
                "payment_method",
                "payment_intent_unexpected_state",
                message,
            ));
        }
        Ok(intent)
    }

    /// The bank acts on a confirmed intent.
    fn decide(&mut self, mut intent: Intent) -> Outcome {
        let method = intent.payment_method.as_deref().unwrap_or_default();
        let behaviour = match Behaviour::of(method) {
            Some(Behaviour::Succeed) | None => self.state.settings.mix.pick(self.dice.random()),
            Some(other) => other,
        };
        intent.behaviour = Some(behaviour);
        intent.last_error = None;
        if let Some(code) = behaviour.decline_code() {
            return self.decline(intent, code);
        }
        match behaviour {
            Behaviour::Slow | Behaviour::Never | Behaviour::LateSuccess => {
                intent.status = IntentStatus::Processing;
                if behaviour == Behaviour::Slow {
                    intent.succeeds_at = Some(self.now + self.state.settings.slow());
                }
                let answer = Ok(intent.to_json());
                self.put_intent(intent, "payment_intent.processing");
                Outcome { answer, hang: false }
            }
            _ => {
                let answer = Ok(self.take_money(intent));
                Outcome {
                    answer,
                    hang: behaviour == Behaviour::TimeoutThenOk,
                }
            }
        }
    }

    fn decline(&mut self, mut intent: Intent, code: &str) -> Outcome {
        let message = match code {
            "insufficient_funds" => "Your card has insufficient funds.",
            _ => "Your card was declined.",
        };
        let decline = Decline {
            decline_code: code.to_owned(),
            message: message.to_owned(),
        };
        intent.status = IntentStatus::RequiresPaymentMethod;
        intent.payment_method = None;
        intent.last_error = Some(decline.clone());
        let fault = Fault::declined(&decline, &intent);
        self.put_intent(intent, "payment_intent.payment_failed");
        Outcome {
            answer: Err(fault),
            hang: false,
        }
    }

    fn take_money(&mut self, mut intent: Intent) -> Value {
        intent.status = IntentStatus::Succeeded;
        intent.amount_received = intent.amount;
        intent.charge = Some(self.id("ch"));
        intent.succeeds_at = None;
        let shown = intent.to_json();
        self.put_intent(intent, "payment_intent.succeeded");
        shown
    }

    /// `POST /v1/payment_intents/:id/cancel`.
    pub fn cancel_intent(&mut self, id: &str, params: &Params) -> Result<Value, Fault> {
        let mut intent = self.intent(id)?;
        match intent.status {
            IntentStatus::Succeeded | IntentStatus::Canceled => {
                return Err(Fault::unexpected_state(&intent, "canceled"));
            }
            _ => {}
        }
        let was_processing = intent.status == IntentStatus::Processing;
        intent.status = IntentStatus::Canceled;
        intent.canceled_at = Some(self.now);
        intent.cancellation_reason = params.get("cancellation_reason").map(str::to_owned);
        let late = was_processing && intent.behaviour == Some(Behaviour::LateSuccess);
        intent.succeeds_at = late.then(|| self.now + self.state.settings.late());
        let shown = intent.to_json();
        self.put_intent(intent, "payment_intent.canceled");
        Ok(shown)
    }

    /// `POST /v1/refunds`.
    pub fn create_refund(&mut self, params: &Params) -> Result<Value, Fault> {
        let mut intent = self.intent(params.required("payment_intent")?)?;
        let Some(charge) = intent.charge.clone() else {
            let message = "This PaymentIntent does not have a successful charge to refund.";
            return Err(Fault::refund("payment_intent_unexpected_state", message));
        };
        let left = intent.amount_received - intent.amount_refunded;
        if left == 0 {
            return Err(Fault::refund(
                "charge_already_refunded",
                "Charge has already been refunded.",
            ));
        }
        let amount = params.amount("amount")?.unwrap_or(left);
        if amount > left {
            let message =
                format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
            return Err(Fault::param("amount", "amount_too_large", &message));
        }
        intent.amount_refunded += amount;
        let settles_at = self.now + self.state.settings.slow();
        let (status, settles) = match intent.behaviour {
            Some(Behaviour::PendingRefund) => {
                (RefundStatus::Pending, Some((settles_at, RefundStatus::Succeeded)))
            }
            Some(Behaviour::FailedRefund) => {
                (RefundStatus::Pending, Some((settles_at, RefundStatus::Failed)))
            }
            _ => (RefundStatus::Succeeded, None),
        };
        let refund = Refund {
            id: self.id("re"),
            payment_intent: intent.id.clone(),
            charge,
            amount,
            currency: intent.currency.clone(),
            reason: params.get("reason").map(str::to_owned),
            metadata: params.nested("metadata"),
            status,
            created: self.now,
            settles,
        };
        let shown = refund.to_json();
        self.records.push(Record::Intent(Box::new(intent)));
        self.emit("refund.created", shown.clone());
        self.records.push(Record::Refund(Box::new(refund)));
        Ok(shown)
    }

    /// Lets one intent or refund that is due reach its end.
    pub fn settle(&mut self, id: &str) {
        if let Some(intent) = self.state.intents.get(id) {
            if intent.succeeds_at.is_some() {
                self.take_money(intent.clone());
            }
        } else if let Some((refund, (_, end))) = self
            .state
            .refunds
            .get(id)
            .and_then(|refund| Some((refund, refund.settles?)))
        {
            self.settle_refund(refund.clone(), end);
        }
    }

    fn settle_refund(&mut self, mut refund: Refund, end: RefundStatus) {
        refund.status = end;
        refund.settles = None;
        if end == RefundStatus::Failed
            && let Some(intent) = self.state.intents.get(&refund.payment_intent)
        {
            let mut intent = intent.clone();
            intent.amount_refunded -= refund.amount;
            self.records.push(Record::Intent(Box::new(intent)));
        }
        let kind = if end == RefundStatus::Failed {
            "refund.failed"
        } else {
            "refund.updated"
        };
        self.emit(kind, refund.to_json());
        self.records.push(Record::Refund(Box::new(refund)));
    }

    /// Makes a processing intent succeed now, whatever its method.
    pub fn force_success(&mut self, id: &str) -> Result<Value, Fault> {
        let intent = self.intent(id)?;
        match intent.status {
            IntentStatus::Processing | IntentStatus::Canceled => Ok(self.take_money(intent)),
            _ => Err(Fault::unexpected_state(&intent, "forced to succeed")),
        }
    }

    fn intent(&self, id: &str) -> Result<Intent, Fault> {
        self.state
            .intents
            .get(id)
            .cloned()
            .ok_or_else(|| Fault::missing("payment_intent", id))
    }

    fn put_intent(&mut self, intent: Intent, kind: &str) {
        self.emit(kind, intent.to_json());
        self.records.push(Record::Intent(Box::new(intent)));
    }

    fn emit(&mut self, kind: &str, object: Value) {
        let settings = self.state.settings.webhooks.clone();
        let event = Event {
            id: self.id("evt"),
            kind: kind.to_owned(),
            created: self.now,
            object,
        };
        let lag =
            |dice: &mut StdRng| TimeDelta::milliseconds(millis(dice.random_range(0..=settings.reorder_ms)));
        let mut at = self.now + TimeDelta::milliseconds(millis(settings.delay_ms));
        if self.dice.random_bool(settings.reorder.clamp(0.0, 1.0)) {
            at += lag(self.dice);
        }
        if self.dice.random_bool(settings.duplicate.clamp(0.0, 1.0)) {
            let again = at + lag(self.dice);
            self.records.push(queued(event.clone(), 1, again));
        }
        self.records.push(queued(event, 0, at));
    }

    fn id(&mut self, prefix: &str) -> String {
        let tail: String = (&mut *self.dice)
            .sample_iter(Alphanumeric)
            .take(24)
            .map(char::from)
            .collect();
        format!("{prefix}_{tail}")
    }
}

fn queued(event: Event, copy: u8, at: DateTime<Utc>) -> Record {
    Record::Queued(Box::new(Delivery {
        event,
        copy,
        at,
        attempts: 0,
        in_flight: false,
    }))
}

fn millis(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX / 2)
}

fn currency(text: &str) -> Result<String, Fault> {
    let lower = text.to_ascii_lowercase();
    if lower.len() == 3 && lower.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(lower);
    }
    Err(Fault::param(
        "currency",
        "parameter_invalid_string_empty",
        &format!("Invalid currency: {text}"),
    ))
}

fn known_method(text: &str) -> Result<String, Fault> {
    if Behaviour::of(text).is_some() {
        return Ok(text.to_owned());
    }
    let message = format!("No such PaymentMethod: '{text}'");
    Err(Fault::param("payment_method", "resource_missing", &message))
}
