//! What was bought is in the figures of sales, to the cent.

use anyhow::{Context, Result};
use chrono::{TimeDelta, Utc};

use super::Demo;
use crate::operations::{Period, SalesFiguresView, SalesTotals};

impl Demo<'_> {
    /// The figures of these hours; nothing without an administrator, or where nobody counts.
    pub(super) async fn figures(&self) -> Result<Option<SalesFiguresView>> {
        let Some(admin) = self.shop.admin() else {
            return Ok(None);
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "a client asks for the hours around its own now"
        )]
        let now = Utc::now();
        let period = Period {
            from: now - TimeDelta::hours(6),
            to: now + TimeDelta::hours(2),
        };
        match admin.run::<SalesTotals>(&period).await {
            Ok(answer) => Ok(answer.sales_report.map(|report| report.totals)),
            Err(error) if error.is_temporary() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the figures rose by what was paid since they were `before`. Others may buy meanwhile, so they may have
    /// risen by more; the auditor compares every order.
    pub(super) async fn counted(&self, before: Option<SalesFiguresView>) -> Result<bool> {
        self.console.line("\n== Counted: what was paid is in the figures");
        let Some(before) = before else {
            self.console
                .line("   skipped: nobody counts here, or no administrator was named");
            return Ok(true);
        };
        let (orders, minor) = self.paid.get();
        let wanted = (before.paid + orders, cents(&before.revenue.amount)? + minor);
        let reached = |now: &Option<SalesFiguresView>| {
            now.as_ref().is_some_and(|now| {
                let revenue = cents(&now.revenue.amount);
                now.paid >= wanted.0 && revenue.is_ok_and(|revenue| revenue >= wanted.1)
            })
        };
        let now = self
            .until(self.patience / 3, async || self.figures().await, reached)
            .await?;
        let mut faults = Vec::new();
        match &now {
            Some(now) => self.show_figures(&before, now),
            None => faults.push("the figures can't be read any more".to_owned()),
        }
        if !reached(&now) {
            faults.push(format!(
                "{orders} more orders should be paid, and {minor} more cents"
            ));
        }
        Ok(self.judged(&faults))
    }

    fn show_figures(&self, before: &SalesFiguresView, now: &SalesFiguresView) {
        self.console.line(format_args!(
            "   paid {} -> {}, revenue {} -> {} {}, sent back {}",
            before.paid,
            now.paid,
            before.revenue.amount,
            now.revenue.amount,
            now.revenue.currency_code,
            now.refunded.amount
        ));
    }
}

/// An amount of dollars such as "19.99" in cents.
pub(super) fn cents(amount: &str) -> Result<i64> {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, "00"));
    let digits = format!("{whole}{part:0<2}");
    digits
        .parse()
        .with_context(|| format!("{amount} is no amount of dollars"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_cents() {
        for (amount, want) in [("19.99", 1999), ("0.05", 5), ("3", 300), ("2.5", 250)] {
            assert_eq!(cents(amount).unwrap(), want, "{amount}");
        }
        assert!(cents("much").is_err());
    }
}
