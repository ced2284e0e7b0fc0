//! What a user, a password and a refresh token are. Pure.

mod email;
mod password;
mod refresh;
mod refusal;
mod throttle;
mod user;

pub(crate) use email::Email;
pub(crate) use password::Password;
pub(crate) use refresh::{RefreshToken, Standing, standing};
pub(crate) use refusal::Refusal;
pub(crate) use throttle::Throttle;
pub(crate) use user::{DisplayName, User};
