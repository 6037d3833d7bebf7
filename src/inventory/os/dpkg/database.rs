//! The packages of one database while its files are read over each other, by dpkg's own rules
//! (`lib/dpkg/parse.c`).

use crate::model::Package;
use std::collections::BTreeMap;

/// Most instances of packages that are held.
pub(super) const MOST: usize = crate::inventory::MOST_PACKAGES;

/// What a stanza is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// `status`: each name and architecture is a package of its own.
    Status,
    /// A file of the journal, which may also change a package's architecture.
    Journal,
    /// A file of `status.d`, which says nothing of a state.
    Alone,
}

/// How far a package is installed, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is gone.
    NotInstalled,
    /// An installation broke off.
    HalfInstalled,
    /// Anything else.
    Present,
}

impl From<&str> for State {
    fn from(word: &str) -> Self {
        match word {
            "not-installed" => Self::NotInstalled,
            "half-installed" => Self::HalfInstalled,
            _ => Self::Present,
        }
    }
}

/// A package of one architecture.
pub(super) struct Instance {
    pub(super) name: String,
    pub(super) arch: String,
    pub(super) state: State,
    /// `Multi-Arch: same`: it may be installed in several architectures at once.
    pub(super) beside_others: bool,
    /// The package, if it counts as installed.
    pub(super) package: Option<Package>,
}

/// Name, architecture, and a number: dpkg takes no database that has a package twice, but whoever
/// wrote one may have installed either.
type Key = (String, String, u32);

/// The instances of packages.
#[derive(Default)]
pub(super) struct Database(BTreeMap<Key, Instance>);

impl Database {
    /// Takes an instance, in place of the one that it replaces if it comes from the journal;
    /// `false` if there is no room.
    pub(super) fn put(&mut self, instance: Instance, writing: Writing) -> bool {
        if writing == Writing::Journal {
            self.remove_replaced(&instance);
        }
        if instance.state == State::NotInstalled {
            return true;
        }
        if self.0.len() >= MOST {
            return false;
        }
        let last = self.same(&instance).next_back().map(|(key, _)| key.2);
        let number = last.map_or(0, |last| last.saturating_add(1));
        self.0.insert((instance.name.clone(), instance.arch.clone(), number), instance);
        true
    }

    /// A package that is installed once may change its architecture, unless both are of those that
    /// stand beside others.
    fn remove_replaced(&mut self, by: &Instance) {
        let changed = self.only(&by.name).filter(|(_, only)| {
            only.state == State::HalfInstalled || !(only.beside_others && by.beside_others)
        });
        let replaced: Vec<Key> = self.same(by).chain(changed).map(|(key, _)| key.clone()).collect();
        for key in replaced {
            self.0.remove(&key);
        }
    }

    /// Names of packages whose installation broke off.
    pub(super) fn half_installed(&self) -> impl Iterator<Item = &str> {
        let broken = self.0.values().filter(|instance| instance.state == State::HalfInstalled);
        broken.map(|instance| instance.name.as_str())
    }

    /// The packages whose files are there.
    pub(super) fn installed(self) -> Vec<Package> {
        self.0.into_values().filter_map(|instance| instance.package).collect()
    }

    /// Those of the same name and architecture.
    fn same(&self, instance: &Instance) -> impl DoubleEndedIterator<Item = (&Key, &Instance)> {
        let key = |number| (instance.name.clone(), instance.arch.clone(), number);
        self.0.range(key(0)..=key(u32::MAX))
    }

    /// The instance of this name, if there is just one.
    fn only(&self, name: &str) -> Option<(&Key, &Instance)> {
        let from = (name.to_owned(), String::new(), 0);
        let mut named = self.0.range(from..).take_while(|(_, it)| it.name == name);
        let first = named.next()?;
        named.next().is_none().then_some(first)
    }
}
