//! A thousand tokens under keys that nobody has: each is refused, and the key set is asked for a few times at most.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Case;
use crate::answer::Answer;
use crate::doors::Door;
use crate::ledger::Group;
use crate::twin::Twin;
use crate::world::{GATEWAY_KEY, World};

pub(crate) const CASES: &[Case] = &[("jwt: 1,000 unknown keys", unknown_keys)];

const TOKENS: usize = 1_000;
const AT_ONCE: usize = 16;
/// An unknown key has the set fetched again at most once in this time.
const EVERY: Duration = Duration::from_secs(30);

/// Gives the key set of auth to whoever asks, and counts.
struct KeySet {
    url: String,
    calls: Arc<AtomicUsize>,
}

impl KeySet {
    async fn of(world: &World) -> Result<Self> {
        let port = world.stack.plan().ports_of("auth")?.public;
        let source = format!("http://127.0.0.1:{port}/.well-known/jwks.json");
        let body = world
            .http
            .get(source)
            .send()
            .await?
            .error_for_status()?
            .text()
            .await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/.well-known/jwks.json", listener.local_addr()?);
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                // Whoever hangs up has asked all the same.
                let _ = serve(stream, &body).await;
            }
        });
        Ok(Self { url, calls })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

async fn serve(mut stream: TcpStream, body: &str) -> std::io::Result<()> {
    let mut head = [0; 4096];
    // One read holds the whole of a GET.
    let _ = stream.read(&mut head).await?;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

impl World {
    async fn show_twin(&self, twin: &Twin, token: &str, body: &Value) -> Result<Answer> {
        let request = self
            .http
            .post(format!("http://127.0.0.1:{}/graphql", twin.graphql))
            .header("accept", "application/graphql-response+json")
            .header("x-gateway-key", GATEWAY_KEY)
            .bearer_auth(token)
            .json(body);
        Answer::read(request.send().await?).await
    }
}

fn unknown_keys(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "jwt: unknown keys").await?;
        let keys = KeySet::of(world).await?;
        let twin = world.twin("product", &[("JWKS_URL", &keys.url)]).await?;
        let mould = world.forge.user();
        let good = mould.good();
        let harmless = json!({ "query": "{ __typename }" });
        let answer = world.show_twin(&twin, &good, &harmless).await?;
        group.works("a good token before", &answer);
        let calls = keys.calls();
        let prize = world.prize(Door::Service("product"));
        let half = TOKENS / 2;
        let flood = async |numbers: Range<usize>| {
            stream::iter(numbers)
                .map(|number| mould.with_header("kid", json!(format!("{}", 2_000_000_000 + number))))
                .map(Ok)
                .try_for_each_concurrent(AT_ONCE, async |token| {
                    let answer = world
                        .show_twin(&twin, &token, &prize)
                        .await
                        .context("an answer")?;
                    group.refused(
                        "a token under a key that nobody has",
                        &answer,
                        &["401 UNAUTHENTICATED"],
                    );
                    anyhow::Ok(())
                })
                .await
        };
        // The set was fetched a moment ago, so none of these has it fetched again; of the others one has.
        let begun = Instant::now();
        flood(0..half).await?;
        tokio::time::sleep(EVERY + Duration::from_secs(1)).await;
        flood(half..TOKENS).await?;
        let asked = keys.calls() - calls;
        // One for each half minute; one more because what is known grows old.
        let most = 1 + usize::try_from(begun.elapsed().as_secs() / EVERY.as_secs())?;
        group.judged(
            format!("{TOKENS} unknown keys ask for the key set a few times"),
            (1..=most).contains(&asked),
            format!("{asked} times in {:.1} s", begun.elapsed().as_secs_f64()),
        );
        let answer = world.show_twin(&twin, &good, &harmless).await?;
        group.works("a good token after", &answer);
        group.end().await
    })
}
