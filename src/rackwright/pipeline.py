"""The whole product on one page: the only place that knows all stages, and owner of both loops.

Study → DESIGN → space → BUILD → plan → ACCEPT → report → BUY → decision. Loop 1 runs inside
`build.plan`, which is handed `design.price`; loop 2 is here: what was measured reweights the
worlds of the space, and everything after it is done again.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import NamedTuple, TypeVar, cast

from rackwright import __version__, accept, build, buy, design
from rackwright.catalog import Catalog
from rackwright.formats.run_folder import RunFolder
from rackwright.formats.stored import read_stored
from rackwright.load import read_study
from rackwright.records.acceptance import AcceptancePlan, AcceptanceReport, Measurement
from rackwright.records.base import Record, canonical_json, record_sha256
from rackwright.records.certificate import Certificate
from rackwright.records.decision import Decision
from rackwright.records.errors import InputError, NothingFeasibleError, RackwrightError, nearest
from rackwright.records.model import ModelShape
from rackwright.records.plan import BuildPlan
from rackwright.records.provenance import EvidenceKind
from rackwright.records.rates import Duty
from rackwright.records.run import Evidence, RunSummary, ScenarioResult
from rackwright.records.space import Front, Parameters, Space, SpaceRow
from rackwright.records.study import Scenario, Study
from rackwright.summary import (
    evidence_of,
    lead_design,
    nothing_built,
    scenario_result,
    summarise,
)

Tell = Callable[[str], None]

CONTROL = build.Limits(nodes=2, shadow_prices=0)
"""Work on a control run: its plan is compared, while nobody asks for its prices or a tight bound;
more branches tighten bounds only."""

SEARCH_LEDGER = "search.jsonl"
"""Shards of a search that is not finished, in the run's folder."""
R = TypeVar("R", bound=Record)


class Given(NamedTuple):
    """What a run starts from."""

    study: Study
    components: Catalog
    models: Mapping[str, ModelShape]
    readings: tuple[Measurement, ...] = ()
    rehearse: bool = False
    places: tuple[str, ...] = ()
    """File and line of each reading, for messages."""


class Result(NamedTuple):
    """All records of a run."""

    space: Space
    front: Front
    plan: BuildPlan
    scenarios: tuple[BuildPlan, ...]
    acceptance: AcceptancePlan
    report: AcceptanceReport | None
    rebuilt: BuildPlan | None
    decision: Decision
    summary: RunSummary


def run(
    given: Given,
    folder: RunFolder | None = None,
    tell: Tell = lambda _: None,
    seconds: dict[str, float] | None = None,
) -> Result:
    """Return every record from the study to the decision.

    Before hardware exists the run ends with an acceptance plan and the worth of its evidence.
    With readings it goes through to the decision on what was measured; with `rehearse` and no
    readings it judges the study's fictitious ones, and everything downstream says so.

    Args:
        given: study, catalog, models, readings.
        folder: takes the records; stages that it holds for the same inputs are not done again.
        tell: called with one line before each stage.
        seconds: filled with the time that each stage took; stages overlap.
    """
    study = given.study
    seconds = {} if seconds is None else seconds
    keep = _Keeper(folder, _inputs_sha256(given), tell, seconds)

    space = keep("design", "space", Space, lambda: _searched(given, folder, tell, seconds))
    if folder is not None:
        (folder.path / SEARCH_LEDGER).unlink(missing_ok=True)  # the space on disk holds all of it
    # The front needs the space alone; scenarios, and what is learned from early racks, need the
    # plan and not each other. The solver works outside Python's lock, so they go on side by side;
    # the results do not depend on the order.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        try:
            fronted = pool.submit(keep, "front", "front", Front, lambda: run_front(given, space))
            plan = keep.plan("build", lambda: run_build(given, space))
            if not plan.designs:  # nothing to compare with, nothing to test or buy: say why, now
                raise NothingFeasibleError(nothing_built(plan))
            lead = lead_design(study, space, plan)
            # The test is frozen and readings judged before anything long: those of another plan
            # are refused now.
            acceptance = keep(
                "accept plan", "acceptance_plan", AcceptancePlan,
                lambda: run_accept_plan(given, space, lead),
            )  # fmt: skip
            report = _judged(given, acceptance, keep)
            early = pool.submit(_early_access, given, space, plan, lead, report, keep)
            jobs = [pool.submit(_scenario, given, space, plan, s, keep) for s in study.scenarios]
            decision, learned = early.result()
            scenarios = [job.result() for job in jobs]
            front = fronted.result()
        except BaseException as error:  # what has not begun is not begun
            if isinstance(error, KeyboardInterrupt):
                tell("stopping when what runs is done; Ctrl-C again stops at once")
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    outcomes = tuple(outcome for outcome, _ in scenarios)
    evidence = None if learned is None else learned.evidence
    summary = keep(
        "summary", "summary", RunSummary,
        lambda: summarise(study, space, front, plan, lead, outcomes, decision, evidence),
    )  # fmt: skip
    return Result(
        space, front, plan, tuple(free for _, free in scenarios), acceptance,
        None if learned is None else learned.report,
        None if learned is None else learned.rebuilt,
        decision, summary,
    )  # fmt: skip


class _Learned(NamedTuple):
    """What early racks taught."""

    report: AcceptanceReport
    rebuilt: BuildPlan
    evidence: Evidence


def _judged(given: Given, acceptance: AcceptancePlan, keep: _Keeper) -> AcceptanceReport | None:
    """Judge the readings, or the study's fictitious ones; None where there are neither."""
    readings, rehearsal = given.readings, given.study.acceptance.rehearsal
    if not readings and given.rehearse and rehearsal is not None:
        readings = accept.rehearse(acceptance, rehearsal, given.study.seed)
    if not readings:
        return None
    return keep(
        "accept judge", "acceptance_report", AcceptanceReport,
        lambda: accept.judge(acceptance, readings, given.places),
    )  # fmt: skip


def _early_access(
    given: Given,
    space: Space,
    plan: BuildPlan,
    lead: str,
    report: AcceptanceReport | None,
    keep: _Keeper,
) -> tuple[Decision, _Learned | None]:
    """Decide without readings and, where there are some, plan and decide again with them."""
    decision = keep("buy", "decision", Decision, lambda: run_buy(given, space, plan, lead))
    if report is None:
        return decision, None
    kind, learned = evidence_kind(report), reweighted(space, report)
    rebuilt = keep.plan("build on evidence", lambda: run_build(given, learned, None, (plan,), kind))
    again = keep(
        "buy on evidence", "decision_on_evidence", Decision,
        lambda: run_buy(given, learned, plan, lead, kind),
    )  # fmt: skip
    evidence = evidence_of(space, learned, plan, rebuilt, report, lead, decision, again)
    return decision, _Learned(report, rebuilt, evidence)


def run_design(given: Given, how: design.How | None = None) -> Space:
    """DESIGN: the space of the study."""
    return design.search(given.study, given.components, given.models, how)


def run_front(given: Given, space: Space) -> Front:
    """DESIGN: the front, the percentiles of what serves on it confirmed request by request."""
    front = design.front(given.study, space)
    return design.confirm(given.study, given.components, given.models, space, front)


def search_ledger(given: Given, path: Path, tell: Tell) -> design.Ledger:
    """Return the ledger of a study's search: shards that it holds are not searched again.

    Raises:
        InputError: the file is the ledger of another search.
    """
    return design.Ledger(path, _inputs_sha256(given), tell)


def _searched(
    given: Given, folder: RunFolder | None, tell: Tell, seconds: dict[str, float]
) -> Space:
    """Search with a ledger in the run's folder, so that a stopped run loses no shard."""
    jobs = os.cpu_count() or 1
    if folder is None:
        return run_design(given, design.How(jobs=jobs, tell=tell))
    meter = design.Meter()
    path = folder.begin(SEARCH_LEDGER)
    try:
        ledger = search_ledger(given, path, tell)
    except InputError:  # of a run stopped before its inputs were changed, or damaged: begin anew
        tell("the search that was stopped asked something else; searching anew")
        path.unlink()
        ledger = search_ledger(given, path, tell)
    space = run_design(given, design.How(ledger, jobs, meter, tell))
    seconds |= {f"search: CPU in {kind}": spent for kind, spent in meter.seconds.items()}
    return space


def run_build(
    given: Given,
    space: Space,
    scenario: Scenario | None = None,
    known: Sequence[BuildPlan] = (),
    evidence: EvidenceKind = "none",
    limits: build.Limits | None = None,
) -> tuple[BuildPlan, Certificate]:
    """BUILD with loop 1: the plan over the space, and the certificate of its bound.

    Args:
        known: earlier plans whose structure is tried first.
        evidence: what the worlds were reweighted by; the plan says so.
        limits: of the work; none: those of BUILD.
    """
    duties = duties_in_force(given, scenario)
    plan, certificate = build.plan(
        given.study, space, design.price, duties, scenario=scenario, known_plans=known,
        work_limits=limits,
    )  # fmt: skip
    return BuildPlan(**{**dict(plan), "evidence": evidence}), certificate


def duties_in_force(given: Given, scenario: Scenario | None) -> tuple[Duty, ...]:
    """Return the measures that are law, each with its dates, and those that a scenario adds.

    A measure without a first day is nobody's law yet; a scenario that names it brings it into
    force from the study's first day on.
    """
    named = scenario.duties if scenario is not None else ()
    law: list[Duty] = []
    waiting: list[Duty] = []
    for duty in given.components.all("duties"):
        assert isinstance(duty, Duty), "the folder holds duties"
        (waiting if duty.valid_from is None else law).append(duty)
    added = [d for d in waiting if d.key in named]
    return (*law, *(Duty(**{**dict(d), "valid_from": given.study.start}) for d in added))


def run_accept_plan(given: Given, space: Space, lead: str) -> AcceptancePlan:
    """ACCEPT before hardware: the frozen plan of the test of the lead design."""
    row = row_of(space, lead)
    predictions = design.predict_probes(
        given.study, given.components, given.models, row, space.parameters
    )
    return accept.plan(given.study, row, predictions, space.parameters.weights)


def run_buy(
    given: Given, space: Space, plan: BuildPlan, lead: str, evidence: EvidenceKind = "none"
) -> Decision:
    """BUY: the decision on the option on the plan's blocks of the lead design."""
    case = buy.option_case(given.study, space, plan, lead)
    return buy.decide(case, given.study.seed, evidence)


def evidence_kind(report: AcceptanceReport) -> EvidenceKind:
    """Return what a report's readings are: everything that rests on them carries it."""
    return "fictitious" if report.fictitious else "measured"


def reweighted(space: Space, report: AcceptanceReport) -> Space:
    """Loop 2: the same space with the worlds weighted by what was measured."""
    parameters = Parameters(**{**dict(space.parameters), "weights": report.weights})
    return Space(**{**dict(space), "parameters": parameters})


def only(space: Space, designs: Sequence[str]) -> Space:
    """Return the space with only these designs: redesign is forbidden."""
    keep = [d for d, row in enumerate(space.rows) if row.key in set(designs)]
    return Space(
        **{
            **dict(space),
            "rows": tuple(space.rows[d] for d in keep),
            "rates": space.rates[keep],
        }
    )


def _scenario(
    given: Given, space: Space, base: BuildPlan, scenario: Scenario, keep: _Keeper
) -> tuple[ScenarioResult, BuildPlan]:
    """Plan a scenario with only the base plan's designs, the control without redesign, and freely.

    The free plan starts from the control, so that freedom never finds less.
    """
    name, fixed = scenario.name, only(space, base.designs)
    control = keep.plan(
        f"build {name} without redesign",
        lambda: run_build(given, fixed, scenario, (base,), limits=CONTROL),
    )
    free = keep.plan(f"build {name}", lambda: run_build(given, space, scenario, (base, control)))
    return scenario_result(scenario, space, base, free, control), free


def row_of(space: Space, key: str) -> SpaceRow:
    """Return the row of a design.

    Raises:
        RackwrightError: the space has no such design; the message has the nearest keys.
    """
    for row in space.rows:
        if row.key == key:
            return row
    known = [row.key for row in space.rows]
    there = nearest(key, known) or f" There is {known[0]} and {len(known) - 1} more."
    raise RackwrightError(f"no design {key!r} in the space.{there}")


def finished_run(folder: Path) -> tuple[Study, Result]:
    """Return the study of a run that is done, and its records as they were written.

    Raises:
        InputError: a record is missing or was changed.
        RackwrightError: it is no run folder, or its `inputs/` no longer hold the run's study.
    """
    if not (folder / "ledger.json").is_file() or not (folder / "summary.json").is_file():
        raise RackwrightError(f"{folder}: is no finished run; rackwright run writes one.")
    summary = read_stored(folder, "summary", RunSummary)
    study = _study_of(folder, summary.study_sha256)

    def some(name: str, cls: type[R]) -> R | None:
        return read_stored(folder, name, cls) if (folder / f"{name}.json").is_file() else None

    plans = [_plan_name(f"build {s.name}") for s in study.scenarios]
    return study, Result(
        read_stored(folder, "space", Space),
        read_stored(folder, "front", Front),
        read_stored(folder, "plan", BuildPlan),
        tuple(read_stored(folder, name, BuildPlan) for name in plans),
        read_stored(folder, "acceptance_plan", AcceptancePlan),
        some("acceptance_report", AcceptanceReport),
        some(_plan_name("build on evidence"), BuildPlan),
        read_stored(folder, "decision", Decision),
        summary,
    )


def _study_of(folder: Path, sha256: str) -> Study:
    """Return the study with that hash among a run's inputs."""
    inputs = folder / "inputs"
    for file in sorted((*inputs.glob("*.toml"), *inputs.glob("*.json"))):
        try:
            study = read_study(file).study
        except InputError:  # a scenario, or a study that was changed since
            continue
        if record_sha256(study) == sha256:
            return study
    raise RackwrightError(
        f"{inputs}: no study in it is the one of this run (sha256 {sha256[:12]}): it was changed, "
        "or another version wrote the run; run it again."
    )


def _plan_name(stage: str) -> str:
    """Return the name of the record of a stage that plans."""
    return stage.replace("build", "plan", 1).replace(" ", "-")


class _Keeper:
    """Does a stage, or takes it from the folder when it is there for the same inputs."""

    def __init__(
        self, folder: RunFolder | None, sha256: str, tell: Tell, seconds: dict[str, float]
    ) -> None:
        self._folder, self._sha, self._tell, self._seconds = folder, sha256, tell, seconds
        self._lock = Lock()  # stages of two threads enter the one ledger

    def __call__(self, stage: str, name: str, cls: type[R], make: Callable[[], R]) -> R:
        return cast(R, self._done(stage, {name: cls}, lambda: (make(),))[0])

    def plan(self, stage: str, make: Callable[[], tuple[BuildPlan, Certificate]]) -> BuildPlan:
        """Keep a plan and its certificate under the stage's name; hand on the plan."""
        name = _plan_name(stage)
        kinds: dict[str, type[Record]] = {
            name: BuildPlan,
            name.replace("plan", "certificate", 1): Certificate,
        }
        return cast(BuildPlan, self._done(stage, kinds, make)[0])

    def _done(
        self,
        stage: str,
        kinds: Mapping[str, type[Record]],
        make: Callable[[], tuple[Record, ...]],
    ) -> tuple[Record, ...]:
        if self._folder is not None:
            with self._lock:
                if self._folder.finished(stage, self._sha):
                    return tuple(self._folder.load(name, cls) for name, cls in kinds.items())
        self._tell(stage)
        since = time.perf_counter()
        made = make()
        self._seconds[stage] = time.perf_counter() - since
        if self._folder is not None:
            with self._lock:
                self._folder.finish(stage, self._sha, dict(zip(kinds, made, strict=True)))
        return made


def _inputs_sha256(given: Given) -> str:
    """Hash of all that the records depend on: inputs, catalog and version."""
    digest = hashlib.sha256(f"{__version__} {given.rehearse}".encode())
    digest.update(record_sha256(given.study).encode())
    digest.update(given.components.sha256().encode())
    for record in (*given.models.values(), *given.readings):
        digest.update(canonical_json(record).encode())
    return digest.hexdigest()
