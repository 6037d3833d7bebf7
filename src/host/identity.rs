//! Who a host is, from its files: os-release or what came before it, host name, machine id,
//! addresses, kernels. The parts are read at the same time, since each waits for its own blocks.

use super::{
    Tree, addresses, dnf, kernels, products, release_file, ubuntu_pro, update_stream, windows,
};
use crate::model::{Gap, HostContext, Os, printable};

/// Small configuration files are not read past this size.
pub(super) const SMALL: u64 = 1 << 20;

/// Reads what the disks say of the host; mounts and cloud context are the caller's.
pub fn identify(tree: &Tree, gaps: &mut Vec<Gap>) -> HostContext {
    std::thread::scope(|scope| {
        let os = scope.spawn(|| with_gaps(|gaps| os(tree, gaps)));
        let names = scope.spawn(|| {
            with_gaps(|gaps| {
                let hostname = first_line(tree, "/etc/hostname", gaps);
                let hostname = hostname.or_else(|| sysconfig_hostname(tree, gaps));
                (hostname, machine_id(tree, gaps))
            })
        });
        let ips = scope.spawn(|| with_gaps(|gaps| addresses::find(tree, gaps)));
        let kernels = scope.spawn(|| with_gaps(|gaps| kernels::find(tree, gaps)));
        let repositories = scope.spawn(|| with_gaps(|gaps| dnf::repositories(tree, gaps)));
        let modules = scope.spawn(|| with_gaps(|gaps| dnf::modules(tree, gaps)));
        let products = scope.spawn(|| with_gaps(|gaps| products::find(tree, gaps)));
        let os = joined(os, gaps);
        let (hostname, machine_id) = joined(names, gaps);
        let (ips, kernels) = (joined(ips, gaps), joined(kernels, gaps));
        let (repositories, modules) = (joined(repositories, gaps), joined(modules, gaps));
        let context = HostContext { os, hostname, ips, machine_id, ..HostContext::default() };
        let products = joined(products, gaps);
        let mut context = HostContext { kernels, repositories, modules, products, ..context };
        match context.os.id.as_str() {
            "windows" => windows::complete(tree, &mut context, gaps),
            "ubuntu" => ubuntu_pro::complete(tree, &mut context, gaps),
            "rhel" => update_stream::complete(tree, &mut context, gaps),
            _ => {}
        }
        context
    })
}

/// What the files of a container say of its system. Names and addresses are its engine's, and the kernel is its host's.
pub fn identify_container(tree: &Tree, gaps: &mut Vec<Gap>) -> HostContext {
    let mut context = HostContext {
        os: os(tree, gaps),
        repositories: dnf::repositories(tree, gaps),
        modules: dnf::modules(tree, gaps),
        products: products::find(tree, gaps),
        ..HostContext::default()
    };
    match context.os.id.as_str() {
        "ubuntu" => ubuntu_pro::complete(tree, &mut context, gaps),
        "rhel" => update_stream::complete(tree, &mut context, gaps),
        _ => {}
    }
    context
}

pub(super) fn with_gaps<T>(work: impl FnOnce(&mut Vec<Gap>) -> T) -> (T, Vec<Gap>) {
    let mut gaps = Vec::new();
    let found = work(&mut gaps);
    (found, gaps)
}

pub(super) fn joined<T>(
    thread: std::thread::ScopedJoinHandle<'_, (T, Vec<Gap>)>,
    gaps: &mut Vec<Gap>,
) -> T {
    match thread.join() {
        Ok((found, more)) => {
            gaps.extend(more);
            found
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// A small file as text, with what cannot be shown escaped; a failure becomes a gap.
pub(super) fn text(tree: &Tree, path: impl AsRef<[u8]>, gaps: &mut Vec<Gap>) -> Option<String> {
    let path = path.as_ref();
    match tree.read(path, SMALL) {
        Ok(bytes) => bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            gaps.push(Gap::new(printable(path), error.reason(), error));
            None
        }
    }
}

pub(super) fn first_line(tree: &Tree, path: &str, gaps: &mut Vec<Gap>) -> Option<String> {
    let text = text(tree, path, gaps)?;
    let line =
        text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    Some(printable(line.as_bytes()))
}

/// As `machine-id(5)` has it; an image that was not yet started has none, or a word in its place.
pub(super) fn machine_id(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<String> {
    let id = first_line(tree, "/etc/machine-id", gaps)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

fn sysconfig_hostname(tree: &Tree, gaps: &mut Vec<Gap>) -> Option<String> {
    let text = text(tree, "/etc/sysconfig/network", gaps)?;
    assignments(&text).find(|(key, _)| key == "HOSTNAME").map(|(_, value)| value)
}

/// The operating system, by the files of any distribution, or by what only Windows has.
pub(super) fn os(tree: &Tree, gaps: &mut Vec<Gap>) -> Os {
    for path in ["/etc/os-release", "/usr/lib/os-release"] {
        if let Some(text) = text(tree, path, gaps) {
            return os_release(&text);
        }
    }
    if let Some(version) = first_line(tree, "/etc/debian_version", gaps) {
        let pretty_name = format!("Debian GNU/Linux {version}");
        let version_id = version.split('.').next().unwrap_or_default().to_owned();
        return Os { id: "debian".to_owned(), version_id, pretty_name, ..Os::default() };
    }
    if let Some(os) = release_file::find(tree, gaps) {
        return os;
    }
    if windows::find(tree, windows::SOFTWARE, &mut Vec::new()).is_some() {
        let (id, pretty_name) = ("windows".to_owned(), "Windows".to_owned());
        return Os { id, pretty_name, ..Os::default() };
    }
    Os { id: "unknown".to_owned(), ..Os::default() }
}

fn os_release(text: &str) -> Os {
    let mut os = Os { id: "linux".to_owned(), ..Os::default() };
    for (key, value) in assignments(text) {
        match key.as_str() {
            "ID" if !value.is_empty() => os.id = value,
            "VERSION_ID" => os.version_id = value,
            "VERSION_CODENAME" => os.codename = Some(value),
            // Fedora's names it nowhere else.
            "REDHAT_BUGZILLA_PRODUCT_VERSION" if value == "rawhide" => os.codename = Some(value),
            "PRETTY_NAME" => os.pretty_name = value,
            "ID_LIKE" => os.id_like = value.split_whitespace().map(str::to_owned).collect(),
            _ => {}
        }
    }
    os
}

/// `KEY=value` lines as a shell reads them: quotes and backslashes are taken off.
pub(super) fn assignments(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| {
        let (key, value) = line.trim().split_once('=')?;
        (!key.starts_with('#')).then(|| (key.trim().to_owned(), unquote(value.trim())))
    })
}

fn unquote(value: &str) -> String {
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let inner = match quote {
        Some(quote) => {
            let rest = &value[1..];
            rest.rfind(quote).map_or(rest, |end| &rest[..end])
        }
        None => value,
    };
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for character in inner.chars() {
        if character == '\\' && !escaped && quote != Some('\'') {
            escaped = true;
        } else {
            plain.push(character);
            escaped = false;
        }
    }
    printable(plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read_as_a_shell_reads_it() {
        let os = os_release(
            "# c\nID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian \"12\"'\nID_LIKE=\"rhel fedora\"\nVERSION_CODENAME=book\\$worm\n",
        );
        assert_eq!((os.id.as_str(), os.version_id.as_str()), ("debian", "12"));
        assert_eq!(os.pretty_name, "Debian \"12\"");
        assert_eq!(os.id_like, ["rhel", "fedora"]);
        assert_eq!(os.codename.as_deref(), Some("book$worm"));
        assert_eq!(os_release("ID=\nVERSION_ID=1\n").id, "linux");
    }
}
