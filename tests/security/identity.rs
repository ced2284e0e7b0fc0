//! Sessions, refresh tokens, passwords, roles and disabled users: what ends, ends everywhere.

use anyhow::{Context, Result};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::Case;
use crate::answer::Answer;
use crate::doors::Door;
use crate::forge::{claims_of, header_of};
use crate::ledger::Group;
use crate::people::{LOGIN, Outside, PASSWORD, Person};
use crate::world::World;

pub(crate) const CASES: &[Case] = &[
    ("identity: refresh tokens", refresh_tokens),
    ("identity: sessions and their ends", sessions),
    ("identity: passwords", passwords),
    ("identity: roles and disabled users", disabled),
    ("identity: what a token says", profile),
];

const REFRESH: &str = "mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) {
    session { accessToken refreshToken user { id email } } userErrors { code } } }";
pub(crate) const END: &str =
    "mutation ($input: EndSessionInput!) { endSession(input: $input) { userErrors { code } } }";
const SESSIONS: &str = "{ sessions { id createdAt refreshedAt expiresAt isCurrent } }";
pub(crate) const DISABLE: &str = "mutation ($input: SetUserDisabledInput!) { setUserDisabled(input: $input) { user { isDisabled } userErrors { code } } }";
const ROLES: &str = "mutation ($input: SetUserRolesInput!) { setUserRoles(input: $input) { user { id } userErrors { code } } }";

impl World {
    pub(crate) async fn newcomer(&self, name: &str) -> Result<Person> {
        Outside::new(&self.http, &self.stack.plan()).newcomer(name).await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<Answer> {
        let input = json!({ "input": { "email": email, "password": password } });
        self.ask(Door::Router, None, LOGIN, input).await
    }

    async fn refresh(&self, token: &str) -> Result<Answer> {
        self.ask(
            Door::Router,
            None,
            REFRESH,
            json!({ "input": { "refreshToken": token } }),
        )
        .await
    }
}

fn successor(answer: &Answer) -> Option<String> {
    answer.json()["data"]["refreshSession"]["session"]["refreshToken"]
        .as_str()
        .map(str::to_owned)
}

fn refresh_tokens(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::of_changes(world, "identity: refresh");
        for (name, token) in [("empty", String::new()), ("nonsense", "nonsense".to_owned()), ("unknown", "A".repeat(43)), ("an access token", world.people.ada.token.clone()), ("10 KiB", "A".repeat(10_240)), ("SQL", "' OR 1=1 --".to_owned())] {
            let answer = world.refresh(&token).await?;
            group.refused(format!("a token that is {name}"), &answer, &["200 TOKEN_EXPIRED"]);
        }
        // Reuse: the family ends.
        let eve = world.newcomer("eve").await?;
        let second = successor(&world.refresh(&eve.refresh).await?).context("no successor")?;
        let again = successor(&world.refresh(&eve.refresh).await?);
        group.control("a lost reply is told again within ten seconds", again.as_ref() == Some(&second), "the same successor");
        let third = successor(&world.refresh(&second).await?).context("no successor")?;
        let answer = world.refresh(&eve.refresh).await?;
        group.refused("a token used two rotations ago", &answer, &["200 TOKEN_REUSED"]);
        for (name, token) in [("its successor", &second), ("the present one of its family", &third)] {
            let answer = world.refresh(token).await?;
            group.refused(format!("after a reuse: {name}"), &answer, &["200 TOKEN_REUSED"]);
        }
        // Many at once: one successor.
        let many = world.newcomer("many").await?;
        let answers: Vec<Answer> = join_all((0..16).map(|_| world.refresh(&many.refresh))).await.into_iter().collect::<Result<_>>()?;
        let mut tokens: Vec<String> = answers.iter().filter_map(successor).collect();
        tokens.sort();
        tokens.dedup();
        group.judged("16 refreshes at once give one successor", tokens.len() == 1, format!("{} successors", tokens.len()));
        let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM refresh_token WHERE used_at IS NULL AND session_id = (SELECT session_id FROM refresh_token ORDER BY issued_at DESC LIMIT 1)")
            .fetch_one(world.database("auth")?)
            .await?;
        group.judged("one unused token is stored", stored == 1, format!("{stored}"));
        // Stored as hashes only.
        let plain: i64 = sqlx::query_scalar("SELECT count(*) FROM refresh_token t WHERE t::text LIKE '%' || $1 || '%'")
            .bind(&many.refresh)
            .fetch_one(world.database("auth")?)
            .await?;
        group.judged("the database holds no token in the clear", plain == 0, format!("{plain} rows"));
        group.end().await
    })
}

fn sessions(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::of_changes(world, "identity: sessions");
        let phone = world.newcomer("cleo").await?;
        let laptop = crate::people::person(&world.sign_in(&phone.email, PASSWORD).await?.data()?["login"])?;
        let list = world
            .ask(Door::Router, Some(&laptop.token), SESSIONS, json!({}))
            .await?
            .data()?;
        let all = list["sessions"].as_array().cloned().unwrap_or_default();
        let current = all.iter().filter(|session| session["isCurrent"] == true).count();
        group.control(
            "two sessions, one of them this",
            all.len() == 2 && current == 1,
            list.to_string(),
        );
        let id = |person: &Person| anyhow::Ok(claims_of(&person.token)?["sid"].clone());
        let end = |id: Value| json!({ "input": { "sessionId": id } });
        for (name, token, wanted) in [
            ("nobody", None, "200 UNAUTHENTICATED"),
            ("another", Some(&world.people.bob.token), "200 SESSION_NOT_FOUND"),
            (
                "an administrator",
                Some(&world.people.admin.token),
                "200 SESSION_NOT_FOUND",
            ),
        ] {
            let answer = world
                .ask(Door::Router, token.map(String::as_str), END, end(id(&phone)?))
                .await?;
            group.refused(format!("a session ended by {name}"), &answer, &[wanted]);
        }
        let answer = world
            .ask(Door::Router, Some(&laptop.token), END, end(json!("nonsense")))
            .await?;
        group.refused("a session id that is none", &answer, &["200 BAD_USER_INPUT"]);
        let answer = world
            .ask(Door::Router, Some(&laptop.token), SESSIONS, json!({}))
            .await?;
        let left = answer.json()["data"]["sessions"].as_array().map_or(0, Vec::len);
        group.control("both go on", left == 2, answer.outcome);
        // The laptop ends the phone's session: its refresh token at once (and its access token elsewhere soon: see `rotation`).
        let answer = world
            .ask(Door::Router, Some(&laptop.token), END, end(id(&phone)?))
            .await?;
        group.control(
            "ended from the other device",
            answer.body.contains("\"userErrors\":[]"),
            answer.outcome,
        );
        group.refused(
            "its refresh token",
            &world.refresh(&phone.refresh).await?,
            &["200 TOKEN_EXPIRED"],
        );
        let answer = world
            .ask(Door::Router, Some(&phone.token), SESSIONS, json!({}))
            .await?;
        group.refused(
            "its access token, asking auth for what matters",
            &answer,
            &["200 UNAUTHENTICATED"],
        );
        let answer = world
            .ask(Door::Router, Some(&laptop.token), END, end(id(&phone)?))
            .await?;
        group.refused("ended twice", &answer, &["200 SESSION_NOT_FOUND"]);
        let logout = "mutation ($input: LogoutInput!) { logout(input: $input) { userErrors { code } } }";
        world
            .ask(
                Door::Router,
                None,
                logout,
                json!({ "input": { "refreshToken": laptop.refresh, "everywhere": true } }),
            )
            .await?;
        group.refused(
            "a refresh token after logout everywhere",
            &world.refresh(&laptop.refresh).await?,
            &["200 TOKEN_EXPIRED"],
        );
        group.end().await
    })
}

fn passwords(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::of_changes(world, "identity: passwords");
        let person = world.newcomer("dora").await?;
        let other = crate::people::person(&world.sign_in(&person.email, PASSWORD).await?.data()?["login"])?;
        let change = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { session { accessToken refreshToken user { id email } } userErrors { code } } }";
        let input = |current: &str, new: &str| json!({ "input": { "currentPassword": current, "newPassword": new } });
        let new = "an entirely new password";
        for (name, token, current, to, wanted) in [
            ("by nobody", None, PASSWORD, new, "200 UNAUTHENTICATED"),
            ("by another", Some(&world.people.bob.token), "not bob's password", new, "200 INVALID_CREDENTIALS"),
            ("with a wrong password", Some(&person.token), "wrong horse battery", new, "200 INVALID_CREDENTIALS"),
            ("to a short one", Some(&person.token), PASSWORD, "short", "200 PASSWORD_TOO_WEAK"),
            ("to a common one", Some(&person.token), PASSWORD, "password1", "200 PASSWORD_TOO_WEAK"),
            ("to one of 1,025 bytes", Some(&person.token), PASSWORD, &"xy".repeat(513), "200 PASSWORD_TOO_WEAK"),
            ("to the e-mail address", Some(&person.token), PASSWORD, person.email.as_str(), "200 PASSWORD_TOO_WEAK"),
        ] {
            let answer = world.ask(Door::Router, token.map(String::as_str), change, input(current, to)).await?;
            group.refused(format!("changed {name}"), &answer, &[wanted]);
        }
        let answer = world.sign_in(&person.email, PASSWORD).await?;
        group.works("the old password still opens", &answer);
        let answer = world.ask(Door::Router, Some(&person.token), change, input(PASSWORD, new)).await?;
        group.works("changed rightly", &answer);
        group.refused("the old password", &world.sign_in(&person.email, PASSWORD).await?, &["200 INVALID_CREDENTIALS"]);
        for (name, refresh) in [("this session's", &person.refresh), ("the other session's", &other.refresh)] {
            group.refused(format!("{name} old refresh token"), &world.refresh(refresh).await?, &["200 TOKEN_EXPIRED"]);
        }
        group.works("the new password", &world.sign_in(&person.email, new).await?);
        // Ten guesses at once: the counter stops all but the first few, whoever sends them.
        let victim = world.newcomer("vera").await?;
        let guesses = (0..20).map(|n| world.sign_in(&victim.email, if n == 19 { PASSWORD } else { "a wrong guess" }));
        let mut stopped = 0;
        for guess in guesses {
            stopped += usize::from(guess.await?.outcome == "200 TOO_MANY_ATTEMPTS");
        }
        group.judged("20 guesses in a row: all but 6 are not even looked at", stopped >= 14, format!("{stopped} stopped"));
        group.refused("the right password while the account waits", &world.sign_in(&victim.email, PASSWORD).await?, &["200 TOO_MANY_ATTEMPTS"]);
        group.end().await
    })
}

fn disabled(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::of_changes(world, "identity: disabled users");
        let person = world.newcomer("mallory").await?;
        let input = |id: &str, disabled: bool| json!({ "input": { "userId": id, "disabled": disabled } });
        for (who, token, wanted) in [
            ("nobody", None, "200 UNAUTHENTICATED"),
            ("a customer", Some(&world.people.bob.token), "200 FORBIDDEN"),
            ("support", Some(&world.people.support.token), "200 FORBIDDEN"),
        ] {
            let answer = world
                .ask(
                    Door::Staff,
                    token.map(String::as_str),
                    DISABLE,
                    input(&person.id, true),
                )
                .await?;
            group.refused(format!("disabled by {who}"), &answer, &[wanted]);
        }
        let admin = Some(world.people.admin.token.as_str());
        let answer = world
            .ask(Door::Staff, admin, DISABLE, input(&world.people.admin.id, true))
            .await?;
        group.refused("the last administrator", &answer, &["200 LAST_ADMIN"]);
        let answer = world
            .ask(
                Door::Staff,
                admin,
                DISABLE,
                input("usr_01h455vb4pex5vsknk084sn02q", true),
            )
            .await?;
        group.refused("a user who is not there", &answer, &["200 USER_NOT_FOUND"]);
        group.works("still signs in", &world.sign_in(&person.email, PASSWORD).await?);

        let answer = world
            .ask(Door::Staff, admin, DISABLE, input(&person.id, true))
            .await?;
        group.works("disabled by an administrator", &answer);
        group.refused(
            "login",
            &world.sign_in(&person.email, PASSWORD).await?,
            &["200 ACCOUNT_DISABLED"],
        );
        group.refused(
            "login with a wrong password learns nothing of it",
            &world.sign_in(&person.email, "wrong horse battery").await?,
            &["200 INVALID_CREDENTIALS"],
        );
        group.refused(
            "refresh",
            &world.refresh(&person.refresh).await?,
            &["200 TOKEN_EXPIRED"],
        );
        let answer = world
            .ask(Door::Router, Some(&person.token), SESSIONS, json!({}))
            .await?;
        group.refused("the live access token at auth", &answer, &["200 UNAUTHENTICATED"]);
        let answer = world
            .ask(Door::Staff, admin, DISABLE, input(&person.id, false))
            .await?;
        group.works("enabled again", &answer);
        group.works("login after it", &world.sign_in(&person.email, PASSWORD).await?);
        group.refused(
            "the refresh token of before",
            &world.refresh(&person.refresh).await?,
            &["200 TOKEN_EXPIRED"],
        );
        // A role taken away counts at once where roles are given.
        let former = world.newcomer("former").await?;
        let roles = |id: &str, roles: &[&str]| json!({ "input": { "userId": id, "roles": roles } });
        world
            .ask(
                Door::Staff,
                admin,
                ROLES,
                roles(&former.id, &["CUSTOMER", "ADMIN"]),
            )
            .await?
            .data()?;
        let former = crate::people::person(&world.sign_in(&former.email, PASSWORD).await?.data()?["login"])?;
        world
            .ask(Door::Staff, admin, ROLES, roles(&former.id, &["CUSTOMER"]))
            .await?
            .data()?;
        for (name, query, input) in [
            ("roles", ROLES, roles(&former.id, &["ADMIN"])),
            ("disabling", DISABLE, input(&person.id, true)),
        ] {
            let answer = world.ask(Door::Staff, Some(&former.token), query, input).await?;
            group.refused(
                format!("{name} by who was an administrator"),
                &answer,
                &["200 FORBIDDEN"],
            );
        }
        group.end().await
    })
}

fn profile(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::of_changes(world, "identity: tokens");
        let person = world.newcomer("paul").await?;
        let (header, claims) = (header_of(&person.token)?, claims_of(&person.token)?);
        let life = claims["exp"].as_i64().unwrap_or(0) - claims["iat"].as_i64().unwrap_or(0);
        group.control("EdDSA", header["alg"] == "EdDSA", header.to_string());
        group.control("typ at+jwt", header["typ"] == "at+jwt", header.to_string());
        group.control("15 minutes", life == 900, life.to_string());
        for name in ["iss", "aud", "sub", "roles", "sid", "jti"] {
            group.control(
                format!("claims {name}"),
                !claims[name].is_null(),
                claims[name].to_string(),
            );
        }
        let text = claims.to_string();
        group.control(
            "no address in it",
            !text.contains("example.com"),
            "no e-mail address",
        );
        group.end().await
    })
}
