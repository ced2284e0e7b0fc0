//! The broker: with its account a service does nothing with what is another's, with what is its own no more than its
//! work takes, and nobody gets in without one.

use std::time::Duration;

use anyhow::{Context, Result};
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeBindOptions,
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
    QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ErrorKind, ExchangeKind};
use roster::{ON_BROKER as SERVICES, QUEUES};

use crate::Case;
use crate::ledger::Group;
use crate::world::World;

pub(crate) const CASES: &[Case] = &[
    ("broker: an account at another service's queues", accounts),
    ("broker: an account at its own things", own_things),
    ("broker: who gets in", entrance),
];

const PATIENCE: Duration = Duration::from_secs(10);
const REFUSED: &str = "403 ACCESS_REFUSED";

/// What a service that was taken over would try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Try {
    Publish,
    Chain,
    Hear,
    DeclareExchange,
    DeleteExchange,
    Listen,
    Consume,
    Get,
    Purge,
    DeleteQueue,
    DeclareQueue,
    BindQueue,
}

impl Try {
    const WITH_EXCHANGE: [Self; 6] = [
        Self::Publish,
        Self::Chain,
        Self::Hear,
        Self::DeclareExchange,
        Self::DeleteExchange,
        Self::Listen,
    ];
    const WITH_QUEUE: [Self; 6] = [
        Self::Consume,
        Self::Get,
        Self::Purge,
        Self::DeleteQueue,
        Self::DeclareQueue,
        Self::BindQueue,
    ];

    /// Does it to `name`; `own` is an exchange of whoever tries.
    async fn perform(self, channel: &Channel, own: &str, name: &str) -> lapin::Result<()> {
        let none = FieldTable::default();
        match self {
            Self::Publish => publish(channel, name, "payment.succeeded").await,
            Self::Chain => {
                let options = ExchangeBindOptions::default();
                channel
                    .exchange_bind(name.into(), own.into(), "#".into(), options, none)
                    .await
            }
            Self::Hear => {
                let options = ExchangeBindOptions::default();
                channel
                    .exchange_bind(own.into(), name.into(), "#".into(), options, none)
                    .await
            }
            Self::DeclareExchange => {
                let options = ExchangeDeclareOptions::default();
                channel
                    .exchange_declare(name.into(), ExchangeKind::Topic, options, none)
                    .await
            }
            Self::DeleteExchange => {
                channel
                    .exchange_delete(name.into(), ExchangeDeleteOptions::default())
                    .await
            }
            Self::Listen => {
                let options = QueueDeclareOptions {
                    exclusive: true,
                    auto_delete: true,
                    ..Default::default()
                };
                // Named by the broker, as a subscriber's queue is.
                let declared = channel.queue_declare("".into(), options, none.clone()).await?;
                let options = QueueBindOptions::default();
                channel
                    .queue_bind(declared.name().clone(), name.into(), "#".into(), options, none)
                    .await
            }
            Self::Consume => {
                let options = BasicConsumeOptions::default();
                channel
                    .basic_consume(name.into(), "nosy".into(), options, none)
                    .await
                    .map(drop)
            }
            Self::Get => channel
                .basic_get(name.into(), BasicGetOptions::default())
                .await
                .map(drop),
            Self::Purge => channel
                .queue_purge(name.into(), QueuePurgeOptions::default())
                .await
                .map(drop),
            Self::DeleteQueue => channel
                .queue_delete(name.into(), QueueDeleteOptions::default())
                .await
                .map(drop),
            Self::DeclareQueue => channel
                .queue_declare(name.into(), QueueDeclareOptions::default(), none)
                .await
                .map(drop),
            Self::BindQueue => {
                let options = QueueBindOptions::default();
                channel
                    .queue_bind(name.into(), own.into(), "#".into(), options, none)
                    .await
            }
        }
    }
}

/// Done when the broker says so.
async fn publish(channel: &Channel, exchange: &str, key: &str) -> lapin::Result<()> {
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let options = BasicPublishOptions::default();
    let properties = BasicProperties::default();
    let body = b"{\"forged\": true}";
    let published = channel.basic_publish(exchange.into(), key.into(), options, body, properties);
    published.await?.await.map(drop)
}

fn word(outcome: lapin::Result<()>) -> String {
    match outcome {
        Ok(()) => "done".to_owned(),
        Err(error) => match error.kind() {
            ErrorKind::ProtocolError(said) => {
                let text = said.get_message().to_string();
                let name = text.split(' ').next().unwrap_or_default();
                format!("{} {name}", said.get_id())
            }
            other => format!("{other:?}"),
        },
    }
}

/// A connection with nothing special.
async fn connect(url: &str) -> lapin::Result<Connection> {
    Connection::connect(url, ConnectionProperties::default()).await
}

/// How many messages are in each queue that exists; a deleted queue is missing.
async fn depths(world: &World) -> Result<Vec<(String, Option<u32>)>> {
    let connection = connect(&world.stack.plan().stores.amqp).await?;
    let mut depths = Vec::new();
    for queue in QUEUES
        .iter()
        .flat_map(|queue| [(*queue).to_owned(), format!("{queue}.parked")])
    {
        // A queue that is not there closes the channel.
        let channel = connection.create_channel().await?;
        let options = QueueDeclareOptions {
            passive: true,
            ..Default::default()
        };
        let found = channel.queue_declare(queue.as_str().into(), options, FieldTable::default());
        let depth = found.await.ok().map(|queue| queue.message_count());
        depths.push((queue, depth));
    }
    Ok(depths)
}

/// The exchanges of others that a service listens to.
fn heard(service: &str) -> Vec<String> {
    let consumes = roster::find(service)
        .into_iter()
        .flat_map(|service| &service.events.consumes);
    consumes.map(|heard| format!("{}.events", heard.from)).collect()
}

/// Whether it only listens, and tells nobody anything.
fn only_listens(service: &str) -> bool {
    roster::find(service).is_some_and(|service| !service.is_publisher())
}

/// To listen to those, and to nothing else. Who has no subscribers listens with its own queue alone.
fn is_its_work(service: &str, attempt: Try, name: &str) -> bool {
    let listens = attempt == Try::Hear || (attempt == Try::Listen && !only_listens(service));
    listens && heard(service).iter().any(|heard| heard == name)
}

/// An exchange of the service's own: who only listens has the one that its dead messages take.
fn own_exchange(service: &str) -> (String, ExchangeKind) {
    if only_listens(service) {
        (format!("{service}.order-events.dlx"), ExchangeKind::Fanout)
    } else {
        (format!("{service}.events"), ExchangeKind::Topic)
    }
}

/// Its work, done once more, leaves nothing behind: it tells what nobody hears, or has its queue bound again.
async fn work(channel: &Channel, service: &str) -> lapin::Result<()> {
    if !only_listens(service) {
        return publish(channel, &format!("{service}.events"), "nobody.listens").await;
    }
    let queue = format!("{service}.order-events");
    let (options, none) = (QueueBindOptions::default(), FieldTable::default());
    channel
        .queue_bind(
            queue.as_str().into(),
            "order.events".into(),
            "order.created.v1".into(),
            options,
            none,
        )
        .await
}

/// Everything of a service there is to try, and what is nobody's.
fn attempts(owner: &str) -> Vec<(Try, String)> {
    let mut all = Vec::new();
    let queues: Vec<&str> = QUEUES
        .into_iter()
        .filter(|queue| queue.starts_with(&format!("{owner}.")))
        .collect();
    let exchanges =
        std::iter::once(format!("{owner}.events")).chain(queues.iter().map(|queue| format!("{queue}.dlx")));
    for exchange in exchanges {
        all.extend(Try::WITH_EXCHANGE.map(|attempt| (attempt, exchange.clone())));
    }
    let names = queues
        .iter()
        .flat_map(|queue| [(*queue).to_owned(), format!("{queue}.parked")])
        .chain([format!("{owner}.new")]);
    for queue in names {
        all.extend(Try::WITH_QUEUE.map(|attempt| (attempt, queue.clone())));
    }
    all
}

fn accounts(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "broker: accounts").await?;
        let before = depths(world).await?;
        let known = before.iter().filter(|(_, depth)| depth.is_some()).count();
        group.control("there are queues", known > 0, format!("{known} queues"));
        let accounts: Vec<_> = world.stack.plan().stores.accounts.into_keys().collect();
        let all =
            accounts.len() == SERVICES.len() && accounts.iter().all(|name| SERVICES.contains(&name.as_str()));
        group.control("every account is tried", all, accounts.join(" "));
        for service in SERVICES {
            let account = &world.stack.plan().stores.accounts[service];
            let connection = connect(account).await?;
            let (own, _) = own_exchange(service);
            for owner in SERVICES.into_iter().filter(|owner| *owner != service) {
                for (attempt, name) in attempts(owner) {
                    if is_its_work(service, attempt, &name) {
                        continue;
                    }
                    let channel = connection.create_channel().await?;
                    let outcome =
                        tokio::time::timeout(PATIENCE, attempt.perform(&channel, &own, &name)).await;
                    let outcome = outcome.map_or_else(|_| "no answer".to_owned(), word);
                    group.judged(
                        format!("{service}: {attempt:?} {name}"),
                        outcome == REFUSED,
                        outcome,
                    );
                }
            }
            for queue in QUEUES {
                // By the default exchange one writes into any queue.
                let channel = connection.create_channel().await?;
                let outcome = tokio::time::timeout(PATIENCE, publish(&channel, "", queue)).await;
                let outcome = outcome.map_or_else(|_| "no answer".to_owned(), word);
                group.judged(format!("{service}: into {queue}"), outcome == REFUSED, outcome);
            }
            for exchange in ["amq.topic", "amq.fanout", "amq.direct"] {
                let channel = connection.create_channel().await?;
                let outcome = word(publish(&channel, exchange, "payment.succeeded").await);
                group.judged(format!("{service}: by {exchange}"), outcome == REFUSED, outcome);
            }
            let channel = connection.create_channel().await?;
            let outcome = word(work(&channel, service).await);
            group.control(format!("{service}: its own work"), outcome == "done", outcome);
        }
        let after = depths(world).await?;
        group.judged(
            "every queue is there and holds what it held",
            before == after,
            format!("{after:?}"),
        );
        group.end().await
    })
}

/// What an account may not do though the name is its own: work never takes it.
fn beyond_its_work(service: &str) -> Vec<(Try, String)> {
    let own = format!("{service}.events");
    let new = [Try::DeclareExchange, Try::DeclareQueue, Try::BindQueue];
    let mut all = new.map(|attempt| (attempt, format!("{service}.new"))).to_vec();
    if only_listens(service) {
        // Nobody waits for its word.
        let tells = [Try::DeclareExchange, Try::Publish, Try::Listen];
        all.extend(tells.map(|attempt| (attempt, own.clone())));
    }
    if heard(service).is_empty() {
        // Who only publishes hears nothing and has no queue.
        all.extend([Try::Listen, Try::Chain].map(|attempt| (attempt, own.clone())));
    } else {
        // Parked messages are an operator's.
        let parked = QUEUES.map(|queue| format!("{queue}.parked"));
        all.extend(
            parked.into_iter().flat_map(|queue| {
                [Try::Consume, Try::Get, Try::Purge].map(|attempt| (attempt, queue.clone()))
            }),
        );
    }
    all
}

fn own_things(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "broker: own things").await?;
        for service in SERVICES {
            let connection = connect(&world.stack.plan().stores.accounts[service]).await?;
            let (own, kind) = own_exchange(service);
            for (attempt, name) in beyond_its_work(service) {
                let channel = connection.create_channel().await?;
                let outcome = tokio::time::timeout(PATIENCE, attempt.perform(&channel, &own, &name)).await;
                let outcome = outcome.map_or_else(|_| "no answer".to_owned(), word);
                group.judged(
                    format!("{service}: {attempt:?} {name}"),
                    outcome == REFUSED,
                    outcome,
                );
            }
            // The exchange is there, as the definitions have it, and its owner may declare it again.
            let channel = connection.create_channel().await?;
            let options = ExchangeDeclareOptions {
                durable: true,
                ..Default::default()
            };
            let declared =
                channel.exchange_declare(own.as_str().into(), kind, options, FieldTable::default());
            let outcome = word(declared.await);
            group.control(
                format!("{service}: declares its own exchange"),
                outcome == "done",
                outcome,
            );
        }
        group.end().await
    })
}

fn entrance(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "broker: who gets in").await?;
        let stores = world.stack.plan().stores;
        for service in SERVICES {
            let account = &stores.accounts[service];
            let (credentials, place) = account
                .trim_start_matches("amqp://")
                .split_once('@')
                .context("no account")?;
            let (_, secret) = credentials.split_once(':').context("no password")?;
            let other = SERVICES
                [(SERVICES.iter().position(|name| *name == service).unwrap_or(0) + 1) % SERVICES.len()];
            for (name, user, password) in [
                ("no password", service, ""),
                ("a wrong password", service, "nonsense"),
                ("its name as password", service, service),
                ("its password under another name", other, secret),
                ("its password under the administrator's", "guest", secret),
                (
                    "its password under the first name of the alphabet",
                    "admin",
                    secret,
                ),
                ("a name in capitals", &service.to_uppercase(), secret),
            ] {
                let url = format!("amqp://{user}:{password}@{place}");
                let outcome = tokio::time::timeout(PATIENCE, connect(&url)).await;
                let outcome =
                    outcome.map_or_else(|_| "no answer".to_owned(), |outcome| word(outcome.map(drop)));
                group.judged(format!("{service}: {name}"), outcome.starts_with("403"), outcome);
            }
            let elsewhere = format!(
                "amqp://{credentials}@{}/another",
                place.split('/').next().unwrap_or_default()
            );
            let outcome = word(connect(&elsewhere).await.map(drop));
            group.judged(
                format!("{service}: another host of the broker"),
                outcome.starts_with("530"),
                outcome,
            );
            let outcome = word(connect(account).await.map(drop));
            group.control(
                format!("{service}: with its own account"),
                outcome == "done",
                outcome,
            );
        }
        group.end().await
    })
}
