//! The OpenAPI 3.1 document of all services, as they are behind one address.

use utoipa::openapi::RefOr;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::paths::{access, export, question, registry, reports, running, submission};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "tonghop",
        description = "Takes figures from provincial systems and keeps the national view of them. Values are decimals \
                       as text; what is absent is absent, never zero. What a figure and a total mean is written down in \
                       docs/semantics.md. Errors are problem details (RFC 9457) with a finding for every thing wrong.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(),
    ),
    servers((url = "/")),
    modifiers(&WithKey, &WithWait),
    tags(
        (name = "submissions", description = "Provincial systems push figures, and get a receipt"),
        (name = "totals", description = "What is asked of totals and figures"),
        (name = "files", description = "Totals and figures as files"),
        (name = "reports", description = "Who reports what and by when: handed in, approved, returned, closed"),
        (name = "registry", description = "Units, maps, indicators, dimensions, programmes"),
        (name = "access", description = "Keys of reporting systems, and what was done by whom"),
        (name = "running", description = "How a process is, and this document"),
    ),
    paths(
        submission::submit,
        submission::submission,
        submission::document,
        submission::freeze_review,
        question::totals,
        question::explain,
        question::tree,
        question::figures,
        question::coverage,
        question::reviews,
        question::watch,
        export::totals,
        export::figures,
        registry::units,
        registry::history,
        registry::map_diff,
        registry::indicators,
        registry::dimensions,
        registry::programmes,
        reports::regimes,
        reports::act,
        reports::list,
        reports::compliance,
        access::issue,
        access::keys,
        access::revoke,
        access::audit,
        running::healthz,
        running::readyz,
        running::active,
        running::metrics,
        export::openapi,
        export::docs,
    )
)]
struct Document;

/// That a key may be sent with any request, and has to be with some.
struct WithKey;

impl Modify for WithKey {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "The key of a reporting system. Reading what is public takes none, unless the services are closed; all else \
             takes one, unless they are open.",
        ));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme.build()));
        // Either of the two: with it, or without.
        document.security =
            Some(vec![SecurityRequirement::new::<_, _, String>("key", []), SecurityRequirement::default()]);
    }
}

/// The statuses of refusals after which the same can be sent again.
const FOR_NOW: [&str; 2] = ["429", "503"];

/// That such a refusal says when.
struct WithWait;

impl Modify for WithWait {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build();
        let wait = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("After how many seconds the same can be sent again"))
            .build();
        let items = document.paths.paths.values_mut();
        let operations = items.flat_map(|item| [&mut item.get, &mut item.post, &mut item.delete]).flatten();
        for (status, answer) in operations.flat_map(|operation| &mut operation.responses.responses) {
            if let RefOr::T(answer) = answer
                && FOR_NOW.contains(&status.as_str())
                && answer.content.contains_key("application/problem+json")
            {
                answer.headers.insert("Retry-After".to_owned(), RefOr::T(wait.clone()));
            }
        }
    }
}

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// The document as text, laid out for reading.
///
/// # Panics
/// Never: what is written is a tree of texts and numbers.
pub fn text() -> String {
    serde_json::to_string_pretty(&document()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_parameter_and_answer_is_described() {
        let document: Value = serde_json::from_str(&text()).expect("JSON");
        assert_eq!(document["openapi"], "3.1.0");
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let name = format!("{method} {path}");
                assert!(operation["summary"].is_string(), "{name}");
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    assert!(parameter["description"].is_string(), "{name} {}", parameter["name"]);
                }
                for (status, answer) in operation["responses"].as_object().expect("answers") {
                    assert!(answer["description"].as_str().is_some_and(|d| !d.is_empty()), "{name} {status}");
                }
            }
        }
    }
}
