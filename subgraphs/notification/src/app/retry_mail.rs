//! Tries a mail again that was given up.

use contracts::{MailId, UserId};

use super::{App, AppError};
use crate::store;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retried {
    /// It is due now.
    Done,
    /// It waits or is sent already.
    NotDead,
    /// There is no such mail.
    Unknown,
}

impl App {
    /// Makes a mail due again that was given up, with all its tries before it. For `by`, who is a person of ours.
    pub(crate) async fn retry_mail(&self, id: MailId, by: UserId) -> Result<Retried, AppError> {
        let pool = self.requests.clone();
        let retried = self
            .finish(async move {
                let mut tx = pool.begin().await?;
                let revived = store::mails::revive(&mut tx, id).await?;
                let known = revived || store::mails::find(&mut *tx, id).await?.is_some();
                tx.commit().await?;
                Ok(match (revived, known) {
                    (true, _) => Retried::Done,
                    (false, true) => Retried::NotDead,
                    (false, false) => Retried::Unknown,
                })
            })
            .await?;
        if retried == Retried::Done {
            tracing::info!(mail = %id, %by, "a mail is tried again");
            self.wake();
        }
        Ok(retried)
    }
}
