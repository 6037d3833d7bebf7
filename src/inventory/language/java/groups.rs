//! Groups of widespread artifacts, for archives that do not tell theirs.

/// The group of an artifact, if it is in the table.
pub fn known(artifact: &str) -> Option<&'static str> {
    let lines = include_str!("groups.tsv").lines().filter(|line| !line.starts_with('#'));
    let mut rows = lines.filter_map(|line| line.split_once('\t'));
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => artifact.starts_with(start),
        None => artifact == pattern,
    };
    rows.find(|(pattern, _)| fits(pattern)).map(|(_, group)| group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_that_fits_counts() {
        assert_eq!(known("spring-core"), Some("org.springframework"));
        assert_eq!(known("spring-boot-loader"), Some("org.springframework.boot"));
        assert_eq!(known("tomcat-embed-core"), Some("org.apache.tomcat.embed"));
        assert_eq!(known("springfield"), None);
    }
}
