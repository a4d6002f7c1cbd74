"""What a program of before the rooms were named anew imports is still there, with a warning."""

import subprocess
import sys

import pytest


def test_the_old_name_of_the_generators_module_has_the_same_names_and_says_what_it_is_called_now() -> None:
    sys.modules.pop("text2art_nb.generators", None)
    with pytest.warns(DeprecationWarning, match=r"text2art_nb\.drawers\.generator_file"):
        from text2art_nb.generators import LatentSpec
    from text2art_nb.drawers import generator_file

    assert LatentSpec is generator_file.LatentSpec


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_name_that_the_generators_module_never_had_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="nothing_of_the_kind"):
        from text2art_nb.generators import nothing_of_the_kind  # noqa: F401


def test_the_old_command_that_trains_answers_as_the_new_one() -> None:
    pytest.importorskip("cv2", reason="the training program needs the extra train")
    old, new = (
        subprocess.run(
            [sys.executable, "-W", "always", "-m", module, "--help"], capture_output=True, text=True, check=True
        )
        for module in ("text2art_nb.embedded.train", "text2art_nb.training.train")
    )
    assert old.stdout == new.stdout
    assert "DeprecationWarning: text2art_nb.embedded.train is called text2art_nb.training.train now" in old.stderr
    assert "text2art_nb.embedded.train" not in new.stderr
