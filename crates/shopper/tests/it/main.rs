//! The shopper against a made-up graph: what it sends, and how it bears interruptions.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod fake;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clap::Parser;
use serde_json::json;
use shopper::console::Console;
use shopper::notices::{Notices, mails};
use shopper::progress::Channel;
use shopper::session::{Credentials, Session};
use shopper::target::Target;
use shopper::{import, replay};

use fake::Fake;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    target: Target,
}

fn target(fake: &Fake) -> Target {
    let arguments = [
        "shopper",
        "--graphql",
        &fake.graphql(),
        "--staff",
        &fake.graphql(),
        "--ws",
        &fake.ws(),
    ];
    let admin = [
        "--admin-email",
        "admin@shop.example",
        "--admin-password",
        "secret",
    ];
    Cli::parse_from(arguments.into_iter().chain(admin)).target
}

fn credentials() -> Credentials {
    Credentials {
        email: "a@b.example".to_owned(),
        password: "a good password".to_owned(),
        display_name: "A".to_owned(),
    }
}

fn file(ending: &str, lines: &[String]) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(ending).tempfile().unwrap();
    file.write_all(lines.join("\n").as_bytes()).unwrap();
    file
}

#[tokio::test]
async fn a_broken_connection_is_resumed_by_sequence() {
    let fake = Fake::start().await;
    fake.0.cut_after.store(2, Ordering::SeqCst);
    let target = target(&fake);
    let session = Session::join(&target.graph().unwrap(), credentials())
        .await
        .unwrap();
    let channel = Channel::new(target.ws.clone(), Arc::new(session));
    let mut feed = channel.follow("ord_1", 0);
    let mut seen = Vec::new();
    loop {
        let progress = feed.next().await.unwrap();
        seen.push(progress.event.sequence);
        if progress.is_end() {
            break;
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5], "each step once");
    assert_eq!(fake.0.subscribed_after.lock().unwrap().as_slice(), [0, 2, 4]);
    assert!(
        fake.0
            .bearers_seen
            .lock()
            .unwrap()
            .iter()
            .all(|bearer| bearer == "Bearer access-1")
    );
}

#[tokio::test]
async fn a_refused_subscription_is_told() {
    let fake = Fake::start().await;
    let target = target(&fake);
    let session = Session::join(&target.graph().unwrap(), credentials())
        .await
        .unwrap();
    let channel = Channel::new(target.ws.clone(), Arc::new(session));
    let refused = channel.follow("ord_of_another", 0).next().await.unwrap_err();
    assert!(refused.to_string().contains("FORBIDDEN"), "{refused}");
}

#[tokio::test]
async fn a_buyer_is_told_at_once_and_by_mail() {
    let fake = Fake::start().await;
    let target = target(&fake);
    let session = Session::join(&target.graph().unwrap(), credentials())
        .await
        .unwrap();
    let mut notices = Notices::open(target.ws.clone(), Arc::new(session)).await.unwrap();
    let notice = notices.next().await.unwrap();
    notices.close().await;
    assert_eq!(
        (notice.kind.as_str(), notice.order.unwrap().id),
        ("ORDER_PAID", "ord_1".to_owned())
    );
    let mails = mails(&target.graphql, "a+b@shop.example").await.unwrap();
    assert_eq!(
        (mails[0].subject.as_str(), mails[0].text.as_str()),
        ("Your order is paid", "Hello a+b@shop.example"),
        "the address came through as it is"
    );
}

#[tokio::test]
async fn an_import_names_bad_lines_and_goes_on_where_it_stopped() {
    let fake = Fake::start().await;
    let mut lines: Vec<String> = (1..=450)
        .map(|id| {
            json!({"product_id": id, "department": "GROCERY", "brand": "National", "category": "ICE", "type": "ICE",
                "size": null, "unit_price_usd": "1.00"})
            .to_string()
        })
        .collect();
    lines[9] = "not JSON".to_owned();
    let catalogue = file(".ndjson", &lines);
    let folder = tempfile::tempdir().unwrap();
    let args = import::ImportArgs {
        file: catalogue.path().to_owned(),
        stock: 7,
        from_line: 1,
        state: Some(folder.path().join("state")),
        in_flight: 2,
    };
    // The graph refuses product 250, cannot do the first attempt of anything, and breaks down at line 401.
    fake.0.refuse_slug.lock().unwrap().replace("cj-250".to_owned());
    fake.0.break_slug.lock().unwrap().replace("cj-420".to_owned());
    fake.0.unavailable_first.store(true, Ordering::SeqCst);
    let stopped = import::import(&target(&fake), &args, &Console::new())
        .await
        .unwrap_err();
    assert!(format!("{stopped:#}").contains("--from-line 401"), "{stopped:#}");
    assert_eq!(fake.0.products.lock().unwrap().len(), 398);

    fake.0.break_slug.lock().unwrap().take();
    let summary = import::import(&target(&fake), &args, &Console::new())
        .await
        .unwrap();
    assert_eq!((summary.created, summary.faults), (50, 0), "the rest only");
    assert_eq!(fake.0.products.lock().unwrap().len(), 448);
    assert_eq!(
        fake.0.stock.lock().unwrap().len(),
        448,
        "no stock of refused products"
    );
}

#[tokio::test]
async fn a_replay_buys_for_each_household() {
    let fake = Fake::start().await;
    let basket = |id: u64, household: u64, product: u64| {
        json!({"basket_id": id, "household_id": household, "at": "2017-01-01T11:53:26",
            "lines": [{"product_id": product, "quantity": 2}]})
        .to_string()
    };
    let baskets = file(
        ".ndjson",
        &[
            basket(1, 900, 5),
            basket(2, 900, 6),
            basket(3, 901, 5),
            basket(4, 901, 404),
        ],
    );
    let folder = tempfile::tempdir().unwrap();
    let args = replay::ReplayArgs {
        file: baskets.path().to_owned(),
        limit: None,
        concurrency: 3,
        rate: None,
        sign_ins: 2,
        run: Some("test".to_owned()),
        payment_method: "pm_card_visa".to_owned(),
        patience_s: 20,
        acknowledged: Some(folder.path().join("orders")),
    };
    let report = replay::replay(&target(&fake), &args, &Console::new())
        .await
        .unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.paid(), 3);
    assert!(report.to_string().contains("1 UNKNOWN_PRODUCT"), "{report}");
    let noted = std::fs::read_to_string(folder.path().join("orders")).unwrap();
    assert_eq!(noted, "ord_1\n".repeat(3));
    let mut keys = fake.0.order_keys.lock().unwrap().clone();
    keys.sort_unstable();
    assert_eq!(keys, ["test-1", "test-2", "test-3"]);
}
