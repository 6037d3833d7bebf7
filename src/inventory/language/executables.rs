//! Executables that no package of the system owns: Go programs, Rust programs that `cargo auditable`
//! built, and well-known programs by their version texts.
//!
//! ELF, PE and Mach-O (universal ones too) are told by their first bytes; of what is none of these no
//! more is read. Sections lead to what names the packages, so that of a large program a few blocks are
//! read; only a file that bears a well-known name is searched ([`known`]). What is damaged is a gap.

mod go;
mod go_modules;
mod known;
mod rust;

use super::Collector;
use crate::host::{Host, Part, PositionedFile, read_reason};
use crate::inventory::{Cataloger, PathPattern, Problems};
use crate::model::{Ecosystem, Gap, GapReason, Package, PackageState, Partial, printable};
use block_source::{BlockSource, ReadError};
use executable_reader::{Error, Executable};
use std::sync::Arc;

/// The cataloger.
pub struct Executables;

/// Problems of one file that are listed.
const MOST_PROBLEMS: usize = 20;
/// What a problem is with.
const GO: &str = "Go build information: ";

impl Cataloger for Executables {
    fn name(&self) -> &'static str {
        "executables"
    }

    fn patterns(&self) -> &[PathPattern] {
        &[PathPattern::Executable]
    }

    fn part(&self) -> Part {
        Part::Start(4 << 10)
    }

    fn catalog(&self, host: &Host, path: &[u8]) -> Partial<Vec<Package>> {
        match host.tree.open_positioned(path) {
            Ok(file) => {
                let file = file.map(PositionedFile::in_parts);
                file.map_or_else(Partial::default, |file| packages(Arc::new(file), path))
            }
            Err(error) => {
                let gap = Gap::new(printable(path), error.reason(), error);
                Partial { found: Vec::new(), gaps: vec![gap] }
            }
        }
    }
}

/// The packages that an executable proves; sorted, each once, though a universal one has each in every part.
pub fn packages(source: Arc<dyn BlockSource>, path: &[u8]) -> Partial<Vec<Package>> {
    let mut reader = Reader {
        path,
        found: Vec::new(),
        problems: Problems::new(&printable(path), MOST_PROBLEMS),
    };
    match executable_reader::open(source) {
        Ok(programs) => programs.iter().for_each(|program| reader.program(program)),
        Err(error) => reader.problem("", &error),
    }
    reader.found.sort();
    reader.found.dedup();
    Partial { found: reader.found, gaps: reader.problems.into_gaps() }
}

/// Reads one file.
struct Reader<'a> {
    path: &'a [u8],
    found: Vec<Package>,
    problems: Problems,
}

impl Reader<'_> {
    fn program(&mut self, program: &Executable) {
        for problem in program.problems() {
            self.problem("", problem);
        }
        if program.is_packed() {
            let detail = "a program that is packed with UPX";
            return self.problems.push(Gap::new(
                printable(self.path),
                GapReason::Unsupported,
                detail,
            ));
        }
        match go::build_info(program) {
            Ok(Some(info)) => {
                for error in &info.damage {
                    self.problem(GO, error);
                }
                self.add(Ecosystem::Golang, |to| go_modules::add(to, &info));
                if let Some(go) = go_modules::toolchain(&info) {
                    self.known(&go);
                }
            }
            Ok(None) => {}
            Err(error) => self.problem(GO, &error),
        }
        match rust::audit_data(program) {
            Ok(Some(json)) => {
                let path = self.path;
                self.add(Ecosystem::Cargo, |to| rust::add(to, path, &json));
            }
            Ok(None) => {}
            Err(gap) => self.problems.push(gap.at(self.path)),
        }
        match known::find(program, self.path) {
            Ok(found) => found.iter().for_each(|found| self.known(found)),
            Err(error) => self.problem("", &error),
        }
    }

    fn add(&mut self, ecosystem: Ecosystem, add: impl FnOnce(&mut Collector<'_>)) {
        let mut collector = Collector::new(ecosystem, PackageState::Installed, self.path);
        add(&mut collector);
        let Partial { found, gaps } = collector.into_found();
        self.found.extend(found);
        for gap in gaps {
            self.problems.push(gap);
        }
    }

    fn known(&mut self, found: &known::Found) {
        let before = self.found.len();
        self.add(Ecosystem::Generic, |to| to.add(found.product, &found.version));
        let vendor = Some(found.vendor.to_owned());
        self.found[before..].iter_mut().for_each(|package| package.vendor.clone_from(&vendor));
    }

    fn problem(&mut self, what: &str, error: &Error) {
        let reason = match error {
            Error::Read(error @ ReadError::Failed { .. }) => read_reason(error),
            Error::Read(_) | Error::Corrupt { .. } => GapReason::Corrupt,
        };
        self.problems.push(Gap::new(printable(self.path), reason, format!("{what}{error}")));
    }
}
