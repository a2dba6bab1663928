//! The contract: versioned `.proto` files and the code generated from them, committed.
//!
//! Never here: anything of ours but the contract. `tests/it` proves that the code is fresh.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated from the .proto files")]

/// Types of Google's common protos.
pub mod google {
    /// `google.type`.
    pub mod r#type {
        include!("gen/google.r#type.rs");
    }
}

/// The services of Pratica.
pub mod pratica {
    macro_rules! areas {
        ($($area:ident),+) => { $(
            pub mod $area {
                pub mod v1 {
                    include!(concat!("gen/pratica.", stringify!($area), ".v1.rs"));
                }
            }
        )+ };
    }
    areas!(
        admin, cases, common, enrolment, evidence, feed, history, permit, privacy, register,
        residency, statistics, worklist
    );
}

pub use pratica::*;

/// The descriptors of every file, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("gen/descriptors.binpb");
