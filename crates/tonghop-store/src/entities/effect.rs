//! What an entry of the ledger did to the tiles.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "effect")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub id: Uuid,
    pub kind: i16,
    pub source: String,
    pub idempotency_key: String,
    pub received_at: i64,
    pub digest: Vec<u8>,
    pub figures: i64,
    pub new: i64,
    pub revised: i64,
    pub unchanged: i64,
    pub withdrawn: i64,
    pub note: String,
    pub findings: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
