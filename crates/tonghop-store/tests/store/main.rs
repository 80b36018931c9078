//! What the ledger and the tiles promise, against a database of each test's own.

mod append;
mod chain;
mod fence;
mod kept;
mod past;
mod read;
mod schema;
mod standing;
mod swift;
mod tiles;
mod world;
