//! Whether a page far down a list costs what the first does.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::door::{Door, Question};
use crate::operations::Recordings;
use crate::sample::{Sample, ms, ratio};
use crate::table::table;

/// Most products that can be asked for at once: to walk down a list.
const STRIDE: usize = 100;
/// Asked before anything is timed: plans, caches and connections are warm.
const WARM_UP: usize = 20;

/// Time page 1 and a page far down, in every order.
#[derive(Debug, Clone, clap::Args)]
pub struct PagesArgs {
    /// Products on a page.
    #[arg(long, default_value_t = 24)]
    first: usize,
    /// Which page is compared with the first.
    #[arg(long, default_value_t = 500)]
    page: usize,
    /// How often each is asked.
    #[arg(long, default_value_t = 400)]
    times: usize,
    /// A text that very many products have.
    #[arg(long, default_value = "national")]
    text: String,
    /// Ask product itself, past the router.
    #[arg(long)]
    pub past: bool,
    /// Exit with 1 if the far page's p99 is more than so many times the first one's, in any order.
    #[arg(long, value_name = "RATIO")]
    most: Option<f64>,
}

/// Prints the table; whether each ratio is small enough.
pub async fn run(door: &Door, recorded: &Recordings, args: &PagesArgs) -> Result<bool> {
    let mut rows = vec![heading(args.page)];
    let mut worst: f64 = 0.0;
    let searched = json!({ "text": args.text });
    for (name, sort, filter) in [
        ("newest", "NEWEST", Value::Null),
        ("cheapest", "PRICE_ASC", Value::Null),
        ("dearest", "PRICE_DESC", Value::Null),
        ("title", "TITLE", Value::Null),
        ("text, best match", "RELEVANCE", searched.clone()),
        ("text, cheapest", "PRICE_ASC", searched),
    ] {
        let list = |first: usize, after: &Value| {
            let asked = json!({ "first": first, "after": after, "sort": sort, "filter": filter });
            recorded.question("Products", asked)
        };
        let near = list(args.first, &Value::Null)?;
        let after = walk(door, &list, (args.page - 1) * args.first).await;
        let far = list(
            args.first,
            &after.with_context(|| format!("the list in the order {sort}"))?,
        )?;
        let (mut near, mut far) = in_turns(door, &near, &far, args.times).await?;
        let (p99_near, p99_far) = (near.percentile(99), far.percentile(99));
        worst = worst.max(ratio(p99_near, p99_far));
        rows.push(vec![
            name.to_owned(),
            ms(near.percentile(50)),
            ms(far.percentile(50)),
            format!("{:.2}", ratio(near.percentile(50), far.percentile(50))),
            ms(p99_near),
            ms(p99_far),
            format!("{:.2}", ratio(p99_near, p99_far)),
        ]);
    }
    shopper::console::Console::new().line(table(&rows));
    Ok(args.most.is_none_or(|most| worst <= most))
}

fn heading(page: usize) -> Vec<String> {
    let (far50, far99) = (format!("page {page} p50"), format!("page {page} p99"));
    let cells = [
        "order, ms",
        "page 1 p50",
        &far50,
        "ratio",
        "page 1 p99",
        &far99,
        "ratio",
    ];
    cells.map(ToOwned::to_owned).to_vec()
}

/// The cursor behind the first `skipped` products.
async fn walk(
    door: &Door,
    list: &impl Fn(usize, &Value) -> Result<Question>,
    mut skipped: usize,
) -> Result<Value> {
    let mut after = Value::Null;
    while skipped > 0 {
        let stride = skipped.min(STRIDE);
        let (mut data, _) = door.ask(&list(stride, &after)?).await?;
        let info = data["products"]["pageInfo"].take();
        if info["hasNextPage"] != true {
            bail!("it is too short: load the catalogue with `cargo xtask import`");
        }
        after = info["endCursor"].clone();
        skipped -= stride;
    }
    Ok(after)
}

/// Asks one and the other in turns, so that what disturbs the machine disturbs both.
async fn in_turns(door: &Door, near: &Question, far: &Question, times: usize) -> Result<(Sample, Sample)> {
    for _ in 0..WARM_UP {
        door.time(near).await?;
        door.time(far).await?;
    }
    let (mut first, mut second) = (Sample::default(), Sample::default());
    for _ in 0..times {
        first.add(door.time(near).await?);
        second.add(door.time(far).await?);
    }
    Ok((first, second))
}
