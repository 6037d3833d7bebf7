//! Thin volumes and the pools that they share.

use crate::Error;
use crate::build::Builder;
use crate::error::missing;
use crate::model::Segment;
use crate::part::{Part, Zeroes};
use crate::segment::Kind;
use crate::thin::Thin;
use crate::thin_pool::Pool;
use std::sync::Arc;

impl Builder<'_> {
    pub fn thin(
        &mut self,
        pool: &str,
        device: u64,
        external: Option<&str>,
        size: u64,
    ) -> Result<Part, Error> {
        let (pool, about) = self.pool(pool)?;
        let external = external.map(|name| self.presented(name)).transpose()?;
        let mut cost = about.cost;
        let mut part = about;
        if let Some(external) = &external {
            cost = cost.saturating_add(external.cost);
            part.tell(&external.problems, &external.notes);
        }
        let outside = external.map(|external| external.source);
        part.source = Arc::new(Thin::open(pool, device, size, outside)?);
        part.checked(cost)
    }

    /// A pool, and what is to be said of all its volumes.
    fn pool(&mut self, name: &str) -> Result<(Arc<Pool>, Part), Error> {
        if let Some(pool) = self.pools.get(name) {
            return pool.clone();
        }
        let opened = self.open_pool(name);
        self.pools.insert(name.to_owned(), opened.clone());
        opened
    }

    fn open_pool(&mut self, name: &str) -> Result<(Arc<Pool>, Part), Error> {
        let logical = self.group.logical.get(name);
        let segments = logical.and_then(|logical| logical.segments.as_deref().ok());
        let Some([Segment { kind: Kind::ThinPool { metadata, data, transaction, chunk }, .. }]) =
            segments
        else {
            return Err(missing(format!("thin pool {name}")));
        };
        let (metadata, data) = (self.plain(metadata)?, self.plain(data)?);
        let pool = Pool::open(Arc::clone(&metadata.source), Arc::clone(&data.source), *chunk)?;
        let mut about = Part::new(Arc::new(Zeroes { size: 0 }));
        about.tell(&metadata.problems, &metadata.notes);
        about.tell(&data.problems, &data.notes);
        if let Some(expected) = transaction.filter(|expected| *expected != pool.transaction()) {
            let found = pool.transaction();
            about.notes.push(format!("pool {name} is at change {found}, its group at {expected}"));
        }
        if pool.needs_check() {
            about.notes.push(format!("pool {name} is marked for a check"));
        }
        about.cost = data.cost.saturating_add(metadata.cost);
        Ok((Arc::new(pool), about))
    }
}
