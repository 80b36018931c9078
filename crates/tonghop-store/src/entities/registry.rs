//! The registry that the tiles follow: at most one row.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub singleton: i16,
    pub position: i64,
    pub record: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
