//! Sidelight: an agentless scanner of cloud hosts.
