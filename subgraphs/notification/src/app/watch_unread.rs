//! Shows how many notifications a user has not read, as they come.

use contracts::UserId;
use event_bus::TapReceiver;
use futures::stream::{self, Stream};

use super::{App, AppError};

impl App {
    /// How many of the user's are not read: as it stands, and again after each that comes. Begins to listen when
    /// called, and counts after that: nothing falls between.
    pub(crate) fn watch_unread(
        &self,
        user: UserId,
    ) -> impl Stream<Item = Result<i64, AppError>> + Send + use<> {
        let watch = Watch {
            app: self.clone(),
            user,
            signals: self.told.subscribe_to(&user.to_string()),
            begun: false,
        };
        stream::unfold(watch, Watch::next)
    }
}

struct Watch {
    app: App,
    user: UserId,
    signals: TapReceiver,
    /// The first number needs no news.
    begun: bool,
}

impl Watch {
    async fn next(mut self) -> Option<(Result<i64, AppError>, Self)> {
        if self.begun {
            // Something came, or may have passed unheard.
            self.signals.next().await?;
        }
        self.begun = true;
        let unread = self.app.unread_of(&[self.user]).await;
        let unread = unread.map(|all| all.get(&self.user).copied().unwrap_or_default());
        Some((unread, self))
    }
}
