//! The page that takes the developer of a provincial system from nothing to a receipt does so: it is typed, word for word.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tonghop_ingestion::finding::Findings;
use tonghop_ingestion::submission::Limits;
use tonghop_tests::binary::binary;
use tonghop_tests::page::steps;
use tonghop_tests::process::free_address;
use tonghop_tests::shell::typed;
use tonghop_tests::tools;

/// Where the page has its services listen; somebody else may.
const ADDRESS: &str = "127.0.0.1:8080";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn page(name: &str) -> String {
    let path = root().join("docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_the_page_has_one_type_answers_what_the_page_says() {
    let (Some(python), Some(_)) = (tools::python(), tools::curl()) else { return };
    let steps = steps(&page("push.md"));
    let address = free_address();
    let commands: Vec<String> = steps.iter().map(|step| step.command.replace(ADDRESS, &address)).collect();
    assert!(commands.iter().all(|command| !command.contains(":8080")), "all of it is on {ADDRESS}");

    let folder = tempfile::tempdir().expect("a directory");
    for part in ["proto", "data"] {
        symlink(root().join(part), folder.path().join(part)).expect("a link");
    }
    let programs = [binary("tonghop"), python].map(|program| program.parent().expect("a folder").to_owned());
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = programs.into_iter().chain(std::env::split_paths(&others));
    let path = std::env::join_paths(path).expect("a path");

    for (step, said) in steps.iter().zip(typed(&commands, folder.path(), &path)) {
        let Some(answer) = &step.answer else { continue };
        assert!(
            answer.is(&said.out),
            "typed:\n{}\nanswered:\n{}\n{}\nwhere the page has {answer:?}",
            step.command,
            said.out,
            said.err
        );
    }
}

#[test]
fn both_languages_have_one_type_the_same() {
    let [english, vietnamese] = ["push.md", "push.vi.md"].map(|name| steps(&page(name)));
    assert!(!english.is_empty());
    assert_eq!(vietnamese, english);
}

#[test]
fn the_limits_that_the_pages_tell_are_those_there_are() {
    let Limits { max_bytes, max_figures, traffic, .. } = Limits::default();
    let (megabytes, figures, findings) = (max_bytes >> 20, max_figures / 1000, Findings::LISTED / 1000);
    let (pushes, megabytes_a_second) = (traffic.requests.per_second, traffic.bytes.per_second >> 20);
    let told = |name: &str, limits: [String; 3]| {
        let page = page(name).replace('\n', " ");
        for limit in limits {
            assert!(page.contains(&limit), "{name}: {limit}");
        }
    };
    told(
        "push.md",
        [
            format!("at most {megabytes} MiB and {figures},000 figures"),
            format!("{pushes} submissions and {megabytes_a_second} MiB a second"),
            format!("up to {findings},000 findings"),
        ],
    );
    told(
        "push.vi.md",
        [
            format!("nhiều nhất {megabytes} MiB và {figures}.000 số liệu"),
            format!("{pushes} báo cáo và {megabytes_a_second} MiB một giây"),
            format!("tối đa {findings}.000 lỗi"),
        ],
    );
}
