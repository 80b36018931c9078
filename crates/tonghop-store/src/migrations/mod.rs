//! The schema, as steps that are never edited once released.
//!
//! The ledger and the tiles each have their own list, kept in a table of its own, so that they can be two
//! databases or one.

use sea_orm::sea_query::{ColumnDef, IntoIden, TableDropStatement};
use sea_orm::{DynIden, sea_query::Table};
use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait::async_trait};

mod m0001_ledger;
mod m0001_tiles;
mod m0002_ledger_registry;
mod m0002_tiles_confirmed;
mod m0003_ledger_trace;
mod m0003_tiles_past;
mod m0004_ledger_rules;
mod m0004_tiles_rules;
mod m0005_tiles_room;

/// What the ledger's database needs.
pub(crate) struct LedgerMigrator;

#[async_trait]
impl MigratorTrait for LedgerMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_ledger::Migration),
            Box::new(m0002_ledger_registry::Migration),
            Box::new(m0003_ledger_trace::Migration),
            Box::new(m0004_ledger_rules::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        "ledger_migration".into_iden()
    }
}

/// What the tiles' database needs.
pub(crate) struct TilesMigrator;

#[async_trait]
impl MigratorTrait for TilesMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_tiles::Migration),
            Box::new(m0002_tiles_confirmed::Migration),
            Box::new(m0003_tiles_past::Migration),
            Box::new(m0004_tiles_rules::Migration),
            Box::new(m0005_tiles_room::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        "tiles_migration".into_iden()
    }
}

// Columns of the types that the schema uses; none may be null.

fn small(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).small_integer().not_null().take()
}

fn day(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

fn big(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary().not_null().take()
}

fn uuid(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().take()
}

fn drop_table(name: &'static str) -> TableDropStatement {
    Table::drop().table(name).take()
}
