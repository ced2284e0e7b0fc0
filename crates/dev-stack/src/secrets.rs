//! Every secret of a deployment, made fresh: for a trial in a cluster or in containers. Where it is in earnest a
//! secret store holds them. Which there are follows from the roster; `cargo xtask manifests` writes the list.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use roster::{SERVICES, WITH_DATABASE};
use serde_json::{Value, json};

use crate::broker;
use crate::keys::{new_key, private_pem, public_pem};
use crate::servers::random_word;
use crate::stack::{ADMIN_PASSWORD, AUDITOR, SANDBOX};

/// The databases that the auditor reads, by the service that owns each.
pub(crate) const AUDITED: [&str; 4] = ["analytics", "inventory", "order", "payment"];

/// Values by the name of a secret and the key in it.
#[derive(Clone)]
pub struct Secrets(BTreeMap<&'static str, BTreeMap<String, String>>);

impl Secrets {
    /// New values throughout.
    pub fn generate() -> Result<Self> {
        let mut secrets = Self(BTreeMap::new());
        secrets.identities()?;
        secrets.databases();
        secrets.redis();
        secrets.broker();
        secrets.own();
        secrets.provider();
        let gateway = random_word();
        secrets.put("gateway", "accepted", gateway.clone());
        secrets.put("gateway", "current", gateway);
        secrets.put("auth", "admin-password", ADMIN_PASSWORD);
        Ok(secrets)
    }

    fn put(&mut self, name: &'static str, key: impl Into<String>, value: impl Into<String>) {
        self.0.entry(name).or_default().insert(key.into(), value.into());
    }

    /// A key for each service, all public halves in one place, and the key that signs users' tokens.
    fn identities(&mut self) -> Result<()> {
        for service in SERVICES {
            let key = new_key();
            self.put(service, "service-key.pem", private_pem(&key)?);
            self.put("callers", format!("{service}.pem"), public_pem(&key)?);
        }
        self.put("auth-user-keys", "current.pem", private_pem(&new_key())?);
        Ok(())
    }

    fn databases(&mut self) {
        self.put("postgres", "superuser", random_word());
        for service in WITH_DATABASE {
            let password = random_word();
            let url = format!("postgres://{service}:{password}@postgres:5432/{service}_db");
            self.put(service, "database-url", url);
            self.put("postgres", service, password);
        }
        let password = random_word();
        for service in AUDITED {
            let url = format!("postgres://auditor:{password}@postgres:5432/{service}_db");
            self.put(AUDITOR, format!("{service}-database-url"), url);
        }
        self.put("postgres", "auditor", password);
    }

    fn redis(&mut self) {
        let mut users = "user default off\n".to_owned();
        for service in roster::all() {
            let Some(redis) = &service.redis else { continue };
            let (name, password) = (service.name.as_str(), random_word());
            let url = format!("redis://{name}:{password}@redis:6379/{}", redis.database);
            self.put(name, "redis-url", url);
            let keys: Vec<String> = redis.keys.iter().map(|key| format!("~{key}:*")).collect();
            let keys = keys.join(" ");
            let line = format!("user {name} on >{password} resetkeys {keys} +@all -@admin -@dangerous\n");
            users.push_str(&line);
        }
        self.put("redis", "users.acl", users);
    }

    fn broker(&mut self) {
        let accounts = broker::accounts().into_iter();
        let passwords: BTreeMap<&'static str, String> =
            accounts.map(|account| (account.service, random_word())).collect();
        for (&service, password) in &passwords {
            let url = format!("amqp://{service}:{password}@rabbitmq:5672/%2f");
            self.put(service, "amqp-url", url);
        }
        let (users, permissions) = broker::definitions(|account| passwords[account.service].clone());
        let definitions = json!({"users": users, "permissions": permissions});
        self.put("rabbitmq", "users.json", format!("{definitions:#}\n"));
    }

    /// What services read beside: 32 bytes in hexadecimal digits, which is long enough for any key.
    fn own(&mut self) {
        for service in roster::all() {
            for secret in &service.secrets {
                let value = format!("{}{}", random_word(), random_word());
                self.put(&service.name, &secret.key, value);
            }
        }
    }

    /// What payment and its provider share, in the provider's own shape.
    fn provider(&mut self) {
        let (key, webhook) = (
            format!("sk_test_{}", random_word()),
            format!("whsec_{}", random_word()),
        );
        self.put("payment", "psp-api-key", key.clone());
        self.put("payment", "psp-webhook-secret", webhook.clone());
        self.put(SANDBOX, "api-key", key);
        self.put(SANDBOX, "webhook-secret", webhook);
    }

    /// Names of the secrets, with the keys of each.
    pub fn keys(&self) -> BTreeMap<&'static str, Vec<&str>> {
        self.0
            .iter()
            .map(|(name, values)| (*name, values.keys().map(String::as_str).collect()))
            .collect()
    }

    /// A list of Kubernetes secrets for `namespace`.
    pub fn manifests(&self, namespace: &str) -> Value {
        let secret = |(name, values): (&&str, &BTreeMap<String, String>)| {
            json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    "labels": {"app.kubernetes.io/part-of": "mercato"},
                },
                "type": "Opaque",
                "stringData": values,
            })
        };
        let items: Vec<Value> = self.0.iter().map(secret).collect();
        json!({"apiVersion": "v1", "kind": "List", "items": items})
    }

    /// Writes `FOLDER/NAME/KEY` unless the folder was filled before: stores keep the passwords they began with.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let done = folder.join("complete");
        if done.exists() {
            return Ok(());
        }
        for (name, values) in &self.0 {
            let place = folder.join(name);
            std::fs::create_dir_all(&place).with_context(|| place.display().to_string())?;
            for (key, value) in values {
                let file = place.join(key);
                std::fs::write(&file, value).with_context(|| file.display().to_string())?;
                // Containers run as different users, and the folder is theirs alone.
                let mode = std::fs::Permissions::from_mode(0o444);
                std::fs::set_permissions(&file, mode).with_context(|| file.display().to_string())?;
            }
        }
        std::fs::write(&done, "").with_context(|| done.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_carries_the_password_that_its_store_knows() {
        let secrets = Secrets::generate().unwrap().0;
        for service in WITH_DATABASE {
            let password = &secrets["postgres"][service];
            assert!(
                secrets[service]["database-url"].contains(password.as_str()),
                "{service}"
            );
        }
        for service in AUDITED {
            let url = &secrets[AUDITOR][&format!("{service}-database-url")];
            assert!(url.contains(secrets["postgres"]["auditor"].as_str()), "{url}");
        }
        for service in roster::all().iter().filter(|service| service.redis.is_some()) {
            let url = &secrets[service.name.as_str()]["redis-url"];
            let password = url.split([':', '@']).nth(2).unwrap();
            assert!(
                secrets["redis"]["users.acl"].contains(&format!(">{password} ")),
                "{url}"
            );
        }
        for service in broker::accounts().into_iter().map(|account| account.service) {
            let url = &secrets[service]["amqp-url"];
            let password = url.split([':', '@']).nth(2).unwrap();
            assert!(secrets["rabbitmq"]["users.json"].contains(password), "{url}");
        }
    }

    #[test]
    fn what_was_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway/current");
        Secrets::generate().unwrap().write(folder.path()).unwrap();
        let first = std::fs::read_to_string(&file).unwrap();
        Secrets::generate().unwrap().write(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), first);
    }

    #[test]
    fn no_two_values_are_alike_by_accident() {
        let (one, other) = (Secrets::generate().unwrap(), Secrets::generate().unwrap());
        assert_ne!(one.0["gateway"]["current"], other.0["gateway"]["current"]);
        assert_eq!(one.keys(), other.keys());
        assert_eq!(one.manifests("n")["items"].as_array().unwrap().len(), one.0.len());
    }
}
