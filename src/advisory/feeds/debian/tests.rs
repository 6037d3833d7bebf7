//! The tracker's rules, each over an input of its own.

use super::*;

fn parse(text: &str) -> (Vec<Advisory>, Summary) {
    let mut found = Vec::new();
    let mut sink = |record| {
        if let Record::Advisory(advisory) = record {
            found.push(advisory);
        }
    };
    let summary = Debian.parse(&mut text.as_bytes(), &mut sink).unwrap();
    (found, summary)
}

fn one(state: &str) -> Advisory {
    let (mut found, summary) =
        parse(&format!(r#"{{"src":{{"CVE-1":{{"releases":{{"bookworm":{{{state}}}}}}}}}}}"#));
    assert_eq!((found.len(), summary.skipped), (1, 0), "{summary:?}");
    found.remove(0)
}

#[test]
fn the_range_follows_status_and_fixed_version() {
    let check = |state: &str, expected| assert_eq!(one(state).affected, expected, "{state}");
    check(r#""status":"open""#, AffectedRange::All);
    check(r#""status":"resolved","fixed_version":"0""#, AffectedRange::None);
    let before = AffectedRange::Before("1:2-3".to_owned());
    check(r#""status":"resolved","fixed_version":"1:2-3""#, before);
}

#[test]
fn the_word_for_the_fix_follows_urgency_then_status_then_nodsa() {
    let check = |state: &str, expected| assert_eq!(one(state).fix, expected, "{state}");
    let fixed = r#""status":"resolved","fixed_version":"2""#;
    check(fixed, Status::Fixed);
    check(r#""status":"open""#, Status::Affected);
    check(r#""status":"open","nodsa":"Minor issue","nodsa_reason":"""#, Status::NoAdvisory);
    check(r#""status":"open","nodsa":"x","nodsa_reason":"ignored""#, Status::WillNotFix);
    check(r#""status":"open","nodsa":"x","nodsa_reason":"postponed""#, Status::FixDeferred);
    check(&format!(r#"{fixed},"nodsa":"Minor issue""#), Status::Fixed);
    check(&format!(r#"{fixed},"nodsa":"x","nodsa_reason":"ignored""#), Status::Fixed);
    check(&format!(r#"{fixed},"nodsa":"x","urgency":"unimportant""#), Status::Unimportant);
    check(r#""status":"open","nodsa":"x","urgency":"end-of-life""#, Status::EndOfLife);
}

#[test]
fn the_severity_is_the_urgency() {
    let check = |urgency, expected| {
        let state = format!(r#""status":"open","urgency":"{urgency}""#);
        assert_eq!(one(&state).severity, expected, "{urgency}");
    };
    check("low", Severity::Low);
    check("medium**", Severity::Medium);
    check("high*", Severity::High);
    check("unimportant", Severity::Negligible);
    check("not yet assigned", Severity::Unknown);
    check("end-of-life", Severity::Unknown);
    check("dire", Severity::Unknown);
}

#[test]
fn undetermined_states_nothing_but_the_release_is_tracked() {
    let text = r#"{"a":{"CVE-1":{"releases":{"trixie":{"status":"undetermined"}}}}}"#;
    let (found, summary) = parse(text);
    assert!(found.is_empty());
    assert_eq!((summary.records, summary.skipped), (0, 0));
    assert!(summary.releases.iter().any(|release| release.name == "trixie"));
}

#[test]
fn broken_entries_are_counted_and_the_rest_is_kept() {
    let good = r#""CVE-9":{"new":[1],"releases":{"sid":{"status":"open","x":{}}}}"#;
    for broken in [
        r#""b":7"#,
        r#""b":-7"#,
        r#""b":0.5"#,
        r#""b":null"#,
        r#""b":true"#,
        r#""b":"x""#,
        r#""b":[1,{}]"#,
        r#""b c":{"CVE-2":{}}"#,
        r#""b":{"CVE-2":5}"#,
        r#""b":{"CVE 2":{"releases":{}}}"#,
        r#""b":{"CVE-2":{"description":"no releases"}}"#,
        r#""b":{"CVE-2":{"releases":{"sid":{"status":3}}}}"#,
        r#""b":{"CVE-2":{"releases":{"sid":[]}}}"#,
        r#""b":{"CVE-2":{"releases":{"a\u0000b":{"status":"open"}}}}"#,
        r#""b":{"CVE-2":{"releases":{"sid":{"status":"resolved"}}}}"#,
        r#""b":{"CVE-2":{"releases":{"sid":{"status":"resolved","fixed_version":""}}}}"#,
        r#""b":{"CVE-2":{"releases":{"sid":{"status":"mended"}}}}"#,
    ] {
        let (found, summary) = parse(&format!(r#"{{{broken},"good":{{{good}}}}}"#));
        assert_eq!((found.len(), summary.records, summary.skipped), (1, 1, 1), "{broken}");
        assert_eq!(summary.examples.len(), 1);
    }
}

#[test]
fn a_broken_release_leaves_its_siblings() {
    let (found, summary) =
        parse(r#"{"a":{"CVE-1":{"releases":{"sid":{"status":1},"bookworm":{"status":"open"}}}}}"#);
    assert_eq!((found.len(), summary.skipped), (1, 1));
    assert_eq!(found[0].release, "bookworm");
}

#[test]
fn a_file_that_is_no_tracker_is_refused() {
    let error = |text: &str| Debian.parse(&mut text.as_bytes(), &mut |_| {}).unwrap_err();
    assert!(matches!(error(""), FeedError::CutOff(_)));
    assert!(matches!(error(r#"{"a":{"CVE-1":{"rel"#), FeedError::CutOff(_)));
    assert!(matches!(error(r#"{"a":{}} trailing"#), FeedError::NotJson(_)));
    assert!(matches!(error("<html>"), FeedError::NotJson(_)));
    assert!(matches!(error("[]"), FeedError::Shape(_)));
}
