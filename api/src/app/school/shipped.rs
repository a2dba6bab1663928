//! The criteria that come with the program, and reading those of a comune.

use pratica_domain::school::Criteria;

/// The examples, by name.
pub const SHIPPED: &[(&str, &str)] = &[
    ("bologna", include_str!("../../../../criteria/bologna.toml")),
    ("pavullo", include_str!("../../../../criteria/pavullo.toml")),
    ("trento", include_str!("../../../../criteria/trento.toml")),
    ("umbertide", include_str!("../../../../criteria/umbertide.toml")),
];

/// Reads criteria.
///
/// # Errors
/// What in the text does not have the shape of criteria, with line and key.
pub fn criteria_of(text: &str) -> Result<Criteria, toml::de::Error> {
    toml::from_str(text)
}
