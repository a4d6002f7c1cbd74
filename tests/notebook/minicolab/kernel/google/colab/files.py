"""`download` sends a file to the page in parts, over a channel that a script in the cell's output opens."""

import json
import uuid
from pathlib import Path
from typing import Any

from IPython import get_ipython
from IPython.display import Javascript, display

PART_BYTES = 1 << 20

# Asks for a part, and for the next when one has come; the channel is closed after the last.
_SCRIPT = """
(async (target, name) => {
  if (!google.colab.kernel.accessAllowed) return;
  const channel = await google.colab.kernel.comms.open(target);
  const parts = [];
  channel.send({});
  for await (const message of channel.messages) {
    parts.push(...(message.buffers || []));
    channel.send({});
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, {type: "application/binary"}));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
})(%s, %s)
"""


def download(filename: str) -> None:
    """Have the browser save a file. Raises FileNotFoundError where there is none."""
    path = Path(filename)
    if not path.exists():
        raise FileNotFoundError(f"Cannot find file: {filename}")
    manager = get_ipython().kernel.comm_manager
    target = f"download_{uuid.uuid4()}"

    def serve(comm: Any, _: object) -> None:
        parts = path.open("rb")

        def send_part(_: object) -> None:
            part = parts.read(PART_BYTES)
            if part:
                comm.send({}, None, [part])
            else:
                comm.close()
                parts.close()
                manager.unregister_target(target, serve)

        comm.on_msg(send_part)

    manager.register_target(target, serve)
    display(Javascript(_SCRIPT % (json.dumps(target), json.dumps(path.name))))


def upload(target_dir: str = "") -> dict[str, bytes]:
    """What a user who closes the dialogue uploads."""
    return {}
