//! The worked examples of the semantics page (§3), word for word: what the page says of each rectangle, asserted of
//! the oracle and of the core.

mod common;

use common::Example;
use tonghop_core::figure::Scope;
use tonghop_core::indicator::Precedence;
use tonghop_core::question::Basis;

#[test]
fn units() {
    let month = "2024-M03";
    let mut example = Example::new(Precedence::BottomUp);
    example.report("a1", Scope::Own, month, 10);
    example.report("a2", Scope::Own, month, 0);
    example.report("b1", Scope::Own, month, 7);
    example.report("B", Scope::Territory, month, 30);
    example.report("T", Scope::Own, month, 2);
    example.report("T", Scope::Territory, month, 45);

    example.says("A", month, (10, Basis::Computed, None, (2, 2, 2)));
    example.says("B", month, (30, Basis::Declared, Some(23), (1, 3, 3)));
    assert_eq!(example.total("B", month).parts.map(|p| p.value), Some(7));
    example.says("T", month, (42, Basis::Computed, Some(3), (3, 5, 5)));

    example.report("b2", Scope::Own, month, 4);
    example.report("b3", Scope::Own, month, 5);
    example.says("B", month, (16, Basis::Computed, Some(14), (3, 3, 3)));
    example.says("T", month, (28, Basis::Computed, Some(17), (5, 5, 5)));
    // Zero is a value, and a commune's own figure is its total.
    example.says("a2", month, (0, Basis::Reported, None, (1, 1, 1)));
}

#[test]
fn time() {
    let mut example = Example::new(Precedence::BottomUp);
    example.report("c1", Scope::Own, "2024-M01", 5);
    example.report("c1", Scope::Own, "2024-M03", 6);
    example.says("C", "2024-Q1", (11, Basis::Partial, None, (2, 2, 3)));

    example.report("C", Scope::Territory, "2024-Q1", 20);
    example.says("C", "2024-Q1", (20, Basis::Declared, Some(9), (2, 3, 3)));

    example.report("c1", Scope::Own, "2024-M02", 7);
    example.says("C", "2024-Q1", (18, Basis::Computed, Some(2), (3, 3, 3)));
}
