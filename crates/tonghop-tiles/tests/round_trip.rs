//! Bodies read back as they were written, and damaged ones are refused.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tonghop_core::figure::Scope;
use tonghop_core::quantity::{Qualifier, Sum};
use tonghop_core::rollup::{Along, Cell, Parts, State, Taken};
use tonghop_core::unit::UnitId;
use tonghop_tiles::{BodyError, Put, Revision, Said, SummaryBody, TileBody, WrittenSummary};

fn qualifier() -> impl Strategy<Value = Qualifier> {
    prop_oneof![
        Just(Qualifier::Exact),
        Just(Qualifier::AtLeast),
        Just(Qualifier::AtMost),
        Just(Qualifier::About)
    ]
}

fn said() -> impl Strategy<Value = Said<String>> {
    prop_oneof![
        (0..=999_999_999_999_999i64, qualifier()).prop_map(|(v, q)| Said::Value(v, q)),
        "[a-zạ ]{0,8}".prop_map(Said::NotAvailable),
        Just(Said::Withdrawn),
    ]
}

prop_compose! {
    fn body()(puts in prop::collection::vec(
        (0..40u32, any::<bool>(), 0..3u8, said(), prop::option::of(0..2u8), any::<bool>(), 0..5i64), 0..60)) -> TileBody {
        let mut body = TileBody::default();
        let mut position = 1;
        for (unit, own, member, said, reporter, programme, step) in puts {
            position += step;
            let scope = if own { Scope::Own } else { Scope::Territory };
            let said = match &said {
                Said::Value(value, qualifier) => Said::Value(*value, *qualifier),
                Said::NotAvailable(reason) => Said::NotAvailable(reason.as_str()),
                Said::Withdrawn => Said::Withdrawn,
            };
            let reporter = reporter.map(|r| format!("side-{r}")).unwrap_or_default();
            let programmes = if programme { "CTPH-07|CTPH-09" } else { "" };
            let revision = Revision { position, said, reporter: reporter.as_str(), programmes };
            body.put_text(UnitId(unit * 300), scope, &format!("channel=m{member}"), revision);
        }
        body
    }
}

fn state() -> impl Strategy<Value = State<Sum>> {
    prop_oneof![
        Just(State::Missing),
        Just(State::NotAvailable),
        (any::<i64>(), any::<i64>(), qualifier()).prop_map(|(v, e, qualifier)| State::Value(Sum {
            value: i128::from(v) * 1_000_003,
            exact: i128::from(e),
            qualifier
        })),
    ]
}

prop_compose! {
    fn cell()(own in state(), whole in state(), parts in state(), taken in 0..3u8, bits in any::<[bool; 5]>(),
              counts in any::<[u64; 6]>(), from in prop::option::of((-20_000..40_000i32, 0..400i32)),
              whole_from in prop::option::of(-20_000..40_000i32)) -> Cell<Sum> {
        let day = |n: i32| jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(n)).unwrap();
        let parts_dates = from.map(|(a, n)| (day(a), day(a + n)));
        let whole_dates = whole_from.map(|a| (day(a), day(a)));
        let (taken, headline, dates) = match taken {
            0 => (Taken::Nowhere, State::Missing, None),
            1 => (Taken::Whole, whole.clone(), whole_dates),
            _ => (Taken::Parts, parts.clone(), parts_dates),
        };
        Cell {
            own, whole, whole_dates, headline, taken, dates,
            parts: Parts {
                state: parts, covered: counts[4], unavailable: counts[5], dates: parts_dates,
                // Of parts that are not taken nothing is kept of this.
                estimated: bits[3] && taken == Taken::Parts, carried: bits[4] && taken == Taken::Parts,
            },
            along: if bits[0] { Along::Time } else { Along::Units },
            reported: counts[0], covered: counts[1], expected: counts[2], unavailable: counts[3],
            collects: bits[1], not_aggregable: bits[2], estimated: bits[3], carried: bits[4],
        }
    }
}

fn cells(most: usize) -> impl Strategy<Value = BTreeMap<UnitId, Cell<Sum>>> {
    prop::collection::btree_map((0..9000u32).prop_map(UnitId), cell(), 0..most)
}

proptest! {
    #[test]
    fn a_tile_reads_back_as_it_was_written(body in body()) {
        let read = TileBody::decode(&body.encode()).unwrap();
        prop_assert_eq!(&read, &body);
        prop_assert_eq!(read.encode(), body.encode());
    }

    #[test]
    fn a_summary_reads_back_as_it_was_written(cells in cells(20), maps in prop::collection::btree_map(-20_000..40_000i32, cells(4), 0..3)) {
        let day = |n: i32| jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(n)).unwrap();
        let restated = maps.into_iter().map(|(from, cells)| (day(from), cells)).collect();
        let body = SummaryBody { cells, restated };
        let bytes = body.encode();
        prop_assert_eq!(SummaryBody::decode(&bytes).unwrap(), body.clone());
        let written = WrittenSummary::of(bytes).unwrap();
        let restated = body.restated.iter().map(|(from, cells)| (Some(*from), cells));
        for (from, cells) in restated.chain([(None, &body.cells)]) {
            for unit in (0..9000).step_by(7).map(UnitId).chain(cells.keys().copied()) {
                prop_assert_eq!(written.cell_on(from, unit), Ok(cells.get(&unit).cloned()));
            }
        }
        prop_assert_eq!(written.cell_on(Some(day(90_000)), UnitId(1)), Ok(None));
    }

    #[test]
    fn a_summary_cut_short_is_refused(cells in cells(70), cut in any::<prop::sample::Index>()) {
        let bytes = SummaryBody { cells, restated: BTreeMap::new() }.encode();
        let cut = cut.index(bytes.len());
        prop_assert!(SummaryBody::decode(&bytes[..cut]).is_err());
        prop_assert!(WrittenSummary::of(bytes[..cut].to_vec()).is_err());
    }

    #[test]
    fn a_tile_cut_short_is_refused(body in body(), cut in any::<prop::sample::Index>()) {
        let bytes = body.encode();
        let cut = cut.index(bytes.len());
        prop_assert!(TileBody::decode(&bytes[..cut]).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = TileBody::decode(&bytes);
        let _ = SummaryBody::decode(&bytes);
        let mut versioned = vec![3];
        versioned.extend(&bytes);
        let _ = TileBody::decode(&versioned);
        // What reads as a whole reads one by one, and to the same.
        let written = WrittenSummary::of(versioned.clone());
        if let Ok(whole) = SummaryBody::decode(&versioned) {
            let written = written.unwrap();
            for (unit, cell) in &whole.cells {
                prop_assert_eq!(written.cell_on(None, *unit), Ok(Some(cell.clone())));
            }
        } else if let Ok(written) = written {
            let _ = written.cell_on(None, UnitId(0));
        }
    }
}

#[test]
fn a_complete_month_takes_little_more_than_its_values() {
    let mut body = TileBody::default();
    for unit in 0..180 {
        // A value below 2,048 takes 11 bits.
        let value = i64::from(unit * 7919 % 2048);
        let said = Said::Value(value, Qualifier::Exact);
        let revision =
            Revision { position: 1000 + i64::from(unit / 60), said, reporter: "", programmes: "CTPH-09" };
        body.put_text(UnitId(5000 + unit), Scope::Own, "", revision);
    }
    let bytes = body.encode();
    // Positions are runs, and units that follow one another take nothing.
    assert!(bytes.len() < 180 * 11 / 8 + 40, "{} bytes for 180 figures", bytes.len());
}

#[test]
fn what_is_alike_is_what_stands() {
    let mut body = TileBody::default();
    assert!(body.alike().is_none(), "nothing is like nothing");
    let say = |value, qualifier, reporter| Revision {
        position: 1,
        said: Said::Value(value, qualifier),
        reporter,
        programmes: "",
    };
    for unit in [3, 5, 9] {
        body.put_text(UnitId(unit), Scope::Own, "", say(i64::from(unit) * 10, Qualifier::AtLeast, "a"));
    }
    let (qualifier, values) = body.alike().expect("alike");
    assert_eq!(qualifier, Qualifier::AtLeast);
    assert_eq!(values.collect::<Vec<_>>(), [(UnitId(3), 30), (UnitId(5), 50), (UnitId(9), 90)]);
    let with = |scope, members, revision| {
        let mut more = body.clone();
        more.put_text(UnitId(7), scope, members, revision);
        more.alike().is_some()
    };
    assert!(with(Scope::Own, "", say(1, Qualifier::AtLeast, "a")));
    assert!(!with(Scope::Territory, "", say(1, Qualifier::AtLeast, "a")));
    assert!(!with(Scope::Own, "channel=m1", say(1, Qualifier::AtLeast, "a")));
    assert!(!with(Scope::Own, "", say(1, Qualifier::Exact, "a")));
    assert!(!with(Scope::Own, "", say(1, Qualifier::AtLeast, "b")));
    let none = Revision { said: Said::NotAvailable("lost"), ..say(0, Qualifier::Exact, "a") };
    assert!(!with(Scope::Own, "", none));
    let mut taken_back = body.clone();
    let withdrawn = Revision { position: 2, said: Said::Withdrawn, ..say(0, Qualifier::Exact, "a") };
    taken_back.put_text(UnitId(5), Scope::Own, "", withdrawn);
    assert!(taken_back.alike().is_none());
}

#[test]
fn an_unknown_version_is_refused() {
    assert_eq!(TileBody::decode(&[9, 0, 0]), Err(BodyError::Version(9)));
    assert_eq!(SummaryBody::decode(&[9, 0]), Err(BodyError::Version(9)));
    assert_eq!(WrittenSummary::of(vec![9, 0]).unwrap_err(), BodyError::Version(9));
}

#[test]
fn the_same_again_makes_no_revision() {
    let mut body = TileBody::default();
    let say = |position, said| Revision { position, said, reporter: "", programmes: "" };
    let mut put = |revision| body.put_text(UnitId(7), Scope::Own, "", revision);
    assert_eq!(put(say(1, Said::Withdrawn)), Put::Unchanged);
    assert_eq!(put(say(2, Said::Value(5, Qualifier::Exact))), Put::New);
    assert_eq!(put(say(3, Said::Value(5, Qualifier::Exact))), Put::Unchanged);
    assert_eq!(put(say(4, Said::Value(6, Qualifier::Exact))), Put::Revised);
    assert_eq!(put(say(5, Said::Withdrawn)), Put::Withdrawn);
    assert_eq!(put(say(6, Said::Withdrawn)), Put::Unchanged);
    // Of the same value something else is said.
    assert_eq!(put(say(7, Said::Value(6, Qualifier::Exact))), Put::New);
    assert_eq!(put(say(8, Said::Value(6, Qualifier::About))), Put::Revised);
    let marked =
        |position| Revision { programmes: "CTPH-09", ..say(position, Said::Value(6, Qualifier::About)) };
    assert_eq!(put(marked(9)), Put::Revised);
    assert_eq!(put(marked(10)), Put::Unchanged);
    let entry = body.entries().next().unwrap();
    let positions: Vec<_> = entry.revisions().map(|r| r.position).collect();
    assert_eq!(positions, [2, 4, 5, 7, 8, 9]);
    assert_eq!(entry.as_of(4).map(|r| r.said), Some(Said::Value(6, Qualifier::Exact)));
    assert_eq!(entry.as_of(1), None);
}
