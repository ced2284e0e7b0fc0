//! Gives an endpoint a new secret; those before it sign beside it for a while. Also how any secret is made and told.

use contracts::WebhookEndpointId;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::once::{Begun, Keyed};
use super::{App, AppError, Once, Request};
use crate::domain::Endpoint;
use crate::domain::signature::{self, SECRET_LEN};
use crate::store;

/// What is kept under an idempotency key: which secret was made, and never the secret.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Made {
    pub(super) endpoint: WebhookEndpointId,
    pub(super) secret: Uuid,
}

/// An endpoint and the secret that was made for it. Not for logs.
pub(crate) struct Told {
    pub(crate) endpoint: Endpoint,
    /// Absent once it has expired.
    pub(crate) secret: Option<String>,
}

impl App {
    /// Makes a new secret, once per idempotency key; `None` if there is no such endpoint.
    pub(crate) async fn rotate_secret(
        &self,
        request: Request,
        id: WebhookEndpointId,
    ) -> Result<Once<Option<Told>>, AppError> {
        let by = request.by;
        let keyed = Keyed::new(request, "rotateWebhookSecret", &id);
        let app = self.clone();
        let made = self
            .finish(async move {
                let mut tx = match keyed.begin::<Made>(&app.requests).await? {
                    Begun::Fresh(tx) => tx,
                    Begun::Settled(once) => return Ok(once.map(Some)),
                };
                if !store::endpoints::lock(&mut tx, id).await? {
                    tx.rollback().await?;
                    return Ok(Once::Done(None));
                }
                store::secrets::expire(&mut tx, id, app.policy.overlap).await?;
                let secret = app.write_secret(&mut tx, id).await?;
                tracing::info!(endpoint = %id, %by, "an endpoint has a new secret");
                let made = Made { endpoint: id, secret };
                Ok(keyed.finish(tx, made).await?.map(Some))
            })
            .await?;
        match made {
            Once::Done(Some(made)) => self.told(Once::Done(made)).await,
            Once::Done(None) => Ok(Once::Done(None)),
            Once::KeyReused => Ok(Once::KeyReused),
            Once::InProgress => Ok(Once::InProgress),
        }
    }

    /// Writes a fresh secret for an endpoint; answers its id.
    pub(super) async fn write_secret(
        &self,
        tx: &mut PgConnection,
        endpoint: WebhookEndpointId,
    ) -> Result<Uuid, AppError> {
        let (mut plain, mut nonce) = ([0; SECRET_LEN], [0; 12]);
        rand::rng().fill_bytes(&mut plain);
        rand::rng().fill_bytes(&mut nonce);
        let id = Uuid::now_v7();
        let sealed = self.vault.seal(id, &plain, nonce)?;
        store::secrets::insert(tx, id, endpoint, &sealed, self.now()).await?;
        Ok(id)
    }

    /// What was made, with the secret in the clear: for whoever made it, and who asks again under the same key.
    pub(super) async fn told(&self, made: Once<Made>) -> Result<Once<Option<Told>>, AppError> {
        let made = match made {
            Once::Done(made) => made,
            Once::KeyReused => return Ok(Once::KeyReused),
            Once::InProgress => return Ok(Once::InProgress),
        };
        let Some(endpoint) = store::endpoints::find(&self.requests, made.endpoint).await? else {
            return Ok(Once::Done(None));
        };
        let sealed = store::secrets::find(&self.requests, made.secret).await?;
        let secret = sealed
            .map(|sealed| self.vault.open(made.secret, &sealed))
            .transpose()?
            .map(|plain| signature::shown(&plain));
        Ok(Once::Done(Some(Told { endpoint, secret })))
    }
}
