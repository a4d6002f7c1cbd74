"""How the command line is called: for what a user is to copy into a shell."""

import shlex
import shutil
import sys


def command(*words: str) -> str:
    """This very program with other words: as it was called where that is found again, else by this Python's path."""
    called = sys.argv[0]
    found = shutil.which("text2art")
    program = ("text2art",) if found is not None and found == called else (sys.executable, "-m", "text2art_nb")
    return shlex.join([*program, *words])
