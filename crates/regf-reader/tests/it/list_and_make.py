"""Lists and makes hives by hivex: list_and_make.py list|make|change HIVE."""

import struct
import sys

import hivex


def escaped(text):
    return "".join(c if "!" <= c <= "~" and c not in "\\{" else "{%x}" % ord(c) for c in text)


def names_of(blob, at, length, is_latin1):
    return blob[at : at + length].decode("latin-1" if is_latin1 else "utf-16-le")


def list_hive(path):
    hive = hivex.Hivex(path)
    blob = open(path, "rb").read()
    todo = [("", hive.root())]
    while todo:
        path, node = todo.pop()
        # hivex gives no class names: where it finds a key, the node is read.
        at, length = struct.unpack_from("<I", blob, node + 52)[0], struct.unpack_from("<H", blob, node + 78)[0]
        known = "" if at == 0xFFFFFFFF else blob[4100 + at : 4100 + at + length].decode("utf-16-le")
        print("key", path, hive.node_timestamp(node), escaped(known.split("\0")[0]))
        for value in hive.node_values(node):
            kind, data = hive.value_value(value)
            name = hive.value_key(value)
            print("value", path, escaped(name), kind & 0xFFFFFFFF, data.hex())
        children = hive.node_children(node)
        todo += [(path + "\\" + escaped(hive.node_name(child)), child) for child in reversed(children)]


def value(name, kind, data):
    return {"key": name, "t": kind, "value": data}


def utf16(text):
    return text.encode("utf-16-le")


def make(path):
    hive = hivex.Hivex(path, write=True)
    root = hive.root()
    kinds = hive.node_add_child(root, "Kinds")
    hive.node_set_values(
        kinds,
        [
            value("", 1, utf16("the default\0")),
            value("none", 0, b""),
            value("string", 1, utf16("Stra\u00dfe \U0001f600\0")),
            value("no null", 1, utf16("abc")),
            value("expand", 2, utf16("%SystemRoot%\\x\0")),
            value("binary", 3, bytes(range(256))),
            value("one", 3, b"\x01"),
            value("four", 3, b"\x01\x02\x03\x04"),
            value("five", 3, b"\x01\x02\x03\x04\x05"),
            value("number", 4, struct.pack("<I", 0x12345678)),
            value("big-endian", 5, struct.pack(">I", 0x12345678)),
            value("link", 6, utf16("\\Registry\\Machine\\x")),
            value("strings", 7, utf16("a\0bc\0\0")),
            value("long", 11, struct.pack("<Q", 1 << 40)),
            value("other", 0xFFFF0010, b"12345678"),
            value("large", 3, bytes(index * 7 % 251 for index in range(16000))),
            value("\u00fcml\u00e4ut", 1, utf16("x\0")),
            value("\u0416", 1, utf16("y\0")),
        ],
    )
    many = hive.node_add_child(root, "Many")
    for index in range(3000):
        child = hive.node_add_child(many, "Key%04d" % index)
        if index % 3 == 0:
            hive.node_set_value(child, value("n", 4, struct.pack("<I", index)))
    deep = hive.node_add_child(root, "Deep")
    for index in range(300):
        deep = hive.node_add_child(deep, "d%d" % index)
    names = hive.node_add_child(root, "Names")
    for name in ("\u00c9t\u00e9", "\u0416\u0443\u043a", "\U0001f600", "with space", "CASE", "x" * 250):
        hive.node_add_child(names, name)
    hive.commit(None)


def change(path):
    """What stands in the log of a test: more keys, fewer keys, other data, a longer hive."""
    hive = hivex.Hivex(path, write=True)
    many = hive.node_get_child(hive.root(), "Many")
    for index in range(0, 3000, 100):
        hive.node_delete_child(hive.node_get_child(many, "Key%04d" % index))
    new = hive.node_add_child(hive.root(), "New")
    for index in range(400):
        hive.node_set_value(hive.node_add_child(new, "New%03d" % index), value("v", 3, bytes(1000)))
    kinds = hive.node_get_child(hive.root(), "Kinds")
    hive.node_set_value(kinds, value("string", 1, utf16("changed\0")))
    hive.commit(None)


{"list": list_hive, "make": make, "change": change}[sys.argv[1]](sys.argv[2])
