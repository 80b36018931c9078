//! The dot map: units as dots where they lie, as large as their value or as full as their coverage.

use maud::{Markup, html};

use super::locale::permille;
use super::places::{DEGREE, Place};

/// A unit on the map.
#[derive(Clone, Debug)]
pub(super) struct Dot {
    /// Where it lies.
    pub(super) place: Place,
    /// Its name.
    pub(super) name: String,
    /// Its value in units of the last decimal, if it has one.
    pub(super) value: Option<i128>,
    /// Cells covered, and expected.
    pub(super) covered: (u64, u64),
    /// What is said of it where the pointer rests on it.
    pub(super) said: String,
    /// Where a click leads.
    pub(super) href: String,
}

/// What the dots show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// The area of a dot is its unit's value.
    Value,
    /// The shade of a dot is how much of its unit is covered.
    Coverage,
}

/// A part of the ground, as it is drawn.
#[derive(Clone, Copy, Debug)]
struct View {
    west: i64,
    north: i64,
    /// Hundred-thousandths of a degree in a tenth of a unit of drawing, along a meridian.
    scale: i64,
    wide: i64,
    high: i64,
}

/// A degree of longitude is this many hundredths of a degree of latitude around 16° north.
const NARROWER: i64 = 96;

impl View {
    /// The whole country with its archipelagos.
    const COUNTRY: View =
        View { west: 101 * DEGREE + 80_000, north: 23 * DEGREE + 70_000, scale: 250, wide: 500, high: 620 };

    /// Around some places.
    fn around(places: &[Place]) -> View {
        let (mut lat, mut lon): (Vec<i64>, Vec<i64>) = places.iter().map(|p| (p.lat, p.lon)).unzip();
        lat.sort_unstable();
        lon.sort_unstable();
        let ends = |all: &[i64]| {
            // What lies far off, as an archipelago does, is put at the edge instead of making all else small.
            let middle = all.get(all.len() / 2).copied().unwrap_or(0);
            let near = all.iter().copied().filter(|x| (x - middle).abs() <= DEGREE + DEGREE / 2);
            let (least, most) = near.fold((middle, middle), |(a, b), x| (a.min(x), b.max(x)));
            (least, most)
        };
        let ((south, north), (west, east)) = (ends(&lat), ends(&lon));
        let margin = DEGREE / 8;
        let (high, wide) = (north - south + 2 * margin, (east - west + 2 * margin) * NARROWER / 100);
        // 5000 tenths in the longer direction.
        let scale = (high.max(wide) / 5000).max(1);
        View {
            west: west - margin,
            north: north + margin,
            scale,
            wide: wide / scale / 10,
            high: high / scale / 10,
        }
    }

    /// Tenths of a unit of drawing to the right and down.
    fn at(&self, place: Place) -> (i64, i64) {
        ((place.lon - self.west) * NARROWER / 100 / self.scale, (self.north - place.lat) / self.scale)
    }
}

/// Tenths as a decimal.
fn tenths(value: i64) -> String {
    format!("{}{}.{}", if value < 0 { "-" } else { "" }, value.abs() / 10, value.abs() % 10)
}

/// A drawing of the country by the points of its communes, to lie below the dots.
pub(super) fn country(places: impl Iterator<Item = Place>) -> String {
    let view = View::COUNTRY;
    let mut path = String::new();
    for place in places {
        let (x, y) = view.at(place);
        path.push_str(&format!("M{} {}h0", tenths(x), tenths(y)));
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\"><path d=\"{path}\" fill=\"none\" \
         stroke=\"#c3ccd3\" stroke-width=\"3\" stroke-linecap=\"round\"/></svg>",
        view.wide, view.high
    )
}

/// Names that are written on the map of the country, whatever they show: the archipelagos.
const ARCHIPELAGOS: [(&str, Place); 2] = [
    ("Hoàng Sa", Place { lat: 16 * DEGREE + 56_800, lon: 112 * DEGREE + 13_500 }),
    ("Trường Sa", Place { lat: 9 * DEGREE + 71_000, lon: 114 * DEGREE + 45_000 }),
];

/// The largest radius, in tenths.
const LARGEST: i128 = 160;

/// Draws units where they lie. `of_country` draws the whole country below them, from an address of its own.
pub(super) fn draw(name: &str, dots: &[Dot], measure: Measure, of_country: Option<&str>) -> Markup {
    let places: Vec<Place> = dots.iter().map(|d| d.place).collect();
    let view = if of_country.is_some() { View::COUNTRY } else { View::around(&places) };
    let most = dots.iter().filter_map(|d| d.value).max().unwrap_or(0).max(1);
    // Large ones below, so that small ones can be seen and reached.
    let mut drawn: Vec<(&Dot, i64)> =
        dots.iter().map(|d| (d, radius(d, measure, most, dots.len()))).collect();
    drawn.sort_by_key(|(_, radius)| std::cmp::Reverse(*radius));
    let edge = |at: i64, end: i64| at.clamp(60, (end * 10 - 60).max(60));
    html! {
        svg.map viewBox={ "0 0 " (view.wide) " " (view.high) } role="group" aria-label=(name) {
            @if let Some(href) = of_country {
                image href=(href) x="0" y="0" width=(view.wide) height=(view.high) {}
                @for (name, place) in ARCHIPELAGOS {
                    @let (x, y) = view.at(place);
                    text.archipelago x=(tenths(x.min(view.wide * 10 - 10))) y=(tenths(y + 180)) text-anchor="end" lang="vi" { (name) }
                }
            }
            @for (dot, radius) in &drawn {
                @let (x, y) = view.at(dot.place);
                @let (at_x, at_y) = (edge(x, view.wide), edge(y, view.high));
                @let is_far = of_country.is_none() && ((x - at_x).abs() > 100 || (y - at_y).abs() > 100);
                a href=(dot.href) tabindex="-1" aria-label=(dot.said) {
                    circle class=(shade(dot, measure)) cx=(tenths(at_x)) cy=(tenths(at_y)) r=(tenths(*radius)) {
                        title { (dot.said) }
                    }
                    @if is_far {
                        text.far x=(tenths(at_x - 100)) y=(tenths(at_y + 40)) text-anchor="end" lang="vi" { (dot.name) " →" }
                    }
                }
            }
        }
    }
}

/// In tenths. The area is the value.
fn radius(dot: &Dot, measure: Measure, most: i128, count: usize) -> i64 {
    let plain = if count > 80 { 50 } else { 70 };
    match (measure, dot.value) {
        (Measure::Value, Some(value)) => {
            let squared = value.max(0).saturating_mul(LARGEST * LARGEST) / most;
            i64::try_from(squared.isqrt()).unwrap_or(0).max(18)
        }
        (Measure::Value, None) => 22,
        (Measure::Coverage, _) => plain,
    }
}

/// The class of a dot. A value that is not whole is never drawn like one that is.
fn shade(dot: &Dot, measure: Measure) -> &'static str {
    let (covered, expected) = dot.covered;
    match measure {
        Measure::Value if dot.value.is_none() => "none",
        Measure::Value if covered < expected => "partial",
        Measure::Value => "whole",
        Measure::Coverage => step(covered, expected),
    }
}

/// Five shades of how much is covered; all and nothing have one of their own.
pub(super) fn step(covered: u64, expected: u64) -> &'static str {
    match permille(covered, expected) {
        _ if covered == 0 => "c0",
        0..500 => "c1",
        500..900 => "c2",
        _ if covered < expected => "c3",
        _ => "c4",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(lat: i64, lon: i64, value: Option<i128>, covered: (u64, u64)) -> Dot {
        let (name, said, href) = ("Xã <b>".to_owned(), "said".to_owned(), "/x?a=1&b=2".to_owned());
        Dot { place: Place { lat, lon }, name, value, covered, said, href }
    }

    #[test]
    fn the_whole_country_fits_its_map_with_both_archipelagos() {
        let view = View::COUNTRY;
        for place in super::super::places::country() {
            let (x, y) = view.at(place);
            assert!(
                (0..=view.wide * 10).contains(&x) && (0..=view.high * 10).contains(&y),
                "{place:?} at {x}, {y}"
            );
        }
        let drawn = draw("map", &[], Measure::Value, Some("/base.svg")).into_string();
        assert!(drawn.contains("Hoàng Sa") && drawn.contains("Trường Sa"), "{drawn}");
    }

    #[test]
    fn the_area_of_a_dot_is_its_value() {
        let of = |value| radius(&dot(0, 0, Some(value), (1, 1)), Measure::Value, 400, 3);
        assert_eq!((of(400), of(100)), (160, 80));
        assert_eq!(of(0), 18, "zero is a value, and is seen");
    }

    #[test]
    fn what_lies_far_off_stands_at_the_edge_with_its_name() {
        let near = (0..9).map(|i| dot(12 * DEGREE + i * 10_000, 109 * DEGREE, Some(1), (1, 1)));
        let dots: Vec<Dot> = near.chain([dot(971_000, 11_445_000, Some(1), (1, 1))]).collect();
        let drawn = draw("map", &dots, Measure::Value, None).into_string();
        assert!(drawn.contains("Xã &lt;b&gt; →"), "{drawn}");
    }

    #[test]
    fn only_all_has_the_shade_of_all() {
        assert_eq!(step(0, 10), "c0");
        assert_eq!(step(9_999, 10_000), "c3");
        assert_eq!(step(10, 10), "c4");
        assert_eq!(step(0, 0), "c0");
    }
}
