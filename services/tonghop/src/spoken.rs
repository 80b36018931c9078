//! The language that a command is answered in.

use clap::ValueEnum;
use tonghop_runtime::Language;

/// A language that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Asked {
    /// Vietnamese.
    Vi,
    /// English.
    En,
}

/// What says in the environment which language messages are in, the first that is set (POSIX, Environment Variables,
/// 8.2).
const VARIABLES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// The language asked for; else that of the environment, where it is Vietnamese; else English.
pub fn language(asked: Option<Asked>, environment: impl Fn(&str) -> Option<String>) -> Language {
    match asked {
        Some(Asked::Vi) => Language::Vietnamese,
        Some(Asked::En) => Language::English,
        None => {
            let set = VARIABLES.iter().filter_map(|name| environment(name)).find(|value| !value.is_empty());
            // As vi_VN.UTF-8, vi or vi@variant.
            let code =
                set.as_deref().unwrap_or_default().split(['_', '.', '@', '-']).next().unwrap_or_default();
            Language::of_code(code).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_goes_before_the_environment_and_english_is_the_rest() {
        let of = |asked, set: &[(&str, &str)]| {
            language(asked, |name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(of(None, &[]), Language::English);
        assert_eq!(of(None, &[("LANG", "vi_VN.UTF-8")]), Language::Vietnamese);
        assert_eq!(of(None, &[("LANG", "vi_VN.UTF-8"), ("LC_ALL", "C.UTF-8")]), Language::English);
        assert_eq!(of(None, &[("LC_ALL", ""), ("LC_MESSAGES", "vi")]), Language::Vietnamese);
        assert_eq!(of(None, &[("LANG", "fr_FR.UTF-8")]), Language::English);
        assert_eq!(of(Some(Asked::En), &[("LANG", "vi_VN.UTF-8")]), Language::English);
        assert_eq!(of(Some(Asked::Vi), &[("LC_ALL", "C")]), Language::Vietnamese);
    }
}
