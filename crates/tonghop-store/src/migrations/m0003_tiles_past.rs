//! What answers as of a past position need, and what changed since one: every registry there was, the frozen reviews,
//! and tiles by the position that last changed them.

use sea_orm::DbErr;
use sea_orm::sea_query::{Expr, Index, Query, Table};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::{big, bytes, drop_table, text};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0003_tiles_past"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let kept = Table::create()
            .table("registry_kept")
            .col(big("position").primary_key())
            .col(bytes("record"))
            .take();
        manager.create_table(kept).await?;
        // Of earlier registries an earlier program has kept nothing; a rebuild brings them back.
        let present = Query::select().columns(["position", "record"]).from("registry").take();
        let mut keep = Query::insert();
        keep.into_table("registry_kept").columns(["position", "record"]);
        keep.select_from(present).map_err(|error| DbErr::Migration(error.to_string()))?;
        manager.execute(keep).await?;

        let review = Table::create()
            .table("review")
            .col(text("name").primary_key())
            .col(big("position"))
            .col(big("entry_position"))
            .col(big("frozen_at"))
            .col(text("note"))
            .take();
        manager.create_table(review).await?;

        let by_position = Index::create().name("tile_position").table("tile").col("position").take();
        manager.create_index(by_position).await?;

        // 0 where there is none.
        let of_registry = big("registry_position").default(0).take();
        manager.alter_table(Table::alter().table("checkpoint").add_column(of_registry).take()).await?;
        let present = Query::select().expr(Expr::cust("COALESCE(MAX(position), 0)")).from("registry").take();
        let backfill = Query::update()
            .table("checkpoint")
            .value("registry_position", Expr::SubQuery(None, Box::new(present.into())))
            .take();
        manager.execute(backfill).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table("checkpoint").drop_column("registry_position").take())
            .await?;
        manager.drop_index(Index::drop().name("tile_position").table("tile").to_owned()).await?;
        manager.drop_table(drop_table("review")).await?;
        manager.drop_table(drop_table("registry_kept")).await
    }
}
