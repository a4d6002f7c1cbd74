"""A small program that speaks pixray's calls, for where pixray isn't: it fades from black to the colour of its seed.

It has the globals that pixray is known by, the two functions that the adapter listens to, and pixray's manners: it
prints, refuses settings by leaving, and forgets nothing between calls. Its picture is a plain colour.
"""

import os
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

KNOWN = (
    "prompts size iterations num_cuts batches seed drawer clip_models vector_prompts make_video save_intermediates "
    "save_every display_every outdir output skip_args init_noise learning_rate init_image cuda_device vqgan_model"
).split()

class_table: dict[str, Any] = {"vqgan": object, "fast_pixel": object}
perceptors: dict[str, Any] = {}
pmsTable: dict[str, Any] = {}
global_settings: dict[str, Any] = {}
cur_iteration = 0
colour = np.zeros(3)


class Picture:
    """The little of a torch tensor that the adapter asks of a picture: torch takes a second and more to import."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __getitem__(self, index: int) -> "Picture":
        return Picture(self.array[index])

    def detach(self) -> "Picture":
        return self

    float = cpu = contiguous = detach

    def clamp(self, low: int, high: int) -> "Picture":
        return Picture(self.array.clip(low, high))

    def mul(self, factor: int) -> "Picture":
        return Picture(self.array * factor)

    def round(self) -> "Picture":
        return Picture(self.array.round())

    def byte(self) -> "Picture":
        return Picture(self.array.astype(np.uint8))

    def movedim(self, source: int, destination: int) -> "Picture":
        return Picture(np.ascontiguousarray(np.moveaxis(self.array, source, destination)))

    def numpy(self) -> Any:
        return self.array


def reset_settings() -> None:
    global global_settings
    global_settings = {}


def add_settings(**settings: Any) -> None:
    global_settings.update(settings)


def apply_settings() -> Any:
    for name in global_settings:
        if name not in KNOWN:
            raise ValueError(f"Requested setting not found, aborting: {name}={global_settings[name]}")
    args = SimpleNamespace(**global_settings)
    if getattr(args, "init_noise", None) == "sulk":
        print("init noise not understood, aborting ->  sulk")
        sys.exit(1)
    args.prompts, args.clip_models = args.prompts.split("|"), []
    return args


def do_init(args: Any) -> None:
    global cur_iteration, colour
    cur_iteration = 0
    seed = int(args.seed)
    colour = np.array([float(seed % 4 == channel) for channel in range(3)])
    print("Using seed:", seed)


def do_synth_and_filter(args: Any, iteration: int, losses: list[Any], to_file: bool = False) -> Any:
    width, height = args.size
    strength = iteration / args.iterations
    shape = (1, 3, height // 16 * 16, width // 16 * 16)
    return Picture(np.broadcast_to((colour * strength).reshape(1, 3, 1, 1), shape)), None


def ascend_txt(args: Any) -> list[Any]:
    losses: list[Any] = []
    do_synth_and_filter(args, cur_iteration, losses)
    return [1 - cur_iteration / args.iterations]


def do_run(args: Any, return_display: bool = False) -> bool:
    global cur_iteration
    while cur_iteration < args.iterations:
        if getattr(args, "init_noise", None) == "tired" and cur_iteration == 2:
            raise RuntimeError("the paint has run out\nof the tube")
        if getattr(args, "init_noise", None) == "killed" and cur_iteration == 2:
            os.kill(os.getpid(), 9)
        if getattr(args, "init_noise", None) == "slow" and cur_iteration == 1:
            time.sleep(60)
        ascend_txt(args)
        cur_iteration += 1
        if return_display and cur_iteration % args.display_every == 0:
            return False
    do_synth_and_filter(args, cur_iteration, [], to_file=True)
    return True
