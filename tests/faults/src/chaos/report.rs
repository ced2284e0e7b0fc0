//! The report of a campaign, in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sqlx::Row;

use super::checks::{Check, lost_replies};
use super::schedule::Size;
use super::{Campaign, watch};
use crate::world::{World, root};

pub(super) async fn markdown(world: &World, campaign: &Campaign, checks: &[Check]) -> Result<String> {
    let mut text = String::new();
    head(&mut text, campaign)?;
    endings(&mut text, world).await?;
    faults(&mut text, world, campaign)?;
    recoveries(&mut text, campaign)?;
    verdict(&mut text, checks)?;
    Ok(text)
}

fn head(text: &mut String, campaign: &Campaign) -> Result<()> {
    let (begun, latencies) = campaign
        .notes
        .with(|ledger| (ledger.begun, ledger.latencies.clone()));
    let length = campaign.faults_ended - campaign.begun;
    writeln!(text, "## {}\n", title(campaign.size))?;
    writeln!(
        text,
        "Seed {}. {begun} orders, {} per second, {:.0} s, {} faults. Acknowledged after: {}.\n",
        campaign.seed,
        campaign.per_second,
        length.as_secs_f64(),
        campaign.planned.len(),
        quantiles(latencies),
    )?;
    let faults = campaign.notes.with(|ledger| ledger.faults.clone());
    let seen: Vec<String> = faults
        .iter()
        .map(|(code, count)| format!("{code} {count}"))
        .collect();
    if !seen.is_empty() {
        writeln!(
            text,
            "Answers after which buyers asked again: {}.\n",
            seen.join(", ")
        )?;
    }
    Ok(())
}

const fn title(size: Size) -> &'static str {
    match size {
        Size::Smoke => "Smoke",
        Size::Soak => "Soak",
    }
}

fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| {
        let index = (times.len() * share / 100).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, Duration::as_secs_f64)
    };
    format!(
        "p50 {:.2} s, p95 {:.2} s, p99 {:.2} s, longest {:.1} s",
        at(50),
        at(95),
        at(99),
        at(100)
    )
}

async fn endings(text: &mut String, world: &World) -> Result<()> {
    let rows = sqlx::query(
        "SELECT status, coalesce(reason, '') AS reason, count(*),
                percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM terminal_at - created_at))::float8,
                percentile_disc(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM terminal_at - created_at))::float8
         FROM orders GROUP BY 1, 2 ORDER BY 3 DESC",
    )
    .fetch_all(&world.books.order)
    .await?;
    writeln!(
        text,
        "| orders end as | because | number | p50 | p99 |\n|---|---|---|---|---|"
    )?;
    for row in rows {
        let (status, reason, count): (String, String, i64) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let (half, most): (Option<f64>, Option<f64>) = (row.try_get(3)?, row.try_get(4)?);
        let (half, most) = (half.unwrap_or_default(), most.unwrap_or_default());
        writeln!(
            text,
            "| {status} | {reason} | {count} | {half:.2} s | {most:.1} s |"
        )?;
    }
    writeln!(text)?;
    Ok(())
}

fn faults(text: &mut String, world: &World, campaign: &Campaign) -> Result<()> {
    if campaign.planned.is_empty() {
        return Ok(());
    }
    writeln!(text, "| fault | times |\n|---|---|")?;
    let (counts, states) = campaign
        .evidence
        .with(|record| (record.counts.clone(), record.killed_in.clone()));
    for (kind, count) in counts {
        writeln!(text, "| {kind} | {count} |")?;
    }
    writeln!(
        text,
        "| replies lost after their effect | {} |",
        lost_replies(world)
    )?;
    let manners = campaign.notes.with(|ledger| ledger.manners.clone());
    for (manner, count) in manners {
        writeln!(text, "| {} | {count} |", manner.name())?;
    }
    writeln!(text, "\n| open orders at a kill | number |\n|---|---|")?;
    for (state, orders) in states {
        writeln!(text, "| {state} | {orders} |")?;
    }
    writeln!(text)?;
    Ok(())
}

/// From the end of each fault to the next order that ended.
fn recoveries(text: &mut String, campaign: &Campaign) -> Result<()> {
    let outages = campaign.evidence.with(|record| record.outages.clone());
    let mut worst: BTreeMap<&str, (Duration, Duration, u32)> = BTreeMap::new();
    for outage in outages {
        let lasted = outage.to - outage.from;
        let recovered = recovery(&campaign.seen, outage.to);
        let entry = worst.entry(outage.kind).or_default();
        *entry = (entry.0.max(lasted), entry.1.max(recovered), entry.2 + 1);
    }
    if worst.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "| fault | times | lasted up to | then the next order ended within |\n|---|---|---|---|"
    )?;
    for (kind, (lasted, recovered, times)) in worst {
        let (lasted, recovered) = (lasted.as_secs_f64(), recovered.as_secs_f64());
        writeln!(text, "| {kind} | {times} | {lasted:.1} s | {recovered:.1} s |")?;
    }
    writeln!(text)?;
    Ok(())
}

fn recovery(seen: &watch::Seen, since: Instant) -> Duration {
    seen.next_end(since).map_or(Duration::ZERO, |at| at - since)
}

fn verdict(text: &mut String, checks: &[Check]) -> Result<()> {
    writeln!(text, "| check | found | |\n|---|---|---|")?;
    for check in checks {
        let verdict = check
            .fault
            .as_ref()
            .map_or("holds".to_owned(), |fault| format!("**BROKEN** {fault}"));
        writeln!(text, "| {} | {} | {verdict} |", check.what, check.figure)?;
    }
    Ok(())
}

/// Replaces the campaign's section of docs/chaos.md.
pub(super) fn write(size: Size, report: &str) -> Result<()> {
    replace_section(title(size), report)
}

/// Replaces what stands between the markers of a section.
pub(crate) fn replace_section(name: &str, section: &str) -> Result<()> {
    let file = root().join("docs/chaos.md");
    let text = std::fs::read_to_string(&file).context("docs/chaos.md")?;
    let name = name.to_lowercase();
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = text
        .split_once(&begin)
        .with_context(|| format!("no {begin} in docs/chaos.md"))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("no {end} in docs/chaos.md"))?;
    std::fs::write(&file, format!("{before}{begin}{section}{end}{after}")).context("docs/chaos.md")
}
