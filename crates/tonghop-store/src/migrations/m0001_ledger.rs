//! The ledger: entries, their documents, and the head.

use sea_orm::DbErr;
use sea_orm::sea_query::{Index, Query, Table};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::{big, bytes, drop_table, small, text, uuid};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_ledger"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ledger = Table::create()
            .table("ledger")
            .col(big("position").primary_key())
            .col(uuid("id"))
            .col(small("kind"))
            .col(text("source"))
            .col(text("idempotency_key"))
            .col(bytes("content_digest"))
            .col(bytes("digest"))
            .col(bytes("previous"))
            .col(big("received_at"))
            .col(big("figures"))
            .col(text("note"))
            .col(text("media_type"))
            .col(big("size"))
            .take();
        manager.create_table(ledger).await?;
        let unique = |name| Index::create().name(name).table("ledger").unique().take();
        manager.create_index(unique("ledger_id").col("id").take()).await?;
        manager.create_index(unique("ledger_key").col("source").col("idempotency_key").take()).await?;
        let by_kind = Index::create().name("ledger_kind").table("ledger").col("kind").col("position").take();
        manager.create_index(by_kind).await?;

        // The source comes first: documents are what is large, and a source is what they can be spread by.
        let document = Table::create()
            .table("ledger_document")
            .col(text("source"))
            .col(big("position"))
            .col(bytes("document"))
            .col(bytes("record"))
            .primary_key(Index::create().col("source").col("position"))
            .take();
        manager.create_table(document).await?;

        let head = Table::create()
            .table("ledger_head")
            .col(small("singleton").primary_key())
            .col(big("position"))
            .col(bytes("digest"))
            .col(big("received_at"))
            .take();
        manager.create_table(head).await?;
        let origin = Query::insert()
            .into_table("ledger_head")
            .columns(["singleton", "position", "digest", "received_at"])
            .values_panic([1_i16.into(), 0_i64.into(), vec![0_u8; 32].into(), 0_i64.into()])
            .take();
        manager.execute(origin).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["ledger_head", "ledger_document", "ledger"] {
            manager.drop_table(drop_table(table)).await?;
        }
        Ok(())
    }
}
