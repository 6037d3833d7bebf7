//! The program of a command: of `ExecStart=` (`systemd.service(5)`), and of the shell text that cron runs.

/// Longest word that is taken for a program.
const LONGEST: usize = 4096;
/// Words that a command may have.
const MOST_WORDS: usize = 256;
/// What a shell does itself, and programs that only run another.
const BUILTIN: [&str; 29] = [
    "test", "[", "[[", "cd", "if", "then", "else", "fi", "{", "}", "!", "exec", "command",
    "export", "set", "umask", "ulimit", "true", "false", ":", ".", "eval", "while", "do", "done",
    "for", "case", "echo", "sleep",
];
/// Programs that run the command after their own options.
const WRAPPERS: [&str; 6] = ["nice", "ionice", "chronic", "setsid", "nohup", "env"];

/// Programs that run a text, which they are given behind `-c`.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "ash", "ksh"];

/// A program as it is named, and where one without slashes is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Command {
    /// The name or path.
    pub program: String,
    /// `PATH`, where that is set beside it.
    pub path: Option<String>,
}

impl Command {
    /// Of a line of `ExecStart=` of a unit of this name; none where the program is not known before it runs.
    pub fn of_unit(line: &str, unit: &str) -> Option<Self> {
        let line = line.trim_start_matches(['@', '-', ':', '+', '!', '|']);
        let mut words = words(line);
        let word = words.next()?;
        let program = expanded(&word, unit).filter(|_| word.len() <= LONGEST)?;
        let is_shell = SHELLS.contains(&program.rsplit('/').next().unwrap_or_default());
        if is_shell && words.next().is_some_and(|it| it.starts_with('-') && it.ends_with('c')) {
            let text = words.next().and_then(|text| expanded(&text, unit));
            let command = text.and_then(|text| Self::of_shell(&text, None));
            if command.is_some() {
                return command;
            }
        }
        is_program(&program).then_some(Self { program, path: None })
    }

    /// Of a text for a shell: the first command that is not the shell's own.
    pub fn of_shell(text: &str, path: Option<&str>) -> Option<Self> {
        let commands = text.split(['\n', ';', '|', '&', '(', ')']);
        let program = commands.take(MOST_WORDS).find_map(of_simple)?;
        is_program(&program).then(|| Self { program, path: path.map(str::to_owned) })
    }
}

fn is_program(word: &str) -> bool {
    (1..=LONGEST).contains(&word.len()) && !word.contains(['\0', '$', '`'])
}

/// The program of a command without `&&` and its like.
fn of_simple(text: &str) -> Option<String> {
    let mut words = words(text).skip_while(|word| is_assignment(word)).peekable();
    // `! test`, `{ cd`: a word of the shell may come before another command.
    while words
        .next_if(|word| matches!(word.as_str(), "{" | "!" | "then" | "do" | "if" | "exec" | "else"))
        .is_some()
    {}
    let first = words.next()?;
    let name = first.rsplit('/').next().unwrap_or_default();
    if WRAPPERS.contains(&name) {
        let is_option = |word: &String| {
            word.starts_with('-') || word.parse::<i64>().is_ok() || is_assignment(word)
        };
        return words.find(|word| !is_option(word)).or(Some(first));
    }
    (!BUILTIN.contains(&first.as_str())).then_some(first)
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !name.is_empty() && name.bytes().all(is_letter)
    })
}

/// Words, with quotes and backslashes taken off.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut rest = text.chars();
    let mut count = 0;
    std::iter::from_fn(move || {
        count += 1;
        if count > MOST_WORDS {
            return None;
        }
        let (mut word, mut quote, mut begun) = (String::new(), None, false);
        while let Some(letter) = rest.next() {
            match letter {
                '\\' if quote != Some('\'') => word.extend(rest.next()),
                '"' | '\'' if quote.is_none() => quote = Some(letter),
                _ if quote == Some(letter) => quote = None,
                _ if letter.is_whitespace() && quote.is_none() => {
                    if begun {
                        return Some(word);
                    }
                    continue;
                }
                _ => word.push(letter),
            }
            begun = true;
        }
        begun.then_some(word)
    })
}

/// A path with the specifiers that are known from the unit's name; none with any other.
fn expanded(word: &str, unit: &str) -> Option<String> {
    let stem = unit.rsplit_once('.').map_or(unit, |(stem, _)| stem);
    let (prefix, instance) = stem.split_once('@').unwrap_or((stem, ""));
    let mut text = String::new();
    let mut letters = word.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match letters.next()? {
            '%' => text.push('%'),
            'n' => text.push_str(unit),
            'N' => text.push_str(stem),
            'p' => text.push_str(prefix),
            'i' => text.push_str(instance),
            _ => return None,
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_units() {
        for (line, expected) in [
            ("/usr/sbin/sshd -D $SSHD_OPTS", Some("/usr/sbin/sshd")),
            ("-@!!/bin/a b", Some("/bin/a")),
            ("\"/opt/my app/run\" x", Some("/opt/my app/run")),
            ("/opt/a\\x", Some("/opt/ax")),
            ("/usr/lib/%p/%i-%n", Some("/usr/lib/a/one-a@one.service")),
            ("/opt/100%%", Some("/opt/100%")),
            ("%h/run", None),
            ("${JAVA_HOME}/bin/java", None),
            ("sshd -D", Some("sshd")),
            ("/bin/sh -c \"exec /opt/app/server -x\"", Some("/opt/app/server")),
            ("/bin/bash -lc '/opt/%i; true'", Some("/opt/one")),
            ("/bin/sh -c 'cd /'", Some("/bin/sh")),
            ("/bin/sh /opt/script", Some("/bin/sh")),
            ("", None),
            ("-", None),
        ] {
            let found = Command::of_unit(line, "a@one.service").map(|it| it.program);
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }

    /// The first three are Debian's own.
    #[test]
    fn programs_of_cron() {
        for (text, expected) in [
            ("cd / && run-parts --report /etc/cron.hourly", Some("run-parts")),
            (
                "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }",
                Some("run-parts"),
            ),
            (
                "test -e /run/systemd/system || SERVICE_MODE=1 /usr/lib/e2fsprogs/e2scrub_all_cron",
                Some("/usr/lib/e2fsprogs/e2scrub_all_cron"),
            ),
            (
                "[ -x /usr/lib/php/sessionclean ] && if [ ! -d /run/systemd/system ]; then /usr/lib/php/sessionclean; fi",
                Some("/usr/lib/php/sessionclean"),
            ),
            ("nice -n 19 /usr/local/bin/backup", Some("/usr/local/bin/backup")),
            ("A=1 B='x y' /bin/c", Some("/bin/c")),
            ("$HOME/bin/x", None),
            ("cd /", None),
            ("", None),
        ] {
            let found = Command::of_shell(text, None).map(|it| it.program);
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    /// Texts made of what matters to the reader, in all orders that a fixed sequence gives.
    #[test]
    fn no_text_is_too_odd() {
        let parts = [
            "\\", "\"", "'", "%", "%%", "%i", "@", " ", "=", "{", "&&", "nice", "\u{e9}", "A=",
            "[", "/x",
        ];
        let mut state = 1_u32;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..8 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push_str(parts[(state >> 24) as usize % parts.len()]);
            }
            let unit = Command::of_unit(&text, "\u{e9}@\u{e9}.service");
            let shell = Command::of_shell(&text, None);
            assert!([unit, shell].into_iter().flatten().all(|it| !it.program.is_empty()), "{text}");
        }
    }
}
