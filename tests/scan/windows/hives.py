"""Makes hives of a Windows host and lists what is in them, by hivex.

hives.py make FOLDER | update HIVE | log BEFORE AFTER | programs HIVE PATH | updates HIVE | get HIVE PATH NAME
"""

import re
import struct
import sys

import hivex

UNINSTALL = "Microsoft\\Windows\\CurrentVersion\\Uninstall"
SERVICING = "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages"
TCPIP = "ControlSet002\\Services\\Tcpip\\Parameters"
TOKEN = "31bf3856ad364e35~amd64~"

SOFTWARE = {
    "Microsoft\\Windows NT\\CurrentVersion": {
        "ProductName": "Windows 10 Pro",
        "EditionID": "Professional",
        "CurrentBuild": "22631",
        "CurrentBuildNumber": "22631",
        "UBR": 2861,
        "DisplayVersion": "23H2",
        "InstallationType": "Client",
        "BuildLabEx": "22621.1.amd64fre.ni_release.220506-1250",
    },
    "Microsoft\\Cryptography": {"MachineGuid": "0e1b7ac5-53a6-4a8b-8c4a-2f1d0a6e7b11"},
    UNINSTALL + "\\7-Zip": {"DisplayName": "7-Zip 23.01 (x64)", "DisplayVersion": "23.01", "Publisher": "Igor Pavlov"},
    UNINSTALL
    + "\\{26A24AE4-039D-4CA4-87B4-2F64180391F0}": {
        "DisplayName": "Java 8 Update 391 (64-bit)",
        "DisplayVersion": "8.0.3910.13",
        "Publisher": "Oracle Corporation",
        "InstallDate": "20240117",
        "SystemComponent": 0,
    },
    UNINSTALL + "\\Stra\u00dfe": {"DisplayName": "Stra\u00dfe \u2013 B\u00fcro", "Publisher": "M\u00fcller & S\u00f6hne"},
    UNINSTALL + "\\AddressBook": {},
    UNINSTALL
    + "\\{F0C3E5D1}.KB2565063": {
        "DisplayName": "Security Update for Microsoft Visual C++ 2010 (KB2565063)",
        "DisplayVersion": "1",
        "ParentKeyName": "{F0C3E5D1}",
    },
    "WOW6432Node\\" + UNINSTALL + "\\Mozilla Firefox": {"DisplayName": "Mozilla Firefox (x86 en-US)", "DisplayVersion": "121.0", "Publisher": "Mozilla"},
    SERVICING + "\\Package_for_KB5033920~" + TOKEN + "~22621.2792.1.1": {"CurrentState": 112, "InstallTimeHigh": 31083141, "InstallTimeLow": 2463412121},
    SERVICING + "\\Package_1_for_KB5033920~" + TOKEN + "~22621.2792.1.1": {"CurrentState": 112},
    SERVICING + "\\Package_2_for_KB5027397~" + TOKEN + "~22621.2355.1.1": {"CurrentState": 112},
    SERVICING
    + "\\Package_for_RollupFix~"
    + TOKEN
    + "~22621.2861.1.7": {"CurrentState": 112, "InstallLocation": "\\\\?\\C:\\Windows\\SoftwareDistribution\\Download\\x\\Windows11.0-KB5033375-x64.cab\\"},
    SERVICING + "\\Package_for_RollupFix~" + TOKEN + "~22621.1.1.0": {"CurrentState": 80, "InstallLocation": "x-KB5000001-x"},
    SERVICING + "\\Package_for_ServicingStack_2781~" + TOKEN + "~22621.2781.1.1": {"CurrentState": 112},
    SERVICING + "\\Microsoft-Windows-Foundation-Package~" + TOKEN + "~10.0.22621.1": {"CurrentState": 112},
}
SYSTEM = {
    "Select": {"Current": 2, "Default": 1},
    "ControlSet001\\Control\\ComputerName\\ComputerName": {"ComputerName": "WRONG"},
    "ControlSet002\\Control\\ComputerName\\ComputerName": {"ComputerName": "EC2AMAZ-LONGNAM"},
    TCPIP: {"NV Hostname": "ec2amaz-longname01", "Hostname": "ec2amaz-longname01"},
    TCPIP + "\\Interfaces\\{a}": {"EnableDHCP": 1, "DhcpIPAddress": "10.0.3.7", "IPAddress": ["192.168.9.9"]},
    TCPIP + "\\Interfaces\\{b}": {"EnableDHCP": 0, "DhcpIPAddress": "10.9.9.9", "IPAddress": ["172.16.0.4", "172.16.0.5"]},
    TCPIP + "\\Interfaces\\{c}": {"EnableDHCP": 1, "DhcpIPAddress": "0.0.0.0"},
    TCPIP + "\\Interfaces\\{d}": {"EnableDHCP": 1, "DhcpIPAddress": "169.254.12.13"},
    "ControlSet002\\Control\\TimeZoneInformation": {"TimeZoneKeyName": "W. Europe Standard Time", "Bias": 0xFFFFFFC4},
}
USER = {
    "Software\\" + UNINSTALL + "\\Code": {"DisplayName": "Microsoft Visual Studio Code (User)", "DisplayVersion": "1.85.1", "Publisher": "Microsoft Corporation"},
}
# What an update installs, with the build that it makes.
UPDATE = {
    "Microsoft\\Windows NT\\CurrentVersion": {"ProductName": "Windows 10 Pro", "CurrentBuild": "22631", "CurrentBuildNumber": "22631", "UBR": 3007, "DisplayVersion": "23H2"},
    UNINSTALL + "\\PuTTY": {"DisplayName": "PuTTY release 0.80", "DisplayVersion": "0.80.0.0", "Publisher": "Simon Tatham"},
}


def base_block(bins, number, kind, second=None):
    block = bytearray(4096)
    second = number if second is None else second
    struct.pack_into("<4sIIQIIIIIII", block, 0, b"regf", number, second, 0, 1, 5, kind, 1, 0x20 + 0x40, bins, 1)
    total = 0
    for word in struct.unpack_from("<127I", block):
        total ^= word
    struct.pack_into("<I", block, 508, total)
    return block


def empty():
    """A hive with a root key and its security descriptor, in one bin."""
    bin = bytearray(4096)
    struct.pack_into("<4sII", bin, 0, b"hbin", 0, 4096)
    descriptor = bytes([1, 0, 4, 0x80]) + bytes(16)
    struct.pack_into("<i2sHIIII20s", bin, 0x20, -0x40, b"sk", 0, 0x20, 0x20, 1, 20, descriptor)
    struct.pack_into("<i2sHQIIIIIIIIIIIIIIIHH4s", bin, 0x60, -0x58, b"nk", 0x2C, 0, 0, 0, 0, 0, *[0xFFFFFFFF] * 2, 0, 0xFFFFFFFF, 0x20, 0xFFFFFFFF, *[0] * 5, 4, 0, b"ROOT")
    struct.pack_into("<i", bin, 0xB8, 4096 - 0xB8)
    return base_block(4096, 1, 0) + bin


def value(name, data):
    if isinstance(data, int):
        return {"key": name, "t": 4, "value": struct.pack("<I", data)}
    if isinstance(data, list):
        return {"key": name, "t": 7, "value": ("".join(it + "\0" for it in data) + "\0").encode("utf-16-le")}
    return {"key": name, "t": 1, "value": (data + "\0").encode("utf-16-le")}


def write(path, keys):
    hive = hivex.Hivex(path, write=True)
    for key, values in keys.items():
        node = hive.root()
        for name in key.split("\\"):
            node = hive.node_get_child(node, name) or hive.node_add_child(node, name)
        hive.node_set_values(node, [value(name, data) for name, data in values.items()])
    hive.commit(None)


def make(folder):
    for name, keys in (("SOFTWARE", SOFTWARE), ("SYSTEM", SYSTEM), ("NTUSER.DAT", USER)):
        path = folder + "/" + name
        open(path, "wb").write(empty())
        write(path, keys)


def log(before, after):
    """Leaves the hive as it was, unfinished, and what it becomes in BEFORE.LOG1."""
    old, new = open(before, "rb").read(), open(after, "rb").read()
    bins = len(new) - 4096
    old_bins = old[4096:] + b"\xff" * (len(new) - len(old))
    pages = [at for at in range(0, bins, 512) if old_bins[at : at + 512] != new[4096 + at : 4608 + at]]
    bitmap = bytearray(bins // 512 // 8)
    for at in pages:
        bitmap[at // 4096] |= 1 << (at // 512 % 8)
    log = bytes(base_block(bins, 9, 1)[:512]) + b"DIRT" + bitmap
    log += bytes(-len(log) % 512) + b"".join(new[4096 + at : 4608 + at] for at in pages)
    open(before + ".LOG1", "wb").write(log)
    open(before, "wb").write(bytes(base_block(len(old) - 4096, 9, 0, 8)) + old[4096:])


def node_at(hive, path):
    node = hive.root()
    for name in path.split("\\"):
        node = node and hive.node_get_child(node, name)
    return node


def shown(hive, node, name):
    found = [it for it in hive.node_values(node) if hive.value_key(it) == name]
    if not found:
        return ""
    kind, _ = hive.value_type(found[0])
    return str(hive.value_dword(found[0])) if kind == 4 else hive.value_string(found[0])


def programs(path, key):
    hive = hivex.Hivex(path)
    for node in hive.node_children(node_at(hive, key)):
        row = [shown(hive, node, name) for name in ("DisplayName", "DisplayVersion", "Publisher")]
        update = re.search(r"KB\d+", row[0]) if shown(hive, node, "ParentKeyName") else None
        if row[0]:
            print("\t".join([update.group() if update else row[0]] + row[1:]))


def updates(path):
    hive = hivex.Hivex(path)
    rows = set()
    for node in hive.node_children(node_at(hive, SERVICING)):
        name = re.fullmatch(r"Package_(?:\d+_)?for_([^~]*)~.*~([^~]*)", hive.node_name(node))
        if name and shown(hive, node, "CurrentState") == "112":
            source = re.search(r"KB\d+", name[1]) or re.search(r"KB\d+", shown(hive, node, "InstallLocation"))
            rows.add("%s\t%s\t" % (source.group() if source else name[1], name[2]))
    print("\n".join(rows))


def get(path, key, name):
    hive = hivex.Hivex(path)
    print(shown(hive, node_at(hive, key), name))


verbs = {"make": make, "update": lambda path: write(path, UPDATE), "log": log, "programs": programs, "updates": updates, "get": get}
verbs[sys.argv[1]](*sys.argv[2:])
