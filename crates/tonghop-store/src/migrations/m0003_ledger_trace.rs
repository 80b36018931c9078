//! The trace that an entry was pushed in. Expand only: programs that do not know the column leave it empty, there
//! is nothing to fill in for entries before it, and nothing it replaces.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::text;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0003_ledger_trace"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = text("trace_parent");
        manager.alter_table(Table::alter().table("ledger").add_column(column.default("")).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("ledger").drop_column("trace_parent").take()).await
    }
}
