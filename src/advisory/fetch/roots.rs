//! Whom to trust over https: the authorities in `SSL_CERT_FILE` and `SSL_CERT_DIR`, else those that
//! the system keeps, so that a company's own TLS proxy works where the company says so. A machine
//! that keeps none, such as a bare container, gets Mozilla's list.

use rustls_native_certs::{CertificateResult, load_native_certs};
use ureq::tls::{Certificate, RootCerts};

/// The variables by which a user names authorities.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Authorities were named, or kept, and none of them can be read.
#[derive(Debug, thiserror::Error)]
#[error("no authority to trust over https could be read ({0})")]
pub struct RootsError(String);

/// The authorities that this machine trusts.
pub fn trusted() -> Result<RootCerts, RootsError> {
    let named = VARIABLES.into_iter().find(|name| std::env::var_os(name).is_some());
    choose(load_native_certs(), named)
}

fn choose(loaded: CertificateResult, named: Option<&str>) -> Result<RootCerts, RootsError> {
    let CertificateResult { certs, errors, .. } = loaded;
    for error in &errors {
        tracing::warn!(%error, "a certificate of the machine's store was not read");
    }
    if !certs.is_empty() {
        let certs = certs.iter().map(|cert| Certificate::from_der(cert).to_owned());
        return Ok(RootCerts::new_with_certs(&certs.collect::<Vec<_>>()));
    }
    // To trust others than those who were named would be worse than to trust nobody.
    match (errors.first(), named) {
        (Some(error), _) => Err(RootsError(error.to_string())),
        (None, Some(name)) => Err(RootsError(format!("{name} holds no certificate"))),
        (None, None) => Ok(RootCerts::WebPki),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn load(text: &str) -> CertificateResult {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        rustls_native_certs::load_certs_from_paths(Some(file.path()), None)
    }

    #[test]
    fn only_a_machine_that_names_nobody_gets_the_built_in_list() {
        assert!(matches!(choose(CertificateResult::default(), None), Ok(RootCerts::WebPki)));
        let error = choose(load(""), Some("SSL_CERT_FILE")).unwrap_err();
        assert!(error.to_string().contains("SSL_CERT_FILE holds no certificate"), "{error}");
    }

    #[test]
    fn a_file_that_is_named_and_missing_is_told() {
        let missing = std::path::Path::new("/no/such/file.pem");
        let loaded = rustls_native_certs::load_certs_from_paths(Some(missing), None);
        let error = choose(loaded, Some("SSL_CERT_FILE")).unwrap_err();
        assert!(error.to_string().contains("/no/such/file.pem"), "{error}");
    }
}
