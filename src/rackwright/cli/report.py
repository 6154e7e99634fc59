"""Draw the report of a finished run anew, from its records; also as PDF."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from rackwright import catalog as catalogs
from rackwright.cli.options import CatalogFolder
from rackwright.cli.output import JsonFlag, answer
from rackwright.drawing.picture import picture_svg
from rackwright.drawing.report import report_html
from rackwright.formats.atomic import make_folder, write_text
from rackwright.pipeline import Given, Result, finished_run
from rackwright.records.errors import RackwrightError
from rackwright.sheets import fabric_sheets, rack_sheets

REPORT = "report.html"
PICTURE = "picture.svg"

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
"""Programs that print a page to PDF without a screen, in the order in which they are tried."""


def run(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run folder")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="where to draw; none = into the run folder")
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="print the page to PDF, by a browser")
    ] = None,
    catalog: CatalogFolder = None,
    as_json: JsonFlag = False,
) -> None:
    """Draw the report of a finished run anew, from its records; also as PDF.

    Nothing is searched, planned or judged again: the same records give the same page.
    """
    study, result = finished_run(folder)
    texts = drawn(Given(study, catalogs.load(catalog), {}), result)
    place = folder if out is None else make_folder(out)
    page, picture = (write_text(place / name, text) for name, text in texts.items())
    if pdf is not None:
        print_pdf(page, pdf)
    written = {"report": page, "picture": picture, **({"pdf": pdf} if pdf is not None else {})}
    answer(
        {name: str(path) for name, path in written.items()},
        [f"{name}: {path}" for name, path in written.items()],
        f"rackwright compare {folder} OTHER_RUN",
        as_json=as_json,
    )


def drawn(given: Given, result: Result) -> dict[str, str]:
    """Return the page and the picture of a run, by the names of their files."""
    page = report_html(
        given.study, result, (*rack_sheets(given, result), *fabric_sheets(given, result))
    )
    return {REPORT: page, PICTURE: picture_svg(given.study, result)}


def print_pdf(page: Path, pdf: Path) -> None:
    """Print a page to PDF by a browser without a screen.

    Raises:
        RackwrightError: no browser is there, or it wrote no file.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise RackwrightError(
            f"--pdf: none of {', '.join(BROWSERS)} is installed; open {page} in a browser and "
            "print it from there."
        )
    with tempfile.TemporaryDirectory() as profile:
        made = Path(profile) / "page.pdf"
        # The page is ours and loads nothing: it needs neither a network nor the browser's sandbox,
        # which does not start for root.
        command = [
            browser, "--headless", "--disable-gpu", "--no-sandbox", f"--user-data-dir={profile}",
            "--no-pdf-header-footer", f"--print-to-pdf={made}", page.resolve().as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, capture_output=True, check=False, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RackwrightError(f"--pdf: {browser} did not print {page}: {error}") from None
        if not made.is_file():
            raise RackwrightError(f"--pdf: {browser} wrote no file; open {page} and print it.")
        try:
            shutil.copyfile(made, pdf)
        except OSError as error:
            raise RackwrightError(f"{pdf}: cannot be written: {error.strerror}") from None
