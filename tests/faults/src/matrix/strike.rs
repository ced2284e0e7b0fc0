//! Runs one row: arms the victim, lets people shop, sees it die, starts it again, and checks what is left.

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use contracts::OrderId;
use dev_stack::Signal;

use super::evidence::{self, Evidence};
use super::load::{Load, Placed};
use super::row::{Act, Row};
use super::system::{DEADLINE_S, LEASE, MARGIN_S, System, Variant, blocking, eventually};
use super::verify::{self, Ends};
use super::{commits, queue};

const SIGKILL: i32 = 9;
/// How long a point may take to fire.
const FIRE: Duration = Duration::from_secs(40);
/// How long the last order may take from the victim's return on.
pub(super) const RECOVERY: Duration = Duration::from_mins(1);
/// What [`Act::StayDown`] and [`Act::Expiry`] leave between a payment's deadline and the end of its reservation.
const SHORT_MARGIN_S: u32 = 1;

/// What a row has shown.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// What proves that it happened.
    pub(crate) evidence: String,
    pub(crate) ends: Ends,
    /// From the crash, or from when a frozen victim went on, until every order was where it belongs.
    pub(crate) recovery: Duration,
}

/// A row being run.
pub(super) struct Run<'a> {
    pub(super) system: &'a Arc<System>,
    pub(super) row: &'a Row,
    variant: Variant,
}

/// Runs a row; an error says what did not hold.
pub(crate) async fn run(system: &Arc<System>, row: &Row) -> Result<Shown> {
    evidence::forget(&system.evidence())?;
    let variant = system.product(row.units).await?;
    let run = Run { system, row, variant };
    run.set_deadlines()?;
    let shown = match row.act {
        Act::Nothing => run.nothing().await,
        Act::Crash | Act::StayDown | Act::WebhooksHeld => run.crash().await,
        Act::Expiry => run.expiry().await,
        Act::BrokerDies => run.broker_dies().await,
        Act::Paused => run.paused().await,
        Act::PausedAndCancelled => run.paused_and_cancelled().await,
        Act::CommitCut => run.commit_cut().await,
        Act::PostgresDies => run.postgres_dies().await,
        Act::QueueGone => run.queue_gone().await,
    };
    if shown.is_ok() && row.deadline_s.is_some() {
        run.reset_deadlines()?;
    }
    shown
}

/// After a row that failed: everybody runs again, unarmed and with the usual deadlines.
pub(crate) fn restore(system: &System) -> Result<()> {
    let (deadline, margin) = (DEADLINE_S.to_string(), MARGIN_S.to_string());
    for victim in ["order", "payment", "inventory"] {
        let unarmed = [("MERCATO_CRASH", None), ("MERCATO_FREEZE", None)];
        let usual = [
            ("PAYMENT_DEADLINE_S", Some(deadline.as_str())),
            ("RESERVATION_MARGIN_S", Some(margin.as_str())),
        ];
        let variables = if victim == "order" {
            [unarmed, usual].concat()
        } else {
            unarmed.to_vec()
        };
        system.restart(victim, &variables)?;
    }
    blocking(|| system.stack.kill("order-2"))
}

impl Run<'_> {
    /// Order's deadlines for this row: what it is started with next, if that is not what it runs with.
    fn set_deadlines(&self) -> Result<()> {
        let Some(deadline) = self.row.deadline_s else {
            return Ok(());
        };
        let short = matches!(self.row.act, Act::StayDown | Act::Expiry);
        let margin = if short { SHORT_MARGIN_S } else { MARGIN_S };
        let (deadline, margin) = (deadline.to_string(), margin.to_string());
        let variables = [
            ("PAYMENT_DEADLINE_S", Some(deadline.as_str())),
            ("RESERVATION_MARGIN_S", Some(margin.as_str())),
        ];
        self.system.restart("order", &variables)
    }

    /// Order has the usual deadlines again.
    fn reset_deadlines(&self) -> Result<()> {
        let (deadline, margin) = (DEADLINE_S.to_string(), MARGIN_S.to_string());
        let variables = [
            ("PAYMENT_DEADLINE_S", Some(deadline.as_str())),
            ("RESERVATION_MARGIN_S", Some(margin.as_str())),
        ];
        self.system.restart("order", &variables)
    }

    fn armed(&self) -> String {
        format!("{}:{}", self.row.point, self.row.nth)
    }

    fn arm(&self, how: &str) -> Result<()> {
        self.system
            .restart(self.row.victim, &[(how, Some(self.armed().as_str()))])
    }

    fn load(&self, doors: &'static [&'static str]) -> Load {
        Load::begin(self.system, &self.variant, self.row.buyers, doors)
    }

    async fn proof(&self) -> Result<Evidence> {
        evidence::wait(&self.system.evidence(), self.row.point, FIRE).await
    }

    /// The victim is dead, by SIGKILL, at its point.
    async fn death(&self) -> Result<(Evidence, String)> {
        let proof = self.proof().await?;
        let victim = self.row.victim;
        // Its threads end one by one, so that for a moment it is dead and has not ended.
        let ended = || async {
            let all = self.system.stack.ended();
            let mine = all.iter().find(|(name, _)| name == victim);
            let Some((_, status)) = mine else {
                return Ok(false);
            };
            let signal = status.signal();
            ensure!(signal == Some(SIGKILL), "it ended with {status}");
            Ok(true)
        };
        let what = format!("{victim} is dead after {}", self.row.point);
        eventually(Duration::from_secs(10), &what, ended).await?;
        let told = format!("SIGKILL at visit {} of `{}`", self.row.nth, self.row.point);
        Ok((proof, told))
    }

    /// Starts the victim again, unarmed.
    fn revive(&self) -> Result<()> {
        self.system.restart(self.row.victim, &[("MERCATO_CRASH", None)])
    }

    /// Waits for the people and their orders, and checks everything.
    async fn settle(&self, since: Instant, load: Load, evidence: String) -> Result<Shown> {
        let placed = load.finish().await?;
        self.settle_orders(since, placed, evidence).await
    }

    async fn settle_orders(&self, since: Instant, placed: Vec<Placed>, evidence: String) -> Result<Shown> {
        verify::all_final(self.system, &placed, RECOVERY).await?;
        let recovery = since.elapsed();
        let ends = verify::all_exact(self.system, &self.variant, &placed).await?;
        Ok(Shown {
            evidence,
            ends,
            recovery,
        })
    }

    async fn nothing(&self) -> Result<Shown> {
        let scarce = self.row.units < i64::try_from(self.row.buyers.len())?;
        let begun = Instant::now();
        let mut placed = self.load(&["order"]).finish().await?;
        if scarce {
            any_end(&mut placed);
        }
        let shown = self.settle_orders(begun, placed.clone(), "-".to_owned()).await?;
        if scarce {
            self.no_more_and_no_less(&shown, &placed).await?;
        }
        Ok(shown)
    }

    /// So many units, so many paid orders; everybody else was told that nothing is left.
    async fn no_more_and_no_less(&self, shown: &Shown, placed: &[Placed]) -> Result<()> {
        let paid = shown.ends.get("PAID").copied().unwrap_or_default();
        ensure!(
            i64::try_from(paid)? == self.row.units,
            "{paid} of {} units were sold",
            self.row.units
        );
        let ids: Vec<_> = placed.iter().map(|order| order.order.uuid()).collect();
        let told: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM orders WHERE id = ANY($1) AND status = 'CANCELLED' AND reason = 'OUT_OF_STOCK'",
        )
        .bind(&ids)
        .fetch_one(&self.system.books.order)
        .await?;
        let others = placed.len() - paid;
        ensure!(
            usize::try_from(told)? == others,
            "{told} of {others} buyers were told that it is sold out"
        );
        Ok(())
    }

    async fn crash(&self) -> Result<Shown> {
        self.arm("MERCATO_CRASH")?;
        let load = self.load(&["order"]);
        let (proof, told) = self.death().await?;
        let died = Instant::now();
        if let Some(state) = self.row.stock_at_crash {
            let order = proof.order.context("the point names no order")?;
            self.stock_is(order, state).await?;
        }
        let stay_down = self.row.act == Act::StayDown;
        if stay_down {
            self.until_holds_expire().await?;
        }
        let hold = self.row.act == Act::WebhooksHeld;
        if hold {
            self.hold_webhooks(true).await?;
        }
        self.revive()?;
        if hold {
            self.until_refunds_end(proof.order.context("the point names no order")?)
                .await?;
            self.hold_webhooks(false).await?;
        }
        if !stay_down {
            return self.settle(died, load, told).await;
        }
        let mut placed = load.finish().await?;
        // Who had paid by then and who not is a matter of milliseconds.
        any_end(&mut placed);
        self.settle_orders(died, placed, told).await
    }

    /// Whether the provider tells anything by itself.
    async fn hold_webhooks(&self, hold: bool) -> Result<()> {
        self.system
            .set_provider(serde_json::json!({ "webhooks": { "hold": hold } }))
            .await
    }

    /// No refund of the order is under way any more.
    async fn until_refunds_end(&self, order: OrderId) -> Result<()> {
        let ask = || async {
            let open: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM refund JOIN payment ON payment.id = refund.payment_id
                 WHERE payment.order_id = $1 AND refund.status = 'PENDING'",
            )
            .bind(order.uuid())
            .fetch_one(&self.system.books.payment)
            .await?;
            Ok(open == 0)
        };
        eventually(FIRE, &format!("the refund of {order} has ended"), ask).await
    }

    async fn stock_is(&self, order: OrderId, state: &str) -> Result<()> {
        let found: Option<String> =
            sqlx::query_scalar("SELECT state FROM reservation_head WHERE order_id = $1")
                .bind(order.uuid())
                .fetch_optional(&self.system.books.inventory)
                .await?;
        ensure!(
            found.as_deref() == Some(state),
            "at the crash the stock of {order} is {found:?}; before the payment is void it must be {state}"
        );
        Ok(())
    }

    /// Some hold of this row has ended by itself.
    async fn until_holds_expire(&self) -> Result<()> {
        let ask = || async {
            let expired: i64 =
                sqlx::query_scalar("SELECT count(*) FROM reservation WHERE sku = $1 AND state = 'EXPIRED'")
                    .bind(&self.variant.sku)
                    .fetch_one(&self.system.books.inventory)
                    .await?;
            Ok(expired > 0)
        };
        eventually(FIRE, "a hold has expired", ask).await
    }

    /// Waits until so many of the row's orders are in a state.
    pub(super) async fn until_orders_are(&self, status: &str, at_least: i64) -> Result<()> {
        let ask = || async {
            let count: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM orders WHERE status = $1
                 AND id IN (SELECT order_id FROM order_line WHERE sku = $2)",
            )
            .bind(status)
            .bind(&self.variant.sku)
            .fetch_one(&self.system.books.order)
            .await?;
            Ok(count >= at_least)
        };
        eventually(FIRE, &format!("{at_least} orders are {status}"), ask).await
    }

    async fn expiry(&self) -> Result<Shown> {
        self.arm("MERCATO_CRASH")?;
        let load = self.load(&["order"]);
        self.until_orders_are("PAYMENT_PENDING", 3).await?;
        blocking(|| self.system.stack.kill("order"))?;
        let (_, told) = self.death().await?;
        let died = Instant::now();
        self.revive()?;
        blocking(|| self.system.stack.start_again("order"))?;
        self.settle(died, load, told).await
    }

    /// Freezes the victim at its point; it goes on when [`Run::thaw`] says so.
    async fn frozen(&self) -> Result<Evidence> {
        let proof = self.proof().await?;
        self.system
            .stack
            .set_variable(self.row.victim, "MERCATO_FREEZE", None)?;
        Ok(proof)
    }

    fn thaw(&self) -> Result<()> {
        self.system.stack.signal(self.row.victim, Signal::Continue)
    }

    fn told_frozen(&self) -> String {
        format!("SIGSTOP at visit {} of `{}`", self.row.nth, self.row.point)
    }

    async fn broker_dies(&self) -> Result<Shown> {
        self.arm("MERCATO_FREEZE")?;
        let load = self.load(&["order"]);
        self.frozen().await?;
        blocking(|| {
            self.system.stack.kill("rabbitmq")?;
            self.system.stack.start_again("rabbitmq")
        })?;
        self.thaw()?;
        let told = format!("{}, SIGKILL of RabbitMQ", self.told_frozen());
        self.settle(Instant::now(), load, told).await
    }

    async fn paused(&self) -> Result<Shown> {
        self.arm("MERCATO_FREEZE")?;
        let load = self.load(&["order", "order-2"]);
        let order = self.frozen().await?.order.context("the point names no order")?;
        // Not before: it would take half of the calls.
        blocking(|| self.system.stack.start_again("order-2"))?;
        let taken_over = || async { Ok(self.system.status(order).await? == "PAID") };
        eventually(LEASE * 5, &format!("a replica has finished {order}"), taken_over).await?;
        blocking(|| self.system.stack.kill("inventory"))?;
        self.thaw()?;
        let thawed = Instant::now();
        // Long enough for the late call to fail and for its answer to be dropped.
        tokio::time::sleep(Duration::from_secs(2)).await;
        blocking(|| self.system.stack.start_again("inventory"))?;
        let told = format!("{}, taken over, SIGKILL of inventory", self.told_frozen());
        let shown = self.settle(thawed, load, told).await?;
        blocking(|| self.system.stack.stop("order-2"))?;
        Ok(shown)
    }

    async fn paused_and_cancelled(&self) -> Result<Shown> {
        // Order 2 must be there before order 1's lease ends.
        blocking(|| self.system.stack.start_again("order-2"))?;
        self.arm("MERCATO_FREEZE")?;
        let load = self.load(&["order", "order-2"]);
        let order = self.frozen().await?.order.context("the point names no order")?;
        self.system
            .cancel_order("order-2", order, &super::system::fresh_key())
            .await?;
        let cancelled = || async { Ok(self.system.status(order).await? == "CANCELLED") };
        eventually(LEASE * 5, &format!("{order} is cancelled"), cancelled).await?;
        self.thaw()?;
        let thawed = Instant::now();
        // Long enough for the late call to arrive.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut placed = load.finish().await?;
        let mine = placed.iter_mut().find(|placed| placed.order == order);
        mine.context("nobody placed the order that was frozen")?.end = Some("CANCELLED");
        let told = format!("{}, cancelled meanwhile", self.told_frozen());
        let shown = self.settle_orders(thawed, placed, told).await?;
        blocking(|| self.system.stack.stop("order-2"))?;
        Ok(shown)
    }

    async fn commit_cut(&self) -> Result<Shown> {
        commits::prepare(self.system, self.row.victim).await?;
        self.system.restart(self.row.victim, &[])?;
        let load = self.load(&["order"]);
        self.until_orders_exist(2).await?;
        let begun = Instant::now();
        let cut = commits::cut(self.system, self.row.victim).await?;
        ensure!(cut > 0, "no COMMIT of {} was cut", self.row.victim);
        self.settle(begun, load, format!("{cut} connections cut in COMMIT"))
            .await
    }

    async fn postgres_dies(&self) -> Result<Shown> {
        let load = self.load(&["order"]);
        self.until_orders_exist(3).await?;
        let died = Instant::now();
        blocking(|| {
            self.system.stack.kill("postgres")?;
            self.system.stack.start_again("postgres")
        })?;
        self.settle(died, load, "SIGKILL of PostgreSQL under load".to_owned())
            .await
    }

    async fn until_orders_exist(&self, at_least: i64) -> Result<()> {
        let ask = || async {
            let count: i64 = sqlx::query_scalar("SELECT count(*) FROM order_line WHERE sku = $1")
                .bind(&self.variant.sku)
                .fetch_one(&self.system.books.order)
                .await?;
            Ok(count >= at_least)
        };
        eventually(FIRE, &format!("{at_least} orders are placed"), ask).await
    }

    async fn queue_gone(&self) -> Result<Shown> {
        queue::wait_for(self.system, "order.payment-events").await?;
        self.system
            .set_provider(serde_json::json!({ "slow_ms": 15_000 }))
            .await?;
        let load = self.load(&["order"]);
        let everybody = i64::try_from(self.row.buyers.len())?;
        self.until_orders_are("PAYMENT_PENDING", everybody).await?;
        let placed = load.finish().await?;
        blocking(|| self.system.stack.kill("order"))?;
        let died = Instant::now();
        queue::delete(self.system, "order.payment-events").await?;
        let tried = queue::wait_for_tries(self.system, &placed).await?;
        if tried == 0 {
            bail!("payment published nothing while the queue was away");
        }
        self.system
            .set_provider(serde_json::json!({ "slow_ms": 2_500 }))
            .await?;
        self.revive()?;
        let told = format!("SIGKILL of order, queue deleted, {tried} events without a queue");
        self.settle_orders(died, placed, told).await
    }
}

/// Several ends are right for these.
fn any_end(placed: &mut [Placed]) {
    for order in placed {
        order.end = None;
    }
}
