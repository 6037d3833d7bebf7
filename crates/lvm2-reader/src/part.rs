//! What logical volumes are built of: a source, what is wrong with it, and what reading it can
//! cost at worst.

use crate::Error;
use crate::error::{corrupt, missing, unsupported};
use block_source::{BlockSource, ReadError, check_bounds};
use md_reader::layout::{Copies, Linear, Window};
use std::ops::Range;
use std::sync::Arc;

/// Reads of devices that one read of a volume may turn into. A mirror of mirrors of mirrors, whose
/// legs all fail, asks each; metadata that someone made up could ask billions.
const MOST_COST: u64 = 4096;

/// Problems and notes that are kept of one part; the last says that there were more.
const MOST_TOLD: usize = 64;
const LAST_TOLD: usize = MOST_TOLD - 1;

/// A part that is there.
#[derive(Clone)]
pub struct Part {
    pub source: Arc<dyn BlockSource>,
    pub cost: u64,
    /// Why not all of it can be read.
    pub problems: Vec<Error>,
    pub notes: Vec<String>,
}

impl Part {
    pub fn new(source: Arc<dyn BlockSource>) -> Self {
        Self { source, cost: 1, problems: Vec::new(), notes: Vec::new() }
    }

    /// Adds what is to be said of a part of this part.
    pub fn tell(&mut self, problems: &[Error], notes: &[String]) {
        for problem in problems {
            let said = problem.to_string();
            match self.problems.len() {
                MOST_TOLD.. => break,
                LAST_TOLD => self.problems.push(missing("more than these")),
                _ if self.problems.iter().any(|known| known.to_string() == said) => {}
                _ => self.problems.push(problem.clone()),
            }
        }
        for note in notes {
            match self.notes.len() {
                MOST_TOLD.. => break,
                LAST_TOLD => self.notes.push("there is more to be said".to_owned()),
                _ if self.notes.contains(note) => {}
                _ => self.notes.push(note.clone()),
            }
        }
    }

    /// Refuses a part that could cost too much.
    pub fn checked(mut self, cost: u64) -> Result<Self, Error> {
        self.cost = cost;
        if cost > MOST_COST {
            return Err(unsupported("a volume made of that many parts inside each other"));
        }
        Ok(self)
    }

    /// The first `length` bytes; a part that is shorter is damaged.
    pub fn cut(&self, start: u64, length: u64) -> Result<Self, Error> {
        let window = Window::new(Arc::clone(&self.source), start, length);
        if window.size() < length {
            return Err(corrupt("part of a volume that ends before it should, at", window.size()));
        }
        Ok(Self { source: Arc::new(window), ..self.clone() })
    }
}

/// Parts one after the other; those that are not there are given by their length and what is wrong
/// with them. `None` of them there is an error.
pub fn join(parts: Vec<(u64, Result<Part, Error>)>) -> Result<Part, Error> {
    let lengths: Vec<u64> = parts.iter().map(|(length, _)| *length).collect();
    let layout = Linear::new(&lengths).ok_or_else(|| corrupt("segments past what can be", 0u64))?;
    let mut joined = Part::new(Arc::new(Zeroes { size: 0 }));
    let (mut cost, mut first_error) = (1, None);
    let mut members = Vec::new();
    let mut any = false;
    for (_, part) in parts {
        match part {
            Ok(part) => {
                any = true;
                cost = cost.max(part.cost);
                joined.tell(&part.problems, &part.notes);
                members.push(Some(part.source));
            }
            Err(error) => {
                joined.tell(std::slice::from_ref(&error), &[]);
                first_error = first_error.or(Some(error));
                members.push(None);
            }
        }
    }
    match first_error {
        Some(error) if !any => Err(error),
        _ => {
            joined.source = Arc::new(Copies::new(layout, members));
            joined.checked(cost)
        }
    }
}

/// A device of zeroes.
pub struct Zeroes {
    pub size: u64,
}

impl BlockSource for Zeroes {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> Result<(), ReadError> {
        check_bounds(self.size, offset, out.len())?;
        out.fill(0);
        Ok(())
    }

    fn will_need(&self, _ranges: &[Range<u64>]) {}
}
