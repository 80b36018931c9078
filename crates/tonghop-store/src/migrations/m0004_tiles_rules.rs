//! Who may do what, and what became of reports: entries of the ledger that those who only read have to know. Expand only:
//! before it there are no such entries.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::{big, bytes, drop_table, small, text};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_tiles_rules"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let rule = Table::create()
            .table("rule")
            .col(big("position").primary_key())
            .col(small("kind"))
            .col(text("actor"))
            .col(big("received_at"))
            .col(bytes("record"))
            .take();
        manager.create_table(rule).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(drop_table("rule")).await
    }
}
