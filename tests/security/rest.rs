//! Internal routes: every one of them against every wrong caller and every fault of a service's token.

use anyhow::Result;
use futures::stream::{self, StreamExt, TryStreamExt};
use roster::SERVICES;
use serde_json::json;

use crate::Case;
use crate::doors::Route;
use crate::ledger::Group;
use crate::world::{GATEWAY_KEY, World};

pub(crate) const CASES: &[Case] = &[
    ("internal REST: faults of service tokens on every route", tokens),
    ("internal REST: every wrong caller on every route", callers),
    ("internal REST: a request sent again has no second effect", replay),
];

const AT_ONCE: usize = 12;
const BAD: &[&str] = &["401 UNAUTHENTICATED"];

fn tokens(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "internal REST: tokens").await?;
        for route in world.routes() {
            let mould = world.forge.service("order", route.callee);
            let mut faults = mould.faults("http://127.0.0.1:9/jwks.json");
            // A minute is the most: a service's token is not for keeping.
            let late = mould.claims["iat"].as_i64().unwrap_or_default() + 120;
            faults.push((
                "exp: in two minutes".to_owned(),
                mould.with_claim("exp", json!(late)),
            ));
            let tries = faults
                .into_iter()
                .filter(|(_, token)| reqwest::header::HeaderValue::from_str(token).is_ok());
            stream::iter(tries)
                .map(Ok)
                .try_for_each_concurrent(AT_ONCE, async |(name, token)| {
                    let wanted = if token.len() > 30_000 {
                        &["401 UNAUTHENTICATED", "431"][..]
                    } else {
                        BAD
                    };
                    let headers = [("authorization", format!("Bearer {token}"))];
                    let answer = world.call(&route, &route.path, &headers).await?;
                    group.refused(format!("{}: {name}", route.name()), &answer, wanted);
                    anyhow::Ok(())
                })
                .await?;
        }
        group.end().await
    })
}

fn callers(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "internal REST: callers").await?;
        for route in world.routes() {
            strangers(world, &group, &route).await?;
            services(world, &group, &route).await?;
        }
        nowhere(world, &group).await?;
        group.end().await
    })
}

/// Whoever is no service.
async fn strangers(world: &World, group: &Group<'_>, route: &Route) -> Result<()> {
    let people = &world.people;
    let good = world.forge.service("order", route.callee).good();
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let tries: Vec<(&str, Vec<(&str, String)>)> = vec![
        ("nobody", vec![]),
        ("a customer's token", vec![bearer(&people.ada.token)]),
        ("an administrator's token", vec![bearer(&people.admin.token)]),
        ("a refresh token", vec![bearer(&people.admin.refresh)]),
        ("the gateway key", vec![("x-gateway-key", GATEWAY_KEY.to_owned())]),
        ("the gateway key as a token", vec![bearer(GATEWAY_KEY)]),
        (
            "the gateway key with an administrator",
            vec![
                ("x-gateway-key", GATEWAY_KEY.to_owned()),
                bearer(&people.admin.token),
            ],
        ),
        (
            "names in headers",
            vec![
                ("x-user-id", people.ada.id.clone()),
                ("x-service", "order".to_owned()),
                ("x-role", "ADMIN".to_owned()),
            ],
        ),
        ("two tokens", vec![bearer(&good), bearer(&good)]),
        (
            "a token in a cookie",
            vec![("cookie", format!("authorization=Bearer {good}"))],
        ),
        (
            "Basic",
            vec![("authorization", "Basic b3JkZXI6b3JkZXI=".to_owned())],
        ),
        ("a token without a scheme", vec![("authorization", good.clone())]),
    ];
    for (name, headers) in tries {
        let answer = world.call(route, &route.path, &headers).await?;
        group.refused(format!("{}: {name}", route.name()), &answer, BAD);
    }
    let answer = world
        .call(route, &format!("{}?access_token={good}", route.path), &[])
        .await?;
    group.refused(
        format!("{}: a token in the query string", route.name()),
        &answer,
        BAD,
    );
    Ok(())
}

/// Services: those on the route's list get in, all others don't; a token for another callee is for nobody else.
async fn services(world: &World, group: &Group<'_>, route: &Route) -> Result<()> {
    for caller in SERVICES {
        let bearer = |token: String| [("authorization", format!("Bearer {token}"))];
        let mould = world.forge.service(caller, route.callee);
        if route.callers.contains(&caller) {
            let answer = world.call(route, &route.harmless, &bearer(mould.good())).await?;
            let in_it = !["401 UNAUTHENTICATED", "403 FORBIDDEN"].contains(&answer.outcome.as_str());
            group.control(
                format!("{}: {caller} may call", route.name()),
                in_it,
                answer.outcome,
            );
        } else {
            let answer = world.call(route, &route.path, &bearer(mould.good())).await?;
            group.refused(
                format!("{}: {caller} calls", route.name()),
                &answer,
                &["403 FORBIDDEN"],
            );
        }
        // Signed by another service than the one it names.
        let posing = crate::forge::raw(
            world.forge.service_key(caller),
            &json!({ "alg": "EdDSA", "typ": "svc+jwt", "kid": "order" }).to_string(),
            &world.forge.service("order", route.callee).claims.to_string(),
        );
        if caller != "order" {
            let answer = world.call(route, &route.path, &bearer(posing)).await?;
            group.refused(format!("{}: {caller} poses as order", route.name()), &answer, BAD);
            let mixed = mould.with_claim("iss", json!("order"));
            let answer = world.call(route, &route.path, &bearer(mixed)).await?;
            group.refused(
                format!("{}: {caller} names order as issuer", route.name()),
                &answer,
                BAD,
            );
        }
        if caller != route.callee {
            let elsewhere = world.forge.service("order", caller).good();
            let answer = world.call(route, &route.path, &bearer(elsewhere)).await?;
            group.refused(
                format!("{}: order's token for {caller}, sent on", route.name()),
                &answer,
                BAD,
            );
        }
    }
    Ok(())
}

/// What is internal is nowhere else, and the internal listener has nothing else.
async fn nowhere(world: &World, group: &Group<'_>) -> Result<()> {
    let plan = world.stack.plan();
    for route in world.routes() {
        let ports = plan.ports_of(route.callee)?;
        let token = world.forge.service("order", route.callee).good();
        for (listener, port) in [
            ("graphql", ports.graphql),
            ("public", ports.public),
            ("ops", ports.ops),
        ] {
            let has_public = roster::find(route.callee).is_some_and(|callee| callee.public.is_some());
            if listener == "public" && !has_public {
                continue;
            }
            let mut request = world
                .http
                .request(
                    route.method.clone(),
                    format!("http://127.0.0.1:{port}{}", route.path),
                )
                .header("x-gateway-key", GATEWAY_KEY)
                .bearer_auth(&token);
            if let Some(body) = &route.body {
                request = request.json(body);
            }
            let answer = crate::answer::Answer::read(request.send().await?).await?;
            group.refused(
                format!("{} on its {listener} listener", route.name()),
                &answer,
                &["404", "404 NOT_FOUND"],
            );
        }
    }
    for service in SERVICES {
        let port = plan.ports_of(service)?.internal;
        let token = world.forge.service("order", service).good();
        for path in ["/graphql", "/metrics", "/graphql/ws", "/"] {
            let request = world
                .http
                .post(format!("http://127.0.0.1:{port}{path}"))
                .header("x-gateway-key", GATEWAY_KEY)
                .bearer_auth(&token)
                .json(&json!({ "query": "{ __typename }" }));
            let answer = crate::answer::Answer::read(request.send().await?).await?;
            group.refused(
                format!("{service}: {path} on the internal listener"),
                &answer,
                &["404", "404 NOT_FOUND"],
            );
        }
    }
    Ok(())
}

/// A token is sent again for half its life by design, so whoever records a request can send it again within a
/// minute. Every route is idempotent: nothing happens twice.
fn replay(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "internal REST: replay").await?;
        let order = &world.people.order;
        for (callee, method, path, body, wanted) in [
            ("inventory", "POST", format!("/reservations/{order}/confirm"), None, "200"),
            ("inventory", "DELETE", format!("/reservations/{order}"), None, "409 ALREADY_CONFIRMED"),
            ("payment", "POST", format!("/payments/{order}/void"), None, "200"),
            (
                "payment",
                "PUT",
                format!("/payments/{order}"),
                Some(json!({ "user_id": world.people.ada.id, "amount": { "amount_minor": 1250, "currency": "USD" }, "method": "pm_card_visa" })),
                "200",
            ),
            (
                "payment",
                "PUT",
                format!("/payments/{order}"),
                Some(json!({ "user_id": world.people.ada.id, "amount": { "amount_minor": 1, "currency": "USD" }, "method": "pm_card_visa" })),
                "422 BODY_MISMATCH",
            ),
        ] {
            let route = Route {
                callee,
                callers: &["order"],
                method: method.parse()?,
                path: path.clone(),
                harmless: path.clone(),
                body,
            };
            let token = world.forge.service("order", callee).good();
            for time in ["again", "and again"] {
                let headers = [("authorization", format!("Bearer {token}"))];
                let answer = world.call(&route, &path, &headers).await?;
                group.refused(format!("{callee} {method} {} {time}", path.replace(order.as_str(), "{id}")), &answer, &[wanted]);
            }
        }
        group.end().await
    })
}
