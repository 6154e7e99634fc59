"""Ctrl-C while worker processes search: what was finished is kept, and a search goes on from it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[2] / "examples" / "wide" / "study.toml"
CLI = "from rackwright.cli.app import main; main()"


@pytest.mark.slow
@pytest.mark.parametrize("again", [False, True])
def test_a_search_stopped_by_ctrl_c_keeps_its_shards_and_leaves_no_process(tmp_path, again):
    ledger = tmp_path / "ledger.jsonl"
    command = [sys.executable, "-c", CLI, "design", str(STUDY), "--jobs", "2",
               "--ledger", str(ledger)]  # fmt: skip
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 180
    while not ledger.exists() or ledger.read_text().count("\n") < 8:
        assert time.monotonic() < deadline, "the search does not begin"
        assert started.poll() is None
        time.sleep(0.1)
    os.killpg(started.pid, signal.SIGINT)
    if again:
        time.sleep(0.05)
        os.killpg(started.pid, signal.SIGINT)
    _, told = started.communicate(timeout=60)

    assert started.returncode in ((130,) if not again else (130, -signal.SIGINT))
    assert "Traceback" not in told
    assert _gone(started.pid)
    lines = ledger.read_text().splitlines()
    assert len(lines) > 8
    if not again:
        assert f"--ledger {ledger} --resume" in told


def _gone(group: int) -> bool:
    """Return whether every process of a group ends within some seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
