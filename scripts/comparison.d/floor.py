#!/usr/bin/env python3
"""How many blocks of 512 KiB of a disk any reader needs, stage by stage. No code of Sidelight is used: the kernel says
where files lie (FIEMAP), dumpe2fs where inodes do, Python's zipfile what of an archive it reads.

Usage: floor.py IMAGE OFFSET MOUNTED LISTED.json    IMAGE's ext4 starts at OFFSET and is mounted read-only at MOUNTED.
LISTED has the paths that prove packages, by all tools together. Prints `stage<TAB>blocks so far`, which grow.
"""
import array
import fcntl
import io
import json
import os
import re
import stat
import struct
import subprocess
import sys
import zipfile

BLOCK = 512 * 1024
FIEMAP = 0xC020660B
image, offset, root = sys.argv[1], int(sys.argv[2]), sys.argv[3].rstrip("/")
listed = json.load(open(sys.argv[4]))


def extents(path):
    """Parts of a file: where in it, where in the filesystem, how long."""
    parts, start = [], 0
    file = os.open(path, os.O_RDONLY | os.O_NOATIME)
    try:
        while True:
            request = array.array("B", struct.pack("=QQIIII", start, 2**64 - 1 - start, 0, 0, 500, 0) + bytes(56 * 500))
            fcntl.ioctl(file, FIEMAP, request)
            count, flags = struct.unpack_from("=I", request, 20)[0], 0
            for index in range(count):
                logical, physical, length, _, _, flags = struct.unpack_from("=QQQQQI", request, 32 + 56 * index)
                parts.append((logical, physical, length))
                start = logical + length
            if count == 0 or flags & 1:
                return parts
    finally:
        os.close(file)


class Floor:
    def __init__(self):
        self.blocks = set()
        text = subprocess.run(["dumpe2fs", f"{image}?offset={offset}"], capture_output=True, check=True).stdout.decode()
        self.per_group = int(re.search(r"Inodes per group: +(\d+)", text)[1])
        self.inode_size = int(re.search(r"Inode size:\s+(\d+)", text)[1])
        self.block_size = int(re.search(r"Block size: +(\d+)", text)[1])
        self.tables = [int(table) for table in re.findall(r"Inode table at (\d+)", text)]

    def add(self, start, length):
        first, last = (offset + start) // BLOCK, (offset + start + max(length, 1) - 1) // BLOCK
        self.blocks.update(range(first, last + 1))

    def mount(self):
        self.blocks.add(0)
        self.add(1024, self.block_size + 64 * len(self.tables))

    def inode(self, number):
        group, index = divmod(number - 1, self.per_group)
        self.add(self.tables[group] * self.block_size + index * self.inode_size, self.inode_size)

    def data(self, path, start=0, length=1 << 62):
        for logical, physical, size in extents(path):
            begin, end = max(start, logical), min(start + length, logical + size)
            if begin < end:
                self.add(physical + begin - logical, end - begin)

    def path(self, path):
        """The folders on the way to a file, links followed, and the inodes."""
        real = os.path.realpath(path)
        for part in [real, *(real[:at] for at in range(len(root), len(real)) if real[at] == "/")]:
            if os.path.exists(part):
                self.inode(os.lstat(part).st_ino)
                if os.path.isdir(part):
                    self.data(part)

    def file(self, path, *part):
        self.path(path)
        self.data(os.path.realpath(path), *part)

    def stage(self, name):
        print(f"{name}\t{len(self.blocks)}")


class Counting(io.RawIOBase):
    """A file that notes what is read of it."""

    def __init__(self, path, floor):
        self.path, self.floor, self.file = path, floor, open(path, "rb")

    def seekable(self):
        return True

    def readable(self):
        return True

    def seek(self, *to):
        return self.file.seek(*to)

    def tell(self):
        return self.file.tell()

    def read(self, size=-1):
        at, data = self.file.tell(), self.file.read(size)
        self.floor.data(self.path, at, len(data))
        return data


def archive(path, floor):
    try:
        zipfile.ZipFile(Counting(path, floor))
    except zipfile.BadZipFile:
        floor.data(path, 0, 4)


floor = Floor()
floor.mount()
floor.stage("mount")
for name in ("etc/os-release", "etc/fstab", "etc/hostname", "etc/machine-id", "var/lib/dpkg/status"):
    if os.path.lexists(f"{root}/{name}"):
        floor.file(f"{root}/{name}")
floor.stage("the system's packages")

entries, programs = 0, []
owned = set()
for name in os.listdir(f"{root}/var/lib/dpkg/info"):
    if name.endswith(".list"):
        with open(f"{root}/var/lib/dpkg/info/{name}", errors="surrogateescape") as lines:
            owned.update(os.path.realpath(root + os.path.dirname(line)) + "/" + os.path.basename(line.strip()) for line in lines)
for folder, folders, files in os.walk(root):
    floor.inode(os.lstat(folder).st_ino)
    floor.data(folder)
    for name in files:
        path = f"{folder}/{name}"
        status = os.lstat(path)
        floor.inode(status.st_ino)
        entries += 1
        if stat.S_ISREG(status.st_mode) and status.st_mode & 0o111 and status.st_size and path not in owned:
            programs.append(path)
    entries += len(folders)
floor.stage(f"all {entries:,} entries of folders, and their inodes")
for name in os.listdir(f"{root}/var/lib/dpkg/info"):
    if name.endswith(".list"):
        floor.data(f"{root}/var/lib/dpkg/info/{name}")
floor.stage("dpkg's lists of files")
for path in programs:
    floor.data(path, 0, 64)
floor.stage(f"the heads of {len(programs):,} programs that no package owns")
manifests = sorted({root + re.split("[!]", place)[0] for place in listed})
manifests = [path for path in manifests if os.path.isfile(path) and path not in programs and not path.endswith("/dpkg/status")]
for path in manifests:
    if re.search(r"\.(jar|war|ear|egg)$", path):
        archive(path, floor)
    elif os.path.getsize(path) < 4 << 20:
        floor.data(path)
floor.stage(f"{len(manifests):,} manifests, of archives their directories")
