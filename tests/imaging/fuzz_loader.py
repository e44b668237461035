"""Fuzz the loader: damage real image files in many ways and see that each is read or refused.

    python tests/imaging/fuzz_loader.py --count 10000 --seed 0

Every case is a small image file, damaged as its number and the seed say. The loader must either
read it or raise one of our errors with a hint: within five seconds, within 512 MB of further
address space, without a warning, and without a crash. Cases run in a child process that holds
itself to these limits. Exit status 1, and the cases to look at, when one did not. A case is run
again by its number: `--first 1234 --count 1`.
"""

import argparse
import bz2
import gzip
import io
import json
import logging
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.testing import data_path

from neuroprimer.errors import NeuroprimerError
from neuroprimer.imaging import as_4d, load_image, load_voxels
from neuroprimer.imaging.describing import describe
from neuroprimer.imaging.tables.aggregation import mean_image

TIME_LIMIT_S = 5
MEMORY_LIMIT_BYTES = 512 << 20

# A child that says nothing for so long hangs where no alarm reaches it.
SILENCE_LIMIT_S = 4 * TIME_LIMIT_S

# Cases for one child.
BATCH = 1000

# What an earlier mutation may lead to when what is in a file is to be changed.
BROKEN = (OSError, EOFError, ValueError, IndexError, zlib.error)

Files = dict[str, bytes]
Probe = Callable[[Path], object]
Mutation = Callable[[Files, np.random.Generator], None]

PROBES: Mapping[str, Probe] = {
    "load_image": lambda path: as_4d(load_image(path)).header,
    "describe": lambda path: (repr(describe(path)), describe(path)._repr_html_()),
    "load_voxels": lambda path: load_voxels(load_image(path)),
    "one volume": lambda path: load_image(path).dataobj[..., 0],
    "mean_image": lambda path: mean_image(path, nan="omit", n_workers=2),
    "open file": lambda path: load_voxels(load_image(io.BytesIO(path.read_bytes()))),
}


# nibabel leaves some files to be closed by whoever collects them, and what it and scipy say about
# headers that are odd is true, though they try to read them.
LET_THROUGH = (
    (ResourceWarning, ""),
    (UserWarning, "Extension size is not a multiple of 16"),
    (UserWarning, "PAR/REC version .* is currently not supported"),
    (UserWarning, "We do not support byte ordering"),
)


class TooSlow(BaseException):
    """Raised by the alarm; nothing that is tried may catch it."""


@dataclass
class Report:
    """What became of one damaged file.

    Parameters
    ----------
    number : int
        Which case.
    what : str
        The file and what was done to it.
    outcomes : dict
        For each probe "read" or the name of our error.
    failures : list of str
        What should not have happened.
    """

    number: int
    what: str
    outcomes: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


# --- files to damage ------------------------------------------------------------------------------


def make_seeds() -> dict[str, Files]:
    """Return small sound images of all formats, as content by file name."""
    rng = np.random.default_rng(0)
    counts = rng.integers(-3000, 3000, (5, 6, 4, 3), dtype=np.int16)
    reals = rng.normal(100, 20, (5, 6, 4)).astype(np.float32)
    affine = np.array([[-2, 0.1, 0, 9], [0.1, 2, 0.3, -7], [0, -0.3, 2.5, 3], [0, 0, 0, 1.0]])

    run = nib.Nifti1Image(counts, affine)
    run.header.set_zooms((2, 2, 2.5, 2.4))
    run.header.set_xyzt_units("mm", "sec")
    run.header.set_qform(affine, 1, strip_shears=True)
    run.header.set_sform(affine, 1)
    scaled = nib.Nifti1Image(reals, affine, dtype=np.float32)
    scaled.set_data_dtype(np.int16)
    noted = nib.Nifti1Image(reals, affine)
    noted.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"as it was found" * 3))
    colours = np.zeros((4, 4, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    seeds = {
        "run.nii": written(run, "run.nii"),
        "run.nii.gz": written(run, "run.nii.gz"),
        "map.nii.gz": written(nib.Nifti1Image(reals, affine), "map.nii.gz"),
        "double.nii": written(nib.Nifti1Image(reals.astype(">f8"), affine), "double.nii"),
        "scaled.nii": written(scaled, "scaled.nii"),
        "scaled.nii.gz": written(scaled, "scaled.nii.gz"),
        "noted.nii.gz": written(noted, "noted.nii.gz"),
        "second.nii": written(nib.Nifti2Image(counts, affine), "second.nii"),
        "second.nii.gz": written(nib.Nifti2Image(reals, affine), "second.nii.gz"),
        "odd.nii.gz": written(nib.Nifti1Image(counts[:, :, :, None], affine), "odd.nii.gz"),
        "complex.nii": written(nib.Nifti1Image(reals + 1j, affine, dtype="c8"), "complex.nii"),
        "colours.nii.gz": written(nib.Nifti1Image(colours, affine), "colours.nii.gz"),
        "pair.img": written(nib.Nifti1Pair(counts, affine), "pair.img"),
        "packed.img.gz": written(nib.Nifti1Pair(reals, affine), "packed.img.gz"),
        "old.img": written(nib.AnalyzeImage(counts, affine), "old.img"),
        "spm.img": written(nib.Spm99AnalyzeImage(counts, affine), "spm.img"),
        "free.mgh": written(nib.MGHImage(reals, affine), "free.mgh"),
        "free.mgz": written(nib.MGHImage(counts, affine), "free.mgz"),
        "anatomical.nii": from_nibabel("anatomical.nii"),
        "tiny.mnc": from_nibabel("tiny.mnc"),
        "scaled+tlrc.HEAD": from_nibabel("scaled+tlrc.HEAD", "scaled+tlrc.BRIK"),
        "phantom_varscale.PAR": from_nibabel("phantom_varscale.PAR", "phantom_varscale.REC"),
    }
    content = seeds["run.nii"]["run.nii"]
    members = gzip.compress(content[:500]) + gzip.compress(content[500:])
    seeds["members.nii.gz"] = {"members.nii.gz": members}
    seeds["other.nii.bz2"] = {"other.nii.bz2": bz2.compress(content)}
    return seeds


def from_nibabel(*names: str) -> Files:
    """Return files that nibabel brings along, as content by name."""
    return {name: (Path(data_path) / name).read_bytes() for name in names}


def written(image: nib.spatialimages.SpatialImage, name: str) -> Files:
    """Return what nibabel writes for an image, as content by name."""
    with tempfile.TemporaryDirectory() as folder:
        nib.save(image, Path(folder) / name)
        return {file.name: file.read_bytes() for file in sorted(Path(folder).iterdir())}


# --- damage ---------------------------------------------------------------------------------------


def choose_file(files: Files, rng: np.random.Generator) -> str:
    """Choose one of the files of an image."""
    return sorted(files)[rng.integers(len(files))]


@contextmanager
def inflated(files: Files, name: str, rng: np.random.Generator) -> Iterator[bytearray]:
    """Give what is in a file to be changed; put it back with right checksums."""
    is_gzip = files[name][:2] == b"\x1f\x8b"
    content = bytearray(gzip.decompress(files[name]) if is_gzip else files[name])
    yield content
    if is_gzip and rng.random() < 0.2:
        cut = int(rng.integers(len(content) + 1))
        files[name] = gzip.compress(content[:cut]) + gzip.compress(content[cut:])
    else:
        files[name] = gzip.compress(content) if is_gzip else bytes(content)


def truncate(files: Files, rng: np.random.Generator) -> None:
    """Cut a file off."""
    name = choose_file(files, rng)
    files[name] = files[name][: rng.integers(max(len(files[name]), 1))]


def flip_bits(files: Files, rng: np.random.Generator) -> None:
    """Flip some bits anywhere in a file, compressed or not."""
    name = choose_file(files, rng)
    content = bytearray(files[name])
    for _ in range(rng.integers(1, 9) if content else 0):
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    files[name] = bytes(content)


def overwrite(files: Files, rng: np.random.Generator) -> None:
    """Write zeros, ones or noise over a part of a file, compressed or not."""
    name = choose_file(files, rng)
    content = bytearray(files[name])
    start, length = (int(rng.integers(n)) for n in (max(len(content), 1), 40))
    noise = [bytes(length), b"\xff" * length, rng.bytes(length)][rng.integers(3)]
    content[start : start + length] = noise
    files[name] = bytes(content)


def move_bytes(files: Files, rng: np.random.Generator) -> None:
    """Drop or repeat a part of a file."""
    name = choose_file(files, rng)
    content = files[name]
    start, stop = sorted(int(place) for place in rng.integers(len(content) + 1, size=2))
    files[name] = content[:stop] + content[start if rng.random() < 0.5 else stop + 7 :]


def append(files: Files, rng: np.random.Generator) -> None:
    """Append zeros, noise, a member, or half of one."""
    name = choose_file(files, rng)
    tails = [bytes(100), rng.bytes(30), gzip.compress(b"more"), gzip.compress(b"more")[:-6]]
    files[name] += tails[rng.integers(len(tails))]


def flip_header_bits(files: Files, rng: np.random.Generator) -> None:
    """Flip bits of a header, with right checksums afterwards."""
    name = choose_file(files, rng)
    try:
        with inflated(files, name, rng) as content:
            for _ in range(rng.integers(1, 6) if content else 0):
                content[rng.integers(min(len(content), 560))] ^= 1 << int(rng.integers(8))
    except BROKEN:  # an earlier mutation has broken it already
        flip_bits(files, rng)


def set_field(files: Files, rng: np.random.Generator) -> None:
    """Set fields of a header to what no sound header holds."""
    name = choose_file(files, rng)
    try:
        with inflated(files, name, rng) as content:
            header = find_header(content)
            for _ in range(rng.integers(1, 4)):
                field_name = choose_field(header, rng)
                values = header[field_name].reshape(-1)
                for place in rng.integers(values.size, size=rng.integers(1, 3)):
                    set_odd_value(values, int(place), rng)
                header[field_name] = values.reshape(header[field_name].shape)
            content[: header.itemsize] = header.tobytes()
    except BROKEN:
        flip_bits(files, rng)


# Fields that decide about size, type and place; they are chosen more often than others.
WEIGHTY = re.compile("dim|datatype|bitpix|vox_offset|scl_|srow|quatern|_code|magic|type|Mdc|delta")


def choose_field(header: np.ndarray, rng: np.random.Generator) -> str:
    """Choose a field of a header."""
    names = list(header.dtype.names)
    if rng.random() < 0.7:
        names = [name for name in names if WEIGHTY.search(name)]
    return names[rng.integers(len(names))]


def find_header(content: bytearray) -> np.ndarray:
    """Return the header at the beginning of a file as a structured array that can be written to."""
    if content[:4] == b"\0\0\0\1":
        dtype = nib.MGHImage.header_class._hdrdtype
    elif 540 in (int.from_bytes(content[:4], order) for order in ("little", "big")):
        dtype = nib.Nifti2Header.template_dtype
    else:
        dtype = nib.Nifti1Header.template_dtype
    if content[:1] == b"\0" and content[:4] != b"\0\0\0\1":
        dtype = dtype.newbyteorder(">")
    return np.frombuffer(bytes(content[: dtype.itemsize]), dtype)[0].copy()


def set_odd_value(values: np.ndarray, place: int, rng: np.random.Generator) -> None:
    """Put a value into a field of a header that should not stand there."""
    dtype = values.dtype
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        odd = [0, 1, 2, 3, 7, 8, limits.max, limits.min, limits.max // 2, limits.max - 7]
        odd += [16, 64, 128, 256, 512, 768, 1024, 1536, 1792, 2048, 2304]
        if limits.min < 0:
            odd += [-1, -2]
        values[place] = min(odd[rng.integers(len(odd))], limits.max)
    elif dtype.kind == "f":
        odd = [0, -1, 1, 1e-45, 1e38, -1e38, np.nan, np.inf, -np.inf, 351, 352.5, 1e6, 1e9]
        with np.errstate(all="ignore"):
            values[place] = odd[rng.integers(len(odd))]
    else:
        values[place] = rng.bytes(dtype.itemsize)


def ask_for_terabytes(files: Files, rng: np.random.Generator) -> None:
    """Let a header speak of more voxels than any machine holds."""
    for name in files:
        try:
            with inflated(files, name, rng) as content:
                header = find_header(content)
                dims = "dims" if "dims" in header.dtype.names else "dim"
                n_axes = int(rng.integers(3, 5))
                lengths = [n_axes, *[int(rng.choice([3000, 32767]))] * n_axes, 1, 1, 1, 1]
                values = header[dims]
                header[dims] = lengths[1:5] if dims == "dims" else lengths[: len(values)]
                content[: header.itemsize] = header.tobytes()
        except BROKEN:
            flip_bits(files, rng)


def break_affine(files: Files, rng: np.random.Generator) -> None:
    """Let an affine be NaN, infinite, or flat."""
    for name in files:
        try:
            with inflated(files, name, rng) as content:
                header = find_header(content)
                rows = ["srow_x", "srow_y", "srow_z"] if "srow_x" in header.dtype.names else ["Mdc"]
                for row in rows:
                    if row in header.dtype.names:
                        header[row] = rng.choice([np.nan, np.inf, 0, 1e38])
                content[: header.itemsize] = header.tobytes()
        except BROKEN:
            flip_bits(files, rng)


def inflate_much(files: Files, rng: np.random.Generator) -> None:
    """Let a compressed file hold far more than its header speaks of."""
    for name, content in files.items():
        if content[:2] == b"\x1f\x8b":
            files[name] = content + gzip.compress(bytes(int(rng.integers(1, 30)) << 20), 1)


def replace_content(files: Files, rng: np.random.Generator) -> None:
    """Put something else in the place of a file."""
    name = choose_file(files, rng)
    others = [b"", b"not an image", b"<html>404", b"\x1f\x8b", bytes(400), rng.bytes(1000)]
    others += [gzip.compress(b""), gzip.compress(b"not an image"), gzip.compress(files[name])]
    files[name] = others[rng.integers(len(others))]


def lose_file(files: Files, rng: np.random.Generator) -> None:
    """Lose one file of an image that consists of several."""
    name = choose_file(files, rng)
    if len(files) > 1:
        del files[name]


MUTATIONS: tuple[Mutation, ...] = (
    truncate,
    *[flip_bits] * 4,
    overwrite,
    move_bytes,
    append,
    *[flip_header_bits] * 4,
    *[set_field] * 6,
    ask_for_terabytes,
    break_affine,
    inflate_much,
    replace_content,
    lose_file,
)


def damage(number: int, seed: int, seeds: Mapping[str, Files]) -> tuple[str, Files, str]:
    """Return the name of an image, its damaged files, and what was done, for a number."""
    rng = np.random.default_rng([seed, number])
    name = sorted(seeds)[rng.integers(len(seeds))]
    files = dict(seeds[name])
    done = [MUTATIONS[index] for index in rng.integers(len(MUTATIONS), size=rng.integers(1, 3))]
    for mutate in done:
        if files:
            mutate(files, rng)
    return name, files, f"{name}: " + ", ".join(mutate.__name__ for mutate in done)


def make_odd_place(folder: Path, number: int) -> tuple[Path, str]:
    """Make what is no ordinary file, and return its path."""
    place = folder / "place.nii.gz"
    kind = ("folder", "pipe", "device", "endless", "circle", "dangling", "missing")[number % 7]
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind in ("device", "endless"):
        place.symlink_to("/dev/null" if kind == "device" else "/dev/zero")
    elif kind == "circle":
        place.symlink_to(place)
    elif kind == "dangling":
        place.symlink_to(folder / "nowhere")
    return place, kind


# --- trial ----------------------------------------------------------------------------------------


def run_case(
    number: int,
    seed: int,
    folder: Path,
    seeds: Mapping[str, Files],
    probes: Mapping[str, Probe] = PROBES,
) -> Report:
    """Write one damaged image and try all that should read or refuse it."""
    if number % 50 == 49:
        path, what = make_odd_place(folder, number // 50)
        probes = {name: probe for name, probe in probes.items() if name != "open file"}
    else:
        name, files, what = damage(number, seed, seeds)
        for file_name, content in files.items():
            (folder / file_name).write_bytes(content)
        path = folder / name
        if not path.exists():
            probes = {name: probe for name, probe in probes.items() if name != "open file"}
    report = Report(number, what)
    for name, probe in probes.items():
        try_probe(name, probe, path, report)
    return report


def try_probe(name: str, probe: Probe, path: Path, report: Report) -> None:
    """Try one way to read a file, and note what comes of it."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for category, message in LET_THROUGH:
            warnings.filterwarnings("ignore", message, category)
        signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT_S)
        try:
            probe(path)
            report.outcomes[name] = "read"
        except NeuroprimerError as error:
            report.outcomes[name] = type(error).__name__
            if not error.hint or not error.message:
                report.failures.append(f"{name}: no hint: {error}")
        except TooSlow:
            report.outcomes[name] = "too slow"
            report.failures.append(f"{name}: took more than {TIME_LIMIT_S} s")
        except Exception as error:  # noqa: BLE001 - to find these is what this is for
            report.outcomes[name] = "raised"
            report.failures.append(f"{name}: {type(error).__name__}: {error}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    report.failures += [f"{name}: warned: {warning.message}" for warning in told]


def limit_this_process() -> None:
    """Allow so much further address space, and turn the alarm into an exception."""

    def too_slow(*_: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGALRM, too_slow)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_LIMIT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_cases(first: int, count: int, seed: int) -> Iterator[Report]:
    """Run cases in this process."""
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)  # it tells what it mends
    seeds = make_seeds()
    for number in range(first, first + count):
        with tempfile.TemporaryDirectory() as folder:
            yield run_case(number, seed, Path(folder), seeds)


def run_as_child(first: int, count: int, seed: int) -> None:
    """Run cases under limits and tell the parent of each, before it and after it."""
    for path in (Path(data_path) / name for name in ("example4d.nii.gz", "functional.nii")):
        for probe in PROBES.values():
            probe(path)  # so that what is loaded once does not count
    limit_this_process()
    tell = sys.stdout
    tell.write(json.dumps({"start": first}) + "\n")
    for report in run_cases(first, count, seed):
        tell.write(json.dumps(vars(report)) + "\n")
        tell.write(json.dumps({"start": report.number + 1}) + "\n")
        tell.flush()


def watch_child(first: int, count: int, seed: int) -> Iterator[Report]:
    """Run cases in a child process; what kills or stops it is a failure of the case it was at."""
    current = first
    while current < first + count:
        rest = first + count - current
        options = ("--child", "--first", str(current), "--count", str(rest), "--seed", str(seed))
        child = subprocess.Popen(
            [sys.executable, __file__, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Each thread would otherwise promise itself 64 MB.
            env={**os.environ, "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"},
        )
        assert child.stdout is not None
        assert child.stderr is not None
        for line in lines_until_silence(child):
            told = json.loads(line)
            current = told.get("start", current)
            if "number" in told:
                yield Report(**told)
        status, said = child.wait(), child.stderr.read().strip().splitlines()
        child.stdout.close()
        child.stderr.close()
        if current < first + count:
            last = said[-1] if said else "nothing"
            failure = f"the process ended with status {status} and said: {last}"
            yield Report(current, "?", {"process": "died"}, [failure])
            current += 1


def lines_until_silence(child: subprocess.Popen[str]) -> Iterator[str]:
    """Yield what a child writes; end it when it has written nothing for too long."""

    def end(*_: Any) -> None:
        child.kill()

    signal.signal(signal.SIGALRM, end)
    signal.alarm(10 * SILENCE_LIMIT_S)  # it has to load its libraries first
    for line in child.stdout or ():
        yield line
        signal.alarm(SILENCE_LIMIT_S)
    signal.alarm(0)


def summarise(reports: Iterator[Report], say: Callable[[str], object]) -> int:
    """Say how often each outcome came, and each failure; return the number of failed cases."""
    outcomes: Counter[tuple[str, str]] = Counter()
    damages: Counter[str] = Counter()
    n_cases = n_failed = 0
    for report in reports:
        n_cases += 1
        n_failed += bool(report.failures)
        outcomes.update(report.outcomes.items())
        damages.update(report.what.partition(": ")[2].split(", "))
        for failure in report.failures:
            say(f"FAILED case {report.number} ({report.what}) {failure}")
    for (probe, outcome), times in sorted(outcomes.items()):
        say(f"{probe:12} {outcome:28} {times:7}")
    say("damage done: " + ", ".join(f"{name} {n}" for name, n in sorted(damages.items()) if name))
    say(f"{n_cases} cases, {n_failed} failed")
    return n_failed


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Fuzz the loader.")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--keep", type=Path, help="folder to write the first case to, untried")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.keep:
        shutil.rmtree(options.keep, ignore_errors=True)
        options.keep.mkdir(parents=True)
        for name, content in damage(options.first, options.seed, make_seeds())[1].items():
            (options.keep / name).write_bytes(content)
        return 0
    if options.child:
        run_as_child(options.first, options.count, options.seed)
        return 0
    last = options.first + options.count
    batches = [
        watch_child(first, min(BATCH, last - first), options.seed)
        for first in range(options.first, last, BATCH)
    ]
    reports = (report for batch in batches for report in batch)
    return int(summarise(reports, lambda line: sys.stdout.write(line + "\n")) > 0)


if __name__ == "__main__":
    sys.exit(main())
