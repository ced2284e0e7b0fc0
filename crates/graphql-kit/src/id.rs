//! GraphQL ids are TypeIDs.

use std::fmt::Display;
use std::str::FromStr;

use async_graphql::ID;

use crate::error::{ApiError, Result};

/// Reads an `ID` argument; one of another kind or damaged is `BAD_USER_INPUT` at `field`.
pub fn parse_id<T>(id: &ID, field: &str) -> Result<T>
where
    T: FromStr,
    T::Err: Display,
{
    id.parse()
        .map_err(|error: T::Err| ApiError::bad_input(error.to_string()).at(&[field]))
}
