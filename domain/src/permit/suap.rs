//! The words of the national SUAP specification (DM 26-9-2023) for what happens to a permit.
//!
//! A table and nothing else: the words are normative with their misspellings, a state and the audit
//! of the same fact are spelled differently, and none may be derived from another.

use super::state::Stage;

/// What a fact is called: the `instance_status` that is notified, and the event that is audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// The fact, in our names.
    pub fact: &'static str,
    /// The word of `notify`; none if nothing is notified.
    pub notify: Option<&'static str>,
    /// The word of `audit`.
    pub audit: Option<&'static str>,
}

const fn words(
    fact: &'static str,
    notify: Option<&'static str>,
    audit: Option<&'static str>,
) -> Words {
    Words { fact, notify, audit }
}

/// Every fact that the specification has a word for.
pub const FACTS: &[Words] = &[
    words("permit.filed", Some("presented"), Some("instance_retrived")),
    words("permit.found_irreceivable", Some("refused"), Some("end_by_instance_refused")),
    words("correction asked", Some("correction_requested"), Some("correction_request")),
    words("correction received", Some("corrected"), Some("corrected_instance_retrived")),
    words("additions asked", Some("integration_requested"), Some("integration_requested")),
    words("additions received", Some("integrated"), Some("instance_integrated_retrived")),
    words("permit.additions_request ended", None, Some("integration_request_time_expired")),
    words(
        "permit.archived",
        Some("ended_by_integration_times_expired"),
        Some("end_by_integration_request_time_expired"),
    ),
    words("permit.conference_convened", Some("cdss_convened"), Some("cdss_convened")),
    words(
        "permit.granted_by_silence",
        Some("ended_by_proceeding_time_expired"),
        Some("end_by_proceeding_time_expired"),
    ),
    words("permit.issued", Some("ended_by_positive_outcome"), Some("end_by_positive_outcome")),
    words("permit.refused", Some("ended_by_negative_outcome"), Some("end_by_negative_outcome")),
    words(
        "permit.control_ended",
        Some("ended_by_proceeding_time_expired"),
        Some("end_by_proceeding_time_expired"),
    ),
    words(
        "permit.conformation_ordered",
        Some("ended_by_conformation_requested"),
        Some("end_by_conformation_requested"),
    ),
    words(
        "permit.prohibited",
        Some("ended_by_suspension_requested"),
        Some("end_by_suspension_requested"),
    ),
    words(
        "case.withdrawn",
        Some("ended_by_submitter_cancel_requested"),
        Some("end_by_submitter_cancel_requested"),
    ),
];

/// The state of an instance for each stage and outcome of a permit.
pub const STATES: &[(&str, &str)] = &[
    ("under_review", "presented"),
    ("awaiting_additions", "integration_requested"),
    ("additions_missing", "integration_requested"),
    ("awaiting_changes", "correction_requested"),
    ("suspended_by_safeguards", "presented"),
    ("in_conference", "cdss_convened"),
    ("notice_pending", "presented"),
    ("observation_window", "presented"),
    ("proposed", "presented"),
    ("granted", "ended_by_positive_outcome"),
    ("granted_by_silence", "ended_by_proceeding_time_expired"),
    ("refused", "ended_by_negative_outcome"),
    ("irreceivable", "refused"),
    ("archived", "ended_by_integration_times_expired"),
    ("withdrawn", "ended_by_submitter_cancel_requested"),
    ("under_control", "presented"),
    ("conformation_ordered", "ended_by_conformation_requested"),
    ("consolidated", "ended_by_proceeding_time_expired"),
    ("prohibited", "ended_by_suspension_requested"),
    ("communicated", "presented"),
];

/// What another component asks of a back office, and the command that answers it.
pub const OPERATIONS: &[(&str, &str)] = &[
    ("send_instance", "permit.file"),
    ("notify_receipt", "case.add_document"),
    ("request_integration", "permit.interrupt_opinion"),
    ("request_cdss", "permit.convene_conference"),
    ("send_conclusions", "permit.record_opinion"),
    ("cancel_instance", "case.withdraw"),
    // The same request id again: the first answer comes back.
    ("retry", ""),
    // The bytes of documents are not kept here.
    ("request_instance_document", ""),
];

/// The state of the instance, by stage, and by outcome once there is one. What the title lives
/// through afterwards is no state of the instance.
pub fn state_of(stage: Stage, outcome: Option<&str>) -> &'static str {
    let key = outcome.unwrap_or(stage.as_str());
    STATES.iter().find(|(ours, _)| *ours == key).map_or("presented", |(_, theirs)| *theirs)
}
