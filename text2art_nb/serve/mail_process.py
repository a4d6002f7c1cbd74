"""Send one mail in a process of its own, which survives `kill -9` of the worker.

If a sender dies between the mail server's "250" and the database's record of it, no one can tell whether the mail was
sent. So the sender does nothing else that could kill it, and the next sender waits for it to finish (`Notifier.mail`).

`python -m text2art_nb.serve.mail_process` reads the configuration, with its secrets, and the job's id from standard
input. On failure it writes the reason to standard output and exits with 1, or with 3 if a retry is pointless.
"""

import json
import subprocess
import sys
from typing import IO, Final

from text2art_nb.serve.config import Config
from text2art_nb.serve.notices import NoticeError, RefusedError
from text2art_nb.serve.supervisor import environment

TIMEOUT_SECONDS: Final = 900.0
"""Time limit for one mail. After it, the mail is tried again."""
NOT_SENT: Final = 1
REFUSED: Final = 3


def send_in_subprocess(config: Config, id: str) -> None:
    """Send the mail of job `id` if it wasn't sent yet; return once it is sent.

    Raises:
        RefusedError: it can never be sent.
        NoticeError: it could not be sent now.
    """
    command = [sys.executable, "-P", "-m", "text2art_nb.serve.mail_process"]
    request = json.dumps({"config": config.model_dump(mode="json"), "id": id})
    # A session of its own keeps signals to the worker's process group away from it.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(), start_new_session=True
    ) as process:
        try:
            output, _ = process.communicate(request, timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise NoticeError(f"the mail was not taken within {TIMEOUT_SECONDS:.0f} seconds") from None
    if process.returncode:
        expected = process.returncode in (NOT_SENT, REFUSED)
        reason = output.strip() if expected and output.strip() else "see the worker's log"
        kind = RefusedError if process.returncode == REFUSED else NoticeError
        raise kind(f"the mail was not sent: {reason}")


def main(stdin: IO[str] = sys.stdin, stdout: IO[str] = sys.stdout) -> int:
    """Send one mail; see the module."""
    from text2art_nb.serve.notifier import Notifier
    from text2art_nb.serve.store import Store
    from text2art_nb.serve.tables import engine_for

    request = stdin.read()
    try:
        found = json.loads(request)
    except ValueError:  # the worker was killed while it wrote the request; the next worker sends it again
        return NOT_SENT
    config = Config(**found["config"])
    try:
        Notifier(config, engine_for(config), Store(config)).mail(found["id"])
    except NoticeError as error:
        print(error, file=stdout)
        return REFUSED if isinstance(error, RefusedError) else NOT_SENT
    return 0


if __name__ == "__main__":
    sys.exit(main())
