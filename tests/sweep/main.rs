//! Sweeps, clean-ups and scans of instances over a stand-in AWS account (`infra/standin`), with its
//! faults. `scripts/sweep-drills` shows the table of them.

mod accounts;
mod books;
mod check;
mod cleanup;
mod doctor;
mod drill;
mod drills;
mod faults;
mod killed;
mod permissions;
mod reports;
mod roles;
mod standin;
mod stopping;
mod targets;
mod twenty;
#[path = "../scan/report/validator.rs"]
mod validator;
mod wishes;
mod witness;
