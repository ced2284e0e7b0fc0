//! Deliveries that were no events, on the broker.

use anyhow::Result;
use event_bus::{Bus, ParkedMessage};
use service_kit::{Host, Secret};

use crate::text::{one_line, section};

const SHOWN: usize = 100;
const BODY_CHARS: usize = 120;

/// The broker as an operator reaches it: nothing runs on it but what is asked for.
pub fn bus(url: &Secret, prefix: &str) -> Bus {
    Bus::connect_with(url, &Host::new("operator"), prefix)
}

/// How many messages are parked, per queue.
pub async fn counts(bus: &Bus, queues: &[String]) -> Result<String> {
    let mut rows = Vec::new();
    for queue in queues {
        let parked = match bus.count_parked(queue).await {
            Ok(count) => count.to_string(),
            Err(error) if error.is_missing() => "no such queue".to_owned(),
            Err(error) => return Err(error.into()),
        };
        rows.push(vec![queue.clone(), parked]);
    }
    Ok(section("Parked messages", &["queue", "parked"], &rows))
}

/// The parked messages of a queue, left where they are.
pub async fn show(bus: &Bus, queue: &str) -> Result<String> {
    let total = bus.count_parked(queue).await?;
    let parked = bus.list_parked(queue, SHOWN).await?;
    let rows: Vec<Vec<String>> = parked.iter().map(row).collect();
    Ok(section(
        &format!("Parked messages of {queue}: {total}"),
        &["id", "reason", "body"],
        &rows,
    ))
}

fn row(parked: &ParkedMessage) -> Vec<String> {
    vec![
        parked.message_id.clone().unwrap_or_else(|| "-".to_owned()),
        parked
            .reason
            .clone()
            .unwrap_or_else(|| "by the broker".to_owned()),
        one_line(&parked.body, BODY_CHARS),
    ]
}

/// Sends what is parked now to its queue again, each message once: what is still no event is parked anew.
pub async fn replay(bus: &Bus, queue: &str) -> Result<usize> {
    let now = bus.count_parked(queue).await?;
    Ok(bus.replay_parked(queue, usize::try_from(now)?).await?)
}
