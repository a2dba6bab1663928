//! Identity providers: whose tokens are accepted, for what, and what happens when keys change. The
//! provider here is a few lines that serve discovery and keys; `tests/identity/run` does the same
//! with a real one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pratica_api::cli::client::Client;
use pratica_api::grpc::auth::Identity;
use pratica_api::grpc::issuer::{IdentityError, IdentitySettings, Issuer, fiscal_code};
use pratica_tests::{COMUNE, START, Server, reason};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

type Test = anyhow::Result<()>;

struct Key {
    name: String,
    pkcs8: Vec<u8>,
}

impl Key {
    fn new(name: &str) -> anyhow::Result<Key> {
        let random = ring::rand::SystemRandom::new();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| anyhow::anyhow!("key"))?;
        Ok(Key { name: name.to_owned(), pkcs8: pkcs8.as_ref().to_vec() })
    }

    fn jwk(&self) -> anyhow::Result<Value> {
        let pair = Ed25519KeyPair::from_pkcs8(&self.pkcs8).map_err(|_| anyhow::anyhow!("key"))?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        Ok(json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
                   "kid": self.name, "x": x }))
    }

    fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let header = Header { kid: Some(self.name.clone()), ..Header::new(Algorithm::EdDSA) };
        Ok(jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&self.pkcs8))?)
    }
}

/// Serves discovery and whatever keys it holds now.
struct Provider {
    issuer: String,
    keys: Arc<Mutex<Value>>,
    asked: Arc<Mutex<u64>>,
}

impl Provider {
    async fn start(keys: &[&Key]) -> anyhow::Result<Provider> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let held = Arc::new(Mutex::new(json!({})));
        let asked = Arc::new(Mutex::new(0));
        let provider = Provider { issuer: issuer.clone(), keys: held, asked };
        provider.hold(keys)?;
        let (keys, count) = (Arc::clone(&provider.keys), Arc::clone(&provider.asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 4096];
                let Ok(read) = stream.read(&mut head).await else { continue };
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let body = if head.contains("openid-configuration") {
                    json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks") }).to_string()
                } else {
                    if let Ok(mut count) = count.lock() {
                        *count += 1;
                    }
                    keys.lock().map(|keys| keys.to_string()).unwrap_or_default()
                };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Ok(provider)
    }

    fn hold(&self, keys: &[&Key]) -> anyhow::Result<()> {
        let set: Vec<Value> = keys.iter().map(|k| k.jwk()).collect::<Result<_, _>>()?;
        *self.keys.lock().map_err(|_| anyhow::anyhow!("poisoned"))? = json!({ "keys": set });
        Ok(())
    }

    fn times_asked(&self) -> u64 {
        self.asked.lock().map(|count| *count).unwrap_or_default()
    }

    /// Claims of a member of staff that are good now.
    fn claims(&self) -> Value {
        let now = Timestamp::now().as_second();
        json!({
            "iss": self.issuer, "aud": "pratica", "sub": "anna", "iat": now, "exp": now + 300,
            "realm_access": { "roles": ["something", "anagrafe-responsabile"] },
            "groups": ["uff-anagrafe", "uff-other"],
        })
    }
}

fn staff(provider: &Provider) -> String {
    format!(
        "[[issuers]]\nissuer = {:?}\naudience = [\"pratica\"]\ncomuni = [\"collina\"]\n\
         refetch_seconds = 1\nrole_claim = \"realm_access.roles\"\noffice_claim = \"groups\"\n\
         roles = [{{ value = \"anagrafe-responsabile\", role = \"officer\" }}]\n\
         [issuers.offices]\nuff-anagrafe = \"anagrafe\"\n",
        provider.issuer
    )
}

fn identity(settings: &str, data: &Path) -> anyhow::Result<Identity> {
    let settings: IdentitySettings = toml::from_str(settings)?;
    let issuers = settings
        .issuers
        .into_iter()
        .map(|s| Issuer::new(s, data))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Identity::of(issuers))
}

async fn list(server: &Server, comune: &str, token: &str) -> anyhow::Result<String> {
    let client = Client::open(&server.url, Some(token), "en").await;
    let client = client.map_err(|e| anyhow::anyhow!("{e:?}"))?;
    let asked = json!({ "comune": comune });
    let answer = client.call("pratica.cases.v1.CasesService/ListCases", asked).await;
    Ok(match answer {
        Ok(_) => "accepted".to_owned(),
        answer => reason(answer),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_good_for_its_issuer_audience_time_key_and_comune_only() -> Test {
    let (key, other) = (Key::new("one")?, Key::new("one")?);
    let provider = Provider::start(&[&key]).await?;
    let directory = tempfile::tempdir()?;
    let identity = identity(&staff(&provider), directory.path())?;
    let comuni = [COMUNE, "valle"];
    let server = Server::open_for(directory.path(), &comuni, START, identity).await?;
    let good = provider.claims();
    assert_eq!(list(&server, COMUNE, &key.sign(&good)?).await?, "accepted");
    assert_eq!(list(&server, "valle", &key.sign(&good)?).await?, "PERMISSION_DENIED");
    let now = Timestamp::now().as_second();
    for (what, field, value) in [
        ("another issuer", "iss", json!("http://127.0.0.1:1")),
        ("another audience", "aud", json!("other")),
        ("expired beyond the skew", "exp", json!(now - 60)),
        ("not good yet", "nbf", json!(now + 300)),
        ("no end", "exp", Value::Null),
        ("no subject", "sub", Value::Null),
        ("a role that means nothing here", "realm_access", json!({ "roles": ["cook"] })),
    ] {
        let mut claims = good.clone();
        if value.is_null() {
            claims.as_object_mut().map(|c| c.remove(field));
        } else {
            claims[field] = value;
        }
        assert_eq!(list(&server, COMUNE, &key.sign(&claims)?).await?, "Unauthenticated", "{what}");
    }
    let mut skewed = good.clone();
    skewed["exp"] = json!(now - 10);
    assert_eq!(list(&server, COMUNE, &key.sign(&skewed)?).await?, "accepted", "within the skew");
    let forged = other.sign(&good)?;
    assert_eq!(list(&server, COMUNE, &forged).await?, "Unauthenticated", "another's key");
    let whole = key.sign(&good)?;
    let mut parts = whole.split('.');
    let (head, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"one"}"#);
    for unsigned in [format!("{none}.{body}."), format!("{head}.{body}."), String::from("x.y.z")] {
        assert_eq!(list(&server, COMUNE, &unsigned).await?, "Unauthenticated", "unsigned");
    }
    // The public key as a shared secret: the old way to forge.
    let secret = EncodingKey::from_secret(key.jwk()?["x"].as_str().unwrap_or_default().as_bytes());
    let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
    let confused = jsonwebtoken::encode(&header, &good, &secret)?;
    assert_eq!(list(&server, COMUNE, &confused).await?, "Unauthenticated", "another algorithm");
    // The server's own key is off unless it is asked for.
    let own = server.key.token(&Server::claims("anna", pratica_domain::Role::Officer))?;
    assert_eq!(list(&server, COMUNE, &own).await?, "Unauthenticated", "the server's own");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_is_fetched_when_it_is_met_and_forged_names_do_not_drum_on_the_provider() -> Test
{
    let (first, second) = (Key::new("first")?, Key::new("second")?);
    let provider = Provider::start(&[&first]).await?;
    let directory = tempfile::tempdir()?;
    let identity = identity(&staff(&provider), directory.path())?;
    let server = Server::open_for(directory.path(), &[COMUNE], START, identity).await?;
    let claims = provider.claims();
    for _ in 0..5 {
        assert_eq!(list(&server, COMUNE, &first.sign(&claims)?).await?, "accepted");
    }
    assert_eq!(provider.times_asked(), 1, "keys are kept");
    for n in 0..50 {
        let unknown = Key::new(&format!("unknown {n}"))?;
        assert_eq!(list(&server, COMUNE, &unknown.sign(&claims)?).await?, "Unauthenticated");
    }
    assert!(provider.times_asked() <= 10, "asked {} times", provider.times_asked());
    provider.hold(&[&second])?;
    // It is met as soon as the provider may be asked again.
    let taken = async {
        while list(&server, COMUNE, &second.sign(&claims)?).await? != "accepted" {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), taken).await??;
    assert_eq!(list(&server, COMUNE, &first.sign(&claims)?).await?, "Unauthenticated", "retired");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_citizen_comes_by_spid_or_cie_under_one_account_and_with_assurance() -> Test {
    let key = Key::new("one")?;
    let provider = Provider::start(&[&key]).await?;
    let directory = tempfile::tempdir()?;
    let accounts = directory.path().join("outside.key");
    std::fs::write(&accounts, "5e".repeat(32))?;
    #[cfg(unix)]
    std::fs::set_permissions(&accounts, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let data = directory.path().join("data");
    std::fs::create_dir_all(&data)?;
    let settings = format!(
        "[[issuers]]\nissuer = {:?}\naudience = [\"portal\", \"app\"]\ncomuni = [\"collina\"]\n\
         default_role = \"citizen\"\nlevel_min = 2\nprefix = \"cf.\"\naccount_key = \"file:{}\"\n",
        provider.issuer,
        accounts.display()
    );
    let settings: IdentitySettings = toml::from_str(&settings)?;
    let issuer = Issuer::new(settings.issuers[0].clone(), &data)?;
    let now = Timestamp::now().as_second();
    let claims = |fiscal: &str, code: &str, level: u8| {
        json!({ "iss": provider.issuer, "aud": ["app"], "sub": "x", "exp": now + 60,
            "acr": format!("https://www.spid.gov.it/SpidL{level}"), fiscal: code })
    };
    let eid = "https://attributes.eid.gov.it/fiscal_number";
    let spid = "https://attributes.spid.gov.it/fiscal_number";
    let mut accounts = std::collections::BTreeSet::new();
    for (field, code) in [
        (eid, "TINIT-RSSMRA80A01H501U"),
        (spid, "RSSMRA80A01H501U"),
        ("fiscal_number", "tinit-rssmra80a01h501u"),
    ] {
        let principal = issuer.principal(&key.sign(&claims(field, code, 2))?).await?;
        assert_eq!(principal.role, pratica_domain::Role::Citizen);
        assert!(!principal.account.as_str().to_uppercase().contains("RSSMRA"));
        accounts.insert(principal.account);
    }
    assert_eq!(accounts.len(), 1, "one person, one account");
    let low = issuer.principal(&key.sign(&claims(eid, "TINIT-RSSMRA80A01H501U", 1))?).await;
    assert!(low.is_err(), "the first level is not enough");
    let wrong = issuer.principal(&key.sign(&claims(eid, "TINIT-RSSMRA80A01H501X", 2))?).await;
    assert!(wrong.is_err(), "a code that is none");
    assert!(fiscal_code(&json!({ "fiscal_number": "VATIT-00743110157" })).is_none());
    Ok(())
}

#[test]
fn settings_that_would_let_anybody_in_are_refused() {
    let base = "issuer = \"https://id.example\"\naudience = [\"p\"]\ncomuni = [\"collina\"]\n";
    for (change, field) in [
        ("default_role = \"citizen\"\nalgorithms = [\"HS256\"]\n", "algorithms"),
        ("default_role = \"citizen\"\nalgorithms = []\n", "algorithms"),
        ("default_role = \"citizen\"\nleeway_seconds = 3600\n", "leeway_seconds"),
        ("default_role = \"system\"\n", "roles"),
        ("", "roles"),
    ] {
        let text = format!("[[issuers]]\n{base}{change}");
        let settings: IdentitySettings = toml::from_str(&text).unwrap_or_default();
        let issuer = settings.issuers.into_iter().next().map(|s| Issuer::new(s, Path::new(".")));
        match issuer {
            Some(Err(IdentityError::Rule { field: named, .. })) => assert_eq!(named, field),
            _ => panic!("{change:?} was taken"),
        }
    }
    for text in [
        "[[issuers]]\nissuer = \"http://id.example\"\naudience = [\"p\"]\ncomuni = [\"collina\"]\n\
         default_role = \"citizen\"\n",
        "[[issuers]]\nissuer = \"https://id.example\"\naudience = []\ncomuni = [\"collina\"]\n\
         default_role = \"citizen\"\n",
        "[[issuers]]\nissuer = \"https://id.example\"\naudience = [\"p\"]\ncomuni = []\n\
         default_role = \"citizen\"\n",
    ] {
        let settings: IdentitySettings = toml::from_str(text).unwrap_or_default();
        let issuer = settings.issuers.into_iter().next().map(|s| Issuer::new(s, Path::new(".")));
        assert!(matches!(issuer, Some(Err(_))), "{text}");
    }
    assert!(toml::from_str::<IdentitySettings>("[[issuers]]\nisuer = \"x\"\n").is_err());
}
