//! Test payment methods, and what the bank does with each.
//!
//! Owns the table of methods. Must not know intents, HTTP or time.

use serde::{Deserialize, Serialize};

/// How the bank acts on a confirmed intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Takes the money at once.
    Succeed,
    /// Declines with `generic_decline`.
    Decline,
    /// Declines with `insufficient_funds`.
    InsufficientFunds,
    /// `processing`, and takes the money after `slow_ms`, unless cancelled before.
    Slow,
    /// `processing` until cancelled.
    Never,
    /// Takes the money at once, but the request that did it gets no answer.
    TimeoutThenOk,
    /// `processing` until cancelled; answers `canceled`, and takes the money all the same `late_ms` later.
    LateSuccess,
    /// Takes the money at once; its refunds stay `pending` for `slow_ms`.
    PendingRefund,
    /// Takes the money at once; its refunds are `pending` and then `failed`.
    FailedRefund,
}

impl Behaviour {
    /// The behaviour a payment method stands for; `None` if there is no such method.
    pub fn of(payment_method: &str) -> Option<Self> {
        Some(match payment_method {
            "pm_card_visa" | "pm_card_mastercard" | "pm_card_amex" => Self::Succeed,
            "pm_card_chargeDeclined" | "pm_card_visa_chargeDeclined" => Self::Decline,
            "pm_card_insufficientFunds" | "pm_card_visa_chargeDeclinedInsufficientFunds" => {
                Self::InsufficientFunds
            }
            "pm_card_pendingRefund" => Self::PendingRefund,
            "pm_card_refundFail" => Self::FailedRefund,
            "pm_mercato_slow" => Self::Slow,
            "pm_mercato_never" => Self::Never,
            "pm_mercato_timeoutThenOk" => Self::TimeoutThenOk,
            "pm_mercato_lateSuccess" => Self::LateSuccess,
            _ => return None,
        })
    }

    /// Stripe's decline code, if it declines.
    pub const fn decline_code(self) -> Option<&'static str> {
        match self {
            Self::Decline => Some("generic_decline"),
            Self::InsufficientFunds => Some("insufficient_funds"),
            _ => None,
        }
    }
}

/// Weights with which `pm_card_visa` behaves otherwise; all zero: it just succeeds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mix {
    /// Weight of success.
    pub ok: u32,
    /// Weight of a decline.
    pub decline: u32,
    /// Weight of `pm_mercato_timeoutThenOk`.
    pub timeout_then_ok: u32,
    /// Weight of `pm_mercato_never`.
    pub never: u32,
    /// Weight of `pm_mercato_slow`.
    pub slow: u32,
    /// Weight of `pm_mercato_lateSuccess`.
    pub late_success: u32,
}

impl Mix {
    fn weights(self) -> [(u32, Behaviour); 6] {
        [
            (self.ok, Behaviour::Succeed),
            (self.decline, Behaviour::Decline),
            (self.timeout_then_ok, Behaviour::TimeoutThenOk),
            (self.never, Behaviour::Never),
            (self.slow, Behaviour::Slow),
            (self.late_success, Behaviour::LateSuccess),
        ]
    }

    /// Picks by a number drawn evenly from all of `u64`.
    pub fn pick(self, drawn: u64) -> Behaviour {
        let weights = self.weights();
        let total: u64 = weights.iter().map(|(weight, _)| u64::from(*weight)).sum();
        if total == 0 {
            return Behaviour::Succeed;
        }
        let mut rest = drawn % total;
        for (weight, behaviour) in weights {
            if rest < u64::from(weight) {
                return behaviour;
            }
            rest -= u64::from(weight);
        }
        Behaviour::Succeed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_gives_every_behaviour_its_share() {
        let mix = Mix {
            ok: 7,
            decline: 2,
            never: 1,
            ..Mix::default()
        };
        let picked: Vec<_> = (0..10).map(|n| mix.pick(n)).collect();
        assert_eq!(picked.iter().filter(|b| **b == Behaviour::Succeed).count(), 7);
        assert_eq!(picked.iter().filter(|b| **b == Behaviour::Decline).count(), 2);
        assert_eq!(picked.iter().filter(|b| **b == Behaviour::Never).count(), 1);
        assert_eq!(Mix::default().pick(u64::MAX), Behaviour::Succeed);
    }

    #[test]
    fn unknown_methods_have_no_behaviour() {
        assert_eq!(Behaviour::of("pm_card_visa"), Some(Behaviour::Succeed));
        assert_eq!(Behaviour::of("4242424242424242"), None);
    }
}
