//! Who comes too often, and who comes when too many are inside.

use axum::http::{StatusCode, header};
use contracts::UserId;
use service_auth::Role;
use tower::ServiceExt;

use crate::http::{GRAPHQL, JSON, edge_with, post, query, with};

#[tokio::test]
async fn whoever_asks_too_often_is_told_when_to_come_back() {
    let redis = test_kit::redis().await;
    let limits = graphql_kit::RateLimits::try_new(
        &redis.url.as_str().into(),
        &redis.prefix,
        "query=4/2".parse().unwrap(),
        service_kit::Clock::system(),
    );
    let edge = edge_with(true, |config| config.limited(limits.unwrap()));
    let token = format!(
        "Bearer {}",
        edge.identity.user_token(UserId::generate(), &[Role::Customer])
    );
    let ask = || with(query("{ __typename }"), header::AUTHORIZATION, &token);
    assert_eq!((edge.status(ask()).await, edge.status(ask()).await), (200, 200));
    let response = edge.router.clone().oneshot(ask()).await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = response.headers()[header::RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=15).contains(&wait), "{wait}");
    let (status, _, body) = edge.ask(with(ask(), header::ACCEPT, JSON)).await;
    let extensions = &body["errors"][0]["extensions"];
    assert_eq!(status, 200, "as application/json demands");
    assert_eq!(extensions["code"], "RATE_LIMITED");
    assert!(
        extensions["retryAfterSeconds"]
            .as_u64()
            .is_some_and(|told| told <= wait)
    );
    assert_eq!(
        edge.status(query("{ __typename }")).await,
        200,
        "who can't be told from others is not counted"
    );
    let mutation = with(query("mutation { __typename }"), header::AUTHORIZATION, &token);
    assert_eq!(edge.status(mutation).await, 200, "a class without a limit");
}

#[tokio::test]
async fn a_process_that_fell_behind_refuses_at_the_door_until_it_has_caught_up() {
    let admission = service_kit::Admission::default();
    let edge = edge_with(true, |config| config.shedding(admission.clone()));
    let ask = || query("{ __typename }");
    assert_eq!(edge.status(ask()).await, 200);
    admission.set_behind(true);
    // Unread: what it costs to read and to verify is what there is no time for.
    let unread = with(post("no JSON"), header::AUTHORIZATION, "Bearer nonsense");
    for request in [ask(), unread] {
        let (status, media, body) = edge.ask(request).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(media.starts_with(GRAPHQL), "{media}");
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{body}");
    }
    let (status, _, body) = edge.ask(with(ask(), header::ACCEPT, JSON)).await;
    assert_eq!(status, 200, "as application/json demands");
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    admission.set_behind(false);
    assert_eq!(edge.status(ask()).await, 200);
}
