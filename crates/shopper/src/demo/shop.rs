//! What the demo buys: two products of its own when an administrator is there, else what the catalogue has.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::json;

use super::scenario::Item;
use crate::graph::{Graph, GraphError};
use crate::operations::{
    BySkus, Catalogue, First, ImportProducts, ImportStock, ImportStockInput, Input, OfferedVariant,
    StockLevelView, StockLevels, StockLine, Variants, outcome,
};
use crate::session::Session;

const IN_STOCK: &str = "DEMO-LAMP";
const SOLD_OUT: &str = "DEMO-SOLD-OUT";
/// Below this many units the lamp is restocked.
const ENOUGH: i64 = 20;
const RESTOCK: i64 = 1000;

/// A thing to buy.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) id: String,
    pub(super) sku: String,
    pub(super) title: String,
}

/// The things to buy, and the administrator who can see the stock.
pub(super) struct Shop {
    admin: Option<Arc<Session>>,
    in_stock: Offer,
    sold_out: Option<Offer>,
}

impl Shop {
    pub(super) async fn open(graph: &Graph, admin: Option<Arc<Session>>) -> Result<Self> {
        match admin {
            Some(admin) => Self::furnished(graph, admin).await,
            None => Self::found(graph).await,
        }
    }

    /// The demo's own products, made if they are not there.
    async fn furnished(graph: &Graph, admin: Arc<Session>) -> Result<Self> {
        let product = |slug: &str, title: &str, sku: &str| {
            json!({
                "slug": slug, "title": title, "description": "Made by the demo.", "categoryPath": ["Demo"],
                "variants": [{"sku": sku, "title": title, "price": {"amount": "19.99", "currencyCode": "USD"}}],
            })
        };
        let products = [
            product("demo-lamp", "Demo lamp", IN_STOCK),
            product("demo-sold-out", "Demo rarity", SOLD_OUT),
        ];
        let input = json!({ "products": products });
        let made = admin
            .run::<ImportProducts>(&Input { input })
            .await?
            .import_products;
        outcome(Some(()), made.user_errors)?;
        let skus = vec![IN_STOCK.to_owned(), SOLD_OUT.to_owned()];
        let found = graph.run::<Variants>(None, &BySkus { skus }).await?.variants;
        let mut offers = found
            .into_iter()
            .zip(["Demo lamp", "Demo rarity"])
            .map(|(variant, title)| {
                let variant = variant.context("the demo's product is not for sale")?;
                Ok::<Offer, anyhow::Error>(Offer {
                    id: variant.id,
                    sku: variant.sku,
                    title: title.to_owned(),
                })
            });
        let shop = Self {
            in_stock: offers.next().context("no answer")??,
            sold_out: offers.next().transpose()?,
            admin: Some(admin),
        };
        shop.restock().await?;
        Ok(shop)
    }

    async fn restock(&self) -> Result<(), GraphError> {
        let Some(admin) = &self.admin else { return Ok(()) };
        let level = self.stock(IN_STOCK).await?;
        let (received, available) = level.map_or((0, 0), |level| (level.received, level.available));
        if available >= ENOUGH {
            return Ok(());
        }
        let quantity = u32::try_from(received + RESTOCK).unwrap_or(u32::MAX);
        let input = ImportStockInput {
            lines: vec![StockLine {
                sku: IN_STOCK.to_owned(),
                quantity,
            }],
            idempotency_key: format!("demo-restock-{quantity}"),
        };
        let payload = admin.run::<ImportStock>(&Input { input }).await?.import_stock;
        outcome(payload.raised, payload.user_errors).map(drop)
    }

    /// Whatever the catalogue has.
    async fn found(graph: &Graph) -> Result<Self> {
        let products = graph
            .run::<Catalogue>(None, &First { first: 100 })
            .await?
            .products
            .nodes;
        let mut variants = Vec::new();
        for product in products {
            variants.extend(
                product
                    .variants
                    .into_iter()
                    .map(|variant| (product.title.clone(), variant)),
            );
        }
        let offer = |status: &str| {
            let (title, variant) = variants.iter().find(|(_, variant)| is(variant, status))?;
            Some(Offer {
                id: variant.id.clone(),
                sku: variant.sku.clone(),
                title: title.clone(),
            })
        };
        Ok(Self {
            in_stock: offer("IN_STOCK").context("nothing in the catalogue is in stock")?,
            sold_out: offer("OUT_OF_STOCK"),
            admin: None,
        })
    }

    pub(super) const fn has_admin(&self) -> bool {
        self.admin.is_some()
    }

    pub(super) const fn item(&self, item: Item) -> Option<&Offer> {
        match item {
            Item::InStock => Some(&self.in_stock),
            Item::SoldOut => self.sold_out.as_ref(),
        }
    }

    /// Who runs the shop, if they were named.
    pub(super) fn admin(&self) -> Option<&Session> {
        self.admin.as_deref()
    }

    /// The stock of a SKU, as the administrator sees it.
    pub(super) async fn stock(&self, sku: &str) -> Result<Option<StockLevelView>, GraphError> {
        let Some(admin) = &self.admin else { return Ok(None) };
        let skus = vec![sku.to_owned()];
        let found = admin.run::<StockLevels>(&BySkus { skus }).await?.variants;
        Ok(found
            .into_iter()
            .flatten()
            .next()
            .and_then(|variant| variant.stock_level))
    }
}

fn is(variant: &OfferedVariant, status: &str) -> bool {
    variant
        .availability
        .as_ref()
        .is_some_and(|availability| availability.status == status)
}
