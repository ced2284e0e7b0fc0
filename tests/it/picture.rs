//! `docs/trace.svg`: a checkout's spans as a waterfall, drawn from what the collector took. `UPDATE_TRACE=1` draws it
//! anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::collector::Span;
use crate::world::root;

/// A colour each, in the order of the legend.
const SERVICES: [(&str, &str); 6] = [
    ("router", "#7048e8"),
    ("order", "#1c7ed6"),
    ("cart", "#e8590c"),
    ("product", "#2b8a3e"),
    ("inventory", "#c2255c"),
    ("payment", "#0b7285"),
];
/// The router's inner parts, which take no time of their own.
const LEFT_OUT: [&str; 5] = ["rhai_plugin", "supergraph", "execution", "fetch", "subgraph"];
const ROW: u32 = 17;
const HEAD: u32 = 64;
/// Where bars begin and end.
const LEFT: f64 = 372.0;
const RIGHT: f64 = 1140.0;
const GAP_WIDTH: f64 = 48.0;
/// A pause longer than this in which nothing is done is drawn short.
const PAUSE_NS: u64 = 60_000_000;

fn file() -> PathBuf {
    root().join("docs/trace.svg")
}

/// Whether the picture is to be drawn anew.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os("UPDATE_TRACE").is_some()
}

/// Draws the picture.
pub(crate) fn update(spans: &[Span]) -> Result<()> {
    Ok(std::fs::write(file(), draw(spans))?)
}

/// Whether the picture there is shows spans of these names.
pub(crate) fn check<'n>(names: impl Iterator<Item = &'n str>) -> Result<()> {
    let shown = std::fs::read_to_string(file()).context("docs/trace.svg: run with UPDATE_TRACE=1")?;
    for name in names {
        let (_, name) = name.split_once(' ').context("a service and a span")?;
        ensure!(
            shown.contains(&escaped(name)),
            "docs/trace.svg has no {name}: draw it anew with UPDATE_TRACE=1"
        );
    }
    Ok(())
}

/// A stretch of time, and where it is drawn.
struct Stretch {
    from_ns: u64,
    to_ns: u64,
    left: f64,
    right: f64,
}

/// Time as it is drawn: in proportion while something is done, short while all wait.
struct Axis(Vec<Stretch>);

impl Axis {
    fn of(spans: &[&Span]) -> Self {
        let mut busy: Vec<(u64, u64)> = Vec::new();
        // A subscription waits most of its time.
        for span in spans.iter().filter(|span| !span.name.starts_with("subscription")) {
            match busy.last_mut() {
                Some(last) if span.begun_ns <= last.1 + PAUSE_NS => last.1 = last.1.max(span.ended_ns),
                _ => busy.push((span.begun_ns, span.ended_ns)),
            }
        }
        let pauses = f64::from(u32::try_from(busy.len().saturating_sub(1)).unwrap_or(0));
        let total: u64 = busy.iter().map(|(from, to)| to - from).sum();
        let scale = (RIGHT - LEFT - pauses * GAP_WIDTH) / as_ms(total).max(0.001);
        let mut left = LEFT;
        let stretches = busy.into_iter().map(|(from_ns, to_ns)| {
            let right = left + as_ms(to_ns - from_ns) * scale;
            let stretch = Stretch {
                from_ns,
                to_ns,
                left,
                right,
            };
            left = right + GAP_WIDTH;
            stretch
        });
        Self(stretches.collect())
    }

    fn at(&self, time_ns: u64) -> f64 {
        let mut before = LEFT;
        for stretch in &self.0 {
            if time_ns < stretch.from_ns {
                return f64::midpoint(before, stretch.left);
            }
            if time_ns <= stretch.to_ns {
                let share =
                    as_ms(time_ns - stretch.from_ns) / as_ms(stretch.to_ns - stretch.from_ns).max(0.001);
                return stretch.left + share * (stretch.right - stretch.left);
            }
            before = stretch.right;
        }
        before
    }

    /// Where the pauses are, and how long.
    fn pauses(&self) -> impl Iterator<Item = (f64, u64)> {
        self.0.windows(2).map(|pair| {
            (
                f64::midpoint(pair[0].right, pair[1].left),
                pair[1].from_ns - pair[0].to_ns,
            )
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture of some seconds")]
fn as_ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

fn duration(ns: u64) -> String {
    match as_ms(ns) {
        ms if ms >= 1_000.0 => format!("{:.1} s", ms / 1e3),
        ms if ms >= 10.0 => format!("{ms:.0} ms"),
        ms => format!("{ms:.1} ms"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Spans below `parent`, each before those within it, with their depth.
fn tree<'s>(spans: &'s [Span], parent: &str, depth: u32, rows: &mut Vec<(&'s Span, u32)>) {
    for span in spans.iter().filter(|span| span.parent == parent) {
        let left_out = LEFT_OUT.contains(&span.name.as_str());
        if !left_out {
            rows.push((span, depth));
        }
        tree(spans, &span.id, if left_out { depth } else { depth + 1 }, rows);
    }
}

fn draw(spans: &[Span]) -> String {
    let mut rows = Vec::new();
    let outside = |span: &&Span| !spans.iter().any(|other| other.id == span.parent);
    if let Some(first) = spans.iter().find(outside) {
        tree(spans, &first.parent, 0, &mut rows);
    }
    let mut in_time: Vec<&Span> = rows.iter().map(|(span, _)| *span).collect();
    in_time.sort_by_key(|span| span.begun_ns);
    let axis = Axis::of(&in_time);
    let height = HEAD + ROW * u32::try_from(rows.len()).unwrap_or(0) + 16;
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1220 {height}" font-family="system-ui, sans-serif" font-size="11">
<title>One checkout as one trace</title>
<rect width="1220" height="{height}" fill="#ffffff"/>
<text x="12" y="22" font-size="15" font-weight="600" fill="#212529">One checkout: {} spans of {} services</text>
"##,
        spans.len(),
        SERVICES.len(),
    );
    legend(&mut out);
    for (x, pause_ns) in axis.pauses() {
        let _ = writeln!(
            out,
            r##"<line x1="{x:.1}" y1="{HEAD}" x2="{x:.1}" y2="{}" stroke="#adb5bd" stroke-dasharray="2 4"/>
<text x="{x:.1}" y="{}" text-anchor="middle" font-size="10" fill="#868e96">{}</text>"##,
            height - 12,
            HEAD - 6,
            duration(pause_ns),
        );
    }
    for (row, (span, depth)) in (0..).zip(rows) {
        line(&mut out, &axis, span, HEAD + ROW * row, depth);
    }
    out.push_str("</svg>\n");
    out
}

fn legend(out: &mut String) {
    for (place, (service, colour)) in (0..).zip(SERVICES) {
        let x = 12 + 110 * place;
        let _ = writeln!(
            out,
            r##"<rect x="{x}" y="34" width="11" height="11" rx="2" fill="{colour}"/><text x="{}" y="44" fill="#495057">{service}</text>"##,
            x + 17,
        );
    }
}

fn line(out: &mut String, axis: &Axis, span: &Span, y: u32, depth: u32) {
    let colour = SERVICES.iter().find(|(service, _)| *service == span.service);
    let colour = colour.map_or("#868e96", |(_, colour)| colour);
    let (from, to) = (axis.at(span.begun_ns), axis.at(span.ended_ns));
    let width = (to - from).max(1.5);
    let _ = writeln!(
        out,
        r##"<rect x="{}" y="{}" width="3" height="11" fill="{colour}"/><text x="{}" y="{}" fill="#212529">{}</text><rect x="{from:.1}" y="{}" width="{width:.1}" height="10" rx="2" fill="{colour}"/><text x="{:.1}" y="{}" font-size="10" fill="#868e96">{}</text>"##,
        12 + 9 * depth,
        y + 3,
        19 + 9 * depth,
        y + 12,
        escaped(&span.name),
        y + 3,
        from + width + 4.0,
        y + 12,
        duration(span.ended_ns - span.begun_ns),
    );
}
