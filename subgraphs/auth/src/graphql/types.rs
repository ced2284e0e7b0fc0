//! The types of the graph that auth owns.

use async_graphql::{Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use contracts::SessionId;
use graphql_kit::PageInfoObject;
use graphql_kit::page::Page;

use super::user_error::AuthUserError;
use crate::app::{Issued, LiveSession};
use crate::domain;

/// What a user may do.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "service_auth::Role")]
pub(crate) enum Role {
    /// Buys.
    Customer,
    /// Helps customers.
    Support,
    /// Runs the shop.
    Admin,
}

/// A registered user; visible to themselves and to staff.
pub(crate) struct User(pub(crate) domain::User);

/// A registered user; visible to themselves and to staff.
#[Object]
impl User {
    /// The user's id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The address they sign in with.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// What they want to be called.
    async fn display_name(&self) -> &str {
        &self.0.display_name
    }

    /// When they registered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Whether an administrator shut them out; for staff.
    #[graphql(tag = "internal")]
    async fn is_disabled(&self) -> bool {
        self.0.disabled_at.is_some()
    }

    /// What they may do.
    async fn roles(&self) -> Vec<Role> {
        self.0.roles.iter().map(Role::from).collect()
    }
}

/// A page of users.
pub(crate) struct UserConnection(pub(crate) Page<domain::User>);

/// A page of users.
#[Object(tag = "internal")]
impl UserConnection {
    /// The users with their cursors.
    async fn edges(&self) -> Vec<UserEdge> {
        let edge = |(cursor, user): &(String, domain::User)| UserEdge {
            cursor: cursor.clone(),
            node: User(user.clone()),
        };
        self.0.items.iter().map(edge).collect()
    }

    /// The users.
    async fn nodes(&self) -> Vec<User> {
        self.0.items.iter().map(|(_, user)| User(user.clone())).collect()
    }

    /// Where this page stands in the list.
    async fn page_info(&self) -> PageInfoObject {
        self.0.page_info()
    }
}

/// A user and their place in the list.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct UserEdge {
    /// Pass it as `after` to go on from here.
    cursor: String,
    /// The user.
    node: User,
}

/// A signed-in session.
#[derive(SimpleObject)]
pub(crate) struct Session {
    /// Send it as `Authorization: Bearer` until `expiresAt`.
    access_token: String,
    /// Exchange it for the next session by `refreshSession`; good for one use.
    refresh_token: String,
    /// When the access token ends.
    expires_at: DateTime<Utc>,
    /// Who signed in.
    user: User,
}

impl From<Issued> for Session {
    fn from(issued: Issued) -> Self {
        Self {
            access_token: issued.access_token,
            refresh_token: issued.refresh_token.reveal(),
            expires_at: issued.expires_at,
            user: User(issued.user),
        }
    }
}

/// One of the signed-in user's sessions: a device or browser they signed in with.
#[derive(SimpleObject)]
pub(crate) struct ActiveSession {
    /// The session's id.
    id: ID,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was last refreshed.
    refreshed_at: DateTime<Utc>,
    /// When it ends at the latest.
    expires_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    is_current: bool,
}

impl ActiveSession {
    pub(crate) fn new(session: LiveSession, current: SessionId) -> Self {
        Self {
            id: session.id.to_string().into(),
            created_at: session.created_at,
            refreshed_at: session.refreshed_at,
            expires_at: session.expires_at,
            is_current: session.id == current,
        }
    }
}

/// The end of one session, or why it goes on.
#[derive(SimpleObject)]
pub(crate) struct EndSessionPayload {
    /// Why it goes on.
    pub(crate) user_errors: Vec<AuthUserError>,
}

/// A user who was shut out or let in again, or why nothing changed.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct SetUserDisabledPayload {
    /// The user.
    pub(crate) user: Option<User>,
    /// Why nothing changed.
    pub(crate) user_errors: Vec<AuthUserError>,
}

/// Which session ends.
#[derive(InputObject)]
pub(crate) struct EndSessionInput {
    /// One of `sessions`.
    pub(crate) session_id: ID,
}

/// Who is shut out or let in.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct SetUserDisabledInput {
    /// The user.
    pub(crate) user_id: ID,
    /// Whether they are shut out.
    pub(crate) disabled: bool,
}

/// A session, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct SessionPayload {
    /// The session.
    pub(crate) session: Option<Session>,
    /// Why there is none.
    pub(crate) user_errors: Vec<AuthUserError>,
}

/// The end of a session.
#[derive(SimpleObject)]
pub(crate) struct LogoutPayload {
    /// Always empty: a session that had ended before has ended now.
    pub(crate) user_errors: Vec<AuthUserError>,
}

/// A user with new roles, or why they stay as they were.
#[derive(SimpleObject)]
#[graphql(tag = "internal")]
pub(crate) struct SetUserRolesPayload {
    /// The user.
    pub(crate) user: Option<User>,
    /// Why the roles stay as they were.
    pub(crate) user_errors: Vec<AuthUserError>,
}

/// Who registers.
#[derive(InputObject)]
pub(crate) struct RegisterInput {
    /// The address to sign in with.
    pub(crate) email: String,
    /// 8 to 1024 bytes, not among the common ones.
    pub(crate) password: String,
    /// What to be called, 1 to 80 characters.
    pub(crate) display_name: String,
}

/// Who signs in.
#[derive(InputObject)]
pub(crate) struct LoginInput {
    /// The address registered with.
    pub(crate) email: String,
    /// The password.
    pub(crate) password: String,
}

/// Which session goes on.
#[derive(InputObject)]
pub(crate) struct RefreshSessionInput {
    /// The latest refresh token.
    pub(crate) refresh_token: String,
}

/// Which session ends.
#[derive(InputObject)]
pub(crate) struct LogoutInput {
    /// The latest refresh token.
    pub(crate) refresh_token: String,
    /// Whether all sessions of the user end, on every device.
    #[graphql(default)]
    pub(crate) everywhere: bool,
}

/// The old and the new password.
#[derive(InputObject)]
pub(crate) struct ChangePasswordInput {
    /// The password until now.
    pub(crate) current_password: String,
    /// The password from now on: 8 to 1024 bytes, not among the common ones.
    pub(crate) new_password: String,
}

/// Whose roles change.
#[derive(InputObject)]
#[graphql(tag = "internal")]
pub(crate) struct SetUserRolesInput {
    /// The user.
    pub(crate) user_id: ID,
    /// All roles they have from now on; at least one.
    pub(crate) roles: Vec<Role>,
}
