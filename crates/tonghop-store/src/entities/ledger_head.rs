//! The ledger's last position: one row, locked by whoever appends.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_head")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub singleton: i16,
    pub position: i64,
    pub digest: Vec<u8>,
    pub received_at: i64,
    /// Of the last entry that is a registry; 0 where there is none.
    pub registry_position: i64,
    /// Of the last entry that what comes after it is checked by; 0 where there is none.
    pub rules_position: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
