//! The wire: types generated from `proto/`, and their translation to and from the domain.
//!
//! Behind [`registry_draft`] and [`record`] nothing knows of the wire, and before them nothing is trusted.

pub mod finding;
pub mod json;
pub mod raw;
pub mod record;
pub mod registry_draft;

// Generated code; its documentation is in the .proto files.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod generated {
    pub mod ledger {
        pub mod v1 {
            tonic::include_proto!("tonghop.ledger.v1");
        }
    }
    pub mod access {
        pub mod v1 {
            tonic::include_proto!("tonghop.access.v1");
        }
    }
    pub mod registry {
        pub mod v1 {
            tonic::include_proto!("tonghop.registry.v1");
        }
    }
    pub mod ingestion {
        pub mod v1 {
            tonic::include_proto!("tonghop.ingestion.v1");
        }
    }
    pub mod intake {
        tonic::include_proto!("tonghop.ingestion.v1.IngestionService");
    }
    pub mod aggregation {
        pub mod v1 {
            tonic::include_proto!("tonghop.aggregation.v1");
        }
    }
    pub mod query {
        pub mod v1 {
            tonic::include_proto!("tonghop.query.v1");
        }
    }
}

pub use generated::access::v1 as access;
pub use generated::aggregation::v1 as aggregation;
pub use generated::ingestion::v1 as ingestion;
/// `IngestionService` for who serves it: what is submitted comes as its bytes.
pub use generated::intake::ingestion_service_server as intake;
pub use generated::ledger::v1 as ledger;
pub use generated::query::v1 as query;
pub use generated::registry::v1 as registry;

/// All services' descriptions, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
