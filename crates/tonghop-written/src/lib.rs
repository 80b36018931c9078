//! Numbers and names as people write them.
//!
//! `1.332` is one thousand three hundred and thirty-two in a Vietnamese report and a little over one in an English
//! one, so text is read in the [`Locale`] it declares. What would read differently in another, and declares none, is
//! refused with both readings. Names are compared by what they say ([`name`]), never by how they are encoded.
//!
//! Nothing here is guessed, rounded or put into a float.

mod decimal;
mod locale;
pub mod name;
mod number;
mod numeral;
mod words;

pub use decimal::Decimal;
pub use locale::Locale;
pub use number::{Number, Why, Written, read_number};
