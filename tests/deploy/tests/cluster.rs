//! The manifests against a real API server, without nodes: what it admits, and what its pod standard says.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use deploy::{ENVIRONMENTS, render, tools};

use crate::Case;

pub(crate) const CASES: &[Case] = &[(
    "an_api_server_takes_every_object",
    &[
        "kustomize|kubectl",
        "kubectl",
        "kube-apiserver",
        "etcd",
        "openssl",
        "definitions",
    ],
    apply,
)];

/// A server that stops when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(name: &str, folder: &Path, arguments: &[String]) -> Result<Server> {
    let log = std::fs::File::create(folder.join(format!("{name}.log")))?;
    let child = Command::new(tools::find(name).context(name.to_owned())?)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context(name.to_owned())?;
    Ok(Server(child))
}

struct Cluster {
    kubeconfig: PathBuf,
    // Dropped in this order.
    _api: Server,
    _etcd: Server,
    folder: tempfile::TempDir,
}

impl Cluster {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let place = |name: &str| folder.path().join(name).display().to_string();
        let (client, peer, secure) = (
            dev_stack::free_port()?,
            dev_stack::free_port()?,
            dev_stack::free_port()?,
        );
        let local = |port: u16| format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
        let etcd = start(
            "etcd",
            folder.path(),
            &[
                format!("--data-dir={}", place("etcd")),
                format!("--listen-client-urls={}", local(client)),
                format!("--advertise-client-urls={}", local(client)),
                format!("--listen-peer-urls={}", local(peer)),
                format!("--initial-advertise-peer-urls={}", local(peer)),
                format!("--initial-cluster=default={}", local(peer)),
            ],
        )?;
        let mut openssl = Command::new(tools::find("openssl").context("openssl")?);
        tools::run(openssl.args(["genrsa", "-out", &place("sa.key"), "2048"]))?;
        std::fs::write(place("tokens.csv"), "trial,admin,1,\"system:masters\"\n")?;
        let api = start(
            "kube-apiserver",
            folder.path(),
            &[
                format!("--etcd-servers={}", local(client)),
                format!("--secure-port={secure}"),
                "--bind-address=127.0.0.1".to_owned(),
                format!("--cert-dir={}", place("certificates")),
                "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
                format!("--service-account-key-file={}", place("sa.key")),
                format!("--service-account-signing-key-file={}", place("sa.key")),
                format!("--token-auth-file={}", place("tokens.csv")),
                "--authorization-mode=RBAC".to_owned(),
                "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
                // A controller that does not run here would make the namespace's account.
                "--disable-admission-plugins=ServiceAccount".to_owned(),
            ],
        )?;
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(
            &kubeconfig,
            format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: trial\ncontexts: [{{name: trial, context: {{cluster: \
                 trial, user: trial}}}}]\nusers: [{{name: trial, user: {{token: trial}}}}]\nclusters: [{{name: trial, \
                 cluster: {{server: 'https://127.0.0.1:{secure}', insecure-skip-tls-verify: true}}}}]\n"
            ),
        )?;
        let cluster = Self {
            kubeconfig,
            _api: api,
            _etcd: etcd,
            folder,
        };
        cluster.await_ready()?;
        Ok(cluster)
    }

    fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(tools::find("kubectl").context("kubectl")?);
        tools::run(command.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments))
    }

    fn await_ready(&self) -> Result<()> {
        let begun = Instant::now();
        while self.kubectl(&["get", "--raw", "/readyz"]).is_err() {
            if begun.elapsed() > Duration::from_secs(90) {
                let log = std::fs::read_to_string(self.folder.path().join("kube-apiserver.log"))?;
                let tail: Vec<&str> = log.lines().rev().take(10).collect();
                bail!("the API server is not ready\n{}", tail.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        Ok(())
    }
}

fn apply() -> Result<()> {
    let cluster = Cluster::start()?;
    let definitions = tools::definitions().context("definitions")?;
    cluster.kubectl(&["apply", "--server-side", "-f", &definitions.display().to_string()])?;
    cluster.kubectl(&[
        "wait",
        "--for=condition=Established",
        "--timeout=60s",
        "crd",
        "--all",
    ])?;
    for environment in ENVIRONMENTS {
        let file = cluster.folder.path().join(format!("{environment}.yaml"));
        let text = render::kustomize_text(environment)?;
        std::fs::write(&file, &text)?;
        let file = file.display().to_string();
        let said = cluster
            .kubectl(&["apply", "--server-side", "--validate=strict", "-f", &file])
            .with_context(|| environment.to_owned())?;
        let applied = said
            .lines()
            .filter(|line| line.ends_with("serverside-applied"))
            .count();
        ensure!(applied == render::parse(&text)?.len(), "{environment}: {said}");
        // What was taken is what was meant: nothing was dropped or set to another value.
        let difference = cluster.kubectl(&["diff", "--server-side", "-f", &file]);
        ensure!(difference.is_ok(), "{environment}: {difference:?}");
    }
    pod_standard(&cluster)
}

/// Pods are made by controllers, which do not run here; so each workload's pod is tried as a pod of its own.
fn pod_standard(cluster: &Cluster) -> Result<()> {
    for environment in ENVIRONMENTS {
        for workload in deploy::objects::workloads(&render::kustomize(environment)?) {
            let mut pod = serde_json::json!({
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "trial", "namespace": format!("mercato-{environment}")},
                "spec": deploy::objects::pod(workload),
            });
            // A StatefulSet's claims become volumes of its pods.
            for claim in deploy::objects::list(workload, "/spec/volumeClaimTemplates") {
                if let Some(volumes) = pod["spec"]["volumes"].as_array_mut() {
                    volumes.push(serde_json::json!({"name": claim["metadata"]["name"], "emptyDir": {}}));
                }
            }
            let file = cluster.folder.path().join("pod.json");
            std::fs::write(&file, pod.to_string())?;
            let file = file.display().to_string();
            cluster
                .kubectl(&["create", "--dry-run=server", "-f", &file])
                .with_context(|| format!("{environment} {}", deploy::objects::name(workload)))?;
        }
    }
    Ok(())
}
