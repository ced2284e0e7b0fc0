//! The mutation root.

use async_graphql::{Context, Object};
use graphql_kit::{ApiError, Result, client_ip, parse_id, require_role, require_user};
use service_auth::{Role, Roles};

use super::fault;
use super::types::{
    ChangePasswordInput, EndSessionInput, EndSessionPayload, LoginInput, LogoutInput, LogoutPayload,
    RefreshSessionInput, RegisterInput, SessionPayload, SetUserDisabledInput, SetUserDisabledPayload,
    SetUserRolesInput, SetUserRolesPayload, User,
};
use super::user_error::user_error;
use crate::App;
use crate::app::{self, ChangePassword, Error, Issued, Login, Register};

/// Mutation root.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Makes an account and signs in.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who registers.")] input: RegisterInput,
    ) -> Result<SessionPayload> {
        let RegisterInput {
            email,
            password,
            display_name,
        } = input;
        let input = Register {
            email,
            password,
            display_name,
            from: client_ip(ctx),
        };
        payload(
            app::register(ctx.data_unchecked::<App>(), input).await,
            "password",
        )
    }

    /// Signs in.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: LoginInput,
    ) -> Result<SessionPayload> {
        let input = Login {
            email: input.email,
            password: input.password,
            from: client_ip(ctx),
        };
        payload(app::login(ctx.data_unchecked::<App>(), input).await, "password")
    }

    /// Exchanges a refresh token for the next session. Needs no access token.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session goes on.")] input: RefreshSessionInput,
    ) -> Result<SessionPayload> {
        payload(
            app::refresh(ctx.data_unchecked::<App>(), &input.refresh_token).await,
            "password",
        )
    }

    /// Ends a session. Needs no access token, and always succeeds.
    async fn logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session ends.")] input: LogoutInput,
    ) -> Result<LogoutPayload> {
        let app = ctx.data_unchecked::<App>();
        app::logout(app, &input.refresh_token, input.everywhere)
            .await
            .map_err(fault)?;
        Ok(LogoutPayload {
            user_errors: Vec::new(),
        })
    }

    /// Changes the signed-in user's password, ends all their sessions and begins a new one.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old and the new password.")] input: ChangePasswordInput,
    ) -> Result<SessionPayload> {
        let caller = require_user(ctx)?;
        let input = ChangePassword {
            current: input.current_password,
            new: input.new_password,
        };
        payload(
            app::change_password(ctx.data_unchecked::<App>(), caller, input).await,
            "newPassword",
        )
    }

    /// Ends one of the signed-in user's sessions, such as that of a lost phone.
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session ends.")] input: EndSessionInput,
    ) -> Result<EndSessionPayload> {
        let caller = require_user(ctx)?;
        let id = parse_id(&input.session_id, "sessionId")?;
        let user_errors = match app::end_session(ctx.data_unchecked::<App>(), caller, id).await {
            Ok(()) => Vec::new(),
            Err(Error::Refused(refusal)) => vec![user_error(refusal, "")],
            Err(error) => return Err(fault(error)),
        };
        Ok(EndSessionPayload { user_errors })
    }

    /// Shuts a user out, or lets them in again; for administrators. A disabled user's sessions end at once, their
    /// access tokens within a minute.
    #[graphql(tag = "internal")]
    async fn set_user_disabled(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is shut out or let in.")] input: SetUserDisabledInput,
    ) -> Result<SetUserDisabledPayload> {
        let caller = require_role(ctx, Role::Admin)?;
        let target = parse_id(&input.user_id, "userId")?;
        let app = ctx.data_unchecked::<App>();
        match app::set_disabled(app, caller, target, input.disabled).await {
            Ok(user) => Ok(SetUserDisabledPayload {
                user: Some(User(user)),
                user_errors: Vec::new(),
            }),
            Err(Error::Refused(refusal)) => Ok(SetUserDisabledPayload {
                user: None,
                user_errors: vec![user_error(refusal, "")],
            }),
            Err(error) => Err(fault(error)),
        }
    }

    /// Replaces a user's roles; for administrators. A role taken away is gone from the user's next access token on.
    #[graphql(tag = "internal")]
    async fn set_user_roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose roles change.")] input: SetUserRolesInput,
    ) -> Result<SetUserRolesPayload> {
        let caller = require_role(ctx, Role::Admin)?;
        let target = parse_id(&input.user_id, "userId")?;
        let roles: Roles = input.roles.into_iter().map(Role::from).collect();
        if roles.is_empty() {
            return Err(ApiError::bad_input("A user has at least one role").at(&["input", "roles"]));
        }
        match app::set_roles(ctx.data_unchecked::<App>(), caller, target, roles).await {
            Ok(user) => Ok(SetUserRolesPayload {
                user: Some(User(user)),
                user_errors: Vec::new(),
            }),
            Err(Error::Refused(refusal)) => Ok(SetUserRolesPayload {
                user: None,
                user_errors: vec![user_error(refusal, "")],
            }),
            Err(error) => Err(fault(error)),
        }
    }
}

fn payload(outcome: std::result::Result<Issued, Error>, password_field: &str) -> Result<SessionPayload> {
    match outcome {
        Ok(issued) => Ok(SessionPayload {
            session: Some(issued.into()),
            user_errors: Vec::new(),
        }),
        Err(Error::Refused(refusal)) => Ok(SessionPayload {
            session: None,
            user_errors: vec![user_error(refusal, password_field)],
        }),
        Err(error) => Err(fault(error)),
    }
}
