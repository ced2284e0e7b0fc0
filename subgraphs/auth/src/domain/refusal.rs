//! Why a request is refused for a reason the user can act on.

/// A definite "no" with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Another user has this address.
    #[error("This e-mail address is taken")]
    EmailTaken,
    /// It can't be an address.
    #[error("This is not an e-mail address")]
    EmailInvalid,
    /// Empty, too long, or with control characters.
    #[error("A name has 1 to 80 characters")]
    DisplayNameInvalid,
    /// Easy to guess, or of the wrong length.
    #[error("{0}")]
    PasswordTooWeak(&'static str),
    /// Wrong address or password; never says which.
    #[error("E-mail address or password is wrong")]
    InvalidCredentials,
    /// Too many failures.
    #[error("Too many attempts, try again in {retry_after_s} s")]
    TooManyAttempts {
        /// How long to wait.
        retry_after_s: u64,
    },
    /// The session ended, or never was.
    #[error("The session has ended, sign in again")]
    TokenExpired,
    /// A refresh token came a second time: one of two holders is a thief.
    #[error("The session was ended because its token was used twice, sign in again")]
    TokenReused,
    /// No such user.
    #[error("No such user")]
    UserNotFound,
    /// An administrator shut the user out; told to nobody who does not know the password.
    #[error("This account is disabled")]
    AccountDisabled,
    /// Not one of the user's sessions, or it has ended.
    #[error("No such session")]
    SessionNotFound,
    /// Nobody could undo this.
    #[error("The last administrator can't be removed")]
    LastAdmin,
}
