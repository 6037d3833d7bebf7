//! Faults at each step of a sweep: calls that are refused, throttled or lost, snapshots that end
//! otherwise, blocks that cannot be read, credentials that are no good.

use crate::drill::{Drill, Left};
use crate::drills::DRILL;

type Outcomes = &'static [(&'static str, &'static str)];

/// What becomes of the hosts if `web` ends so.
macro_rules! web {
    ($outcome:literal) => {
        &[("web", $outcome), ("database", "scanned"), ("idle", "skipped: stopped")]
    };
}

const NONE: Outcomes = &[];
const ALL_DENIED: Outcomes =
    &[("web", "failed: denied"), ("database", "failed: denied"), ("idle", "skipped: stopped")];

const DATABASE_WITH_GAPS: Outcomes =
    &[("web", "scanned"), ("database", "scanned with gaps"), ("idle", "skipped: stopped")];

const WEB_FAILS: Drill = Drill { exit: 3, ..DRILL };
const CANNOT_RUN: Drill = Drill { outcomes: NONE, exit: 2, ..DRILL };

/// The drills.
pub const DRILLS: &[Drill] = &[
    Drill {
        name: "an expired snapshot of an earlier sweep goes, others stay",
        faults: "
[[snapshot]]
name = 'expired'
volume = 'web:/dev/xvda'
tags = { 'sidelight:purpose' = 'scan', 'sidelight:sweep' = 'a', 'sidelight:expires' = '2020-01-01T00:00:00Z' }
[[snapshot]]
name = 'of-a-sweep-that-runs'
volume = 'web:/dev/xvda'
tags = { 'sidelight:purpose' = 'scan', 'sidelight:sweep' = 'b', 'sidelight:expires' = '2999-01-01T00:00:00Z' }
[[snapshot]]
name = 'backup'
volume = 'web:/dev/xvda'
tags = { 'sidelight:expires' = '2020-01-01T00:00:00Z' }
[[snapshot]]
name = 'by-somebody-else'
volume = 'web:/dev/xvda'
tags = { 'sidelight:purpose' = 'scan', 'sidelight:expires' = '2020-01-01T00:00:00Z' }
",
        earlier: 1,
        ..DRILL
    },
    Drill {
        name: "the owner of one volume of a host says never",
        faults: "
[[instance]]
name = 'partly'
volume = [
  { device = '/dev/xvda', image = 'small.img' },
  { device = '/dev/xvdf', image = 'var.img', tags = { 'sidelight:scan' = 'never' } },
]
",
        outcomes: &[
            ("web", "scanned"),
            ("database", "scanned"),
            ("idle", "skipped: stopped"),
            ("partly", "scanned with gaps"),
        ],
        ..WEB_FAILS
    },
    Drill {
        name: "CreateSnapshots denied",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nerror = 'UnauthorizedOperation'\n",
        outcomes: web!("failed: denied"),
        ..WEB_FAILS
    },
    Drill {
        name: "CreateSnapshots throttled three times",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nfirst = 3\nerror = 'RequestLimitExceeded'\n",
        ..DRILL
    },
    Drill {
        name: "CreateSnapshots throttled always",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nerror = 'RequestLimitExceeded'\n",
        outcomes: web!("failed: throttled"),
        ..WEB_FAILS
    },
    Drill {
        name: "CreateSnapshots at the limit of pending snapshots, twice",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nfirst = 2\nerror = 'PendingSnapshotLimitExceeded'\n",
        ..DRILL
    },
    Drill {
        name: "CreateSnapshots at the limit of pending snapshots, always",
        faults: "[snapshots]\npolls = 0\n[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nerror = 'PendingSnapshotLimitExceeded'\n",
        command: &["sweep", "--snapshot-timeout", "0"],
        outcomes: web!("failed: pending_limit"),
        ..WEB_FAILS
    },
    Drill {
        name: "no room among pending snapshots, those of a backup",
        command: &["sweep", "--most-pending", "2", "--snapshot-timeout", "0"],
        faults: "
[snapshots]
polls = 0
[[snapshot]]
name = 'slow-backup'
volume = 'idle:/dev/xvda'
state = 'pending'
",
        outcomes: &[
            ("web", "scanned"),
            ("database", "failed: pending_limit"),
            ("idle", "skipped: stopped"),
        ],
        ..WEB_FAILS
    },
    Drill {
        name: "a host with more volumes than may be on their way goes alone",
        command: &["sweep", "--most-pending", "1"],
        ..DRILL
    },
    Drill {
        name: "a volume is detached before the snapshots are made",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nresource = 'database'\nfirst = 1\ndetach = 'database:/dev/xvdf'\n",
        outcomes: DATABASE_WITH_GAPS,
        moved: -1,
        ..WEB_FAILS
    },
    Drill {
        name: "a volume is attached before the snapshots are made",
        faults: "
[[volume]]
name = 'spare'
image = 'var.img'
tags = { 'sidelight:scan' = 'never' }
[[fault]]
action = 'CreateSnapshots'
resource = 'web'
first = 1
attach = 'spare'
",
        outcomes: web!("scanned with gaps"),
        moved: 1,
        ..WEB_FAILS
    },
    Drill {
        name: "a volume goes away after it was not listed: the instance is listed again",
        faults: "[[fault]]\naction = 'DescribeVolumes'\nfirst = 1\ndetach = 'database:/dev/xvdf'\n",
        outcomes: DATABASE_WITH_GAPS,
        moved: -1,
        ..WEB_FAILS
    },
    Drill {
        name: "DescribeInstances throttled twice",
        faults: "[[fault]]\naction = 'DescribeInstances'\nfirst = 2\nerror = 'RequestLimitExceeded'\n",
        ..DRILL
    },
    Drill {
        name: "DescribeVolumes throttled twice",
        faults: "[[fault]]\naction = 'DescribeVolumes'\nfirst = 2\nerror = 'RequestLimitExceeded'\n",
        ..DRILL
    },
    Drill {
        name: "DescribeSnapshots throttled twice",
        faults: "[[fault]]\naction = 'DescribeSnapshots'\nfirst = 2\nerror = 'RequestLimitExceeded'\n",
        ..DRILL
    },
    Drill {
        name: "DeleteSnapshot throttled twice",
        faults: "[[fault]]\naction = 'DeleteSnapshot'\nfirst = 2\nerror = 'RequestLimitExceeded'\n",
        ..DRILL
    },
    Drill {
        name: "GetCallerIdentity and the alias throttled twice",
        faults: "[[fault]]\naction = 'GetCallerIdentity'\nfirst = 2\nerror = 'Throttling'\n[[fault]]\naction = 'ListAccountAliases'\nfirst = 2\nerror = 'Throttling'\n",
        ..DRILL
    },
    Drill {
        name: "a volume is not listed, so that its tags are not known",
        faults: "[[fault]]\naction = 'DescribeVolumes'\ndetach = 'database:/dev/xvdf'\nback = true\n",
        outcomes: DATABASE_WITH_GAPS,
        ..WEB_FAILS
    },
    Drill {
        name: "CreateSnapshots too soon after the last of a volume",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nfirst = 2\nerror = 'SnapshotCreationPerVolumeRateExceeded'\n",
        ..DRILL
    },
    Drill {
        name: "CreateSnapshots fails inside AWS, once",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nfirst = 1\nerror = 'InternalError'\n",
        ..DRILL
    },
    Drill {
        name: "CreateSnapshots carried out, but its answer lost",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nfirst = 1\ndrop = 'after'\n",
        ..DRILL
    },
    Drill {
        name: "DescribeInstances denied",
        faults: "[[fault]]\naction = 'DescribeInstances'\nerror = 'UnauthorizedOperation'\n",
        ..CANNOT_RUN
    },
    Drill {
        name: "DescribeVolumes denied",
        faults: "[[fault]]\naction = 'DescribeVolumes'\nerror = 'UnauthorizedOperation'\n",
        ..CANNOT_RUN
    },
    Drill {
        name: "DescribeSnapshots denied",
        faults: "[[fault]]\naction = 'DescribeSnapshots'\nerror = 'UnauthorizedOperation'\n",
        outcomes: ALL_DENIED,
        ..WEB_FAILS
    },
    Drill {
        name: "DescribeSnapshots denied once snapshots are made",
        faults: "[[fault]]\naction = 'DescribeSnapshots'\nafter = 2\nerror = 'UnauthorizedOperation'\n",
        command: &["sweep", "--parallel", "1"],
        outcomes: ALL_DENIED,
        ..WEB_FAILS
    },
    Drill {
        name: "every third call of EC2 fails inside AWS",
        faults: "[[fault]]\naction = 'ec2:Describe*'\nevery = 3\nerror = 'InternalError'\n",
        ..DRILL
    },
    Drill {
        name: "a snapshot ends in error",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nsnapshot = 'error'\n",
        outcomes: web!("failed: snapshot_failed"),
        ..WEB_FAILS
    },
    Drill {
        name: "one of two snapshots ends in error",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nresource = 'database:/dev/xvdf'\nsnapshot = 'error'\n",
        outcomes: &[
            ("web", "scanned"),
            ("database", "scanned with gaps"),
            ("idle", "skipped: stopped"),
        ],
        ..WEB_FAILS
    },
    Drill {
        name: "a snapshot vanishes",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nsnapshot = 'vanish'\n",
        outcomes: web!("failed: snapshot_vanished"),
        vanish: 1,
        ..WEB_FAILS
    },
    Drill {
        name: "a snapshot never completes",
        faults: "[snapshots]\npolls = 0\n[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nsnapshot = 'stuck'\n",
        command: &["sweep", "--snapshot-timeout", "0"],
        outcomes: web!("failed: snapshot_timeout"),
        ..WEB_FAILS
    },
    Drill {
        name: "DeleteSnapshot fails once",
        faults: "[[fault]]\naction = 'DeleteSnapshot'\nfirst = 1\nerror = 'InternalError'\n",
        ..DRILL
    },
    Drill {
        name: "DeleteSnapshot carried out, but its answer lost",
        faults: "[[fault]]\naction = 'DeleteSnapshot'\nfirst = 1\ndrop = 'after'\n",
        vanish: 1,
        ..DRILL
    },
    Drill {
        name: "DeleteSnapshot denied always",
        faults: "[[fault]]\naction = 'DeleteSnapshot'\nerror = 'UnauthorizedOperation'\n",
        exit: 3,
        left: Left::Exactly(3),
        ..DRILL
    },
    Drill {
        name: "ListSnapshotBlocks throttled three times",
        faults: "[[fault]]\naction = 'ListSnapshotBlocks'\nresource = 'web'\nfirst = 3\nerror = 'account_throttled'\n",
        ..DRILL
    },
    Drill {
        name: "ListSnapshotBlocks throttled always",
        faults: "[[fault]]\naction = 'ListSnapshotBlocks'\nresource = 'web'\nerror = 'account_throttled'\n",
        outcomes: web!("failed: throttled"),
        ..WEB_FAILS
    },
    Drill {
        name: "ListSnapshotBlocks denied",
        faults: "[[fault]]\naction = 'ListSnapshotBlocks'\nresource = 'web'\nerror = 'unauthorized_account'\n",
        outcomes: web!("failed: denied"),
        ..WEB_FAILS
    },
    Drill {
        name: "ListSnapshotBlocks fails inside AWS, always",
        faults: "[[fault]]\naction = 'ListSnapshotBlocks'\nresource = 'web'\nerror = 'internal_server'\n",
        outcomes: web!("failed: error"),
        ..WEB_FAILS
    },
    Drill {
        name: "GetSnapshotBlock throttled four times",
        faults: "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'web'\nfirst = 4\nerror = 'resource_level_throttle'\n",
        ..DRILL
    },
    Drill {
        name: "GetSnapshotBlock throttled always",
        faults: "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'web'\nerror = 'account_throttled'\n",
        outcomes: web!("failed: throttled"),
        ..WEB_FAILS
    },
    Drill {
        name: "GetSnapshotBlock fails inside AWS, always",
        faults: "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'web'\nerror = 'internal_server'\n",
        outcomes: web!("failed: error"),
        ..WEB_FAILS
    },
    Drill {
        name: "GetSnapshotBlock's connections break twice",
        faults: "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'web'\nfirst = 2\nebs = 'drop_connection'\n",
        ..DRILL
    },
    Drill {
        name: "blocks arrive damaged, twice",
        faults: "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'web'\nfirst = 2\nebs = 'corrupt_body'\n",
        ..DRILL
    },
    Drill {
        name: "blocks arrive damaged, always",
        faults: "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'web'\nebs = 'corrupt_body'\n",
        outcomes: web!("failed: error"),
        ..WEB_FAILS
    },
    Drill {
        name: "blocks of a second volume arrive damaged, always",
        faults: "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'database:/dev/xvdf'\nebs = 'corrupt_body'\n",
        outcomes: &[
            ("web", "scanned"),
            ("database", "scanned with gaps"),
            ("idle", "skipped: stopped"),
        ],
        ..WEB_FAILS
    },
    Drill {
        name: "blocks of one volume are denied by its key",
        faults: "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'web'\nerror = 'dependency_access_denied'\n",
        outcomes: web!("failed: key_denied"),
        ..WEB_FAILS
    },
    Drill {
        name: "credentials expire while blocks are read",
        faults: "[[fault]]\naction = 'GetSnapshotBlock'\nresource = 'web'\nerror = 'expired_token'\n",
        outcomes: web!("failed: credentials"),
        ..WEB_FAILS
    },
    Drill {
        name: "credentials expire after the first snapshots were made",
        faults: "[[fault]]\naction = '*'\nafter = 7\nerror = 'ExpiredToken'\n",
        command: &["sweep", "--parallel", "1"],
        outcomes: &[
            ("web", "failed: credentials"),
            ("database", "failed: credentials"),
            ("idle", "skipped: stopped"),
        ],
        exit: 3,
        left: Left::Some,
        ..DRILL
    },
    Drill {
        name: "an instance is terminated before its snapshots are made",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nterminate = 'before'\n",
        outcomes: web!("failed: terminated"),
        ..WEB_FAILS
    },
    Drill {
        name: "an instance is terminated once its snapshots are made",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nterminate = 'after'\n",
        ..DRILL
    },
    Drill {
        name: "a region that is not enabled",
        command: &["sweep", "--region", "af-south-1"],
        ..CANNOT_RUN
    },
    Drill {
        name: "an access key that AWS does not know",
        env: &[("AWS_ACCESS_KEY_ID", "AKIA000000000000NONE")],
        ..CANNOT_RUN
    },
    Drill {
        name: "no credentials",
        env: &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")],
        ..CANNOT_RUN
    },
    Drill {
        name: "scan of an instance that there is not",
        command: &["scan", "i-0123456789abcdef0"],
        ..CANNOT_RUN
    },
    Drill {
        name: "scan of an instance whose snapshot ends in error",
        faults: "[[fault]]\naction = 'CreateSnapshots'\nresource = 'web'\nsnapshot = 'error'\n",
        command: &["scan", "@web"],
        ..CANNOT_RUN
    },
    Drill {
        name: "scan of an instance whose snapshot cannot be deleted",
        faults: "[[fault]]\naction = 'DeleteSnapshot'\nerror = 'UnauthorizedOperation'\n",
        command: &["scan", "@web"],
        outcomes: NONE,
        exit: 3,
        left: Left::Exactly(1),
        ..DRILL
    },
    Drill {
        name: "scan of a volume, the answer to CreateSnapshot lost",
        faults: "[[fault]]\naction = 'CreateSnapshot'\nfirst = 1\ndrop = 'after'\n",
        command: &["scan", "@web:/dev/xvda"],
        outcomes: NONE,
        ..DRILL
    },
];
