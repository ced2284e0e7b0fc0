//! Why nothing new was begun.

use async_graphql::Enum;

/// Why a request about the sums was refused.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(tag = "internal")]
pub(crate) enum SalesErrorCode {
    /// The sums are being made again already; `rebuild` is the one at work.
    AlreadyRunning,
}

graphql_kit::user_error! {
    /// A business reason why the sums were not touched.
    #[graphql(tag = "internal")]
    pub(crate) struct SalesUserError(SalesErrorCode);
}
