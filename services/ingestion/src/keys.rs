//! Keys of reporting systems: given, replaced, revoked, listed. Each is an entry of the ledger, so that every replica
//! learns of it and the chain covers it; what a holder sends is in no entry.

use jiff::civil::Date;
use jiff::tz::{TimeZone, offset};
use jiff::{Timestamp, ToSpan};
use prost::Message;
use serde_json::json;
use tonghop_access::{Caller, Grant, Key, KeyState, Role, issue};
use tonghop_core::dimension::REPORTER;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_proto::access as pb;
use tonghop_proto::ledger::access_record::Change;
use tonghop_proto::ledger::{AccessRecord, KeyIssued, KeyRevoked};
use tonghop_runtime::{Failure, FailureKind, Finding, Text, trace};
use tonghop_store::{Appended, Content, EntryKind, NewEntry, Premise, Receipt};
use uuid::Uuid;

use crate::finding::{Code, Findings, Spot, finding};
use crate::grpc::time;
use crate::in_force::{Rules, none_loaded};
use crate::registry_grpc::page;
use crate::service::{Ingestion, JSON, check_key};
use crate::writer::failure;

/// Under which what is done with keys is in the ledger. No system reports under it.
pub(crate) const SOURCE: &str = "tonghop-keys";
/// How often it is tried again because something else came in force in between.
const MOST_TRIES: usize = 5;
/// Keys that there may be, whether they hold or not: every process has all of them in memory.
const MOST_KEYS: usize = 10_000;
/// Units, and sides, that one key may name.
const MOST_NAMED: usize = 200;
/// The longest code, and the longest note, in bytes.
const LONGEST_CODE: usize = 64;
const LONGEST_NOTE: usize = 1000;
/// How long a key holds where nothing is said, and at most, in days.
const USUAL_DAYS: i64 = 365;
const MOST_DAYS: i64 = 3 * 366;
/// How long a key that is replaced goes on where nothing is said, and at most, in hours.
const USUAL_OVERLAP: u32 = 24;
const MOST_OVERLAP: u32 = 30 * 24;

/// A key that is in the ledger.
#[derive(Clone, Debug)]
pub struct Given {
    /// The key.
    pub key: Key,
    /// What its holder sends; none where it was given before.
    pub secret: Option<Secret>,
    /// Of the entry.
    pub receipt: Receipt,
    /// Whether it was there before.
    pub replayed: bool,
}

/// What a key's holder sends. It is never shown but in the answer to whoever has the key made.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a key is to be, once it holds together.
struct Wanted {
    source: String,
    grant: Grant,
    expires_at: Timestamp,
    /// The key that is replaced, and until when it goes on.
    replaces: Option<(String, Timestamp)>,
}

impl Ingestion {
    /// Gives a key.
    ///
    /// # Errors
    /// Where the caller does not administer, or everything wrong with what is asked.
    pub async fn issue_key(&self, caller: &Caller, request: &pb::IssueKeyRequest) -> Result<Given, Failure> {
        caller.require(Role::Administer)?;
        check_key("Idempotency-Key", &request.idempotency_key)?;
        bounded(request)?;
        let content = Content::new(JSON, document(request));
        for _ in 0..MOST_TRIES {
            let rules = self.known.rules(&self.ledger).await?;
            let now = (self.now)();
            caller.still(&rules.keys, now)?;
            let known =
                self.ledger.receipt_by_key(SOURCE, &request.idempotency_key).await.map_err(failure)?;
            if let Some(known) = known {
                return self.given_before(known, content.digest()).await;
            }
            let registry = rules.in_force().ok_or_else(none_loaded)?.registry;
            let wanted = wanted(&rules, &registry, request, now)?;
            let made = issue(&(self.random)().map_err(Failure::internal)?);
            let (replaces, overlap_until) = match wanted.replaces {
                Some((key, until)) => (key, time(until)),
                None => Default::default(),
            };
            let record = AccessRecord {
                change: Some(Change::Issued(KeyIssued {
                    key: made.key.clone(),
                    salt: made.salt.to_vec(),
                    digest: made.digest.to_vec(),
                    source: wanted.source,
                    grant: Some((&wanted.grant).into()),
                    expires_at: time(wanted.expires_at),
                    replaces,
                    overlap_until,
                    note: request.note.clone(),
                })),
            };
            let entry = self.of_access(caller, &request.idempotency_key, &content, &record, &request.note);
            match self.append_access(entry, rules.position).await? {
                Appended::New(receipt) => {
                    let key = self.key(&made.key).await?;
                    return Ok(Given { key, secret: Some(Secret(made.secret)), receipt, replayed: false });
                }
                Appended::Replayed(known) | Appended::Conflict(known) => {
                    return self.given_before(known, content.digest()).await;
                }
                Appended::Outdated => {}
            }
        }
        Err(busy())
    }

    /// Takes a key back: from the answer on it is none. Done again, it changes nothing.
    ///
    /// # Errors
    /// Where the caller does not administer, or there is no such key.
    pub async fn revoke_key(
        &self,
        caller: &Caller,
        request: &pb::RevokeKeyRequest,
    ) -> Result<Given, Failure> {
        caller.require(Role::Administer)?;
        check_note(&request.note)?;
        let idempotency_key = format!("revoke:{}", request.key);
        for _ in 0..MOST_TRIES {
            let rules = self.known.rules(&self.ledger).await?;
            caller.still(&rules.keys, (self.now)())?;
            let key = rules.keys.get(&request.key).ok_or_else(|| no_such_key(&request.key))?.clone();
            if key.state((self.now)()) == KeyState::Revoked {
                let known = self.ledger.receipt_by_key(SOURCE, &idempotency_key).await.map_err(failure)?;
                let known = known.ok_or_else(|| Failure::internal("a revoked key without its entry"))?;
                return Ok(Given { key, secret: None, receipt: known, replayed: true });
            }
            let content = Content::new(JSON, json!({ "revoke": request.key }).to_string());
            let change = Change::Revoked(KeyRevoked { key: request.key.clone() });
            let record = AccessRecord { change: Some(change) };
            let entry = self.of_access(caller, &idempotency_key, &content, &record, &request.note);
            match self.append_access(entry, rules.position).await? {
                Appended::New(receipt) => {
                    let key = self.key(&request.key).await?;
                    return Ok(Given { key, secret: None, receipt, replayed: false });
                }
                // Revoked by another replica just now.
                Appended::Replayed(_) | Appended::Conflict(_) | Appended::Outdated => {}
            }
        }
        Err(busy())
    }

    /// The keys there are, whether they hold or not.
    ///
    /// # Errors
    /// Where the caller does not administer, or the page is none.
    pub async fn list_keys(
        &self,
        caller: &Caller,
        request: &pb::ListKeysRequest,
    ) -> Result<pb::ListKeysResponse, Failure> {
        caller.require(Role::Administer)?;
        let rules = self.known.rules(&self.ledger).await?;
        let now = (self.now)();
        let of_source = |key: &&Key| request.source.is_empty() || key.source == request.source;
        let all = rules.keys.all().into_iter().filter(of_source).collect();
        let (keys, next_page_token) = page(all, &request.page_token, request.page_size)?;
        Ok(pb::ListKeysResponse {
            keys: keys.into_iter().map(|key| shown(key, now)).collect(),
            next_page_token,
        })
    }

    /// A key on the wire.
    pub(crate) fn shown(&self, key: &Key) -> pb::Key {
        shown(key, (self.now)())
    }

    /// A key that is in the ledger, as all who ask from now on know it.
    async fn key(&self, key: &str) -> Result<Key, Failure> {
        let rules = self.known.rules(&self.ledger).await?;
        rules.keys.get(key).cloned().ok_or_else(|| Failure::internal(format!("no key {key} after its entry")))
    }

    /// The key that an entry gave, where it gave what is asked for.
    async fn given_before(&self, known: Receipt, digest: &[u8; 32]) -> Result<Given, Failure> {
        if known.content_digest != *digest {
            let key = &known.idempotency_key;
            return Err(Failure::new(
                FailureKind::KeyConflict,
                Text::of(
                    format!("mã chống lặp {key:?} đã dùng cho một khóa khác: dùng mã mới"),
                    format!("the idempotency key {key:?} was used for another key: use a new one"),
                ),
            ));
        }
        let entry = self.ledger.entry(known.position).await.map_err(failure)?;
        let entry = entry.ok_or_else(|| Failure::internal(format!("no entry at {}", known.position)))?;
        let record = AccessRecord::decode(entry.record.as_slice()).map_err(Failure::internal)?;
        let Some(Change::Issued(issued)) = record.change else {
            return Err(Failure::internal(format!("no key was given at {}", known.position)));
        };
        Ok(Given { key: self.key(&issued.key).await?, secret: None, receipt: known, replayed: true })
    }

    fn of_access(
        &self,
        caller: &Caller,
        idempotency_key: &str,
        content: &Content,
        record: &AccessRecord,
        note: &str,
    ) -> NewEntry {
        NewEntry {
            id: Uuid::now_v7(),
            kind: EntryKind::Access,
            source: SOURCE.to_owned(),
            idempotency_key: idempotency_key.to_owned(),
            content: content.clone(),
            skeleton: None,
            record: record.encode_to_vec().into(),
            figures: 0,
            received_at: (self.now)(),
            note: note.to_owned(),
            actor: caller.actor(),
            premise: Premise::Rules(0),
            trace_parent: trace::parent(),
        }
    }

    async fn append_access(&self, entry: NewEntry, rules: i64) -> Result<Appended, Failure> {
        let prepared = self.ledger.prepare(NewEntry { premise: Premise::Rules(rules), ..entry });
        self.writer.append(prepared.map_err(failure)?).await
    }
}

/// A key on the wire: nothing of it that is secret, and nothing that is kept of the secret.
fn shown(key: &Key, now: Timestamp) -> pb::Key {
    pb::Key {
        key: key.key.clone(),
        source: key.source.clone(),
        roles: key.grant.roles.iter().map(|role| role.code().to_owned()).collect(),
        units: key.grant.units.clone(),
        sides: key.grant.sides.clone(),
        note: key.note.clone(),
        issued_at: time(key.issued_at),
        expires_at: time(key.expires_at),
        revoked_at: key.revoked_at.map(time).unwrap_or_default(),
        replaces: key.replaces.clone().unwrap_or_default(),
        state: key.state(now).code().to_owned(),
    }
}

/// What was asked, as the ledger keeps it.
fn document(request: &pb::IssueKeyRequest) -> String {
    json!({
        "source": request.source, "roles": request.roles, "units": request.units, "sides": request.sides,
        "expires_at": request.expires_at, "note": request.note, "replaces": request.replaces,
        "overlap_hours": request.overlap_hours,
    })
    .to_string()
}

/// That no list and no text of a request is longer than any that is meant.
fn bounded(request: &pb::IssueKeyRequest) -> Result<(), Failure> {
    for (name, list) in [("roles", &request.roles), ("units", &request.units), ("sides", &request.sides)] {
        if list.len() > MOST_NAMED {
            let (got, most) = (format!("{} {name}", list.len()), format!("{MOST_NAMED}"));
            return Err(refused(vec![finding(
                Code::TooLarge,
                Spot::path(name),
                got,
                Text::of(format!("nhiều nhất {most}"), format!("at most {most}")),
                Text::of("nêu đơn vị cấp trên của chúng", "name a unit that they are below"),
            )]));
        }
        let long = list.iter().find(|text| text.len() > LONGEST_CODE);
        if let Some(long) = long {
            return Err(refused(vec![finding(
                Code::TextTooLong,
                Spot::path(name),
                long,
                Text::of(
                    format!("một mã dài nhất {LONGEST_CODE} byte"),
                    format!("a code of at most {LONGEST_CODE} bytes"),
                ),
                Text::of("chỉ ghi mã", "write the code alone"),
            )]));
        }
    }
    check_note(&request.note)
}

fn check_note(note: &str) -> Result<(), Failure> {
    if note.len() <= LONGEST_NOTE && !note.chars().any(char::is_control) {
        return Ok(());
    }
    Err(refused(vec![finding(
        Code::TextTooLong,
        Spot::path("note"),
        format!("{} bytes", note.len()),
        Text::of(
            format!("nhiều nhất {LONGEST_NOTE} byte văn bản"),
            format!("at most {LONGEST_NOTE} bytes of plain text"),
        ),
        Text::of("viết ngắn lại, không có ký tự điều khiển", "shorten it, and leave out control characters"),
    )]))
}

/// What is asked for, held against what is in force.
fn wanted(
    rules: &Rules,
    registry: &Registry,
    request: &pb::IssueKeyRequest,
    now: Timestamp,
) -> Result<Wanted, Failure> {
    let mut findings = Findings::default();
    let before = match request.replaces.as_str() {
        "" => None,
        id => Some(rules.keys.get(id).ok_or_else(|| no_such_key(id))?),
    };
    if let Some(before) = before
        && before.state(now) != KeyState::Active
    {
        findings.add(|| {
            let hint = Text::of("cấp một khóa mới, không thay khóa nào", "give a new key that replaces none");
            let expected = Text::of("một khóa còn hiệu lực", "a key that holds");
            finding(Code::KeyDoesNotHold, Spot::path("replaces"), &request.replaces, expected, hint)
        });
    }
    if rules.keys.count() >= MOST_KEYS {
        findings.add(|| {
            let expected =
                Text::of(format!("nhiều nhất {MOST_KEYS} khóa"), format!("at most {MOST_KEYS} keys"));
            let hint = Text::of("đổi khóa ít hơn", "replace keys less often");
            finding(Code::TooLarge, Spot::path("keys"), rules.keys.count().to_string(), expected, hint)
        });
    }
    let source = match (request.source.as_str(), before) {
        ("", Some(before)) => before.source.clone(),
        (source, _) => {
            check_key("source", source)?;
            source.to_owned()
        }
    };
    let says_nothing = request.roles.is_empty() && request.units.is_empty() && request.sides.is_empty();
    let grant = match before.filter(|_| says_nothing) {
        Some(before) => before.grant.clone(),
        None => granted(registry, request, &mut findings),
    };
    let expires_at = expiry(&request.expires_at, now, &mut findings);
    let overlap = request.overlap_hours.unwrap_or(USUAL_OVERLAP);
    if overlap > MOST_OVERLAP || (before.is_none() && request.overlap_hours.is_some()) {
        findings.add(|| {
            let expected = Text::of(
                format!("0 đến {MOST_OVERLAP} giờ, chỉ khi thay một khóa"),
                format!("0 to {MOST_OVERLAP} hours, and only where a key is replaced"),
            );
            let hint =
                Text::of("hai khóa cùng hiệu lực càng ngắn càng tốt", "let both hold as shortly as can be");
            finding(Code::TooLarge, Spot::path("overlap_hours"), overlap.to_string(), expected, hint)
        });
    }
    let findings = findings.into_vec();
    if !findings.is_empty() {
        return Err(refused(findings));
    }
    let until = now.checked_add(i64::from(overlap).hours()).map_err(Failure::internal)?;
    let replaces = before.map(|before| (before.key.clone(), until));
    Ok(Wanted { source, grant, expires_at, replaces })
}

/// Roles, units and sides, each of which there has to be.
fn granted(registry: &Registry, request: &pb::IssueKeyRequest, findings: &mut Findings) -> Grant {
    let mut grant = Grant::default();
    let roles = || Role::ALL.map(Role::code).join(", ");
    for code in &request.roles {
        match Role::of_code(code) {
            Some(role) if !grant.roles.contains(&role) => grant.roles.push(role),
            Some(_) => {}
            None => findings.add(|| {
                let expected = Text::of(format!("một trong: {}", roles()), format!("one of {}", roles()));
                let hint = Text::of("ghi mã của vai trò", "write the code of a role");
                finding(Code::UnknownRole, Spot::path("roles"), code, expected, hint)
            }),
        }
    }
    if request.roles.is_empty() {
        findings.add(|| {
            let expected =
                Text::of(format!("ít nhất một trong: {}", roles()), format!("at least one of {}", roles()));
            let hint = Text::of(
                "khóa không có vai trò thì không làm được gì",
                "a key without a role can do nothing",
            );
            finding(Code::MissingField, Spot::path("roles"), "nothing", expected, hint)
        });
    }
    for code in &request.units {
        if registry.unit_on(code, Date::MAX) == UnitLookup::Unknown {
            findings.add(|| {
                let expected = Text::of("mã của một đơn vị", "the code of a unit");
                let hint =
                    Text::of("GET /v1/units liệt kê các đơn vị", "GET /v1/units lists the units of a day");
                finding(Code::UnknownUnit, Spot::path("units"), code, expected, hint)
            });
        } else if !grant.units.contains(code) {
            grant.units.push(code.clone());
        }
    }
    let of_units = grant.roles.iter().any(|role| *role != Role::Administer);
    if request.units.is_empty() && of_units {
        findings.add(|| {
            let expected = Text::of(
                "đơn vị cho các vai trò report, approve, read_internal",
                "units for the roles report, approve and read_internal",
            );
            let hint = Text::of("VN là cả nước", "VN is the nation");
            finding(Code::MissingField, Spot::path("units"), "nothing", expected, hint)
        });
    }
    let known = registry.dimension(REPORTER);
    for code in &request.sides {
        if known.is_none_or(|known| known.member(code).is_none()) {
            findings.add(|| {
                let codes = known.into_iter().flat_map(|d| &d.members).map(|m| m.code.as_str());
                let codes = codes.collect::<Vec<_>>().join(", ");
                let expected = Text::of(format!("một trong: {codes}"), format!("one of {codes}"));
                let hint = Text::of("để trống là mọi bên", "none stands for all sides");
                finding(Code::UnknownMember, Spot::path("sides"), code, expected, hint)
            });
        } else if !grant.sides.contains(code) {
            grant.sides.push(code.clone());
        }
    }
    grant
}

/// Until when: a time, or a day in Việt Nam.
fn expiry(text: &str, now: Timestamp, findings: &mut Findings) -> Timestamp {
    let days = |days: i64| now.checked_add((days * 24).hours()).unwrap_or(now);
    if text.is_empty() {
        return days(USUAL_DAYS);
    }
    let hanoi = TimeZone::fixed(offset(7));
    let of_day = || text.parse::<Date>().ok().filter(|_| text.len() == 10);
    let day = || of_day().and_then(|day| day.to_zoned(hanoi).ok()).map(|zoned| zoned.timestamp());
    let at = text.parse::<Timestamp>().ok().or_else(day);
    match at.filter(|at| *at > now && *at <= days(MOST_DAYS)) {
        Some(at) => at,
        None => {
            findings.add(|| {
                let expected = Text::of(
                    format!("một ngày hay giờ sau đây, trong vòng {MOST_DAYS} ngày"),
                    format!("a day or a time to come, within {MOST_DAYS} days"),
                );
                let hint = Text::of("viết như 2027-01-31", "write it as 2027-01-31");
                finding(Code::MalformedDate, Spot::path("expires_at"), text, expected, hint)
            });
            now
        }
    }
}

fn no_such_key(key: &str) -> Failure {
    let key: String = key.chars().take(LONGEST_CODE).collect();
    Failure::new(
        FailureKind::NotFound,
        Text::of(format!("không có khóa {key:?}"), format!("there is no key {key:?}")),
    )
}

fn busy() -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        Text::of(
            "nhiều thay đổi đang diễn ra; hãy thử lại",
            "other changes come in between; try again with the same idempotency key",
        ),
    )
}

fn refused(findings: Vec<Finding>) -> Failure {
    let many = findings.len();
    let detail = Text::of(
        format!("có {many} chỗ sai; không có gì thay đổi"),
        format!("{many} things are wrong with this; nothing was changed"),
    );
    Failure::new(FailureKind::Unprocessable, detail).with_findings(findings)
}
