//! What Prometheus would read: its text format, version 0.0.4, taken at its word.

use std::collections::{BTreeMap, BTreeSet};

/// A sample's labels.
pub type Labels = BTreeMap<String, String>;

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Exposition {
    /// The type of each family.
    pub types: BTreeMap<String, String>,
    /// Families that say what they are.
    pub described: BTreeSet<String>,
    /// Name, labels and value of each sample.
    pub samples: Vec<(String, Labels, f64)>,
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == ':');
    first && letters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

/// `name="value",…` up to the closing brace; what follows it.
fn labels(mut rest: &str) -> Result<(Labels, &str), String> {
    let mut all = Labels::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((all, after));
        }
        let (name, after) = rest.split_once("=\"").ok_or("a label without a value")?;
        if !is_name(name) {
            return Err(format!("{name:?} names no label"));
        }
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next().ok_or("a value without its end")? {
                (at, '"') => break at + 1,
                (_, '\\') => match letters.next().ok_or("a value that ends in an escape")?.1 {
                    'n' => value.push('\n'),
                    c @ ('"' | '\\') => value.push(c),
                    c => return Err(format!("an escape \\{c}")),
                },
                (_, c) => value.push(c),
            }
        };
        if all.insert(name.to_owned(), value).is_some() {
            return Err(format!("the label {name} twice"));
        }
        rest = after[end..].strip_prefix(',').unwrap_or(&after[end..]);
    }
}

impl Exposition {
    /// Reads a text.
    ///
    /// # Errors
    /// The line that is not in the format, and why.
    pub fn read(text: &str) -> Result<Exposition, String> {
        let mut read = Exposition::default();
        if !text.ends_with('\n') {
            return Err("the last line does not end".to_owned());
        }
        for line in text.lines() {
            read.line(line).map_err(|why| format!("{why}: {line}"))?;
        }
        read.check()?;
        Ok(read)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("no type")?;
            if !["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind) {
                return Err("an unknown type".to_owned());
            }
            if self.samples.iter().any(|(sample, ..)| self.family(sample) == name) {
                return Err("a type after its samples".to_owned());
            }
            return match self.types.insert(name.to_owned(), kind.to_owned()) {
                Some(_) => Err("a second type".to_owned()),
                None => Ok(()),
            };
        }
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or("no help")?;
            if help.trim().is_empty() || !self.described.insert(name.to_owned()) {
                return Err("no help, or a second one".to_owned());
            }
            return Ok(());
        }
        if line.starts_with('#') || line.is_empty() {
            return Ok(());
        }
        let end = line.find(['{', ' ']).ok_or("no value")?;
        let (name, rest) = line.split_at(end);
        if !is_name(name) {
            return Err("no name".to_owned());
        }
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (Labels::new(), rest),
        };
        let value = rest.trim().parse::<f64>().map_err(|error| error.to_string())?;
        if self.samples.iter().any(|(n, l, _)| n == name && *l == labels) {
            return Err("the same sample twice".to_owned());
        }
        self.samples.push((name.to_owned(), labels, value));
        Ok(())
    }

    /// The family that a sample's name belongs to.
    pub fn family<'a>(&self, sample: &'a str) -> &'a str {
        let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| sample.strip_suffix(end));
        match of_histogram {
            Some(family) if self.types.get(family).is_some_and(|kind| kind == "histogram") => family,
            _ => sample,
        }
    }

    fn check(&self) -> Result<(), String> {
        let mut buckets: BTreeMap<(String, Labels), Vec<(f64, f64)>> = BTreeMap::new();
        for (name, labels, value) in &self.samples {
            let family = self.family(name);
            if !self.types.contains_key(family) || !self.described.contains(family) {
                return Err(format!("{name} has no type or no help"));
            }
            if name.ends_with("_bucket") && family != name {
                let mut labels = labels.clone();
                let bound = labels.remove("le").ok_or_else(|| format!("{name} has no bound"))?;
                let bound = if bound == "+Inf" { Ok(f64::INFINITY) } else { bound.parse() };
                let bound = bound.map_err(|error| format!("{name}: {error}"))?;
                buckets.entry((family.to_owned(), labels)).or_default().push((bound, *value));
            }
        }
        for ((family, labels), bounds) in buckets {
            let rises = bounds.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
            let last = bounds.last().copied();
            let count = self.sample(&format!("{family}_count"), &labels);
            if !rises || last != count.map(|count| (f64::INFINITY, count)) {
                return Err(format!("{family} {labels:?} is no histogram: {bounds:?}, of {count:?}"));
            }
        }
        Ok(())
    }

    fn sample(&self, name: &str, labels: &Labels) -> Option<f64> {
        self.samples.iter().find(|(n, l, _)| n == name && l == labels).map(|(.., value)| *value)
    }

    /// The value of a sample, which has to be there.
    #[track_caller]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let wanted = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        self.sample(name, &wanted).unwrap_or_else(|| panic!("no {name} {labels:?} in {:#?}", self.samples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_format_is_said() {
        let head = "# HELP a A.\n# TYPE a gauge\n";
        let histogram = "# HELP h H.\n# TYPE h histogram\n";
        for (text, why) in [
            ("a 1\n".to_owned(), "no type or no help"),
            (format!("{head}a 1"), "does not end"),
            (format!("{head}a one\n"), "invalid float"),
            (format!("{head}a{{b=\"c 1\n"), "without its end"),
            (format!("{head}a 1\na 2\n"), "twice"),
            (
                format!("{histogram}h_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} 1\nh_count 1\n"),
                "no histogram",
            ),
            (format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_count 2\n"), "no histogram"),
        ] {
            let refused = Exposition::read(&text).expect_err("a refusal");
            assert!(refused.contains(why), "{text}: {refused}");
        }
        let read = Exposition::read(&format!("{head}a{{b=\"c\\\"d\",e=\"f\"}} 1.5\n")).expect("read");
        assert_eq!(read.value("a", &[("b", "c\"d"), ("e", "f")]), 1.5);
    }
}
