//! The matrix as text: a line per row for the terminal, a table for the documentation.

use std::fmt::Write;
use std::time::Duration;

use anyhow::Result;

use super::row::Row;
use super::strike::Shown;

/// One row as it is run.
pub(super) fn line(row: &Row, result: &Result<Shown>) -> String {
    match result {
        Ok(shown) => format!(
            "ok      {:<5} {:<10} {:>5.1} s  {:<28} {}",
            row.id,
            row.victim,
            shown.recovery.as_secs_f64(),
            ends(shown),
            row.what
        ),
        Err(error) => format!(
            "FAILED  {:<5} {:<10} {}\n        {error:#}",
            row.id, row.victim, row.what
        ),
    }
}

fn ends(shown: &Shown) -> String {
    let ends: Vec<String> = shown
        .ends
        .iter()
        .map(|(state, count)| format!("{count} {}", state.to_lowercase()))
        .collect();
    ends.join(", ")
}

/// `docs/crash-matrix.md`.
pub(super) fn document(results: &[(&Row, Result<Shown>)], took: Duration) -> String {
    let mut text = String::from(INTRODUCTION);
    text.push_str(
        "\n| row | who dies | when | proof | orders in the end | recovered in |\n|---|---|---|---|---|---|\n",
    );
    for (row, result) in results {
        if let Ok(shown) = result {
            let (id, victim, what) = (row.id, row.victim, row.what);
            let seconds = shown.recovery.as_secs_f64();
            // A string takes everything.
            let _ = writeln!(
                text,
                "| {id} | {victim} | {what} | {} | {} | {seconds:.1} s |",
                shown.evidence,
                ends(shown)
            );
        }
    }
    let orders: usize = results
        .iter()
        .filter_map(|(_, result)| result.as_ref().ok())
        .map(|shown| shown.ends.values().sum::<usize>())
        .sum();
    let _ = writeln!(
        text,
        "\n{} rows, {orders} orders, {} s in all.",
        results.len(),
        took.as_secs()
    );
    text
}

const INTRODUCTION: &str = "# The crash matrix

Written by `cargo xtask faults matrix --write`; do not edit.

Ten people order one unit each: some pay, some have a declined card, some cancel, some are charged although they
cancelled, some are refunded. Meanwhile a process kills itself with SIGKILL at a named point (or freezes with SIGSTOP),
having first left a proof on disk; without the proof the row fails. Then it is started again. The row holds when every
order is in the one state in which it belongs (after C6 and in S: in a final one), the stock of the row's product and
the provider's own books are exact, and the audit (I1 to I15) finds nothing.

In these runs a saga's lease is 4 s, a payment's deadline 40 s, and an outbox row stays with a relay that died for 12 s:
that is what most recoveries wait for. \"Recovered in\" counts from the crash (or from when a frozen process goes on) to the
last order's end: it includes the new start of the process and the buyers' own pauses, slow payments of 2.5 s and late
ones of 1 s.

- RESERVED and the start of the payment are one commit, so that C7 dies between that commit and the call.
- C12 freezes payment with the event sent and not confirmed, kills RabbitMQ, starts it again and lets payment go on.
- C25 holds the provider's webhooks back until payment has settled the refund by asking again with its key.
- C27 lets PostgreSQL wait for a standby that does not exist: a COMMIT is carried out and not answered. The connections
  that wait so are terminated, so that the service can't know what became of its transaction.
- C29 freezes order 1 until order 2 has finished the order; inventory is then killed, so that the late call of order 1
  fails, and its answer must not be saved. C29b lets the late call arrive at an order that was cancelled meanwhile.
- N and S kill nobody; Q takes away the queue that payment's events go to. Seeded bugs need them to show themselves
  (see `seeded-bugs.md`).
";
