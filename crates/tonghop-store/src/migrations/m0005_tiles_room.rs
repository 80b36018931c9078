//! Room in PostgreSQL's pages for rows that change with nearly every batch. Where a new version of a row fits beside the old
//! one, no index is touched, and what is dead is cleared by whoever comes by next: without it the summaries of half a year, 2 MB,
//! took 36 MB until a vacuum came.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0005_tiles_room"
    }
}

/// Half of each page is for new versions. Bodies are packed already, and rows of up to half a page stay in one piece.
const ROOM: &str = "ALTER TABLE summary SET (fillfactor = 50, toast_tuple_target = 4080)";
const NO_ROOM: &str = "ALTER TABLE summary RESET (fillfactor, toast_tuple_target)";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        on_postgres(manager, ROOM).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        on_postgres(manager, NO_ROOM).await
    }
}

async fn on_postgres(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}
