//! Whom webhook calls: the endpoints of others.

mod resolver;
mod sender;

pub use sender::Sender;
pub(crate) use sender::Signed;
