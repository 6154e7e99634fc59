"""What the sections of the page share: the records of a run, and names for its designs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from rackwright.drawing.html import Html
from rackwright.drawing.names import Names, names_of
from rackwright.drawing.parts import design
from rackwright.records.acceptance import AcceptancePlan, AcceptanceReport
from rackwright.records.decision import Decision
from rackwright.records.plan import BuildPlan
from rackwright.records.run import RunSummary
from rackwright.records.space import Front, Space, SpaceRow
from rackwright.records.study import Study


class Answer(Protocol):
    """The records of a run, as the page needs them."""

    @property
    def space(self) -> Space:
        """DESIGN: all designs, with the draws of their rates."""
        ...

    @property
    def front(self) -> Front:
        """DESIGN: the designs that people compare."""
        ...

    @property
    def plan(self) -> BuildPlan:
        """BUILD: the base plan."""
        ...

    @property
    def acceptance(self) -> AcceptancePlan:
        """ACCEPT: the frozen plan of the test."""
        ...

    @property
    def report(self) -> AcceptanceReport | None:
        """ACCEPT: verdicts on readings; None before there are any."""
        ...

    @property
    def rebuilt(self) -> BuildPlan | None:
        """BUILD again, on what the readings taught; None before there are any."""
        ...

    @property
    def decision(self) -> Decision:
        """BUY, before any reading."""
        ...

    @property
    def summary(self) -> RunSummary:
        """Headlines, scenarios, evidence."""
        ...


class Page(NamedTuple):
    """The study, its answer, and the names under which designs appear."""

    study: Study
    answer: Answer
    names: Names

    @property
    def fictitious(self) -> bool:
        """Whether readings of this run were made up."""
        report, evidence = self.answer.report, self.answer.summary.evidence
        judged = report is not None and report.fictitious
        return judged or (evidence is not None and evidence.kind == "fictitious")

    def row(self, key: str) -> SpaceRow | None:
        """Return the row of a design, None where the space has no such design."""
        return next((row for row in self.answer.space.rows if row.key == key), None)

    def design(self, key: str, *tags: str) -> Html:
        """Return a design by its short name and key."""
        return design(key, self.names.label(key), *tags)


def page_of(study: Study, answer: Answer) -> Page:
    """Return the page's context, with names for every design that it shows."""
    built = list(_built(answer))
    mixed = {b.design for b in answer.summary.mix}  # a baseline that is built has a colour
    baselines = {row.key for row in answer.front.rows if row.baseline} - mixed
    keys = [*built, *(row.key for row in answer.front.rows)]
    return Page(study, answer, names_of(answer.space, keys, baselines, built))


def _built(answer: Answer) -> Iterator[str]:
    """Yield the designs that plans build, in the order in which they matter."""
    summary = answer.summary
    yield from (b.design for b in summary.mix)
    for s in summary.scenarios:
        yield from (b.design for b in (*s.mix, *s.control_mix))
    yield summary.lead_design
