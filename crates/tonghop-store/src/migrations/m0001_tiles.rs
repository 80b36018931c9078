//! The tiles and what goes with them: summaries, effects, the registry, the checkpoint, the lease.

use sea_orm::DbErr;
use sea_orm::sea_query::{Index, Query, Table};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::{big, bytes, day, drop_table, small, text, uuid};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_tiles"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The keeper (province, or nation) comes first: it is what rows can be spread by.
        let tile = Table::create()
            .table("tile")
            .col(text("keeper"))
            .col(text("series"))
            .col(day("end_day"))
            .col(text("period"))
            .col(big("position"))
            .col(bytes("body"))
            .primary_key(Index::create().col("keeper").col("series").col("end_day").col("period"))
            .take();
        manager.create_table(tile).await?;
        let by_series = Index::create().name("tile_series").table("tile").col("series").col("end_day").take();
        manager.create_index(by_series).await?;

        let summary = Table::create()
            .table("summary")
            .col(text("series"))
            .col(day("end_day"))
            .col(text("period"))
            .col(big("position"))
            .col(bytes("body"))
            .primary_key(Index::create().col("series").col("end_day").col("period"))
            .take();
        manager.create_table(summary).await?;

        let effect = Table::create()
            .table("effect")
            .col(big("position").primary_key())
            .col(uuid("id"))
            .col(small("kind"))
            .col(text("source"))
            .col(text("idempotency_key"))
            .col(big("received_at"))
            .col(bytes("digest"))
            .col(big("figures"))
            .col(big("new"))
            .col(big("revised"))
            .col(big("unchanged"))
            .col(big("withdrawn"))
            .col(text("note"))
            .col(bytes("findings"))
            .take();
        manager.create_table(effect).await?;
        manager.create_index(Index::create().name("effect_id").table("effect").col("id").take()).await?;

        let registry = Table::create()
            .table("registry")
            .col(small("singleton").primary_key())
            .col(big("position"))
            .col(bytes("record"))
            .take();
        manager.create_table(registry).await?;

        let checkpoint = Table::create()
            .table("checkpoint")
            .col(small("singleton").primary_key())
            .col(big("position"))
            .col(bytes("ledger_digest"))
            .col(big("time"))
            .col(big("epoch"))
            .take();
        manager.create_table(checkpoint).await?;
        let start = Query::insert()
            .into_table("checkpoint")
            .columns(["singleton", "position", "ledger_digest", "time", "epoch"])
            .values_panic([1_i16.into(), 0_i64.into(), vec![0_u8; 32].into(), 0_i64.into(), 0_i64.into()])
            .take();
        manager.execute(start).await?;

        let lease = Table::create()
            .table("lease")
            .col(small("singleton").primary_key())
            .col(big("epoch"))
            .col(text("holder"))
            .col(big("until"))
            .take();
        manager.create_table(lease).await?;
        let free = Query::insert()
            .into_table("lease")
            .columns(["singleton", "epoch", "holder", "until"])
            .values_panic([1_i16.into(), 0_i64.into(), "".into(), 0_i64.into()])
            .take();
        manager.execute(free).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["lease", "checkpoint", "registry", "effect", "summary", "tile"] {
            manager.drop_table(drop_table(table)).await?;
        }
        Ok(())
    }
}
