//! Compiles the .proto files, with no `protoc` on the machine.

use std::path::PathBuf;

use prost::Message;
use tonic_prost_build::manual;

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
    manual::Builder::new().build_client(false).compile(&[intake()]);
    Ok(())
}

/// The server's side of `IngestionService` once more, with the bytes of what is submitted in place of a message of
/// tens of thousands of figures.
fn intake() -> manual::Service {
    let method = |name: &str, route: &str, input: &str, codec: &str| {
        manual::Method::builder()
            .name(name)
            .route_name(route)
            .input_type(input)
            .output_type(format!("crate::ingestion::{route}Response"))
            .codec_path(codec)
    };
    let (usual, raw) = ("tonic_prost::ProstCodec", "crate::raw::RawCodec");
    manual::Service::builder()
        .package("tonghop.ingestion.v1")
        .name("IngestionService")
        .method(method("submit", "Submit", "crate::raw::Raw", raw).build())
        .method(
            method("submit_stream", "SubmitStream", "crate::ingestion::SubmitStreamRequest", usual)
                .client_streaming()
                .build(),
        )
        .method(
            method("get_submission", "GetSubmission", "crate::ingestion::GetSubmissionRequest", usual)
                .build(),
        )
        .build()
}
