"""A rack as a scene in three dimensions: each device a box with its name, to scale.

glTF binary through trimesh, OpenUSD through usd-core (an extra). Metres; x to the right seen from
the front, y up, z to the front, as glTF has it; in OpenUSD the up axis is stated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from rackwright.records.as_built import RackAsBuilt
from rackwright.records.errors import RackwrightError
from rackwright.records.mechanical import ItemKind

COLOURS: dict[ItemKind, tuple[int, int, int]] = {
    "compute": (0, 114, 178), "switch": (0, 158, 115), "management": (204, 121, 167),
    "power": (230, 159, 0), "pdu": (230, 159, 0), "cdu": (86, 180, 233),
    "manifold": (86, 180, 233), "blank": (195, 200, 206), "cable": (143, 133, 120),
}  # fmt: skip
DEVICE_DEPTH_M = 0.8
"""Depth of a device whose source gives none: planning estimate (grade D)."""
POST_M, EASE_M = 0.03, 0.001


class Box(NamedTuple):
    """A named box: its centre and its sides [m]."""

    name: str
    centre: tuple[float, float, float]
    sides: tuple[float, float, float]
    colour: tuple[int, int, int]


def boxes(built: RackAsBuilt) -> Iterator[Box]:
    """Yield the frame's posts and every device."""
    frame = built.mechanics.frame
    assert frame is not None, "a rack as built has a frame"
    tall = frame.height_m or frame.units * frame.unit_m + 0.1
    base = (tall - frame.units * frame.unit_m) / 2
    for n, (sx, sz) in enumerate(((-1, -1), (-1, 1), (1, -1), (1, 1)), start=1):
        yield Box(
            f"post {n}",
            (sx * (frame.width_m - POST_M) / 2, tall / 2, sz * (frame.depth_m - POST_M) / 2),
            (POST_M, tall, POST_M),
            (60, 66, 74),
        )
    wide = frame.width_m - 2 * POST_M
    for item in built.mechanics.items:
        deep = min(item.depth_m or DEVICE_DEPTH_M, frame.depth_m)
        high = item.units * frame.unit_m - EASE_M
        middle = base + (item.bottom_u - 1 + item.units / 2) * frame.unit_m
        yield Box(
            item.name, (0.0, middle, (frame.depth_m - deep) / 2), (wide, high, deep),
            COLOURS[item.kind],
        )  # fmt: skip


def row_boxes(built: RackAsBuilt, racks: int) -> Iterator[Box]:
    """Yield the boxes of equal racks side by side; names begin with the rack's number."""
    frame = built.mechanics.frame
    assert frame is not None, "a rack as built has a frame"
    for n in range(racks):
        for box in boxes(built):
            x, y, z = box.centre
            yield box._replace(
                name=f"rack {n + 1}, {box.name}", centre=(x + n * frame.width_m, y, z)
            )


def racks_in_row(built: RackAsBuilt) -> int:
    """Return how many racks make a row: those of one distribution unit, or the block's."""
    return min(built.cooling.cdus[0].racks if built.cooling else MOST_IN_ROW, MOST_IN_ROW)


MOST_IN_ROW = 16
"""Racks of a row where no distribution unit sets it: planning figure (grade D)."""


def glb_bytes(parts: Iterable[Box]) -> bytes:
    """Return boxes as glTF binary; nodes carry their names."""
    import trimesh
    from trimesh.visual.material import PBRMaterial

    scene = trimesh.Scene()
    for box in parts:
        mesh = trimesh.creation.box(extents=box.sides)
        material = PBRMaterial(
            name=box.name, baseColorFactor=np.array([*box.colour, 255], dtype=np.uint8),
            metallicFactor=0.2, roughnessFactor=0.7,
        )  # fmt: skip
        mesh.visual = trimesh.visual.TextureVisuals(material=material)
        place = np.eye(4)
        place[:3, 3] = box.centre
        scene.add_geometry(mesh, node_name=box.name, geom_name=box.name, transform=place)
    return bytes(scene.export(file_type="glb"))


def usda_text(parts: Iterable[Box], name: str) -> str:
    """Return boxes as OpenUSD text; `name` is told in its custom data.

    Raises:
        RackwrightError: usd-core is not installed.
    """
    try:
        from pxr import Gf, Usd, UsdGeom
    except ImportError:
        raise RackwrightError(
            "export usd: needs OpenUSD: pip install 'rackwright[usd]', or export glb."
        ) from None
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = UsdGeom.Xform.Define(stage, "/Rack")
    stage.SetDefaultPrim(root.GetPrim())
    Usd.ModelAPI(root.GetPrim()).SetKind("assembly")
    root.GetPrim().SetCustomDataByKey("rackwright:rack", name)
    for box in parts:
        prim = "".join(c if c.isalnum() else "_" for c in box.name)
        cube = UsdGeom.Cube.Define(stage, f"/Rack/{prim}")
        cube.CreateSizeAttr(1.0)
        # The cube is of size one: its extent is that of the unit box, scaled by what follows.
        cube.CreateExtentAttr([Gf.Vec3f(-0.5, -0.5, -0.5), Gf.Vec3f(0.5, 0.5, 0.5)])
        cube.AddTranslateOp().Set(Gf.Vec3d(*box.centre))
        cube.AddScaleOp().Set(Gf.Vec3f(*box.sides))
        cube.CreateDisplayColorAttr([Gf.Vec3f(*(c / 255 for c in box.colour))])
        cube.GetPrim().SetDisplayName(box.name)
    return str(stage.GetRootLayer().ExportToString())
