//! Tokens of OpenID Connect providers: which are accepted, and what their claims mean here.
//!
//! Read from `DATA/identity.toml`. Every provider is named with its audience and algorithms;
//! nothing in a token chooses them. Keys are fetched by discovery, kept, and fetched again when a
//! token names a new one. What must never enter: a token or a claim in an error or a log line.

use crate::app::http::{Http, HttpError, checked};
use crate::app::keys::MasterKeys;
use crate::app::policy::Principal;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use pratica_domain::Role;
use pratica_domain::ids::{ComuneId, OfficeId, OfficerId};
use pratica_domain::people::FiscalCode;
use pratica_store::MasterKey;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{Mutex, RwLock};
use tokio::time::Instant;

/// Keys older than this are fetched again when a token needs one.
const FRESH: Duration = Duration::from_secs(600);
/// Keys that could not be fetched again are used for so long at most.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// The largest difference of clocks that a setting may allow.
const LEEWAY_SECONDS_MAX: u64 = 120;
/// The namespaces of SPID and CIE claims (Linee guida OpenID Connect in SPID).
const EID: [&str; 2] = ["https://attributes.eid.gov.it/", "https://attributes.spid.gov.it/"];

/// The file `identity.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentitySettings {
    /// The providers whose tokens are accepted.
    pub issuers: Vec<IssuerSettings>,
    /// Who comes with a client certificate (mutual TLS).
    pub certificates: Vec<super::tls::CertificateSettings>,
}

/// One provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// The issuer, exactly as tokens name it; discovery begins there.
    pub issuer: String,
    /// The audiences of which a token must name one.
    pub audience: Vec<String>,
    /// The comuni that its tokens are good for. A token may narrow them, never widen.
    pub comuni: Vec<ComuneId>,
    /// Algorithms that are accepted; never `none` and never one with a shared secret.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// How far the clocks may differ, in seconds; at most 120.
    #[serde(default = "leeway_seconds")]
    pub leeway_seconds: u64,
    /// The provider is asked for keys at most once in so many seconds, whatever tokens name.
    #[serde(default = "refetch_seconds")]
    pub refetch_seconds: u64,
    /// Stands before every account of this provider, so that two never share one.
    #[serde(default)]
    pub prefix: String,
    /// The role of whoever has a token without a role that is mapped, such as `citizen`.
    #[serde(default)]
    pub default_role: Option<Role>,
    /// The claim that holds roles; dots lead into objects.
    #[serde(default)]
    pub role_claim: String,
    /// What each value of the role claim is here, in order of preference.
    #[serde(default)]
    pub roles: Vec<RoleMapping>,
    /// The claim that holds offices.
    #[serde(default)]
    pub office_claim: String,
    /// What each value of the office claim is here; a value that is not named gives nothing.
    #[serde(default)]
    pub offices: BTreeMap<String, OfficeId>,
    /// The claim that narrows the comuni.
    #[serde(default)]
    pub comune_claim: String,
    /// The lowest level of assurance, 1 to 3, for citizens by SPID or CIE (`acr`); 0 asks for none.
    #[serde(default)]
    pub level_min: u8,
    /// Where the key of accounts is, as for master keys: then the account is a keyed hash of the
    /// fiscal code, the same whichever provider a citizen comes by.
    #[serde(default)]
    pub account_key: Option<String>,
}

/// What a value of the role claim is here.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleMapping {
    /// The value in the token.
    pub value: String,
    /// The role here.
    pub role: Role,
}

fn algorithms() -> Vec<Algorithm> {
    vec![Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA]
}

fn refetch_seconds() -> u64 {
    5
}

fn leeway_seconds() -> u64 {
    30
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file does not have its shape.
    #[error("{path} is not valid")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A provider's settings break a rule.
    #[error("issuer {issuer}: {field} {rule}")]
    Rule {
        /// Which.
        issuer: String,
        /// The field.
        field: &'static str,
        /// The rule.
        rule: &'static str,
    },
    /// A certificate's settings break a rule.
    #[error("certificate {name:?}: {field} {rule}")]
    Certificate {
        /// Its name.
        name: String,
        /// The field.
        field: &'static str,
        /// The rule.
        rule: &'static str,
    },
    /// The issuer cannot be called.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The key of accounts cannot be had.
    #[error("the key of accounts cannot be had")]
    AccountKey(#[source] crate::app::keys::KeysError),
}

impl IdentitySettings {
    /// Reads `identity.toml` of a data directory; without one there are no providers.
    ///
    /// # Errors
    /// When it cannot be read or does not have its shape.
    pub fn read(data: &Path) -> Result<Self, IdentityError> {
        let path = data.join("identity.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let read: Self = toml::from_str(&text)
                    .map_err(|source| IdentityError::Parse { path, source: Box::new(source) })?;
                read.checked()
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(IdentityError::Read { path, source }),
        }
    }
}

impl IdentitySettings {
    fn checked(self) -> Result<Self, IdentityError> {
        let problem = |c: &super::tls::CertificateSettings| {
            c.problem().map(|(field, rule)| (c.name.clone(), field, rule))
        };
        match self.certificates.iter().find_map(problem) {
            None => Ok(self),
            Some((name, field, rule)) => Err(IdentityError::Certificate { name, field, rule }),
        }
    }
}

/// Why a token is not accepted: told to the log's reader, never to the caller in detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no token of this provider.
    #[error("not a token of this issuer")]
    NotMine,
    /// Signature, audience, time or algorithm is wrong.
    #[error("signature, audience, time or algorithm is wrong")]
    Invalid,
    /// The provider's keys cannot be had.
    #[error("the issuer's keys cannot be had")]
    Keys,
    /// The claims give no role, no account or no comune here.
    #[error("its claims give no role, account or comune here")]
    Claims,
    /// The level of assurance is too low.
    #[error("its level of assurance is too low")]
    Level,
}

/// A provider at work.
pub struct Issuer {
    settings: IssuerSettings,
    account_key: Option<MasterKey>,
    http: Http,
    keys: RwLock<Option<(JwkSet, Instant)>>,
    /// When the provider was last asked: one asks at a time.
    asked: Mutex<Option<Instant>>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Just enough of a token that is not checked yet, to find out who should check it.
#[derive(Deserialize)]
struct Named {
    iss: String,
}

impl Issuer {
    /// A provider with settings that hold together.
    ///
    /// # Errors
    /// [`IdentityError::Rule`] names the field and the rule.
    pub fn new(settings: IssuerSettings, data: &Path) -> Result<Self, IdentityError> {
        let rule =
            |field, rule| Err(IdentityError::Rule { issuer: settings.issuer.clone(), field, rule });
        checked(&settings.issuer)?;
        if settings.audience.is_empty() {
            return rule("audience", "names at least one: a token for others is none for us");
        }
        if settings.comuni.is_empty() {
            return rule("comuni", "names at least one");
        }
        let secret =
            |a: &Algorithm| matches!(a, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
        if settings.algorithms.is_empty() || settings.algorithms.iter().any(secret) {
            return rule("algorithms", "are of public keys, such as RS256, ES256 or EdDSA");
        }
        if settings.leeway_seconds > LEEWAY_SECONDS_MAX {
            return rule("leeway_seconds", "is at most 120");
        }
        let given = settings.roles.iter().map(|r| r.role).chain(settings.default_role);
        if given.clone().any(|role| role == Role::System) {
            return rule("roles", "never give system: that is Pratica itself");
        }
        if given.count() == 0 {
            return rule("roles", "or default_role give at least one role");
        }
        let account_key = match &settings.account_key {
            None => None,
            Some(source) => {
                let source: MasterKeys = source.parse().map_err(IdentityError::AccountKey)?;
                let name: ComuneId = settings.comuni[0].clone();
                // Never made here: all providers and a later install must have the same one.
                let directory = data.join(name.as_str());
                Some(source.of(&name, &directory).map_err(IdentityError::AccountKey)?)
            }
        };
        let keys = RwLock::new(None);
        Ok(Issuer { settings, account_key, http: Http::new()?, keys, asked: Mutex::new(None) })
    }

    /// Whether an unchecked token says that it is of this provider.
    pub(crate) fn issued(&self, token: &str) -> bool {
        jsonwebtoken::dangerous::insecure_decode::<Named>(token)
            .is_ok_and(|named| named.claims.iss == self.settings.issuer)
    }

    /// Checks a token and reads who it is of.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn principal(&self, token: &str) -> Result<Principal, Refused> {
        if !self.issued(token) {
            return Err(Refused::NotMine);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refused::Invalid)?;
        if !self.settings.algorithms.contains(&header.alg) {
            return Err(Refused::Invalid);
        }
        let kid = header.kid.unwrap_or_default();
        let key = self.key(&kid).await?;
        // The one that the header names, which is one of ours: a key of another family fails.
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&self.settings.audience);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = self.settings.leeway_seconds;
        let claims = jsonwebtoken::decode::<Value>(token, &key, &validation)
            .map_err(|_| Refused::Invalid)?
            .claims;
        self.read(&claims)
    }

    /// The key of that name; the provider is asked when it is not known or old.
    async fn key(&self, kid: &str) -> Result<DecodingKey, Refused> {
        let found = |keys: &Option<(JwkSet, Instant)>, within: Duration| {
            let (set, since) = keys.as_ref()?;
            let jwk = match (kid, set.keys.as_slice()) {
                ("", [only]) => Some(only),
                ("", _) => None,
                (kid, _) => set.find(kid),
            };
            jwk.filter(|_| since.elapsed() < within).cloned()
        };
        let mut jwk = found(&*self.keys.read().await, FRESH);
        if jwk.is_none() {
            self.ask().await;
            jwk = found(&*self.keys.read().await, STALE);
        }
        let known = self.keys.read().await.is_some();
        let jwk = jwk.ok_or(if known { Refused::Invalid } else { Refused::Keys })?;
        DecodingKey::from_jwk(&jwk).map_err(|_| Refused::Invalid)
    }

    /// Asks the provider for its keys, unless it was asked just now.
    async fn ask(&self) {
        let mut asked = self.asked.lock().await;
        let pause = Duration::from_secs(self.settings.refetch_seconds.max(1));
        if asked.is_some_and(|at| at.elapsed() < pause) {
            return;
        }
        match self.fetch().await {
            Ok(set) => *self.keys.write().await = Some((set, Instant::now())),
            Err(error) => tracing::warn!(issuer = self.settings.issuer, %error,
                "the issuer's keys could not be fetched"),
        }
        *asked = Some(Instant::now());
    }

    async fn fetch(&self) -> Result<JwkSet, HttpError> {
        let issuer = &self.settings.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let text = self.http.get(&url).await?;
        let unreadable = |url: &str| HttpError::Body(url.to_owned());
        let found: Discovery = serde_json::from_slice(&text).map_err(|_| unreadable(&url))?;
        if found.issuer != *issuer {
            return Err(unreadable(&url));
        }
        let text = self.http.get(&found.jwks_uri).await?;
        serde_json::from_slice(&text).map_err(|_| unreadable(&found.jwks_uri))
    }

    /// Who the claims of a checked token are of.
    fn read(&self, claims: &Value) -> Result<Principal, Refused> {
        let s = &self.settings;
        if level(claims) < s.level_min {
            return Err(Refused::Level);
        }
        let values = texts(claims, &s.role_claim);
        let mapped = s.roles.iter().find(|m| values.contains(&m.value.as_str()));
        let role = mapped.map(|m| m.role).or(s.default_role).ok_or(Refused::Claims)?;
        let mut comuni: BTreeSet<ComuneId> = s.comuni.iter().cloned().collect();
        if !s.comune_claim.is_empty() {
            let named = texts(claims, &s.comune_claim);
            comuni.retain(|comune| named.contains(&comune.as_str()));
        }
        // An empty set would mean every comune.
        if comuni.is_empty() {
            return Err(Refused::Claims);
        }
        let named = texts(claims, &s.office_claim);
        let offices = named.iter().filter_map(|value| s.offices.get(*value).cloned()).collect();
        Ok(Principal { account: self.account(claims)?, role, comuni, offices })
    }

    /// The account: a keyed hash of the fiscal code, or the provider's own name of the subject.
    fn account(&self, claims: &Value) -> Result<OfficerId, Refused> {
        let prefix = &self.settings.prefix;
        if let Some(key) = &self.account_key {
            let code = fiscal_code(claims).ok_or(Refused::Claims)?;
            return account_of(key, prefix, &code).ok_or(Refused::Claims);
        }
        let subject = claims.get("sub").and_then(Value::as_str).ok_or(Refused::Claims)?;
        if let Ok(account) = format!("{prefix}{subject}").parse() {
            return Ok(account);
        }
        let hash = Sha256::digest(format!("{}\n{subject}", self.settings.issuer));
        let hash = crate::app::deliver::hex(&hash);
        format!("{prefix}{}", &hash[..40]).parse().map_err(|_| Refused::Claims)
    }
}

/// The account of the holder of a fiscal code.
pub fn account_of(key: &MasterKey, prefix: &str, code: &FiscalCode) -> Option<OfficerId> {
    let hash = crate::app::deliver::hex(&key.hash(code.as_str()));
    format!("{prefix}{}", &hash[..40]).parse().ok()
}

/// The fiscal code that SPID or CIE names, with `TINIT-` before it or without.
pub fn fiscal_code(claims: &Value) -> Option<FiscalCode> {
    let names = EID.iter().map(|space| format!("{space}fiscal_number"));
    let text = names
        .chain(["fiscal_number".to_owned()])
        .find_map(|name| claims.get(&name).and_then(Value::as_str))?;
    let bare = text.trim().to_uppercase();
    FiscalCode::parse(bare.strip_prefix("TINIT-").unwrap_or(&bare)).ok()
}

/// The level of assurance: `https://www.spid.gov.it/SpidL2` is 2; 0 if there is none.
fn level(claims: &Value) -> u8 {
    let acr = claims.get("acr").and_then(Value::as_str).unwrap_or_default();
    acr.strip_prefix("https://www.spid.gov.it/SpidL").and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// The texts of a claim, one or many; dots lead into objects.
fn texts<'a>(claims: &'a Value, path: &str) -> Vec<&'a str> {
    if path.is_empty() {
        return Vec::new();
    }
    let whole = claims.get(path);
    let found = whole.or_else(|| path.split('.').try_fold(claims, |value, name| value.get(name)));
    match found {
        Some(Value::String(text)) => text.split_whitespace().collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
