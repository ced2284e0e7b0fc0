//! The databases, and what the cross-checks read of them at once.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use contracts::OrderId;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Row};
use uuid::Uuid;

/// Where the databases are.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Of order.
    pub order: String,
    /// Of inventory.
    pub inventory: String,
    /// Of payment.
    pub payment: String,
}

/// The three databases.
#[derive(Debug, Clone)]
pub struct Books {
    /// Of order.
    pub order: PgPool,
    /// Of inventory.
    pub inventory: PgPool,
    /// Of payment.
    pub payment: PgPool,
}

impl Books {
    /// Connects, read-only.
    pub async fn connect(addresses: &Addresses) -> Result<Self> {
        Ok(Self {
            order: open("order", &addresses.order).await?,
            inventory: open("inventory", &addresses.inventory).await?,
            payment: open("payment", &addresses.payment).await?,
        })
    }

    /// The databases by name.
    pub(crate) fn each(&self) -> [(&'static str, &PgPool); 3] {
        [
            ("order", &self.order),
            ("inventory", &self.inventory),
            ("payment", &self.payment),
        ]
    }
}

async fn open(name: &str, url: &str) -> Result<PgPool> {
    PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(Duration::from_secs(5))
        .after_connect(|conn, _| {
            Box::pin(async move {
                sqlx::query("SET default_transaction_read_only = on")
                    .execute(conn)
                    .await
                    .map(drop)
            })
        })
        .connect(url)
        .await
        .with_context(|| format!("the database of {name}"))
}

/// An order as the cross-checks see it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) status: String,
    pub(crate) total_minor: i64,
    pub(crate) currency: String,
    /// Changed so recently that its neighbours may not know yet.
    pub(crate) fresh: bool,
    /// Units by SKU.
    pub(crate) lines: BTreeMap<String, i64>,
    /// Sent back by returns, and how much more they promise.
    pub(crate) returned_minor: i64,
    pub(crate) promised_minor: i64,
    /// Units that returns put on the shelf, and more that they will, by SKU.
    pub(crate) restocked: BTreeMap<String, i64>,
    pub(crate) restocking: BTreeMap<String, i64>,
}

impl Order {
    /// Money kept, units handed over.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.status.as_str(), "PAID" | "SHIPPED" | "DELIVERED")
    }

    /// What is kept of its money, once its returns are done and before: the least and the most.
    pub(crate) const fn kept_minor(&self) -> (i64, i64) {
        let most = self.total_minor - self.returned_minor;
        (most - self.promised_minor, most)
    }

    /// The units of its lines that are still sold, less those on their way to the shelf if `soon`.
    pub(crate) fn sold(&self, soon: bool) -> BTreeMap<String, i64> {
        let back = |sku: &String| {
            let restocking = if soon { self.restocking.get(sku) } else { None };
            self.restocked.get(sku).unwrap_or(&0) + restocking.unwrap_or(&0)
        };
        let line = |(sku, units): (&String, &i64)| (sku.clone(), units - back(sku));
        self.lines
            .iter()
            .map(line)
            .filter(|(_, units)| *units != 0)
            .collect()
    }
}

/// A payment with its ledger.
#[derive(Debug)]
pub(crate) struct Payment {
    pub(crate) status: String,
    pub(crate) amount_minor: Option<i64>,
    pub(crate) currency: Option<String>,
    /// Captured less refunded, by the ledger.
    pub(crate) net_minor: i64,
}

/// A reserved line: its units that did not come back.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) sku: String,
    pub(crate) units: i64,
    pub(crate) state: String,
}

/// Orders, payments and reservations side by side, each by order.
pub(crate) struct Cross {
    pub(crate) orders: BTreeMap<Uuid, Order>,
    pub(crate) payments: BTreeMap<Uuid, Payment>,
    pub(crate) reserved: BTreeMap<Uuid, Vec<Reserved>>,
}

impl Cross {
    /// Reads orders last: a payment or reservation without its order is then a stray, not a newcomer.
    pub(crate) async fn read(books: &Books, grace_s: f64) -> Result<Self> {
        let reserved = reserved(&books.inventory).await.context("reservations")?;
        let payments = payments(&books.payment).await.context("payments")?;
        let orders = orders(&books.order, grace_s).await.context("orders")?;
        Ok(Self {
            orders,
            payments,
            reserved,
        })
    }
}

/// An order's id as logs and operators know it.
pub(crate) fn shown(id: Uuid) -> String {
    OrderId::from_uuid(id).to_string()
}

async fn orders(pool: &PgPool, grace_s: f64) -> Result<BTreeMap<Uuid, Order>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id, status, total_minor, currency,
                greatest(coalesce((SELECT max(at) FROM order_history WHERE order_id = id), created_at),
                        (SELECT max(changed_at) FROM order_return WHERE order_id = id))
                    > clock_timestamp() - make_interval(secs => $1),
                coalesce((SELECT sum(amount_minor) FROM order_return WHERE order_id = id AND money = 'DONE'), 0)::bigint,
                coalesce((SELECT sum(amount_minor) FROM order_return WHERE order_id = id AND money <> 'DONE'), 0)::bigint
         FROM orders",
    )
    .bind(grace_s)
    .fetch_all(pool)
    .await?;
    let mut orders = BTreeMap::new();
    for row in rows {
        let order = Order {
            status: row.try_get(1)?,
            total_minor: row.try_get(2)?,
            currency: row.try_get(3)?,
            fresh: row.try_get(4)?,
            lines: BTreeMap::new(),
            returned_minor: row.try_get(5)?,
            promised_minor: row.try_get(6)?,
            restocked: BTreeMap::new(),
            restocking: BTreeMap::new(),
        };
        orders.insert(row.try_get(0)?, order);
    }
    let lines =
        sqlx::query("SELECT order_id, sku, sum(quantity)::bigint FROM order_line GROUP BY order_id, sku")
            .fetch_all(pool)
            .await?;
    for row in lines {
        if let Some(order) = orders.get_mut(&row.try_get::<Uuid, _>(0)?) {
            order.lines.insert(row.try_get(1)?, row.try_get(2)?);
        }
    }
    let back = sqlx::query(
        "SELECT r.order_id, sku, coalesce(sum(r.quantity) FILTER (WHERE units = 'DONE'), 0)::bigint,
                coalesce(sum(r.quantity) FILTER (WHERE units <> 'DONE'), 0)::bigint
         FROM order_return_line r JOIN order_return USING (order_id, number) JOIN order_line USING (order_id, line_no)
         WHERE restock GROUP BY r.order_id, sku",
    )
    .fetch_all(pool)
    .await?;
    for row in back {
        if let Some(order) = orders.get_mut(&row.try_get::<Uuid, _>(0)?) {
            order.restocked.insert(row.try_get(1)?, row.try_get(2)?);
            order.restocking.insert(row.try_get(1)?, row.try_get(3)?);
        }
    }
    Ok(orders)
}

async fn payments(pool: &PgPool) -> Result<BTreeMap<Uuid, Payment>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT order_id, status, payment.amount_minor, payment.currency, coalesce((
             SELECT sum(CASE kind WHEN 'CAPTURE' THEN abs(entry.amount_minor) ELSE -abs(entry.amount_minor) END)
             FROM ledger_entry AS entry WHERE payment_id = payment.id AND account = 'provider'), 0)::bigint
         FROM payment",
    )
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let payment = Payment {
                status: row.try_get(1)?,
                amount_minor: row.try_get(2)?,
                currency: row.try_get(3)?,
                net_minor: row.try_get(4)?,
            };
            Ok((row.try_get(0)?, payment))
        })
        .collect()
}

async fn reserved(pool: &PgPool) -> Result<BTreeMap<Uuid, Vec<Reserved>>, sqlx::Error> {
    let rows = sqlx::query("SELECT order_id, sku, (qty - returned)::bigint, state FROM reservation")
        .fetch_all(pool)
        .await?;
    let mut reserved: BTreeMap<Uuid, Vec<Reserved>> = BTreeMap::new();
    for row in rows {
        let line = Reserved {
            sku: row.try_get(1)?,
            units: row.try_get(2)?,
            state: row.try_get(3)?,
        };
        reserved.entry(row.try_get(0)?).or_default().push(line);
    }
    Ok(reserved)
}
