"""Parameters counted from every model's shape against those that were published."""

from __future__ import annotations

from typing import NamedTuple

from rackwright.catalog.load import Catalog
from rackwright.records.model import Model
from rackwright.records.model_counts import parameters

WITHIN = 0.01  # of the published count


class PublishedCount(NamedTuple):
    """One model's counts, and why they differ where they do."""

    key: str
    counted: float
    published: float
    encoders: float  # inside the published total, not in the shape
    counted_active: float | None  # by the nearest of the three ways in which sources count
    counted_way: str  # which one: all, head only, no table
    published_active: float | None
    reason: str

    @property
    def relative(self) -> float:
        """Counted over published total, less one; with the encoders where that is nearer."""
        return min(
            ((self.counted + extra) / self.published - 1.0 for extra in (0.0, self.encoders)),
            key=abs,
        )

    @property
    def relative_active(self) -> float | None:
        """Counted over published active parameters, less one; None where none were published."""
        if self.counted_active is None or not self.published_active:
            return None
        return self.counted_active / self.published_active - 1.0

    @property
    def total_met(self) -> bool:
        """Whether the totals agree within a percent."""
        return abs(self.relative) <= WITHIN

    @property
    def active_met(self) -> bool:
        """Whether the active counts agree within a percent or the digits of the published one.

        Active counts are mostly published as whole billions. True where none was published: a
        dense model uses all of its parameters.
        """
        if self.counted_active is None or self.published_active is None:
            return True
        rounding = half_last_digit(self.published_active)
        gap = abs(self.counted_active - self.published_active)
        return gap <= max(WITHIN * self.published_active, rounding)


def published_counts(components: Catalog) -> tuple[PublishedCount, ...]:
    """Return the counts of every model whose total was published, by key."""
    models = [m for m in components.all("models") if isinstance(m, Model)]
    return tuple(_counted(model) for model in models if model.total_parameters is not None)


def half_last_digit(published: float) -> float:
    """Return half a unit of the last digit that a count in billions was published to.

    >>> half_last_digit(37e9), half_last_digit(3.3e9)
    (500000000.0, 50000000.0)
    """
    digits = f"{published / 1e9:.6g}".partition(".")[2]
    return float(f"{0.5e9 / 10 ** len(digits):.12g}")


def _counted(model: Model) -> PublishedCount:
    count = parameters(model.shape)
    total, active = model.total_parameters, model.active_parameters
    assert total is not None, f"{model.key}: no published total"
    ways = {
        "all": count.active,
        "head only": count.active_without_embedding,
        "no table": count.active_without_tables,
    }
    way = "" if active is None else min(ways, key=lambda name: abs(ways[name] - active))
    return PublishedCount(
        key=model.key,
        counted=count.total,
        published=total,
        encoders=model.encoder_parameters or 0.0,
        counted_active=ways[way] if way else None,
        counted_way=way,
        published_active=active,
        reason=model.count_note,
    )
