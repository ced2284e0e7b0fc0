//! From events to sums, whatever order they come in and how often.

use contracts::order::CancelReason;
use contracts::{ProductId, UserId};

use crate::life::{Life, at, line, renamed};
use crate::stage::Stage;

fn lives() -> Vec<Life> {
    let (user, one, other) = (UserId::generate(), ProductId::generate(), ProductId::generate());
    let start = at("2026-11-27T05:10:00Z");
    let day = |number: i64| start + chrono::TimeDelta::days(number);
    vec![
        Life::placed(
            user,
            day(0),
            vec![line(one, None, 500, 2), line(other, None, 100, 1)],
            50,
        )
        .paid(60)
        .refunded(7_200, 3, 200)
        .refunded(7_300, 4, 100),
        Life::placed(user, day(1), vec![line(one, None, 500, 1)], 0).paid(90),
        Life::placed(UserId::generate(), day(1), vec![line(one, None, 500, 1)], 0).paid(40_000),
        Life::placed(user, day(2), vec![line(other, None, 100, 9)], 0).cancelled(5, CancelReason::OutOfStock),
        Life::placed(user, day(3), vec![line(other, None, 100, 9)], 0),
    ]
}

#[tokio::test]
async fn any_order_with_repeats_comes_to_the_same() {
    let lives = lives();
    let (in_order, backwards) = (Stage::new().await, Stage::new().await);
    in_order.hear_all(&lives).await;
    let mut events: Vec<_> = lives.iter().flat_map(|life| life.events.clone()).collect();
    events.reverse();
    for event in &events {
        backwards.hear(std::slice::from_ref(event)).await;
        // The same again, and the same under another event's id.
        backwards.hear(&[event.clone(), renamed(event)]).await;
    }
    assert_eq!(backwards.sums().await, in_order.sums().await);
    assert_eq!(
        backwards.inbox("PENDING").await + backwards.inbox("DEAD").await,
        0
    );
    let facts: i64 = sqlx::query_scalar("SELECT count(*) FROM fact")
        .fetch_one(&backwards.db.pool)
        .await
        .unwrap();
    assert_eq!(usize::try_from(facts).unwrap(), events.len(), "each once");
}

#[tokio::test]
async fn who_is_new_does_not_depend_on_who_is_heard_first() {
    let stage = Stage::new().await;
    let mut lives = lives();
    lives.reverse();
    stage.hear_all(&lives).await;
    let days: Vec<(i64, i64)> = sqlx::query_as("SELECT first_time, again FROM customer_day ORDER BY day")
        .fetch_all(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(days, [(1, 0), (1, 1)]);
}

#[tokio::test]
async fn data_of_another_shape_is_dead_and_holds_up_nobody() {
    let stage = Stage::new().await;
    let lives = lives();
    let mut broken = lives[0].events[0].clone();
    broken["data"]["lines"] = "none".into();
    stage.hear(&[broken, lives[1].events[0].clone()]).await;
    assert_eq!((stage.inbox("DEAD").await, stage.inbox("DONE").await), (1, 1));
}

/// Two processes apply the same orders at once: none waits for the other in vain, and nothing counts twice.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_side_by_side_count_once() {
    let (alone, stage) = (Stage::new().await, Stage::new().await);
    let lives: Vec<_> = (0..20).flat_map(|_| lives()).collect();
    alone.hear_all(&lives).await;
    for life in &lives {
        stage.store(&life.events).await;
        let copies: Vec<_> = life.events.iter().map(renamed).collect();
        stage.store(&copies).await;
    }
    tokio::join!(stage.step(), stage.step(), stage.step());
    stage.step().await;
    assert_eq!(
        stage.inbox("DONE").await,
        i64::try_from(2 * lives.iter().map(|life| life.events.len()).sum::<usize>()).unwrap()
    );
    assert_eq!(stage.sums().await, alone.sums().await);
    let tried: i32 = sqlx::query_scalar("SELECT max(attempts) FROM inbox")
        .fetch_one(&stage.db.pool)
        .await
        .unwrap();
    assert_eq!(tried, 1, "no deadlock");
}
