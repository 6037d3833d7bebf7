"""Writes what Windows keeps of a file that it compressed as a whole (WOF): the content of the stream
WofCompressedData. The compressor is wimlib's, whose chunks are those of Windows.

    compress.py xpress4k|xpress8k|xpress16k|lzx SOURCE TARGET
"""

import ctypes
import struct
import sys

XPRESS, LZX = 1, 2
FORMATS = {"xpress4k": (XPRESS, 4096), "xpress8k": (XPRESS, 8192), "xpress16k": (XPRESS, 16384), "lzx": (LZX, 32768)}


def main(name, source, target):
    kind, size = FORMATS[name]
    wim = ctypes.CDLL("libwim.so.15")
    wim.wimlib_compress.restype = ctypes.c_size_t
    wim.wimlib_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
    compressor = ctypes.c_void_p()
    assert wim.wimlib_create_compressor(kind, ctypes.c_size_t(size), 50, ctypes.byref(compressor)) == 0
    content = open(source, "rb").read()
    chunks = []
    for at in range(0, len(content), size):
        chunk = content[at : at + size]
        out = ctypes.create_string_buffer(size)
        length = wim.wimlib_compress(chunk, len(chunk), out, len(chunk) - 1, compressor)
        chunks.append(out.raw[:length] if length else chunk)
    ends, at = [], 0
    for chunk in chunks[:-1]:
        at += len(chunk)
        ends.append(at)
    with open(target, "wb") as out:
        out.write(struct.pack(f"<{len(ends)}I", *ends) + b"".join(chunks))


main(*sys.argv[1:])
