//! Does to the system what the schedule says, one fault after the other, and puts it right again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use dev_stack::Signal;
use sqlx::Row;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use super::checks::KILL_STATES;
use super::events;
use super::evidence::{Evidence, Record};
use super::schedule::{Fault, LISTENERS, Planned, ROLLING, VICTIMS};
use crate::proxy::{Proxy, Tally};
use crate::world::{Kind, World};

/// How long a kill waits for an order in a state that no kill has met yet.
const SEEK: Duration = Duration::from_secs(4);
/// How long after PostgreSQL's restart services may take to connect again.
const CONNECTED: Duration = Duration::from_secs(15);
/// Kills beyond the schedule.
const MORE_KILLS: usize = 9;
/// How much longer calls between services take during those.
const SLOWED: Duration = Duration::from_millis(150);
/// Share of replies that get lost between services, and between the router and order.
pub(crate) const LOST: [(Kind, f64); 2] = [(Kind::Calls, 0.05), (Kind::Graph, 0.02)];

/// Works the schedule off and returns when all is as it was.
pub(crate) async fn run(world: Arc<World>, evidence: Evidence, plan: Vec<Planned>, begun: Instant) {
    for planned in plan {
        sleep(planned.at.saturating_sub(begun.elapsed())).await;
        println!("{:7.1} s  {}", begun.elapsed().as_secs_f64(), planned.fault);
        let from = Instant::now();
        if let Err(error) = perform(&world, &evidence, &planned.fault).await {
            evidence.failed(format!("{}: {error:#}", planned.fault));
        }
        evidence.outage(planned.fault.kind(), planned.fault.stops_orders(), from);
    }
}

/// Which states are open at the moment of a kill is luck: kills more until enough have been met. Calls are slowed
/// meanwhile, because most states last for as long as one.
pub(crate) async fn kill_until_met(world: &World, evidence: &Evidence, begun: Instant) {
    let enough = || evidence.with(|record| record.killed_in.len()) >= KILL_STATES;
    if enough() {
        return;
    }
    for (_, proxy) in world.links.of(Kind::Calls) {
        proxy.change(|now| now.delay = SLOWED);
    }
    for victim in VICTIMS.into_iter().cycle().take(MORE_KILLS) {
        if enough() {
            break;
        }
        let fault = Fault::Kill {
            victims: vec![victim],
            down: Duration::from_secs(1),
        };
        println!(
            "{:7.1} s  {fault}, for want of states",
            begun.elapsed().as_secs_f64()
        );
        let from = Instant::now();
        if let Err(error) = perform(world, evidence, &fault).await {
            evidence.failed(format!("{fault}: {error:#}"));
        }
        evidence.outage(fault.kind(), fault.stops_orders(), from);
    }
    fair(world, true);
}

async fn perform(world: &World, evidence: &Evidence, fault: &Fault) -> Result<()> {
    let count = match fault {
        Fault::Kill { victims, down } => kill(world, evidence, victims, *down).await?,
        Fault::Freeze { victim, lasts } => {
            signal(world, victim, Signal::Stop).await?;
            sleep(*lasts).await;
            signal(world, victim, Signal::Continue).await?;
            1
        }
        Fault::BrokerStop { down } => restart(world, evidence, "rabbitmq", Signal::Term, *down).await?,
        Fault::BrokerKill { down } => restart(world, evidence, "rabbitmq", Signal::Kill, *down).await?,
        Fault::BrokerDrop => {
            world.rabbitmqctl(&["close_all_connections", "a test"]).await?;
            1
        }
        Fault::MemoryAlarm { lasts } => {
            world.rabbitmqctl(&["set_vm_memory_high_watermark", "0"]).await?;
            sleep(*lasts).await;
            world
                .rabbitmqctl(&["set_vm_memory_high_watermark", "0.4"])
                .await?;
            1
        }
        Fault::PostgresCrash => restart(world, evidence, "postgres", Signal::Quit, Duration::ZERO).await?,
        Fault::Terminate => terminate(world).await?,
        Fault::RedisKill => restart(world, evidence, "redis", Signal::Kill, Duration::from_secs(1)).await?,
        Fault::RedisFlush => flush(world).await?,
        Fault::Reset(kind) => strike(world, *kind, Proxy::reset, |tally| &tally.resets).await,
        Fault::HalfClose(kind) => strike(world, *kind, Proxy::half_close, |tally| &tally.half_closes).await,
        Fault::Cut { kind, bytes, lasts } => {
            let bytes = Some(*bytes);
            weather(world, *kind, *lasts, |proxy| {
                proxy.change(|now| now.cut_after = bytes);
            })
            .await;
            1
        }
        Fault::Blackhole { kind, lasts } => {
            weather(world, *kind, *lasts, |proxy| {
                proxy.change(|now| now.blackhole = true);
            })
            .await;
            1
        }
        Fault::Delay {
            kind,
            delay,
            jitter,
            lasts,
        } => {
            let change = |proxy: &Proxy| {
                proxy.change(|now| (now.delay, now.jitter) = (*delay, *jitter));
            };
            weather(world, *kind, *lasts, change).await;
            1
        }
        Fault::Poison { each } => events::poison(world, *each).await?,
        Fault::Rolling => rolling(world, evidence).await?,
    };
    evidence.add(fault.kind(), count);
    Ok(())
}

/// Kills services at a moment when orders are in two states no kill has met yet, or in one if two don't come: six kills
/// are to meet eight states. Once they have, kills come at any moment.
async fn kill(world: &World, evidence: &Evidence, victims: &[&'static str], down: Duration) -> Result<u64> {
    if victims.iter().all(|victim| LISTENERS.contains(victim)) {
        return kill_listeners(world, evidence, victims, down).await;
    }
    let begun = Instant::now();
    let states = loop {
        let states = open_states(world).await?;
        let unmet = |record: &mut Record| {
            if record.killed_in.len() >= KILL_STATES {
                return usize::MAX;
            }
            let unmet = states
                .keys()
                .filter(|state| !record.killed_in.contains_key(*state));
            unmet.count()
        };
        let enough = match begun.elapsed() {
            early if early < SEEK => 2,
            late if late < 2 * SEEK => 1,
            _ => 0,
        };
        if evidence.with(unmet) >= enough {
            break states;
        }
        sleep(Duration::from_millis(3)).await;
    };
    for victim in victims {
        evidence.going_down(victim);
        signal(world, victim, Signal::Kill).await?;
    }
    evidence.with(|record| {
        for (state, orders) in states {
            *record.killed_in.entry(state).or_default() += orders;
        }
    });
    sleep(down).await;
    for victim in victims {
        again(world, evidence, victim).await?;
    }
    Ok(victims.len() as u64)
}

/// No state of a saga is met by this. A program that is not there can't be killed.
async fn kill_listeners(
    world: &World,
    evidence: &Evidence,
    victims: &[&'static str],
    down: Duration,
) -> Result<u64> {
    let mut killed = 0;
    for victim in victims.iter().filter(|victim| world.runs(victim)) {
        evidence.going_down(victim);
        signal(world, victim, Signal::Kill).await?;
        sleep(down).await;
        again(world, evidence, victim).await?;
        killed += 1;
    }
    Ok(killed)
}

/// Open orders by their state and the call whose answer they wait for.
async fn open_states(world: &World) -> Result<BTreeMap<String, u64>> {
    let rows = sqlx::query(
        "SELECT orders.status, saga.step, count(*) FROM orders JOIN saga ON saga.order_id = orders.id
         WHERE terminal_at IS NULL GROUP BY 1, 2",
    )
    .fetch_all(&world.books.order)
    .await?;
    let mut states = BTreeMap::new();
    for row in rows {
        let (status, step): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        let state = match step {
            Some(step) => format!("{status}, calling {step}"),
            None => format!("{status}, waiting"),
        };
        states.insert(state, u64::try_from(row.try_get::<i64, _>(2)?).unwrap_or(0));
    }
    Ok(states)
}

async fn signal(world: &World, name: &'static str, signal: Signal) -> Result<()> {
    world.with_stack(move |stack| stack.signal(name, signal)).await
}

/// Ends a process with a signal, and starts it again after a while.
async fn restart(
    world: &World,
    evidence: &Evidence,
    name: &'static str,
    with: Signal,
    down: Duration,
) -> Result<u64> {
    evidence.going_down(name);
    world
        .with_stack(move |stack| match with {
            Signal::Kill => stack.kill(name),
            with => {
                stack.signal(name, with)?;
                ensure!(
                    stack.await_end(name, Duration::from_secs(30))?,
                    "{name} does not end"
                );
                Ok(())
            }
        })
        .await?;
    sleep(down).await;
    again(world, evidence, name).await?;
    Ok(1)
}

/// Starts a process again that has ended or is about to.
async fn again(world: &World, evidence: &Evidence, name: &'static str) -> Result<()> {
    world
        .with_stack(move |stack| {
            stack.await_end(name, Duration::from_secs(5))?;
            stack.start_again(name)
        })
        .await?;
    evidence.is_up_again(name);
    Ok(())
}

async fn rolling(world: &World, evidence: &Evidence) -> Result<u64> {
    for name in ROLLING {
        restart(world, evidence, name, Signal::Term, Duration::ZERO).await?;
    }
    Ok(1)
}

async fn terminate(world: &World) -> Result<u64> {
    let begun = Instant::now();
    loop {
        let ended: i64 = sqlx::query_scalar(
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE application_name ~ '-(requests|workers)$'",
        )
        .fetch_one(&world.postgres)
        .await?;
        if ended > 0 {
            return Ok(1);
        }
        ensure!(begun.elapsed() < CONNECTED, "no service was connected");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn flush(world: &World) -> Result<u64> {
    let address = world.plan.stores.redis.trim_start_matches("redis://");
    let mut redis = tokio::net::TcpStream::connect(address).await?;
    redis.write_all(b"FLUSHALL\r\n").await?;
    let mut answer = [0; 5];
    redis.read_exact(&mut answer).await?;
    ensure!(&answer == b"+OK\r\n", "Redis answers {answer:?}");
    Ok(1)
}

/// Strikes all connections of a kind; answers how many there were.
async fn strike(
    world: &World,
    kind: Kind,
    blow: impl Fn(&Proxy),
    counter: impl Fn(&Tally) -> &std::sync::atomic::AtomicU64,
) -> u64 {
    let proxies = world.links.of(kind);
    let total = || -> u64 {
        let proxies = proxies.iter();
        proxies
            .map(|(_, proxy)| counter(proxy.tally()).load(Ordering::Relaxed))
            .sum()
    };
    let before = total();
    for (_, proxy) in &proxies {
        blow(proxy);
    }
    // The connections' own tasks do it.
    sleep(Duration::from_millis(200)).await;
    total() - before
}

/// Changes the weather of one kind of link for a while.
async fn weather(world: &World, kind: Kind, lasts: Duration, change: impl Fn(&Proxy)) {
    let proxies = world.links.of(kind);
    for (_, proxy) in &proxies {
        change(proxy);
    }
    sleep(lasts).await;
    fair(world, true);
}

/// Lets everything pass on all links, but for the replies that get lost all the time.
pub(crate) fn fair(world: &World, losing: bool) {
    for kind in Kind::ALL {
        let lose_reply = LOST.iter().find(|(lossy, _)| losing && *lossy == kind);
        for (_, proxy) in world.links.of(kind) {
            proxy.set(crate::proxy::Weather {
                lose_reply: lose_reply.map_or(0.0, |(_, share)| *share),
                ..crate::proxy::Weather::default()
            });
        }
    }
}
