//! Who did what, and where the last entry is by which what comes after is checked. Expand only: what was there before
//! was done by nobody who had to say, and was checked by the registry alone.

use sea_orm::DbErr;
use sea_orm::sea_query::{Expr, Query, Table};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::{big, text};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_ledger_rules"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let actor = text("actor").default("").take();
        manager.alter_table(Table::alter().table("ledger").add_column(actor).take()).await?;
        let position = big("rules_position").default(0).take();
        manager.alter_table(Table::alter().table("ledger_head").add_column(position).take()).await?;
        let backfill = Query::update()
            .table("ledger_head")
            .value("rules_position", Expr::col("registry_position"))
            .take();
        manager.execute(backfill).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("ledger_head").drop_column("rules_position").take()).await?;
        manager.alter_table(Table::alter().table("ledger").drop_column("actor").take()).await
    }
}
