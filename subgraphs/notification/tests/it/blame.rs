//! Which statement an operator is shown when one fails: behind each door, and of each worker.

use contracts::OrderId;
use contracts::order::OrderStep;
use serde_json::json;
use service_kit::metrics;
use service_kit::statements::Statements;
use tracing_subscriber::layer::SubscriberExt;

use crate::graph::{Graph, code};
use crate::stage::Stage;

fn counted(statement: &str) -> u64 {
    metrics::counter("sql_statement_errors_total", "", &["statement", "kind"])
        .with_label_values(&[statement, "schema"])
        .get()
}

#[tokio::test]
async fn a_statement_that_fails_is_counted_wherever_it_was_asked_for() {
    test_kit::watch_statements();
    let _listening = tracing::subscriber::set_default(tracing_subscriber::registry().with(Statements::new()));
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    stage.paid().await;
    for sql in [
        "ALTER TABLE mail RENAME TO mail_gone",
        "ALTER TABLE notification RENAME TO notification_gone",
    ] {
        sqlx::query(sql).execute(&stage.db.pool).await.unwrap();
    }

    // A worker's turn.
    assert!(stage.app.send_mails().await.is_err());
    assert_eq!(counted("UPDATE mail"), 1);

    // A resolver, and a change, which runs in a task of its own.
    let dead = "{ deadNotificationMails { nodes { id } } }";
    assert_eq!(code(&graph.ask(&graph.staff, dead, json!({})).await), "INTERNAL");
    assert_eq!(counted("SELECT mail"), 1);
    let mark = "mutation { markNotificationsRead(input: {}) { markedCount } }";
    assert_eq!(code(&graph.ask(&graph.own, mark, json!({})).await), "INTERNAL");
    assert_eq!(counted("UPDATE notification"), 1);

    // An event's handler.
    stage
        .hear(stage.moved(OrderId::generate(), OrderStep::Paid))
        .await;
    assert!(counted("INSERT notification") > 0);
}
