"""The command that draws one prompt with several drawers: compare."""

import argparse
import os
import sys
from pathlib import Path

from text2art_nb.artifacts.artwork import kind_of_sheet
from text2art_nb.artifacts.output_paths import slug, usual_folder
from text2art_nb.cli.options import given_settings
from text2art_nb.cli.process_clock import Clock
from text2art_nb.errors import ArtworkError
from text2art_nb.settings import Settings


def compare(options: argparse.Namespace, _: Clock) -> int:
    """Draw, write the contact sheet, and print where it is; who was left out and why goes to stderr."""
    settings = Settings(**given_settings(options))
    out = Path(os.path.expanduser(options.out)) if options.out else None
    if out is not None:
        kind_of_sheet(out)
    folder = out.parent if out is not None else usual_folder()
    try:  # what can't be written should be known now, not when all is drawn
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtworkError(f"the sheet cannot be written to {folder}: {error.strerror or error}") from error
    from text2art_nb.runs.comparison import compare as draw_all

    comparison = draw_all(settings, options.drawers)
    seed = next(iter(comparison.artworks.values())).settings.seed
    print(comparison, file=sys.stderr)
    print(comparison.save(out or folder / f"{slug(settings.prompts)}-{seed}-compared.png"))
    return 0
