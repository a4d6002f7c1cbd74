"""A mail on its way: a process of its own, which `kill -9` of the worker doesn't take with it.

Between a mail server's "250" and a note of it lies a moment in which whoever dies leaves it unknown whether the mail
went out. So who sends does nothing else that could kill it, and who comes after waits until it is done (`Teller.mail`).

`python -m text2art_nb.serve.mail_process` reads the configuration, with its secrets, and the job's id from its standard
input. It says on its standard output why the mail can't be sent, and ends with 1, or with 3 if it never can.
"""

import json
import subprocess
import sys
from typing import IO, Final

from text2art_nb.serve.config import Config
from text2art_nb.serve.notices import NoticeError, RefusedError
from text2art_nb.serve.supervisor import environment

SECONDS: Final = 900.0
"""A mail that takes longer is tried again later."""
NOT_SENT: Final = 1
NEVER: Final = 3


def send_apart(config: Config, id: str) -> None:
    """Send the mail of job `id`, if it has not been sent; returns when that is so.

    Raises:
        RefusedError: it never can be sent.
        NoticeError: it could not be sent.
    """
    words = [sys.executable, "-P", "-m", "text2art_nb.serve.mail_process"]
    given = json.dumps({"config": config.model_dump(mode="json"), "id": id})
    # In a session of its own: a signal for all of the worker's group is not meant for it.
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(), start_new_session=True
    ) as process:
        try:
            said, _ = process.communicate(given, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise NoticeError(f"the mail was not taken within {SECONDS:.0f} seconds") from None
    if process.returncode:
        reason = said.strip() if process.returncode in (NOT_SENT, NEVER) and said.strip() else "see the worker's log"
        kind = RefusedError if process.returncode == NEVER else NoticeError
        raise kind(f"the mail was not sent: {reason}")


def main(given: IO[str] = sys.stdin, told: IO[str] = sys.stdout) -> int:
    """Send one mail; see the module."""
    from text2art_nb.serve.notifier import Teller
    from text2art_nb.serve.store import Store
    from text2art_nb.serve.tables import engine_for

    asked = given.read()
    try:
        found = json.loads(asked)
    except ValueError:  # whoever began to ask was killed before it had said all: the next one asks again
        return NOT_SENT
    config = Config(**found["config"])
    try:
        Teller(config, engine_for(config), Store(config)).mail(found["id"])
    except NoticeError as error:
        print(error, file=told)
        return NEVER if isinstance(error, RefusedError) else NOT_SENT
    return 0


if __name__ == "__main__":
    sys.exit(main())
