//! A report with one of everything, made by hand.

use sidelight::model::{
    AccessMode, Asset, AssetKind, CloudInit, Confidence, ContainerContext, ContainerImage,
    ContainerMount, ContainerState, Coverage, Drift, Ecosystem, EndOfLife, Engine, Excluded,
    Extended, FeedState, Finding, Gap, GapReason, HostContext, Kubernetes, MandatoryAccess, Mount,
    Os, Package, Part, PartState, Receipt, SCHEMA_VERSION, ScanReport, Service, ServiceKind,
    Severity, SourcePackage, Status, StoredImage, Support, Walk,
};
use sidelight::report::{Options, by_name};

/// A report in a format.
pub fn written(report: &ScanReport, format: &str, options: Options) -> Vec<u8> {
    let mut out = Vec::new();
    by_name(format).expect("a format").write(report, options, &mut out).expect("written");
    out
}

/// A host with a container, findings of every status, and gaps. Nothing in it changes by itself.
pub fn report() -> ScanReport {
    let host = HostContext {
        os: Os {
            id: "debian".to_owned(),
            version_id: "12".to_owned(),
            codename: Some("bookworm".to_owned()),
            pretty_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
            id_like: Vec::new(),
        },
        end_of_life: Some(EndOfLife {
            date: "2026-07-11".to_owned(),
            days_left: -140,
            support: Support::Extended,
            full_support: None,
            extended: Some(Extended {
                name: "LTS".to_owned(),
                date: "2028-06-30".to_owned(),
                days_left: 580,
            }),
            source: "distro-info".to_owned(),
            source_date: "2026-04-25".to_owned(),
        }),
        hostname: Some("web-1".to_owned()),
        ips: vec!["10.0.0.10".to_owned(), "2001:db8::10".to_owned()],
        machine_id: Some("0123456789abcdef0123456789abcdef".to_owned()),
        timezone: Some("Etc/UTC".to_owned()),
        cloud_init: Some(CloudInit {
            instance_id: Some("i-0123456789abcdef0".to_owned()),
            datasource: Some("DataSourceEc2Local".to_owned()),
            evidence: vec!["/var/lib/cloud/data/instance-id".to_owned()],
            ..CloudInit::default()
        }),
        mandatory_access: Some(MandatoryAccess {
            system: "apparmor".to_owned(),
            mode: AccessMode::Enforcing,
            policy: None,
            evidence: vec!["the distribution's kernel takes it by itself".to_owned()],
        }),
        services: vec![Service {
            name: "ssh.service".to_owned(),
            kind: ServiceKind::Unit,
            enabled_by: "/etc/systemd/system/multi-user.target.wants/ssh.service".to_owned(),
            executable: Some("/usr/sbin/sshd".to_owned()),
            package: Some("openssh-server".to_owned()),
            user: None,
            listens: Vec::new(),
        }],
        kernels: vec!["6.1.0-13-cloud-amd64".to_owned()],
        mounts: vec![
            mount("/", "root.img:p1", "ext4"),
            mount("/boot/efi", "root.img:p15", "vfat"),
            mount("/srv/two words", "data.img", "xfs"),
        ],
        ..HostContext::default()
    };
    ScanReport {
        schema_version: SCHEMA_VERSION,
        host,
        assets: vec![host_asset(), container()],
        coverage: coverage(),
        images: vec![StoredImage {
            engine: Engine::Containerd,
            store: "/var/lib/containerd".to_owned(),
            namespace: Some("k8s.io".to_owned()),
            image: context().image,
            containers: 1,
            scanned: false,
        }],
        walk: Some(Walk {
            folders: 2951,
            files: 27_900,
            excluded: vec![Excluded {
                path: "/proc".to_owned(),
                why: "filled by the running system".to_owned(),
            }],
        }),
        gaps: vec![
            Gap::new("data.img", GapReason::Unsupported, "xfs is recognised and not read"),
            Gap::new("packages", GapReason::NoVendorData, "from other archives: nginx"),
        ],
        feeds: vec![feed("debian", "2025-10-01T06:00:00Z"), feed("kev", "2025-09-30T00:00:00Z")],
        receipt: Receipt {
            blocks_read: 17,
            blocks_allocated: Some(1480),
            bytes_read: 17 << 19,
            peak_memory_bytes: 48 << 20,
            seconds: 1.25,
            ..Receipt::default()
        },
    }
}

fn coverage() -> Coverage {
    let part = |name: &str, on: &[&str], holds: &str, gib: u64, mounts: &[&str]| Part {
        name: name.to_owned(),
        on: on.iter().map(|on| (*on).to_owned()).collect(),
        size: gib << 30,
        holds: Some(holds.to_owned()),
        label: None,
        uuid: None,
        mounts: mounts.iter().map(|path| (*path).to_owned()).collect(),
        state: PartState::Scanned,
        detail: None,
        subvolumes: Vec::new(),
    };
    let state = |state, detail: &str, part| Part { state, detail: Some(detail.to_owned()), ..part };
    Coverage::new(vec![
        part("root.img", &[], "gpt", 8, &[]),
        part("root.img:p1", &["root.img"], "ext4", 6, &["/"]),
        state(
            PartState::NotNeeded,
            "boot firmware's own",
            part("root.img:p15", &["root.img"], "vfat", 1, &["/boot/efi"]),
        ),
        state(
            PartState::Gap,
            "xfs is recognised and not read",
            part("data.img", &[], "xfs", 100, &["/srv/two words"]),
        ),
    ])
}

fn mount(path: &str, device: &str, filesystem: &str) -> Mount {
    let (path, device, filesystem) = (path.to_owned(), device.to_owned(), filesystem.to_owned());
    Mount { path, device, filesystem, root: None }
}

fn feed(name: &str, date: &str) -> FeedState {
    let (name, date) = (name.to_owned(), date.to_owned());
    FeedState { name, date, sha256: "0".repeat(64), skipped: 0 }
}

fn host_asset() -> Asset {
    let packages = vec![
        package("curl", "7.88.1-10+deb12u1", "curl", "7.88.1-10+deb12u1"),
        package("gcc", "4:12.2.0-3", "gcc-defaults", "1.203"),
        package("libc6", "2.36-9+deb12u1", "glibc", "2.36-9+deb12u1"),
        package("openssh-server", "1:9.2p1-2", "openssh", "1:9.2p1-2"),
        package("sudo", "1.9.13p3-1", "sudo", "1.9.13p3-1"),
    ];
    let findings = vec![
        Finding { kev: true, severity: Severity::High, ..finding("CVE-2023-4911", &packages[2]) },
        finding("CVE-2024-2961", &packages[2]),
        Finding { fixed: Some("1.204".to_owned()), ..finding("CVE-2023-4039", &packages[1]) },
        Finding {
            severity: Severity::Low,
            status: Status::NoAdvisory,
            fixed: None,
            ..finding("CVE-2023-51767", &packages[3])
        },
        Finding {
            severity: Severity::Negligible,
            status: Status::Unimportant,
            fixed: None,
            ..finding("CVE-2007-2768", &packages[3])
        },
        Finding {
            aliases: vec!["DSA-5586-1".to_owned()],
            cvss: Some("9.8 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()),
            severity: Severity::Critical,
            ..finding("CVE-2023-38408", &packages[3])
        },
        Finding {
            severity: Severity::Medium,
            status: Status::WillNotFix,
            fixed: None,
            ..finding("CVE-2024-0001", &packages[0])
        },
    ];
    let id = "0123456789abcdef0123456789abcdef".to_owned();
    let (kind, name) = (AssetKind::Host, "web-1".to_owned());
    Asset { kind, id, name, container: None, packages, findings }
}

/// Has a package of the same purl as the host, and one that is listed twice.
fn container() -> Asset {
    let packages = vec![
        package("curl", "7.88.1-10+deb12u1", "curl", "7.88.1-10+deb12u1"),
        package("libc6", "2.36-9+deb12u1", "glibc", "2.36-9+deb12u1"),
        package("libc6", "2.36-9+deb12u1", "glibc", "2.36-9"),
    ];
    let findings = vec![finding("CVE-2024-2961", &packages[1])];
    let (id, name) = ("9f86d081884c".to_owned(), "shop/frontend".to_owned());
    let container = Some(Box::new(context()));
    Asset { kind: AssetKind::Container, id, name, container, packages, findings }
}

fn context() -> ContainerContext {
    let text = |text: &str| Some(text.to_owned());
    let image = ContainerImage {
        reference: text("registry.example.com/shop/frontend:7"),
        id: text("sha256:6b78104f"),
        digest: text("sha256:d1d6b4b5"),
        names: vec!["registry.example.com/shop/frontend:7".to_owned()],
        oci: None,
    };
    ContainerContext {
        engine: Engine::Containerd,
        store: "/var/lib/containerd".to_owned(),
        namespace: text("k8s.io"),
        image,
        created: text("2026-11-23T17:35:02Z"),
        state: ContainerState::Running,
        state_evidence: "the status file of CRI".to_owned(),
        state_confidence: Confidence::High,
        kubernetes: Some(Kubernetes {
            namespace: "shop".to_owned(),
            pod: "frontend-7d4b9c6f5-x2x9z".to_owned(),
            container: text("frontend"),
            pod_uid: None,
            workload: text("deployment/frontend"),
        }),
        mounts: vec![ContainerMount {
            destination: "/data".to_owned(),
            kind: "bind".to_owned(),
            source: "/srv/data".to_owned(),
            read_only: true,
        }],
        os: Os {
            id: "debian".to_owned(),
            version_id: "12".to_owned(),
            pretty_name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
            ..Os::default()
        },
        drift: Some(Drift {
            packages_added: vec!["pkg:deb/debian/curl@7.88.1-10%2Bdeb12u1?arch=amd64".to_owned()],
            removed: vec!["/opt/app/version".to_owned()],
            ..Drift::default()
        }),
        ..ContainerContext::default()
    }
}

/// A package of Debian 12.
pub fn package(name: &str, version: &str, source: &str, source_version: &str) -> Package {
    let written = version.replace('+', "%2B");
    Package {
        arch: "amd64".to_owned(),
        purl: format!("pkg:deb/debian/{name}@{written}?arch=amd64&distro=debian-12"),
        source: SourcePackage { name: source.to_owned(), version: source_version.to_owned() },
        ..Package::new(
            Ecosystem::Deb,
            name.to_owned(),
            version.to_owned(),
            "/var/lib/dpkg/status".to_owned(),
        )
    }
}

/// A finding that a security update would close.
pub fn finding(id: &str, package: &Package) -> Finding {
    Finding {
        id: id.to_owned(),
        aliases: Vec::new(),
        package: package.name.clone(),
        purl: package.purl.clone(),
        installed: package.version.clone(),
        kernel: package.kernel.as_ref().map(|kernel| kernel.state),
        fixed: Some(format!("{}+deb12u9", package.source.version)),
        severity: Severity::Unknown,
        cvss: None,
        kev: false,
        status: Status::Fixed,
        feed: "debian".to_owned(),
    }
}
