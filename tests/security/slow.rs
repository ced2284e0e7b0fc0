//! A reader of the WebSocket that does not read: it is cut off, costs next to no memory, and nobody else waits.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::SinkExt;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::Case;
use crate::doors::{Socket, hear};
use crate::ledger::Group;
use crate::timing::memory;
use crate::websocket::{PROGRESS, init, subscribe};
use crate::world::World;

pub(crate) const CASES: &[Case] = &[("websocket: who does not read", slow_readers)];

/// What the kernel keeps for a reader, so that little is enough to fill it.
const RECEIVE_BYTES: u32 = 4 * 1024;
/// What it would take to fill the kernel's own store many times over.
const MOST_MESSAGES: usize = 400_000;
/// The server waits ten seconds for one message.
const CUT_WITHIN: Duration = Duration::from_secs(20);
const MAY_GROW_KIB: u64 = 32 * 1024;
const READERS: usize = 4;

impl World {
    /// An initialised socket whose system keeps next to nothing for it.
    async fn enter_narrow(&self, token: &str) -> Result<Socket> {
        let mut request = self.stack.plan().websocket_url("order").into_client_request()?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let place = request
            .uri()
            .authority()
            .context("no address")?
            .as_str()
            .parse()?;
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(RECEIVE_BYTES)?;
        let stream = MaybeTlsStream::Plain(socket.connect(place).await?);
        let mut socket = tokio_tungstenite::client_async(request, stream).await?.0;
        socket.send(init(token)).await?;
        ensure!(hear(&mut socket).await?.outcome == "connection_ack", "not let in");
        Ok(socket)
    }

    /// Asks and asks without reading: how much was asked until the server took no more, and whether it then hung up.
    async fn ask_without_reading(&self, mut socket: Socket) -> Result<(usize, bool)> {
        let id = "x".repeat(100);
        let variables = json!({ "id": self.people.order });
        for sent in 0..MOST_MESSAGES {
            let ask = subscribe(&format!("{id}{sent}"), PROGRESS, &variables);
            match timeout(Duration::from_secs(2), socket.send(ask)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Ok((sent, true)),
                Err(_) => {
                    let end = async { while socket.send(Message::Ping(Vec::new().into())).await.is_ok() {} };
                    return Ok((sent, timeout(CUT_WITHIN, end).await.is_ok()));
                }
            }
        }
        Ok((MOST_MESSAGES, false))
    }
}

fn slow_readers(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "websocket: slow readers").await?;
        let (ada, support) = (&world.people.ada.token, &world.people.support.token);
        let (before, _) = memory(world, "order")?;
        let mut readers = Vec::new();
        for _ in 0..READERS {
            readers.push(world.enter_narrow(ada).await?);
        }
        let flood = futures::future::join_all(
            readers
                .into_iter()
                .map(|socket| world.ask_without_reading(socket)),
        );
        // Meanwhile somebody else is served, and the memory is looked at.
        let others = async {
            let (mut slowest, mut most) = (Duration::ZERO, before);
            for _ in 0..20 {
                let begun = Instant::now();
                let mut socket = world.enter_narrow(support).await?;
                socket
                    .send(subscribe("1", PROGRESS, &json!({ "id": world.people.order })))
                    .await?;
                let answer = hear(&mut socket).await?;
                ensure!(answer.outcome == "next", "{}", answer.outcome);
                slowest = slowest.max(begun.elapsed());
                most = most.max(memory(world, "order")?.0);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            anyhow::Ok((slowest, most))
        };
        let (outcomes, others) = tokio::join!(flood, others);
        for outcome in outcomes {
            let (asked, cut) = outcome?;
            group.judged(
                "somebody who asks and does not read is stopped and cut off",
                cut && asked < MOST_MESSAGES,
                format!("after {asked} questions"),
            );
        }
        let (slowest, most) = others?;
        group.judged(
            "what is written for them takes no memory",
            most < before + MAY_GROW_KIB,
            format!("{} MiB before, {} MiB at most", before / 1024, most / 1024),
        );
        group.control(
            "others are served meanwhile",
            slowest < Duration::from_secs(3),
            format!("the slowest waited {} ms", slowest.as_millis()),
        );
        pauses(world, &group).await?;
        group.end().await
    })
}

/// Who only pauses, and reads on in time, has missed nothing.
async fn pauses(world: &World, group: &Group<'_>) -> Result<()> {
    let mut socket = world.enter_narrow(&world.people.ada.token).await?;
    for id in 0..8 {
        let ask = subscribe(&id.to_string(), PROGRESS, &json!({ "id": world.people.order }));
        socket.send(ask).await?;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (mut ends, mut last) = (0, String::new());
    while ends < 8 {
        let answer = timeout(CUT_WITHIN, hear(&mut socket))
            .await
            .context("the rest")??;
        match answer.outcome.as_str() {
            "next" => {}
            "complete" => ends += 1,
            other => {
                other.clone_into(&mut last);
                break;
            }
        }
    }
    group.control(
        "who pauses hears all of it to its end",
        ends == 8,
        format!("{ends} ends {last}"),
    );
    Ok(())
}
