//! What a figure and a total mean.
//!
//! This crate is the meaning of tonghop and nothing else: units and their maps, periods and calendars,
//! indicators and their breakdowns, figures, and the roll-up from figures to totals. It is pure: no input or
//! output, no clock, no floating point, no wire format. The same functions serve the incremental path, a
//! rebuild from scratch and every question, so a total cannot come out two ways.
//!
//! | module | idea |
//! |---|---|
//! | [`period`], [`calendar`] | labelled reporting periods, how they tile, and which days they are |
//! | [`unit`] | administrative units, and the map of a day |
//! | [`lineage`] | what became of units when the map changed |
//! | [`indicator`], [`dimension`] | what is counted, and how it is split |
//! | [`regime`] | who reports what and when, and what becomes of a report |
//! | [`registry`] | all of these together, checked |
//! | [`decimal`], [`quantity`] | exact values, qualifiers, and how they add |
//! | [`figure`] | one reported value and its revisions; how submitted figures are checked |
//! | [`rollup`] | figures to totals, over units and over time |
//! | [`question`] | a question about totals, planned, and its answer |
//! | [`plausibility`] | what figures of several indicators have to do with one another |
//! | [`words`] | what people are told of these, in both languages |

pub mod calendar;
pub mod comparison;
pub mod decimal;
pub mod dimension;
pub mod figure;
pub mod indicator;
pub mod lineage;
pub mod period;
pub mod plausibility;
pub mod quantity;
pub mod question;
pub mod regime;
pub mod registry;
pub mod rollup;
pub mod unit;
pub mod words;

pub use jiff::civil::Date;
