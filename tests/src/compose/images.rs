//! The images that the tests' containers run: made here, once, from Debian packages and from what cargo built.

use std::fs::File;
use std::process::Command;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::docker::{Docker, root, said};
use crate::binary::binary;

/// What the service image has in it.
const BINARIES: [&str; 4] = ["tonghop", "tonghop-ingestion", "tonghop-aggregation", "tonghop-query"];
/// Stands on the tests' images, so that old ones are found.
const PURPOSE: &str = "tonghop.purpose=test";

/// Names of images.
#[derive(Debug)]
pub(super) struct Images {
    /// The four binaries.
    pub(super) service: String,
    /// The database.
    pub(super) postgres: String,
    /// The proxy.
    pub(super) door: String,
}

impl Images {
    /// The images, which are made the first time.
    ///
    /// Those of PostgreSQL and of the door are made by `deploy/base-images.sh`, unless the variables of
    /// `docker-compose.yml` name others; so is the one under the services, unless `TONGHOP_BASE_IMAGE` does.
    pub(super) fn made(docker: &Docker) -> &'static Images {
        static IMAGES: OnceLock<Images> = OnceLock::new();
        IMAGES.get_or_init(|| {
            // Of several test processes one makes them.
            let _making = locked("images");
            let bases = [
                ("TONGHOP_POSTGRES_IMAGE", "postgres", "tonghop-base/postgres:15"),
                ("TONGHOP_DOOR_IMAGE", "haproxy", "tonghop-base/haproxy:2.6"),
                ("TONGHOP_BASE_IMAGE", "debian", "tonghop-base/debian:12"),
            ];
            let named = bases.map(|(variable, ..)| std::env::var(variable).ok());
            let unnamed = bases.iter().zip(&named).filter(|(_, named)| named.is_none());
            // At once, since all are made from one root.
            let unnamed: Vec<&str> = unnamed.map(|((_, base, _), _)| *base).collect();
            if !unnamed.is_empty() {
                said(Command::new(root().join("deploy/base-images.sh")).args(&unnamed));
            }
            let [postgres, door, base] =
                std::array::from_fn(|i| named[i].clone().unwrap_or_else(|| bases[i].2.to_owned()));
            Images { service: service(docker, &base), postgres, door }
        })
    }
}

/// The services' image; its tag follows from the binaries, so that runs on different ones do not meet.
fn service(docker: &Docker, base: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(docker.run(&["image", "inspect", "--format", "{{.Id}}", base]));
    let binaries = BINARIES.map(binary);
    for path in &binaries {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        digest.update(Sha256::digest(&bytes));
    }
    let digest: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("tonghop-test:{digest}");
    if !docker.succeeds(&["image", "inspect", &tag]) {
        let mut make = Command::new(root().join("deploy/service-image.sh"));
        make.arg(binaries[0].parent().expect("a directory")).arg(&tag);
        said(make.env("BASE_IMAGE", base).env("PURPOSE", "test"));
        // Those of yesterday's binaries; what a container runs stays.
        let old = ["--filter", "until=12h", "--filter", &format!("label={PURPOSE}")];
        docker.succeeds(&[&["image", "prune", "--all", "--force"], &old as &[&str]].concat());
    }
    tag
}

/// Holds a lock that all test processes of a user share, until it is dropped.
pub(super) fn locked(what: &str) -> File {
    let user = std::env::var("USER").unwrap_or_default();
    let path = std::env::temp_dir().join(format!("tonghop-test-{what}-{user}.lock"));
    let file = File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.lock().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file
}
