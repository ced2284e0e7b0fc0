//! Whom notification asks: auth, who somebody is; the mail server, to take a mail.

mod auth;
mod smtp;
mod template;

pub use auth::Auth;
pub(crate) use smtp::{Authority, Tls};
pub use smtp::{Mailer, SmtpConfig};
