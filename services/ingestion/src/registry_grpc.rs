//! The registry on the wire.

use jiff::civil::Date;
use tonghop_access::of_request;
use tonghop_core::indicator::Kind;
use tonghop_proto::registry as pb;
use tonghop_proto::registry::registry_service_server::RegistryService;
use tonghop_proto::registry_draft::{AGGREGABLES, FREQUENCIES, OVERLAPS, PRECEDENCES, SENSITIVITIES};
use tonghop_runtime::{Failure, FailureKind, Text};
use tonic::{Request, Response, Status};

use crate::grpc::IngestionGrpc;
use crate::service::Ingestion;

/// Rows on one page at most, and where nothing is asked.
const LARGEST_PAGE: usize = 1000;

/// One page of a list, and the token of the next.
pub(crate) fn page<T>(all: Vec<T>, token: &str, size: u32) -> Result<(Vec<T>, String), Failure> {
    let malformed = |_| {
        let detail = Text::of(
            format!("{token:?} không phải là mã trang"),
            format!("{token:?} is not the token of a page"),
        );
        Failure::new(FailureKind::NotUnderstood, detail)
    };
    let start: usize = if token.is_empty() { 0 } else { token.parse().map_err(malformed)? };
    let size = if size == 0 { LARGEST_PAGE } else { LARGEST_PAGE.min(size as usize) };
    let total = all.len();
    let rows: Vec<T> = all.into_iter().skip(start).take(size).collect();
    let end = start.saturating_add(rows.len());
    Ok((rows, if end < total { end.to_string() } else { String::new() }))
}

fn date(day: Date) -> String {
    if day == Date::MIN || day == Date::MAX { String::new() } else { day.to_string() }
}

fn code_of<T: PartialEq>(all: &[(&str, T)], value: &T) -> String {
    all.iter().find(|(_, v)| v == value).map(|(code, _)| (*code).to_owned()).unwrap_or_default()
}

impl Ingestion {
    /// Indicators, by code.
    ///
    /// # Errors
    /// What is wrong with the request.
    pub async fn list_indicators(
        &self,
        request: &pb::ListIndicatorsRequest,
    ) -> Result<pb::ListIndicatorsResponse, Failure> {
        let registry = self.registry().await?;
        let all = registry.indicators().iter().map(|i| {
            let (kind, numerator, denominator, part) = match &i.kind {
                Kind::Flow => ("flow", vec![], vec![], false),
                Kind::Stock => ("stock", vec![], vec![], false),
                Kind::Ratio(r) => ("ratio", r.numerator.clone(), r.denominator.clone(), r.numerator_is_part),
            };
            pb::Indicator {
                code: i.code.clone(),
                name_vi: i.name_vi.clone(),
                name_en: i.name_en.clone(),
                unit_vi: i.unit_vi.clone(),
                unit_en: i.unit_en.clone(),
                decimals: u32::from(i.decimals),
                kind: kind.to_owned(),
                numerator,
                denominator,
                numerator_is_part: part,
                collection_level: registry.level_code(i.collection_level).to_owned(),
                frequency: code_of(&FREQUENCIES, &i.frequency),
                calendar: i.calendar.code.clone(),
                reporter_overlap: code_of(&OVERLAPS, &i.overlap),
                reporters: i.reporters.clone(),
                dimensions: i.dimensions.clone(),
                precedence: code_of(&PRECEDENCES, &i.precedence),
                programmes: i.programmes.clone(),
                valid_from: date(i.valid_from),
                valid_to: date(i.valid_to),
                core: i.core,
                aggregable: code_of(&AGGREGABLES, &i.aggregable),
                from_map: i.from_map,
                sensitivity: code_of(&SENSITIVITIES, &i.sensitivity),
            }
        });
        let (indicators, next_page_token) = page(all.collect(), &request.page_token, request.page_size)?;
        Ok(pb::ListIndicatorsResponse { indicators, next_page_token })
    }

    /// Dimensions with their members.
    ///
    /// # Errors
    /// Where no registry is loaded.
    pub async fn list_dimensions(&self) -> Result<pb::ListDimensionsResponse, Failure> {
        let registry = self.registry().await?;
        let dimensions = registry.dimensions().iter().map(|d| pb::Dimension {
            code: d.code.clone(),
            name_vi: d.name_vi.clone(),
            name_en: d.name_en.clone(),
            kind: match d.kind {
                tonghop_core::dimension::DimensionKind::Partition => "partition",
                tonghop_core::dimension::DimensionKind::Overlapping => "overlapping",
            }
            .to_owned(),
            members: d
                .members
                .iter()
                .map(|m| pb::Member {
                    code: m.code.clone(),
                    name_vi: m.name_vi.clone(),
                    name_en: m.name_en.clone(),
                })
                .collect(),
        });
        Ok(pb::ListDimensionsResponse { dimensions: dimensions.collect() })
    }

    /// Programmes.
    ///
    /// # Errors
    /// Where no registry is loaded.
    pub async fn list_programmes(&self) -> Result<pb::ListProgrammesResponse, Failure> {
        let registry = self.registry().await?;
        let programmes = registry.programmes().iter().map(|p| pb::Programme {
            code: p.code.clone(),
            title_vi: p.title_vi.clone(),
            title_en: p.title_en.clone(),
        });
        Ok(pb::ListProgrammesResponse { programmes: programmes.collect() })
    }
}

impl Ingestion {
    /// Reporting regimes.
    ///
    /// # Errors
    /// Where no registry is loaded.
    pub async fn list_regimes(&self) -> Result<pb::ListRegimesResponse, Failure> {
        let registry = self.registry().await?;
        let level = |level: &tonghop_core::unit::Level| registry.level_code(*level).to_owned();
        let regimes = registry.regimes().iter().map(|r| pb::Regime {
            code: r.code.clone(),
            name_vi: r.name_vi.clone(),
            name_en: r.name_en.clone(),
            programme: String::new(),
            indicators: r.indicators.clone(),
            level: level(&r.level),
            frequency: code_of(&FREQUENCIES, &r.frequency),
            calendar: r.calendar.code.clone(),
            valid_from: date(r.valid_from),
            valid_to: date(r.valid_to),
            approvals: r.approvals.iter().map(level).collect(),
            deadlines: { r.deadlines.iter() }
                .map(|(of, days)| pb::Deadline { level: level(of), days: u32::from(*days) })
                .collect(),
            source: r.source.clone(),
        });
        Ok(pb::ListRegimesResponse { regimes: regimes.collect() })
    }
}

#[tonic::async_trait]
impl RegistryService for IngestionGrpc {
    async fn load_registry(
        &self,
        request: Request<pb::LoadRegistryRequest>,
    ) -> Result<Response<pb::LoadRegistryResponse>, Status> {
        let caller = of_request(request.extensions())?;
        let loaded = self.0.load_registry(&caller, request.into_inner()).await?;
        let receipt = loaded.receipt.as_ref();
        Ok(Response::new(pb::LoadRegistryResponse {
            position: receipt.map_or(0, |r| r.position),
            id: receipt.map(|r| r.id.to_string()).unwrap_or_default(),
            changes: loaded.changes.iter().map(Text::to_string).collect(),
            map: loaded.map,
            replayed: loaded.replayed,
        }))
    }

    async fn list_units(
        &self,
        request: Request<pb::ListUnitsRequest>,
    ) -> Result<Response<pb::ListUnitsResponse>, Status> {
        Ok(Response::new(self.0.list_units(request.get_ref()).await?))
    }

    async fn list_indicators(
        &self,
        request: Request<pb::ListIndicatorsRequest>,
    ) -> Result<Response<pb::ListIndicatorsResponse>, Status> {
        Ok(Response::new(self.0.list_indicators(request.get_ref()).await?))
    }

    async fn list_dimensions(
        &self,
        _: Request<pb::ListDimensionsRequest>,
    ) -> Result<Response<pb::ListDimensionsResponse>, Status> {
        Ok(Response::new(self.0.list_dimensions().await?))
    }

    async fn list_programmes(
        &self,
        _: Request<pb::ListProgrammesRequest>,
    ) -> Result<Response<pb::ListProgrammesResponse>, Status> {
        Ok(Response::new(self.0.list_programmes().await?))
    }

    async fn list_regimes(
        &self,
        _: Request<pb::ListRegimesRequest>,
    ) -> Result<Response<pb::ListRegimesResponse>, Status> {
        Ok(Response::new(self.0.list_regimes().await?))
    }

    async fn diff_maps(
        &self,
        request: Request<pb::DiffMapsRequest>,
    ) -> Result<Response<pb::DiffMapsResponse>, Status> {
        Ok(Response::new(self.0.diff_maps(request.get_ref()).await?))
    }

    async fn get_unit_history(
        &self,
        request: Request<pb::GetUnitHistoryRequest>,
    ) -> Result<Response<pb::GetUnitHistoryResponse>, Status> {
        Ok(Response::new(self.0.unit_history(request.get_ref()).await?))
    }
}
