"""Read the dated facts that ship with the catalog."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from rackwright.records.errors import InputError
from rackwright.records.ledger import Commitment, Ledger

_FACTS = Path(__file__).parent / "facts"


def commitments(path: Path | str | None = None) -> Ledger:
    """Return the commitments ledger of a facts file; the shipped one by default.

    Raises:
        InputError: the file is missing or damaged, or an entry stands in no layer.
    """
    file = Path(path) if path is not None else _FACTS / "commitments_facts.yaml"
    try:
        data: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        entries, layers = data["entries"], data["layers"]
        if not isinstance(entries, list):
            raise TypeError("entries is no list")
        layer_of = {name: layer for layer, names in layers.items() for name in names}
    except OSError as error:
        raise InputError([f"{file}: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        found = f"found byte 0x{error.object[error.start]:02x}, which is not UTF-8 text"
        raise InputError([f"{file}: {found}: save the file as UTF-8"]) from error
    except yaml.YAMLError as error:
        raise InputError([f"{file}: {' '.join(str(error).split())}"]) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            [f"{file}: a ledger has `entries` (a list) and `layers` (a table of lists of ids)"]
        ) from error
    mistakes: list[str] = []
    made: list[Commitment] = []
    for i, raw in enumerate(entries):
        name = raw.get("id", f"entries[{i}]") if isinstance(raw, dict) else f"entries[{i}]"
        try:
            made.append(_commitment(raw, layer_of))
        except ValidationError as error:
            mistakes += [
                f"{file}: {name}: {'.'.join(map(str, e['loc']))}: {e['msg']}"
                for e in error.errors()
            ]
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            mistakes.append(f"{file}: {name}: {error}")
    known = {e.id for e in made}
    for e in made:
        mistakes += [
            f"{file}: {e.id}: names {other!r}, which is not in the ledger"
            for other in (e.part_of, e.superseded_by)
            if other is not None and other not in known
        ]
    if mistakes:
        raise InputError(mistakes)
    return Ledger(entries=tuple(made), layers=tuple(layers))


def _commitment(raw: dict[str, Any], layer_of: dict[str, str]) -> Commitment:
    name = raw["id"]
    if name not in layer_of:
        raise ValueError("stands in no layer")
    return Commitment(
        id=name,
        party=raw["party"],
        effective=_first_day(str(raw["date"])),
        binding=raw["binding"],
        usd_b=raw.get("usd_b"),
        gw=raw.get("gw"),
        inbound="into" in str(raw.get("direction", "")).lower(),
        part_of=raw.get("part_of"),
        superseded_by=raw.get("superseded_by"),
        layer=layer_of[name],
        terms=str(raw.get("terms", "")),
        source=str(raw.get("url", "")),
        grade=raw["grade"],
    )


def _first_day(text: str) -> date:
    """Return the first day that a date names: its first word, a month alone its first day."""
    word = text.split()[0]
    return date.fromisoformat(word if word.count("-") == 2 else f"{word}-01")
