//! What mutations take, read into what the use cases take.

use async_graphql::{ID, InputObject};
use contracts::{UserId, WebhookDeliveryId, WebhookEndpointId};
use graphql_kit::{ApiError, Result, parse_id};

use super::endpoint::WebhookEventType;
use crate::app::{Change, NewEndpoint, Request};
use crate::domain::EventType;
use crate::domain::endpoint::MAX_DESCRIPTION;

/// An endpoint to be made.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct CreateWebhookEndpointInput {
    /// Makes repeats harmless: 8 to 200 characters.
    idempotency_key: ID,
    /// The address: `https`, and on the public internet.
    pub(super) url: String,
    /// What it is to be told.
    event_types: Vec<WebhookEventType>,
    /// What people call it, at most 500 characters.
    #[graphql(default)]
    description: String,
}

impl CreateWebhookEndpointInput {
    /// All but the URL, which has its own way to be refused.
    pub(super) fn parse(self, by: UserId, url: String) -> Result<(Request, NewEndpoint)> {
        let new = NewEndpoint {
            url,
            description: described(self.description)?,
            event_types: each_once(self.event_types)?,
        };
        Ok((request(by, &self.idempotency_key)?, new))
    }
}

/// What is to be changed of an endpoint; what is absent stays.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct UpdateWebhookEndpointInput {
    /// The endpoint.
    id: ID,
    /// The address: `https`, and on the public internet.
    pub(super) url: Option<String>,
    /// What it is to be told from now on.
    event_types: Option<Vec<WebhookEventType>>,
    /// What people call it, at most 500 characters.
    description: Option<String>,
    /// Whether anything is sent.
    enabled: Option<bool>,
}

impl UpdateWebhookEndpointInput {
    pub(super) fn parse(self, url: Option<String>) -> Result<(WebhookEndpointId, Change)> {
        let change = Change {
            url,
            description: self.description.map(described).transpose()?,
            event_types: self.event_types.map(each_once).transpose()?,
            enabled: self.enabled,
        };
        Ok((endpoint_id(&self.id)?, change))
    }
}

/// An endpoint that is to get a new secret.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct RotateWebhookSecretInput {
    /// The endpoint.
    id: ID,
    /// Makes repeats harmless: 8 to 200 characters.
    idempotency_key: ID,
}

impl RotateWebhookSecretInput {
    pub(super) fn parse(&self, by: UserId) -> Result<(Request, WebhookEndpointId)> {
        Ok((request(by, &self.idempotency_key)?, endpoint_id(&self.id)?))
    }
}

/// An endpoint to be forgotten.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct DeleteWebhookEndpointInput {
    /// The endpoint.
    id: ID,
}

impl DeleteWebhookEndpointInput {
    pub(super) fn parse(&self) -> Result<WebhookEndpointId> {
        endpoint_id(&self.id)
    }
}

/// An endpoint that is to get a test.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct SendTestWebhookInput {
    /// The endpoint.
    id: ID,
    /// Makes repeats harmless: 8 to 200 characters.
    idempotency_key: ID,
}

impl SendTestWebhookInput {
    pub(super) fn parse(&self, by: UserId) -> Result<(Request, WebhookEndpointId)> {
        Ok((request(by, &self.idempotency_key)?, endpoint_id(&self.id)?))
    }
}

/// What is to be sent again.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct RedeliverWebhookInput {
    /// A delivery that was made or given up.
    delivery_id: ID,
}

impl RedeliverWebhookInput {
    pub(super) fn parse(&self) -> Result<WebhookDeliveryId> {
        parse_id(&self.delivery_id, "deliveryId")
            .map_err(|error: ApiError| error.at(&["input", "deliveryId"]))
    }
}

fn endpoint_id(id: &ID) -> Result<WebhookEndpointId> {
    parse_id(id, "id").map_err(|error: ApiError| error.at(&["input", "id"]))
}

fn request(by: UserId, key: &ID) -> Result<Request> {
    if !(8..=200).contains(&key.chars().count()) || key.contains('\0') {
        return Err(bad(
            "idempotencyKey",
            "an idempotency key has 8 to 200 characters",
        ));
    }
    let key = key.to_string();
    Ok(Request { by, key })
}

fn described(text: String) -> Result<String> {
    if text.chars().count() > MAX_DESCRIPTION || text.contains(char::is_control) {
        return Err(bad("description", "one line of at most 500 characters"));
    }
    Ok(text)
}

fn each_once(types: Vec<WebhookEventType>) -> Result<Vec<EventType>> {
    let mut types: Vec<EventType> = types.into_iter().map(Into::into).collect();
    types.sort_unstable();
    types.dedup();
    if types.is_empty() {
        return Err(bad("eventTypes", "at least one type of event"));
    }
    Ok(types)
}

fn bad(field: &str, why: &str) -> ApiError {
    ApiError::bad_input(why).at(&["input", field])
}
