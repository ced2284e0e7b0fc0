//! Writes down what an event tells somebody: a notification for the shop and a mail, in the transaction of its inbox
//! row. A repeat of the event finds both there.

use contracts::notification::NotificationCreated;
use contracts::order::{OrderCreated, OrderStatusChanged};
use contracts::payment::RefundCompleted;
use contracts::{Event, EventData, EventId, MailId, NotificationId, UserId};
use event_bus::{HandleError, Message};
use service_kit::trace;
use sqlx::PgConnection;

use super::App;
use crate::domain::{Channel, Heard, Mail, MailState, Notification, Preferences, What};
use crate::store;
use crate::store::mails::Cause;

impl App {
    /// Tells the buyer what the event has for them; an event of no interest tells nothing.
    pub(crate) async fn tell(&self, tx: &mut PgConnection, message: &Message) -> Result<(), HandleError> {
        match message.kind.as_str() {
            OrderCreated::TYPE => {
                let data = message.event::<OrderCreated>()?.data;
                self.tell_of(tx, message, Heard::Placed(&data)).await
            }
            OrderStatusChanged::TYPE => {
                let data = message.event::<OrderStatusChanged>()?.data;
                self.tell_of(tx, message, Heard::Moved(&data)).await
            }
            RefundCompleted::TYPE => {
                let data = message.event::<RefundCompleted>()?.data;
                self.tell_of(tx, message, Heard::Refunded(&data)).await
            }
            _ => Ok(()),
        }
    }

    async fn tell_of(
        &self,
        tx: &mut PgConnection,
        message: &Message,
        heard: Heard<'_>,
    ) -> Result<(), HandleError> {
        let order = heard.order();
        if let Some(buyer) = heard.buyer() {
            store::orders::remember(tx, order, buyer).await?;
        }
        let Some(what) = heard.what() else { return Ok(()) };
        let user = match heard.buyer() {
            Some(buyer) => buyer,
            // Events of two exchanges come in any order: the one that names the buyer is on its way.
            None => store::orders::buyer(tx, order)
                .await?
                .ok_or_else(|| HandleError::Park(format!("nobody is known to have bought {order}")))?,
        };
        let wanted = store::preferences::of_users(&mut *tx, &[user]).await?;
        let wanted = wanted.get(&user).cloned().unwrap_or_default();
        self.write(
            tx,
            message,
            Told {
                user,
                heard,
                what,
                wanted,
            },
        )
        .await?;
        Ok(())
    }

    async fn write(
        &self,
        tx: &mut PgConnection,
        message: &Message,
        told: Told<'_>,
    ) -> Result<(), sqlx::Error> {
        let (order, what, at) = (told.heard.order(), told.what, self.now());
        if told.wanted.allow(what.kind(), Channel::InApp) {
            let notification = Notification {
                id: NotificationId::generate(),
                user: told.user,
                order,
                what,
                at,
                read_at: None,
            };
            if let Some(sequence) = store::notifications::insert(tx, message.id, &notification).await? {
                self.publish(tx, sequence, &notification).await?;
            }
        }
        if told.wanted.allow(what.kind(), Channel::Email) {
            let mail = Mail {
                id: MailId::generate(),
                user: told.user,
                order,
                what,
                state: MailState::Pending,
                attempts: 0,
                last_error: None,
                at,
                ended_at: None,
            };
            let traceparent = trace::current_traceparent();
            let cause = Cause {
                event: message.id,
                correlation_id: message.correlation_id.as_deref(),
                traceparent: traceparent.as_deref().or(message.traceparent.as_deref()),
            };
            store::mails::insert(tx, cause, &mail).await?;
        }
        Ok(())
    }

    /// For whoever shows it at once, in any replica.
    async fn publish(
        &self,
        tx: &mut PgConnection,
        sequence: i64,
        notification: &Notification,
    ) -> Result<(), sqlx::Error> {
        let data = NotificationCreated {
            notification_id: notification.id,
            user_id: notification.user,
            order_id: notification.order,
            kind: notification.what.kind(),
            cancel_reason: notification.what.reason(),
            amount: notification.what.amount(),
            at: notification.at,
        };
        let context = event_bus::context(self.host.service, &self.clock);
        event_bus::enqueue(tx, &Event::new(EventId::generate(), &context, sequence, data)).await
    }
}

/// Who is told what, and what they want to be told.
struct Told<'a> {
    user: UserId,
    heard: Heard<'a>,
    what: What,
    wanted: Preferences,
}
