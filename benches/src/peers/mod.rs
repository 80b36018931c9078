//! What a team would otherwise build, in the best shape we know for each.

pub(crate) mod echo;
pub(crate) mod point;
pub(crate) mod postgres;
pub(crate) mod python;
pub(crate) mod sqlite;
