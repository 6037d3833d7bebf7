//! Where data and parity of a raid4, raid5 or raid6 stand: `raid5_compute_sector` in the kernel's
//! `drivers/md/raid5.c`. The numbers are those that md keeps on disk.

/// How parity goes round the members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm {
    kind: Kind,
    /// Q, the second parity, goes round with P; else it stands on the last member.
    q_turns: bool,
    /// Whether there is a Q.
    has_q: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    LeftAsymmetric,
    RightAsymmetric,
    LeftSymmetric,
    RightSymmetric,
    First,
    Last,
    ZeroRestart,
    Restart,
    Continue,
}

/// The members of one row of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Member with the wanted chunk.
    pub data: usize,
    /// Member with the exclusive or of all data.
    pub p: usize,
    /// Member with the second parity.
    pub q: Option<usize>,
}

impl Algorithm {
    /// Takes md's level and layout. `None` if there is no such layout.
    pub fn new(level: u32, layout: u32) -> Option<Self> {
        let has_q = level == 6;
        let kind = match layout & 15 {
            _ if level == 4 => Kind::Last,
            0 => Kind::LeftAsymmetric,
            1 => Kind::RightAsymmetric,
            2 => Kind::LeftSymmetric,
            3 => Kind::RightSymmetric,
            4 => Kind::First,
            5 => Kind::Last,
            8 if has_q => Kind::ZeroRestart,
            9 if has_q => Kind::Restart,
            10 if has_q => Kind::Continue,
            _ => return None,
        };
        let q_turns = match (level, layout) {
            (4, _) | (5, 0..=5) | (6, 0..=5 | 8..=10) => true,
            (6, 16..=20) => false,
            _ => return None,
        };
        Some(Self { kind, q_turns, has_q })
    }

    /// How many members of a row hold parity.
    pub fn parities(self) -> usize {
        1 + usize::from(self.has_q)
    }

    /// The members of the row in which the data chunk `chunk` of the array stands; `members` is
    /// more than [`Self::parities`].
    pub fn row(self, chunk: u64, members: usize) -> Row {
        let data = members - self.parities();
        let (stripe, index) = (chunk / data as u64, (chunk % data as u64) as usize);
        match (self.has_q, self.q_turns) {
            (false, _) => {
                let (data, p) = self.turn(stripe, index, members);
                Row { data, p, q: None }
            }
            (true, false) => {
                let (data, p) = self.turn(stripe, index, members - 1);
                Row { data, p, q: Some(members - 1) }
            }
            (true, true) => self.turn_both(stripe, index, members),
        }
    }

    /// One parity that goes round `members`.
    fn turn(self, stripe: u64, index: usize, members: usize) -> (usize, usize) {
        let turn = (stripe % members as u64) as usize;
        let past = |p: usize| index + usize::from(index >= p);
        let last = members - 1;
        match self.kind {
            Kind::LeftAsymmetric => (past(last - turn), last - turn),
            Kind::RightAsymmetric => (past(turn), turn),
            Kind::LeftSymmetric => ((last - turn + 1 + index) % members, last - turn),
            Kind::RightSymmetric => ((turn + 1 + index) % members, turn),
            Kind::First => (index + 1, 0),
            _ => (index, last),
        }
    }

    /// Two parities that go round together.
    fn turn_both(self, stripe: u64, index: usize, members: usize) -> Row {
        let turn = (stripe % members as u64) as usize;
        let last = members - 1;
        let restart = |p: usize| {
            let (data, q) = match p {
                _ if p == last => (index + 1, 0),
                _ if index >= p => (index + 2, p + 1),
                _ => (index, p + 1),
            };
            Row { data, p, q: Some(q) }
        };
        let follow = |p: usize| {
            let data = (p + 2 + index) % members;
            Row { data, p, q: Some((p + 1) % members) }
        };
        match self.kind {
            Kind::LeftAsymmetric => restart(last - turn),
            Kind::RightAsymmetric | Kind::ZeroRestart => restart(turn),
            Kind::Restart => restart(last - (turn + 1) % members),
            Kind::LeftSymmetric => follow(last - turn),
            Kind::RightSymmetric => follow(turn),
            Kind::First => Row { data: index + 2, p: 0, q: Some(1) },
            Kind::Last => Row { data: index, p: members - 2, q: Some(last) },
            Kind::Continue => {
                let p = last - turn;
                Row { data: (p + 1 + index) % members, p, q: Some((p + last) % members) }
            }
        }
    }

    /// The power of two by which each member's data count in Q, for members that hold data.
    pub fn weights(self, row: &Row, members: usize) -> Vec<Option<usize>> {
        let Some(q) = row.q else { return vec![None; members] };
        let counts_all = matches!(self.kind, Kind::ZeroRestart | Kind::Restart | Kind::Continue);
        let first = if counts_all || q == members - 1 { 0 } else { q + 1 };
        let mut weights = vec![None; members];
        let mut next = 0;
        for member in (0..members).map(|step| (first + step) % members) {
            let parity = member == row.p || member == q;
            if !parity {
                weights[member] = Some(next);
            }
            next += usize::from(counts_all || !parity);
        }
        weights
    }
}
