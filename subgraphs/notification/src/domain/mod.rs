//! The business words of notification: what is told, by which channel, and in which words. Pure; must not know any
//! store, transport or clock.

pub mod mail;
pub mod notice;
pub mod preference;
pub mod words;

pub use mail::{Mail, MailState, Verdict};
pub use notice::{Heard, Notification, What};
pub use preference::{Channel, Preferences};
