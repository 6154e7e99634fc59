"""The search in shards: one per block and workload, in this process or in several, resumable.

A shard's result is a `Choice`, a few hundred bytes, so memory stays flat whatever the number of
plans. A ledger on disk keeps each result as it comes; a stopped search goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from multiprocessing import active_children, get_context
from pathlib import Path
from threading import current_thread, main_thread
from typing import NamedTuple

from rackwright.design.choose import Workload, choose, points, variants
from rackwright.records.choice import Choice
from rackwright.records.errors import InputError
from rackwright.records.hardware import Hardware
from rackwright.records.model import ModelShape
from rackwright.records.space import Parameters
from rackwright.records.study import SoftwareSpace

_WORTH_A_POOL = 20_000_000
"""Plans below which starting processes takes longer than it saves."""

Tell = Callable[[str], None]


class Question(NamedTuple):
    """What a search asks: every block for every workload."""

    hardware: tuple[Hardware, ...]
    workloads: tuple[Workload, ...]
    models: Mapping[str, ModelShape]
    software: SoftwareSpace
    parameters: Parameters

    def shards(self) -> Iterator[tuple[int, int]]:
        """Yield block and workload of each shard."""
        for h in range(len(self.hardware)):
            for w in range(len(self.workloads)):
                yield h, w

    def points(self) -> int:
        """Return how many points the axes declare in all shards together."""
        return len(self.hardware) * sum(
            points(w, self.models[w.model], self.software) * len(tuple(variants(w, self.software)))
            for w in self.workloads
        )


class Meter:
    """CPU seconds spent in shards of each kind; a clock, so never part of a record."""

    def __init__(self) -> None:
        self.seconds = {"training": 0.0, "serving": 0.0}


class Ledger:
    """Results of shards in a file of JSON lines, each with its checksum."""

    def __init__(self, path: Path, search_sha256: str, tell: Tell = lambda _: None) -> None:
        """Open a ledger, or begin it.

        Args:
            path: of the file.
            search_sha256: of everything that the search depends on.
            tell: hears of lines that were cut short or damaged; their shards are searched again.

        Raises:
            InputError: the file is the ledger of another search, or none at all.
        """
        self._path, self._sha256 = path, search_sha256
        self.known: dict[tuple[int, int], Choice] = {}
        if path.is_dir():
            raise InputError([f"{path}: is a folder; name a file for the ledger"])
        if path.exists():
            self._read(tell)
        else:
            self._append({"search_sha256": search_sha256})

    def keep(self, shard: tuple[int, int], choice: Choice) -> None:
        """Write a shard's result; it is on disk when this returns."""
        self.known[shard] = choice
        self._append({"shard": list(shard), "choice": choice.model_dump(mode="json")})

    def _append(self, body: dict[str, object]) -> None:
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        try:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(f"{_checksum(text)} {text}\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise InputError([f"{self._path}: cannot be written: {error.strerror}"]) from error

    def _read(self, tell: Tell) -> None:
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise InputError([f"{self._path}: cannot be read: {error.strerror}"]) from error
        good, bad = [], []
        for number, line in enumerate(text.split("\n"), start=1):
            checksum, _, body = line.partition(" ")
            if body and checksum == _checksum(body):
                good.append(json.loads(body))
            elif line:
                bad.append(number)
        if not good or "search_sha256" not in good[0]:
            raise InputError([f"{self._path}: not a ledger of a search; remove it or name another"])
        if good[0]["search_sha256"] != self._sha256:
            raise InputError(
                [f"{self._path}: the ledger of another search (study, catalog or version differ); "
                 "remove it or name another"]
            )  # fmt: skip
        self.known = {tuple(b["shard"]): Choice(**b["choice"]) for b in good[1:]}
        if bad:
            tell(
                f"{self._path}: line {', '.join(map(str, bad[:5]))} cut short or damaged; "
                f"{len(bad)} shards are searched again"
            )
            self._rewrite()

    def _rewrite(self) -> None:
        known, self.known = self.known, {}
        self._path.unlink()
        self._append({"search_sha256": self._sha256})
        for shard, choice in known.items():
            self.keep(shard, choice)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_shards(
    question: Question,
    ledger: Ledger | None = None,
    jobs: int = 1,
    meter: Meter | None = None,
    tell: Tell = lambda _: None,
) -> dict[tuple[int, int], Choice]:
    """Return the choice of every shard; results do not depend on the number of processes.

    Args:
        question: what is asked.
        ledger: takes results as they come, and has those of an earlier run.
        jobs: processes; small questions are answered in this one.
        meter: takes the CPU time of the shards.
        tell: hears how far the search is, at most once a second.
    """
    found = dict(ledger.known) if ledger is not None else {}
    open_ = [shard for shard in question.shards() if shard not in found]
    progress = _Progress(question, len(found), tell)
    for shard, choice, seconds in _answers(question, open_, jobs, tell):
        found[shard] = choice
        if ledger is not None:
            ledger.keep(shard, choice)
        if meter is not None:
            meter.seconds[question.workloads[shard[1]].kind] += seconds
        progress.add(choice)
    return found


class _Progress:
    """Counts what is done and says so: points, rate, time left.

    The clock begins with the first answer: before it processes start and kernels are loaded.
    """

    def __init__(self, question: Question, known: int, tell: Tell) -> None:
        self._tell, self._shards = tell, len(question.hardware) * len(question.workloads)
        self._began = self._said = 0.0
        self._done, self._points, self._fresh = known, 0, -1

    def add(self, choice: Choice) -> None:
        self._done += 1
        self._fresh += 1
        now = time.monotonic()
        if not self._fresh:
            self._began = self._said = now
            return
        self._points += choice.evaluated + sum(choice.pruned.values())
        if now - self._said < 1.0:
            return
        self._said = now
        spent = now - self._began
        left = (self._shards - self._done) * spent / self._fresh
        self._tell(
            f"design: {self._done:,} of {self._shards:,} shards, {self._points:,} points at "
            f"{self._points / spent / 1e6:.1f} million/s, {left:.0f} s left"
        )


def _answers(
    question: Question, shards: Sequence[tuple[int, int]], jobs: int, tell: Tell
) -> Iterator[tuple[tuple[int, int], Choice, float]]:
    """Yield shards as they are answered, in whatever order they come."""
    each = question.points() / max(len(question.hardware) * len(question.workloads), 1)
    if jobs <= 1 or each * len(shards) < _WORTH_A_POOL:
        if shards:
            _warm(question)
        for shard in shards:
            yield (shard, *_answer(question, shard))
        return
    yield from _from_workers(question, iter(shards), jobs, tell)


_AHEAD = 4
"""Shards handed to a worker before it asks: enough that none waits for the parent."""


def _from_workers(
    question: Question, shards: Iterator[tuple[int, int]], jobs: int, tell: Tell
) -> Iterator[tuple[tuple[int, int], Choice, float]]:
    """Yield what worker processes answer; when stopped, what runs is waited for and yielded too."""
    with (
        ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (question,)) as pool,
        _first_stop_waits() as stopped,
    ):
        pending: dict[Future[tuple[Choice, float]], tuple[int, int]] = {}
        try:
            while True:
                more = () if stopped else islice(shards, _AHEAD * jobs - len(pending))
                with _deaf():  # a submission may start a worker
                    pending.update({pool.submit(_in_worker, shard): shard for shard in more})
                if not pending:
                    break
                for future in wait(pending, _HEARS_EVERY_S, FIRST_COMPLETED).done:
                    yield (pending.pop(future), *future.result())
                if stopped:
                    tell("stopping when what runs is done; Ctrl-C again stops at once")
                    for future in [f for f in pending if f.cancel()]:
                        del pending[future]
        except BaseException:  # stopped twice, or an answer that could not be kept
            for worker in active_children():
                worker.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if stopped:
        raise KeyboardInterrupt


_HEARS_EVERY_S = 0.2


@contextmanager
def _deaf() -> Iterator[None]:
    """Hold Ctrl-C back until the end of the block; processes begun in it never hear it.

    A worker stopped while it starts would leave the pool waiting for it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # not on every system
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _first_stop_waits() -> Iterator[list[bool]]:
    """Give a list that holds something once Ctrl-C was pressed; pressed again, it interrupts."""
    stopped: list[bool] = []

    def heard(number: int, frame: object) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(True)

    mine = current_thread() is main_thread() and (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    before = signal.signal(signal.SIGINT, heard) if mine else None
    try:
        yield stopped
    finally:
        if mine:
            signal.signal(signal.SIGINT, before)


_question: Question | None = None


def _begin(question: Question) -> None:
    """Make a worker ready; Ctrl-C is the parent's to hear, which then waits for what runs."""
    global _question
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _question = question
    _warm(question)


def _in_worker(shard: tuple[int, int]) -> tuple[Choice, float]:
    assert _question is not None, "a worker is begun with its question"
    return _answer(_question, shard)


_ONE_POINT = SoftwareSpace(
    tensor_parallel=(1,), pipeline_parallel=(1,), expert_parallel=(1,), micro_batch=(1,),
    interleave=(1,), recompute=("full",), batch=(1,), prefill_chunk_tokens=(1,),
)  # fmt: skip


def _warm(question: Question) -> None:
    """Load the compiled kernels on one point of each kind, before any clock runs."""
    for workload in {w.kind: w for w in question.workloads}.values():
        shape = question.models[workload.model]
        choose(question.hardware[0], workload, shape, _ONE_POINT, question.parameters)


def _answer(question: Question, shard: tuple[int, int]) -> tuple[Choice, float]:
    workload = question.workloads[shard[1]]
    began = time.process_time()
    choice = choose(
        question.hardware[shard[0]],
        workload,
        question.models[workload.model],
        question.software,
        question.parameters,
    )
    return choice, time.process_time() - began
