//! Where the stores are: named by the environment, or private ones of this process.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use dev_stack::servers::{Postgres, RabbitMq, Redis, scratch_folder};
use service_kit::Env;
use tokio::sync::OnceCell;

/// The address that `variable` names, or that of the server that `start` starts, once per process.
async fn address(
    cell: &'static OnceCell<String>,
    variable: &'static str,
    start: fn(PathBuf) -> String,
) -> String {
    let find = async || {
        let named = Env::process().maybe::<String>(variable).flatten();
        match named {
            Some(url) => url,
            None => tokio::task::spawn_blocking(move || start(folder()))
                .await
                .expect("a private server"),
        }
    };
    cell.get_or_init(find).await.clone()
}

/// A folder that outlives every test of the process and not the process: a shell waits for our end.
fn folder() -> PathBuf {
    let path = scratch_folder().expect("a temporary folder").keep();
    let wait = "(while kill -0 \"$1\" 2>/dev/null; do sleep 1; done; sleep 1; rm -rf -- \"$2\") &";
    Command::new("sh")
        .args(["-c", wait, "sh", &std::process::id().to_string()])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("a shell");
    path
}

/// Keeps a private server until the process ends; it is bound to us.
fn kept<S>(server: S, url: impl Fn(&S) -> String) -> String {
    let url = url(&server);
    std::mem::forget(server);
    url
}

pub(crate) async fn postgres_url() -> String {
    static CELL: OnceCell<String> = OnceCell::const_new();
    address(&CELL, "MERCATO_TEST_POSTGRES", |folder| {
        kept(
            Postgres::start(&folder).expect("a private PostgreSQL"),
            Postgres::url,
        )
    })
    .await
}

pub(crate) async fn redis_url() -> String {
    static CELL: OnceCell<String> = OnceCell::const_new();
    address(&CELL, "MERCATO_TEST_REDIS", |folder| {
        kept(Redis::start(&folder).expect("a private Redis"), Redis::url)
    })
    .await
}

pub(crate) async fn amqp_url() -> String {
    static CELL: OnceCell<String> = OnceCell::const_new();
    address(&CELL, "MERCATO_TEST_AMQP", |folder| {
        kept(
            RabbitMq::start(&folder).expect("a private RabbitMQ"),
            RabbitMq::url,
        )
    })
    .await
}

/// A name nobody else uses.
pub(crate) fn unique() -> String {
    contracts::EventId::generate()
        .to_string()
        .trim_start_matches("evt_")
        .to_owned()
}
