//! Who asks. The endpoint verified the bearer token before the operation began.

use async_graphql::Context;
use service_auth::{CurrentUser, Role};

use crate::error::{ApiError, Result};

/// The caller of an operation; `None` is an anonymous shopper. The endpoints put it into each request's data.
#[derive(Debug, Clone)]
pub struct Viewer(pub Option<CurrentUser>);

/// The signed-in user, if any.
pub fn viewer<'a>(ctx: &Context<'a>) -> Option<&'a CurrentUser> {
    ctx.data_opt::<Viewer>().and_then(|viewer| viewer.0.as_ref())
}

/// The signed-in user, or `UNAUTHENTICATED`.
pub fn require_user<'a>(ctx: &Context<'a>) -> Result<&'a CurrentUser> {
    viewer(ctx).ok_or_else(ApiError::unauthenticated)
}

/// The signed-in user if they have `role`, else `UNAUTHENTICATED` or `FORBIDDEN`.
pub fn require_role<'a>(ctx: &Context<'a>, role: Role) -> Result<&'a CurrentUser> {
    let user = require_user(ctx)?;
    if user.has(role) {
        Ok(user)
    } else {
        Err(ApiError::forbidden())
    }
}

/// The signed-in user if they are SUPPORT or ADMIN, else `UNAUTHENTICATED` or `FORBIDDEN`.
pub fn require_staff<'a>(ctx: &Context<'a>) -> Result<&'a CurrentUser> {
    let user = require_user(ctx)?;
    if user.is_staff() {
        Ok(user)
    } else {
        Err(ApiError::forbidden())
    }
}
