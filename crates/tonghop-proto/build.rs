//! Compiles the .proto files, with no `protoc` on the machine.

use std::path::PathBuf;

use prost::Message;
use tonic_prost_build::{FileDescriptorSet, manual};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    // tonic keeps its own flag for this and never reads it.
    println!("cargo:rerun-if-changed={}", root.display());
    let files = [
        "ledger/v1/ledger",
        "access/v1/access",
        "registry/v1/registry",
        "ingestion/v1/ingestion",
        "ingestion/v1/report",
        "aggregation/v1/aggregation",
        "query/v1/query",
    ]
    .map(|f| format!("tonghop/{f}.proto"));
    let descriptors = protox::compile(files, [&root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    manual::Builder::new().build_client(false).compile(&[intake(&descriptors)]);
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}

/// The server's side of `IngestionService` once more, where `Submit` and `SubmitStream` take the bytes of what is submitted
/// in place of messages of tens of thousands of figures.
fn intake(descriptors: &FileDescriptorSet) -> manual::Service {
    let services = descriptors.file.iter().flat_map(|f| &f.service);
    let methods = services.filter(|s| s.name() == "IngestionService").flat_map(|s| &s.method);
    let mut service = manual::Service::builder().package("tonghop.ingestion.v1").name("IngestionService");
    for method in methods {
        let ours = |kind: &str| kind.replace(".tonghop.ingestion.v1.", "crate::ingestion::");
        let raw = ["Submit", "SubmitStream"].contains(&method.name());
        let mut stub = manual::Method::builder()
            .name(snake_case(method.name()))
            .route_name(method.name())
            .input_type(if raw { "crate::raw::Raw".to_owned() } else { ours(method.input_type()) })
            .output_type(ours(method.output_type()))
            .codec_path(if raw { "crate::raw::RawCodec" } else { "tonic_prost::ProstCodec" });
        if method.client_streaming() {
            stub = stub.client_streaming();
        }
        if method.server_streaming() {
            stub = stub.server_streaming();
        }
        service = service.method(stub.build());
    }
    service.build()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
