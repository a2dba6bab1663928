//! The declaration that every case of the benchmark begins with. Its people are invented.

use jiff::Timestamp;
use pratica_domain::case::Channel;
use pratica_domain::people::{Address, Person};
use pratica_domain::residency::{
    Command as ResidencyCommand, Form, Kind, MemberForm, OccupationTitle,
};

/// The declaration of somebody whose name, dwelling and account end in a number.
pub(crate) fn declare(n: u64, filed_at: Timestamp) -> anyhow::Result<ResidencyCommand> {
    let person = Person {
        given_name: "Anna".to_owned(),
        family_name: format!("Rossi {n}"),
        fiscal_code: None,
        birth_date: Some(jiff::civil::date(1980, 1, 1)),
        contact: None,
    };
    let form = Form {
        kind: Kind::ChangeOfDwelling,
        ministry_form: true,
        fact_on: None,
        address: Address {
            street: format!("Via dei Colli {n}"),
            postcode: "40100".to_owned(),
            municipality: "Collina".to_owned(),
            province: "BO".to_owned(),
        },
        title: Some(OccupationTitle::Lease),
        title_details: "registered lease no. 1234".to_owned(),
        members: vec![MemberForm {
            person,
            account: Some(format!("citizen.{n}")),
            signed: true,
            identity_copy: true,
            annex: None,
            origin: "Collina".to_owned(),
        }],
        family_consent: None,
        other_parent_told: None,
    };
    Ok(ResidencyCommand::Declare {
        form,
        channel: Channel::Counter,
        filed_at,
        office: "anagrafe".parse()?,
        attachments: Vec::new(),
    })
}
