//! What changes webhooks: guard, read the input, one use case, translate. All of it for administrators.

use async_graphql::{Context, ID, Object, SimpleObject};
use contracts::UserId;
use graphql_kit::{Result, require_role};
use service_auth::Role;

use super::delivery::WebhookDelivery;
use super::endpoint::WebhookEndpoint;
use super::fault;
use super::inputs::{
    CreateWebhookEndpointInput, DeleteWebhookEndpointInput, RedeliverWebhookInput, RotateWebhookSecretInput,
    SendTestWebhookInput, UpdateWebhookEndpointInput,
};
use super::user_error::{WebhookErrorCode, WebhookUserError};
use crate::app::{App, Once, Redelivered, Told};
use crate::domain::address::AddressFault;

/// An endpoint as it is after a mutation, or why nothing changed.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct WebhookEndpointPayload {
    /// The endpoint.
    endpoint: Option<WebhookEndpoint>,
    /// Why nothing changed; empty if it did.
    user_errors: Vec<WebhookUserError>,
}

/// An endpoint with the secret that was made for it, or why none was.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct WebhookSecretPayload {
    /// The endpoint.
    endpoint: Option<WebhookEndpoint>,
    /// What its deliveries are signed with, such as `whsec_...`. Shown here and never again.
    secret: Option<String>,
    /// Why nothing changed; empty if it did.
    user_errors: Vec<WebhookUserError>,
}

/// Which endpoint was forgotten, or why none was.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct DeleteWebhookEndpointPayload {
    /// The id that was forgotten.
    deleted_id: Option<ID>,
    /// Why nothing changed; empty if it did.
    user_errors: Vec<WebhookUserError>,
}

/// A delivery that is due now, or why it is not.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct WebhookDeliveryPayload {
    /// The delivery.
    delivery: Option<WebhookDelivery>,
    /// Why nothing changed; empty if it did.
    user_errors: Vec<WebhookUserError>,
}

/// The root of mutations.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Makes an endpoint, and the secret its deliveries are signed with. For administrators.
    #[graphql(tag = "internal")]
    async fn create_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to, and what.")] input: CreateWebhookEndpointInput,
    ) -> Result<WebhookSecretPayload> {
        let (admin, app) = admin(ctx)?;
        let url = match app.checked_url(&input.url) {
            Ok(url) => url,
            Err(fault) => return Ok(WebhookSecretPayload::refused(refused_url(fault))),
        };
        let (request, new) = input.parse(admin, url)?;
        let made = app.create_endpoint(request, new).await.map_err(fault)?;
        Ok(made.into())
    }

    /// Changes an endpoint, or switches it off or on. For administrators.
    #[graphql(tag = "internal")]
    async fn update_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateWebhookEndpointInput,
    ) -> Result<WebhookEndpointPayload> {
        let (admin, app) = admin(ctx)?;
        let url = match input.url.as_deref().map(|url| app.checked_url(url)).transpose() {
            Ok(url) => url,
            Err(fault) => return Ok(WebhookEndpointPayload::refused(refused_url(fault))),
        };
        let (id, change) = input.parse(url)?;
        let updated = app.update_endpoint(id, change, admin).await.map_err(fault)?;
        Ok(match updated {
            Some(endpoint) => WebhookEndpointPayload {
                endpoint: Some(WebhookEndpoint(endpoint)),
                user_errors: Vec::new(),
            },
            None => WebhookEndpointPayload::refused(WebhookUserError::unknown("endpoint", "id")),
        })
    }

    /// Gives an endpoint a new secret. The old one signs beside it for 24 hours. For administrators.
    #[graphql(tag = "internal")]
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which endpoint.")] input: RotateWebhookSecretInput,
    ) -> Result<WebhookSecretPayload> {
        let (admin, app) = admin(ctx)?;
        let (request, id) = input.parse(admin)?;
        let made = app.rotate_secret(request, id).await.map_err(fault)?;
        Ok(made.into())
    }

    /// Forgets an endpoint, with its secrets and all that was or is to be sent to it. For administrators.
    #[graphql(tag = "internal")]
    async fn delete_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which endpoint.")] input: DeleteWebhookEndpointInput,
    ) -> Result<DeleteWebhookEndpointPayload> {
        let (admin, app) = admin(ctx)?;
        let id = input.parse()?;
        let deleted = app.delete_endpoint(id, admin).await.map_err(fault)?;
        Ok(if deleted {
            DeleteWebhookEndpointPayload {
                deleted_id: Some(ID(id.to_string())),
                user_errors: Vec::new(),
            }
        } else {
            DeleteWebhookEndpointPayload {
                deleted_id: None,
                user_errors: vec![WebhookUserError::unknown("endpoint", "id")],
            }
        })
    }

    /// Sends an endpoint a test, signed like any event. For administrators.
    #[graphql(tag = "internal")]
    async fn send_test_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which endpoint.")] input: SendTestWebhookInput,
    ) -> Result<WebhookDeliveryPayload> {
        let (admin, app) = admin(ctx)?;
        let (request, id) = input.parse(admin)?;
        Ok(match app.send_test(request, id).await.map_err(fault)? {
            Once::Done(Some(delivery)) => WebhookDeliveryPayload::of(delivery),
            Once::Done(None) => WebhookDeliveryPayload::refused(WebhookUserError::unknown("endpoint", "id")),
            Once::KeyReused => WebhookDeliveryPayload::refused(WebhookUserError::key_reused()),
            Once::InProgress => WebhookDeliveryPayload::refused(WebhookUserError::in_progress()),
        })
    }

    /// Sends again what was delivered or given up, under the same `webhook-id`. For administrators.
    #[graphql(tag = "internal")]
    async fn redeliver_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which delivery.")] input: RedeliverWebhookInput,
    ) -> Result<WebhookDeliveryPayload> {
        let (admin, app) = admin(ctx)?;
        let id = input.parse()?;
        Ok(match app.redeliver(id, admin).await.map_err(fault)? {
            Redelivered::Done(delivery) => WebhookDeliveryPayload::of(delivery),
            Redelivered::Unknown => {
                WebhookDeliveryPayload::refused(WebhookUserError::unknown("delivery", "deliveryId"))
            }
            Redelivered::Pending => {
                let why = "This delivery has not ended: it waits, or is being sent";
                let error = WebhookUserError::new(WebhookErrorCode::InvalidState, why);
                WebhookDeliveryPayload::refused(error.at(&["input", "deliveryId"]))
            }
        })
    }
}

fn admin<'a>(ctx: &Context<'a>) -> Result<(UserId, &'a App)> {
    let admin = require_role(ctx, Role::Admin)?.id;
    Ok((admin, ctx.data_unchecked::<App>()))
}

fn refused_url(fault: AddressFault) -> WebhookUserError {
    WebhookUserError::new(WebhookErrorCode::UrlRefused, fault.to_string()).at(&["input", "url"])
}

impl WebhookEndpointPayload {
    fn refused(error: WebhookUserError) -> Self {
        Self {
            endpoint: None,
            user_errors: vec![error],
        }
    }
}

impl WebhookSecretPayload {
    fn refused(error: WebhookUserError) -> Self {
        Self {
            endpoint: None,
            secret: None,
            user_errors: vec![error],
        }
    }
}

impl From<Once<Option<Told>>> for WebhookSecretPayload {
    fn from(once: Once<Option<Told>>) -> Self {
        match once {
            Once::Done(Some(told)) => Self {
                endpoint: Some(WebhookEndpoint(told.endpoint)),
                secret: told.secret,
                user_errors: Vec::new(),
            },
            Once::Done(None) => Self::refused(WebhookUserError::unknown("endpoint", "id")),
            Once::KeyReused => Self::refused(WebhookUserError::key_reused()),
            Once::InProgress => Self::refused(WebhookUserError::in_progress()),
        }
    }
}

impl WebhookDeliveryPayload {
    fn of(delivery: crate::domain::Delivery) -> Self {
        Self {
            delivery: Some(WebhookDelivery(delivery)),
            user_errors: Vec::new(),
        }
    }

    fn refused(error: WebhookUserError) -> Self {
        Self {
            delivery: None,
            user_errors: vec![error],
        }
    }
}
