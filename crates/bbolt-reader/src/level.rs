//! A page on the way to an entry: which of its items come, and whether they are in order.

use crate::bounds::Bounds;
use crate::error::{Error, corrupt};
use crate::page::{Item, Kind, Page};
use crate::wanted::Wanted;

const DISORDER: &str = "keys out of their order";

pub struct Level {
    pub page: Page,
    next: usize,
    end: usize,
    bounds: Bounds,
    order: Order,
}

/// What the items so far are: their keys ascend within bounds, and they do not have more bytes than
/// the page, as they could if they lay over one another.
struct Order {
    previous: Vec<u8>,
    is_told: bool,
    left: u64,
}

impl Order {
    fn new(page: &Page) -> Self {
        Self { previous: Vec::new(), is_told: false, left: page.length }
    }

    fn charge(&mut self, item: &Item, page: u64) -> Result<(), Error> {
        let left = self.left.checked_sub(item.length());
        self.left = left.ok_or_else(|| corrupt("items that lie over one another", page))?;
        Ok(())
    }

    fn holds(&mut self, key: &[u8], bounds: &Bounds) -> bool {
        let holds = self.previous.as_slice() < key && bounds.hold(key);
        key.clone_into(&mut self.previous);
        holds
    }
}

impl Level {
    /// With what is wrong with the order of a branch, all of whose items come then.
    pub fn new(page: Page, bounds: Bounds, wanted: &Wanted) -> (Self, Option<Error>) {
        let order = Order::new(&page);
        let mut level = Self { next: 0, end: page.slots, page, bounds, order };
        if level.page.kind == Kind::Leaf {
            return (level, None);
        }
        let problem = level.choose(wanted).err();
        if problem.is_some() {
            level.order.is_told = true;
        }
        level.page.will_need(level.next..level.end);
        (level, problem)
    }

    /// The items of a branch below which something wanted may be.
    fn choose(&mut self, wanted: &Wanted) -> Result<(), Error> {
        let (mut first, mut end) = (0, 0);
        let mut order = Order::new(&self.page);
        for index in 0..self.page.slots {
            let item = self.page.item(index)?;
            order.charge(&item, self.page.number)?;
            let key = self.page.key(&item)?;
            if !order.holds(&key, &self.bounds) {
                return Err(corrupt(DISORDER, self.page.number));
            }
            if wanted.starts_at(&key) {
                first = index;
            }
            if index == 0 || !wanted.ends_before(&key) {
                end = index + 1;
            }
        }
        (self.next, self.end) = (first, end);
        Ok(())
    }

    /// The next item's index.
    pub fn advance(&mut self) -> Option<usize> {
        let index = self.next;
        self.next += 1;
        (index < self.end).then_some(index)
    }

    /// The page that a branch's item names, and the bounds of its keys.
    pub fn child(&self, index: usize) -> Result<(u64, Bounds), Error> {
        if self.order.is_told {
            return Ok((self.page.child(index)?, Bounds::default()));
        }
        let key = |index| Ok(self.page.key(&self.page.item(index)?)?.into_owned());
        let high = match index + 1 {
            next if next < self.page.slots => Some(key(next)?),
            _ => self.bounds.high.clone(),
        };
        Ok((self.page.child(index)?, Bounds { low: Some(key(index)?), high }))
    }

    /// A leaf's item with its key; and what is wrong with the order, the first time that it is.
    pub fn item(&mut self, index: usize) -> Result<(Item, Vec<u8>, Option<Error>), Error> {
        let item = self.page.item(index)?;
        if let Err(problem) = self.order.charge(&item, self.page.number) {
            self.next = self.end;
            return Err(problem);
        }
        let key = self.page.key(&item)?;
        let is_first = !self.order.holds(&key, &self.bounds) && !self.order.is_told;
        self.order.is_told |= is_first;
        let problem = is_first.then(|| corrupt(DISORDER, self.page.number));
        Ok((item, key.into_owned(), problem))
    }
}
