//! Where the registry in force is, beside the ledger's last position: who appends compares it with the one that
//! figures were checked against.

use sea_orm::DbErr;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query, Table};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::big;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_ledger_registry"
    }
}

/// The kind of a registry's entry, as it is stored.
const REGISTRY: i16 = 2;

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let position = big("registry_position").default(0).take();
        manager.alter_table(Table::alter().table("ledger_head").add_column(position).take()).await?;
        let latest = Query::select()
            .expr(Expr::cust("COALESCE(MAX(position), 0)"))
            .from("ledger")
            .and_where(Expr::col("kind").eq(REGISTRY))
            .take();
        let backfill = Query::update()
            .table("ledger_head")
            .value("registry_position", Expr::SubQuery(None, Box::new(latest.into())))
            .take();
        manager.execute(backfill).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("ledger_head").drop_column("registry_position").take()).await
    }
}
