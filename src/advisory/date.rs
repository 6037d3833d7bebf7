//! Dates of feeds, all as RFC 3339 in UTC to the second.

use jiff::Timestamp;
use jiff::fmt::{rfc2822, strtime};
use std::time::SystemTime;

const SHAPE: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Now.
pub fn now() -> String {
    format(Timestamp::now())
}

/// A date in RFC 3339, in our form.
pub fn from_rfc3339(text: &str) -> Option<String> {
    text.trim().parse::<Timestamp>().ok().map(format)
}

/// A date of an HTTP header, such as `Tue, 15 Nov 1994 12:45:26 GMT`, in our form.
pub fn from_http(text: &str) -> Option<String> {
    rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok().map(format)
}

/// The time that a file carries, in our form.
pub fn from_system(time: SystemTime) -> Option<String> {
    Timestamp::try_from(time).ok().map(format)
}

/// Whether this is a day, as `2026-07-11`.
pub fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn format(time: Timestamp) -> String {
    // The shape holds only fields that each timestamp has.
    strtime::format(SHAPE, time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_become_utc_to_the_second() {
        let http = from_http("Tue, 15 Nov 1994 12:45:26 GMT");
        assert_eq!(http.as_deref(), Some("1994-11-15T12:45:26Z"));
        let fraction = from_rfc3339("2025-08-25T17:04:19.9796+02:00");
        assert_eq!(fraction.as_deref(), Some("2025-08-25T15:04:19Z"));
        assert_eq!(from_rfc3339("yesterday"), None);
        assert_eq!(from_http(""), None);
        assert_eq!(from_system(SystemTime::UNIX_EPOCH).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert!(is_day("2026-07-11") && !is_day("2026-02-30") && !is_day("20260711"));
        assert_eq!(now().len(), "1994-11-15T12:45:26Z".len());
    }
}
