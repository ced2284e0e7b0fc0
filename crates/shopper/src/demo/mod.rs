//! Five purchases as a shopper sees them, each followed over the subscription and checked at its end; a review; what
//! the shopper is told; and what the shop counts.

mod review;
mod sales;
mod scenario;
mod shop;
mod told;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::{sleep, timeout};

use crate::console::{Console, seconds};
use crate::operations::{ById, MoneyView, OrderPayment, OrderWithPayment, StockLevelView};
use crate::progress::{Channel, OrderProgress};
use crate::purchase;
use crate::session::{Credentials, Session};
use crate::target::Target;

use scenario::{SCENARIOS, Scenario};
use shop::Shop;

const POLL: Duration = Duration::from_millis(200);

/// Buys five times: paid, declined, sold out, cancelled, and paid too late. Then reviews what was bought, listens to what a
/// buyer is told, and looks whether it was counted.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Seconds to wait for each purchase's end.
    #[arg(long, default_value_t = 60)]
    pub patience_s: u64,
}

/// Runs `demo`; whether everything came out as it should.
pub async fn demo(target: &Target, args: &DemoArgs, console: &Console) -> Result<bool> {
    let graph = target.graph()?;
    let shop = Shop::open(&graph, target.maybe_admin().await?).await?;
    if !shop.has_admin() {
        console.line("No administrator was named: the stock is not compared.");
    }
    let shopper = Arc::new(
        Session::join(&graph, newcomer())
            .await
            .context("the shopper could not register")?,
    );
    console.line(format_args!("Signed in as {}", shopper.email()));
    let demo = Demo {
        console,
        shop,
        channel: Channel::new(target.ws.clone(), Arc::clone(&shopper)),
        shopper,
        patience: Duration::from_secs(args.patience_s),
        paid: Cell::new((0, 0)),
    };
    let figures = demo.figures().await?;
    let mut wrong = 0;
    for scenario in &SCENARIOS {
        wrong += usize::from(!demo.play(scenario).await?);
    }
    demo.channel.close().await;
    wrong += usize::from(!demo.review(&graph).await?);
    wrong += usize::from(!demo.told(target).await?);
    wrong += usize::from(!demo.counted(figures).await?);
    let scenes = SCENARIOS.len() + 3;
    console.line(format_args!("\n{} of {scenes} as expected", scenes - wrong));
    Ok(wrong == 0)
}

fn newcomer() -> Credentials {
    let number = uuid::Uuid::now_v7().simple().to_string();
    Credentials {
        email: format!("demo-{number}@shop.example"),
        password: format!("Demo shopper {}", &number[20..]),
        display_name: "Demo shopper".to_owned(),
    }
}

struct Demo<'d> {
    console: &'d Console,
    shop: Shop,
    shopper: Arc<Session>,
    channel: Channel,
    patience: Duration,
    /// Orders that were paid, and their totals in cents.
    paid: Cell<(i64, i64)>,
}

impl Demo<'_> {
    /// Plays one purchase; whether it came out as it should.
    async fn play(&self, scenario: &Scenario) -> Result<bool> {
        self.console.line(format_args!("\n== {}", scenario.title));
        let Some(item) = self.shop.item(scenario.item) else {
            self.console
                .line("   skipped: nothing in the catalogue is sold out, and no administrator was named");
            return Ok(true);
        };
        let before = self.shop.stock(&item.sku).await?;
        let key = uuid::Uuid::now_v7().simple().to_string();
        let cart = purchase::fill_cart(&self.shopper, &key, &[(item.id.clone(), scenario.quantity)]).await?;
        let sent = Instant::now();
        let order = purchase::order(&self.shopper, &key, &cart, scenario.payment_method).await?;
        self.console.line(format_args!(
            "   order {} of {} x {} for {} {}, paid by {}",
            order.number,
            scenario.quantity,
            item.title,
            order.total.amount,
            order.total.currency_code,
            scenario.payment_method
        ));
        let followed = timeout(self.patience, self.follow(scenario, &order.id, &key, sent)).await;
        if followed.is_err() {
            self.console
                .line(format_args!("   WRONG: no end in {}", seconds(self.patience)));
            return Ok(false);
        }
        followed??;
        if scenario.status == "PAID" {
            self.count(&order.total)?;
        }
        let mut faults = Vec::new();
        self.check_order(scenario, &order.id, &mut faults).await?;
        self.check_stock(scenario, before, self.shop.stock(&item.sku).await?, &mut faults);
        Ok(self.judged(&faults))
    }

    /// Remembers that an order was paid.
    fn count(&self, total: &MoneyView) -> Result<()> {
        let (orders, minor) = self.paid.get();
        self.paid.set((orders + 1, minor + sales::cents(&total.amount)?));
        Ok(())
    }

    /// Says what went wrong, or that nothing did.
    fn judged(&self, faults: &[String]) -> bool {
        for fault in faults {
            self.console.line(format_args!("   WRONG: {fault}"));
        }
        if faults.is_empty() {
            self.console.line("   as expected");
        }
        faults.is_empty()
    }

    /// Prints the steps as they come, and cancels when the scenario says so, until the order's end.
    async fn follow(&self, scenario: &Scenario, order_id: &str, key: &str, sent: Instant) -> Result<()> {
        let mut feed = self.channel.follow(order_id, 0);
        let mut to_cancel = scenario.cancel;
        loop {
            let progress = feed.next().await?;
            self.show(&progress, sent);
            if to_cancel && progress.event.status == "AWAITING_PAYMENT" {
                to_cancel = false;
                self.console.line("   the shopper cancels");
                purchase::cancel(&self.shopper, key, order_id).await?;
            }
            // A finished order goes on in one case: money that comes after the cancellation.
            let goes_on = scenario.status == "REFUNDED" && progress.event.step == "CANCELLED";
            if progress.is_end() && !goes_on {
                return Ok(());
            }
        }
    }

    fn show(&self, progress: &OrderProgress, sent: Instant) {
        let event = &progress.event;
        self.console.line(format_args!(
            "   {:>3}  {:<17} {:<16} {:>9}  {}",
            event.sequence,
            event.step,
            event.status,
            seconds(sent.elapsed()),
            event.message
        ));
    }

    async fn check_order(&self, scenario: &Scenario, order_id: &str, faults: &mut Vec<String>) -> Result<()> {
        let order = self.settled(scenario, order_id).await?;
        let payment = order.payment.as_ref().map(|payment| payment.status.as_str());
        self.console.line(format_args!(
            "   order {}{}, payment {}",
            order.status,
            order
                .cancel_reason
                .as_ref()
                .map_or(String::new(), |reason| format!(" ({reason})")),
            payment.unwrap_or("none")
        ));
        if order.status != scenario.status {
            faults.push(format!("the order should be {}", scenario.status));
        }
        if order.cancel_reason.as_deref() != scenario.reason {
            faults.push(format!(
                "the reason should be {}",
                scenario.reason.unwrap_or("none")
            ));
        }
        if !scenario.payment.contains(&payment) {
            faults.push(format!("the payment should be {:?}", scenario.payment));
        }
        Ok(())
    }

    /// The order once its payment, which another service tells, is as expected; or as it is after a while.
    async fn settled(&self, scenario: &Scenario, order_id: &str) -> Result<OrderWithPayment> {
        let ask = async || {
            let id = order_id.to_owned();
            let order = self.shopper.run::<OrderPayment>(&ById { id }).await?.order;
            order.context("the order is gone")
        };
        let told = |order: &OrderWithPayment| {
            let payment = order.payment.as_ref().map(|payment| payment.status.as_str());
            scenario.payment.contains(&payment)
        };
        self.until(self.patience / 6, ask, told).await
    }

    /// Asks again and again until an answer will do, or for so long; gives the last answer.
    async fn until<T>(
        &self,
        patience: Duration,
        ask: impl AsyncFn() -> Result<T>,
        will_do: impl Fn(&T) -> bool,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            let answer = ask().await?;
            if will_do(&answer) || begun.elapsed() > patience {
                return Ok(answer);
            }
            sleep(POLL).await;
        }
    }

    fn check_stock(
        &self,
        scenario: &Scenario,
        before: Option<StockLevelView>,
        after: Option<StockLevelView>,
        faults: &mut Vec<String>,
    ) {
        let (Some(before), Some(after)) = (before, after) else {
            return;
        };
        self.console.line(format_args!(
            "   stock available {} -> {}, reserved {} -> {}, sold {} -> {}",
            before.available, after.available, before.reserved, after.reserved, before.sold, after.sold
        ));
        let sold = if scenario.status == "PAID" {
            i64::from(scenario.quantity)
        } else {
            0
        };
        let same = after.available == before.available - sold
            && after.reserved == before.reserved
            && after.sold == before.sold + sold;
        if !same {
            faults.push(format!("{sold} units should have been sold, and none kept aside"));
        }
    }
}
