"""What may stand on the command line."""

import argparse
import difflib
from typing import NoReturn

from text2art_nb.cli.invocation import command
from text2art_nb.cli.options import _NO_OPTIONS, PLAIN
from text2art_nb.cli.process_clock import Clock
from text2art_nb.errors import Text2ArtError
from text2art_nb.version import __version__

VERBS = ("draw", "compare", "redraw", "resume", "inspect", "models", "doctor", "serve", "worker")
# The groups of the help, by the part of `Settings` that they come from.
_GROUPS = {
    "DrawingSettings": "settings of the drawers",
    "LookingSettings": "settings of prompts and perceptors",
    "TasteSettings": "settings of losses, filters and palettes",
    "MotionSettings": "settings of motion and overlays",
    "TournamentSettings": "settings of candidates",
    "EngineSettings": "settings of the engine",
    "Settings": "other settings",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Text2ArtError(f"{message}; see {command(*self.prog.split()[1:], '--help')}")


def parse(words: list[str]) -> argparse.Namespace:
    """The options; their `do(options, clock) -> int` does what they say. A first word that is no verb is a prompt.

    Raises:
        Text2ArtError: the words make no sense.
        SystemExit: they asked for help, which has been printed.
    """
    parser = _build(draws=not words or words[0] not in VERBS or words[0] in ("draw", "compare"))
    if not words:
        parser.print_help()
        raise SystemExit(0)
    first = words[0]
    if first not in VERBS and not first.startswith("-"):
        nearest = difflib.get_close_matches(first.lower(), VERBS, 1, 0.75)
        if nearest:
            raise Text2ArtError(f"there is no command '{first}'; did you mean '{nearest[0]}'? To draw it: draw {first}")
        words = ["draw", *words]
    options, unknown = parser.parse_known_args(words)
    if unknown:
        _refuse(unknown[0], [name for action in options.parser._actions for name in action.option_strings])
    return options


def _refuse(word: str, known: list[str]) -> NoReturn:
    """Name the option that was meant."""
    from text2art_nb.settings import Settings

    name = word.partition("=")[0].lstrip("-").replace("-", "_")
    if word.startswith("--") and name in Settings.elsewhere:
        raise Text2ArtError(f"{word!r} is not an option here; {Settings.elsewhere[name]}")
    nearest = difflib.get_close_matches(word.partition("=")[0], known, 1) if word.startswith("-") else []
    meant = f"; did you mean {nearest[0]}?" if nearest else ""
    raise Text2ArtError(f"{word!r} is not an option here{meant}")


def _build(draws: bool) -> _Parser:
    """draws: whether the settings are to be options, too, which takes a moment."""
    parser = _Parser(prog="text2art_nb", description="A sentence becomes a picture.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"text2art {__version__}")
    verbs = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    verb = verbs.add_parser("draw", help="draw a picture of a prompt", allow_abbrev=False)
    verb.add_argument(
        "prompt",
        nargs="*",
        metavar="PROMPT",
        help="'text:weight | …', a negative weight pushes away; @FILE or - (standard input): a picture a line",
    )
    for name, (metavar, text) in PLAIN.items():
        verb.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=text)
    verb.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any setting; may be repeated")
    _add_outputs(verb)
    verb.add_argument("--out-dir", metavar="DIR", help="the folder of pictures that have no name yet: ./text2art")
    if draws:
        _add_settings(verb)
    verb.set_defaults(do=_draw, parser=verb)

    verb = verbs.add_parser("compare", help="draw a prompt with every drawer that can run here", allow_abbrev=False)
    verb.add_argument("prompt", nargs="*", metavar="PROMPT", help="as for draw")
    verb.add_argument("--drawers", metavar="A,B", help="only these, such as pixel,'vqgan -> pixel'")
    for name, (metavar, text) in PLAIN.items():
        if name != "drawer":
            verb.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=text)
    verb.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any setting; may be repeated")
    verb.add_argument("--out", metavar="FILE", help="where the contact sheet goes (.png, .jpg)")
    if draws:
        _add_settings(verb)
    verb.set_defaults(do=_compare, parser=verb, no_video=False, drawer=None)

    verb = verbs.add_parser("redraw", help="draw a picture again from the recipe in it", allow_abbrev=False)
    verb.add_argument("file", metavar="FILE", help="a PNG, GIF, MP4 or JPEG made by text2art")
    _add_trust(verb)
    _add_outputs(verb)
    verb.set_defaults(do=_redraw, parser=verb)

    verb = verbs.add_parser("resume", help="go on with a picture that was stopped or killed", allow_abbrev=False)
    verb.add_argument("place", metavar="DIR_OR_FILE", help="the .run directory, or the picture beside it")
    verb.add_argument("--iterations", metavar="N|+N", help="how many steps in all, or how many more")
    _add_outputs(verb)
    verb.set_defaults(do=_resume, parser=verb)

    verb = verbs.add_parser("inspect", help="print the recipe in a picture as JSON", allow_abbrev=False)
    verb.add_argument("file", metavar="FILE")
    _add_trust(verb)
    verb.set_defaults(do=_inspect, parser=verb)
    verb = verbs.add_parser("models", help="list the weights that are known, and which are on disk", allow_abbrev=False)
    verb.add_argument("--json", action="store_true", help="as JSON")
    verb.set_defaults(do=_models, parser=verb)
    verb = verbs.add_parser("doctor", help="say what is broken here, and how to mend it", allow_abbrev=False)
    verb.add_argument("--real", action="store_true", help="fetch real models, draw with them, say how that went")
    verb.add_argument("--only", metavar="A,B", help="with --real: only these of vqgan, pixel, taesd, turbo")
    verb.add_argument("--device", metavar="NAME", help="with --real: auto, cpu, cuda, cuda:N or mps")
    verb.add_argument("--json", action="store_true", help="as JSON")
    verb.set_defaults(do=_doctor, parser=verb)
    verb = verbs.add_parser("serve", help="serve the web page and the API, with a worker beside", allow_abbrev=False)
    verb.add_argument("--host", metavar="HOST", help="where it listens: 127.0.0.1 (the default), 0.0.0.0 for everybody")
    verb.add_argument("--port", metavar="PORT", help="8000 if not given")
    verb.add_argument("--key", metavar="KEY", action="append", help="an API key; without it, access is denied")
    verb.add_argument("--workers", metavar="N", help="number of workers beside it: 1 if not given, 0 for none")
    verb.add_argument("--no-page", action="store_true", help="the API alone")
    _add_service(verb)
    verb.set_defaults(do=_serve, parser=verb)
    verb = verbs.add_parser("worker", help="draw what is in a service's queue", allow_abbrev=False)
    verb.add_argument("--device", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps")
    verb.add_argument("--parent", metavar="PID", type=int, help="end when this process has ended")
    _add_service(verb)
    verb.set_defaults(do=_worker, parser=verb)
    return parser


def _add_settings(verb: argparse.ArgumentParser) -> None:
    """Every setting that isn't an option yet, in the groups of `Settings`."""
    from text2art_nb.settings import Settings

    for part in Settings.__mro__:
        own = getattr(part, "model_fields", {})
        inherited = {name for base in part.__bases__ for name in getattr(base, "model_fields", {})}
        names = [name for name in own if name not in inherited | _NO_OPTIONS | PLAIN.keys()]
        if not names or part.__name__ not in _GROUPS:
            continue
        group = verb.add_argument_group(_GROUPS[part.__name__])
        for name in names:
            option, text = f"--{name.replace('_', '-')}", (own[name].description or "").replace("%", "%%")
            if own[name].annotation is bool:
                group.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=text)
            else:
                group.add_argument(option, metavar="VALUE", help=text)


def _add_service(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--config", metavar="FILE", help="a TOML file: docs/serve.md; '-' reads JSON from standard input")
    verb.add_argument("--data", metavar="DIR", help="the folder of its database and pictures: ./text2art-serve")
    verb.add_argument("--database", metavar="URL", help="in place of that folder's, such as postgresql://me@host/art")


def _add_trust(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--trust", action="store_true", help="the file is your own: its recipe may name directories here")


def _add_outputs(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--out", metavar="FILE", help="where the picture goes (.png, .jpg, .gif, .mp4, .svg)")
    verb.add_argument("--video", metavar="FILE", help="where the film goes (.mp4, .gif)")
    verb.add_argument("--no-video", action="store_true", help="no film")
    verb.add_argument("--no-metadata", action="store_true", help="leave the recipe out of the files")
    verb.add_argument("--json", action="store_true", help="print one line of JSON about the result, and nothing else")


def _draw(options: argparse.Namespace, clock: Clock) -> int:
    from text2art_nb.cli.draw import draw

    return draw(options, clock)


def _compare(options: argparse.Namespace, clock: Clock) -> int:
    from text2art_nb.cli.compare import compare

    return compare(options, clock)


def _redraw(options: argparse.Namespace, clock: Clock) -> int:
    from text2art_nb.cli.draw import redraw

    return redraw(options, clock)


def _resume(options: argparse.Namespace, clock: Clock) -> int:
    from text2art_nb.cli.draw import resume

    return resume(options, clock)


def _inspect(options: argparse.Namespace, clock: Clock) -> int:
    from text2art_nb.cli.info import inspect

    return inspect(options, clock)


def _models(options: argparse.Namespace, clock: Clock) -> int:
    from text2art_nb.cli.info import models

    return models(options, clock)


def _doctor(options: argparse.Namespace, clock: Clock) -> int:
    from text2art_nb.cli.info import doctor

    return doctor(options, clock)


def _serve(options: argparse.Namespace, clock: Clock) -> int:
    from text2art_nb.cli.serve import serve

    return serve(options, clock)


def _worker(options: argparse.Namespace, clock: Clock) -> int:
    from text2art_nb.cli.serve import worker

    return worker(options, clock)
