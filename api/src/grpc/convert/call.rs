//! Messages of school calls to domain values, and back.

use super::{Fields, date_message};
use crate::app::school::{SHIPPED, criteria_of};
use pratica_domain::ids::{BandId, SchoolId};
use pratica_domain::school::Criteria;
use pratica_domain::school::call::{Places, Plan, School};
use pratica_proto::enrolment::v1 as proto;
use std::collections::BTreeMap;

/// The longest criteria, in bytes.
const CRITERIA_BYTES_MAX: usize = 200_000;

pub(crate) fn plan(f: &mut Fields, plan: Option<proto::CallPlan>) -> Option<Plan> {
    let Some(plan) = plan else {
        f.refuse("plan", "required");
        return None;
    };
    let title = f.required("plan.title", plan.title);
    let school_year = match i16::try_from(plan.school_year) {
        Ok(year) if (1900..2200).contains(&year) => Some(year),
        _ => {
            f.refuse("plan.school_year", "must be a year, 1900 to 2199");
            None
        }
    };
    let opens_on = f.date("plan.open_date", plan.open_date);
    let closes_on = f.date("plan.close_date", plan.close_date);
    let ends_on = f.date("plan.end_date", plan.end_date);
    let criteria = criteria(f, &plan.criteria_toml, &plan.shipped_criteria);
    let schools: Vec<Option<(SchoolId, School)>> =
        plan.schools.into_iter().enumerate().map(|(n, s)| school(f, n, s)).collect();
    let schools: BTreeMap<SchoolId, School> = schools.into_iter().collect::<Option<_>>()?;
    Some(Plan {
        title: title?,
        school_year: school_year?,
        opens_on: opens_on?,
        closes_on: closes_on?,
        ends_on: ends_on?,
        schools,
        criteria: criteria?,
    })
}

fn criteria(f: &mut Fields, text: &str, shipped: &str) -> Option<Criteria> {
    let text = match (text.is_empty(), SHIPPED.iter().find(|(name, _)| *name == shipped)) {
        (false, _) if text.len() > CRITERIA_BYTES_MAX => {
            f.refuse("plan.criteria_toml", format!("at most {CRITERIA_BYTES_MAX} bytes"));
            return None;
        }
        (false, _) => text,
        (true, Some((_, text))) => text,
        (true, None) => {
            let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
            f.refuse("plan.criteria_toml", format!("required, or one of {}", names.join(", ")));
            return None;
        }
    };
    match criteria_of(text) {
        Ok(criteria) => Some(criteria),
        Err(error) => {
            f.refuse("plan.criteria_toml", error.to_string());
            None
        }
    }
}

fn school(f: &mut Fields, n: usize, school: proto::SchoolPlan) -> Option<(SchoolId, School)> {
    let field = format!("plan.schools[{n}]");
    let id = f.parse::<SchoolId>(&format!("{field}.school"), &school.school);
    let mut bands = BTreeMap::new();
    for (b, places) in school.bands.into_iter().enumerate() {
        let band = f.parse::<BandId>(&format!("{field}.bands[{b}].band"), &places.band)?;
        let reserved = places.reserved.into_iter().map(|r| (r.group, r.places)).collect();
        bands.insert(band, Places { places: places.places, reserved });
    }
    let id = id?;
    let name = if school.name.is_empty() { id.to_string() } else { school.name };
    Some((id, School { name, bands }))
}

/// A plan as a message, its criteria as text.
pub(crate) fn plan_message(plan: &Plan) -> proto::CallPlan {
    proto::CallPlan {
        title: plan.title.clone(),
        school_year: i32::from(plan.school_year),
        open_date: Some(date_message(plan.opens_on)),
        close_date: Some(date_message(plan.closes_on)),
        end_date: Some(date_message(plan.ends_on)),
        schools: plan
            .schools
            .iter()
            .map(|(id, school)| proto::SchoolPlan {
                school: id.to_string(),
                name: school.name.clone(),
                bands: school
                    .bands
                    .iter()
                    .map(|(band, places)| proto::BandPlaces {
                        band: band.to_string(),
                        places: places.places,
                        reserved: places
                            .reserved
                            .iter()
                            .map(|(group, places)| proto::ReservedPlaces {
                                group: group.clone(),
                                places: *places,
                            })
                            .collect(),
                    })
                    .collect(),
            })
            .collect(),
        // What was read can be written.
        criteria_toml: toml::to_string(&plan.criteria).unwrap_or_default(),
        shipped_criteria: String::new(),
    }
}
