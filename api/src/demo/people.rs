//! Invented people and their forms.

use pratica_domain::people::FiscalCode;
use pratica_domain::people::fiscal_code::Sex;
use serde_json::{Value, json};

/// A receivable declaration of one invented adult.
pub fn declaration(given_name: &str, family_name: &str, kind: &str) -> Value {
    let born = jiff::civil::date(1980, 1, 1);
    let code = FiscalCode::encode(family_name, given_name, Sex::Female, born, "A944");
    let code = code.map(|c| c.as_str().to_owned()).unwrap_or_default();
    json!({
        "kind": format!("RESIDENCY_KIND_{kind}"),
        "channel": "CHANNEL_COUNTER",
        "form": {
            "ministry_form": true,
            "address": { "street": "Via dei Colli 7", "postcode": "40100",
                         "municipality": "Collina", "province": "BO" },
            "title": "OCCUPATION_TITLE_LEASE",
            "title_details": "registered lease no. 1234",
            "members": [{
                "person": { "given_name": given_name, "family_name": family_name,
                            "fiscal_code": code,
                            "birth_date": { "year": 1980, "month": 1, "day": 1 } },
                "account": format!("citizen.{}", family_name.to_lowercase()),
                "signed": true, "identity_copy": true, "origin": "Valle",
            }],
        },
    })
}
