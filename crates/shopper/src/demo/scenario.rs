//! What is bought, and what should come of it.

/// What a scenario buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// Something in stock.
    InStock,
    /// Something of which there is none.
    SoldOut,
}

/// A purchase and its expected end.
pub(super) struct Scenario {
    pub(super) title: &'static str,
    pub(super) item: Item,
    pub(super) quantity: u32,
    pub(super) payment_method: &'static str,
    /// Whether the shopper gives the order up while the payment is awaited.
    pub(super) cancel: bool,
    pub(super) status: &'static str,
    pub(super) reason: Option<&'static str>,
    /// Statuses that the payment may end in; `None` is no payment at all.
    pub(super) payment: &'static [Option<&'static str>],
}

/// The purchases, in the order they are shown.
pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario {
        title: "Paid",
        item: Item::InStock,
        quantity: 2,
        payment_method: "pm_card_visa",
        cancel: false,
        status: "PAID",
        reason: None,
        payment: &[Some("CAPTURED")],
    },
    Scenario {
        title: "The card is declined: the stock goes back",
        item: Item::InStock,
        quantity: 1,
        payment_method: "pm_card_chargeDeclined",
        cancel: false,
        status: "CANCELLED",
        reason: Some("PAYMENT_DECLINED"),
        payment: &[Some("FAILED"), None],
    },
    Scenario {
        title: "Sold out: nothing is charged",
        item: Item::SoldOut,
        quantity: 1,
        payment_method: "pm_card_visa",
        cancel: false,
        status: "CANCELLED",
        reason: Some("OUT_OF_STOCK"),
        payment: &[None],
    },
    Scenario {
        title: "Cancelled while the payment is slow: the payment is voided",
        item: Item::InStock,
        quantity: 1,
        payment_method: "pm_mercato_slow",
        cancel: true,
        status: "CANCELLED",
        reason: Some("CUSTOMER"),
        payment: &[Some("VOIDED")],
    },
    Scenario {
        title: "Cancelled, but the money comes late all the same: it is refunded",
        item: Item::InStock,
        quantity: 1,
        payment_method: "pm_mercato_lateSuccess",
        cancel: true,
        status: "REFUNDED",
        reason: Some("CUSTOMER"),
        payment: &[Some("REFUNDED")],
    },
];
