//! The people at work: a client for each role, and the few things that they do again and again.

use crate::cli::Failure;
use crate::cli::client::Client;
use crate::cli::commands::rpc;
use crate::grpc::auth::{Claims, ServerKey};
use jiff::Timestamp;
use jiff::civil::Date;
use pratica_domain::Role;
use prost_reflect::MessageDescriptor;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A town with its people.
pub struct Town {
    /// Which comune.
    pub comune: String,
    server: String,
    key: ServerKey,
    clients: BTreeMap<String, Client>,
    /// What is done to each request before it is sent.
    edit: Edit,
    /// The methods that were answered at least once, and not by a refusal.
    pub taken: BTreeSet<String>,
}

/// What changes a request of this shape before it is sent.
pub type Edit = fn(&MessageDescriptor, &mut Value);

/// Who acts: an account in a role.
#[derive(Debug, Clone, Copy)]
pub struct Who(pub &'static str, pub Role);

/// An operator of the counter.
pub(super) const CLERK: Who = Who("carla", Role::Clerk);
/// A responsible officer.
pub const OFFICER: Who = Who("anna", Role::Officer);
/// Another responsible officer.
pub(super) const OTHER: Who = Who("bruno", Role::Officer);
/// The head of the office.
pub(super) const HEAD: Who = Who("direttore", Role::Head);
/// Who administers the installation.
pub(super) const ADMIN: Who = Who("admin", Role::Administrator);

/// The office of a member of staff.
fn office_of(account: &str) -> &'static str {
    match account {
        "tecla" | "ugo" | "vera" => "edilizia",
        "silvia" | "sara" => "scuola",
        _ => "anagrafe",
    }
}

impl Town {
    /// The people of a comune, as clients of a server whose key they were given tokens by.
    pub fn new(comune: &str, server: &str, key: ServerKey) -> Self {
        Town {
            comune: comune.to_owned(),
            server: server.to_owned(),
            key,
            clients: BTreeMap::new(),
            edit: |_, _| {},
            taken: BTreeSet::new(),
        }
    }

    /// The same people with other words: `edit` changes each of their requests.
    #[must_use]
    pub fn saying(mut self, edit: Edit) -> Self {
        self.edit = edit;
        self
    }

    /// A token for somebody.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn token(&self, account: &str, role: Role) -> Result<String, Failure> {
        let mut claims = Claims::new(account, role, Timestamp::now(), 7);
        if role != Role::Administrator {
            claims.comuni = vec![self.comune.clone()];
        }
        if role.is_staff() {
            claims.offices = vec![office_of(account).to_owned()];
        }
        Ok(self.key.token(&claims).map_err(anyhow::Error::from)?)
    }

    /// Calls a method as somebody.
    ///
    /// # Errors
    /// When the server answers with a status.
    pub async fn call(
        &mut self,
        who: Who,
        method: &str,
        mut request: Value,
    ) -> Result<Value, Failure> {
        request["comune"] = json!(self.comune);
        let client = self.client(who.0, who.1).await?;
        (self.edit)(&client.method(method)?.input(), &mut request);
        let answer = client.call(method, request).await?;
        self.taken.insert(method.to_owned());
        Ok(answer)
    }

    /// The client of an account.
    ///
    /// # Errors
    /// When no server answers.
    pub async fn client(&mut self, account: &str, role: Role) -> Result<Client, Failure> {
        if let Some(client) = self.clients.get(account) {
            return Ok(client.clone());
        }
        let token = self.token(account, role)?;
        let client = Client::open(&self.server, Some(&token), "en").await?;
        self.clients.insert(account.to_owned(), client.clone());
        Ok(client)
    }

    /// Files a declaration; answers the case.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn file(&mut self, who: Who, form: Value) -> Result<String, Failure> {
        self.open(who, "residency.declare", form).await
    }

    /// Opens a case by a command; answers the case.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn open(
        &mut self,
        who: Who,
        command: &str,
        mut form: Value,
    ) -> Result<String, Failure> {
        form["request_id"] = json!(uuid::Uuid::new_v4());
        let method = rpc(command).unwrap_or_default();
        let answer = self.call(who, method, form).await?;
        Ok(answer["outcome"]["case_id"].as_str().unwrap_or_default().to_owned())
    }

    /// Reads a case.
    ///
    /// # Errors
    /// When it may not be seen.
    pub async fn case(&mut self, who: Who, case: &str) -> Result<Value, Failure> {
        let method = "pratica.cases.v1.CasesService/GetCase";
        let answer = self.call(who, method, json!({ "case_id": case, "language": "en" })).await?;
        Ok(answer["case"].clone())
    }

    /// Sends a command to a case as it stands now.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn act(
        &mut self,
        who: Who,
        case: &str,
        command: &str,
        content: Value,
    ) -> Result<Value, Failure> {
        let etag = self.case(who, case).await?["summary"]["etag"].clone();
        self.act_at(who, case, command, content, etag).await
    }

    /// Sends a command with an etag.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn act_at(
        &mut self,
        who: Who,
        case: &str,
        command: &str,
        mut content: Value,
        etag: Value,
    ) -> Result<Value, Failure> {
        let Some(method) = rpc(command) else {
            return Err(Failure::Usage(format!("there is no command {command}")));
        };
        content["case_id"] = json!(case);
        content["etag"] = etag;
        content["request_id"] = json!(uuid::Uuid::new_v4());
        self.call(who, method, content).await
    }

    /// Moves the clock to ten in the morning of a day, in Rome's winter or summer alike.
    ///
    /// # Errors
    /// When the clock would go back.
    pub async fn day(&mut self, day: Date) -> Result<Value, Failure> {
        self.clock_to(&format!("{day}T09:00:00Z")).await
    }

    /// Moves the clock to an instant.
    ///
    /// # Errors
    /// When the clock would go back.
    pub async fn clock_to(&mut self, instant: &str) -> Result<Value, Failure> {
        let client = self.client(ADMIN.0, ADMIN.1).await?;
        let method = "pratica.admin.v1.AdminService/AdvanceClock";
        client.call(method, json!({ "to_time": instant })).await
    }
}
