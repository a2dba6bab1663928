//! Encryption of the door: the server's certificate, renewed without a restart, and who a client
//! certificate is here.
//!
//! Files are read again when they change or when the process is told to (SIGHUP). What cannot be
//! used is said and the old certificate stays. What must never enter: a key in an error or a log
//! line.

use crate::app::Principal;
use pratica_domain::Role;
use pratica_domain::ids::{ComuneId, OfficeId, OfficerId};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Where the certificates are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and its root, as PEM.
    pub certificate: PathBuf,
    /// Its key, as PEM.
    pub key: PathBuf,
    /// The roots of client certificates, as PEM; without it none is asked for.
    pub client_roots: Option<PathBuf>,
}

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of its kind.
    #[error("{path} does not hold {what} as PEM")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why.
        #[source]
        source: Option<rustls::pki_types::pem::Error>,
    },
    /// The certificate and the key cannot be used together.
    #[error("the certificate and the key cannot be used")]
    Use(#[from] rustls::Error),
    /// The roots of client certificates cannot be used.
    #[error("the roots of client certificates cannot be used")]
    Roots(#[from] rustls::server::VerifierBuilderError),
}

/// The server's side of encryption, as it stands now.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be used; the error names it.
    pub fn open(files: TlsFiles) -> Result<Arc<Tls>, TlsError> {
        let config = RwLock::new(read(&files)?);
        Ok(Arc::new(Tls { files, config }))
    }

    /// What the next connection is greeted with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again; connections that are open stay as they are.
    ///
    /// # Errors
    /// As [`Tls::open`]; then the old certificate stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = read(&self.files)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Reads the files again whenever they change, or `told` says so, until it is dropped.
    pub async fn follow(&self, mut told: tokio::sync::mpsc::Receiver<()>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut seen = self.stamps();
        let mut listening = true;
        loop {
            tokio::select! {
                _ = look.tick() => {
                    if self.stamps() == seen {
                        continue;
                    }
                }
                said = told.recv(), if listening => {
                    listening = said.is_some();
                    if !listening {
                        continue;
                    }
                }
            }
            seen = self.stamps();
            match self.reload() {
                Ok(()) => tracing::info!("the certificate was read again"),
                Err(error) => tracing::error!(
                    error = crate::app::error::chain(&error),
                    "the new certificate cannot be used; the old one stays"
                ),
            }
        }
    }

    fn stamps(&self) -> Vec<Option<(SystemTime, u64)>> {
        let files = [
            Some(&self.files.certificate),
            Some(&self.files.key),
            self.files.client_roots.as_ref(),
        ];
        let stamp = |path: &PathBuf| {
            let about = std::fs::metadata(path).ok()?;
            Some((about.modified().ok()?, about.len()))
        };
        files.into_iter().flatten().map(stamp).collect()
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let what = "certificates";
    let failed = |source| TlsError::Pem { path: path.to_owned(), what, source };
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|e| failed(Some(e)))?.collect();
    let read = read.map_err(|e| failed(Some(e)))?;
    if read.is_empty() { Err(failed(None)) } else { Ok(read) }
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| TlsError::Pem {
        path: files.key.clone(),
        what: "a private key",
        source: Some(e),
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match &files.client_roots {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = rustls::RootCertStore::empty();
            for root in certificates(path)? {
                roots.add(root)?;
            }
            // Who has none comes with a token.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Who comes with a certificate of a given name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateSettings {
    /// A DNS or URI name that the certificate is for (subject alternative name).
    pub name: String,
    /// The account here.
    pub account: OfficerId,
    /// The role here, such as `service`.
    pub role: Role,
    /// The comuni that it is good for.
    pub comuni: Vec<ComuneId>,
    /// The offices of a member of staff.
    #[serde(default)]
    pub offices: Vec<OfficeId>,
}

impl CertificateSettings {
    /// What is wrong with it: a field and its rule.
    pub(crate) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.name.trim().is_empty() {
            Some(("name", "is empty: give a DNS or URI name of the certificate"))
        } else if self.role == Role::System {
            Some(("role", "is not one that anybody may come in"))
        } else if self.comuni.is_empty() {
            Some(("comuni", "is empty: name the comuni that it is good for"))
        } else {
            None
        }
    }

    fn principal(&self) -> Principal {
        Principal {
            account: self.account.clone(),
            role: self.role,
            comuni: self.comuni.iter().cloned().collect(),
            offices: self.offices.iter().cloned().collect(),
        }
    }
}

/// Who comes with a certificate that the handshake has verified; none if no setting names it.
pub(crate) fn who(
    known: &[CertificateSettings],
    certificate: &CertificateDer<'_>,
) -> Option<Principal> {
    let parsed = webpki::EndEntityCert::try_from(certificate).ok()?;
    let names: Vec<&str> = parsed.valid_dns_names().chain(parsed.valid_uri_names()).collect();
    let found = known.iter().find(|setting| names.contains(&setting.name.as_str()))?;
    Some(found.principal())
}
