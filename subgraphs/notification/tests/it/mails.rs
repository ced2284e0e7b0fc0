//! Sending: once if all goes well, again if it may, given up if it must, and never twice without the same Message-ID.

use std::time::Duration;

use contracts::UserId;
use contracts::order::OrderStep;
use mail_sandbox::Settings;
use notification::Forgotten;
use serde_json::json;

use crate::graph::{Graph, code};
use crate::stage::{ADDRESS, Stage, TRIES};

#[tokio::test]
async fn a_mail_says_what_happened_in_both_forms() {
    let stage = Stage::new().await;
    stage
        .known
        .add(stage.user, ADDRESS, "Zoë <script>\r\nBcc: eve@example.com");
    let order = contracts::OrderId::generate();
    stage.hear(stage.moved(order, OrderStep::Cancelled)).await;
    assert_eq!(stage.send().await, 1);
    let caught = stage.caught();
    assert_eq!(caught.len(), 1);
    let mail = &caught[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("shop@mercato.example", &[ADDRESS.to_owned()][..])
    );
    assert_eq!(mail.subject, "Your order was cancelled");
    for form in [&mail.text, &mail.html] {
        assert!(
            form.contains("We no longer have enough of what you ordered."),
            "{form}"
        );
        assert!(form.contains(&format!("https://shop.example/orders/{order}")));
    }
    assert!(mail.text.contains("Zoë") && !mail.html.contains("<script>"));
    let head = mail.raw.split("\r\n\r\n").next().unwrap();
    assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
    assert!(!head.lines().any(|line| line.starts_with("Bcc:")), "{head}");
    let id: String = sqlx::query_scalar("SELECT replace(id::text, '-', '') FROM mail")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    let message_id = mail.message_id.as_deref().unwrap();
    let (local, domain) = message_id.split_once('@').unwrap();
    let sent: contracts::MailId = local.parse().unwrap();
    assert_eq!(
        (sent.uuid().simple().to_string(), domain),
        (id, "mercato.example")
    );
    assert_eq!(stage.mail().await, ("SENT".to_owned(), 1, None));
    assert_eq!(stage.send().await, 0, "and that was it");
}

#[tokio::test]
async fn not_now_is_tried_again() {
    let stage = Stage::new().await;
    stage.paid().await;
    stage.sandbox.set(Settings {
        refuse_code: Some(450),
        refuse_times: Some(1),
        ..Settings::default()
    });
    assert_eq!(stage.send().await, 1);
    let (state, attempts, reason) = stage.mail().await;
    assert_eq!((state.as_str(), attempts), ("PENDING", 1));
    let reason = reason.unwrap();
    assert!(reason.contains("450") && !reason.contains(ADDRESS), "{reason}");
    stage.later().await;
    assert_eq!(stage.send().await, 1);
    assert_eq!(stage.mail().await, ("SENT".to_owned(), 2, None));
    assert_eq!(stage.caught().len(), 1);
}

#[tokio::test]
async fn the_next_try_waits_for_its_backoff() {
    let stage = Stage::new().await;
    stage.paid().await;
    stage.sandbox.set(Settings {
        refuse_code: Some(450),
        ..Settings::default()
    });
    stage.send().await;
    let wait: f64 = sqlx::query_scalar(
        "SELECT extract(epoch FROM next_try_at - now())::float8 FROM mail WHERE lease_until IS NULL",
    )
    .fetch_one(&stage.db.pool)
    .await
    .unwrap();
    assert!((-1.0..=10.0).contains(&wait), "{wait}");
}

#[tokio::test]
async fn no_is_no_and_every_try_has_an_end() {
    let stage = Stage::new().await;
    stage.paid().await;
    stage.sandbox.set(Settings {
        refuse_code: Some(550),
        ..Settings::default()
    });
    stage.send().await;
    let (state, attempts, reason) = stage.mail().await;
    assert_eq!((state.as_str(), attempts), ("DEAD", 1));
    let reason = reason.unwrap();
    assert!(reason.contains("550") && !reason.contains(ADDRESS), "{reason}");
    stage.later().await;
    assert_eq!(stage.send().await, 0);

    let stage = Stage::new().await;
    stage.paid().await;
    stage.sandbox.set(Settings {
        refuse_code: Some(451),
        ..Settings::default()
    });
    for _ in 0..TRIES {
        assert_eq!(stage.send().await, 1);
        stage.later().await;
    }
    let (state, _, reason) = stage.mail().await;
    assert_eq!((state.as_str(), stage.send().await), ("DEAD", 0));
    assert!(reason.unwrap().starts_with("given up after 3 tries"));
}

#[tokio::test]
async fn who_is_away_uses_up_no_tries() {
    let stage = Stage::new().await;
    stage.paid().await;
    for round in 0..=TRIES + 2 {
        // Auth is away, then the mail server.
        stage.known.be_away(round % 2 == 0);
        stage.sandbox.set(Settings {
            closed: round % 2 == 1,
            ..Settings::default()
        });
        assert_eq!(stage.send().await, 1, "round {round}");
        let (state, attempts, _) = stage.mail().await;
        assert_eq!((state.as_str(), attempts), ("PENDING", 0), "round {round}");
        stage.later().await;
    }
    stage.known.be_away(false);
    stage.sandbox.set(Settings::default());
    // A breaker that has opened towards auth closes again by itself.
    for _ in 0..100 {
        stage.send().await;
        if !stage.caught().is_empty() {
            break;
        }
        stage.later().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(stage.mail().await, ("SENT".to_owned(), 1, None));
}

#[tokio::test]
async fn whoever_died_holding_a_mail_is_followed_by_another() {
    let stage = Stage::new().await;
    stage.paid().await;
    // A process claims it and dies.
    sqlx::query("UPDATE mail SET claims = 1, attempts = 1, lease_until = now() + interval '1 minute'")
        .execute(&stage.db.pool)
        .await
        .unwrap();
    let other = stage.replica();
    assert_eq!(other.send_mails().await.unwrap(), 0, "the lease holds");
    stage.later().await;
    assert_eq!(other.send_mails().await.unwrap(), 1);
    assert_eq!(stage.mail().await, ("SENT".to_owned(), 2, None));
    assert_eq!(stage.caught().len(), 1);
}

/// What SMTP can't promise: the server has the mail, and we don't know. The receiver knows both by their Message-ID.
#[tokio::test]
async fn a_lost_answer_sends_twice_under_one_message_id() {
    let stage = Stage::new().await;
    stage.paid().await;
    stage.sandbox.set(Settings {
        lose_answers: 1,
        ..Settings::default()
    });
    stage.send().await;
    assert_eq!(stage.mail().await.0, "PENDING");
    stage.later().await;
    stage.send().await;
    assert_eq!(stage.mail().await.0, "SENT");
    // The same when we die after the server's word and before our commit.
    sqlx::query(
        "UPDATE mail SET state = 'PENDING', ended_at = NULL, lease_until = now() - interval '1 second'",
    )
    .execute(&stage.db.pool)
    .await
    .unwrap();
    stage.later().await;
    stage.send().await;
    let ids: Vec<_> = stage
        .caught()
        .into_iter()
        .map(|mail| mail.message_id.unwrap())
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn two_replicas_share_the_work() {
    let stage = Stage::new().await;
    for _ in 0..20 {
        stage.paid().await;
    }
    let other = stage.replica();
    for _ in 0..20 {
        let (one, two) = tokio::join!(stage.app.send_mails(), other.send_mails());
        if one.unwrap() + two.unwrap() == 0 {
            break;
        }
    }
    let mut ids: Vec<_> = stage.caught().into_iter().map(|mail| mail.message_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((stage.caught().len(), ids.len()), (20, 20));
}

#[tokio::test]
async fn whoever_auth_does_not_know_gets_none() {
    let stage = Stage::new().await;
    stage.paid().await;
    stage.known.forget(stage.user);
    stage.send().await;
    let (state, _, reason) = stage.mail().await;
    assert_eq!(
        (state.as_str(), reason.as_deref()),
        ("DEAD", Some("auth knows no such user"))
    );
}

#[tokio::test]
async fn staff_see_dead_mails_and_an_administrator_tries_one_again() {
    const DEAD: &str =
        "{ deadNotificationMails { nodes { id kind state attempts lastError user { id } order { id } } } }";
    const RETRY: &str =
        "mutation($input: RetryNotificationMailInput!) { retryNotificationMail(input: $input) {
        mail { id state attempts } userErrors { code field } } }";
    let stage = Stage::new().await;
    let graph = Graph::new(&stage);
    let order = stage.paid().await;
    stage.sandbox.set(Settings {
        refuse_code: Some(550),
        ..Settings::default()
    });
    stage.send().await;
    let seen = graph.ask(&graph.staff, DEAD, json!({})).await;
    let mail = &seen["data"]["deadNotificationMails"]["nodes"][0];
    assert_eq!(
        (&mail["state"], &mail["kind"], &mail["attempts"]),
        (&json!("DEAD"), &json!("ORDER_PAID"), &json!(1)),
        "{seen}"
    );
    assert_eq!(
        (&mail["user"]["id"], &mail["order"]["id"]),
        (&json!(stage.user.to_string()), &json!(order.to_string()))
    );
    assert!(!seen.to_string().contains(ADDRESS), "{seen}");
    let input = json!({ "input": { "mailId": mail["id"] } });
    for (token, refusal) in [(&graph.own, "FORBIDDEN"), (&graph.staff, "FORBIDDEN")] {
        let answer = graph.ask(token, RETRY, input.clone()).await;
        assert_eq!(code(&answer), refusal);
    }
    assert_eq!(code(&graph.ask(&graph.own, DEAD, json!({})).await), "FORBIDDEN");
    stage.sandbox.set(Settings::default());
    let answer = graph.ask(&graph.admin, RETRY, input.clone()).await;
    let payload = &answer["data"]["retryNotificationMail"];
    assert_eq!(
        (&payload["mail"]["state"], &payload["mail"]["attempts"]),
        (&json!("PENDING"), &json!(0)),
        "{answer}"
    );
    let again = graph.ask(&graph.admin, RETRY, input).await;
    assert_eq!(
        again["data"]["retryNotificationMail"]["userErrors"][0]["code"],
        "INVALID_STATE"
    );
    let unknown = json!({ "input": { "mailId": contracts::MailId::generate().to_string() } });
    let unknown = graph.ask(&graph.admin, RETRY, unknown).await;
    assert_eq!(
        unknown["data"]["retryNotificationMail"]["userErrors"],
        json!([{ "code": "NOT_FOUND", "field": ["input", "mailId"] }])
    );
    stage.send().await;
    assert_eq!((stage.mail().await.0.as_str(), stage.caught().len()), ("SENT", 1));
    let seen = graph.ask(&graph.staff, DEAD, json!({})).await;
    assert_eq!(seen["data"]["deadNotificationMails"]["nodes"], json!([]));
}

#[tokio::test]
async fn one_refused_recipient_holds_up_nobody() {
    let stage = Stage::new().await;
    let other = UserId::generate();
    stage.known.add(other, "bob@example.com", "Bob");
    stage.paid().await;
    let mut bobs = stage.moved(contracts::OrderId::generate(), OrderStep::Paid);
    bobs.user_id = other;
    stage.hear(bobs).await;
    stage.sandbox.set(Settings {
        refuse_code: Some(550),
        refuse_to: Some("ada@".to_owned()),
        ..Settings::default()
    });
    assert_eq!(stage.send().await, 2);
    let to: Vec<_> = stage.caught().into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(to, ["bob@example.com"]);
}

#[tokio::test]
async fn what_is_old_is_forgotten_but_for_mails_given_up() {
    let stage = Stage::new().await;
    for _ in 0..3 {
        stage.paid().await;
    }
    while stage.send().await > 0 {}
    let count = async |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        let sql = sqlx::AssertSqlSafe(sql);
        sqlx::query_scalar(sql).fetch_one(&stage.db.pool).await.unwrap()
    };
    let (told, sent) = (count("notification").await, count("mail").await);
    assert_eq!(
        stage.app.forget().await.unwrap(),
        Forgotten::default(),
        "all is new"
    );
    // As if half of it had been written when time began, and one of its mails had been given up.
    for (table, rest) in [("notification", ""), ("mail", ""), ("mail", ", state = 'DEAD'")] {
        let sql = format!(
            "UPDATE {table} SET id = overlay(id::text PLACING '00000000-0000' FROM 1 FOR 13)::uuid{rest}
             WHERE id = (SELECT id FROM {table} WHERE id::text NOT LIKE '00000000-%' ORDER BY id LIMIT 1)"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&stage.db.pool)
            .await
            .unwrap();
    }
    let gone = stage.app.forget().await.unwrap();
    assert_eq!((gone.notifications, gone.mails), (1, 1));
    assert_eq!(
        (count("notification").await, count("mail").await),
        (told - 1, sent - 1)
    );
    assert_eq!(
        count("mail WHERE state = 'DEAD'").await,
        1,
        "somebody is to look at it"
    );
}
