//! The document as a page: without scripts, and without anything from elsewhere.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Nothing is loaded, and only this page's own style is used.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "
:root{color-scheme:light dark;--line:#8884;--soft:#8882}
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1rem}
code,pre{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}
pre{background:var(--soft);padding:.5rem;overflow-x:auto}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);padding:.25rem .5rem .25rem 0;text-align:left;vertical-align:top}
section{border-top:1px solid var(--line);margin-top:1.5rem}h3{margin:.75rem 0 0}
.method{text-transform:uppercase;font-weight:700}.wide{overflow-x:auto}
nav ul{columns:2;padding-left:1rem}@media(max-width:40rem){nav ul{columns:1}}
@media print{nav{display:none}}
";

/// What has a meaning in HTML, written so that it has none.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// Prose, in which `quoted` words are code.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for (i, part) in text.split('`').enumerate() {
        if i % 2 == 0 {
            out.push_str(&escaped(part));
        } else {
            let _ = write!(out, "<code>{}</code>", escaped(part));
        }
    }
    out
}

/// The page of a document.
pub(super) fn page(document: &Value) -> String {
    let info = &document["info"];
    let mut nav = String::new();
    let mut body = String::new();
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(&tag["name"]);
        let mut all = String::new();
        for (path, methods) in entries(&document["paths"]) {
            for (method, operation) in entries(methods) {
                if operation["tags"].as_array().is_some_and(|tags| tags.iter().any(|t| t == name)) {
                    let id = escaped(text(&operation["operationId"]));
                    let summary = prose(text(&operation["summary"]));
                    let shown = escaped(path);
                    let _ = write!(nav, "<li><a href=\"#{id}\"><code>{shown}</code></a> {summary}</li>");
                    all.push_str(&self::operation(path, method, operation, &id));
                }
            }
        }
        let _ = write!(body, "<h2>{}</h2><p>{}</p>{all}", escaped(name), prose(text(&tag["description"])));
    }
    let mut schemas = String::new();
    for (name, schema) in entries(&document["components"]["schemas"]) {
        schemas.push_str(&shape(name, schema));
    }
    let (title, version) = (escaped(text(&info["title"])), escaped(text(&info["version"])));
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} {version}: REST</title>\
         <style>{STYLE}</style></head><body><main><h1>{title} {version}: REST</h1><p>{}</p>\
         <p>For programs: <a href=\"/openapi.json\"><code>/openapi.json</code></a>.</p>\
         <nav aria-label=\"Paths\"><ul>{nav}</ul></nav>{body}<h2 id=\"shapes\">Shapes</h2>{schemas}</main></body></html>\n",
        prose(text(&info["description"])),
    )
}

fn operation(path: &str, method: &str, operation: &Value, id: &str) -> String {
    let mut out = format!(
        "<section id=\"{id}\"><h3><span class=\"method\">{}</span> <code>{}</code></h3><p>{}</p>",
        escaped(method),
        escaped(path),
        prose(text(&operation["summary"])),
    );
    for paragraph in text(&operation["description"]).split("\n\n").filter(|p| !p.is_empty()) {
        let _ = write!(out, "<p>{}</p>", prose(paragraph));
    }
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    if !parameters.is_empty() {
        out.push_str("<div class=\"wide\"><table><thead><tr><th>Parameter</th><th>Where</th><th>What</th><th>Example</th></tr></thead><tbody>");
        for parameter in parameters {
            let needed = if parameter["required"] == true { " (needed)" } else { "" };
            let example =
                if parameter["example"].is_null() { String::new() } else { plain(&parameter["example"]) };
            let _ = write!(
                out,
                "<tr><td><code>{}</code>{needed}</td><td>{}</td><td>{}{}</td><td><code>{}</code></td></tr>",
                escaped(text(&parameter["name"])),
                escaped(text(&parameter["in"])),
                prose(text(&parameter["description"])),
                choices(&parameter["schema"]),
                escaped(&example),
            );
        }
        out.push_str("</tbody></table></div>");
    }
    for (media_type, content) in entries(&operation["requestBody"]["content"]) {
        let _ = write!(out, "<p>Takes <code>{}</code> {}</p>", escaped(media_type), kind(&content["schema"]));
        if !content["example"].is_null() {
            let example = serde_json::to_string_pretty(&content["example"]).unwrap_or_default();
            let _ = write!(out, "<pre>{}</pre>", escaped(&example));
        }
    }
    out.push_str(
        "<div class=\"wide\"><table><thead><tr><th>Status</th><th>Answer</th><th>As</th></tr></thead><tbody>",
    );
    for (status, answer) in entries(&operation["responses"]) {
        let kinds: Vec<String> = entries(&answer["content"])
            .map(|(media_type, content)| {
                format!("<code>{}</code> {}", escaped(media_type), kind(&content["schema"]))
            })
            .collect();
        let description = prose(text(&answer["description"]));
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{description}</td><td>{}</td></tr>",
            escaped(status),
            kinds.join("<br>")
        );
    }
    out.push_str("</tbody></table></div></section>");
    out
}

fn shape(name: &str, schema: &Value) -> String {
    let name = escaped(name);
    let mut out =
        format!("<section id=\"shape-{name}\"><h3>{name}</h3><p>{}</p>", prose(text(&schema["description"])));
    let required =
        |field: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|r| r == field));
    if schema["properties"].is_object() {
        out.push_str("<div class=\"wide\"><table><tbody>");
        for (field, of) in entries(&schema["properties"]) {
            let may = if required(field) { "" } else { " (may be left out)" };
            let description = prose(text(&of["description"]));
            let _ = write!(
                out,
                "<tr><td><code>{}</code>{may}</td><td>{}</td><td>{description}</td></tr>",
                escaped(field),
                kind(of)
            );
        }
        out.push_str("</tbody></table></div>");
    } else {
        let _ = write!(out, "<p>{}{}</p>", kind(schema), choices(schema));
    }
    out.push_str("</section>");
    out
}

/// What kind of value a schema is of, in a word; named shapes are linked.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        let name = escaped(name);
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    for any in ["oneOf", "anyOf", "allOf"] {
        if let Some(all) = schema[any].as_array() {
            return all.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().map(text).collect(),
        _ => return String::new(),
    };
    let of = |one: &&str| match *one {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", kind(&schema["additionalProperties"]))
        }
        other => escaped(other),
    };
    types.iter().map(of).collect::<Vec<_>>().join(" or ")
}

/// The values that there are, where they are few.
fn choices(schema: &Value) -> String {
    match schema["enum"].as_array() {
        None => String::new(),
        Some(all) => {
            let all: Vec<String> =
                all.iter().map(|one| format!("<code>{}</code>", escaped(&plain(one)))).collect();
            format!(" One of {}.", all.join(", "))
        }
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_path_and_shape_and_loads_nothing() {
        let document: Value = serde_json::from_str(&tonghop_rest::document::text()).expect("JSON");
        let page = page(&document);
        for (path, _) in entries(&document["paths"]) {
            assert!(page.contains(&format!("<code>{}</code></a>", escaped(path))), "{path}");
        }
        for (name, _) in entries(&document["components"]["schemas"]) {
            assert!(page.contains(&format!("id=\"shape-{name}\"")), "{name}");
        }
        for what in ["<script", "src=", "http://", "https://", "@import", "url("] {
            assert!(!page.contains(what), "{what}");
        }
    }

    #[test]
    fn texts_are_texts() {
        assert_eq!(prose("a <b> `c & \"d\"`"), "a &lt;b&gt; <code>c &amp; &quot;d&quot;</code>");
    }
}
