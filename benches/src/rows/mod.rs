//! The rows of the list of goals, one module each.

pub(crate) mod alone;
pub(crate) mod growth;
pub(crate) mod month;
pub(crate) mod neighbours;
pub(crate) mod push;
pub(crate) mod reading;
pub(crate) mod rebuild;
pub(crate) mod steady;
