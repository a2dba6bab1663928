//! Encryption of the real binary: its certificate is renewed under living connections, and a service
//! comes with a certificate of its own.

use crate::kill::Running;
use pratica_api::cli::Failure;
use pratica_api::cli::client::{Client, Encryption};
use pratica_api::grpc::auth::{Claims, ServerKey};
use pratica_domain::Role;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const AT: &str = "2026-03-02T09:00:00Z";
const STATUS: &str = "pratica.admin.v1.AdminService/GetStatus";
const FEED: &str = "pratica.feed.v1.FeedService/FollowFeed";

/// A root with its file.
struct Root {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

fn root(directory: &Path, name: &str) -> Root {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let file = directory.join(format!("{name}.pem"));
    std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
    Root { issuer: Issuer::new(params, key), file }
}

impl Root {
    /// A certificate for a name, with its key: whoever reads the two reads a pair at some moment.
    fn issue(&self, name: &str, certificate: &Path, key: &Path) {
        let pair = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let issued = params.signed_by(&pair, &self.issuer).unwrap();
        std::fs::write(key, pair.serialize_pem()).unwrap();
        std::fs::write(certificate, issued.pem()).unwrap();
    }
}

async fn connected(url: &str, root: &Root, token: &str) -> Result<Client, Failure> {
    let encryption = Encryption { ca: Some(root.file.clone()), ..Encryption::default() };
    Client::open_over(url, Some(token), "en", &encryption).await
}

/// Connects as soon as the server shows a certificate of this root.
async fn once_it_shows(url: &str, root: &Root, token: &str) -> Client {
    let connecting = async {
        loop {
            if let Ok(client) = connected(url, root, token).await {
                return client;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), connecting).await.expect("the new certificate")
}

async fn status(client: &Client) -> Result<Value, Failure> {
    client.call(STATUS, json!({ "comune": "collina" })).await
}

fn hang_up(server: &Running) {
    let sent = Command::new("kill").args(["-HUP", &server.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn token(data: &Path) -> String {
    let claims = Claims::new("admin", Role::Administrator, jiff::Timestamp::now(), 1);
    ServerKey::open(data).unwrap().token(&claims).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_renewed_under_a_connection_that_lives_on() {
    let data = tempfile::tempdir().unwrap();
    let keys = tempfile::tempdir().unwrap();
    let (old, new) = (root(keys.path(), "old"), root(keys.path(), "new"));
    let (certificate, key) = (keys.path().join("server.pem"), keys.path().join("server.key"));
    old.issue("127.0.0.1", &certificate, &key);
    let (cert, private) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let more = ["--tls-cert", cert, "--tls-key", private];
    let server = Running::start_with(data.path(), &["collina"], AT, &more);
    let token = token(data.path());
    let first = connected(&server.url, &old, &token).await.unwrap();
    status(&first).await.unwrap();
    assert!(connected(&server.url, &new, &token).await.is_err(), "of no root that is believed");
    let plain = server.url.replace("https", "http");
    assert!(
        Client::open(&plain, Some(&token), "en").await.is_err() || {
            let client = Client::open(&plain, Some(&token), "en").await.unwrap();
            status(&client).await.is_err()
        }
    );

    new.issue("127.0.0.1", &certificate, &key);
    hang_up(&server);
    let second = once_it_shows(&server.url, &new, &token).await;
    status(&second).await.unwrap();
    status(&first).await.expect("the connection of before lives on");
    assert!(connected(&server.url, &old, &token).await.is_err(), "the old one is not shown again");

    // What cannot be used changes nothing.
    std::fs::write(&certificate, "no certificate").unwrap();
    hang_up(&server);
    status(&connected(&server.url, &new, &token).await.unwrap()).await.unwrap();

    // Without being told, it sees that the files changed.
    old.issue("127.0.0.1", &certificate, &key);
    let third = once_it_shows(&server.url, &old, &token).await;
    for client in [&first, &second, &third] {
        status(client).await.unwrap();
    }
    server.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_comes_with_a_certificate_and_is_who_the_settings_say() {
    let data = tempfile::tempdir().unwrap();
    let keys = tempfile::tempdir().unwrap();
    let (ours, foreign) = (root(keys.path(), "ours"), root(keys.path(), "foreign"));
    let path = |name: &str| keys.path().join(name);
    ours.issue("127.0.0.1", &path("server.pem"), &path("server.key"));
    ours.issue("flusso.collina.example", &path("flow.pem"), &path("flow.key"));
    ours.issue("altro.collina.example", &path("other.pem"), &path("other.key"));
    foreign.issue("flusso.collina.example", &path("forged.pem"), &path("forged.key"));
    let settings = "[[certificates]]\nname = \"flusso.collina.example\"\naccount = \"flusso\"\n\
                    role = \"service\"\ncomuni = [\"collina\"]\n";
    std::fs::write(data.path().join("identity.toml"), settings).unwrap();
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let (cert, key, roots) = (text("server.pem"), text("server.key"), text("ours.pem"));
    let more = ["--tls-cert", &cert, "--tls-key", &key, "--tls-client-ca", &roots];
    let server = Running::start_with(data.path(), &["collina"], AT, &more);
    let with = |name: &str| Encryption {
        ca: Some(ours.file.clone()),
        client_cert: Some(path(&format!("{name}.pem"))),
        client_key: Some(path(&format!("{name}.key"))),
    };
    let feed = json!({ "comune": "collina" });
    let code = |failure: Failure| match failure {
        Failure::Status(status) => format!("{:?}", status.code()),
        other => format!("{other:?}"),
    };

    let client = Client::open_over(&server.url, None, "en", &with("flow")).await.unwrap();
    client.stream(FEED, feed.clone(), |m| Ok(m["caught_up"] != true)).await.unwrap();
    let refused = status(&client).await.map_err(code).unwrap_err();
    assert_eq!(refused, "PermissionDenied", "a service administers nothing");
    let elsewhere = client.call(STATUS, json!({ "comune": "valle" })).await.map_err(code);
    assert_eq!(elsewhere.unwrap_err(), "PermissionDenied");

    let client = Client::open_over(&server.url, None, "en", &with("other")).await.unwrap();
    let nobody = client.stream(FEED, feed.clone(), |_| Ok(false)).await.map_err(code);
    assert_eq!(nobody.unwrap_err(), "Unauthenticated", "of the right root, and nobody here");
    // A token is stronger than the certificate that it comes with.
    let token = token(data.path());
    let client = Client::open_over(&server.url, Some(&token), "en", &with("flow")).await.unwrap();
    status(&client).await.unwrap();
    let bare = Encryption { ca: Some(ours.file.clone()), ..Encryption::default() };
    let client = Client::open_over(&server.url, None, "en", &bare).await.unwrap();
    let nothing = client.stream(FEED, feed.clone(), |_| Ok(false)).await.map_err(code);
    assert_eq!(nothing.unwrap_err(), "Unauthenticated");
    // Of another root: the handshake ends, at once or with the first call.
    if let Ok(client) = Client::open_over(&server.url, None, "en", &with("forged")).await {
        assert!(client.stream(FEED, feed, |_| Ok(false)).await.is_err());
    }
    server.kill();
}
