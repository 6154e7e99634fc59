"""What goes on, on stderr, for anything that takes over a second."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Protocol

DELAY_S = 1.0


class Progress:
    """Tells what goes on: a moving bar on a terminal, plain lines in a log.

    Nothing is shown in the first second, so that quick commands stay quiet.

    >>> with Progress() as tell:
    ...     tell("searching designs", 0.25)
    """

    def __init__(self, delay_s: float = DELAY_S) -> None:
        """Stay silent until this much time has passed."""
        self._timer = threading.Timer(delay_s, self._show)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._text = ""
        self._share: float | None = None
        self._display: _Display | None = None

    def __call__(self, text: str, share: float | None = None) -> None:
        """Say what is being done, and which share (0..1) of it is done if that is known."""
        with self._lock:
            self._text, self._share = text, share
            if self._display is not None:
                self._display.update(text, share)

    def __enter__(self) -> Progress:
        """Start the clock."""
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the display away, also after an error."""
        self._timer.cancel()
        with self._lock:
            if self._display is not None:
                self._display.close()

    def _show(self) -> None:
        with self._lock:
            self._display = _Bar() if sys.stderr.isatty() else _Lines()
            if self._text:
                self._display.update(self._text, self._share)


class _Display(Protocol):
    def update(self, text: str, share: float | None) -> None: ...

    def close(self) -> None: ...


class _Lines:
    """A line for each new thing that is done; shares of one thing are not repeated."""

    def __init__(self) -> None:
        self._last = ""

    def update(self, text: str, share: float | None) -> None:
        if text != self._last:
            print(f"{text} ...", file=sys.stderr, flush=True)
            self._last = text

    def close(self) -> None:
        pass


class _Bar:
    """One moving line, gone when the work is done."""

    def __init__(self) -> None:
        # Imported only on a terminal and after a second: quick commands do not wait for it.
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Rich

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
        )
        self._rich = Rich(*columns, console=Console(stderr=True), transient=True)
        self._task = self._rich.add_task("", total=None)
        self._rich.start()

    def update(self, text: str, share: float | None) -> None:
        total = None if share is None else 1.0
        self._rich.update(self._task, description=text, completed=share or 0.0, total=total)

    def close(self) -> None:
        self._rich.stop()
