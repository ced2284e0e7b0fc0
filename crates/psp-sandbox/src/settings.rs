//! What may be turned while the sandbox runs: mixes, delays and how badly webhooks behave.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::method::Mix;

/// The settings, as `/_sandbox/settings` shows and takes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How `pm_card_visa` really behaves.
    pub mix: Mix,
    /// After which `pm_mercato_slow` succeeds.
    pub slow_ms: u64,
    /// How long after its cancellation `pm_mercato_lateSuccess` succeeds.
    pub late_ms: u64,
    /// How long `pm_mercato_timeoutThenOk` leaves its first request without an answer.
    pub hang_ms: u64,
    /// How long every answer of the API takes longer.
    pub latency_ms: u64,
    /// Answer every request of `/v1` with 503, doing nothing.
    pub outage: bool,
    /// Webhooks.
    pub webhooks: WebhookSettings,
}

/// How webhooks are delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Deliver nothing; all is kept until this is off.
    pub hold: bool,
    /// Wait this long before the first try.
    pub delay_ms: u64,
    /// Share (0 to 1) of events delivered twice.
    pub duplicate: f64,
    /// Share (0 to 1) of events put off by up to `reorder_ms`, so that later ones overtake them.
    pub reorder: f64,
    /// See `reorder`; also how far a duplicate lags behind.
    pub reorder_ms: u64,
    /// First pause after a refused delivery; doubled each time, up to 30 s.
    pub retry_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mix: Mix::default(),
            slow_ms: 5_000,
            late_ms: 2_000,
            hang_ms: 30_000,
            latency_ms: 0,
            outage: false,
            webhooks: WebhookSettings::default(),
        }
    }
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            hold: false,
            delay_ms: 0,
            duplicate: 0.0,
            reorder: 0.0,
            reorder_ms: 1_000,
            retry_ms: 200,
        }
    }
}

impl Settings {
    /// These settings with the fields of `patch` changed.
    pub fn patched(&self, patch: &Value) -> Result<Self, serde_json::Error> {
        let mut value = serde_json::to_value(self)?;
        merge(&mut value, patch);
        serde_json::from_value(value)
    }

    /// `slow_ms` as a duration.
    pub fn slow(&self) -> Duration {
        Duration::from_millis(self.slow_ms)
    }

    /// `late_ms` as a duration.
    pub fn late(&self) -> Duration {
        Duration::from_millis(self.late_ms)
    }
}

/// Merges objects field by field; anything else is replaced.
pub(crate) fn merge(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, patch) => *into = patch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let settings = Settings::default()
            .patched(&json!({"webhooks": {"duplicate": 0.5}, "slow_ms": 7}))
            .unwrap();
        assert_eq!((settings.slow_ms, settings.late_ms), (7, 2_000));
        assert!((settings.webhooks.duplicate - 0.5).abs() < f64::EPSILON);
        assert!(Settings::default().patched(&json!({"sloww_ms": 7})).is_err());
    }
}
