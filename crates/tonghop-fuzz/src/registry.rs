//! Registries and reforms.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tonghop_core::registry::Registry;
use tonghop_ingestion::registry_tables::{self as tables, Given};
use tonghop_proto::{registry as pb, registry_draft};

/// Tables of a small registry: two maps, a divided province, a reused code, an island district.
fn small_tables() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services/ingestion/tests/data/registry");
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    files
        .map(|file| file.expect("a file").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a table"))
        })
        .collect()
}

/// The small registry, as a message.
pub fn small_message() -> &'static pb::Registry {
    static SMALL: OnceLock<pb::Registry> = OnceLock::new();
    SMALL.get_or_init(|| {
        let Ok(Given::Whole(mut wire, reform)) = tables::read(&small_tables()) else { panic!("no registry") };
        if let Some(reform) = reform {
            registry_draft::put_on(&mut wire, reform).expect("a reform");
        }
        *wire
    })
}

/// The registry that these tables make.
pub fn small() -> &'static Arc<Registry> {
    static SMALL: OnceLock<Arc<Registry>> = OnceLock::new();
    SMALL.get_or_init(|| {
        let draft = registry_draft::draft(small_message().clone()).expect("a draft");
        Arc::new(Registry::build(draft, None).expect("a registry"))
    })
}

/// Tables: in place of some of the small registry's. The input is the names and contents, one after the other, each ended
/// by a zero; a content that is empty takes the table away.
pub fn registry_tables(input: &[u8]) {
    static SMALL: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
    let mut given = SMALL.get_or_init(small_tables).clone();
    let mut parts = input.split(|b| *b == 0);
    while let (Some(name), Some(content)) = (parts.next(), parts.next()) {
        let name = String::from_utf8_lossy(name).into_owned();
        if content.is_empty() {
            given.remove(&name);
        } else {
            given.insert(name, content.to_vec());
        }
    }
    match tables::read(&given) {
        Ok(Given::Whole(mut wire, reform)) => {
            if let Some(reform) = reform
                && let Err(problems) = registry_draft::put_on(&mut wire, reform)
            {
                assert!(!problems.is_empty());
                return;
            }
            built(*wire);
        }
        Ok(Given::Reform(reform)) => {
            let mut wire = small_message().clone();
            if registry_draft::put_on(&mut wire, reform).is_ok() {
                built(wire);
            }
        }
        Err(findings) => assert!(!findings.is_empty()),
    }
}

fn built(wire: pb::Registry) {
    if let Ok(draft) = registry_draft::draft(wire)
        && let Err(problems) = Registry::build(draft, Some(small()))
    {
        assert!(!problems.is_empty());
    }
}

/// A registry as it lies in the ledger.
pub fn registry_message(record: &[u8]) {
    // Made or refused.
    drop(registry_draft::read(record));
}
