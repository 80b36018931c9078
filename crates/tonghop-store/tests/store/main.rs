//! What the ledger and the tiles promise, against a database of each test's own.

mod append;
mod chain;
mod fence;
mod kept;
mod read;
mod schema;
mod tiles;
mod world;
