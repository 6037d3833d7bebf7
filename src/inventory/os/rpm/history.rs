//! The history of dnf, and that of dnf5: SQLite files in which each transaction lists its packages and
//! the repositories that they came from.
//!
//! Of the tables `rpm` (with `pkg_name` and `arch` in dnf5's), `trans_item` and `repo` only what is about installed
//! packages is held. The last time that a package was installed counts.

use super::origins::Wanted;
use super::reason;
use crate::host::{Host, PathError};
use crate::inventory::Problems;
use crate::model::{Gap, GapReason, printable};
use block_source::BlockSource;
use rpmdb_reader::{Beside, Error, Record, Tables};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

const MOST_FILE: u64 = 1 << 30;
/// Rows of a table that are read; a host of ten years has some ten thousand.
const MOST_ROWS: usize = 500_000;
/// Bytes of the id of a repository.
const MOST_WORD: usize = 1024;
const MOST_PROBLEMS: usize = 20;
/// Actions after which a package is not there: what dnf and dnf5 number as downgraded, obsoleted, upgraded, removed,
/// reinstalled (the older of two), or changed in nothing but its reason.
const GONE: [i64; 6] = [3, 5, 7, 8, 10, 11];
const GONE_5: [i64; 3] = [5, 6, 7];
/// States of what failed.
const FAILED: i64 = 2;
const FAILED_5: i64 = 3;

/// The repositories of wanted packages, by the indexes of those.
pub(super) fn read(
    host: &Host,
    path: &str,
    wanted: &Wanted,
    gaps: &mut Vec<Gap>,
) -> Vec<(usize, String)> {
    let mut problems = Problems::new(path, MOST_PROBLEMS);
    let told = told(host, path, wanted, &mut problems).unwrap_or_else(|gap| {
        problems.push(gap);
        Vec::new()
    });
    gaps.extend(problems.into_gaps());
    told
}

fn told(
    host: &Host,
    path: &str,
    wanted: &Wanted,
    problems: &mut Problems,
) -> Result<Vec<(usize, String)>, Gap> {
    let Some(file) = open(host, path)? else { return Ok(Vec::new()) };
    let beside = Beside {
        wal: open(host, &format!("{path}-wal"))?,
        journal: open(host, &format!("{path}-journal"))?,
    };
    let tables = Tables::open(file, beside).map_err(|error| gap(path, &error))?;
    for problem in tables.problems() {
        problems.push(gap(path, problem));
    }
    let mut history = History { path, tables: &tables, problems };
    let items = history.items(wanted)?;
    let last = history.last_installed(&items)?;
    history.repositories(&last)
}

fn open(host: &Host, path: &str) -> Result<Option<Arc<dyn BlockSource>>, Gap> {
    let fail = |error: PathError| Gap::new(path, error.reason(), error);
    let file = host.tree.open_positioned(path.as_bytes()).map_err(fail)?;
    if let Some(size) = file.as_ref().map(BlockSource::size).filter(|it| *it > MOST_FILE) {
        let detail = format!("{size} bytes, more than the {MOST_FILE} that are read");
        return Err(Gap::new(path, GapReason::Limit, detail));
    }
    Ok(file.map(|file| Arc::new(file.in_parts()) as Arc<dyn BlockSource>))
}

fn gap(path: &str, error: &Error) -> Gap {
    Gap::new(path, reason(error), error)
}

/// A history that is being read.
struct History<'a> {
    path: &'a str,
    tables: &'a Tables,
    problems: &'a mut Problems,
}

impl History<'_> {
    /// Shows each row of a table, with the places of these columns; `false` if the table is not there.
    fn each<const N: usize>(
        &mut self,
        name: &str,
        columns: [&str; N],
        show: &mut dyn FnMut(&Record, [usize; N]),
    ) -> Result<bool, Gap> {
        let table = self.tables.table(name).map_err(|error| gap(self.path, &error))?;
        let Some(table) = table else { return Ok(false) };
        let mut places = [0; N];
        for (place, column) in places.iter_mut().zip(columns) {
            let Some(found) = table.column(column) else {
                let detail = format!("table {name} has no column {column}");
                return Err(Gap::new(self.path, GapReason::Unsupported, detail));
            };
            *place = found;
        }
        for (count, row) in table.enumerate() {
            if count >= MOST_ROWS {
                let detail =
                    format!("table {name} has more rows than the {MOST_ROWS} that are read");
                self.problems.push(Gap::new(self.path, GapReason::Limit, detail));
                break;
            }
            match row {
                Ok(row) => show(&row, places),
                Err(error) => self.problems.push(gap(self.path, &error)),
            }
        }
        Ok(true)
    }

    /// The packages of items, by the numbers of those.
    fn items(&mut self, wanted: &Wanted) -> Result<HashMap<i64, usize>, Gap> {
        let mut items = HashMap::new();
        let names = self.words("pkg_name", wanted)?;
        let columns = match names {
            Some(_) => ["item_id", "name_id", "epoch", "version", "release", "arch_id"],
            None => ["item_id", "name", "epoch", "version", "release", "arch"],
        };
        let names = names.unwrap_or_default();
        let arches = self.words("arch", wanted)?.unwrap_or_default();
        let known = |row: &Record, column, words: &HashMap<i64, String>| match row.text(column) {
            Some(text) => Some(printable(text)),
            None => words.get(&row.integer(column)?).cloned(),
        };
        self.each("rpm", columns, &mut |row, [item, name, epoch, version, release, arch]| {
            let nevra = || {
                let (name, arch) = (known(row, name, &names)?, known(row, arch, &arches)?);
                let epoch = row.integer(epoch).filter(|epoch| *epoch != 0);
                let epoch = epoch.map_or(String::new(), |epoch| format!("{epoch}:"));
                let (version, release) = (row.text(version)?, row.text(release)?);
                Some(format!("{name}-{epoch}{}-{}.{arch}", printable(version), printable(release)))
            };
            if let (Some(item), Some(index)) =
                (row.integer(item), nevra().and_then(|it| wanted.get(&it)))
            {
                items.insert(item, index);
            }
        })?;
        Ok(items)
    }

    /// Words of wanted packages by their numbers, which dnf5 keeps apart; `None` if there is no such table.
    fn words(&mut self, table: &str, wanted: &Wanted) -> Result<Option<HashMap<i64, String>>, Gap> {
        let mut words = HashMap::new();
        let is_there = self.each(table, ["id", "name"], &mut |row, [id, name]| {
            let word = row.text(name).map(printable).filter(|word| wanted.names(word));
            words.extend(row.key(id).zip(word));
        })?;
        Ok(is_there.then_some(words))
    }

    /// The number of the repository that each item was last installed from, by the index of its package.
    fn last_installed(&mut self, items: &HashMap<i64, usize>) -> Result<HashMap<usize, i64>, Gap> {
        let mut last = HashMap::<usize, (i64, i64)>::new();
        let is_of_dnf = match self.tables.table("trans_item") {
            Ok(Some(table)) => table.column("action").is_some(),
            Ok(None) => return Ok(HashMap::new()),
            Err(error) => return Err(gap(self.path, &error)),
        };
        let (columns, gone, failed) = if is_of_dnf {
            (["id", "item_id", "repo_id", "action", "state"], &GONE[..], FAILED)
        } else {
            (["id", "item_id", "repo_id", "action_id", "state_id"], &GONE_5[..], FAILED_5)
        };
        self.each("trans_item", columns, &mut |row, [id, item, repository, action, state]| {
            let is_installed = row.integer(action).is_some_and(|action| !gone.contains(&action));
            let index = row.integer(item).and_then(|item| items.get(&item)).copied();
            let (Some(index), Some(id), Some(repository)) =
                (index, row.key(id), row.integer(repository))
            else {
                return;
            };
            let is_newer = last.get(&index).is_none_or(|(before, _)| *before < id);
            if is_installed && is_newer && row.integer(state) != Some(failed) {
                last.insert(index, (id, repository));
            }
        })?;
        Ok(last.into_iter().map(|(index, (_, repository))| (index, repository)).collect())
    }

    fn repositories(&mut self, last: &HashMap<usize, i64>) -> Result<Vec<(usize, String)>, Gap> {
        let used: HashSet<i64> = last.values().copied().collect();
        let mut names = HashMap::new();
        self.each("repo", ["id", "repoid"], &mut |row, [id, name]| {
            let id = row.key(id).filter(|id| used.contains(id));
            let name = row.text(name).filter(|name| name.len() <= MOST_WORD);
            names.extend(id.zip(name.map(printable)));
        })?;
        let told = last.iter().filter_map(|(index, id)| Some((*index, names.get(id)?.clone())));
        Ok(told.collect())
    }
}
