//! An entry of the ledger, without its document.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub id: Uuid,
    pub kind: i16,
    pub source: String,
    pub idempotency_key: String,
    pub content_digest: Vec<u8>,
    pub digest: Vec<u8>,
    pub previous: Vec<u8>,
    pub received_at: i64,
    pub figures: i64,
    pub note: String,
    pub media_type: String,
    /// Who did it; empty where nobody had to say.
    pub actor: String,
    /// Bytes of document and record, before compression: for bounding a read before making it.
    pub size: i64,
    /// The push's W3C `traceparent`; empty where it has none.
    pub trace_parent: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
