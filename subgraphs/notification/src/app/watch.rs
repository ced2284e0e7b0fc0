//! Shows a user's notifications as they are written, whichever replica writes them.

use std::collections::VecDeque;

use contracts::notification::NotificationCreated;
use contracts::{NotificationId, UserId};
use event_bus::{Message, Signal, TapReceiver};
use futures::stream::{self, Stream};

use super::{App, AppError, Slice};
use crate::domain::{Notification, What};
use crate::store;

/// What is read again after a gap, at most.
const RECENT: i64 = 50;
/// Ids that are remembered as shown.
const REMEMBERED: usize = 200;

impl App {
    /// The user's notifications from now on, each once. Begins to listen when called, not when first polled: whoever
    /// reads the list after that misses nothing. What is written while it begins is read after it listens.
    pub(crate) async fn watch(
        &self,
        user: UserId,
    ) -> Result<impl Stream<Item = Result<Notification, AppError>> + Send + use<>, AppError> {
        let before = self.recent(user).await?;
        let mut watch = Watch {
            app: self.clone(),
            user,
            signals: self.told.subscribe_to(&user.to_string()),
            before: before.iter().map(|told| told.id).collect(),
            shown: VecDeque::new(),
            waiting: VecDeque::new(),
        };
        watch.catch_up().await?;
        Ok(stream::unfold(watch, Watch::next))
    }

    /// The user's newest notifications, newest first.
    async fn recent(&self, user: UserId) -> Result<Vec<Notification>, AppError> {
        let slice = Slice {
            after: None,
            limit: RECENT,
            unread_only: false,
        };
        let mut pages = store::notifications::of_users(&self.requests, &[user], slice).await?;
        Ok(pages.remove(&user).unwrap_or_default())
    }
}

struct Watch {
    app: App,
    user: UserId,
    signals: TapReceiver,
    /// What was there before.
    before: Vec<NotificationId>,
    /// What was shown last, oldest first.
    shown: VecDeque<NotificationId>,
    /// What a gap brought to light.
    waiting: VecDeque<Notification>,
}

impl Watch {
    async fn next(mut self) -> Option<(Result<Notification, AppError>, Self)> {
        loop {
            if let Some(told) = self.waiting.pop_front() {
                self.note(told.id);
                return Some((Ok(told), self));
            }
            match self.signals.next().await? {
                Signal::Event(message) => {
                    let told = read(&message).filter(|told| self.is_news(told));
                    self.waiting.extend(told);
                }
                Signal::Gap => {
                    if let Err(error) = self.catch_up().await {
                        return Some((Err(error), self));
                    }
                }
            }
        }
    }

    /// Reads what may have passed unheard.
    async fn catch_up(&mut self) -> Result<(), AppError> {
        let recent = self.app.recent(self.user).await?;
        let news: Vec<_> = recent.into_iter().filter(|told| self.is_news(told)).collect();
        self.waiting.extend(news.into_iter().rev());
        Ok(())
    }

    /// Whether it was neither there before nor shown since. A broker may tell of the same one twice.
    fn is_news(&self, told: &Notification) -> bool {
        !self.before.contains(&told.id) && !self.shown.contains(&told.id)
    }

    fn note(&mut self, id: NotificationId) {
        if self.shown.len() == REMEMBERED {
            self.shown.pop_front();
        }
        self.shown.push_back(id);
    }
}

/// What an event tells; nothing if this version can't read it.
fn read(message: &Message) -> Option<Notification> {
    let data = message.event::<NotificationCreated>().ok()?.data;
    Some(Notification {
        id: data.notification_id,
        user: data.user_id,
        order: data.order_id,
        what: What::try_from_parts(data.kind, data.cancel_reason, data.amount).ok()?,
        at: data.at,
        read_at: None,
    })
}
