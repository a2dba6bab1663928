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
    /// `google.rpc`.
    pub mod rpc {
        include!("gen/google.rpc.rs");
    }
}

/// The wire protocol of EventStoreDB and KurrentDB, as far as it is served. Not ours: see
/// `proto/event_store`.
pub mod event_store {
    /// `event_store.client`.
    pub mod client {
        include!("gen/event_store.client.rs");
        /// `event_store.client.gossip`.
        pub mod gossip {
            include!("gen/event_store.client.gossip.rs");
        }
        /// `event_store.client.server_features`.
        pub mod server_features {
            include!("gen/event_store.client.server_features.rs");
        }
        /// `event_store.client.streams`.
        pub mod streams {
            include!("gen/event_store.client.streams.rs");
        }
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
