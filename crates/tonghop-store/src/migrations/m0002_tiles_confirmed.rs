//! Since when the totals are known to be complete, beside the checkpoint.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::big;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_tiles_confirmed"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // 0 says that nobody knows yet, which is also right for what an earlier program has written.
        let confirmed = big("confirmed_at").default(0).take();
        manager.alter_table(Table::alter().table("checkpoint").add_column(confirmed).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("checkpoint").drop_column("confirmed_at").take()).await
    }
}
