//! What belongs to a comune: holidays, rules, offices. Read from `comune.toml` in its directory;
//! everything has a default, an unknown key is an error.

use pratica_domain::case::Procedure;
use pratica_domain::ids::OfficeId;
use pratica_domain::term::{Calendar, LocalHoliday, RuleBook, RuleSet};
use pratica_projections::Rules;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const EMBEDDED: &[(&str, &str)] = &[
    ("italy-2026.toml", include_str!("../../../rules/italy-2026.toml")),
    ("nl-wabo.toml", include_str!("../../../rules/nl-wabo.toml")),
];

/// The rules of regions, which a comune asks for by name.
const REGIONS: &[(&str, &str)] =
    &[("lombardia", include_str!("../../../rules/lombardia-2026.toml"))];

/// The settings of one comune.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The name that people read.
    pub name: String,
    /// The office in charge of each procedure (L. 241/1990 art. 4).
    pub offices: BTreeMap<Procedure, OfficeId>,
    /// Local holidays; each says whether it counts for terms.
    pub holidays: Vec<LocalHoliday>,
    /// Proof that the log was not altered.
    pub evidence: EvidenceSettings,
    /// What becomes of cases that nothing keeps any more.
    pub retention: RetentionSettings,
    /// Where the log is kept.
    pub log: LogSettings,
    /// The region whose terms apply, such as `lombardia`; the national ones if absent.
    pub region: Option<String>,
    /// Rule files of the comune, relative to its directory, in order; each may extend another.
    pub rules: Vec<PathBuf>,
}

/// What becomes of cases that the plan of conservation keeps no longer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSettings {
    /// Whether their erasure is proposed by itself, once a day. Somebody has to authorise it all
    /// the same.
    pub propose: bool,
}

/// How often the log is signed, and who keeps what was signed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceSettings {
    /// The name that checkpoints are signed under, such as `comune.example/pratica`; by default
    /// `pratica/COMUNE`.
    pub origin: String,
    /// A checkpoint after so many events at the latest.
    pub every_events: u64,
    /// A checkpoint after so many seconds at the latest, if anything was recorded.
    pub every_seconds: u64,
    /// Directories, and `https://` addresses that each checkpoint is posted to.
    pub witnesses: Vec<String>,
}

impl Default for EvidenceSettings {
    fn default() -> Self {
        EvidenceSettings {
            origin: String::new(),
            every_events: 1_000,
            every_seconds: 60,
            witnesses: Vec::new(),
        }
    }
}

/// Where the log is kept: beside everything else, unless a cluster is named.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// The connection string of an EventStoreDB or KurrentDB cluster, `esdb://...`, or the
    /// environment variable that holds it: `env:NAME`. Without one the log is `log.db`, and with
    /// one `log.db` is this node's copy.
    pub kurrent: Option<String>,
    /// The directory of the keys that all nodes reach. Without one they are in `keys.db`, of one
    /// node.
    pub keys: Option<PathBuf>,
    /// How long a node that does what must be done once at a time may be silent before another
    /// takes over. It writes one event to the log in half of this time.
    pub lease_seconds: u32,
}

impl Default for LogSettings {
    fn default() -> Self {
        LogSettings { kurrent: None, keys: None, lease_seconds: 120 }
    }
}

impl LogSettings {
    /// The connection string of the cluster; none for the embedded log.
    ///
    /// # Errors
    /// When the environment variable is not set.
    pub fn cluster(&self) -> Result<Option<String>, SettingsError> {
        match self.kurrent.as_deref().map(|text| (text, text.strip_prefix("env:"))) {
            None => Ok(None),
            Some((text, None)) => Ok(Some(text.to_owned())),
            Some((_, Some(name))) => std::env::var(name)
                .map(Some)
                .map_err(|_| SettingsError::Variable { name: name.to_owned() }),
        }
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file does not have its shape; the source names line, key and rule.
    #[error("{path} is not valid")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The variable that holds the connection string is not set.
    #[error("the environment variable {name} does not hold the cluster's connection string")]
    Variable {
        /// Its name.
        name: String,
    },
    /// No rules of this region come with the program.
    #[error(
        "region \"{region}\" is not known; known are: {known}. Leave it out for the national terms, \
         or add a rules file of your own"
    )]
    Region {
        /// What was asked for.
        region: String,
        /// What there is.
        known: String,
    },
    /// A rule cannot be used.
    #[error("{path} holds a rule that cannot be used")]
    Rule {
        /// The file.
        path: PathBuf,
        /// The first problem.
        #[source]
        source: Box<pratica_domain::term::RuleProblem>,
    },
}

impl Settings {
    /// Reads `comune.toml` of a directory; without one, everything has its default.
    ///
    /// # Errors
    /// When the file cannot be read or does not have its shape.
    pub fn read(directory: &Path) -> Result<Self, SettingsError> {
        let path = directory.join("comune.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|source| SettingsError::Parse { path, source: Box::new(source) }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Settings::default()),
            Err(source) => Err(SettingsError::Read { path, source }),
        }
    }

    /// The office in charge of a procedure.
    pub fn office(&self, procedure: Procedure) -> Result<OfficeId, pratica_domain::ids::InvalidId> {
        let default = match procedure {
            Procedure::Residency => "anagrafe",
            Procedure::Permit => "edilizia",
            Procedure::Enrolment => "scuola",
        };
        match self.offices.get(&procedure) {
            Some(office) => Ok(office.clone()),
            None => default.parse(),
        }
    }

    /// The rules and the calendar: embedded defaults, then the comune's own files.
    ///
    /// # Errors
    /// When a file cannot be read, does not have its shape, or holds a rule that cannot be used.
    pub fn rules(&self, directory: &Path) -> Result<Rules, SettingsError> {
        let mut book = RuleBook::new();
        for (name, text) in EMBEDDED {
            add(&mut book, Path::new(name), text)?;
        }
        if let Some(region) = &self.region {
            let Some((name, text)) = REGIONS.iter().find(|(name, _)| name == region) else {
                return Err(SettingsError::Region {
                    region: region.clone(),
                    known: REGIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
                });
            };
            add(&mut book, Path::new(name), text)?;
        }
        for file in &self.rules {
            let path = directory.join(file);
            let text = std::fs::read_to_string(&path)
                .map_err(|source| SettingsError::Read { path: path.clone(), source })?;
            add(&mut book, &path, &text)?;
        }
        if let Err(mut problems) = book.validate()
            && let Some(source) = problems.drain(..).next()
        {
            let source = Box::new(source);
            return Err(SettingsError::Rule { path: directory.to_owned(), source });
        }
        let calendar = Calendar::national().with_local(self.holidays.clone());
        Ok(Rules { book, calendar })
    }
}

fn add(book: &mut RuleBook, path: &Path, text: &str) -> Result<(), SettingsError> {
    let set: RuleSet = toml::from_str(text).map_err(|source| SettingsError::Parse {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    book.add(set)
        .map_err(|source| SettingsError::Rule { path: path.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_region(region: Option<&str>) -> Result<Rules, SettingsError> {
        let settings = Settings { region: region.map(str::to_owned), ..Settings::default() };
        settings.rules(Path::new("/nowhere"))
    }

    #[test]
    fn a_comune_of_lombardy_files_permits_under_its_region_s_terms() -> Result<(), SettingsError> {
        let version = |rules: &Rules| {
            let set = rules.book.in_force_on(jiff::civil::date(2026, 3, 2));
            set.map(|set| set.version.clone())
        };
        assert_eq!(version(&of_region(None)?).as_deref(), Some("italy-2026"));
        assert_eq!(version(&of_region(Some("lombardia"))?).as_deref(), Some("lombardia-2026"));
        Ok(())
    }

    #[test]
    fn a_region_without_rules_is_refused_with_those_that_are_known() {
        let refused = of_region(Some("atlantide")).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(refused.contains("atlantide") && refused.contains("lombardia"), "{refused}");
    }
}
