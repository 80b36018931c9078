//! Compiles the .proto files, with no `protoc` on the machine.

use std::path::PathBuf;

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    // tonic keeps its own flag for this and never reads it.
    println!("cargo:rerun-if-changed={}", root.display());
    let files = [
        "ledger/v1/ledger",
        "registry/v1/registry",
        "ingestion/v1/ingestion",
        "aggregation/v1/aggregation",
        "query/v1/query",
    ]
    .map(|f| format!("tonghop/{f}.proto"));
    let descriptors = protox::compile(files, [&root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
