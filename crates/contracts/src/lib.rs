//! Wire types that services share: ids, money, the event envelope, events and REST bodies.
//!
//! Owns the shape of what crosses a process boundary, once for producer and consumer. Every type has a golden
//! file in `golden/`, which the producing and the consuming service both test against. Must not know any
//! business rule, store, transport or framework.

pub mod auth;
pub mod cart;
pub mod coupon;
pub mod event;
pub mod ids;
pub mod inventory;
pub mod money;
pub mod notification;
pub mod order;
pub mod payment;
pub mod problem;
pub mod product;

pub use coupon::CouponCode;
pub use event::{Event, EventData};
pub use ids::{
    CartId, CartLineId, CategoryId, EventId, MailId, NotificationId, OrderId, PaymentId, ProductId, RefundId,
    SessionId, UserId, VariantId, WebhookDeliveryId, WebhookEndpointId,
};
pub use money::{Currency, Money};
pub use problem::{Problem, ProblemCode};

/// A stock keeping unit: 1..64 characters of `A-Z a-z 0-9 . _ -`, chosen by the merchant.
pub type Sku = String;
