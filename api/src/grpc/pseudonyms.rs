//! Names for accounts that analysts must not know.

use pratica_store::Vault;

/// The fields of payloads that hold an account.
const ACCOUNTS: &[&str] = &["account", "officer", "by"];

/// Puts pseudonyms in the place of accounts: the same for the same account, in every event.
pub(crate) fn put(vault: &Vault, value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    serde_json::Value::String(text) if ACCOUNTS.contains(&name.as_str()) => {
                        *text = vault.pseudonym("account", text);
                    }
                    field => put(vault, field),
                }
            }
        }
        serde_json::Value::Array(items) => {
            items.iter_mut().for_each(|item| put(vault, item));
        }
        _ => {}
    }
}
