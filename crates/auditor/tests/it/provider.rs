//! The books of the payment provider beside ours.

use auditor::Provider;

use crate::world::{World, run};

/// The world with a provider whose books agree: one charge kept, one refunded, one never taken.
async fn with_provider(charges: &str) -> (World, test_kit::TestServer) {
    let mut world = World::new().await;
    run(
        &world.payment,
        "UPDATE payment SET psp_ref = 'pi_' || right(order_id::text, 1) WHERE captured_at IS NOT NULL",
    )
    .await;
    let body = charges.to_owned();
    let answer = move |headers: axum::http::HeaderMap| {
        let known = headers
            .get("authorization")
            .is_some_and(|value| value == "Bearer sk_test");
        let body = if known { body.clone() } else { "no".to_owned() };
        async move { body }
    };
    let router = axum::Router::new().route("/_sandbox/charges", axum::routing::get(answer));
    let server = test_kit::TestServer::serve(router).await;
    world.expected.provider = Some(Provider {
        url: server.base.to_string().parse().unwrap(),
        api_key: "sk_test".to_owned(),
    });
    (world, server)
}

const CHARGES: &str = r#"[
    {"payment_intent": "pi_1", "order_id": "ord_1", "status": "succeeded", "currency": "eur", "captured_minor": 1000, "refunded_minor": 0, "refunds": 0},
    {"payment_intent": "pi_3", "order_id": "ord_3", "status": "succeeded", "currency": "eur", "captured_minor": 500, "refunded_minor": 500, "refunds": 1},
    {"payment_intent": "pi_9", "order_id": null, "status": "canceled", "currency": "eur", "captured_minor": 0, "refunded_minor": 0, "refunds": 0}]"#;

#[tokio::test]
async fn i16_the_provider_agrees() {
    let (world, _server) = with_provider(CHARGES).await;
    let report = world.audit().await;
    let finding = report.finding("I16").unwrap();
    assert_eq!((finding.holds, &finding.notes), (Some(true), &Vec::new()));
    let figures: Vec<_> = finding
        .figures
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    assert_eq!(
        figures,
        [("charges", 3), ("taken EUR", 1500), ("given back EUR", 500)]
    );
}

#[tokio::test]
async fn i16_books_that_differ() {
    for (from, to, text) in [
        (
            r#""captured_minor": 1000"#,
            r#""captured_minor": 999"#,
            "the provider took 999, our books say 1000",
        ),
        (
            r#""refunded_minor": 500"#,
            r#""refunded_minor": 0"#,
            "the provider gave back 0, our books say 500",
        ),
        (
            r#""currency": "eur", "captured_minor": 1000"#,
            r#""currency": "usd", "captured_minor": 1000"#,
            "took USD",
        ),
        (
            "pi_1",
            "pi_2",
            "1000 EUR captured as pi_1, which the provider doesn't know",
        ),
        (
            "pi_1",
            "pi_2",
            "took 1000 eur as pi_2, which our books don't know",
        ),
        (
            r#""pi_9", "order_id": null, "status": "canceled", "currency": "eur", "captured_minor": 0"#,
            r#""pi_9", "order_id": null, "status": "canceled", "currency": "eur", "captured_minor": 7"#,
            "took 7 eur as pi_9",
        ),
    ] {
        let (world, _server) = with_provider(&CHARGES.replacen(from, to, 1)).await;
        let report = world.audit().await;
        let finding = report.finding("I16").unwrap();
        assert_eq!(finding.holds, Some(false), "{text}");
        assert!(
            finding.notes.iter().any(|note| note.contains(text)),
            "{text}: {:?}",
            finding.notes
        );
    }
}

#[tokio::test]
async fn i16_beside_traffic_a_payment_has_its_time() {
    let (mut world, _server) =
        with_provider(&CHARGES.replacen("\"captured_minor\": 1000", "\"captured_minor\": 999", 1)).await;
    world.expected.grace_s = 60.0;
    assert_eq!(world.audit().await.finding("I16").unwrap().holds, Some(true));
}
