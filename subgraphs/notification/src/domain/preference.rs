//! What people want to be told, and how.

use std::collections::HashSet;

use contracts::notification::NotificationKind;

/// How something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// In the shop.
    InApp,
    /// By mail.
    Email,
}

impl Channel {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 2] = [Self::InApp, Self::Email];
}

/// All kinds, in the order they are shown: an order's life, then its money.
pub const KINDS: [NotificationKind; 6] = [
    NotificationKind::OrderReceived,
    NotificationKind::OrderPaid,
    NotificationKind::OrderCancelled,
    NotificationKind::OrderShipped,
    NotificationKind::OrderDelivered,
    NotificationKind::RefundCompleted,
];

/// What one person does not want. Everything else is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences(HashSet<(NotificationKind, Channel)>);

impl Preferences {
    /// Of what was said yes or no to.
    pub fn new(said: impl IntoIterator<Item = (NotificationKind, Channel, bool)>) -> Self {
        let unwanted = said.into_iter().filter(|(_, _, enabled)| !enabled);
        Self(unwanted.map(|(kind, channel, _)| (kind, channel)).collect())
    }

    /// Whether a kind is told by a channel.
    pub fn allow(&self, kind: NotificationKind, channel: Channel) -> bool {
        !self.0.contains(&(kind, channel))
    }

    /// Every kind and channel, and whether it is wanted.
    pub fn all(&self) -> impl Iterator<Item = (NotificationKind, Channel, bool)> + '_ {
        let pairs = KINDS
            .into_iter()
            .flat_map(|kind| Channel::ALL.map(|channel| (kind, channel)));
        pairs.map(|(kind, channel)| (kind, channel, self.allow(kind, channel)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_said_nothing_is_told_everything() {
        let all: Vec<_> = Preferences::default().all().collect();
        assert_eq!(all.len(), KINDS.len() * Channel::ALL.len());
        assert!(all.iter().all(|(_, _, wanted)| *wanted));
    }

    #[test]
    fn a_no_holds_for_its_kind_and_channel_alone() {
        use NotificationKind::{OrderPaid, OrderShipped};
        let said = [
            (OrderPaid, Channel::Email, false),
            (OrderShipped, Channel::Email, true),
        ];
        let preferences = Preferences::new(said);
        for (kind, channel, wanted) in preferences.all() {
            assert_eq!(
                wanted,
                (kind, channel) != (OrderPaid, Channel::Email),
                "{kind:?} {channel:?}"
            );
        }
    }
}
