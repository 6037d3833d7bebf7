//! What a host starts by itself.

use serde::Serialize;

/// Something that is started at boot, when somebody connects, or by the clock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Service {
    /// Its name, such as `ssh.service`.
    pub name: String,
    /// What starts it.
    pub kind: ServiceKind,
    /// The link or line because of which it is started.
    pub enabled_by: String,
    /// The program that is run, as the host names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
    /// The package of the system that the program belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Who it runs as, where that is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What a socket listens on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listens: Vec<String>,
}

/// What starts a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    /// systemd, at boot.
    Unit,
    /// systemd, when somebody connects.
    Socket,
    /// systemd, by the clock.
    Timer,
    /// systemd, when a file changes.
    Path,
    /// cron.
    Cron,
    /// A script of a runlevel.
    Rc,
}
