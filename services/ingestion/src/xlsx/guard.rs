//! What a workbook may cost is known before it is read.
//!
//! A workbook is an archive of XML parts, and a small file can claim, or inflate to, almost anything. Every part that
//! the reader would open is walked here first, as a stream: bytes are counted as they come out, not as the archive says;
//! no document type is taken, so that no entity is; depth, texts, attributes, cells and whatever the reader makes room
//! for are counted; and no cell lies outside what a sheet can be. On the way the few things are noted that the reader
//! does not tell: what is hidden, and formulas without a value.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{BufReader, Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use tonghop_runtime::{Failure, FailureKind, Text};
use zip::ZipArchive;
use zip::result::ZipError;

use super::refused;
use crate::finding::Code;
use crate::sheet_place::Cell;

/// Parts of the archive.
const MOST_PARTS: usize = 2_000;
/// Bytes that one part inflates to.
const MOST_PART: u64 = 64 << 20;
/// Bytes that all parts together inflate to.
const MOST_BYTES: u64 = 160 << 20;
/// Elements within one another.
const MOST_DEPTH: usize = 64;
/// Bytes between two tags, or of one tag: a cell has at most 32,767 characters.
const LONGEST_PIECE: u64 = 256 << 10;
/// Bytes of an attribute; of one of a style, which is copied to every cell format that has it.
const LONGEST_ATTRIBUTE: usize = 16 << 10;
const LONGEST_STYLE: usize = 1 << 10;
/// Sheets.
const MOST_SHEETS: usize = 64;
/// Cells of all sheets, the empty ones that only have a format too.
const MOST_CELLS: usize = 2_000_000;
/// Texts that cells share.
const MOST_TEXTS: usize = 500_000;
/// Cell formats, and fonts, fills and borders of each.
const MOST_STYLES: usize = 20_000;
/// Merged ranges of all sheets.
const MOST_MERGES: usize = 5_000;
/// Relations between parts, and names that are defined for ranges.
const MOST_NAMES: usize = 20_000;
/// Rows and columns of a sheet, by the format.
const ROWS: u32 = 1_048_576;
const COLUMNS: u32 = 16_384;

/// What a sheet has beside its cells.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Columns that cannot be seen, from and to.
    pub(super) hidden_columns: Vec<(u32, u32)>,
    /// Rows that cannot be seen.
    pub(super) hidden_rows: BTreeSet<u32>,
    /// Formulas that were saved without a value.
    pub(super) formulas: HashSet<Cell>,
}

/// What is known of a workbook after its parts were walked.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// By part.
    sheets: HashMap<String, Beside>,
    /// Parts by the names of sheets.
    parts: BTreeMap<String, String>,
}

impl Walked {
    /// What a sheet has beside its cells.
    pub(super) fn sheet(&self, name: &str) -> Option<&Beside> {
        self.sheets.get(self.parts.get(name)?)
    }
}

/// Walks a workbook.
///
/// # Errors
/// That it is too large in some way, encrypted, or no workbook.
pub(super) fn walk(bytes: &[u8]) -> Result<Walked, Failure> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| not_an_archive())?;
    if archive.len() > MOST_PARTS {
        return Err(too_large("parts", "phần", archive.len() as u64, MOST_PARTS as u64));
    }
    let mut counts = Counts::default();
    let mut walked = Walked::default();
    let mut relations = Relations::default();
    let mut names = HashSet::new();
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| unreadable(&error))?;
        let name =
            part.name().map_err(|error| unreadable(&error))?.trim_start_matches('/').to_ascii_lowercase();
        if !names.insert(name.clone()) {
            return Err(broken(&name, Text::of("hai phần cùng tên", "two parts of one name")));
        }
        if name.ends_with(".xml") || name.ends_with(".rels") {
            let left = MOST_BYTES.saturating_sub(counts.bytes).min(MOST_PART);
            let counting = Counting { inner: part, read: 0, most: left, piece: 0, stopped: None };
            let mut walk = Walk { name: &name, counts: &mut counts, relations: &mut relations };
            let (beside, counting) = walk.part(counting)?;
            counts.bytes += counting;
            walked.sheets.insert(name, beside);
        }
    }
    walked.parts = relations.resolve()?;
    Ok(walked)
}

/// What is counted over all parts.
#[derive(Debug, Default)]
struct Counts {
    bytes: u64,
    cells: usize,
    texts: usize,
    styles: usize,
    merges: usize,
    names: usize,
}

/// Sheets by their relation to the workbook, and where relations lead.
#[derive(Debug, Default)]
struct Relations {
    /// Of each workbook part its sheets: name and relation.
    sheets: Vec<(String, String, String)>,
    /// Of each part with relations: relation and target.
    targets: Vec<(String, String, String)>,
}

impl Relations {
    /// Parts by the names of sheets.
    fn resolve(self) -> Result<BTreeMap<String, String>, Failure> {
        let mut parts = BTreeMap::new();
        for (workbook, name, id) in &self.sheets {
            let (folder, file) = workbook.rsplit_once('/').unwrap_or(("", workbook));
            let relations = format!("{folder}/_rels/{file}.rels");
            let relations = relations.trim_start_matches('/');
            let target = self.targets.iter().find(|(of, known, _)| of == relations && known == id);
            let Some((_, _, target)) = target else { continue };
            let part = match target.strip_prefix('/') {
                Some(absolute) => absolute.to_owned(),
                None => format!("{folder}/{target}").trim_start_matches('/').to_owned(),
            };
            if parts.insert(name.clone(), part).is_some() {
                return Err(broken(workbook, Text::of("hai trang tính cùng tên", "two sheets of one name")));
            }
        }
        Ok(parts)
    }
}

struct Walk<'w> {
    name: &'w str,
    counts: &'w mut Counts,
    relations: &'w mut Relations,
}

/// Where the walk is in a sheet.
#[derive(Default)]
struct At {
    row: u32,
    column: u32,
    cell: Option<Cell>,
    formula: bool,
    value: bool,
    /// Whether what comes is within `<v>` or `<is>`.
    within: bool,
}

impl Walk<'_> {
    /// Walks a part; gives what it has if it is a sheet, and how many bytes it has.
    fn part<R: Read>(&mut self, counting: Counting<R>) -> Result<(Beside, u64), Failure> {
        let mut reader = Reader::from_reader(BufReader::with_capacity(32 << 10, counting));
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = false;
        let mut beside = Beside::default();
        let (mut at, mut depth, mut buffer) = (At::default(), 0usize, Vec::new());
        loop {
            buffer.clear();
            let event = match reader.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(error) => {
                    let stopped = reader.get_ref().get_ref().stopped;
                    return Err(stopped.map_or_else(
                        || broken(self.name, Text::of("XML không hợp lệ", error.to_string())),
                        |why| why.failure(self.name),
                    ));
                }
            };
            match event {
                Event::Eof => break,
                Event::DocType(_) => {
                    return Err(broken(
                        self.name,
                        Text::of("khai báo kiểu tài liệu (DTD)", "a document type declaration (DTD)"),
                    ));
                }
                Event::Start(element) => {
                    depth += 1;
                    if depth > MOST_DEPTH {
                        return Err(too_large(
                            "levels of elements",
                            "cấp phần tử",
                            depth as u64,
                            MOST_DEPTH as u64,
                        ));
                    }
                    self.element(&element, &mut at, &mut beside)?;
                }
                Event::End(element) => {
                    depth = depth.saturating_sub(1);
                    match element.local_name().as_ref() {
                        "c" => at.close(&mut beside),
                        "row" => at = At { row: at.row.saturating_add(1), ..At::default() },
                        "v" | "is" => at.within = false,
                        _ => {}
                    }
                }
                Event::Text(text) => at.value |= at.within && !text.is_empty(),
                Event::CData(_) | Event::GeneralRef(_) => at.value |= at.within,
                _ => {}
            }
        }
        let counting = reader.into_inner().into_inner();
        Ok((beside, counting.read))
    }

    fn element(&mut self, element: &BytesStart<'_>, at: &mut At, beside: &mut Beside) -> Result<(), Failure> {
        let attributes = self.attributes(element)?;
        let get =
            |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let local = element.local_name();
        match local.as_ref() {
            "c" => {
                self.count(|c| &mut c.cells, MOST_CELLS, "cells", "ô")?;
                if let Some(reference) = get("r") {
                    let cell = self.cell(reference)?;
                    (at.row, at.column) = (cell.row, cell.column);
                }
                if at.column >= COLUMNS || at.row >= ROWS {
                    return Err(self.outside(&format!("{}, {}", at.row, at.column)));
                }
                *at = At { row: at.row, column: at.column, ..At::default() };
                at.cell = Some(Cell { row: at.row, column: at.column });
                at.column += 1;
            }
            "f" => at.formula = true,
            "v" | "is" => at.within = true,
            "row" => {
                if let Some(number) = get("r") {
                    let row = number.parse::<u32>().ok().filter(|row| (1..=ROWS).contains(row));
                    at.row = row.ok_or_else(|| self.outside(number))? - 1;
                }
                at.column = 0;
                if is_true(get("hidden")) {
                    beside.hidden_rows.insert(at.row);
                }
            }
            "col" if is_true(get("hidden")) => {
                let number = |name| get(name).and_then(|n| n.parse::<u32>().ok()).filter(|n| *n >= 1);
                let (Some(from), Some(to)) = (number("min"), number("max")) else {
                    return Err(self.outside(&format!("{:?} – {:?}", get("min"), get("max"))));
                };
                beside.hidden_columns.push((from - 1, to - 1));
                self.count(
                    |c| &mut c.merges,
                    MOST_MERGES,
                    "merged ranges and hidden columns",
                    "vùng ô gộp và cột ẩn",
                )?;
            }
            "dimension" | "mergeCell" => {
                if let Some(range) = get("ref") {
                    self.range(range)?;
                }
                if local.as_ref() == "mergeCell" {
                    self.count(
                        |c| &mut c.merges,
                        MOST_MERGES,
                        "merged ranges and hidden columns",
                        "vùng ô gộp và cột ẩn",
                    )?;
                }
            }
            "si" => self.count(|c| &mut c.texts, MOST_TEXTS, "texts", "văn bản")?,
            // The reader makes room for as many as are announced.
            "sst" => {
                for name in ["count", "uniqueCount"] {
                    if let Some(announced) = get(name) {
                        let number = announced.parse::<u64>().unwrap_or(u64::MAX);
                        if number > 10 * MOST_TEXTS as u64
                            || (name == "uniqueCount" && number > MOST_TEXTS as u64)
                        {
                            return Err(too_large("texts", "văn bản", number, MOST_TEXTS as u64));
                        }
                    }
                }
            }
            "xf" | "font" | "fill" | "border" | "numFmt" => {
                self.count(|c| &mut c.styles, MOST_STYLES, "cell formats", "định dạng ô")?;
            }
            "sheet" => {
                let id = attributes.iter().find(|(key, _)| key == "id" || key.ends_with(":id"));
                if let (Some(name), Some((_, id))) = (get("name"), id) {
                    self.relations.sheets.push((self.name.to_owned(), name.to_owned(), id.clone()));
                }
                if self.relations.sheets.len() > MOST_SHEETS {
                    let count = self.relations.sheets.len() as u64;
                    return Err(too_large("sheets", "trang tính", count, MOST_SHEETS as u64));
                }
            }
            "definedName" => self.count(|c| &mut c.names, MOST_NAMES, "names", "tên")?,
            "Relationship" => self.relation(get("Id"), get("Type"), get("Target"), get("TargetMode"))?,
            _ => {}
        }
        Ok(())
    }

    /// The reader opens what relations of these kinds lead to, so it has to be a part that was walked.
    fn relation(
        &mut self,
        id: Option<&str>,
        kind: Option<&str>,
        target: Option<&str>,
        mode: Option<&str>,
    ) -> Result<(), Failure> {
        self.count(|c| &mut c.names, MOST_NAMES, "names", "tên")?;
        let (Some(id), Some(kind), Some(target)) = (id, kind, target) else { return Ok(()) };
        let opened =
            ["officeDocument", "worksheet", "chartsheet", "dialogsheet", "sharedStrings", "styles", "theme"];
        let last = kind.rsplit('/').next().unwrap_or_default();
        let target = target.to_ascii_lowercase();
        if opened.contains(&last)
            && (!target.ends_with(".xml") || mode == Some("External") || target.contains(".."))
        {
            let what = Text::of(
                format!("phần {target:?} không phải XML"),
                format!("a part {target:?} that is no XML"),
            );
            return Err(broken(self.name, what));
        }
        self.relations.targets.push((self.name.to_owned(), id.to_owned(), target));
        Ok(())
    }

    fn attributes(&self, element: &BytesStart<'_>) -> Result<Vec<(String, String)>, Failure> {
        let longest = if self.name.ends_with("styles.xml") { LONGEST_STYLE } else { LONGEST_ATTRIBUTE };
        let mut all = Vec::new();
        for attribute in element.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| {
                broken(self.name, Text::of("thuộc tính XML không hợp lệ", error.to_string()))
            })?;
            if attribute.value.len() > longest {
                return Err(too_large(
                    "bytes of an attribute",
                    "byte của một thuộc tính",
                    attribute.value.len() as u64,
                    longest as u64,
                ));
            }
            let key: &str = attribute.key.as_ref();
            let value = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).map_err(|error| {
                broken(self.name, Text::of("thuộc tính XML không hợp lệ", error.to_string()))
            })?;
            all.push((key.to_owned(), value.into_owned()));
        }
        Ok(all)
    }

    fn count(
        &mut self,
        which: impl Fn(&mut Counts) -> &mut usize,
        most: usize,
        english: &str,
        vietnamese: &str,
    ) -> Result<(), Failure> {
        let count = which(self.counts);
        *count += 1;
        if *count > most {
            return Err(too_large(english, vietnamese, *count as u64, most as u64));
        }
        Ok(())
    }

    fn range(&self, range: &str) -> Result<(), Failure> {
        let mut corners = range.split(':').map(|corner| self.cell(corner));
        let from = corners.next().unwrap_or_else(|| Err(self.outside(range)))?;
        let to = corners.next().unwrap_or(Ok(from))?;
        if corners.next().is_some() || from.row > to.row || from.column > to.column {
            return Err(self.outside(range));
        }
        Ok(())
    }

    fn cell(&self, reference: &str) -> Result<Cell, Failure> {
        let digits = reference.find(|c: char| c.is_ascii_digit()).unwrap_or(reference.len());
        let (letters, number) = reference.split_at(digits);
        let column = letters.bytes().try_fold(0u32, |column, letter| {
            let digit = letter.to_ascii_uppercase().checked_sub(b'A').filter(|digit| *digit < 26)?;
            column.checked_mul(26)?.checked_add(u32::from(digit) + 1).filter(|column| *column <= COLUMNS)
        });
        let row = number.parse::<u32>().ok().filter(|row| (1..=ROWS).contains(row));
        match (column, row) {
            (Some(column), Some(row)) if column > 0 => Ok(Cell { row: row - 1, column: column - 1 }),
            _ => Err(self.outside(reference)),
        }
    }

    fn outside(&self, reference: &str) -> Failure {
        broken(
            self.name,
            Text::of(
                format!("{reference:?}, không phải ô của trang tính"),
                format!("{reference:?}, which is no cell of a sheet"),
            ),
        )
    }
}

impl At {
    fn close(&mut self, beside: &mut Beside) {
        if let Some(cell) = self.cell.take()
            && self.formula
            && !self.value
        {
            beside.formulas.insert(cell);
        }
    }
}

fn is_true(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true"))
}

/// Counts what comes out of a part, and stops where it is too much.
struct Counting<R> {
    inner: R,
    read: u64,
    most: u64,
    /// Bytes since the last tag began.
    piece: u64,
    stopped: Option<Stopped>,
}

#[derive(Clone, Copy)]
enum Stopped {
    /// More bytes than are taken.
    Bytes(u64),
    /// A text or tag that is too long.
    Piece,
    /// The archive cannot be inflated.
    Archive,
}

impl Stopped {
    fn failure(self, part: &str) -> Failure {
        match self {
            Stopped::Bytes(most) => too_large("bytes when unpacked", "byte sau khi giải nén", most + 1, most),
            Stopped::Piece => {
                too_large("bytes of one text", "byte của một văn bản", LONGEST_PIECE + 1, LONGEST_PIECE)
            }
            Stopped::Archive => broken(part, Text::of("không giải nén được", "it cannot be unpacked")),
        }
    }
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let stop = |this: &mut Self, why: Stopped| {
            this.stopped = Some(why);
            Err(std::io::Error::other("stopped"))
        };
        let count = match self.inner.read(buffer) {
            Ok(count) => count,
            Err(_) => return stop(self, Stopped::Archive),
        };
        self.read += count as u64;
        if self.read > self.most {
            let most = self.most;
            return stop(self, Stopped::Bytes(most));
        }
        for byte in &buffer[..count] {
            self.piece = if *byte == b'<' { 0 } else { self.piece + 1 };
            if self.piece > LONGEST_PIECE {
                return stop(self, Stopped::Piece);
            }
        }
        Ok(count)
    }
}

/// That something is more than is taken.
fn too_large(english: &str, vietnamese: &str, got: u64, most: u64) -> Failure {
    let spoken = Text::of(format!("nhiều nhất {most} {vietnamese}"), format!("at most {most} {english}"));
    let hint = Text::of(
        "xóa các trang tính, hàng và cột không có số liệu, hoặc chia thành nhiều tệp",
        "remove sheets, rows and columns without figures, or send several files",
    );
    refused(
        FailureKind::TooLarge,
        Code::SpreadsheetTooLarge,
        "",
        &format!("{got}"),
        spoken,
        hint,
        Text::of("bảng tính lớn hơn mức nhận", "the spreadsheet is larger than what is taken"),
    )
}

/// That a part is not what it should be.
pub(super) fn broken(part: &str, what: Text) -> Failure {
    use tonghop_runtime::Language::{English, Vietnamese};
    let expected = Text::of(
        format!("một tệp .xlsx nguyên vẹn; ở đây: {}", what.in_language(Vietnamese)),
        format!("an .xlsx file that is whole; here: {}", what.in_language(English)),
    );
    let hint = Text::of(
        "mở tệp bằng Excel hoặc LibreOffice, lưu lại dưới dạng .xlsx rồi gửi",
        "open it in Excel or LibreOffice, save it as .xlsx again, and send that",
    );
    let kind = FailureKind::NotUnderstood;
    refused(
        kind,
        Code::BrokenSpreadsheet,
        part,
        part,
        expected,
        hint,
        Text::of("bảng tính bị hỏng", "the spreadsheet is broken"),
    )
}

fn not_an_archive() -> Failure {
    broken("", Text::of("không phải tệp ZIP, hoặc tệp bị cắt cụt", "it is no ZIP archive, or was cut short"))
}

fn unreadable(error: &ZipError) -> Failure {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => super::encrypted(),
        _ => broken("", Text::of("không giải nén được", "it cannot be unpacked")),
    }
}
