//! How often a caller may ask: who they are to the limits, and what an operation costs.

use async_graphql::parser::types::OperationType;
use rate_limit::{Class, RateLimits, Subject};
use service_auth::CurrentUser;

use crate::document::Checked;
use crate::error::{ApiError, Result};
use crate::viewer::ClientIp;

/// Counts a checked operation, or refuses it. Whoever is neither signed in nor comes through a proxy can't be told
/// from others, and is not counted.
pub(crate) async fn admit(
    limits: Option<&RateLimits>,
    user: Option<&CurrentUser>,
    from: ClientIp,
    checked: &Checked,
) -> Result<()> {
    let subject = match (user, from.0) {
        (Some(user), _) => Subject::User(user.id),
        (None, Some(address)) => Subject::Address(address),
        (None, None) => return Ok(()),
    };
    let Some(limits) = limits else { return Ok(()) };
    // Ten changes in one document are ten changes.
    let (class, cost) = match checked.operation_type {
        OperationType::Query => (Class::Query, 1),
        OperationType::Mutation => (Class::Mutation, checked.roots),
        OperationType::Subscription => (Class::Subscription, 1),
    };
    let taken = limits.admit(subject, class, cost).await;
    taken.map_err(|too_many| ApiError::rate_limited(too_many.retry_after_s))
}
