//! `grub.cfg` and `grubenv`, as `grub-mkconfig` writes them.
//!
//! Grub's language is not run: conditions are not decided. Of several values of `default` the first
//! that is not empty counts (the earlier ones are for a single boot), a variable keeps its first
//! value, and one that is not known is empty.
//! Manual: <https://www.gnu.org/software/grub/manual/grub/grub.html#Configuration>

use super::Entry;
use std::collections::BTreeMap;

/// Deepest menu that is followed.
pub const DEEPEST: usize = 8;
/// Most entries that are kept.
const MOST_ENTRIES: usize = 1000;
/// Where variables make a text longer than this, the rest of them stays empty.
const LONGEST: usize = 64 << 10;

/// What a script says.
#[derive(Debug, Default)]
pub struct Script {
    /// Its menu.
    pub entries: Vec<Entry>,
    /// Which entry is started.
    pub default: Option<String>,
    /// Whether the entries of the Boot Loader Specification are part of the menu.
    pub takes_loader_entries: bool,
    /// Of the environment block, then of the script.
    pub variables: BTreeMap<String, String>,
}

impl Script {
    /// Whether it has an entry of its own that starts something.
    pub fn has_entries(&self) -> bool {
        self.entries.iter().any(|entry| super::first_command_line(entry).is_some())
    }
}

/// Reads a script and the environment block beside it.
pub fn parse(script: &str, environment: &str) -> Script {
    let mut reading = Reading::default();
    for line in environment.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, value)) = line.split_once('=') {
            reading.script.variables.insert(name.to_owned(), value.to_owned());
        }
    }
    script.lines().for_each(|line| reading.line(line));
    while reading.close() {}
    reading.script
}

#[derive(Default)]
struct Reading {
    script: Script,
    /// Open braces; those of entries hold what was read of them.
    open: Vec<Option<Entry>>,
    count: usize,
}

impl Reading {
    /// A line may be several commands.
    fn line(&mut self, line: &str) {
        let words = words(line);
        let is_end = |word: &String| matches!(word.as_str(), ";" | "{" | "}");
        for command in words.split_inclusive(is_end) {
            let (end, before) = command.split_last().map_or(("", command), |(end, before)| {
                if is_end(end) { (end.as_str(), before) } else { ("", command) }
            });
            match end {
                "{" => self.command(command),
                _ => self.command(before),
            }
            if end == "}" {
                self.close();
            }
        }
    }

    fn command(&mut self, words: &[String]) {
        let Some(first) = words.first() else { return };
        match first.as_str() {
            "menuentry" | "submenu" => self.begin(words),
            "set" => self.set(words.get(1)),
            "blscfg" => self.script.takes_loader_entries = true,
            name if name.starts_with("linux") => self.kernel(words),
            _ if words.last().is_some_and(|last| last == "{") => self.open.push(None),
            _ => {}
        }
    }

    fn begin(&mut self, words: &[String]) {
        let id = words.iter().enumerate().find_map(|(at, word)| match word.as_str() {
            "$menuentry_id_option" | "--id" => words.get(at + 1).cloned(),
            word => word.strip_prefix("--id=").map(str::to_owned),
        });
        let title = words.get(1).cloned().unwrap_or_default();
        self.count += 1;
        let kept = self.count <= MOST_ENTRIES && self.open.len() < DEEPEST;
        let entry = Entry { title, id: id.unwrap_or_default(), ..Entry::default() };
        self.open.push(kept.then_some(entry));
    }

    /// Closes the innermost brace; `false` if none is open.
    fn close(&mut self) -> bool {
        let Some(closed) = self.open.pop() else { return false };
        if let Some(entry) = closed {
            let around = self.open.iter_mut().rev().find_map(Option::as_mut);
            around.map_or(&mut self.script.entries, |around| &mut around.children).push(entry);
        }
        true
    }

    fn set(&mut self, assignment: Option<&String>) {
        let Some((name, value)) = assignment.and_then(|word| word.split_once('=')) else { return };
        let value = expand(value, &self.script.variables);
        if value.is_empty() {
            return;
        }
        if name == "default" {
            self.script.default.get_or_insert(value);
        } else {
            self.script.variables.entry(name.to_owned()).or_insert(value);
        }
    }

    /// `linux`, the kernel, and its command line.
    fn kernel(&mut self, words: &[String]) {
        let line = words.get(2..).unwrap_or_default().join(" ");
        let line = expand(&line, &self.script.variables);
        let kernel = words.get(1).map(|path| expand(path, &self.script.variables));
        if let Some(entry) = self.open.iter_mut().rev().find_map(Option::as_mut) {
            entry.command_line.get_or_insert(line);
            entry.kernel = entry.kernel.take().or(kernel);
        }
    }
}

/// Puts the values of variables in their places.
pub fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut parts = text.split('$');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let braced = part.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let (name, rest) = braced
            .unwrap_or_else(|| part.split_at(part.find(|c| !is_name(c)).unwrap_or(part.len())));
        let value = variables.get(name).map_or("", String::as_str);
        if plain.len() + value.len() <= LONGEST {
            plain.push_str(value);
        }
        plain.push_str(rest);
    }
    plain
}

/// The words of a line, with quotes and backslashes taken off; a semicolon is one. Single quotes keep
/// variables from being put in, which is of no matter where they are used.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.trim().chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if quote != Some('\'') => {
                word.get_or_insert_default().extend(characters.next());
            }
            '\'' | '"' if quote.is_none() => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            _ if quote == Some(character) => quote = None,
            '#' if quote.is_none() && word.is_none() => break,
            _ if character.is_whitespace() && quote.is_none() => words.extend(word.take()),
            ';' if quote.is_none() => {
                words.extend(word.take());
                words.push(";".to_owned());
            }
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}
