//! Outgoing HTTP: the one place that builds a client.

use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Below the keep-alive of the servers it calls, so that it never writes into a connection being closed.
pub(crate) const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// A client that gives up after `timeout` in all, follows no redirect and uses no proxy.
pub fn client(timeout: Duration) -> reqwest::Client {
    let builder = builder(timeout);
    #[expect(
        clippy::expect_used,
        reason = "constant settings: it fails on the first start or never"
    )]
    builder.build().expect("an HTTP client with constant settings")
}

/// The same client before it is built, for one that needs more settings.
pub fn builder(timeout: Duration) -> reqwest::ClientBuilder {
    install_crypto();
    reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

/// Makes ring the process's TLS provider; later calls change nothing.
pub(crate) fn install_crypto() {
    // An error means another provider was installed before, which serves as well.
    drop(rustls::crypto::ring::default_provider().install_default());
}
