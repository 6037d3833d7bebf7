"""What an account holds, as its TOML file says it.

Every table is a dataclass whose fields are the keys that may be written; an unknown key, a missing one
or a name that nothing has is an error that names the place, so that a typing error is never ignored.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10, as Ubuntu 22.04 has it.
    import tomli as tomllib


class DescriptionError(Exception):
    """The file does not describe an account."""


@dataclass
class Owner:
    """`[account]`: who it is, and where it has anything."""

    id: str
    alias: str = ""
    regions: list[str] = field(default_factory=lambda: ["us-east-1"])
    access_key: str = ""
    # How long the credentials of its roles say that they last; 0 is moto's hour.
    session_seconds: int = 0

    def __post_init__(self) -> None:
        if not (len(self.id) == 12 and self.id.isdigit()):
            raise DescriptionError(f"account id {self.id!r} is not 12 digits")
        if not self.regions:
            raise DescriptionError("an account needs a region")
        self.access_key = self.access_key or f"AKIA{self.id}TEST"
        # moto takes nothing else for a key.
        if not re.fullmatch(r"[A-Z0-9]{20}", self.access_key):
            raise DescriptionError(f"access key {self.access_key!r} is not 20 capital letters and digits")


@dataclass
class Pages:
    """`[pages]`: the most entries of a page, whatever `MaxResults` asks, and pages without any."""

    size: int = 5
    empty_every: int = 0


@dataclass
class SnapshotLife:
    """`[snapshots]`: how long a snapshot stays pending: so many sightings and so many seconds."""

    polls: int = 2
    seconds: float = 0.0


@dataclass
class Rate:
    """A token bucket, full at first."""

    per_second: float
    burst: float


@dataclass
class Limits:
    """`[limits]`: quotas, by AWS's defaults, and `[limits.rates]` by action (with `*`)."""

    pending_snapshots: int = 100
    snapshots_per_volume: int = 5
    seconds_between_snapshots: float = 0.0
    rates: dict[str, Rate] = field(default_factory=dict)


@dataclass
class Key:
    """`[[key]]`: a KMS key of the customer, and whether the scanner may decrypt with it."""

    name: str
    access: typing.Literal["readable", "denied", "disabled"] = "readable"


@dataclass
class Role:
    """`[[role]]`: a role that may be assumed, if the external id is right."""

    name: str
    external_id: str = ""


@dataclass
class Subnet:
    """`[[vpc.subnet]]`."""

    name: str
    cidr: str
    zone: str = "a"


@dataclass
class Vpc:
    """`[[vpc]]`; an instance that names no subnet is in the default one of its zone."""

    name: str
    cidr: str
    subnet: list[Subnet] = field(default_factory=list)


@dataclass
class Ingress:
    """`[[security_group.ingress]]`."""

    port: int
    cidr: str = "0.0.0.0/0"


@dataclass
class SecurityGroup:
    """`[[security_group]]`."""

    name: str
    vpc: str = ""
    ingress: list[Ingress] = field(default_factory=list)


@dataclass
class Disk:
    """`[[instance.volume]]` and `[[ami.volume]]`: without an image the volume is blank."""

    device: str
    image: str = ""
    size_gib: int = 0
    type: str = "gp3"
    encrypted: bool = False
    key: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Instance:
    """`[[instance]]`; one without volumes has an instance store only. The first volume is the root."""

    name: str
    state: typing.Literal["running", "stopped", "terminated"] = "running"
    type: str = "t3.micro"
    architecture: typing.Literal["x86_64", "arm64"] = "x86_64"
    platform: typing.Literal["", "windows"] = ""
    region: str = ""
    zone: str = "a"
    ami: str = ""
    subnet: str = ""
    security_groups: list[str] = field(default_factory=list)
    private_ip: str = ""
    public_ip: str = ""
    ipv6: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    volume: list[Disk] = field(default_factory=list)


@dataclass
class Volume:
    """`[[volume]]`: attached to nothing."""

    name: str
    image: str = ""
    size_gib: int = 0
    type: str = "gp3"
    region: str = ""
    zone: str = "a"
    encrypted: bool = False
    key: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Ami:
    """`[[ami]]`: its volumes are snapshots of images."""

    name: str
    architecture: typing.Literal["x86_64", "arm64"] = "x86_64"
    platform: typing.Literal["", "windows"] = ""
    region: str = ""
    owner: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    volume: list[Disk] = field(default_factory=list)


@dataclass
class Snapshot:
    """`[[snapshot]]`: one that is there before anyone scans; `owner` may be another account."""

    name: str
    image: str = ""
    volume: str = ""
    size_gib: int = 0
    region: str = ""
    state: typing.Literal["completed", "pending", "error"] = "completed"
    owner: str = ""
    description: str = ""
    age_hours: float = 24.0
    encrypted: bool = False
    key: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Description:
    """A whole file."""

    account: Owner
    pages: Pages = field(default_factory=Pages)
    snapshots: SnapshotLife = field(default_factory=SnapshotLife)
    limits: Limits = field(default_factory=Limits)
    ebs: dict[str, Any] = field(default_factory=dict)
    key: list[Key] = field(default_factory=list)
    role: list[Role] = field(default_factory=list)
    vpc: list[Vpc] = field(default_factory=list)
    security_group: list[SecurityGroup] = field(default_factory=list)
    ami: list[Ami] = field(default_factory=list)
    instance: list[Instance] = field(default_factory=list)
    volume: list[Volume] = field(default_factory=list)
    snapshot: list[Snapshot] = field(default_factory=list)
    fault: list[dict[str, Any]] = field(default_factory=list)


def read(path: Path) -> Description:
    """The account that a file describes."""
    try:
        with path.open("rb") as file:
            return parse(Description, tomllib.load(file), "")
    except (OSError, tomllib.TOMLDecodeError, DescriptionError) as error:
        raise DescriptionError(f"{path}: {error}") from error


def parse(kind: type, value: Any, place: str) -> Any:
    """Makes a value of the type `kind` (a dataclass, or what its fields may be) from plain data."""
    origin, of = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _table(kind, value, place)
    if origin is list and isinstance(value, list):
        return [parse(of[0], item, f"{place}[{n}]") for n, item in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {name: parse(of[1], item, f"{place}.{name}") for name, item in value.items()}
    if origin is typing.Literal and value in of:
        return value
    if origin is UnionType:
        return value if value is None else parse(of[0], value, place)
    if kind is Any or (kind is float and type(value) is int) or type(value) is kind:
        return value
    expected = " or ".join(map(repr, of)) if origin is typing.Literal else getattr(kind, "__name__", kind)
    raise DescriptionError(f"{place.lstrip('.')}: {value!r} is not {expected}")


def _table(kind: type, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise DescriptionError(f"{place.lstrip('.')} is not a table")
    types = typing.get_type_hints(kind)
    for name in value:
        if name not in types:
            raise DescriptionError(f"{(place + '.' + name).lstrip('.')} is not a known key")
    needed = [f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING]
    for name in needed:
        if name not in value:
            raise DescriptionError(f"{(place + '.' + name).lstrip('.')} is missing")
    return kind(**{name: parse(types[name], item, f"{place}.{name}") for name, item in value.items()})
