//! Who asks. The endpoint verified the bearer token before the operation began.

use std::net::IpAddr;

use async_graphql::Context;
use axum::http::HeaderMap;
use service_auth::{CurrentUser, Role};

use crate::error::{ApiError, Result};

/// The caller of an operation; `None` is an anonymous shopper. The endpoints put it into each request's data.
#[derive(Debug, Clone)]
pub struct Viewer(pub Option<CurrentUser>);

/// Where the request came from, as the last proxy before the gateway tells it; `None` without a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientIp(pub Option<IpAddr>);

impl ClientIp {
    /// Reads the last address of `x-forwarded-for`: those before it are the client's own claim.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let last = headers.get_all("x-forwarded-for").iter().next_back();
        let address = last
            .and_then(|value| value.to_str().ok())
            .and_then(|list| list.rsplit(',').next());
        Self(address.and_then(|address| address.trim().parse().ok()))
    }
}

/// Where the request came from, for limits by address.
pub fn client_ip(ctx: &Context<'_>) -> Option<IpAddr> {
    ctx.data_opt::<ClientIp>().and_then(|address| address.0)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_proxy_is_believed_and_nobody_before_it() {
        let mut headers = HeaderMap::new();
        assert_eq!(ClientIp::of(&headers), ClientIp(None));
        headers.append("x-forwarded-for", "10.0.0.1".parse().unwrap());
        headers.append("x-forwarded-for", "10.0.0.2, 192.0.2.7".parse().unwrap());
        assert_eq!(ClientIp::of(&headers), ClientIp("192.0.2.7".parse().ok()));
        headers.append("x-forwarded-for", "unknown".parse().unwrap());
        assert_eq!(ClientIp::of(&headers), ClientIp(None));
    }
}
