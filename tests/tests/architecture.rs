//! The shape that ARCHITECTURE.md describes is the shape there is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn metadata() -> Metadata {
    let manifest = root().join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).exec().expect("cargo metadata")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Normal dependencies of the workspace's packages, by name.
fn dependencies(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let members: BTreeSet<_> = metadata.workspace_members.iter().collect();
    let packages = metadata.packages.iter().filter(|p| members.contains(&p.id));
    packages
        .map(|p| {
            let normal = p.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
            (p.name.to_string(), normal.map(|d| d.name.clone()).collect())
        })
        .collect()
}

#[test]
fn arrows_go_one_way() {
    let metadata = metadata();
    let all = dependencies(&metadata);
    let ours = |name: &str| -> BTreeSet<&str> {
        all[name].iter().map(String::as_str).filter(|d| d.starts_with("tonghop")).collect()
    };
    assert_eq!(ours("tonghop-core"), BTreeSet::new());
    assert_eq!(ours("tonghop-store"), BTreeSet::new());
    assert_eq!(ours("tonghop-runtime"), BTreeSet::new());
    assert_eq!(ours("tonghop-proto"), BTreeSet::from(["tonghop-core"]));
    assert_eq!(ours("tonghop-tiles"), BTreeSet::from(["tonghop-core"]));
    assert_eq!(ours("tonghop-written"), BTreeSet::from(["tonghop-core"]));
    assert_eq!(ours("tonghop-access"), BTreeSet::from(["tonghop-core", "tonghop-proto", "tonghop-runtime"]));
    let services = ["tonghop-ingestion", "tonghop-aggregation", "tonghop-query"];
    for (name, dependencies) in &all {
        for service in services {
            // What is fuzzed are the readers of services.
            let may = ["tonghop", "tonghop-tests", "tonghop-fuzz"].contains(&name.as_str());
            assert!(may || !dependencies.contains(service), "{name} depends on {service}");
        }
    }
}

#[test]
fn the_core_is_pure() {
    let metadata = metadata();
    let core = &dependencies(&metadata)["tonghop-core"];
    let allowed =
        BTreeSet::from(["jiff", "rustc-hash", "thiserror", "unicode-normalization"].map(str::to_owned));
    assert!(core.is_subset(&allowed), "{core:?}");
}

#[test]
fn only_the_store_knows_sql() {
    let metadata = metadata();
    for (name, dependencies) in dependencies(&metadata) {
        let sql = dependencies.iter().filter(|d| d.starts_with("sea-orm") || d.starts_with("sqlx"));
        // What is measured beside us are databases without us.
        let may = ["tonghop-store", "tonghop-benches"].contains(&name.as_str());
        assert!(may || sql.count() == 0, "{name}: {dependencies:?}");
    }
}

#[test]
fn every_dependency_comes_from_the_public_registry_under_a_free_licence() {
    let free = [
        "MIT",
        "MIT-0",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Unicode-3.0",
        "Zlib",
        "CC0-1.0",
        "Unlicense",
        "BSL-1.0",
        "0BSD",
        "CDLA-Permissive-2.0",
        "MPL-2.0",
    ];
    for package in metadata().packages {
        if let Some(source) = &package.source {
            assert!(source.is_crates_io(), "{} comes from {source}", package.name);
            let licence = package.license.clone().unwrap_or_default().replace('/', " OR ");
            let one_is_free = licence.split(" OR ").any(|choice| {
                let terms = choice.split(" AND ").map(|t| t.trim().trim_matches(['(', ')']));
                terms.clone().count() > 0
                    && terms.into_iter().all(|t| free.contains(&t.split(" WITH ").next().unwrap_or("")))
            });
            assert!(one_is_free, "{}: licence {licence:?}", package.name);
        }
    }
}

#[test]
fn every_dependency_has_its_reason_beside_it() {
    let manifest = read("Cargo.toml");
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the section");
    let section = section.split("\n[").next().expect("its end");
    let lines: Vec<&str> = section.lines().collect();
    let mut checked = 0;
    for (i, line) in lines.iter().enumerate() {
        if line.contains('=') && !line.starts_with('#') && !line.starts_with("tonghop") {
            assert!(i > 0 && lines[i - 1].starts_with("# "), "no reason above: {line}");
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn every_path_that_the_architecture_page_names_is_there() {
    let page = read("ARCHITECTURE.md");
    let mut checked = 0;
    for row in page.lines() {
        let quoted: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        // In the code map a row's short paths lie below its first one.
        let base = if row.starts_with("| `") { quoted.first().copied().unwrap_or("") } else { "" };
        for (i, path) in quoted.iter().enumerate() {
            let short = path.starts_with("src/");
            let named = short
                || ["crates/", "services/", "tests/", "proto/", "data/", "clippy.toml"]
                    .iter()
                    .any(|p| path.starts_with(p));
            if named {
                let full = if short && i > 0 { root().join(base).join(path) } else { root().join(path) };
                assert!(full.exists(), "ARCHITECTURE.md names {path}, which is not at {}", full.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    for page in [
        "README.md",
        "ARCHITECTURE.md",
        "docs/semantics.md",
        "docs/interfaces.md",
        "docs/findings.md",
        "docs/operations.md",
        "docs/performance.md",
        "benches/README.md",
        "fuzz/README.md",
        "docs/decisions/README.md",
    ] {
        let text = read(page);
        let from = root().join(page).parent().expect("a folder").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.starts_with("http") && !link.starts_with('#') {
                let target = from.join(link.split('#').next().expect("a path"));
                assert!(target.exists(), "{page} links to {link}");
            }
        }
    }
}

#[test]
fn the_gate_runs_the_readme_s_test_command() {
    assert!(read("README.md").contains("\n    cargo test --workspace\n"));
    assert!(read("README.md").contains("\n    cargo run --release -- demo\n"));
    assert!(read(".ci/run").contains("cargo test --workspace"));
}
