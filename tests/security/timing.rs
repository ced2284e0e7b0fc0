//! What the clock tells: nothing about who has an account. And a flood of logins, which must not drown anybody else.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::join_all;
use serde_json::json;
use uuid::Uuid;

use crate::Case;
use crate::doors::Door;
use crate::ledger::Group;
use crate::people::{PASSWORD, Person};
use crate::world::World;

pub(crate) const CASES: &[Case] = &[
    ("timing: unknown user and wrong password take as long", timing),
    ("flood: 64 logins at once", flood),
];

const ROUNDS: usize = 200;
/// The medians may differ by this much.
const MAY_DIFFER: f64 = 0.10;
const MOST_MEMORY_KIB: u64 = 150 * 1024;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn timing(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::of_changes(world, "timing");
        // Each account takes five wrong guesses before it waits: forty accounts for two hundred.
        let mut people: Vec<Person> = Vec::new();
        for _ in 0..ROUNDS / 5 {
            people.push(world.newcomer("tim").await?);
        }
        let mut last = (0.0, 0.0);
        // A machine that is busy with other things gets a second and a third look; a leak shows in each of them.
        for attempt in 1..=3 {
            let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
            for round in 0..ROUNDS {
                let known = &people[round % people.len()];
                let stranger = format!("{}@example.com", Uuid::now_v7().simple());
                // In turn, and not always in the same order, so that both meet the same weather.
                for first in [round % 2 == 0, round % 2 != 0] {
                    let email = if first { &known.email } else { &stranger };
                    let begun = Instant::now();
                    let answer = world.sign_in(email, "wrong horse battery").await?;
                    let took = begun.elapsed();
                    anyhow::ensure!(answer.outcome == "200 INVALID_CREDENTIALS", "{}", answer.body);
                    if first {
                        wrong.push(took);
                    } else {
                        unknown.push(took);
                    }
                }
            }
            last = (median(wrong), median(unknown));
            let difference = (last.0 - last.1).abs() / last.0.max(last.1);
            eprintln!(
                "  wrong password {:.2} ms, unknown user {:.2} ms (medians of {ROUNDS}): {:.1} % apart",
                last.0,
                last.1,
                difference * 100.0
            );
            if difference < MAY_DIFFER {
                group.judged(
                    format!("medians of {ROUNDS} differ by less than 10 %"),
                    true,
                    format!("{:.2} and {:.2} ms, look {attempt}", last.0, last.1),
                );
                return group.end().await;
            }
            forgive(world, &people).await?;
        }
        group.judged(
            format!("medians of {ROUNDS} differ by less than 10 %"),
            false,
            format!("{:.2} and {:.2} ms", last.0, last.1),
        );
        group.end().await
    })
}

/// A good login clears the failures before it.
async fn forgive(world: &World, people: &[Person]) -> Result<()> {
    for person in people {
        while world.sign_in(&person.email, PASSWORD).await?.outcome != "200 data" {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    Ok(())
}

/// Resident memory of a process now, and the most it ever was, in KiB.
pub(crate) fn memory(world: &World, name: &str) -> Result<(u64, u64)> {
    let state = world.stack.state();
    let entry = state.entry(name).context("no such process")?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", entry.id.pid))?;
    let field = |name: &str| -> Result<u64> {
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .context("no such field")?;
        let number = line.split_whitespace().nth(1).context("no number")?;
        Ok(number.parse()?)
    };
    Ok((field("VmRSS:")?, field("VmHWM:")?))
}

fn flood(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::of_changes(world, "login flood");
        let logins = (0..64).map(|_| async {
            let email = format!("{}@example.com", Uuid::now_v7().simple());
            world.sign_in(&email, "wrong horse battery").await
        });
        let others = async {
            let mut slowest = Duration::ZERO;
            let mut failed = 0;
            for _ in 0..20 {
                let begun = Instant::now();
                let answer = world
                    .ask(
                        Door::Router,
                        Some(&world.people.ada.token),
                        "{ me { id email } }",
                        json!({}),
                    )
                    .await?;
                slowest = slowest.max(begun.elapsed());
                failed += usize::from(answer.outcome != "200 data");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok((slowest, failed))
        };
        let (answers, others) = tokio::join!(join_all(logins), others);
        for answer in answers {
            // Whoever would have to wait longer than two seconds is told to come back.
            group.refused(
                "one of 64 logins at once",
                &answer?,
                &["200 INVALID_CREDENTIALS", "200 UNAVAILABLE"],
            );
        }
        let (slowest, failed) = others?;
        group.control(
            "others are answered meanwhile",
            failed == 0 && slowest < Duration::from_secs(3),
            format!("{failed} failed, the slowest took {} ms", slowest.as_millis()),
        );
        let (now, most) = memory(world, "auth")?;
        group.control(
            "auth needs less than 150 MiB",
            most < MOST_MEMORY_KIB,
            format!("{} MiB now, {} MiB at most", now / 1024, most / 1024),
        );
        group.end().await
    })
}
