//! A router behind a real socket, for clients under test.

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// Serves on a free port of the loopback address until dropped.
pub struct TestServer {
    /// Its address, with a trailing slash.
    pub base: Url,
    task: JoinHandle<()>,
}

impl TestServer {
    /// Starts to serve.
    pub async fn serve(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the test's server");
        });
        Self {
            base: format!("http://{address}/").parse().expect("a URL"),
            task,
        }
    }

    /// The address of a path, given without its leading slash.
    pub fn url(&self, path: &str) -> Url {
        self.base.join(path).expect("a path")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
