//! The use cases, one verb a file. Only they open transactions.

mod bootstrap;
mod change_password;
mod end_session;
mod error;
mod login;
mod logout;
mod passwords;
mod read_users;
mod refresh;
mod register;
mod session;
mod set_disabled;
mod set_roles;
mod sweep;

pub(crate) use crate::store::sessions::LiveSession;
pub(crate) use bootstrap::bootstrap;
pub(crate) use change_password::{ChangePassword, change_password};
pub(crate) use end_session::{end_session, ended_sessions, live_sessions};
pub(crate) use error::Error;
pub(crate) use login::{Login, login};
pub(crate) use logout::logout;
pub(crate) use passwords::Passwords;
pub(crate) use read_users::{users_by_ids, users_page};
pub(crate) use refresh::refresh;
pub(crate) use register::{Register, register};
pub(crate) use session::Issued;
pub(crate) use set_disabled::set_disabled;
pub(crate) use set_roles::set_roles;
pub(crate) use sweep::{keep_keys_fresh, keep_sessions_few, purge_sessions};
