"""Downloads from a server on this machine that stalls, truncates, corrupts, redirects and fails."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neuroprimer.teaching import DownloadError, Patience, download, load_json
from neuroprimer.teaching.arrivals import heard_by

BODY = bytes(range(256)) * 4096  # 1 MiB
HALF = len(BODY) // 2
AT_ONCE = Patience(pauses_s=(0, 0, 0))


def cut(count):
    """Promise all, send some bytes, and hang up."""

    def trick(answer, page):
        answer.send(200, page.body[:count], promised=len(page.body), ETag=page.etag)
        answer.close_connection = True

    return trick


def stall(count):
    """Send some bytes, then nothing any more."""

    def trick(answer, page):
        answer.send(200, page.body[:count], promised=len(page.body), ETag=page.etag)
        answer.server.closing.wait()

    return trick


def fail(status):
    return lambda answer, _: answer.send(status)


def send_on(target):
    return lambda answer, _: answer.send(302, Location=target)


def give_all(answer, page):
    answer.send(200, page.body, ETag=page.etag)


def give_the_rest_of_whatever_there_is(answer, page):
    answer.give_from(page, HALF)


def refuse_to_give_a_part(answer, page):
    answer.send(416, b"No parts here.", **{"Content-Range": f"bytes */{len(page.body)}"})


def become(body, etag, then):
    """Let another file take the page's place, then do something."""

    def trick(answer, page):
        page.body, page.etag = body, etag
        then(answer, page)

    return trick


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "brain.bin"


def ranges(web) -> list[str | None]:
    return [headers.get("Range") for _, headers in web.requests]


def test_file_comes_whole_and_nothing_else_is_left(web, file):
    url = web.put("/brain.bin", BODY)

    assert download(url, file) == file

    assert file.read_bytes() == BODY
    assert list(file.parent.iterdir()) == [file]


def test_file_that_is_here_is_not_fetched_again(web, file):
    file.write_bytes(b"here")

    download(web.put("/brain.bin", BODY), file)

    assert web.requests == []


def test_transfer_that_is_cut_goes_on_where_it_was(web, file):
    url = web.put("/brain.bin", BODY, cut(HALF))

    download(url, file, patience=AT_ONCE)

    assert file.read_bytes() == BODY
    assert ranges(web) == [None, f"bytes={HALF}-"]
    assert sum(web.sent) == len(BODY)


def test_transfer_that_stalls_goes_on_where_it_was(web, file):
    url = web.put("/brain.bin", BODY, stall(HALF))

    download(url, file, patience=Patience(stall_s=1, pauses_s=(0,) * 9))

    assert file.read_bytes() == BODY
    assert set(ranges(web)[1:]) == {f"bytes={HALF}-"}


def test_server_that_always_stalls_is_given_up_in_the_end(web, file):
    url = web.put("/brain.bin", BODY, *[stall(0)] * 9)

    with pytest.raises(DownloadError, match=r"brain\.bin could not be fetched from 127.*timed out"):
        download(url, file, patience=Patience(stall_s=0.2, pauses_s=(0, 0)))

    assert not file.exists()


def test_tries_begin_anew_whenever_more_has_come(web, file):
    def some_more(answer, page):
        start = int(answer.headers.get("Range", "bytes=0-")[6:-1])
        some = page.body[start : start + (1 << 17)]
        span = f"bytes {start}-{len(page.body) - 1}/{len(page.body)}"
        headers = {"ETag": page.etag} | ({"Content-Range": span} if start else {})
        answer.send(206 if start else 200, some, promised=len(page.body) - start, **headers)
        answer.close_connection = True

    url = web.put("/brain.bin", BODY, *[some_more] * 7)

    download(url, file, patience=Patience(pauses_s=(0,)))

    assert file.read_bytes() == BODY


def test_server_that_gives_the_rest_only_in_pieces_is_asked_for_each(web, file):
    def piece(answer, page):
        start = int(answer.headers["Range"][6:-1])
        some = page.body[start : start + (1 << 17)]
        span = f"bytes {start}-{start + len(some) - 1}/{len(page.body)}"
        answer.send(206, some, **{"ETag": page.etag, "Content-Range": span})

    url = web.put("/brain.bin", BODY, cut(HALF), *[piece] * 9)

    download(url, file, patience=Patience(pauses_s=(0,)))

    assert file.read_bytes() == BODY


def test_later_call_goes_on_where_an_earlier_one_gave_up(web, file):
    url = web.put("/brain.bin", BODY, cut(HALF))
    with pytest.raises(DownloadError, match=rf"{HALF:,} bytes of it are here"):
        download(url, file, patience=Patience(pauses_s=()))

    download(url, file)

    assert file.read_bytes() == BODY
    assert ranges(web)[-1] == f"bytes={HALF}-"


PROGRAM = """
import sys
from pathlib import Path
from neuroprimer.teaching import download
download(sys.argv[1], Path(sys.argv[2]))
"""


def test_killed_process_is_followed_by_one_that_fetches_only_the_rest(web, file):
    url = web.put("/brain.bin", BODY, stall(HALF))
    part = file.with_name(".brain.bin.part")
    first = subprocess.Popen([sys.executable, "-c", PROGRAM, url, str(file)])
    until = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size == HALF) and time.monotonic() < until:
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert part.stat().st_size == HALF

    subprocess.run([sys.executable, "-c", PROGRAM, url, str(file)], check=True)

    assert file.read_bytes() == BODY
    assert web.sent[-1] == len(BODY) - HALF


def test_process_that_was_killed_at_the_very_end_fetches_nothing_again(web, file):
    url = web.put("/brain.bin", BODY, cut(HALF))
    with pytest.raises(DownloadError):
        download(url, file, patience=Patience(pauses_s=()))
    with file.with_name(".brain.bin.part").open("ab") as part:
        part.write(BODY[HALF:])

    download(url, file)

    assert file.read_bytes() == BODY
    assert web.sent[-1] == 0


@pytest.mark.parametrize(
    "second",
    [give_all, become(b"new" * HALF, '"2"', lambda answer, page: answer.give(page))],
    ids=["range ignored", "changed in between"],
)
def test_rest_that_cannot_be_had_lets_all_begin_anew(web, file, second):
    url = web.put("/brain.bin", BODY, cut(HALF), second)

    download(url, file, patience=AT_ONCE)

    assert file.read_bytes() == web.pages["/brain.bin"].body
    assert ranges(web) == [None, f"bytes={HALF}-"]


@pytest.mark.parametrize(
    "second",
    [
        become(BODY[::-1], '"2"', give_the_rest_of_whatever_there_is),
        lambda answer, page: answer.give_from(page, HALF - 1),
        become(BODY[:100], '"2"', lambda answer, page: answer.give_from(page, HALF)),
        refuse_to_give_a_part,
    ],
    ids=["rest of another file", "rest from elsewhere", "shorter than what is here", "no rest"],
)
def test_rest_that_does_not_fit_is_never_put_behind_what_is_here(web, file, second):
    url = web.put("/brain.bin", BODY, cut(HALF), second)

    download(url, file, patience=AT_ONCE)

    assert file.read_bytes() == web.pages["/brain.bin"].body
    assert ranges(web)[2:] == [None]


def test_without_a_sign_of_the_files_state_all_begins_anew(web, file):
    url = web.put("/brain.bin", BODY, cut(HALF), etag='W/"weak"')

    download(url, file, patience=AT_ONCE)

    assert file.read_bytes() == BODY
    assert ranges(web) == [None, None]


def test_part_from_another_address_is_not_used(web, file):
    with pytest.raises(DownloadError):
        download(web.put("/a", BODY, cut(HALF)), file, patience=Patience(pauses_s=()))

    download(web.put("/b", BODY[::-1]), file)

    assert file.read_bytes() == BODY[::-1]


def test_other_bytes_than_published_are_refused_with_both_digests(web, file):
    url = web.put("/brain.bin", b"bad")
    right, wrong = (hashlib.sha256(body).hexdigest() for body in (b"good", b"bad"))

    with pytest.raises(DownloadError, match=f"was not kept: sha256 {wrong}, expected {right}"):
        download(url, file, sha256=right)

    assert list(file.parent.iterdir()) == []
    web.put("/brain.bin", b"good")
    assert download(url, file, sha256=right.upper()).read_bytes() == b"good"


def test_what_is_said_to_be_packed_for_the_journey_arrives_as_it_was_sent(web, file):
    def say_packed(answer, page):
        answer.send(200, page.body, **{"Content-Encoding": "gzip"})

    url = web.put("/brain.nii.gz", b"\x1f\x8b no gzip", *[say_packed] * 9)

    download(url, file, patience=AT_ONCE)

    assert file.read_bytes() == b"\x1f\x8b no gzip"
    assert web.requests[0][1]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("status", [500, 503, 429])
def test_server_in_trouble_is_asked_again(web, file, status):
    url = web.put("/brain.bin", BODY, fail(status), fail(status))

    download(url, file, patience=AT_ONCE)

    assert file.read_bytes() == BODY


def test_server_that_stays_in_trouble_is_named(web, file):
    url = web.put("/brain.bin", BODY, *[fail(500)] * 9)

    with pytest.raises(DownloadError, match=r"from 127\.0\.0\.1: it answers with 500 Internal"):
        download(url, file, patience=AT_ONCE)

    assert len(web.requests) == 4


def test_what_is_not_there_is_said_at_once(web, file):
    with pytest.raises(DownloadError, match=r"does not give brain\.bin: it answers with 404"):
        download(web.url + "/gone", file)

    assert len(web.requests) == 1


def test_redirect_is_followed(web, file):
    web.put("/here", BODY)
    url = web.put("/brain.bin", b"", send_on("/there"))
    web.put("/there", b"", send_on("/here"))

    download(url, file)

    assert file.read_bytes() == BODY


def test_circle_of_redirects_ends(web, file):
    url = web.put("/brain.bin", b"", *[send_on("/brain.bin")] * 50)

    with pytest.raises(DownloadError, match="Exceeded 5 redirects"):
        download(url, file)

    assert len(web.requests) == 6


def test_nobody_is_sent_from_https_to_where_anybody_can_listen(secret_web, file):
    url = secret_web.put("https://osf.io/brain", b"", send_on("http://osf.io/brain"))

    with pytest.raises(DownloadError, match=r"sends on to http://osf\.io/brain, which is not encr"):
        download(url, file)

    assert [address for address, _ in secret_web.requests] == [url]


def test_redirect_from_https_to_this_machine_itself_is_followed(secret_web, file):
    target = secret_web.put("/brain.bin", BODY)
    url = secret_web.put("https://osf.io/brain", b"", send_on(target))

    download(url, file)

    assert file.read_bytes() == BODY


def test_host_without_a_certificate_that_can_be_trusted_is_refused(secret_web, file, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    url = secret_web.put("https://osf.io/brain", BODY)

    with pytest.raises(DownloadError, match=r"osf\.io cannot prove that it is what it says.*clock"):
        download(url, file)


def test_host_that_takes_no_call_is_named_with_what_to_look_at(web, file):
    web.server_close()

    with pytest.raises(DownloadError, match=r"127.*Connection refused.*Is this machine online"):
        download(web.url + "/brain.bin", file, patience=AT_ONCE)


def download_what_is_missing(url, file):
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return download(url, file, patience=AT_ONCE)


def test_cause_is_that_of_the_download_and_not_what_its_caller_is_busy_with(web, file):
    web.server_close()

    with pytest.raises(DownloadError, match="Connection refused"):
        download_what_is_missing(web.url + "/brain.bin", file)


def test_name_that_nobody_knows_is_not_asked_for_again(file):
    with pytest.raises(DownloadError, match=r"from nobody\.invalid: .*Is this machine online"):
        download("http://nobody.invalid/brain", file, patience=Patience(pauses_s=(3600,)))


def test_address_that_is_none_is_said(file):
    with pytest.raises(DownloadError, match="cannot be fetched from nowhere: Invalid URL"):
        download("nowhere", file)


def test_full_disk_is_an_error_of_the_system_and_leaves_what_has_come(web, file):
    url = web.put("/brain.bin", BODY)
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({HALF}, -1))\n{PROGRAM}"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, url, str(file)], capture_output=True, text=True, check=False
    )

    assert "OSError: [Errno 27] File too large" in done.stderr
    assert file.with_name(".brain.bin.part").stat().st_size == HALF
    assert len(web.requests) == 1
    download(url, file)
    assert file.read_bytes() == BODY


def test_mirror_is_asked_instead_of_the_host(web, file, monkeypatch):
    monkeypatch.setenv("NEUROPRIMER_MIRROR", web.url + "/copies/")
    web.put("/copies/neurovault.org/media/brain.bin", BODY)

    download("https://neurovault.org/media/brain.bin", file)

    assert file.read_bytes() == BODY


def test_listener_hears_how_far_a_file_is(web, file):
    heard = []
    url = web.put("/brain.bin", BODY, cut(HALF))

    with heard_by(lambda *news: heard.append(news)):
        download(url, file, patience=AT_ONCE)

    assert heard[0] == ("brain.bin", 0, len(BODY))
    assert heard[-1] == ("brain.bin", len(BODY), len(BODY))
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)


def test_json_is_read(web):
    url = web.put("/list", json.dumps({"count": 2}).encode())

    assert load_json(url) == {"count": 2}


def test_page_for_logging_in_is_no_json(web):
    url = web.put("/list", b"<html>Welcome to the hotel")

    with pytest.raises(DownloadError, match=r"did not answer with data, but with b'<html>.*log in"):
        load_json(url)
