//! The peers of `peers.py`, in a process of their own.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;

use crate::Outcome;
use crate::figures::{Country, Month, value};

/// What a peer answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    pub(crate) seconds: f64,
    /// National sums of the year, by indicator.
    #[serde(default)]
    pub(crate) nation: Vec<i64>,
    /// Figures in them.
    #[serde(default)]
    pub(crate) cells: u64,
    #[serde(default)]
    error: String,
}

/// The running process; it ends with its input.
#[derive(Debug)]
pub(crate) struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Writes a year's figures as columns.
pub(crate) fn write_columns(country: &Country, months: &[Month], to: &Path) -> Outcome<()> {
    let open =
        |name: &str| File::create(to.join(name)).map(BufWriter::new).map_err(|e| format!("{name}: {e}"));
    let (mut province, mut district, mut commune) = (open("province")?, open("district")?, open("commune")?);
    let (mut indicator, mut month, mut values) = (open("indicator")?, open("month")?, open("value")?);
    let written = |result: std::io::Result<()>| result.map_err(|e| e.to_string());
    for m in months {
        for (at, one) in country.communes.iter().enumerate() {
            for i in 0..country.indicators {
                written(province.write_all(&(one.province as i16).to_le_bytes()))?;
                written(district.write_all(&(one.district as i16).to_le_bytes()))?;
                written(commune.write_all(&(at as i32).to_le_bytes()))?;
                written(indicator.write_all(&(i as i16).to_le_bytes()))?;
                written(month.write_all(&(m.month as i16).to_le_bytes()))?;
                written(values.write_all(&(value(at, i, *m) as i32).to_le_bytes()))?;
            }
        }
    }
    Ok(())
}

impl Python {
    /// Over columns that are written.
    pub(crate) fn start(python: &Path, columns: &Path) -> Outcome<Python> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers.py");
        let mut command = Command::new(python);
        command.arg(script).arg(columns).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("{}: {e}", python.display()))?;
        let (input, output) = child.stdin.take().zip(child.stdout.take()).ok_or("no pipes")?;
        let mut this = Python { child, input, output: BufReader::new(output) };
        this.line()?;
        Ok(this)
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|e| e.to_string())?;
        if line.is_empty() { Err("peers.py ended".to_owned()) } else { Ok(line) }
    }

    /// Rolls the year up.
    pub(crate) fn roll_up(&mut self, peer: &str, levels: &str) -> Outcome<Answer> {
        writeln!(self.input, "{peer} {levels}").map_err(|e| e.to_string())?;
        let line = self.line()?;
        let answer: Answer = serde_json::from_str(&line).map_err(|e| format!("{line}: {e}"))?;
        if answer.error.is_empty() { Ok(answer) } else { Err(answer.error) }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
