//! How often one may ask: each user, each address and each class of operation by itself. On twins with small limits.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::SinkExt;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::Case;
use crate::answer::Answer;
use crate::doors::hear;
use crate::ledger::Group;
use crate::people::PASSWORD;
use crate::twin::Twin;
use crate::world::{GATEWAY_KEY, World};

/// In Redis, where no service counts.
const OWN_DATABASE: u8 = 15;

pub(crate) const CASES: &[Case] = &[
    ("rates: users, addresses and classes", rates),
    ("rates: subscriptions", subscriptions),
    ("rates: without Redis", without_redis),
];

const LIMITED: &[&str] = &["429 RATE_LIMITED"];
const QUERY: &str = "{ categories { id } }";

/// Who asks a twin.
#[derive(Clone, Copy, Default)]
struct Asker<'a> {
    token: Option<&'a str>,
    forwarded: Option<&'a str>,
}

impl World {
    async fn ask_twin(&self, twin: &Twin, asker: Asker<'_>, body: &Value) -> Result<(Answer, Option<u64>)> {
        let mut request = self
            .http
            .post(format!("http://127.0.0.1:{}/graphql", twin.graphql))
            .header("accept", "application/graphql-response+json")
            .header("content-type", "application/json")
            .header("x-gateway-key", GATEWAY_KEY)
            .body(body.to_string());
        if let Some(token) = asker.token {
            request = request.bearer_auth(token);
        }
        if let Some(address) = asker.forwarded {
            request = request.header("x-forwarded-for", address);
        }
        let response = request.send().await?;
        let wait = response.headers().get("retry-after");
        let wait = wait.and_then(|value| value.to_str().ok()?.parse().ok());
        Ok((Answer::read(response).await?, wait))
    }

    /// A twin with these limits, which counts where nobody else does.
    async fn counting_twin(&self, name: &str, rates: &str) -> Result<Twin> {
        let redis = format!("{}/{OWN_DATABASE}", self.stack.plan().stores.redis);
        self.twin(name, &[("API_RATES", rates), ("REDIS_URL", &redis)])
            .await
    }

    /// What a twin has decided so far about one class of operations.
    async fn decisions(&self, twin: &Twin, class: &str) -> Result<Decisions> {
        let metrics = self.http.get(format!("http://127.0.0.1:{}/metrics", twin.ops));
        let metrics = metrics.send().await?.text().await?;
        let count = |outcome: &str| {
            let sample = format!("rate_limit_decisions_total{{class=\"{class}\",outcome=\"{outcome}\"}} ");
            let found = metrics
                .lines()
                .find_map(|line| line.strip_prefix(&sample)?.parse().ok());
            found.unwrap_or(0)
        };
        Ok(Decisions {
            admitted: count("admitted"),
            limited: count("limited"),
            unchecked: count("unchecked"),
        })
    }

    /// Asks until the question was counted: on a machine that is busy Redis may not answer in time, and then whoever
    /// asks is let through, and nothing is taken.
    async fn ask_counted(&self, twin: &Twin, class: &str, asker: Asker<'_>, body: &Value) -> Result<Answer> {
        for _ in 0..100 {
            let before = self.decisions(twin, class).await?.unchecked;
            let (answer, _) = self.ask_twin(twin, asker, body).await?;
            if self.decisions(twin, class).await?.unchecked == before {
                return Ok(answer);
            }
            // A breaker that is open closes after two seconds.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("Redis counts nothing")
    }

    /// So many at once: how many were refused, each as it should be.
    async fn flood(&self, twin: &Twin, group: &Group<'_>, name: &str, flood: Flood<'_>) -> Result<()> {
        let Flood { asker, sent, bucket } = flood;
        let body = json!({ "query": QUERY });
        let before = self.decisions(twin, "query").await?;
        let answers = join_all((0..sent).map(|_| self.ask_twin(twin, asker, &body))).await;
        let mut let_through = 0;
        for answer in answers {
            let (answer, wait) = answer?;
            if answer.outcome.starts_with("200") {
                let_through += 1;
                continue;
            }
            group.refused(format!("{name}: one too many"), &answer, LIMITED);
            let told = answer.json()["errors"][0]["extensions"]["retryAfterSeconds"].as_u64();
            group.judged(
                format!("{name}: is told when to come back"),
                told.is_some_and(|told| told > 0) && told == wait,
                format!("{told:?} and {wait:?}"),
            );
        }
        let made = self.decisions(twin, "query").await?.since(before);
        let (free, most) = (bucket.free, bucket.free + bucket.refilled());
        let good = (free..=most).contains(&made.admitted)
            && made.admitted + made.unchecked == let_through
            && made.sum() == sent as u64;
        group.control(
            format!("{name}: {free} of {sent} at once"),
            good,
            format!("{let_through} let through, {made:?}, {most} allowed by now"),
        );
        Ok(())
    }
}

/// What became of requests.
#[derive(Debug, Clone, Copy)]
struct Decisions {
    admitted: u64,
    limited: u64,
    /// Let through, because Redis did not answer in time.
    unchecked: u64,
}

impl Decisions {
    const fn since(self, before: Self) -> Self {
        Self {
            admitted: self.admitted - before.admitted,
            limited: self.limited - before.limited,
            unchecked: self.unchecked - before.unchecked,
        }
    }

    const fn sum(self) -> u64 {
        self.admitted + self.limited + self.unchecked
    }
}

/// A bucket, as it was when it was first used.
#[derive(Clone, Copy)]
struct Bucket {
    /// Free at least.
    free: u64,
    /// How long one place takes to become free again.
    each: Duration,
    begun: Instant,
}

impl Bucket {
    fn new(free: u64, each: Duration) -> Self {
        let begun = Instant::now();
        Self { free, each, begun }
    }

    /// The same when all of it was used.
    const fn empty(self) -> Self {
        Self { free: 0, ..self }
    }

    /// Places that have become free since: on a machine that is slow enough, more than none.
    fn refilled(&self) -> u64 {
        let since = self.begun.elapsed() + Duration::from_millis(1);
        u64::try_from(since.as_millis() / self.each.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Requests at once.
struct Flood<'a> {
    asker: Asker<'a>,
    sent: usize,
    bucket: Bucket,
}

fn rates(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let newcomer = world.newcomer("rita").await?;
        let group = Group::begin(world, "rates").await?;
        // A place a minute, so that none becomes free while we look; an address has four times as many.
        let twin = world.counting_twin("product", "query=1/5,mutation=1/3").await?;
        let (ada, bob) = (&world.people.ada.token, &world.people.bob.token);
        let user = |token| Asker { token: Some(token), ..Asker::default() };
        let address = |address| Asker { forwarded: Some(address), ..Asker::default() };
        let of_user = || Bucket::new(5, Duration::from_mins(1));
        let of_address = || Bucket::new(20, Duration::from_secs(15));
        let flood = async |name, asker, sent, bucket| {
            world.flood(&twin, &group, name, Flood { asker, sent, bucket }).await
        };
        let adas = of_user();
        flood("a user", user(ada), 20, adas).await?;
        flood("another user", user(bob), 20, of_user()).await?;
        let elsewhere = Asker { token: Some(ada), forwarded: Some("198.51.100.9") };
        flood("the user from another address", elsewhere, 5, adas.empty()).await?;
        let one = of_address();
        flood("an address", address("192.0.2.7"), 40, one).await?;
        flood("an address that claims to be another", address("203.0.113.1, 192.0.2.7"), 5, one.empty()).await?;
        let network = of_address();
        flood("a network of IPv6", address("2001:db8:1:2::1"), 40, network).await?;
        flood("another address of it", address("2001:db8:1:2:ffff::2"), 5, network.empty()).await?;
        // Changes have a bucket of their own, and each in a document counts.
        let create = |count: usize| {
            let one = |n| format!("m{n}: setVariantPrice(input: {{variantId: \"nonsense\", price: {{amount: \"1.00\", currencyCode: \"USD\"}}, expectedVersion: 1}}) {{ userErrors {{ code }} }} ");
            let all: String = (0..count).map(one).collect();
            json!({ "query": format!("mutation {{ {all} }}") })
        };
        let change = async |count| world.ask_counted(&twin, "mutation", user(ada), &create(count)).await;
        let first = change(2).await?;
        group.control("two changes while reads are used up", first.outcome != "429 RATE_LIMITED", first.outcome);
        group.refused("two more changes in one document, with one left", &change(2).await?, LIMITED);
        let answer = change(1).await?;
        group.control("the one that is left", answer.outcome != "429 RATE_LIMITED", answer.outcome);
        // A bad document costs nothing, and none is let through for it.
        let (answer, _) = world.ask_twin(&twin, user(ada), &json!({ "query": "{" })).await?;
        group.refused("no document at all", &answer, &["400 BAD_USER_INPUT"]);
        let quick = world.counting_twin("product", "query=120/1").await?;
        let bucket = Bucket::new(1, Duration::from_millis(500));
        let asker = user(&newcomer.token);
        world.flood(&quick, &group, "a newcomer", Flood { asker, sent: 5, bucket }).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let answer = world.ask_counted(&quick, "query", asker, &json!({ "query": QUERY })).await?;
        group.control("after the time that was told", answer.outcome.starts_with("200"), answer.outcome);
        group.end().await
    })
}

fn subscriptions(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "rates: subscriptions").await?;
        let twin = world.counting_twin("order", "subscription=1/3").await?;
        let address = format!("ws://127.0.0.1:{}/graphql/ws", twin.public);
        let mut socket = world.dial_at(&address, &[]).await?;
        let say = |message: Value| Message::text(message.to_string());
        let token = format!("Bearer {}", world.people.ada.token);
        socket
            .send(say(
                json!({ "type": "connection_init", "payload": { "authorization": token } }),
            ))
            .await?;
        group.control(
            "the socket",
            hear(&mut socket).await?.outcome == "connection_ack",
            "connection_ack",
        );
        let query = format!(
            "subscription {{ orderProgress(orderId: \"{}\") {{ event {{ sequence }} }} }}",
            world.people.order
        );
        let mut refused = 0;
        for n in 0..6 {
            let id = format!("s{n}");
            socket
                .send(say(
                    json!({ "type": "subscribe", "id": id, "payload": { "query": query } }),
                ))
                .await?;
        }
        let mut made = world.decisions(&twin, "subscription").await?;
        for _ in 0..100 {
            if made.sum() == 6 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            made = world.decisions(&twin, "subscription").await?;
        }
        // Each that is let in tells at least one step; the others end with an error.
        for _ in 0..200 {
            if refused == made.limited {
                break;
            }
            let answer = hear(&mut socket).await.context("the six answers")?;
            if answer.outcome.starts_with("error") {
                group.refused("one too many", &answer, &["error RATE_LIMITED"]);
                refused += 1;
            }
        }
        // Whom Redis does not count in time is let through.
        group.judged(
            "all but three of six at once are refused",
            made.sum() == 6 && made.admitted == 3 && refused == made.limited,
            format!("{refused} refused, {made:?}"),
        );
        group.end().await
    })
}

/// Limits of the API open, limits of logins stay shut.
fn without_redis(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "rates: without Redis").await?;
        let nowhere = ("REDIS_URL", "redis://127.0.0.1:1/0");
        let twin = world.twin("product", &[("API_RATES", "query=1/1"), nowhere]).await?;
        let ada = Asker { token: Some(&world.people.ada.token), ..Asker::default() };
        let mut answered = 0;
        for _ in 0..10 {
            let (answer, _) = world.ask_twin(&twin, ada, &json!({ "query": QUERY })).await?;
            answered += usize::from(answer.outcome.starts_with("200"));
        }
        group.control("everybody is answered", answered == 10, format!("{answered} of 10"));
        let metrics = world.http.get(format!("http://127.0.0.1:{}/metrics", twin.ops)).send().await?.text().await?;
        let counted = metrics.lines().any(|line| line.starts_with("rate_limit_decisions_total") && line.contains("unchecked"));
        group.control("a metric counts them", counted, "rate_limit_decisions_total");
        let log = std::fs::read_to_string(&twin.log)?;
        let lines = log.matches("API limits can't be counted").count();
        group.control("the log says so once", lines == 1, format!("{lines} lines"));
        let auth = world.twin("auth", &[nowhere]).await?;
        for password in [PASSWORD, "wrong horse battery"] {
            let email = [world.people.ada.email.clone(), format!("{}@example.com", Uuid::now_v7().simple())];
            for email in email {
                let login = json!({
                    "query": "mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } userErrors { code } } }",
                    "variables": { "input": { "email": email, "password": password } },
                });
                let (answer, _) = world.ask_twin(&auth, Asker::default(), &login).await?;
                group.refused("a login that can't be counted", &answer, &["200 UNAVAILABLE", "503 UNAVAILABLE"]);
            }
        }
        let (answer, _) = world.ask_twin(&auth, ada, &json!({ "query": "{ me { id } }" })).await?;
        group.works("whoever is signed in goes on", &answer);
        group.end().await
    })
}
