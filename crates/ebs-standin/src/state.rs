//! What all requests share.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    error::{ApiError, ErrorKind, StandinError},
    faults::Faults,
    images::Images,
    plan::Plan,
    snapshot::{Change, Served, Snapshot, is_snapshot_id},
    stats::Books,
    sync::{read, write},
    token::Tokens,
};

#[derive(Debug)]
pub(crate) struct State {
    snapshots: RwLock<BTreeMap<String, Arc<Served>>>,
    images: Images,
    /// Account by access key.
    accounts: RwLock<BTreeMap<String, String>>,
    plan: RwLock<Arc<Plan>>,
    pub(crate) tokens: Tokens,
    pub(crate) books: Arc<Books>,
    requests: AtomicU64,
}

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The account, or the access key where the account is not known: who is throttled.
    pub(crate) bucket: String,
    /// The account, if the access key was registered.
    pub(crate) account: Option<String>,
}

impl State {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            snapshots: RwLock::default(),
            images: Images::default(),
            accounts: RwLock::default(),
            plan: RwLock::new(Arc::new(Plan::new(faults))),
            tokens: Tokens::new(),
            books: Books::new(),
            requests: AtomicU64::new(0),
        }
    }

    pub(crate) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&read(&self.plan))
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *write(&self.plan) = Arc::new(Plan::new(faults));
    }

    /// Loads the image before the lock is taken, so that others are served meanwhile.
    pub(crate) fn add_snapshot(&self, snapshot: Snapshot) -> Result<(), StandinError> {
        if read(&self.snapshots).contains_key(&snapshot.id) {
            return Err(StandinError::Duplicate(snapshot.id));
        }
        let served = Arc::new(snapshot.load(&self.images)?);
        let mut snapshots = write(&self.snapshots);
        let id = served.id().to_owned();
        if snapshots.contains_key(&id) {
            return Err(StandinError::Duplicate(id));
        }
        snapshots.insert(id, served);
        Ok(())
    }

    pub(crate) fn remove_snapshot(&self, id: &str) -> bool {
        write(&self.snapshots).remove(id).is_some()
    }

    /// False where the snapshot is not served.
    pub(crate) fn change_snapshot(&self, id: &str, change: Change) -> bool {
        let mut snapshots = write(&self.snapshots);
        let Some(served) = snapshots.get_mut(id) else { return false };
        *served = Arc::new(served.changed(change));
        true
    }

    /// The volume that a snapshot was made from, as far as it is known.
    pub(crate) fn lineage(&self, id: &str) -> Option<String> {
        self.snapshot(id)?.snapshot.lineage.clone()
    }

    pub(crate) fn snapshots(&self) -> Vec<Arc<Served>> {
        read(&self.snapshots).values().cloned().collect()
    }

    pub(crate) fn snapshot(&self, id: &str) -> Option<Arc<Served>> {
        read(&self.snapshots).get(id).cloned()
    }

    /// The snapshot, if the caller may read it now.
    pub(crate) fn readable(&self, id: &str, caller: &Caller) -> Result<Arc<Served>, ApiError> {
        if !is_snapshot_id(id) {
            return Err(ErrorKind::InvalidSnapshotId.into());
        }
        let missing = || format!("The snapshot '{id}' does not exist.");
        let served = self
            .snapshot(id)
            .ok_or_else(|| ApiError::new(ErrorKind::SnapshotNotFound, missing()))?;
        match served.refusal(caller.account.as_deref()) {
            None => Ok(served),
            Some(ErrorKind::InvalidSnapshotId) => {
                let message = format!("The snapshot '{id}' is not in the completed state.");
                Err(ApiError::new(ErrorKind::InvalidSnapshotId, message))
            }
            Some(kind) => Err(kind.into()),
        }
    }

    pub(crate) fn add_account(&self, access_key: String, account: String) {
        write(&self.accounts).insert(access_key, account);
    }

    pub(crate) fn caller(&self, access_key: String) -> Caller {
        let account = read(&self.accounts).get(&access_key).cloned();
        Caller { bucket: account.clone().unwrap_or(access_key), account }
    }

    pub(crate) fn request_id(&self) -> String {
        let n = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("00000000-0000-4000-8000-{n:012x}")
    }
}
