//! Random worlds: a small registry, figures that are valid for it, and questions. They shrink, since all is made of
//! indices into small pools, and print as a small table.

mod figures;
mod indicators;
mod periods;
mod table;
mod units;

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use tonghop_core::figure::{Book, Figure, Figures};
use tonghop_core::question::Question;
use tonghop_core::registry::{Draft, LevelName, Registry};

pub use table::compared;

/// A world and what is asked about it.
#[derive(Clone)]
pub struct Case {
    /// Units, indicators and the rest.
    pub registry: Arc<Registry>,
    /// Figures in the order of the ledger.
    pub figures: Vec<Figure>,
    /// What is asked.
    pub questions: Vec<Question>,
}

impl Case {
    /// The figures as the core takes them.
    pub fn book(&self) -> Figures {
        book(&self.registry, &self.figures)
    }
}

/// Figures taken in order.
pub fn book(registry: &Registry, figures: &[Figure]) -> Figures {
    let mut book = Book::default();
    figures.iter().for_each(|figure| book.take(registry, figure));
    book.figures()
}

/// Random worlds with up to 30 seeds of figures and 8 questions.
pub fn cases() -> impl Strategy<Value = Case> {
    let years = prop_oneof![1 => Just(1i16), 3 => Just(2i16), 3 => Just(3i16), 2 => 4..=5i16];
    (units::seed(), indicators::seed(), years, vec(figures::figure(), 0..30), vec(figures::question(), 1..8))
        .prop_map(|(units, indicators, years, figures, questions)| {
            let registry = Arc::new(registry(&units, &indicators));
            let figures = figures::figures(&registry, years, &figures);
            let questions =
                questions.iter().filter_map(|q| figures::asked(&registry, years, &figures, q)).collect();
            let figures = figures.into_iter().filter(|(kept, _)| *kept).map(|(_, figure)| figure).collect();
            Case { registry, figures, questions }
        })
}

fn registry(units: &units::UnitSeed, indicators: &indicators::IndicatorSeed) -> Registry {
    let (units, successions) = units::rows(units);
    let level = |code: &&str| LevelName { code: code.to_string(), name_vi: code.to_string() };
    let draft = Draft {
        levels: units::LEVELS.iter().map(level).collect(),
        units,
        successions,
        calendars: indicators::calendars(),
        dimensions: indicators::dimensions(),
        indicators: indicators::rows(indicators),
        programmes: vec![],
        plausibility: vec![],
        regimes: vec![],
    };
    Registry::build(draft, None).expect("a random world is consistent")
}

/// An element of a pool by an index of 0 to 999; smaller indices are earlier elements.
fn pick<T>(pool: &[T], index: usize) -> Option<&T> {
    pool.get(index * pool.len() / 1000)
}
