"""Zip archives written byte by byte, so that they may lie where the zip module would not let us."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Entry:
    """One member with every claim at hand; None means the truth."""

    name: bytes
    data: bytes = b"voxels"
    method: int = 8
    flags: int = 0x800
    mode: int = 0o100644
    claimed_size: int | None = None
    crc: int | None = None
    packed: bytes | None = None
    local_name: bytes | None = None

    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflate(self.data) if self.method == 8 else self.data

    def sizes(self) -> bytes:
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        size = len(self.data) if self.claimed_size is None else self.claimed_size
        return struct.pack("<LLL", crc, len(self.body()), size)

    def local(self) -> bytes:
        name = self.name if self.local_name is None else self.local_name
        fixed = struct.pack("<4s5H", b"PK\x03\x04", 20, self.flags, self.method, 0, 33)
        return fixed + self.sizes() + struct.pack("<HH", len(name), 0) + name + self.body()

    def central(self, offset: int) -> bytes:
        fixed = struct.pack("<4s6H", b"PK\x01\x02", 0x314, 20, self.flags, self.method, 0, 33)
        lengths = struct.pack("<5H", len(self.name), 0, 0, 0, 0)
        return (
            fixed + self.sizes() + lengths + struct.pack("<LL", self.mode << 16, offset) + self.name
        )


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def write_zip(path: Path, entries: list[Entry]) -> Path:
    """Write entries one after the other."""
    offsets, content = [], b""
    for entry in entries:
        offsets.append(len(content))
        content += entry.local()
    path.write_bytes(content + listing(entries, offsets, len(content)))
    return path


def listing(entries: list[Entry], offsets: list[int], at: int, count: int | None = None) -> bytes:
    """The list of members that ends an archive."""
    central = b"".join(e.central(o) for e, o in zip(entries, offsets, strict=True))
    number = min(len(entries) if count is None else count, 0xFFFF)
    end = struct.pack("<4s4HLLH", b"PK\x05\x06", 0, 0, number, number, len(central), at, 0)
    return central + end


def write_overlapping(path: Path, members: int, size: int) -> Path:
    """Write one deflated kernel that all members share: a few kB that unpack to members * size."""
    kernel = Entry(b"m0", bytes(size))
    content = kernel.local()
    entries = [Entry(f"m{i}".encode(), bytes(size)) for i in range(members)]
    path.write_bytes(content + listing(entries, [0] * members, len(content)))
    return path


def write_quoting(path: Path, members: int, size: int) -> Path:
    """Write the other kind: each member's stored data hold the headers of all that follow."""
    kernel = Entry(f"m{members}".encode(), bytes(size))
    content, entries, lengths = kernel.local(), [kernel], [len(kernel.local())]
    for i in reversed(range(members)):
        entry = Entry(f"m{i}".encode(), content, method=0)
        content = entry.local()
        entries.insert(0, entry)
        lengths.insert(0, len(content))
    offsets = [len(content) - length for length in lengths]
    path.write_bytes(content + listing(entries, offsets, len(content)))
    return path
