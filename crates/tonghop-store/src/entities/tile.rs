//! A province's tree for one series and period, or the nation's over the provinces.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tile")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub keeper: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub series: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub end_day: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: String,
    pub position: i64,
    pub body: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
