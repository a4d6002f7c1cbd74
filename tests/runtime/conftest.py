"""The hub on this machine, for the self-check."""

from tests.models.conftest import local_hub, nothing_loaded

__all__ = ["local_hub", "nothing_loaded"]
