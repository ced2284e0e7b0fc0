//! Inventory, as order sees it: one unit, which this order and the rest of the world compete for.

use super::bag::{Bag, News};
use super::{Defect, Reply, Rules};

/// What a call is answered; none for anything that decides nothing.
pub(super) type Answer = Option<Reply>;

/// Where the reservation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Hold {
    None,
    Held,
    Confirmed,
    Released,
    Expired,
    Restocked,
    Tombstone,
}

impl Hold {
    /// Whether no reservation, confirmation or release changes it any more.
    pub(super) const fn is_over(self) -> bool {
        match self {
            Self::Confirmed | Self::Released | Self::Restocked | Self::Tombstone => true,
            Self::None | Self::Held | Self::Expired => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Inventory {
    pub(super) hold: Hold,
    pub(super) shelf: u8,
    pub(super) elsewhere: u8,
}

impl Inventory {
    pub(super) const fn new() -> Self {
        Self {
            hold: Hold::None,
            shelf: 1,
            elsewhere: 0,
        }
    }

    /// Takes the unit off the shelf, if it is there.
    const fn take(&mut self, to: Hold) -> bool {
        if self.shelf == 0 {
            return false;
        }
        self.shelf -= 1;
        self.hold = to;
        true
    }

    const fn put_back(&mut self, to: Hold) {
        self.shelf += 1;
        self.hold = to;
    }

    pub(super) fn reserve(&mut self) -> Reply {
        let held = match self.hold {
            Hold::None | Hold::Expired => self.take(Hold::Held),
            Hold::Held | Hold::Confirmed => true,
            Hold::Released | Hold::Restocked | Hold::Tombstone => false,
        };
        if held { Reply::Held } else { Reply::StockRefused }
    }

    pub(super) fn confirm(&mut self, rules: Rules) -> Answer {
        let sold = match self.hold {
            Hold::None => return None,
            Hold::Held => {
                self.hold = Hold::Confirmed;
                true
            }
            Hold::Confirmed => true,
            Hold::Expired if rules.broken(Defect::SellsExpired) => {
                self.hold = Hold::Confirmed;
                true
            }
            Hold::Expired => self.take(Hold::Confirmed),
            Hold::Released | Hold::Restocked | Hold::Tombstone => false,
        };
        Some(if sold { Reply::Confirmed } else { Reply::StockGone })
    }

    pub(super) fn release(&mut self, rules: Rules) -> Reply {
        match self.hold {
            Hold::None if rules.broken(Defect::NoTombstone) => {}
            Hold::None => self.hold = Hold::Tombstone,
            Hold::Held => self.put_back(Hold::Released),
            Hold::Expired => self.hold = Hold::Released,
            Hold::Confirmed => return Reply::AlreadyConfirmed,
            Hold::Released | Hold::Restocked | Hold::Tombstone => {}
        }
        Reply::Released
    }

    pub(super) fn restock(&mut self) -> Answer {
        match self.hold {
            Hold::Confirmed => self.put_back(Hold::Restocked),
            Hold::Restocked => {}
            _ => return None,
        }
        Some(Reply::Restocked)
    }

    pub(super) fn expire(&mut self, news: &mut Bag<News>) {
        self.put_back(Hold::Expired);
        news.put(News::Expired);
    }

    pub(super) const fn sell_elsewhere(&mut self) {
        self.shelf -= 1;
        self.elsewhere += 1;
    }

    pub(super) const fn return_elsewhere(&mut self) {
        self.shelf += 1;
        self.elsewhere -= 1;
    }
}
