"""The environments, as a parameter of every test that asks for one."""

import pytest

from tests.notebook import environments
from tests.notebook.environments import Environment

PARAMETERS = ("jupyter", pytest.param("colab", marks=pytest.mark.nightly))


@pytest.fixture(scope="session", params=PARAMETERS)
def environment(request: pytest.FixtureRequest) -> Environment:
    """Current Jupyter, then the simulated Colab."""
    return environments.get(request.param)
