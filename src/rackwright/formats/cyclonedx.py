"""A bill of materials as CycloneDX, the standard of hardware and software bills (JSON)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from rackwright.records.bill import BillOfMaterials, BillRow

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

_NAMESPACE = uuid.UUID("6f9f1c5e-6d6c-5f0a-9a57-0c2b3c0f7d11")
"""Of our serial numbers: the same bill has the same one."""


def cyclonedx_text(bill: BillOfMaterials) -> str:
    """Return a bill as a CycloneDX 1.6 document; the same bill gives the same bytes.

    Quantities, prices and grades are properties; what stands in what is nested.
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.output.json import JsonV1Dot6

    top = _component(bill.rows[0], bill)
    bom = Bom(
        components=list(top.components),
        serial_number=uuid.uuid5(_NAMESPACE, bill.model_dump_json()),
    )
    top.components.clear()
    bom.metadata.component = top
    bom.register_dependency(top, list(bom.components))
    bom.metadata.timestamp = None  # type: ignore[assignment]  # nothing that differs by the day
    return str(JsonV1Dot6(bom).output_as_string(indent=1)) + "\n"


def _component(row: BillRow, bill: BillOfMaterials) -> Component:
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType

    given = {
        "quantity": f"{row.quantity:.10g}",
        "total": f"{row.total:.10g}",
        "unit": row.unit,
        "level": row.level,
        "usd": None if row.usd is None else f"{row.usd:.10g}",
        "usd_low": None if row.usd_low is None else f"{row.usd_low:.10g}",
        "usd_high": None if row.usd_high is None else f"{row.usd_high:.10g}",
        "grade": None if row.grade is None else str(row.grade),
        "source": row.source or None,
    }
    return Component(
        name=row.part,
        description=row.name,
        type=ComponentType.DEVICE,
        bom_ref=row.number,
        properties=[
            Property(name=f"rackwright:{key}", value=value)
            for key, value in given.items()
            if value is not None
        ],
        components=[_component(below, bill) for below in _below(row, bill)],
    )


def _below(row: BillRow, bill: BillOfMaterials) -> list[BillRow]:
    depth = row.number.count(".") + 1
    return [
        other
        for other in bill.rows
        if other.number.startswith(f"{row.number}.") and other.number.count(".") == depth
    ]
