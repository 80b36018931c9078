//! The OpenAPI document, and answers held to it.

use std::sync::LazyLock;

use serde_json::Value;

use crate::Reply;

/// The document.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&tonghop_rest::document::text()).expect("JSON"));

/// Path, method and what is said of it, of every operation.
pub fn operations() -> Vec<(String, String, &'static Value)> {
    let mut out = vec![];
    for (path, methods) in DOCUMENT["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            out.push((path.clone(), method.clone(), operation));
        }
    }
    out
}

/// Holds an answer to what the document says of it: status, media type, headers, shape.
///
/// # Panics
/// Where it is another.
#[track_caller]
pub fn conforms(name: &str, operation: &Value, reply: &Reply) {
    let media_type = reply.header("content-type").split(';').next().expect("a type").to_owned();
    let answer = &operation["responses"][reply.status.to_string()];
    assert!(answer.is_object(), "{name}: {} is not in the document: {}", reply.status, reply.text());
    let content = &answer["content"][&media_type];
    assert!(content.is_object(), "{name}: {media_type} is not in the document of {}", reply.status);
    for (header, said) in answer["headers"].as_object().into_iter().flatten() {
        let text = reply.header(header);
        let value = match said["schema"]["type"].as_str() {
            Some("string") => text.into(),
            _ => serde_json::from_str(text).unwrap_or_else(|e| panic!("{name}: {header} {text:?}: {e}")),
        };
        fits(&format!("{name}, {header}"), &said["schema"], &value);
    }
    if media_type == "application/json" || media_type == "application/problem+json" {
        fits(name, &content["schema"], &reply.json());
    }
}

/// Holds a value to a schema of the document.
#[track_caller]
fn fits(name: &str, schema: &Value, value: &Value) {
    let mut schema = schema.clone();
    schema["components"] = DOCUMENT["components"].clone();
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .build(&schema)
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    let wrong: Vec<String> =
        validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{name}: {}\n{value:.2000}", wrong.join("\n"));
}
