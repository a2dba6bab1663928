//! Assignment against school-choice instances whose answers others computed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pratica_domain::ranking::{Better, Input, Key, rank};
use serde::Deserialize;

use crate::ranking::{applies, list};

#[derive(Deserialize)]
struct Instance {
    capacities: BTreeMap<String, u32>,
    student_preferences: BTreeMap<String, Vec<String>>,
    school_priorities: BTreeMap<String, Vec<String>>,
    student_optimal: BTreeMap<String, Vec<String>>,
    unassigned: Vec<String>,
}

/// The instances, or none with a word about it: they are no part of the project.
#[allow(clippy::disallowed_methods, reason = "the test reads files, the domain none")]
fn instances() -> Vec<(String, Instance)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/matching"));
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("passed over: {} is not here", folder.display());
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the folder of instances is empty");
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect()
}

#[test]
fn the_instances_have_their_student_optimal_answers() {
    for (name, instance) in instances() {
        let schools: Vec<&String> = instance.capacities.keys().collect();
        let lists = schools.iter().map(|s| list(&format!("{s}/all"), instance.capacities[*s], &[]));
        let students: Vec<&String> = instance.student_preferences.keys().collect();
        let applications = students.iter().enumerate().map(|(n, student)| {
            let chosen: Vec<(u32, Vec<i64>)> = instance.student_preferences[*student]
                .iter()
                .map(|school| {
                    let place = schools.iter().position(|s| *s == school).unwrap();
                    let order = &instance.school_priorities[school];
                    let rank = order.iter().position(|s| s == *student).unwrap();
                    (u32::try_from(place).unwrap(), vec![i64::try_from(rank).unwrap()])
                })
                .collect();
            let chosen: Vec<(u32, &[i64])> =
                chosen.iter().map(|(list, values)| (*list, values.as_slice())).collect();
            applies(n as u128, &[], &chosen)
        });
        let keys = vec![Key { name: "priority".to_owned(), better: Better::Lower }];
        let input = Input::new(keys, lists.collect(), applications.collect()).unwrap();
        let ranking = rank(&input);
        let mut found: BTreeMap<String, Vec<String>> =
            schools.iter().map(|s| ((*s).clone(), Vec::new())).collect();
        let mut unassigned = Vec::new();
        for (n, seat) in ranking.seats.iter().enumerate() {
            match seat {
                Some(seat) => {
                    let school = input.lists()[seat.list as usize].id.school.to_string();
                    found.get_mut(&school).unwrap().push(students[n].clone());
                }
                None => unassigned.push(students[n].clone()),
            }
        }
        for admitted in found.values_mut() {
            admitted.sort();
        }
        assert_eq!(found, instance.student_optimal, "{name}");
        assert_eq!(unassigned, instance.unassigned, "{name}");
    }
}
