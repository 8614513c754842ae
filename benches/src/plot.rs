//! A plot as SVG: panels in a row, with lines over sizes, both axes logarithmic.
//!
//! Text and axes have the colour of the text around, so that it can be read where a page puts it, light or dark. Opened by
//! itself it has a background, and follows what the reader prefers. No line is blank: a page may take it in as it is.

use std::fmt::Write as _;

/// A line: its name, and a value for each size.
#[derive(Clone, Debug)]
pub struct Line {
    /// In the legend.
    pub name: String,
    /// For each size, in the order of the sizes.
    pub values: Vec<f64>,
}

/// Lines with a title.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Above it.
    pub title: String,
    /// What is compared; the same names in each panel, in the same order.
    pub lines: Vec<Line>,
}

/// Colour and dashes of each line, readable on white and on black.
const STYLES: [(&str, &str); 7] = [
    ("#e8590c", ""),
    ("#868e96", "2 3"),
    ("#1c7ed6", ""),
    ("#2f9e44", "8 3"),
    ("#ae3ec9", "5 3"),
    ("#b8860b", "10 3 2 3"),
    ("#15aabf", "1 4"),
];
const PANEL: (f64, f64) = (250.0, 300.0);
const LEFT: f64 = 62.0;
const TOP: f64 = 74.0;
const GAP: f64 = 34.0;

/// A plot of nanoseconds over bytes.
///
/// # Panics
///
/// When there is nothing to plot.
#[must_use]
pub fn svg(title: &str, sizes: &[usize], panels: &[Panel]) -> String {
    let values = || panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.values);
    let low = values().copied().fold(f64::INFINITY, f64::min) / 1.15;
    let high = values().copied().fold(0.0, f64::max) * 1.15;
    assert!(low > 0.0 && low.is_finite(), "there is something to plot");
    let (first, last) = (sizes[0] as f64 / 1.2, sizes[sizes.len() - 1] as f64 * 1.2);
    let share = |value: f64, low: f64, high: f64| (value / low).ln() / (high / low).ln();
    let x =
        |panel: usize, bytes: f64| (PANEL.0 + GAP).mul_add(panel as f64, LEFT) + share(bytes, first, last) * PANEL.0;
    let y = |value: f64| TOP + (1.0 - share(value, low, high)) * PANEL.1;
    let width = (PANEL.0 + GAP).mul_add(panels.len() as f64, LEFT);
    let bottom = TOP + PANEL.1;
    let height = bottom + 48.0;

    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         style=\"max-width: 100%\" font-family=\"sans-serif\" font-size=\"12\" fill=\"currentColor\" role=\"img\">\n\
         <title>{title}</title>\n\
         <style>\n\
         svg:root {{ color: #212529; background: #fff }}\n\
         @media (prefers-color-scheme: dark) {{ svg:root {{ color: #dee2e6; background: #16191d }} }}\n\
         </style>\n"
    );
    let mut add = |line: std::fmt::Arguments<'_>| writeln!(out, "{line}").expect("a text takes everything");
    let mut at = LEFT;
    for (line, (colour, dashes)) in panels[0].lines.iter().zip(STYLES) {
        let width = if line.name == "ours" { 3.5 } else { 1.8 };
        add(format_args!(
            "<line x1=\"{at:.0}\" y1=\"20\" x2=\"{:.0}\" y2=\"20\" stroke=\"{colour}\" stroke-width=\"{width}\" \
             stroke-dasharray=\"{dashes}\"/><text x=\"{:.0}\" y=\"24\">{}</text>",
            at + 26.0,
            at + 32.0,
            line.name
        ));
        at += 7.0_f64.mul_add(line.name.len() as f64, 52.0);
    }
    for (number, panel) in panels.iter().enumerate() {
        let (left, right) = (x(number, first), x(number, last));
        add(format_args!("<text x=\"{left:.0}\" y=\"{:.0}\" font-weight=\"bold\">{}</text>", TOP - 12.0, panel.title));
        for step in [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0] {
            let value = step * 1000.0;
            if value < low || value > high {
                continue;
            }
            let y = y(value);
            add(format_args!(
                "<line x1=\"{left:.0}\" y1=\"{y:.1}\" x2=\"{right:.0}\" y2=\"{y:.1}\" stroke=\"currentColor\" opacity=\"0.2\"/>"
            ));
            if number == 0 {
                add(format_args!(
                    "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
                    left - 6.0,
                    y + 4.0
                ));
            }
        }
        for bytes in sizes {
            let x = x(number, *bytes as f64);
            add(format_args!("<text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{bytes}</text>", bottom + 18.0));
        }
        add(format_args!(
            "<path d=\"M{left:.0} {TOP:.0}V{bottom:.0}H{right:.0}\" fill=\"none\" stroke=\"currentColor\" opacity=\"0.6\"/>"
        ));
        // Ours last, above the others.
        for (line, (colour, dashes)) in panel.lines.iter().zip(STYLES).rev() {
            let points: Vec<_> = (sizes.iter().zip(&line.values))
                .map(|(bytes, value)| format!("{:.1},{:.1}", x(number, *bytes as f64), y(*value)))
                .collect();
            let width = if line.name == "ours" { 3.5 } else { 1.8 };
            add(format_args!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dashes}\"/>",
                points.join(" ")
            ));
        }
    }
    add(format_args!("<text x=\"{LEFT:.0}\" y=\"{:.0}\">bytes of JSON</text>", bottom + 38.0));
    add(format_args!("<text x=\"4\" y=\"{:.0}\">nanoseconds</text>", TOP - 12.0 - 16.0));
    add(format_args!("</svg>"));
    out
}
