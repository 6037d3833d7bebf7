//! What a unit's file and what is dropped in beside it say: `systemd.syntax(7)`, `systemd.service(5)`,
//! `systemd.socket(5)`.

/// Most values of one setting.
const MOST: usize = 256;

/// The settings that tell what is started.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `ExecStart=`, in order.
    pub commands: Vec<String>,
    /// `User=`.
    pub user: Option<String>,
    /// `ListenStream=` and its like, with the word for the kind before each.
    pub listens: Vec<String>,
    /// The unit that a socket, timer or path starts, where it is not of the same name.
    pub starts: Option<String>,
    /// Whether a socket starts an instance for each connection.
    pub accepts: bool,
    /// Other names that it is enabled by.
    pub aliases: Vec<String>,
}

impl Settings {
    /// Reads files; later ones count more, and an empty value forgets those before.
    pub fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut settings = Self::default();
        for text in texts {
            let mut section = String::new();
            for line in lines(text) {
                if let Some(name) = line.strip_prefix('[') {
                    name.trim_end_matches(']').clone_into(&mut section);
                } else if let Some((key, value)) = line.split_once('=') {
                    settings.set(&section, key.trim(), value.trim());
                }
            }
        }
        settings
    }

    fn set(&mut self, section: &str, key: &str, value: &str) {
        match (section, key) {
            ("Service", "ExecStart") => add(&mut self.commands, value, value.to_owned()),
            ("Service", "User") => self.user = some(value),
            ("Socket", "Service") | ("Timer" | "Path", "Unit") => self.starts = some(value),
            ("Socket", "Accept") => self.accepts = matches!(value, "yes" | "true" | "on" | "1"),
            ("Socket", key) => {
                if let Some(kind) = key.strip_prefix("Listen") {
                    let kind = kind.to_ascii_lowercase();
                    add(&mut self.listens, value, format!("{kind} {value}"));
                }
            }
            ("Install", "Alias") => {
                let room = MOST.saturating_sub(self.aliases.len());
                let names = value.split_whitespace().map(str::to_owned);
                self.aliases.extend(names.take(room));
            }
            _ => {}
        }
    }
}

fn add(list: &mut Vec<String>, value: &str, item: String) {
    if value.is_empty() {
        list.clear();
    } else if list.len() < MOST {
        list.push(item);
    }
}

fn some(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// Lines, of which a backslash at the end takes in the next; comments between them are dropped.
fn lines(text: &str) -> impl Iterator<Item = String> {
    let mut whole = String::new();
    let mut rest = text.lines();
    std::iter::from_fn(move || {
        for line in rest.by_ref() {
            let line = line.trim();
            if line.starts_with(['#', ';']) || (line.is_empty() && whole.is_empty()) {
                continue;
            }
            let Some(line) = line.strip_suffix('\\') else {
                whole.push_str(line);
                return Some(std::mem::take(&mut whole));
            };
            whole.push_str(line);
            whole.push(' ');
        }
        (!whole.is_empty()).then(|| std::mem::take(&mut whole))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_setting_counts_and_an_empty_one_forgets() {
        let unit = "[Unit]\nExecStart=/no\n[Service]\nExecStart=/bin/one \\\n# why\n  two\nUser=a\n[Install]\nAlias=x.service y.service\n";
        let settings = Settings::read([unit].into_iter());
        assert_eq!(settings.commands, ["/bin/one  two"]);
        assert_eq!((settings.user.as_deref(), settings.aliases.len()), (Some("a"), 2));
        let dropped = "[Service]\nExecStart=\nExecStart=/bin/two\nUser=\n";
        let settings = Settings::read([unit, dropped].into_iter());
        assert_eq!((settings.commands, settings.user), (vec!["/bin/two".to_owned()], None));
    }

    #[test]
    fn what_sockets_listen_on() {
        let text =
            "[Socket]\nListenStream=22\nListenDatagram=[::]:5\nAccept=yes\nService=a.service\n";
        let settings = Settings::read([text].into_iter());
        assert_eq!(settings.listens, ["stream 22", "datagram [::]:5"]);
        assert!(settings.accepts && settings.starts.as_deref() == Some("a.service"));
    }
}
