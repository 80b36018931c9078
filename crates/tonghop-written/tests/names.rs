//! Names that are one, and names that are not.

use tonghop_written::name::{UnitName, fold};

#[test]
fn one_name_in_many_ways_folds_to_one_text() {
    for (a, b) in [
        ("Thủy Nguyên", "Thuỷ Nguyên"),
        ("Hòa Bình", "Hoà Bình"),
        ("Khánh Hòa", "KHÁNH HOÀ"),
        ("Bắc Kạn", "Ba\u{306}\u{301}c Ka\u{323}n"),
        ("Bà Rịa - Vũng Tàu", "Bà Rịa – Vũng Tàu"),
        ("Bà Rịa - Vũng Tàu", "Bà Rịa-Vũng Tàu"),
        ("Thừa Thiên Huế", "Thừa Thiên - Huế"),
        ("Đắk Lắk", "Ðắk  Lắk "),
        ("đạt “An toàn”", "đạt \"An toàn\""),
        ("Ea H’Leo", "Ea H'leo"),
        ("Hà\u{a0}Nội", "Hà Nội"),
    ] {
        assert_eq!(fold(a), fold(b), "{a} and {b}");
    }
}

#[test]
fn marks_are_not_dropped() {
    for (a, b) in [
        ("Hà", "Hạ"),
        ("Hà", "Ha"),
        ("Dak", "Đak"),
        ("Tân", "Tan"),
        ("Mỹ", "Mĩ"),
        ("Lương Sơn", "Lương Son"),
        ("Sa Pa", "Sapa"),
    ] {
        assert_ne!(fold(a), fold(b), "{a} and {b}");
    }
}

#[test]
fn the_kind_of_a_unit_may_be_left_out_and_may_not_be_another() {
    let fits = |a: &str, b: &str| UnitName::of(a).fits(&UnitName::of(b));
    for (written, name) in [
        ("Hà Nội", "Thành phố Hà Nội"),
        ("TP. Hà Nội", "Thành phố Hà Nội"),
        ("TP.Hà Nội", "Thành phố Hà Nội"),
        ("tp Hà Nội", "Thành phố Hà Nội"),
        ("tỉnh bắc kạn", "Tỉnh Bắc Kạn"),
        ("P. Đức Xuân", "Phường Đức Xuân"),
        ("Thị xã Sơn Tây", "TX. Sơn Tây"),
        ("Quận 1", "Q. 1"),
    ] {
        assert!(fits(written, name) && fits(name, written), "{written} and {name}");
    }
    for (written, name) in [
        ("Xã Tân Phú", "Phường Tân Phú"),
        ("1", "Quận 1"),
        ("Quận 1", "Phường 1"),
        ("Hà Nôi", "Thành phố Hà Nội"),
        ("Thành phố", "Thành phố Hà Nội"),
        ("Tỉnh", "Tỉnh Bắc Kạn"),
    ] {
        assert!(!fits(written, name) && !fits(name, written), "{written} and {name}");
    }
}
