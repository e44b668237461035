"""Inflating against Python's gzip: members, trailers that lie, and damage anywhere."""

import gzip
import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroprimer.imaging.files.inflate import (
    CHUNK_BYTES,
    DAMAGED,
    LARGEST_EXPANSION,
    _inflate_at_once,
    inflate_file,
    open_inflated,
)

contents = st.binary(max_size=300)
NOISE = np.random.default_rng(0).bytes(3000)


def member(content: bytes, *, extra: bytes = b"", name: bytes = b"", flags: int = 0) -> bytes:
    """Return a member of a .gz file with the optional fields of its header set."""
    deflate = zlib.compressobj(wbits=-15)
    packed = deflate.compress(content) + deflate.flush()
    fields = b""
    if extra:
        flags |= 4
        fields += len(extra).to_bytes(2, "little") + extra
    if name:
        flags |= 8
        fields += name + b"\0"
    if flags & 16:
        fields += b"a comment\0"
    header = b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + fields
    if flags & 2:
        header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    size = len(content) % (1 << 32)
    return header + packed + zlib.crc32(content).to_bytes(4, "little") + size.to_bytes(4, "little")


def write(folder: Path, content: bytes) -> Path:
    path = folder / "file.gz"
    path.write_bytes(content)
    return path


@given(parts=st.lists(contents, min_size=1, max_size=5), data=st.data())
def test_first_bytes_of_any_number_of_members_come_out(tmp_path_factory, parts, data):
    path = write(tmp_path_factory.mktemp("gz"), b"".join(map(gzip.compress, parts)))
    whole = b"".join(parts)
    n_bytes = data.draw(st.integers(0, len(whole)))

    assert inflate_file(path, n_bytes).tobytes() == whole[:n_bytes]


def test_file_of_one_member_is_inflated_in_one_go(tmp_path):
    path = write(tmp_path, gzip.compress(NOISE))

    assert _inflate_at_once(path, len(NOISE)).tobytes() == NOISE


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(NOISE[:1000]) + gzip.compress(NOISE[1000:]),
        gzip.compress(NOISE) + bytes(512),
        gzip.compress(NOISE) + b"garbage",
    ],
    ids=["two members", "zeros behind", "garbage behind"],
)
def test_everything_else_goes_through_the_stream(tmp_path, packed):
    path = write(tmp_path, packed)

    assert _inflate_at_once(path, len(NOISE)) is None
    assert inflate_file(path, len(NOISE)).tobytes() == NOISE


@pytest.mark.parametrize("sizes", [(4, 10), (10, 10), (20, 10), (0, 10)])
def test_trailer_that_fits_by_accident_does_not_mislead(tmp_path, sizes):
    parts = [NOISE[:size] for size in sizes]
    path = write(tmp_path, b"".join(map(gzip.compress, parts)))

    assert inflate_file(path, 10).tobytes() == b"".join(parts)[:10]


def test_size_of_more_than_four_gigabytes_is_not_taken_from_the_trailer(tmp_path):
    path = write(tmp_path, gzip.compress(NOISE))

    assert _inflate_at_once(path, (1 << 32) + len(NOISE)) is None


@pytest.mark.parametrize("extra", [b"", b"BC\2\0\0\1", bytes(65_535)])
@pytest.mark.parametrize("name", [b"", b"run.nii", b"n" * 70_000])
@pytest.mark.parametrize("flags", [0, 2, 16, 18])
def test_optional_fields_of_a_header_are_passed_by(tmp_path, extra, name, flags):
    path = write(tmp_path, member(b"vox") + member(b"els", extra=extra, name=name, flags=flags))

    assert inflate_file(path, 6).tobytes() == b"voxels"


@pytest.mark.parametrize("before_chunk_end", range(-2, 30, 2))
def test_header_that_two_reads_are_needed_for_is_read(tmp_path, before_chunk_end):
    first = member(b"vox", name=b"n" * (CHUNK_BYTES - before_chunk_end - len(member(b"vox")) - 1))
    path = write(tmp_path, first + member(b"els", extra=b"BC\2\0\0\1", name=b"x", flags=2))

    assert inflate_file(path, 6).tobytes() == b"voxels"


def test_block_of_zeros_between_members_is_passed_by(tmp_path):
    path = write(tmp_path, member(b"vox") + bytes(2 * CHUNK_BYTES) + member(b"els"))

    assert inflate_file(path, 6).tobytes() == b"voxels"


def test_no_flipped_bit_changes_what_comes_out(tmp_path):
    content = NOISE[:40] * 3
    packed = gzip.compress(content, mtime=0) + gzip.compress(content, mtime=0)
    refused = 0
    for place in range(8 * len(packed)):
        flipped = bytearray(packed)
        flipped[place // 8] ^= 1 << place % 8
        path = write(tmp_path, bytes(flipped))
        try:
            found = inflate_file(path, 2 * len(content)).tobytes()
        except DAMAGED:
            refused += 1
        else:
            assert found == 2 * content, place
    # What remains is the time, the system and the like, in two headers of ten bytes.
    assert refused > 8 * (len(packed) - 20)


@pytest.mark.parametrize("n_members", [1, 2])
def test_file_cut_off_anywhere_is_refused(tmp_path, n_members):
    packed = gzip.compress(NOISE[:90]) * n_members
    for length in range(len(packed)):
        with pytest.raises(DAMAGED):
            inflate_file(write(tmp_path, packed[:length]), 90 * n_members)


def test_damage_behind_the_wanted_bytes_is_noticed(tmp_path):
    damaged = bytearray(gzip.compress(NOISE))
    damaged[-6] ^= 1

    with pytest.raises(DAMAGED):
        inflate_file(write(tmp_path, gzip.compress(NOISE) + bytes(damaged)), 100)


def test_fewer_bytes_than_wanted_are_counted(tmp_path):
    path = write(tmp_path, gzip.compress(NOISE))

    with pytest.raises(EOFError, match="3001 bytes are expected, but 3000 found"):
        inflate_file(path, 3001)


def test_more_than_a_file_can_hold_is_refused_before_it_is_read(tmp_path):
    packed = gzip.compress(b"small")
    path = write(tmp_path, packed)

    with pytest.raises(EOFError, match=f"can hold {len(packed) * LARGEST_EXPANSION} at most"):
        inflate_file(path, 1 << 50)


@pytest.mark.parametrize("content", [b"not compressed at all", b"\x1f\x8b\x07" + bytes(30)])
def test_what_is_no_gzip_file_is_refused(content):
    with (
        pytest.raises(OSError, match=r"does not begin|compression is number 7"),
        open_inflated(io.BytesIO(content)) as stream,
    ):
        stream.read()


@given(content=contents, moves=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 100))))
def test_places_in_the_stream_are_those_of_the_content(content, moves):
    half = len(content) // 2
    packed = gzip.compress(content[:half]) + gzip.compress(content[half:])
    plain = io.BytesIO(content)

    with open_inflated(io.BytesIO(packed)) as stream:
        for place, length in moves:
            stream.seek(place)
            plain.seek(min(place, len(content)))
            assert stream.read(length) == plain.read(length)
            assert stream.tell() == plain.tell()


def test_stream_begins_where_the_file_stands_and_leaves_it_open():
    file = io.BytesIO(b"before" + gzip.compress(b"voxels"))
    file.seek(6)

    with open_inflated(file) as stream:
        first = stream.read()
        stream.seek(0)
        again = stream.read(3)

    assert (first, again, file.closed) == (b"voxels", b"vox", False)


def test_file_that_cannot_seek_is_read_forward():
    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise io.UnsupportedOperation

    with open_inflated(OneWay(gzip.compress(b"voxels"))) as stream:
        assert stream.read() == b"voxels"


@pytest.mark.parametrize(("offset", "whence"), [(-1, 0), (0, 2)])
def test_stream_has_no_place_before_its_beginning_or_from_its_end(offset, whence):
    file = io.BytesIO(gzip.compress(b"voxels"))

    with open_inflated(file) as stream, pytest.raises((OSError, ValueError)):
        stream.seek(offset, whence)
