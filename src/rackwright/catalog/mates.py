"""What a declared interface lets mate, and what of a study it does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rackwright.records.interface import RackInterface
from rackwright.records.study import Composed


def strangers(composed: Composed, interface: RackInterface) -> Iterator[tuple[str, int, str]]:
    """Yield the declared values that an interface does not name.

    Yields:
        Axis of the study's table, place in it, and what is wrong with what is allowed.
    """
    allowed: dict[str, Sequence[object]] = {
        "accelerators": interface.accelerators,
        "scale_up_accelerators": interface.scale_up_domains,
        "cooling": [c.kind for c in interface.coolings],
        "power_shelf": interface.power_shelves,
        "host_cpu": interface.hosts,
        "host_memory_bytes_per_cpu": interface.host_memory_bytes_per_cpu,
    }
    for axis, values in allowed.items():
        there = ", ".join(map(_told, values)) or "none: the rack is fed by its PDUs"
        for i, value in enumerate(getattr(composed, axis)):
            if value not in values:
                yield (
                    axis,
                    i,
                    f"found {_told(value)!r}, which does not mate with {interface.key}; "
                    f"allowed: {there}",
                )
    per_tray, most = interface.accelerators_per_tray, interface.accelerators_max
    for i, count in enumerate(composed.accelerators_per_rack):
        if count % per_tray or (most is not None and count > most):
            upto = f", up to {most}" if most is not None else ""
            yield (
                "accelerators_per_rack",
                i,
                f"found {count}, but trays of {interface.key} hold {per_tray}; allowed: "
                f"multiples of {per_tray}{upto}",
            )


def _told(value: object) -> str:
    return f"{value / 1e9:g} GB" if isinstance(value, float) else str(value)
