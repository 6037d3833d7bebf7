//! Perl: what the installers of CPAN left, and Carton's `cpanfile.snapshot`.

mod distribution;
mod packlist;
mod snapshot;

pub use distribution::INSTALL_JSON;
pub use packlist::Packlist;
pub use snapshot::SNAPSHOT;

/// `Name-1.23` as name and version: the version begins after the last dash that a digit (or `v` and one) follows.
fn split_dist(dist: &str) -> Option<(&str, &str)> {
    let is_version = |at: usize| {
        let rest = &dist[at + 1..];
        rest.strip_prefix('v').unwrap_or(rest).starts_with(|c: char| c.is_ascii_digit())
    };
    let dash = dist.rmatch_indices('-').map(|(at, _)| at).find(|at| is_version(*at))?;
    Some((&dist[..dash], &dist[dash + 1..]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_have_dashes_and_versions_may_too() {
        for (dist, expected) in [
            ("Foo-Bar-1.23", Some(("Foo-Bar", "1.23"))),
            ("Foo-v1.2.3-TRIAL", Some(("Foo", "v1.2.3-TRIAL"))),
            ("Foo-Bar", None),
            ("-", None),
        ] {
            assert_eq!(super::split_dist(dist), expected);
        }
    }
}
