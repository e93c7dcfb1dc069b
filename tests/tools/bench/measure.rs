//! Measuring: floor and windlass in turn, and the table of their ratios.

use std::fmt::Write as _;
use std::time::Duration;

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) case: String,
    pub(crate) target: String,
    pub(crate) unit: &'static str,
    pub(crate) floor: f64,
    pub(crate) windlass: f64,
    pub(crate) ratio: f64,
    /// The middle half of the ratios of single rounds.
    pub(crate) spread: Option<(f64, f64)>,
    pub(crate) aim: Aim,
    pub(crate) trips: Option<[Trips; 2]>,
}

/// What a line is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    /// At most so many times the floor.
    Ratio(f64),
    /// At least so much, in the line's unit.
    AtLeast(f64),
    /// Nothing: it is printed to be seen.
    None,
}

/// Round trips on the wire, until the session stands and after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trips {
    pub(crate) connecting: u64,
    pub(crate) after: u64,
}

impl Line {
    fn is_above_its_aim(&self) -> bool {
        match self.aim {
            // What is printed is compared: 1.20 is not above 1.2.
            Aim::Ratio(aim) => (self.ratio * 100.0).round() > aim * 100.0,
            Aim::AtLeast(aim) => self.windlass < aim,
            Aim::None => false,
        }
    }
}

/// The times of both, taken in turn.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    floor: Vec<f64>,
    windlass: Vec<f64>,
}

/// Takes turns, so that whatever else the machine does meets both. Each call tells the time that counts.
pub(crate) async fn alternate(
    rounds: usize,
    mut floor: impl AsyncFnMut() -> Duration,
    mut windlass: impl AsyncFnMut() -> Duration,
) -> Rounds {
    let mut taken = Rounds::default();
    for round in 0..rounds {
        // Who comes second may find a warmer machine, so the order alternates too.
        if round % 2 == 0 {
            taken.floor.push(milliseconds(floor().await));
            taken.windlass.push(milliseconds(windlass().await));
        } else {
            taken.windlass.push(milliseconds(windlass().await));
            taken.floor.push(milliseconds(floor().await));
        }
    }
    taken
}

impl Rounds {
    /// The line that these rounds make.
    pub(crate) fn line(self, case: &str, target: &str, aim: Aim) -> Line {
        let ratios: Vec<f64> = self.windlass.iter().zip(&self.floor).map(|(w, f)| w / f).collect();
        Line {
            case: case.to_owned(),
            target: target.to_owned(),
            unit: "ms",
            floor: quantile(&self.floor, 0.5),
            windlass: quantile(&self.windlass, 0.5),
            // Of rounds that stand side by side: a disk that is slow for a while is so for both.
            ratio: quantile(&ratios, 0.5),
            spread: Some((quantile(&ratios, 0.25), quantile(&ratios, 0.75))),
            aim,
            trips: None,
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The value below which this part of all lies.
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = part * (sorted.len().saturating_sub(1)) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    let share = place - place.floor();
    sorted.get(low).zip(sorted.get(high)).map_or(f64::NAN, |(a, b)| a + (b - a) * share)
}

/// The heading of the table.
pub(crate) fn heading() -> String {
    let head = ["case", "database", "ratio", "middle half", "aim", "floor", "windlass", "trips", "windlass'"];
    format!("{}\n{}", columns(head.map(str::to_owned)), "-".repeat(138))
}

/// A line as it is printed.
pub(crate) fn told(line: &Line) -> String {
    let aim = match line.aim {
        Aim::Ratio(aim) => format!("≤ {aim:.1}"),
        Aim::AtLeast(aim) => format!("≥ {aim:.0}"),
        Aim::None => String::new(),
    };
    let trips = |index: usize| line.trips.map(|trips| trips[index].told()).unwrap_or_default();
    let mut text = columns([
        line.case.clone(),
        line.target.clone(),
        format!("{:.2}×", line.ratio),
        line.spread.map(|(low, high)| format!("{low:.2}–{high:.2}")).unwrap_or_default(),
        aim,
        amount(line.floor, line.unit),
        amount(line.windlass, line.unit),
        trips(0),
        trips(1),
    ]);
    if line.is_above_its_aim() {
        let _ = write!(text, " ◄");
    }
    text
}

fn columns([case, target, ratio, spread, aim, floor, windlass, trips, own_trips]: [String; 9]) -> String {
    format!(
        "{case:<50}{target:<14}{ratio:>7} {spread:>12} {aim:>6}{floor:>14}{windlass:>14}{trips:>9}{own_trips:>10}"
    )
}

fn amount(value: f64, unit: &str) -> String {
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

impl Trips {
    fn told(self) -> String {
        format!("{}+{}", self.connecting, self.after)
    }
}
