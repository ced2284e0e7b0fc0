//! Ten operations as the shop sends them: through the router, past it where one subgraph answers alone, and what each
//! costs behind the scenes.

use anyhow::{Context, Result};
use serde_json::json;
use shopper::graph::Graph;
use shopper::operations::{Catalogue, First, OfferedVariant};
use shopper::purchase::{fill_cart, order};
use shopper::session::{Credentials, Session};

use crate::counters::Counters;
use crate::door::{Door, Question};
use crate::operations::Recordings;
use crate::sample::{Sample, ms, ratio};
use crate::table::table;

const WARM_UP: usize = 30;

/// Time ten typical operations, through the router and past it.
#[derive(Debug, Clone, clap::Args)]
pub struct GraphArgs {
    /// How often each is asked, one after the other.
    #[arg(long, default_value_t = 200)]
    times: usize,
    /// How many ask at once when throughput is measured.
    #[arg(long, default_value_t = 8)]
    at_once: usize,
    /// A text that some products have.
    #[arg(long, default_value = "coffee")]
    text: String,
    /// The same with a slip of the finger.
    #[arg(long, default_value = "cofee")]
    misspelt: String,
}

/// An operation to time.
struct Typical {
    what: &'static str,
    question: Question,
    /// Product answers it alone.
    is_products: bool,
}

/// Where things are.
pub struct Places {
    /// The router.
    pub router: Door,
    /// Product's own door.
    pub product: Door,
    /// What the services count.
    pub counters: Counters,
    /// The router, as the shopper's typed client sees it.
    pub graph: Graph,
}

/// Prints the table.
pub async fn run(places: &Places, recorded: &Recordings, args: &GraphArgs) -> Result<()> {
    let shopper = prepare(&places.graph).await?;
    let router = places.router.with_bearer(Some(shopper.session.bearer().await?));
    let product = places.product.with_bearer(Some(shopper.session.bearer().await?));
    let mut rows = vec![heading(args.at_once)];
    for typical in typical(recorded, &shopper, args)? {
        router.sample(&typical.question, WARM_UP).await?;
        let before = places.counters.read().await?;
        let mut through = router.sample(&typical.question, args.times).await?;
        let each = places.counters.read().await?.each_since(before, args.times);
        let past = if typical.is_products {
            product.sample(&typical.question, WARM_UP).await?;
            Some(product.sample(&typical.question, args.times).await?)
        } else {
            None
        };
        let rate = router
            .throughput(&typical.question, args.times * 2, args.at_once)
            .await?;
        let mut row = vec![
            typical.what.to_owned(),
            ms(through.percentile(50)),
            ms(through.percentile(99)),
        ];
        row.extend(beside(&mut through, past));
        row.extend([
            format!("{rate:.0}"),
            format!("{:.2}", each.fetches),
            format!("{:.2}", each.statements),
        ]);
        rows.push(row);
    }
    shopper::console::Console::new().line(table(&rows));
    Ok(())
}

fn heading(at_once: usize) -> Vec<String> {
    let rate = format!("a second, {at_once} at once");
    let cells = [
        "operation, ms",
        "router p50",
        "p99",
        "subgraph p50",
        "p99",
        "router to subgraph",
        &rate,
        "fetches",
        "SQL",
    ];
    cells.map(ToOwned::to_owned).to_vec()
}

fn beside(through: &mut Sample, past: Option<Sample>) -> [String; 3] {
    let Some(mut past) = past else {
        return ["-", "-", "-"].map(ToOwned::to_owned);
    };
    let times = ratio(past.percentile(50), through.percentile(50));
    [
        ms(past.percentile(50)),
        ms(past.percentile(99)),
        format!("{times:.2}"),
    ]
}

/// What the questions are about.
struct Prepared {
    session: Session,
    slug: String,
    cart: String,
    order: String,
}

/// A customer with an order and another cart, and a product that is in stock.
async fn prepare(graph: &Graph) -> Result<Prepared> {
    let run = uuid::Uuid::now_v7().simple().to_string();
    let credentials = Credentials {
        email: format!("timekeeper-{run}@mercato.example"),
        password: format!("timekeeper {run}"),
        display_name: "Timekeeper".to_owned(),
    };
    let session = Session::join(graph, credentials).await.context("no account")?;
    let products = graph
        .run::<Catalogue>(None, &First { first: 100 })
        .await?
        .products;
    let sold = |variant: &OfferedVariant| {
        let offered = variant.availability.as_ref();
        offered.is_some_and(|offered| offered.max_order_quantity > 0) && variant.price.currency_code == "USD"
    };
    let found = products.nodes.iter().find_map(|product| {
        let variant = product.variants.iter().find(|variant| sold(variant))?;
        Some((product.slug.clone(), variant.id.clone()))
    });
    let (slug, variant) =
        found.context("nothing is in stock: start it with its seed, or import a catalogue")?;
    let lines = [(variant, 1)];
    let ordered = fill_cart(&session, &format!("{run}-1"), &lines).await?;
    let order = order(&session, &format!("{run}-2"), &ordered, "pm_card_visa").await?;
    let cart = fill_cart(&session, &format!("{run}-3"), &lines).await?;
    Ok(Prepared {
        session,
        slug,
        cart: cart.id,
        order: order.id,
    })
}

fn typical(recorded: &Recordings, about: &Prepared, args: &GraphArgs) -> Result<Vec<Typical>> {
    let slug = json!({ "slug": about.slug });
    let search = |text: &str| json!({ "first": 24, "filter": { "text": text }, "sort": "RELEVANCE" });
    [
        ("categories", "Categories", json!({}), true),
        (
            "first page",
            "Products",
            json!({ "first": 24, "sort": "RELEVANCE" }),
            true,
        ),
        ("search", "Products", search(&args.text), true),
        ("search, misspelt", "Products", search(&args.misspelt), true),
        (
            "count and facets",
            "ProductFacets",
            json!({ "sort": "RELEVANCE" }),
            true,
        ),
        ("a product", "Product", slug.clone(), true),
        ("its availability", "ProductAvailability", slug, false),
        ("50 with availability", "Shelf", json!({ "first": 50 }), false),
        ("a cart", "GuestCart", json!({ "id": about.cart }), false),
        ("an order", "Order", json!({ "id": about.order }), false),
    ]
    .into_iter()
    .map(|(what, name, variables, is_products)| {
        Ok(Typical {
            what,
            question: recorded.question(name, variables)?,
            is_products,
        })
    })
    .collect()
}
