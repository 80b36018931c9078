//! What is asked for beside each total: the same of earlier periods, the share of the nation, the place among peers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tonghop_core::Date;
use tonghop_core::comparison::{self, Answered, Incomparable, PERCENT_DECIMALS};
use tonghop_core::decimal::format_decimal;
use tonghop_core::period::Period;
use tonghop_core::question::{Plan, Refusal, plan_for_any};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind, Text};

use crate::ask;
use crate::pivot::Group;
use crate::read::{self, Answer, Item};
use crate::sight::Sight;
use crate::territory::Territory;

/// Which earlier period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Against {
    Previous,
    LastYear,
}

impl Against {
    fn code(self) -> &'static str {
        match self {
            Against::Previous => "previous",
            Against::LastYear => "last_year",
        }
    }

    fn period(self, of: Period) -> Option<Period> {
        match self {
            Against::Previous => of.previous(),
            Against::LastYear => of.last_year(),
        }
    }
}

/// What is asked for beside each total.
#[derive(Clone, Debug)]
pub(crate) struct Beside {
    against: Vec<Against>,
    share: bool,
    rank: bool,
}

impl Beside {
    /// Reads what a request says of it.
    ///
    /// # Errors
    /// Where a word is not known.
    pub(crate) fn read(request: &pb::GetTotalsRequest) -> Result<Beside, Failure> {
        let mut against = vec![];
        for word in ask::list("compare", &request.compare, 2)? {
            let one = match word {
                "previous" => Against::Previous,
                "last_year" => Against::LastYear,
                other => {
                    return Err(unknown(
                        "compare",
                        other,
                        Text::of(
                            "previous, last_year, hoặc cả hai cách nhau bằng dấu phẩy",
                            "previous, last_year, or both with a comma between",
                        ),
                    ));
                }
            };
            if !against.contains(&one) {
                against.push(one);
            }
        }
        let share = match request.share.as_str() {
            "" => false,
            "nation" => true,
            other => return Err(unknown("share", other, Text::same("nation"))),
        };
        Ok(Beside { against, share, rank: request.rank })
    }

    /// Asks for what one total needs beside it.
    pub(crate) fn want(
        &self,
        wanted: &mut Wanted<'_>,
        group: &Group,
        plan: &Arc<Plan>,
        unit: UnitId,
    ) -> Needed {
        let against = self.against.iter().map(|against| (*against, wanted.earlier(*against, group, unit)));
        let against = against.collect();
        let nation = wanted.registry.nation();
        let share = self.share.then(|| wanted.may_see(nation, plan).then(|| wanted.answer(nation, plan)));
        let peers = if self.rank { wanted.peers(plan, unit) } else { None };
        Needed { against, share, peers }
    }

    /// To put beside totals what was asked for.
    pub(crate) fn places(&self) -> Places {
        Places { rank: self.rank, known: HashMap::new() }
    }
}

fn unknown(name: &str, got: &str, expected: Text) -> Failure {
    let code = format!("unknown_{name}");
    let hint = Text::of("bỏ trống nếu không cần", "leave it out for none");
    ask::finding(FailureKind::NotUnderstood, &code, name, got, expected, hint)
}

/// The earlier total that one is compared with: its period, and where its answer is.
type Compared = (Option<Period>, Result<usize, Incomparable>);

/// What a plan for an earlier period is of: indicator, breakdown, period and map.
type Earlier = (String, String, Period, Option<Date>);

/// Where the answers are that one total needs beside it.
pub(crate) struct Needed {
    against: Vec<(Against, Compared)>,
    /// Of the nation; nothing in it, where whoever asks may not see that.
    share: Option<Option<usize>>,
    peers: Option<Peers>,
}

/// The peers of a unit: who they are is said by the unit above, and where their answers are.
#[derive(Clone)]
struct Peers {
    above: UnitId,
    answers: Arc<Vec<usize>>,
}

/// Questions that are answered together, each once.
pub(crate) struct Wanted<'a> {
    sight: &'a Sight,
    registry: &'a Registry,
    items: Vec<Item>,
    known: HashMap<(usize, UnitId), usize>,
    plans: HashMap<Earlier, Result<Arc<Plan>, Refusal>>,
    peers: HashMap<(usize, UnitId), Arc<Vec<usize>>>,
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(sight: &'a Sight) -> Wanted<'a> {
        let (items, known) = (vec![], HashMap::new());
        Wanted {
            sight,
            registry: sight.registry(),
            items,
            known,
            plans: HashMap::new(),
            peers: HashMap::new(),
        }
    }

    /// All questions, in the order of their answers.
    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    /// Where the answer to a question will be.
    pub(crate) fn answer(&mut self, unit: UnitId, plan: &Arc<Plan>) -> usize {
        *self.known.entry((read::name(plan), unit)).or_insert_with(|| {
            self.items.push(Item { unit, plan: Arc::clone(plan) });
            self.items.len() - 1
        })
    }

    /// Whether the total of a unit is for whoever asks.
    fn may_see(&self, unit: UnitId, plan: &Plan) -> bool {
        self.sight.has_total(&plan.indicator, unit, plan.period, plan.map.map(|map| map.day))
    }

    fn earlier(&mut self, against: Against, group: &Group, unit: UnitId) -> Compared {
        let Some(period) = against.period(group.period) else { return (None, Err(Incomparable::NoPeriod)) };
        let (registry, calendar) = (self.registry, &group.indicator.calendar);
        // As reported, the same territory may have been that of another unit; restated, both are of one map.
        let unit = match group.map {
            Some(_) => Some(unit),
            None => {
                let epoch = |period| registry.epoch(calendar.last_day(period));
                let (then, told_on) = (epoch(period), epoch(group.period));
                let territory = Territory { registry, unit, told_on };
                match <[UnitId; 1]>::try_from(territory.on(then)) {
                    Ok([one]) if !territory.changed(then, told_on) => Some(one),
                    _ => None,
                }
            }
        };
        let Some(unit) = unit else { return (Some(period), Err(Incomparable::Territory)) };
        let key = (group.indicator.code.clone(), group.breakdown.to_string(), period, group.map);
        let plan = self.plans.entry(key).or_insert_with(|| {
            plan_for_any(registry, &group.indicator.code, &group.breakdown, period, group.map).map(Arc::new)
        });
        let Ok(plan) = plan.clone() else { return (Some(period), Err(Incomparable::Refused)) };
        if !self.may_see(unit, &plan) {
            return (Some(period), Err(Incomparable::NotPermitted));
        }
        (Some(period), Ok(self.answer(unit, &plan)))
    }

    fn peers(&mut self, plan: &Arc<Plan>, unit: UnitId) -> Option<Peers> {
        let registry = self.registry;
        let map = registry.maps().get(plan.told_on(registry))?;
        // A place among others tells of these.
        let above = map.parent(unit).filter(|above| self.may_see(*above, plan))?;
        let level = registry.unit(unit).level;
        let key = (read::name(plan), above);
        let known = self.peers.get(&key).cloned();
        let answers = known.unwrap_or_else(|| {
            let peers = map.children(above).iter().filter(|peer| registry.unit(**peer).level == level);
            let answers: Vec<usize> = peers.map(|peer| self.answer(*peer, plan)).collect();
            let answers = Arc::new(answers);
            self.peers.insert(key, Arc::clone(&answers));
            answers
        });
        Some(Peers { above, answers })
    }
}

/// Puts beside totals what was asked for. Places are worked out once for all peers.
pub(crate) struct Places {
    rank: bool,
    known: HashMap<(usize, UnitId), Arc<BTreeMap<i128, u32>>>,
}

impl Places {
    /// A total with what was asked for beside it.
    pub(crate) fn beside(
        &mut self,
        mut shown: pb::Total,
        plan: &Arc<Plan>,
        at: usize,
        needed: Needed,
        answers: &[Answer],
    ) -> pb::Total {
        let refused = || Err(Refusal::UnknownIndicator(plan.indicator.code.clone()));
        let answered = |at: usize| answers.get(at).map_or_else(refused, |answer| answer.total.clone());
        let this = answered(at);
        let decimals = plan.indicator.decimals;
        for (against, (period, earlier)) in needed.against {
            let earlier = earlier.map(answered);
            shown.compared.push(compared(against, period, earlier, &this, decimals));
        }
        if let Some(nation) = needed.share {
            let nation = nation.map(answered);
            let of = nation.as_ref().and_then(|nation| nation.as_ref().ok()?.value);
            let share = match &nation {
                Some(nation) => comparison::share(&plan.indicator, &this, nation),
                None => Err(Incomparable::NotPermitted),
            };
            shown.share = Some(pb::Share {
                percent: share.ok().map(|percent| format_decimal(percent, PERCENT_DECIMALS)),
                of: of.map(|sum| format_decimal(sum.value, decimals)),
                not_comparable: share.err().map(|why| why.code().to_owned()).unwrap_or_default(),
            });
        }
        if self.rank {
            shown.rank = Some(match needed.peers {
                None => pb::Rank::default(),
                Some(Peers { above, answers: peers }) => {
                    let value = |at: &usize| Some(answers.get(*at)?.total.as_ref().ok()?.value?.value);
                    let values = || peers.iter().filter_map(value);
                    let places = self.known.entry((read::name(plan), above));
                    let places = places.or_insert_with(|| Arc::new(comparison::places(values())));
                    pb::Rank {
                        place: value(&at).and_then(|value| places.get(&value).copied()),
                        of: values().count() as u32,
                        peers: peers.len() as u32,
                    }
                }
            });
        }
        shown
    }
}

fn compared(
    against: Against,
    period: Option<Period>,
    earlier: Result<Answered, Incomparable>,
    later: &Answered,
    decimals: u8,
) -> pb::Comparison {
    let value = earlier.as_ref().ok().and_then(|answer| answer.as_ref().ok()?.value);
    let change = earlier.and_then(|earlier| comparison::change(&earlier, later));
    pb::Comparison {
        with: against.code().to_owned(),
        period: period.map(|period| period.to_string()).unwrap_or_default(),
        value: value.map(|sum| format_decimal(sum.value, decimals)),
        qualifier: value.map(|sum| sum.qualifier.code().to_owned()).unwrap_or_default(),
        difference: change.ok().map(|change| format_decimal(change.difference, decimals)),
        change_percent: change
            .ok()
            .and_then(|change| change.percent)
            .map(|p| format_decimal(p, PERCENT_DECIMALS)),
        not_comparable: change.err().map(|why| why.code().to_owned()).unwrap_or_default(),
    }
}
