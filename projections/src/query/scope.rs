//! Who may see what, as SQL.
//!
//! A query over cases runs once for each scope and the pages are merged, so that each part is a
//! walk along one index: one scope for everything or for an account, one for each office.

use rusqlite::types::Value;

use crate::dates;
use crate::types::Access;

/// A part of a query: where the rows come from and what must hold of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    /// Conditions, joined by AND.
    pub conditions: Vec<String>,
    /// Their parameters, in order.
    pub values: Vec<Value>,
}

impl Part {
    /// Adds a condition with one parameter, written `?`.
    pub(crate) fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.conditions.push(condition.to_owned());
        self.values.push(value.into());
    }

    /// Adds a condition without a parameter.
    pub(crate) fn holds(&mut self, condition: &str) {
        self.conditions.push(condition.to_owned());
    }

    /// The conditions as SQL.
    pub(crate) fn sql(&self) -> String {
        if self.conditions.is_empty() { "1".to_owned() } else { self.conditions.join(" AND ") }
    }
}

/// Whether rows are found through the accounts of cases.
pub(crate) fn by_account(access: &Access) -> bool {
    matches!(access, Access::Account { .. })
}

/// The table that queries over cases read from.
pub(crate) fn source(access: &Access) -> &'static str {
    if by_account(access) {
        "case_accounts a CROSS JOIN cases c ON c.key = a.case_key"
    } else {
        "cases c"
    }
}

/// The parts that a query falls into; none when nothing may be seen. `office` is what the caller
/// narrows by.
pub(crate) fn parts(access: &Access, office: Option<&str>) -> Vec<Part> {
    let only = |name: &str| {
        let mut part = Part::default();
        part.and("c.office = ?", name.to_owned());
        part
    };
    match (access, office) {
        (Access::Everything, None) => vec![Part::default()],
        (Access::Everything, Some(office)) => vec![only(office)],
        (Access::Offices(offices), None) => offices.iter().map(|o| only(o.as_str())).collect(),
        (Access::Offices(offices), Some(office)) => offices
            .iter()
            .filter(|allowed| allowed.as_str() == office)
            .map(|o| only(o.as_str()))
            .collect(),
        (Access::Account { account, today }, office) => {
            let mut part = Part::default();
            part.and("a.account = ?", account.clone());
            part.and("a.until >= ?", dates::number(*today));
            if let Some(office) = office {
                part.and("c.office = ?", office.to_owned());
            }
            vec![part]
        }
    }
}
