//! Findings as vulnerabilities: one for each advisory and what its publisher says of it, with all
//! packages that it applies to.
//!
//! No analysis state is given. The states tell what a person found out about this very system,
//! and a scanner that compares versions found out nothing of the kind. What the vendor says it
//! will do is a response.

use super::components::Parts;
use super::context::property;
use crate::model::{Finding, Package, ScanReport, Severity, Status};
use cyclonedx_bom::external_models::normalized_string::NormalizedString;
use cyclonedx_bom::external_models::uri::Uri;
use cyclonedx_bom::models::advisory::{Advisories, Advisory};
use cyclonedx_bom::models::property::{Properties, Property};
use cyclonedx_bom::models::vulnerability::{Vulnerabilities, Vulnerability};
use cyclonedx_bom::models::vulnerability_analysis::{
    ImpactAnalysisResponse as Response, VulnerabilityAnalysis,
};
use cyclonedx_bom::models::vulnerability_rating::{
    Score, ScoreMethod, Severity as Rated, VulnerabilityRating, VulnerabilityRatings,
};
use cyclonedx_bom::models::vulnerability_reference::{
    VulnerabilityReference, VulnerabilityReferences,
};
use cyclonedx_bom::models::vulnerability_source::VulnerabilitySource;
use cyclonedx_bom::models::vulnerability_target::{
    Status as Affected, Version, VersionRange, Versions, VulnerabilityTarget, VulnerabilityTargets,
};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The longest version that the schema takes.
const MOST_VERSION: usize = 1024;
/// CISA's list of known exploited vulnerabilities.
const KEV_PAGE: &str = "https://www.cisa.gov/known-exploited-vulnerabilities-catalog";

/// What findings of one vulnerability have in common.
type Key<'a> =
    (&'a str, &'a str, Option<&'a str>, Severity, Status, bool, Option<&'a str>, &'a [String]);

fn key(finding: &Finding) -> Key<'_> {
    let Finding { id, feed, fixed, severity, status, kev, cvss, aliases, .. } = finding;
    (id, feed, fixed.as_deref(), *severity, *status, *kev, cvss.as_deref(), aliases)
}

/// All findings of all assets.
pub(super) fn of<'a>(report: &'a ScanReport, parts: &mut Parts<'a>) -> Vulnerabilities {
    let mut groups: BTreeMap<Key<'a>, Vec<(usize, &'a Finding)>> = BTreeMap::new();
    for (asset, found) in report.assets.iter().enumerate() {
        for finding in &found.findings {
            groups.entry(key(finding)).or_default().push((asset, finding));
        }
    }
    let groups = groups.into_values();
    let all = groups.map(|group| {
        let mut vulnerability = vulnerability(&group, parts);
        // Without the list nobody can say that a vulnerability is not on it.
        if report.has_feed("kev") {
            let known = if group[0].1.kev { "true" } else { "false" };
            let properties = vulnerability.properties.get_or_insert(Properties(Vec::new()));
            properties.0.push(property("kev", known));
        }
        vulnerability
    });
    Vulnerabilities(all.collect())
}

fn vulnerability<'a>(group: &[(usize, &'a Finding)], parts: &mut Parts<'a>) -> Vulnerability {
    let (_, finding) = group[0];
    let reference = parts.reference(&format!("vulnerability:{}", finding.id));
    let mut properties = properties(finding);
    let affects = targets(group, parts, &mut properties);
    let mut vulnerability = Vulnerability::new(Some(reference));
    vulnerability.id = Some(NormalizedString::new(&finding.id));
    vulnerability.vulnerability_source = Some(source(finding));
    vulnerability.vulnerability_references = references(finding);
    vulnerability.vulnerability_ratings = Some(VulnerabilityRatings(ratings(finding)));
    vulnerability.recommendation = finding.fixed.as_deref().map(|fixed| {
        let source = parts.packages(group[0].0, &finding.purl).first();
        let name = source.map_or(finding.package.as_str(), |(_, p)| p.source.name.as_str());
        format!("Install packages built from {name} {fixed} or later")
    });
    vulnerability.advisories = advisories(finding);
    vulnerability.vulnerability_analysis = Some(analysis(finding.status));
    vulnerability.vulnerability_targets = Some(VulnerabilityTargets(affects));
    vulnerability.properties = Some(Properties(properties));
    vulnerability
}

fn properties(finding: &Finding) -> Vec<Property> {
    let mut properties = vec![
        property("status", finding.status.as_str()),
        property("severity", finding.severity.as_str()),
    ];
    let fixed = finding.fixed.iter();
    properties.extend(fixed.map(|version| property("fixed_source_version", version)));
    properties
}

fn source(finding: &Finding) -> VulnerabilitySource {
    VulnerabilitySource::new(Some(finding.feed.clone()), page(finding))
}

/// The publisher's page on the advisory, where its address follows from the id.
fn page(finding: &Finding) -> Option<Uri> {
    let plain = finding.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match finding.feed.as_str() {
        "debian" if plain => {
            Some(Uri::new(&format!("https://security-tracker.debian.org/tracker/{}", finding.id)))
        }
        _ => None,
    }
}

fn references(finding: &Finding) -> Option<VulnerabilityReferences> {
    let source = || VulnerabilitySource::new(Some(finding.feed.clone()), None);
    let aliases = finding.aliases.iter().filter(|alias| **alias != finding.id);
    let references: Vec<_> =
        aliases.map(|alias| VulnerabilityReference::new(alias, source())).collect();
    (!references.is_empty()).then_some(VulnerabilityReferences(references))
}

/// The vendor's word, which follows no public method, and the CVSS vector if there is one.
fn ratings(finding: &Finding) -> Vec<VulnerabilityRating> {
    let by_vendor = VulnerabilityRating {
        vulnerability_source: Some(VulnerabilitySource::new(Some(finding.feed.clone()), None)),
        score: None,
        severity: Some(severity(finding.severity)),
        score_method: Some(other_method()),
        vector: None,
        justification: None,
    };
    let by_score = finding.cvss.as_deref().map(cvss);
    [Some(by_vendor), by_score].into_iter().flatten().collect()
}

/// The schema's word for a method of the publisher's own, which the crate has no name for.
fn other_method() -> ScoreMethod {
    ScoreMethod::Unknown("other".to_owned())
}

fn severity(severity: Severity) -> Rated {
    match severity {
        Severity::Critical => Rated::Critical,
        Severity::High => Rated::High,
        Severity::Medium => Rated::Medium,
        Severity::Low => Rated::Low,
        Severity::Negligible => Rated::Info,
        Severity::Unknown => Rated::Unknown,
    }
}

/// Reads `[SCORE ]VECTOR`; a text of another kind is kept whole as the vector.
fn cvss(text: &str) -> VulnerabilityRating {
    let (score, vector) = match text.split_once(' ') {
        Some((score, vector)) if score.parse::<f32>().is_ok() => (score.parse().ok(), vector),
        _ => (None, text),
    };
    let method = match vector.split_once('/').map(|(version, _)| version) {
        Some("CVSS:4.0") => ScoreMethod::CVSSv4,
        Some("CVSS:3.1") => ScoreMethod::CVSSv31,
        Some("CVSS:3.0") => ScoreMethod::CVSSv3,
        Some(version) if version.starts_with("AV:") => ScoreMethod::CVSSv2,
        _ => other_method(),
    };
    VulnerabilityRating {
        vulnerability_source: None,
        score: score.and_then(Score::from_f32),
        severity: None,
        score_method: Some(method),
        vector: Some(NormalizedString::new(vector)),
        justification: None,
    }
}

fn advisories(finding: &Finding) -> Option<Advisories> {
    let title = |text: &str| Some(NormalizedString::new(text));
    let by_vendor = page(finding).map(|url| Advisory { title: title(&finding.id), url });
    let kev = finding.kev.then(|| Advisory {
        title: title("CISA known exploited vulnerabilities"),
        url: Uri::new(KEV_PAGE),
    });
    let all: Vec<_> = [by_vendor, kev].into_iter().flatten().collect();
    (!all.is_empty()).then_some(Advisories(all))
}

fn analysis(status: Status) -> VulnerabilityAnalysis {
    let (response, detail) = match status {
        Status::Fixed => (Some(Response::Update), "the vendor published a fixed version"),
        Status::Affected => (None, "the vendor has no fix yet"),
        Status::NoAdvisory => {
            (None, "the vendor will issue no security update; a point release may carry a fix")
        }
        Status::WillNotFix => {
            (Some(Response::WillNotFix), "the vendor will not fix it in this release")
        }
        Status::FixDeferred => (None, "the vendor put the fix off"),
        Status::Unimportant => (None, "the vendor holds it to be of no security concern"),
        Status::EndOfLife => {
            (Some(Response::WillNotFix), "the package is out of support in this release")
        }
    };
    VulnerabilityAnalysis {
        state: None,
        justification: None,
        responses: response.map(|response| vec![response]),
        detail: Some(detail.to_owned()),
        first_issued: None,
        last_updated: None,
    }
}

/// The components that the findings are on. One that the document does not have is named in a
/// property, for a reference must lead somewhere.
fn targets<'a>(
    group: &[(usize, &'a Finding)],
    parts: &Parts<'a>,
    properties: &mut Vec<Property>,
) -> Vec<VulnerabilityTarget> {
    let mut targets: BTreeMap<String, Option<Versions>> = BTreeMap::new();
    for (asset, finding) in group {
        let packages = parts.packages(*asset, &finding.purl);
        if packages.is_empty() {
            properties.push(property("affected_purl", &finding.purl));
        }
        for (reference, package) in packages {
            targets.insert(reference.clone(), versions(finding, package));
        }
    }
    let targets = targets.into_iter();
    targets.map(|(bom_ref, versions)| VulnerabilityTarget { bom_ref, versions }).collect()
}

fn versions(finding: &Finding, package: &Package) -> Option<Versions> {
    let installed = Some(&finding.installed).filter(|v| (1..=MOST_VERSION).contains(&v.len()));
    let installed = installed.map(|version| Version {
        version_range: VersionRange::Version(NormalizedString::new(version)),
        status: Affected::Affected,
    });
    let all: Vec<_> = [installed, unaffected(finding, package)].into_iter().flatten().collect();
    (!all.is_empty()).then_some(Versions(all))
}

/// From the fixed version on; only where source and package count alike, for the advisory speaks
/// of the source's version and the component has the package's.
fn unaffected(finding: &Finding, package: &Package) -> Option<Version> {
    let fixed = finding.fixed.as_deref()?;
    if package.version != package.source.version {
        return None;
    }
    let mut range = format!("vers:{}/>=", package.ecosystem.purl_type());
    for byte in fixed.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~".contains(&byte) {
            range.push(char::from(byte));
        } else {
            let _ = write!(range, "%{byte:02X}");
        }
    }
    let range = Some(range).filter(|range| range.len() <= MOST_VERSION)?;
    Some(Version {
        version_range: VersionRange::Range(NormalizedString::new(&range)),
        status: Affected::Unaffected,
    })
}
