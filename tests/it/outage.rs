//! A subgraph that is away takes its own fields with it and nothing else: what the shop asks for still comes, and one
//! coded error names the part that is missing.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Case;
use crate::client::Graph;
use crate::coupons::{apply, coupon};
use crate::world::{World, eventually, fresh_key, root};

pub(crate) const CASES: &[Case] = &[
    (
        "without inventory, availability and stock alone are missing",
        inventory,
    ),
    ("without product, carts and orders can still be read", product),
    ("without cart, carts alone are missing", cart),
    ("without payment, payments alone are missing", payment),
    ("without order, orders alone are missing", order),
    ("without auth, accounts alone are missing", auth),
    ("without webhook, the shop misses nothing", webhook),
    ("without review, what people say is missing", review),
    ("without notification, what one was told is missing", notification),
    (
        "without analytics, what goes with a product is missing",
        analytics,
    ),
];

/// How long a process that was killed may take until everything is as it was.
const RECOVERY: Duration = Duration::from_secs(30);
/// The shop's own operations, in one document.
const OPERATIONS: [&str; 6] = ["catalogue", "cart", "notification", "order", "review", "session"];
/// What says that a part did not answer, and not that it was asked for something wrong.
const CODES: [&str; 3] = ["UNAVAILABLE", "SUBREQUEST_HTTP_ERROR", "GATEWAY_TIMEOUT"];

/// An operation of the shop, and the paths that are null without the subgraph; a path of "" is the whole answer.
type Expected = (&'static str, &'static [&'static str]);

/// A customer with a filled cart and a paid order.
struct Shop {
    ada: Graph,
    document: String,
    slug: String,
    cart: String,
    order: String,
}

impl Shop {
    async fn open(world: &World) -> Result<Self> {
        let ada = world.customer().await?;
        let variant = world.product(10).await?;
        let order = ada.buy(&variant, 1, "pm_card_visa").await?;
        eventually(RECOVERY, "the order is paid", || async {
            Ok(ada.order(&order).await?["status"] == "PAID")
        })
        .await?;
        let cart = ada.cart(&variant, 2).await?;
        let code = coupon(world, json!({})).await?;
        apply(&ada, &cart, &code).await?;
        // Who hears of an order later: their answers stand still before anything is stopped.
        let heard = "query ($slug: String!) { product(slug: $slug) { viewerCanReview }
            me { notifications(first: 5) { nodes { kind } } } }";
        eventually(RECOVERY, "all have heard of the order", || async {
            let data = ada.ask(heard, json!({ "slug": variant.slug })).await?["data"].take();
            let told = data["me"]["notifications"]["nodes"].as_array().map(Vec::len);
            Ok(data["product"]["viewerCanReview"] == true && told == Some(2))
        })
        .await?;
        let product = ada
            .data(
                "query ($slug: String) { product(slug: $slug) { id } }",
                json!({ "slug": variant.slug }),
            )
            .await?;
        let input = json!({ "productId": product["product"]["id"], "rating": 4, "title": "Good", "body": "As told.",
            "idempotencyKey": fresh_key() });
        let said =
            "mutation ($input: CreateReviewInput!) { createReview(input: $input) { userErrors { code } } }";
        let data = ada.data(said, json!({ "input": input })).await?;
        ensure!(data["createReview"]["userErrors"] == json!([]), "{data}");
        let mut document = String::new();
        for name in OPERATIONS {
            let file = root().join(format!("web-demo/src/operations/{name}.graphql"));
            document += &std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        }
        Ok(Self {
            ada,
            document,
            slug: variant.slug,
            cart,
            order,
        })
    }

    async fn ask(&self, operation: &str) -> Result<Value> {
        let variables = match operation {
            "Product" | "ProductAvailability" | "OwnReview" => json!({ "slug": self.slug }),
            "BoughtWith" => json!({ "slug": self.slug, "first": 4 }),
            "ProductReviews" => json!({ "slug": self.slug, "first": 5, "sort": "NEWEST" }),
            "ShippingEstimate" => json!({ "slug": self.slug, "countryCode": "DE", "quantity": 1 }),
            "Products" => json!({ "first": 5, "sort": "NEWEST" }),
            "ProductFacets" => json!({ "sort": "NEWEST" }),
            "GuestCart" | "CartCoupon" => json!({ "id": self.cart }),
            "Order" | "OrderPayment" => json!({ "id": self.order }),
            "OrderHistory" => json!({ "first": 5 }),
            "Notices" => json!({ "first": 1 }),
            _ => json!({}),
        };
        self.ada.ask_named(&self.document, operation, variables).await
    }
}

/// Every operation the cases ask for; each case says what it misses, and all others must answer as ever.
const ALL: [&str; 19] = [
    "Categories",
    "ProductFacets",
    "Sessions",
    "CartCoupon",
    "Product",
    "ProductAvailability",
    "ShippingEstimate",
    "Products",
    "GuestCart",
    "ViewerCart",
    "Order",
    "OrderPayment",
    "OrderHistory",
    "ProductReviews",
    "OwnReview",
    "BoughtWith",
    "UnreadNotices",
    "Notices",
    "NoticePreferences",
];

/// Asks for everything with and without the processes of a subgraph, and once more when they are back.
fn without(world: &World, processes: &[&str], expected: &[Expected]) -> Result<()> {
    let shop = world.runtime.block_on(Shop::open(world))?;
    let mut whole = Vec::new();
    for operation in ALL {
        let answer = world.runtime.block_on(shop.ask(operation))?;
        ensure!(answer.get("errors").is_none(), "{operation}: {answer}");
        whole.push(answer["data"].clone());
    }
    for process in processes {
        world.stack.kill(process)?;
    }
    let found: Result<Vec<Value>> = ALL
        .iter()
        .map(|operation| world.runtime.block_on(shop.ask(operation)))
        .collect();
    // All are started again, also after one that could not be: the cases that follow need them.
    let started: Vec<_> = processes
        .iter()
        .map(|process| world.stack.start_again(process))
        .collect();
    started.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
    let mut wrong = Vec::new();
    for ((operation, whole), found) in ALL.iter().zip(&whole).zip(found?) {
        let missing = expected.iter().find(|(name, _)| name == operation);
        let missing: BTreeSet<&str> = missing
            .map(|(_, paths)| *paths)
            .unwrap_or_default()
            .iter()
            .copied()
            .collect();
        if let Err(error) = compare(whole, &found, &missing) {
            wrong.push(format!("{operation}: {error:#}: {found}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (operation, whole) in ALL.iter().zip(&whole) {
        world.runtime.block_on(eventually(RECOVERY, operation, || async {
            Ok(differences(whole, &shop.ask(operation).await?["data"]).is_empty())
        }))?;
    }
    Ok(())
}

/// The answer lacks exactly `missing`, and says once that something is.
fn compare(whole: &Value, found: &Value, missing: &BTreeSet<&str>) -> Result<()> {
    let differences = differences(whole, &found["data"]);
    let lost: BTreeSet<&str> = differences.iter().map(String::as_str).collect();
    ensure!(
        lost == *missing,
        "{lost:?} are missing or changed, not {missing:?}"
    );
    let errors = found["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    ensure!(
        errors.len() == usize::from(!missing.is_empty()),
        "{} errors",
        errors.len()
    );
    for error in errors {
        let code = error["extensions"]["code"].as_str().unwrap_or_default();
        ensure!(CODES.contains(&code), "an error of code {code:?}");
        let path = error_path(error);
        let names = |lost: &str| path.starts_with(lost) || lost.starts_with(&path);
        ensure!(missing.iter().all(|lost| names(lost)), "an error at {path:?}");
    }
    Ok(())
}

/// Where an error says it is, array indices left out; "" for one of the whole answer.
fn error_path(error: &Value) -> String {
    let mut path = String::new();
    for part in error["path"].as_array().into_iter().flatten() {
        match part.as_str() {
            Some("@") | None => path += "[]",
            Some(name) if path.is_empty() => path += name,
            Some(name) => path = format!("{path}.{name}"),
        }
    }
    path
}

/// Paths at which two answers differ, array indices left out; below a null nothing is compared.
fn differences(whole: &Value, found: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    descend(whole, found, "", &mut paths);
    paths
}

fn descend(whole: &Value, found: &Value, path: &str, paths: &mut BTreeSet<String>) {
    match (whole, found) {
        (Value::Object(whole), Value::Object(found)) => {
            for (name, value) in whole {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                descend(value, found.get(name).unwrap_or(&Value::Null), &below, paths);
            }
        }
        (Value::Array(whole), Value::Array(found)) if whole.len() == found.len() => {
            for (whole, found) in whole.iter().zip(found) {
                descend(whole, found, &format!("{path}[]"), paths);
            }
        }
        // When it was looked at, which is another time each time.
        _ if path.ends_with(".asOf") && found.is_string() => {}
        _ if whole == found => {}
        _ => {
            paths.insert(path.to_owned());
        }
    }
}

fn inventory(world: &World) -> Result<()> {
    without(
        world,
        &["inventory"],
        &[
            ("ProductAvailability", &["product.variants[].availability"]),
            ("ShippingEstimate", &["product.variants[].shippingEstimate"]),
            ("GuestCart", &["cart.lines[].variant.availability"]),
            ("ViewerCart", &["me.activeCart.lines[].variant.availability"]),
        ],
    )
}

fn product(world: &World) -> Result<()> {
    without(
        world,
        &["product"],
        &[
            ("Categories", &[""]),
            ("ProductFacets", &[""]),
            ("Product", &[""]),
            ("ProductAvailability", &["product"]),
            ("ShippingEstimate", &["product"]),
            ("Products", &[""]),
            ("ProductReviews", &["product"]),
            ("OwnReview", &["product"]),
            ("BoughtWith", &["product"]),
            ("GuestCart", &["cart.lines[].variant"]),
            ("ViewerCart", &["me.activeCart.lines[].variant"]),
            ("Order", &["order.lines[].variant"]),
        ],
    )
}

fn cart(world: &World) -> Result<()> {
    without(
        world,
        &["cart"],
        &[
            ("GuestCart", &["cart"]),
            ("CartCoupon", &["cart"]),
            ("ViewerCart", &["me.activeCart"]),
        ],
    )
}

fn payment(world: &World) -> Result<()> {
    without(
        world,
        &["payment"],
        &[("OrderPayment", &["order.amountDue", "order.payment"])],
    )
}

fn order(world: &World) -> Result<()> {
    without(
        world,
        &["order", "order-2"],
        &[
            ("CartCoupon", &["cart.coupon"]),
            ("Order", &["order"]),
            ("OrderPayment", &["order"]),
            ("OrderHistory", &["me.orders"]),
            ("Notices", &["me.notifications.nodes[].order"]),
        ],
    )
}

fn auth(world: &World) -> Result<()> {
    without(
        world,
        &["auth"],
        &[
            ("Sessions", &[""]),
            ("ViewerCart", &["me"]),
            ("OrderHistory", &["me"]),
            ("UnreadNotices", &["me"]),
            ("Notices", &["me"]),
            ("NoticePreferences", &["me"]),
        ],
    )
}

fn review(world: &World) -> Result<()> {
    let said = &["product.averageRating", "product.reviewCount", "product.reviews"];
    without(
        world,
        &["review"],
        &[
            ("ProductReviews", said),
            ("OwnReview", &["product.viewerCanReview", "product.viewerReview"]),
        ],
    )
}

fn notification(world: &World) -> Result<()> {
    without(
        world,
        &["notification"],
        &[
            ("UnreadNotices", &["me.unreadNotificationCount"]),
            ("Notices", &["me.notifications"]),
            ("NoticePreferences", &["me.notificationPreferences"]),
        ],
    )
}

/// It tells other systems: nothing the shop asks for comes from it.
fn webhook(world: &World) -> Result<()> {
    without(world, &["webhook"], &[])
}

fn analytics(world: &World) -> Result<()> {
    without(world, &["analytics"], &[("BoughtWith", &["product.boughtWith"])])
}
