//! What can be pulled, how each stands, and pulling it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dev_stack::stack::{Entry, Plan, ROUTER, SANDBOX, STAFF_ROUTER};
use dev_stack::{Signal, Stack};
use roster::SERVICES;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// A slowed process runs this long and then stands still for [`STANDS`], again and again.
const RUNS: Duration = Duration::from_millis(60);
const STANDS: Duration = Duration::from_millis(240);
/// How long a slowed provider thinks about each request.
const PROVIDER_LATENCY_MS: u64 = 3_000;
const PROBE_TIMEOUT: Duration = Duration::from_millis(400);

/// Made once: making one reads the machine's certificates.
static CLIENT: LazyLock<reqwest::Client> =
    LazyLock::new(|| service_kit::http::client(Duration::from_secs(5)));

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// Kill it, as a crash would; whoever watches the system starts it again.
    Crash,
    /// Kill it, and let it stay away until it is restored.
    Unplug,
    /// Stop it in its tracks, as a machine that hangs would.
    Freeze,
    /// Let it run a fifth of the time; the provider takes seconds for each answer.
    Slow,
    /// As it should be.
    Restore,
}

/// What a process is for the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Service,
    Provider,
    Router,
    Broker,
    Store,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Condition {
    Running,
    Slow,
    Frozen,
    Unplugged,
    Down,
}

/// One process, as the control room shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Plug {
    name: String,
    kind: Kind,
    condition: Condition,
    /// Whether it says of itself that it can serve; `None` where nobody can be asked.
    ready: Option<bool>,
    actions: Vec<Action>,
}

/// Remembers what was slowed: everything else can be seen.
#[derive(Clone, Default)]
pub(super) struct Plugs {
    slowed: Arc<Mutex<BTreeMap<String, CancellationToken>>>,
}

impl Plugs {
    pub(super) async fn list(&self, stack: &Arc<Stack>) -> Vec<Plug> {
        let state = stack.state();
        let shown = state
            .processes
            .iter()
            .filter_map(|entry| Some((entry.clone(), kind(&entry.name)?)));
        let looks = shown.map(|(entry, kind)| {
            let (plugs, plan, held) = (self.clone(), state.plan.clone(), stack.is_held(&entry.name));
            tokio::spawn(async move { plugs.look(&plan, &entry, kind, held).await })
        });
        let mut plugs = Vec::new();
        for look in looks.collect::<Vec<_>>() {
            plugs.extend(look.await);
        }
        plugs
    }

    async fn look(&self, plan: &Plan, entry: &Entry, kind: Kind, held: bool) -> Plug {
        let condition = if held {
            Condition::Unplugged
        } else if !entry.id.is_running() {
            Condition::Down
        } else if self.is_slowed(&entry.name) {
            Condition::Slow
        } else if entry.id.is_frozen() {
            Condition::Frozen
        } else {
            Condition::Running
        };
        let ready = match condition {
            Condition::Unplugged | Condition::Down | Condition::Frozen => Some(false),
            Condition::Running | Condition::Slow => probe(plan, &entry.name).await,
        };
        Plug {
            name: entry.name.clone(),
            kind,
            condition,
            ready,
            actions: actions(kind, condition),
        }
    }

    pub(super) async fn apply(&self, stack: &Arc<Stack>, name: &str, action: Action) -> Result<()> {
        let kind = kind(name).with_context(|| format!("{name} has no plug"))?;
        if action != Action::Restore && !actions(kind, Condition::Running).contains(&action) {
            bail!("{name} can't be pulled like that");
        }
        // Whatever was done before ends first.
        self.undo(stack, name, kind).await?;
        let owned = name.to_owned();
        match action {
            Action::Slow if kind == Kind::Provider => {
                provider_latency(&stack.plan(), PROVIDER_LATENCY_MS).await
            }
            Action::Slow => {
                self.slow(stack, owned);
                Ok(())
            }
            Action::Freeze => stack.signal(name, Signal::Stop),
            Action::Crash => blocking(stack, move |stack| stack.kill(&owned)).await,
            Action::Unplug => blocking(stack, move |stack| stack.hold(&owned)).await,
            Action::Restore => blocking(stack, move |stack| stack.release(&owned)).await,
        }?;
        if action == Action::Slow && kind == Kind::Provider {
            self.remember(name.to_owned());
        }
        Ok(())
    }

    /// Thaws, speeds up; what is not there stays away.
    async fn undo(&self, stack: &Arc<Stack>, name: &str, kind: Kind) -> Result<()> {
        let slowed = self.lock().remove(name);
        if let Some(slowed) = slowed {
            slowed.cancel();
            if kind == Kind::Provider && !stack.is_held(name) {
                provider_latency(&stack.plan(), 0).await?;
            }
        }
        stack.signal(name, Signal::Continue)
    }

    /// Stops and continues the process in turns until somebody cancels.
    fn slow(&self, stack: &Arc<Stack>, name: String) {
        let stop = self.remember(name.clone());
        let stack = stack.clone();
        tokio::spawn(async move {
            loop {
                // A process that is gone has nothing more to be slowed.
                let entry = stack.state().entry(&name).cloned();
                if !entry.is_some_and(|entry| entry.id.is_running())
                    || stack.signal(&name, Signal::Stop).is_err()
                {
                    break;
                }
                let stood = stop.run_until_cancelled(tokio::time::sleep(STANDS)).await;
                let went = stack.signal(&name, Signal::Continue);
                if stood.is_none() || went.is_err() {
                    break;
                }
                if stop.run_until_cancelled(tokio::time::sleep(RUNS)).await.is_none() {
                    break;
                }
            }
        });
    }

    fn remember(&self, name: String) -> CancellationToken {
        let token = CancellationToken::new();
        if let Some(before) = self.lock().insert(name, token.clone()) {
            before.cancel();
        }
        token
    }

    fn is_slowed(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, CancellationToken>> {
        self.slowed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn blocking(
    stack: &Arc<Stack>,
    work: impl FnOnce(&Stack) -> Result<()> + Send + 'static,
) -> Result<()> {
    let stack = stack.clone();
    tokio::task::spawn_blocking(move || work(&stack)).await?
}

/// The edge itself has no plug: nobody could put it back.
fn kind(name: &str) -> Option<Kind> {
    let is_service = |service: &str| {
        let replica = name.strip_prefix(service).and_then(|rest| rest.strip_prefix('-'));
        name == service || replica.is_some_and(|number| number.parse::<u8>().is_ok())
    };
    match name {
        SANDBOX => Some(Kind::Provider),
        ROUTER | STAFF_ROUTER => Some(Kind::Router),
        "rabbitmq" => Some(Kind::Broker),
        "redis" | "postgres" => Some(Kind::Store),
        _ => SERVICES.into_iter().any(is_service).then_some(Kind::Service),
    }
}

fn actions(kind: Kind, condition: Condition) -> Vec<Action> {
    let pulls: &[Action] = match kind {
        Kind::Service | Kind::Provider | Kind::Router => {
            &[Action::Crash, Action::Unplug, Action::Freeze, Action::Slow]
        }
        Kind::Broker => &[Action::Crash, Action::Unplug, Action::Freeze],
        // PostgreSQL works in processes of its own, which go on while the first stands still.
        Kind::Store => &[Action::Crash, Action::Unplug],
    };
    match condition {
        Condition::Running => pulls.to_vec(),
        _ => vec![Action::Restore],
    }
}

/// Whether the process answers that it is ready.
async fn probe(plan: &Plan, name: &str) -> Option<bool> {
    let (address, path) = plan.readiness(name).ok()?;
    let request = CLIENT
        .get(format!("http://{address}{path}"))
        .timeout(PROBE_TIMEOUT);
    let answer = request.send().await;
    Some(answer.is_ok_and(|answer| answer.status().is_success()))
}

async fn provider_latency(plan: &Plan, latency_ms: u64) -> Result<()> {
    CLIENT
        .patch(format!("{}/_sandbox/settings", plan.psp_url()))
        .bearer_auth(&plan.psp_api_key)
        .json(&json!({ "latency_ms": latency_ms }))
        .send()
        .await?
        .error_for_status()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_and_strangers_have_no_plug() {
        assert_eq!(kind("order"), Some(Kind::Service));
        assert_eq!(kind("order-2"), Some(Kind::Service));
        assert_eq!(kind("psp-sandbox"), Some(Kind::Provider));
        for name in ["edge", "epmd", "order-x", "billing"] {
            assert_eq!(kind(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_pulled_can_only_be_restored() {
        assert_eq!(
            actions(Kind::Store, Condition::Running),
            [Action::Crash, Action::Unplug]
        );
        for condition in [
            Condition::Slow,
            Condition::Frozen,
            Condition::Unplugged,
            Condition::Down,
        ] {
            assert_eq!(actions(Kind::Service, condition), [Action::Restore]);
        }
    }
}
