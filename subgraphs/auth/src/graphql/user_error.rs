//! Why a mutation of auth was refused.

use async_graphql::Enum;

use crate::domain::Refusal;

/// Why a request about an account was refused.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthErrorCode {
    /// Another account has this e-mail address.
    EmailTaken,
    /// This is not an e-mail address.
    EmailInvalid,
    /// The name is empty, too long, or can't be shown.
    DisplayNameInvalid,
    /// The password is too short, too long or too well known.
    PasswordTooWeak,
    /// E-mail address or password is wrong.
    InvalidCredentials,
    /// Too many failed attempts; the message says how long to wait.
    TooManyAttempts,
    /// The session has ended: sign in again.
    TokenExpired,
    /// The refresh token was used twice, so the session was ended: sign in again.
    TokenReused,
    /// An administrator shut this account out.
    AccountDisabled,
    /// Not one of your sessions, or it has ended.
    SessionNotFound,
    /// No such user.
    UserNotFound,
    /// The only administrator must stay one.
    LastAdmin,
}

graphql_kit::user_error! {
    /// A business reason why an account was not changed or a session not given.
    pub(crate) struct AuthUserError(AuthErrorCode);
}

/// A refusal in the graph's terms; `password_field` is the input field that holds the new password.
pub(crate) fn user_error(refusal: Refusal, password_field: &str) -> AuthUserError {
    let (code, field) = match refusal {
        Refusal::EmailTaken => (AuthErrorCode::EmailTaken, Some("email")),
        Refusal::EmailInvalid => (AuthErrorCode::EmailInvalid, Some("email")),
        Refusal::DisplayNameInvalid => (AuthErrorCode::DisplayNameInvalid, Some("displayName")),
        Refusal::PasswordTooWeak(_) => (AuthErrorCode::PasswordTooWeak, Some(password_field)),
        Refusal::InvalidCredentials => (AuthErrorCode::InvalidCredentials, None),
        Refusal::TooManyAttempts { .. } => (AuthErrorCode::TooManyAttempts, None),
        Refusal::TokenExpired => (AuthErrorCode::TokenExpired, Some("refreshToken")),
        Refusal::TokenReused => (AuthErrorCode::TokenReused, Some("refreshToken")),
        Refusal::AccountDisabled => (AuthErrorCode::AccountDisabled, None),
        Refusal::SessionNotFound => (AuthErrorCode::SessionNotFound, Some("sessionId")),
        Refusal::UserNotFound => (AuthErrorCode::UserNotFound, Some("userId")),
        Refusal::LastAdmin => (AuthErrorCode::LastAdmin, Some("roles")),
    };
    let error = AuthUserError::new(code, refusal.to_string());
    match field {
        Some(field) => error.at(&["input", field]),
        None => error,
    }
}
