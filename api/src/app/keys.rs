//! Where the comuni's master keys come from: a file, an environment variable or a command.
//!
//! A key in the data directory would be in every copy of it, so that none of this puts one there,
//! except for a demonstration. What must never enter: a key in an error or a log line.

use pratica_domain::ids::ComuneId;
use pratica_store::{MasterKey, Vault, VaultError};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What stands for the comune in the path, variable or command.
const COMUNE: &str = "{comune}";

/// Where master keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterKeys {
    /// A file for each comune; made when the comune is new.
    File(String),
    /// An environment variable.
    Variable(String),
    /// A program, with its arguments, that prints the key: of a key store or a hardware module.
    Program(String),
    /// Beside the data it locks, which locks nothing: for demonstrations and tests.
    Demonstration,
}

/// A master key that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The setting is not one of the three.
    #[error("--master-key is file:PATH, env:NAME, command:PROGRAM or demo, not {0:?}")]
    Setting(String),
    /// The file would lie within the data.
    #[error(
        "the master key's file {path} lies within the data directory, and so in every copy of it: \
         name another with --master-key file:PATH"
    )]
    WithinData {
        /// The file.
        path: PathBuf,
    },
    /// The file is missing, and the comune is not new.
    #[error(
        "the master key's file {path} is missing: put it back, or name the right one with \
         --master-key; without it the personal data of this comune cannot be read"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be used.
    #[error("cannot use the master key's file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Everybody of the machine may read the file.
    #[error("{path} may be read by others than its owner: chmod 600 {path}")]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// The variable is not set.
    #[error("the environment variable {0} does not hold a master key")]
    Variable(String),
    /// The program failed.
    #[error("the master key's program {0:?} failed")]
    Program(String, #[source] Option<std::io::Error>),
    /// `keys.db` is gone, and the log is not empty.
    #[error(
        "{path} is missing, and the log holds events: restore it; a new one would open none of them"
    )]
    VaultMissing {
        /// The vault.
        path: PathBuf,
    },
    /// The shared keys are not where the settings say.
    #[error("{path} holds no keys: mount the volume, or make them with `pratica keys share`")]
    SharedMissing {
        /// Where they should be.
        path: PathBuf,
    },
    /// The vault does not take the key.
    #[error("the vault of {comune} cannot be opened")]
    Vault {
        /// Whose.
        comune: ComuneId,
        /// Why.
        #[source]
        source: VaultError,
    },
    /// What came is not a key.
    #[error("what came from {from} is not a master key")]
    Shape {
        /// From where.
        from: String,
        /// Why.
        #[source]
        source: VaultError,
    },
}

impl std::str::FromStr for MasterKeys {
    type Err = KeysError;
    fn from_str(text: &str) -> Result<Self, KeysError> {
        let unknown = || KeysError::Setting(text.to_owned());
        match text.split_once(':') {
            Some((_, "")) => Err(unknown()),
            Some(("file", path)) => Ok(MasterKeys::File(path.to_owned())),
            Some(("env", name)) => Ok(MasterKeys::Variable(name.to_owned())),
            Some(("command", program)) => Ok(MasterKeys::Program(program.to_owned())),
            None if text == "demo" => Ok(MasterKeys::Demonstration),
            _ => Err(unknown()),
        }
    }
}

impl MasterKeys {
    /// The default: `DATA-keys/COMUNE.key`, beside the data directory and not in it.
    pub fn beside(data: &Path) -> Self {
        let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
        let mut directory = data.as_os_str().to_owned();
        directory.push("-keys");
        let path = Path::new(&directory).join(format!("{COMUNE}.key"));
        MasterKeys::File(path.to_string_lossy().into_owned())
    }

    /// The key of a comune whose data is in `directory`.
    ///
    /// # Errors
    /// When it cannot be had; the error says what would help.
    pub fn of(&self, comune: &ComuneId, directory: &Path) -> Result<MasterKey, KeysError> {
        let named = |text: &str| text.replace(COMUNE, comune.as_str());
        let is_new = !vault_path(directory).exists();
        match self {
            MasterKeys::File(path) => {
                let path = PathBuf::from(named(path));
                let data = directory.parent().unwrap_or(directory);
                if within(&path, data) {
                    return Err(KeysError::WithinData { path });
                }
                in_file(&path, is_new)
            }
            MasterKeys::Demonstration => in_file(&directory.join("master.key"), is_new),
            MasterKeys::Variable(name) => {
                let name = named(name).to_uppercase().replace(['-', '.'], "_");
                let text = std::env::var(&name).map_err(|_| KeysError::Variable(name.clone()))?;
                parse(&text, &format!("the variable {name}"))
            }
            MasterKeys::Program(program) => printed(&named(program)),
        }
    }

    /// Opens the vault of a comune in a directory of keys that several nodes share.
    ///
    /// # Errors
    /// When the key cannot be had, is not the one, or the vault is missing: `pratica keys share`
    /// makes it.
    pub fn open_shared(
        &self,
        comune: &ComuneId,
        directory: &Path,
        keys: &Path,
    ) -> Result<Vault, KeysError> {
        let path = shared_path(keys, comune);
        if !path.join("masters").is_dir() {
            return Err(KeysError::SharedMissing { path });
        }
        let master = self.of(comune, directory)?;
        Vault::open_shared(&path, &master)
            .map_err(|source| KeysError::Vault { comune: comune.clone(), source })
    }

    /// Opens the vault of a comune. `has_events` says whether its log holds any.
    ///
    /// # Errors
    /// When the key cannot be had, is not the one, or the vault is missing.
    pub fn open(
        &self,
        comune: &ComuneId,
        directory: &Path,
        has_events: bool,
    ) -> Result<Vault, KeysError> {
        let path = vault_path(directory);
        if has_events && !path.exists() {
            return Err(KeysError::VaultMissing { path });
        }
        let master = self.of(comune, directory)?;
        Vault::open(&path, &master)
            .map_err(|source| KeysError::Vault { comune: comune.clone(), source })
    }
}

/// The vault of a comune in a directory of keys that several nodes share.
pub fn shared_path(keys: &Path, comune: &ComuneId) -> PathBuf {
    keys.join(comune.as_str())
}

/// The vault of the comune whose data is in `directory`.
pub fn vault_path(directory: &Path) -> PathBuf {
    directory.join("keys.db")
}

fn within(path: &Path, data: &Path) -> bool {
    let full = |path: &Path| {
        path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.into())
    };
    let parent = path.parent().map(full).unwrap_or_default();
    parent.starts_with(full(data))
}

/// Reads the file; makes it for a comune that is new.
fn in_file(path: &Path, is_new: bool) -> Result<MasterKey, KeysError> {
    let failed = |source| KeysError::File { path: path.to_owned(), source };
    match std::fs::read_to_string(path) {
        Ok(text) => {
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
                if mode & 0o077 != 0 {
                    return Err(KeysError::Open { path: path.to_owned() });
                }
            }
            parse(&text, &path.display().to_string())
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && is_new => {
            make_file(path).map_err(|error| match error {
                Made::Io(source) => failed(source),
                Made::Key(source) => KeysError::Shape { from: path.display().to_string(), source },
            })
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(KeysError::Missing { path: path.to_owned() })
        }
        Err(source) => Err(failed(source)),
    }
}

enum Made {
    Io(std::io::Error),
    Key(VaultError),
}

/// Makes a key and writes it where only its owner reads it, flushed before anything is sealed.
pub(crate) fn make_key(path: &Path) -> Result<MasterKey, KeysError> {
    make_file(path).map_err(|error| match error {
        Made::Io(source) => KeysError::File { path: path.to_owned(), source },
        Made::Key(source) => KeysError::Shape { from: path.display().to_string(), source },
    })
}

fn make_file(path: &Path) -> Result<MasterKey, Made> {
    use std::io::Write as _;
    let key = MasterKey::generate().map_err(Made::Key)?;
    if let Some(directory) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory).map_err(Made::Io)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(Made::Io)?;
    file.write_all(key.to_text().as_bytes()).map_err(Made::Io)?;
    file.write_all(b"\n").map_err(Made::Io)?;
    file.sync_all().map_err(Made::Io)?;
    Ok(key)
}

fn parse(text: &str, from: &str) -> Result<MasterKey, KeysError> {
    MasterKey::parse(text).map_err(|source| KeysError::Shape { from: from.to_owned(), source })
}

/// Runs a program and reads the key that it prints. No shell: words are split at spaces.
fn printed(program: &str) -> Result<MasterKey, KeysError> {
    let failed = |source| KeysError::Program(program.to_owned(), source);
    let mut words = program.split_whitespace();
    let name = words.next().ok_or_else(|| failed(None))?;
    let output = Command::new(name).args(words).output().map_err(|e| failed(Some(e)))?;
    if !output.status.success() {
        return Err(failed(None));
    }
    let text = zeroize::Zeroizing::new(String::from_utf8_lossy(&output.stdout).into_owned());
    parse(&text, "the master key's program")
}
