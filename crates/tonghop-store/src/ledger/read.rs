//! Reading the ledger: its end, its entries in order, and single ones.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::{Document, Entry, EntryKind, Head, Ledger, Receipt, Recorded, Rewrite, kept};
use crate::connect::blocking;
use crate::entities::{SINGLETON, ledger, ledger_document, ledger_head};
use crate::row::{Place, kind_number};
use crate::{StoreError, frame};

/// The most entries that one [`Ledger::read_after`] returns, whatever it is asked for.
pub const MAX_READ_ENTRIES: u64 = 1000;

/// A header with its document's row, if that is there.
pub(super) type RowPair = (ledger::Model, Option<ledger_document::Model>);

impl Ledger {
    /// The last entry's position, digest and time; `None` while the ledger is empty.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn head(&self) -> Result<Option<Head>, StoreError> {
        self.connections.read(|reader| async move { read_head(&reader).await }).await
    }

    /// The entries after `position`, in order and without a gap: as many as there are, but at most
    /// `max_entries` (and [`MAX_READ_ENTRIES`]) with at most `max_bytes` of documents and records together;
    /// one at least if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn read_after(
        &self,
        position: i64,
        max_entries: u64,
        max_bytes: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows = self.page(position, max_entries, max_bytes).await?;
        let rewrite = self.rewrite;
        blocking(move || rows.into_iter().map(|row| entry_from(row, rewrite)).collect()).await
    }

    /// As [`read_after`](Self::read_after), without documents: what rolling up reads.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn records_after(
        &self,
        position: i64,
        max_entries: u64,
        max_bytes: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        let headers = self.headers_after(position, max_entries, max_bytes).await?;
        self.recorded(headers).await
    }

    /// Headers with their records.
    async fn recorded(&self, headers: Vec<ledger::Model>) -> Result<Vec<Recorded>, StoreError> {
        let Some(documents) = documents_of(&headers) else { return Ok(Vec::new()) };
        let records = documents
            .select_only()
            .columns([ledger_document::Column::Position, ledger_document::Column::Record])
            .into_tuple::<(i64, Vec<u8>)>()
            .all(self.connections.reader())
            .await?;
        let recorded = move || {
            let mut records: HashMap<i64, Vec<u8>> = records.into_iter().collect();
            let recorded = headers.into_iter().map(|header| {
                let trace_parent = header.trace_parent.clone();
                let receipt = Receipt::try_from(header)?;
                let place = Place { table: "ledger_document", key: receipt.position };
                let record = records.remove(&receipt.position);
                let record = record.ok_or_else(|| place.broken("position", "the row is missing"))?;
                Ok(Recorded { record: place.unpack("record", &record)?, receipt, trace_parent })
            });
            recorded.collect()
        };
        blocking(recorded).await
    }

    /// The entry at `position`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn entry(&self, position: i64) -> Result<Option<Entry>, StoreError> {
        let header = ledger::Entity::find_by_id(position).one(self.connections.reader()).await?;
        self.with_document(header).await
    }

    /// The receipt of the submission with this id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn receipt_by_id(&self, id: Uuid) -> Result<Option<Receipt>, StoreError> {
        let find = ledger::Entity::find().filter(ledger::Column::Id.eq(id));
        find.one(self.connections.reader()).await?.map(Receipt::try_from).transpose()
    }

    /// The receipt of the submission that `source` calls `key`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn receipt_by_key(&self, source: &str, key: &str) -> Result<Option<Receipt>, StoreError> {
        let find = ledger::Entity::find()
            .filter(ledger::Column::Source.eq(source))
            .filter(ledger::Column::IdempotencyKey.eq(key));
        let row = self.connections.read(|reader| {
            let find = find.clone();
            async move { Ok(find.one(&reader).await?) }
        });
        let row = row.await?;
        row.map(Receipt::try_from).transpose()
    }

    /// The receipt of the first entry after `position`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn receipt_after(&self, position: i64) -> Result<Option<Receipt>, StoreError> {
        let find = ledger::Entity::find()
            .filter(ledger::Column::Position.gt(position))
            .order_by_asc(ledger::Column::Position);
        find.one(self.connections.reader()).await?.map(Receipt::try_from).transpose()
    }

    /// The document of the submission with this id, as it was received.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn document(&self, id: Uuid) -> Result<Option<Document>, StoreError> {
        let find = ledger::Entity::find().filter(ledger::Column::Id.eq(id));
        let header = find.one(self.connections.reader()).await?;
        let entry = self.with_document(header).await?;
        Ok(entry.map(|entry| Document { media_type: entry.receipt.media_type, bytes: entry.document }))
    }

    /// The last load of the registry.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn latest_registry(&self) -> Result<Option<Entry>, StoreError> {
        let find = ledger::Entity::find()
            .filter(ledger::Column::Kind.eq(i16::from(kind_number(EntryKind::Registry))))
            .order_by_desc(ledger::Column::Position);
        let header = find.one(self.connections.reader()).await?;
        self.with_document(header).await
    }

    /// The last load of the registry up to `position`, that position included: where it is, and its record.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn registry_up_to(&self, position: i64) -> Result<Option<Recorded>, StoreError> {
        let find = ledger::Entity::find()
            .filter(ledger::Column::Position.lte(position))
            .filter(ledger::Column::Kind.eq(i16::from(kind_number(EntryKind::Registry))))
            .order_by_desc(ledger::Column::Position);
        let header = self.connections.read(|reader| {
            let find = find.clone();
            async move { Ok(find.one(&reader).await?) }
        });
        let headers = header.await?.into_iter().collect();
        Ok(self.recorded(headers).await?.pop())
    }

    /// The entries after `position` that [are rules](EntryKind::is_rule), in order, at most `max_entries` of them (and
    /// [`MAX_READ_ENTRIES`]), with their records.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn rules_after(&self, position: i64, max_entries: u64) -> Result<Vec<Recorded>, StoreError> {
        let kinds = [EntryKind::Registry, EntryKind::Access, EntryKind::Report];
        let find = ledger::Entity::find()
            .filter(ledger::Column::Position.gt(position))
            .filter(ledger::Column::Kind.is_in(kinds.map(|kind| i16::from(kind_number(kind)))))
            .order_by_asc(ledger::Column::Position)
            .limit(max_entries.clamp(1, MAX_READ_ENTRIES));
        let headers = self.connections.read(|reader| {
            let find = find.clone();
            async move { Ok(find.all(&reader).await?) }
        });
        self.recorded(headers.await?).await
    }

    /// The entries before `position`, the last first, at most `max_entries` of them (and [`MAX_READ_ENTRIES`]): of one kind
    /// and by one actor, where these are given. Records come with [`EntryKind::Access`] and [`EntryKind::Report`] alone;
    /// those of others, which may be large, are left out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Row`], [`StoreError::Busy`], [`StoreError::Unavailable`].
    pub async fn latest_before(
        &self,
        position: i64,
        kind: Option<EntryKind>,
        actor: Option<&str>,
        max_entries: u64,
    ) -> Result<Vec<Recorded>, StoreError> {
        let mut find = ledger::Entity::find()
            .filter(ledger::Column::Position.lt(position))
            .order_by_desc(ledger::Column::Position)
            .limit(max_entries.clamp(1, MAX_READ_ENTRIES));
        if let Some(kind) = kind {
            find = find.filter(ledger::Column::Kind.eq(i16::from(kind_number(kind))));
        }
        if let Some(actor) = actor {
            find = find.filter(ledger::Column::Actor.eq(actor));
        }
        let headers = self.connections.read(|reader| {
            let find = find.clone();
            async move { Ok(find.all(&reader).await?) }
        });
        let headers = headers.await?;
        let small = [EntryKind::Access, EntryKind::Report].map(|kind| i16::from(kind_number(kind)));
        let (with, without): (Vec<_>, Vec<_>) = headers.into_iter().partition(|h| small.contains(&h.kind));
        let bare = without.into_iter().map(|header| {
            let trace_parent = header.trace_parent.clone();
            Ok(Recorded { receipt: Receipt::try_from(header)?, record: vec![], trace_parent })
        });
        let mut all: Vec<Recorded> = bare.collect::<Result<_, StoreError>>()?;
        all.extend(self.recorded(with).await?);
        all.sort_by_key(|recorded| std::cmp::Reverse(recorded.receipt.position));
        Ok(all)
    }

    async fn with_document(&self, header: Option<ledger::Model>) -> Result<Option<Entry>, StoreError> {
        let Some(header) = header else { return Ok(None) };
        let key = (header.source.clone(), header.position);
        let document = ledger_document::Entity::find_by_id(key).one(self.connections.reader()).await?;
        let rewrite = self.rewrite;
        blocking(move || entry_from((header, document), rewrite)).await.map(Some)
    }

    /// The rows of [`read_after`](Self::read_after). Two statements need no transaction, because the rows
    /// between two positions never change.
    pub(super) async fn page(
        &self,
        position: i64,
        max_entries: u64,
        max_bytes: usize,
    ) -> Result<Vec<RowPair>, StoreError> {
        let headers = self.headers_after(position, max_entries, max_bytes).await?;
        let Some(documents) = documents_of(&headers) else { return Ok(Vec::new()) };
        let documents = documents.all(self.connections.reader()).await?;
        let mut documents: HashMap<(String, i64), ledger_document::Model> =
            documents.into_iter().map(|row| ((row.source.clone(), row.position), row)).collect();
        let pair = |header: ledger::Model| {
            let document = documents.remove(&(header.source.clone(), header.position));
            (header, document)
        };
        Ok(headers.into_iter().map(pair).collect())
    }

    async fn headers_after(
        &self,
        position: i64,
        max_entries: u64,
        max_bytes: usize,
    ) -> Result<Vec<ledger::Model>, StoreError> {
        let find = ledger::Entity::find()
            .filter(ledger::Column::Position.gt(position))
            .order_by_asc(ledger::Column::Position)
            .limit(max_entries.clamp(1, MAX_READ_ENTRIES));
        let headers = self.connections.read(|reader| {
            let find = find.clone();
            async move { Ok(find.all(&reader).await?) }
        });
        let mut headers = headers.await?;
        let mut bytes = 0_usize;
        let fitting = headers.iter().take_while(|header| {
            bytes = bytes.saturating_add(usize::try_from(header.size).unwrap_or(0));
            bytes <= max_bytes
        });
        let fitting = fitting.count().max(1);
        headers.truncate(fitting);
        Ok(headers)
    }
}

/// The documents of headers.
fn documents_of(headers: &[ledger::Model]) -> Option<Select<ledger_document::Entity>> {
    let positions = || headers.iter().map(|header| header.position);
    let (first, last) = (positions().min()?, positions().max()?);
    let together = last - first < i64::try_from(headers.len()).unwrap_or(i64::MAX);
    let sources: BTreeSet<&str> = headers.iter().map(|header| header.source.as_str()).collect();
    let documents = ledger_document::Entity::find()
        .filter(ledger_document::Column::Source.is_in(sources))
        // Of entries far apart not everything in between, which their sources may have sent.
        .filter(match together {
            true => ledger_document::Column::Position.between(first, last),
            false => ledger_document::Column::Position.is_in(positions()),
        });
    Some(documents)
}

pub(super) async fn read_head(db: &impl ConnectionTrait) -> Result<Option<Head>, StoreError> {
    let place = Place { table: "ledger_head", key: SINGLETON.into() };
    let row = ledger_head::Entity::find_by_id(SINGLETON).one(db).await?;
    let row = row.ok_or_else(|| place.broken("singleton", "the row is missing"))?;
    if row.position == 0 {
        return Ok(None);
    }
    Ok(Some(Head {
        position: row.position,
        digest: place.digest("digest", &row.digest)?,
        received_at: place.time("received_at", row.received_at)?,
        registry_position: row.registry_position,
        rules_position: row.rules_position,
    }))
}

fn entry_from((header, document): RowPair, rewrite: Option<Rewrite>) -> Result<Entry, StoreError> {
    let trace_parent = header.trace_parent.clone();
    let receipt = Receipt::try_from(header)?;
    let place = Place { table: "ledger_document", key: receipt.position };
    let row = document.ok_or_else(|| place.broken("position", "the row is missing"))?;
    let record = place.unpack("record", &row.record)?;
    let document = kept::unpack(&place, &row.document, &record, rewrite)?;
    // What is written again is told from what was received before anyone sees it.
    if frame::is_skeleton(&row.document)
        && !kept::is_received(&receipt.media_type, &document, &receipt.content_digest)
    {
        return Err(place.broken("document", "it is not what was received"));
    }
    Ok(Entry { document, record, receipt, trace_parent })
}
