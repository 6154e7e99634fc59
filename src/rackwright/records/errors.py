"""What the person at the keyboard did that we cannot work with. Bugs are not these."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches


class RackwrightError(Exception):
    """A mistake in the input or its surroundings; the CLI prints it without a traceback."""


class UnknownComponentError(RackwrightError):
    """The catalog has no component of that name."""

    def __init__(self, kind: str, name: str, known: Collection[str]) -> None:
        """Name what was asked for, what there is, and the nearest names."""
        super().__init__(
            f"no {kind} named {name!r} among {len(known)} names in the catalog."
            f"{nearest(name, known)}"
        )


class InputError(RackwrightError):
    """One or more mistakes in input files, all of them at once, one line each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        """Keep the mistakes as lines; the message is the lines joined."""
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class NothingFeasibleError(RackwrightError):
    """No design, or no plan, satisfies the limits: says which limits bind and by how much."""


def nearest(name: str, known: Collection[str]) -> str:
    """Return " Did you mean x or y?" for the closest known names, or an empty string."""
    near = get_close_matches(name, sorted(known), n=3)
    return f" Did you mean {' or '.join(near)}?" if near else ""
