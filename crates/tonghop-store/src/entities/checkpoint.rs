//! How far in the ledger the tiles are: one row.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "checkpoint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub singleton: i16,
    pub position: i64,
    pub ledger_digest: Vec<u8>,
    pub time: i64,
    pub epoch: i64,
    /// 0 where nobody knows.
    pub confirmed_at: i64,
    /// 0 where there is none.
    pub registry_position: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
