//! `/etc/fstab`: which filesystem belongs where.

use super::spec::Spec;
use super::wanted::{Origin, Wanted};

/// All lines that parse; comments and broken lines are left out, as `mount` does.
pub fn parse(text: &str) -> Vec<Wanted> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Wanted> {
    let line = line.trim_start();
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split_whitespace();
    let device = unescape(fields.next()?);
    let path = unescape(fields.next()?);
    let kind = fields.next().unwrap_or("auto").to_owned();
    let options = fields.next().unwrap_or("").to_owned();
    Some(Wanted { spec: Spec::parse(&device), device, path, kind, options, origin: Origin::Fstab })
}

/// fstab writes blanks in names as octal.
fn unescape(field: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(field.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_comments_and_short_lines() {
        let lines =
            parse("# c\nUUID=1 /mnt/my\\040disk ext4 noauto,ro 0 2\n/dev/sdb\nproc /proc proc\n");
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].path.as_str(), lines[0].is_noauto()), ("/mnt/my disk", true));
        assert!(lines[0].is_on_disk() && !lines[1].is_on_disk());
    }
}
