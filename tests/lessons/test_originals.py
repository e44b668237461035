"""The measured data, fetched through the real command from servers on this machine.

Nobody can test here that the publishers still have them; what their servers send is as nilearn and
the tutorials know it.
"""

import csv
import gzip
import io
import json
import os
import zipfile

import pytest

from neuroprimer_lessons.datasets import DATASETS
from neuroprimer_lessons.originals import VARIANTS

NEUROVAULT = "/neurovault.org"
COLLECTION = f"{NEUROVAULT}/api/collections/504/images/"
AMYGDALA = f"{NEUROVAULT}/media/images/1290/FSL_BAmyg_thr0.nii.gz"
LEVELS = {1: "Low", 2: "Medium", 3: "High"}
T1 = gzip.compress(os.urandom(100_000), mtime=0)
CUT = 4 * 8192  # nilearn writes in pieces of that size
BOLD = gzip.compress(b"a run", mtime=0)


@pytest.fixture
def fetch(tmp_path, monkeypatch, neuroprimer):
    """Return a function that fetches a dataset's measured files."""
    monkeypatch.setenv("NEUROPRIMER_DATA", str(tmp_path / "data"))
    return lambda dataset, *options: neuroprimer(
        "data", "fetch", dataset, "--variant", "full", *options, blocked=("smoothing",)
    )


@pytest.fixture
def neurovault(web, monkeypatch):
    """Return a server that has copies of what is on NeuroVault, or can have."""
    monkeypatch.setenv("NEUROPRIMER_MIRROR", web.url)
    return web


def put_pain_maps(web, *, people=28, page=30, wrongly=None) -> None:
    """Put maps, and the list of them in pages that are shorter than what is asked for."""
    images = []
    for number in range(people * 3):
        person, level = number // 3 + 1, number % 3 + 1
        path = f"/media/images/504/Pain_Subject_{person}_{LEVELS[level]}.nii.gz"
        web.put(NEUROVAULT + path, gzip.compress(f"{person} {level}".encode()))
        address = f"http://neurovault.org{path}"
        texts = {"SubjectID": str(person), "PainLevel": f"{level}.0"}
        images.append({"id": 7000 + number, "file": address, **texts, **(wrongly or {})})
    images.reverse()  # the newest come first
    for start in range(0, len(images), page):
        results = {"count": len(images), "results": images[start : start + page]}
        web.put(f"{COLLECTION}?limit=100&offset={start}", json.dumps(results).encode())


def kept(tmp_path, dataset):
    (version,) = {one.version for one in DATASETS if one.id == dataset}
    return tmp_path / "data" / dataset / f"{version}-full"


def test_pain_maps_come_under_the_names_of_the_sample_with_a_table(fetch, neurovault, tmp_path):
    put_pain_maps(neurovault)

    done = fetch("pain-maps")

    assert done.returncode == 0, done.stderr
    assert "pain-maps (full): 85 file(s)" in done.stdout
    folder = kept(tmp_path, "pain-maps")
    assert gzip.decompress((folder / "sub-28_pain-3.nii.gz").read_bytes()) == b"28 3"
    rows = list(csv.DictReader(io.StringIO((folder / "metadata.csv").read_text())))
    assert [row["file"] for row in rows] == sorted(row["file"] for row in rows)
    assert rows[1] == {
        "file": "sub-01_pain-2.nii.gz",
        "subject": "sub-01",
        "pain_level": "2",
        "intensity": "medium",
        "neurovault_id": "7001",
        "address": "https://neurovault.org/media/images/504/Pain_Subject_1_Medium.nii.gz",
    }


def test_pain_maps_that_came_before_a_failure_are_not_fetched_again(fetch, neurovault):
    put_pain_maps(neurovault)
    missing = f"{NEUROVAULT}/media/images/504/Pain_Subject_20_Low.nii.gz"
    page = neurovault.pages.pop(missing)
    stopped = fetch("pain-maps")
    assert stopped.returncode == 2
    assert "does not give sub-20_pain-1.nii.gz: it answers with 404" in stopped.stderr
    neurovault.pages[missing] = page
    neurovault.requests.clear()

    assert fetch("pain-maps").returncode == 0

    maps = [address for address, _ in neurovault.requests if "/media/" in address]
    assert len(maps) == 84 - 19 * 3
    assert maps[0] == missing


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"people": 27}, "28 people at 3 intensities: it has 81 maps of 27 people"),
        ({"wrongly": {"PainLevel": 1}}, "it has 28 maps of 28 people"),
        ({"wrongly": {"PainLevel": None}}, "it cannot be understood: TypeError"),
        ({"wrongly": {"SubjectID": 1.5}}, "it cannot be understood: ValueError('1.5 is no whole"),
    ],
    ids=["fewer people", "twice the same", "no level", "no number"],
)
def test_collection_that_has_changed_is_not_taken_for_the_old_one(
    fetch, neurovault, changed, words
):
    put_pain_maps(neurovault, **changed)

    done = fetch("pain-maps")

    assert done.returncode == 2
    assert words in done.stderr
    assert not any("/media/" in address for address, _ in neurovault.requests)


@pytest.mark.usefixtures("neurovault")
def test_list_of_the_pain_maps_that_cannot_be_fetched_is_not_taken_for_a_changed_one(fetch):
    done = fetch("pain-maps")

    assert done.returncode == 2
    assert "127.0.0.1 does not give JSON: it answers with 404" in done.stderr
    assert "not what is expected" not in done.stderr


def test_amygdala_that_arrives_damaged_is_not_kept(fetch, neurovault, tmp_path):
    whole = gzip.compress(b"a mask")
    neurovault.put(AMYGDALA, whole[:-3] + b"xyz")

    damaged = fetch("amygdala")

    assert damaged.returncode == 2
    assert "are damaged and were not kept: amygdala_mask.nii.gz" in damaged.stderr
    assert not kept(tmp_path, "amygdala").exists()
    neurovault.put(AMYGDALA, whole)
    assert fetch("amygdala").returncode == 0
    assert (kept(tmp_path, "amygdala") / "amygdala_mask.nii.gz").read_bytes() == whole


# nilearn uses requests in a way in which the variable that names certificates counts for nothing:
# the test's own must be where requests finds all that it trusts.
TRUST = """
import os
import certifi
certifi.where = lambda: os.environ["REQUESTS_CA_BUNDLE"]
"""


@pytest.fixture
def osf(secret_web, tmp_path, monkeypatch):
    """Return a server that stands for OSF, where nilearn fetches the localizer."""
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "sitecustomize.py").write_text(TRUST)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "trust"), prepend=os.pathsep)
    prefix = "/localizer/derivatives/spm_preprocessing/sub-S01/"
    index = {
        f"{prefix}sub-S01_T1w.nii.gz": "/t1",
        "/localizer/participants.tsv": "/people",
        "/localizer/phenotype/behavioural.tsv": "/behaviour",
    }
    secret_web.put("https://osf.io/hwbm2/download", json.dumps(index).encode())
    secret_web.put("https://osf.io/download/t1/", T1)
    secret_web.put("https://osf.io/download/people/", b"participant_id\tage\nS01\t24\n")
    secret_web.put("https://osf.io/download/behaviour/", b"participant_id\tscore\nS01\t3\n")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as run:
        name = "localizer_first_level/sub-12069_task-localizer"
        run.writestr(f"{name}_space-MNI305.nii.gz", BOLD)
        run.writestr(f"{name}_events.tsv", "onset\tduration\ttrial_type\n")
    secret_web.put("https://osf.io/2bqxn/download", archive.getvalue())
    return secret_web


def test_head_of_the_localizer_comes_through_nilearn_itself(fetch, osf, tmp_path):
    done = fetch("localizer-t1")

    assert done.returncode == 0, done.stderr
    folder = kept(tmp_path, "localizer-t1")
    assert (folder / "localizer_t1.nii.gz").read_bytes() == T1
    assert {path.name for path in folder.iterdir()} == {".whole.json", "localizer_t1.nii.gz"}
    fetch("localizer-t1")
    assert len(osf.requests) == 4


@pytest.mark.usefixtures("osf")
def test_run_of_the_localizer_comes_through_nilearn_itself(fetch, tmp_path):
    done = fetch("localizer-bold")

    assert done.returncode == 0, done.stderr
    folder = kept(tmp_path, "localizer-bold")
    assert (folder / "localizer_bold.nii.gz").read_bytes() == BOLD
    assert (folder / "events.tsv").read_text().startswith("onset")
    assert json.loads((folder / "localizer_bold.json").read_text())["RepetitionTime"] == 2.4


def test_nilearn_goes_on_where_it_was_stopped(fetch, osf, tmp_path):
    def cut(answer, page):
        answer.send(200, page.body[:CUT], promised=len(page.body))
        answer.close_connection = True

    osf.put("https://osf.io/download/t1/", T1, cut)

    stopped = fetch("localizer-t1")

    assert stopped.returncode == 2
    assert "'localizer-t1' (full) is not here: nilearn could not fetch it" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert fetch("localizer-t1").returncode == 0
    assert osf.requests[-3][1]["Range"] == f"bytes={CUT}-"
    assert (kept(tmp_path, "localizer-t1") / "localizer_t1.nii.gz").read_bytes() == T1


def test_head_that_the_list_does_not_name_any_more_is_told(fetch, osf):
    index = {
        "/localizer/participants.tsv": "/people",
        "/localizer/phenotype/behavioural.tsv": "/behaviour",
    }
    osf.put("https://osf.io/hwbm2/download", json.dumps(index).encode())

    done = fetch("localizer-t1")

    assert done.returncode == 2
    assert "the list on OSF does not name the head of S01 any more" in done.stderr


def test_head_that_is_not_what_came_first_is_refused(fetch, osf, tmp_path):
    fetch("localizer-t1")
    (kept(tmp_path, "localizer-t1") / "localizer_t1.nii.gz").unlink()
    osf.put("https://osf.io/download/t1/", gzip.compress(b"another head"))

    done = fetch("localizer-t1")

    assert done.returncode == 2
    assert "localizer_t1.nii.gz of 'localizer-t1' (full) is not what was fetched" in done.stderr


def test_measured_data_are_nowhere_called_synthetic():
    for variant in VARIANTS.values():
        assert not variant.is_synthetic
        assert "synthetic" not in variant.title.lower()
