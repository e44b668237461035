"""Many processes at once, and processes that are killed: no event is lost that was recorded."""

import os
import signal

RECORDS = """
for number in range(int(sys.argv[3])):
    progress.record(event(f"{sys.argv[2]}-{number}"))
"""

# Fills more than the memory that the transaction may take, so that much of it is in the file.
WRITES_AND_STOPS = """
from dataclasses import asdict

with database.opened(progress.path) as connection, database.writing(connection):
    connection.execute("PRAGMA cache_size = 2")
    for number in range(200):
        connection.execute(INSERT, asdict(event("unfinished" * 1000)))
    print("written", flush=True)
    sys.stdin.readline()
"""

RECORDS_AND_TELLS = """
for number in range(1_000_000):
    progress.record(event(str(number)))
    print(number, flush=True)
"""


def start_at_once(processes):
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def messages(progress):
    return {event.message for event in progress.events()}


def test_eight_processes_at_once_lose_nothing(progress, start_script):
    processes = [start_script(RECORDS, name, 25) for name in range(8)]

    start_at_once(processes)

    assert [process.wait(60) for process in processes] == [0] * 8
    assert len(progress.events()) == 200
    assert messages(progress) == {f"{name}-{number}" for name in range(8) for number in range(25)}


def test_processes_that_create_the_file_at_once_all_record(progress, start_script):
    for _ in range(3):
        processes = [start_script(RECORDS, name, 1) for name in range(6)]

        start_at_once(processes)

        assert [process.wait(60) for process in processes] == [0] * 6
        assert messages(progress) == {f"{name}-0" for name in range(6)}
        for file in progress.path.parent.iterdir():
            file.unlink()


def test_process_that_is_killed_while_it_writes_costs_no_earlier_event(
    progress, start_script, make_event
):
    earlier = [make_event(message=str(number)) for number in range(20)]
    progress.add(earlier)
    process = start_script(WRITES_AND_STOPS)
    start_at_once([process])
    assert process.stdout.readline() == "written\n"

    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)

    assert {event.id for event in progress.events()} == {event.id for event in earlier}
    progress.record(make_event(message="after"))
    assert len(progress.events()) == 21


def test_killed_process_has_kept_all_that_it_had_recorded(progress, start_script):
    for least in (1, 10, 37):
        process = start_script(RECORDS_AND_TELLS)
        start_at_once([process])
        told = [process.stdout.readline().strip() for _ in range(least)]
        before = len(progress.events())

        os.kill(process.pid, signal.SIGKILL)
        told += process.communicate()[0].split()

        assert before >= least
        assert messages(progress) >= set(told)
        # One may have been recorded that could not be told any more.
        assert messages(progress) <= {str(number) for number in range(len(told) + 1)}
        for file in progress.path.parent.iterdir():
            file.unlink()
