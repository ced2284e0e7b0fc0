//! A buyer is told that an order is paid: at once in the shop, and by mail.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use tokio::time::timeout;

use super::Demo;
use super::scenario::Item;
use crate::console::seconds;
use crate::notices::{CaughtMail, Notices, mails};
use crate::purchase;
use crate::target::Target;

const PAID: &str = "ORDER_PAID";

impl Demo<'_> {
    /// Buys once more and listens; whether the shopper was told. Without a notification service nothing is expected.
    pub(super) async fn told(&self, target: &Target) -> Result<bool> {
        self.console.line("\n== Told: a notification at once, and a mail");
        let Some(url) = target.notices.clone() else {
            self.console
                .line("   skipped: nobody tells here (--notices names who does)");
            return Ok(true);
        };
        let mut notices = Notices::open(url, Arc::clone(&self.shopper)).await?;
        let item = self.shop.item(Item::InStock).context("nothing can be bought")?;
        let key = uuid::Uuid::now_v7().simple().to_string();
        let cart = purchase::fill_cart(&self.shopper, &key, &[(item.id.clone(), 1)]).await?;
        let sent = Instant::now();
        let order = purchase::order(&self.shopper, &key, &cart, "pm_card_visa").await?;
        let mut faults = Vec::new();
        let heard = timeout(self.patience, self.listen(&mut notices, &order.id, sent)).await;
        match heard {
            Ok(heard) => {
                heard?;
                self.count(&order.total)?;
            }
            Err(_) => faults.push(format!(
                "nothing of {PAID} was heard in {}",
                seconds(self.patience)
            )),
        }
        notices.close().await;
        if let Some(url) = &target.mail {
            match self.mail(url, &order.id, &order.number).await? {
                Some(mail) => self.show_mail(&mail, sent),
                None => faults.push("no mail of the paid order came".to_owned()),
            }
        }
        Ok(self.judged(&faults))
    }

    /// Prints what is told of the order until it is paid.
    async fn listen(&self, notices: &mut Notices, order_id: &str, sent: Instant) -> Result<()> {
        loop {
            let notice = notices.next().await?;
            if notice.order.is_none_or(|order| order.id != order_id) {
                continue;
            }
            self.console.line(format_args!(
                "   {:<17} {:>9}  {}: {}",
                notice.kind,
                seconds(sent.elapsed()),
                notice.title,
                notice.body
            ));
            if notice.kind == PAID {
                return Ok(());
            }
        }
    }

    /// The mail that says the order is paid, once it has come.
    async fn mail(&self, url: &url::Url, order_id: &str, number: &str) -> Result<Option<CaughtMail>> {
        let ask = async || {
            let caught = mails(url, self.shopper.email()).await?;
            Ok(caught.into_iter().find(|mail| {
                let is_its = mail.text.contains(order_id) || mail.text.contains(number);
                is_its && mail.subject.to_lowercase().contains("paid")
            }))
        };
        self.until(self.patience / 3, ask, Option::is_some).await
    }

    fn show_mail(&self, mail: &CaughtMail, sent: Instant) {
        let passed = seconds(sent.elapsed());
        self.console.line(format_args!(
            "   {:<17} {passed:>9}  to {}: {}",
            "mail",
            self.shopper.email(),
            mail.subject
        ));
        for line in mail.text.lines().filter(|line| !line.trim().is_empty()) {
            self.console.line(format_args!("      | {line}"));
        }
    }
}
