//! How badly the sandbox behaves; may be turned while it runs.

use serde::{Deserialize, Serialize};

/// The settings, as `/api/settings` shows and takes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Answer recipients with this code, such as 450 or 550, instead of taking them.
    pub refuse_code: Option<u16>,
    /// Only recipients with this in their address; all if absent.
    pub refuse_to: Option<String>,
    /// Only so many times; always if absent.
    pub refuse_times: Option<u32>,
    /// Take so many mails and hang up before saying so.
    pub lose_answers: u32,
    /// How long every answer takes longer.
    pub slow_ms: u64,
    /// Answer everything with 421 and hang up.
    pub closed: bool,
}

impl Settings {
    /// The code with which this recipient is refused now, if they are. Counts the refusal.
    pub(crate) fn refusal(&mut self, recipient: &str) -> Option<u16> {
        let code = self.refuse_code?;
        let meant = self
            .refuse_to
            .as_ref()
            .is_none_or(|part| recipient.contains(part));
        if !meant || self.refuse_times == Some(0) {
            return None;
        }
        self.refuse_times = self.refuse_times.map(|times| times - 1);
        Some(code)
    }

    /// Whether this mail's answer is lost. Counts it.
    pub(crate) const fn loses_answer(&mut self) -> bool {
        let lost = self.lose_answers > 0;
        self.lose_answers = self.lose_answers.saturating_sub(1);
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_whom_it_should_as_often_as_it_should() {
        let mut settings = Settings {
            refuse_code: Some(450),
            refuse_to: Some("ada@".to_owned()),
            refuse_times: Some(2),
            ..Settings::default()
        };
        let asked = [
            "bob@example.com",
            "ada@example.com",
            "ada@example.com",
            "ada@example.com",
        ];
        let refusals = asked.map(|recipient| settings.refusal(recipient));
        assert_eq!(refusals, [None, Some(450), Some(450), None]);
        assert_eq!(Settings::default().refusal("ada@example.com"), None);
    }
}
