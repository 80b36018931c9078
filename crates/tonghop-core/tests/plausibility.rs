//! Any text is an expression or says what is wrong with it.

use proptest::prelude::*;
use tonghop_core::plausibility::Expression;

/// Words of which expressions are made, and some of which they are not.
fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("<=".to_owned()),
        Just("/".to_owned()),
        Just("=".to_owned()),
        Just("+".to_owned()),
        Just("-".to_owned()),
        Just("between".to_owned()),
        Just("and".to_owned()),
        Just("previous".to_owned()),
        "[a-z]{1,3}[0-9-]{0,3}",
        "[0-9]{1,20}(\\.[0-9]{0,8})?",
        ".{0,4}",
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_not(text in prop_oneof![words(), ".{0,200}"], values in prop::collection::vec(any::<i128>(), 0..5)) {
        match Expression::parse(&text) {
            Ok(expression) => {
                prop_assert!(expression.terms.len() >= 2);
                // Whatever the values are, there is an answer.
                let _ = expression.holds(&values);
            }
            Err(wrong) => prop_assert!(!wrong.vi.is_empty() && !wrong.en.is_empty()),
        }
    }
}
