//! REST as it is spoken: the parameters that are read, the shapes of what is answered, and the OpenAPI 3.1 document
//! that is made of both.
//!
//! The services read their parameters into the types of [`parameters`], so what the document says of them is what is
//! taken. Answers are made elsewhere (`tonghop_proto::json`); their [`shapes`] say that nothing else is in them, and
//! `tests/tests/openapi.rs` holds real answers to that. It also holds every route to a path here and every path to a
//! route.
//!
//! | module | idea |
//! |---|---|
//! | [`parameters`] | what is asked, in a request's query |
//! | [`shapes`] | what is answered |
//! | `paths` | which path takes what, answers what, and may refuse how |
//! | [`document`] | all of it as one document |
//!
//! To add a route: its parameters and shapes, a function in `paths` that names them with an example that can be sent,
//! and that function in the list of [`document`].

pub mod document;
pub mod parameters;
mod paths;
pub mod shapes;
