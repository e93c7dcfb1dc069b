//! Version: what migrations are sorted by, read from the start of a name.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::RangeInclusive;

/// A version, compared part by part as numbers: `2` before `10`, `118_7` before `118_10`, `1.2.3` before `1.10`.
///
/// Parts are separated by `.`, `_` or `-`; leading zeros mean nothing, and a missing part counts as zero.
/// A date sorts by time, however it is written: `20240102` and `2024-01-02` are the first second of that day,
/// `2024-01-02-030405` and `20240102030405` are the same. Real histories change from one spelling to another.
#[derive(Clone, Debug)]
pub struct Version {
    text: Cow<'static, str>,
    date: Option<Date>,
}

const SEPARATORS: [char; 3] = ['.', '_', '-'];

impl Version {
    /// Reads a version; `None` when a part is empty or holds anything but digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_version =
            text.split(SEPARATORS).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        is_version.then(|| Self { text: Cow::Owned(text.to_owned()), date: Date::leading(text) })
    }

    /// The version as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let rest = self.date.as_ref().map_or(&*self.text, |date| &self.text[date.length..]);
        let rest = rest.split(SEPARATORS).map(|part| part.trim_start_matches('0').as_bytes());
        // Behind a date the rest is empty or begins with a separator, so its first part is no number.
        let first = self.date.as_ref().map(|date| date.digits.as_slice());
        first.into_iter().chain(rest.skip(usize::from(first.is_some())))
    }
}

/// The date that a version begins with.
#[derive(Clone, Copy, Debug)]
struct Date {
    /// Year, month, day, hour, minute and second.
    digits: [u8; 14],
    /// How much of the version it takes up, in bytes.
    length: usize,
}

impl Date {
    /// Of this century only: an older one may as well be a number, such as seconds since 1970.
    fn leading(text: &str) -> Option<Self> {
        let first = text.split(SEPARATORS).next()?;
        let (digits, length) = match first.len() {
            8 | 12 | 14 => (Cow::Borrowed(first), first.len()),
            4 => Self::dashed(text)?,
            _ => return None,
        };
        let in_range = |place: usize, allowed: RangeInclusive<u8>| {
            let part = digits.get(place..place + 2);
            part.is_some_and(|part| part.parse().is_ok_and(|number| allowed.contains(&number)))
        };
        // The time may be anything: people count upwards there by hand, past 59 too.
        let is_date = digits.starts_with("20") && in_range(4, 1..=12) && in_range(6, 1..=31);
        let mut padded = [b'0'; 14];
        padded.get_mut(..digits.len())?.copy_from_slice(digits.as_bytes());
        is_date.then_some(Self { digits: padded, length })
    }

    /// The digits of `2024-01-02` or `2024-01-02-030405`, and the length of that.
    fn dashed(text: &str) -> Option<(Cow<'_, str>, usize)> {
        let parts: Vec<&str> = text
            .split('-')
            .zip([4, 2, 2, 6])
            .map_while(|(part, length)| (part.len() == length).then_some(part))
            .collect();
        let digits = parts.concat();
        (parts.len() >= 3)
            .then(|| (digits.into(), parts.iter().map(|part| part.len() + 1).sum::<usize>() - 1))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (self.parts(), other.parts());
        loop {
            // Without leading zeros the longer run of digits is the larger number, whatever its size.
            let (a, b) = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (a, b) => (a.unwrap_or_default(), b.unwrap_or_default()),
            };
            let order = a.len().cmp(&b.len()).then_with(|| a.cmp(b));
            if order != Ordering::Equal {
                return order;
            }
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The version a migration's name begins with: `20240102_add_email`, `V118_7__x`, `0001-init`.
///
/// `None` for a repeatable migration (`R__name`) and for a name without a version.
pub fn version_of(name: &str) -> Option<Version> {
    let flyway = name.strip_prefix(['V', 'v']).and_then(|rest| rest.split_once("__"));
    if let Some((version, _)) = flyway {
        return Version::parse(version);
    }
    let run = name.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-')).count();
    let mut version = name[..run].trim_end_matches(['.', '-']);
    // In `0001-3d_models` the second number belongs to the name.
    if name[version.len()..].starts_with(|c: char| !matches!(c, '_' | '-')) {
        version = version.rsplit_once('-')?.0;
    }
    match name.as_bytes().get(version.len()) {
        None | Some(b'_' | b'-') => Version::parse(version),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers_part_by_part() {
        let sorted =
            ["1", "1.2.3", "1.10", "2", "10", "118_7", "118_10", "20240101", "99999999999999999999999999"];
        for pair in sorted.windows(2) {
            assert!(Version::parse(pair[0]) < Version::parse(pair[1]), "{pair:?}");
        }
        assert_eq!(Version::parse("01.0"), Version::parse("1"));
        assert!(
            Version::parse("1..2").is_none()
                && Version::parse("").is_none()
                && Version::parse("1a").is_none()
        );
    }

    #[test]
    fn dates_compare_by_time_however_they_are_written() {
        let sorted = [
            "7",
            "1579713176",
            "20140924113530",
            "2017-08-31-230457",
            "20180101",
            "20180101_2",
            "2018-01-01-000001",
            "201801020304",
            "2018-01-02-152396-0000",
            "2018-01-02-152396-0001",
            "2018-01-03",
            "2018-01-03-000000-0001",
            "2018-01-03-000000-0002",
            "20180103000001",
        ];
        for pair in sorted.windows(2) {
            assert!(Version::parse(pair[0]) < Version::parse(pair[1]), "{pair:?}");
        }
        assert_eq!(Version::parse("2018-01-03-040506"), Version::parse("20180103040506"));
        assert_eq!(Version::parse("2018-01-03"), Version::parse("20180103000000"));
    }

    #[test]
    fn numbers_that_only_resemble_dates_stay_numbers() {
        for pair in [["20189901", "20180101000000"], ["2018.9.1", "2018.10.05"], ["2018-13-01", "2018-14-01"]]
        {
            assert!(Version::parse(pair[0]) < Version::parse(pair[1]), "{pair:?}");
        }
        assert!(Version::parse("2017600100") < Version::parse("2017010101000"));
    }

    #[test]
    fn the_version_is_read_from_the_name() {
        let version = |name: &str| version_of(name).map(|v| v.to_string());
        assert_eq!(version("20240102_add_email").as_deref(), Some("20240102"));
        assert_eq!(version("V118_7__fix").as_deref(), Some("118_7"));
        assert_eq!(version("V1.2.3__x").as_deref(), Some("1.2.3"));
        assert_eq!(version("2019-05-04-120000_x").as_deref(), Some("2019-05-04-120000"));
        assert_eq!(version("0001-init").as_deref(), Some("0001"));
        assert_eq!(version("0001").as_deref(), Some("0001"));
        assert_eq!(version("0001-3d_models").as_deref(), Some("0001"));
        assert_eq!(version("R__views"), None);
        assert_eq!(version("add_email"), None);
        assert_eq!(version("12abc"), None);
    }
}
