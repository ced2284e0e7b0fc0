//! What every subgraph does alike: error codes, money and pages, user errors, the HTTP and WebSocket endpoints, limits.
//!
//! Owns the shape of the graph's edge, so that the same question has the same answer in every subgraph. Must not
//! know any business rule, store or broker.
//!
//! A subgraph needs five things of it:
//!
//! 1. [`builder`] starts the schema, [`sdl`] prints it;
//! 2. [`router`] serves it over HTTP to the gateway, [`ws_router`] serves its subscriptions to browsers;
//! 3. [`viewer`], [`require_user`], [`require_role`] and [`require_staff`] tell who asks;
//! 4. [`ApiError`] is what a resolver fails with; business outcomes are [`user_error!`] types in the payload;
//! 5. [`MoneyObject`], [`MoneyInput`], [`PageInfoObject`] and [`page`] are the shared value types.

mod batch;
mod document;
mod entities;
mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
mod id;
mod limit;
mod mask;
mod metrics;
mod money;
mod nulls;
mod omitted;
pub mod page;
mod refusals;
mod schema;
mod user_error;
mod viewer;
pub mod ws;

#[doc(hidden)]
pub use async_graphql;

pub use batch::Batcher;
pub use entities::Entities;
pub use error::{ApiError, Code, Result};
pub use http::{GatewayKeys, HttpConfig, HttpSettings, router};
pub use id::parse_id;
pub use money::{CurrencyCode, DecimalScalar, MoneyInput, MoneyObject};
pub use page::PageInfoObject;
pub use rate_limit::{RateLimits, Rates};
pub use refusals::hidden;
pub use schema::{LiveSchema, Nothing, PerRequest, builder, live_builder, sdl};
pub use viewer::{ClientIp, Viewer, client_ip, require_role, require_staff, require_user, viewer};
pub use ws::{WsConfig, WsLimits, ws_router};
