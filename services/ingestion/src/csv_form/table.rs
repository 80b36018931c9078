//! A CSV table with a header, read strictly.
//!
//! The `csv` crate reads what it can: a quotation mark that is never closed swallows the lines after it, and
//! text after a closing one is glued on. Neither may happen to figures, so quotation marks are checked first.

use csv::{ByteRecord, ReaderBuilder};

use tonghop_runtime::{Got, Text};

use crate::finding::{Code, Findings, Spot, finding};
use crate::json::not_utf8_at;
use crate::submission::into_nfc;

/// What separates the cells of a document, by its first line: that of comma, semicolon and tab which parts most of the
/// columns' names. Spreadsheets write semicolons where a comma stands before decimals.
pub(crate) fn delimiter(bytes: &[u8], columns: &[&str]) -> u8 {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    let named = |delimiter: u8| {
        let cells = first.split(|b| *b == delimiter).map(|cell| cell.trim_ascii());
        let cells =
            cells.map(|cell| cell.strip_prefix(b"\"").and_then(|c| c.strip_suffix(b"\"")).unwrap_or(cell));
        cells.filter(|cell| columns.iter().any(|column| column.as_bytes() == *cell)).count()
    };
    // Of equals the first.
    let best = [b',', b';', b'\t'].into_iter().rev().max_by_key(|delimiter| named(*delimiter));
    best.unwrap_or(b',')
}

/// A table whose header is known.
pub(crate) struct Table<'a> {
    name: &'a str,
    bytes: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    header: Vec<String>,
    lines: Lines<'a>,
}

/// A line of a table: as many cells as the header has, in UTF-8.
pub(crate) struct Row<'r> {
    table: &'r str,
    /// The line on which it starts, counted from 1.
    pub(crate) line: u32,
    header: &'r [String],
    cells: &'r [String],
}

impl<'r> Row<'r> {
    /// The cell of a column by its position in the header; empty where there is none.
    pub(crate) fn at(&self, position: Option<usize>) -> &'r str {
        position.and_then(|i| self.cells.get(i)).map_or("", String::as_str)
    }

    /// The cell of a column; empty where there is no such column.
    pub(crate) fn cell(&self, column: &str) -> &'r str {
        self.at(self.header.iter().position(|c| c == column))
    }

    /// Where a cell stands.
    pub(crate) fn spot(&self, column: &str) -> Spot {
        spot(self.table, self.line, column)
    }
}

fn spot(table: &str, line: u32, column: &str) -> Spot {
    Spot { path: table.to_owned(), line: Some(line), column: column.to_owned() }
}

impl<'a> Table<'a> {
    /// Reads the header of a table. `name` is empty where there is only one. Nothing where a finding says that
    /// the lines cannot be read.
    pub(crate) fn open(
        name: &'a str,
        bytes: &'a [u8],
        delimiter: u8,
        required: &[&str],
        optional: &[&str],
        findings: &mut Findings,
    ) -> Option<Table<'a>> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let quotes = check_quotes(name, bytes, delimiter, findings);
        let mut reader =
            ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(bytes);
        let mut lines = Lines { bytes, offset: 0, line: 1 };
        let mut record = ByteRecord::new();
        let there = reader.read_byte_record(&mut record).unwrap_or(false);
        let line = lines.of(&record);
        if !there {
            findings.add(|| {
                let columns = required.join(",");
                let expected = Text::of(
                    format!("dòng đầu có các cột {columns}"),
                    format!("a first line with the columns {columns}"),
                );
                let hint = Text::of(
                    "ghi tên các cột ở dòng đầu",
                    "write the names of the columns in the first line",
                );
                finding(Code::MissingHeader, spot(name, 1, ""), Got::nothing(), expected, hint)
            });
            return None;
        }
        let header: Vec<String> =
            record.iter().map(|cell| into_nfc(String::from_utf8_lossy(cell).into_owned())).collect();
        let mut complete = true;
        for column in required.iter().chain(optional) {
            let times = header.iter().filter(|c| c == column).count();
            if times > 1 {
                complete = false;
                findings.add(|| {
                    let got = Text::of(
                        format!("{times} cột tên {column}"),
                        format!("{times} columns named {column}"),
                    );
                    let expected = Text::of("mỗi cột một lần", "every column once");
                    let hint = Text::of(
                        "chỉ giữ một cột: không thể biết cột nào được tính",
                        "keep one of them: which counts cannot be known",
                    );
                    finding(Code::DuplicateColumn, spot(name, line, column), got, expected, hint)
                });
            }
            if times == 0 && required.contains(column) {
                complete = false;
                findings.add(|| {
                    let got = header.join(",");
                    let hint = if header.len() == 1 && got.contains([';', '\t']) {
                        Text::of("ngăn cách các ô bằng dấu phẩy", "separate cells by commas")
                    } else {
                        Text::of(
                            format!("thêm cột {column}; có thể để trống ô khi biểu mẫu cho phép"),
                            format!(
                                "add the column {column}; its cells may be empty where the form allows it"
                            ),
                        )
                    };
                    let expected =
                        Text::of(format!("một cột tên {column}"), format!("a column named {column}"));
                    finding(Code::MissingColumn, spot(name, line, column), got, expected, hint)
                });
            }
        }
        (complete && quotes).then_some(Table { name, bytes, reader, header, lines })
    }

    /// Where a column stands in the header.
    pub(crate) fn position(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|c| c == column)
    }

    /// Gives every row in order, its texts in NFC, until `take` says that it is enough. Lines without any text
    /// are passed over; a line that cannot be read is a finding.
    pub(crate) fn each_row(
        mut self,
        findings: &mut Findings,
        mut take: impl FnMut(Row<'_>, &mut Findings) -> bool,
    ) {
        let mut record = ByteRecord::new();
        let mut cells: Vec<String> = Vec::new();
        // Reading from memory, of any number of cells, does not fail.
        while self.reader.read_byte_record(&mut record).unwrap_or(false) {
            let line = self.lines.of(&record);
            if record.iter().all(<[u8]>::is_empty) {
                continue;
            }
            if record.len() != self.header.len() {
                findings.add(|| {
                    let (cells, of) = (record.len(), self.header.len());
                    let expected = Text::of(
                        format!("{of} ô, như dòng tiêu đề"),
                        format!("{of} cells, as in the header"),
                    );
                    let hint = Text::of(
                        "đặt ô có dấu phẩy trong dấu ngoặc kép, và giữ các ô trống",
                        "put cells that contain a comma in quotation marks, and keep empty cells",
                    );
                    let got = Text::of(format!("{cells} ô"), format!("{cells} cells"));
                    finding(Code::WrongLength, spot(self.name, line, ""), got, expected, hint)
                });
                continue;
            }
            if !self.decode(&record, line, &mut cells, findings) {
                continue;
            }
            let row = Row { table: self.name, line, header: &self.header, cells: &cells };
            if !take(row, findings) {
                return;
            }
        }
        debug_assert!(self.lines.offset <= self.bytes.len());
    }

    fn decode(
        &self,
        record: &ByteRecord,
        line: u32,
        cells: &mut Vec<String>,
        findings: &mut Findings,
    ) -> bool {
        cells.resize(record.len(), String::new());
        let mut good = true;
        for ((cell, into), column) in record.iter().zip(cells).zip(&self.header) {
            into.clear();
            match std::str::from_utf8(cell) {
                Ok(text) => {
                    into.push_str(text);
                    if !text.is_ascii() {
                        *into = into_nfc(std::mem::take(into));
                    }
                }
                Err(error) => {
                    good = false;
                    findings.add(|| {
                        let byte = cell[error.valid_up_to()];
                        let read = String::from_utf8_lossy(cell);
                        let got = format!("0x{byte:02x}: {read:?}");
                        not_utf8_at(spot(self.name, line, column), got.into())
                    });
                }
            }
        }
        good
    }
}

/// Counts lines from one record to the next.
struct Lines<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line on which a record starts. Empty lines before it are not its own.
    fn of(&mut self, record: &ByteRecord) -> u32 {
        let start = record.position().map_or(0, |p| p.byte() as usize).min(self.bytes.len());
        while let Some(byte) = self.bytes.get(self.offset) {
            if self.offset >= start && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            let ends = *byte == b'\n' || (*byte == b'\r' && self.bytes.get(self.offset + 1) != Some(&b'\n'));
            self.line = self.line.saturating_add(u32::from(ends));
            self.offset += 1;
        }
        self.line
    }
}

/// Whether every quotation mark that opens a cell is closed, and at the end of the cell.
fn check_quotes(name: &str, bytes: &[u8], delimiter: u8, findings: &mut Findings) -> bool {
    let (mut line, mut at, mut good) = (1u32, 0, true);
    let mut starts_cell = true;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'"' && starts_cell {
            let opened = line;
            let end = loop {
                at += 1;
                match bytes.get(at) {
                    None => break false,
                    Some(b'"') if bytes.get(at + 1) == Some(&b'"') => at += 1,
                    Some(b'"') => break true,
                    Some(b'\n') => line += 1,
                    Some(_) => {}
                }
            };
            if !end {
                findings.add(|| {
                    let got =
                        Text::of("dấu ngoặc kép mở mà không đóng", "a quotation mark that is never closed");
                    let expected = Text::of("dấu ngoặc kép đóng", "a closing quotation mark");
                    let hint = Text::of(
                        "đóng ở cuối ô; dấu ngoặc kép bên trong ô thì viết hai lần",
                        "close it where the cell ends; write a quotation mark within a cell twice",
                    );
                    finding(Code::UnclosedQuote, spot(name, opened, ""), got, expected, hint)
                });
                return false;
            }
            if !matches!(bytes.get(at + 1), None | Some(b'\r' | b'\n'))
                && bytes.get(at + 1) != Some(&delimiter)
            {
                good = false;
                findings.add(|| {
                    let rest: Vec<u8> =
                        bytes[at..].iter().take(20).copied().take_while(|b| *b != b'\n').collect();
                    let got = String::from_utf8_lossy(&rest).into_owned();
                    let expected = Text::of(
                        "dấu phẩy hoặc hết dòng sau dấu ngoặc kép đóng",
                        "a comma or the end of the line after a closing quotation mark",
                    );
                    let hint = Text::of(
                        "dấu ngoặc kép bên trong ô thì viết hai lần",
                        "write a quotation mark within a cell twice",
                    );
                    finding(Code::StrayQuote, spot(name, line, ""), got, expected, hint)
                });
            }
            starts_cell = false;
        } else {
            line += u32::from(*byte == b'\n');
            starts_cell = *byte == delimiter || matches!(byte, b'\r' | b'\n');
        }
        at += 1;
    }
    good
}
