"""What all settings have in common: frozen, hashable, and every complaint a plain sentence in a `SettingsError`."""

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from text2art_nb.errors import SettingsError
from text2art_nb.settings import coercion


class Checked(BaseModel):
    """A frozen, hashable model whose every complaint is a `SettingsError`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    aliases: ClassVar[Mapping[str, str]] = MappingProxyType({})
    elsewhere: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What to do instead of giving a setting that others have under this name."""

    def __init__(self, /, **given: Any) -> None:
        with _plainly(type(self)):
            super().__init__(**renamed(given, self.aliases))

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """As pydantic's, but raises `SettingsError`."""
        with _plainly(cls):
            return super().model_validate(obj, **options)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """As pydantic's, but raises `SettingsError`."""
        with _plainly(cls):
            return super().model_validate_json(json_data, **options)

    def __setattr__(self, name: str, value: Any) -> None:
        raise SettingsError({name: f"settings do not change; make changed ones, like settings.with_({name}=…)"})

    def __hash__(self) -> int:
        fields = self.__dict__.values()
        return hash(tuple(frozenset(value.items()) if isinstance(value, dict) else value for value in fields))

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What differs from the defaults, pictures cut short: it is read by people."""
        for name, value in self:
            if value != type(self).model_fields[name].default:
                yield name, _without_pictures(value)

    @field_validator("*", mode="before")
    @classmethod
    def _number(cls, value: Any, info: ValidationInfo) -> Any:
        """Numpy's numbers become Python's; True and False are no numbers."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and annotation in (int, float, int | None, float | None):
            right = "a whole number" if annotation in (int, int | None) else "a finite number"
            raise ValueError(f"{info.field_name} must be {right}; got {value}")
        return coercion.plain_number(value)


def _without_pictures(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_without_pictures(each) for each in value)
    return value[:22] + "…" if isinstance(value, str) and value.startswith("data:") else value


def renamed(given: Mapping[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
    """Keyword arguments under our names."""
    ours = {name: value for name, value in given.items() if name not in aliases}
    for name, value in given.items():
        if name in aliases:
            field = aliases[name]
            if field in ours:
                raise SettingsError({field: f"{name} is another name for {field}; give only one of them"})
            ours[field] = value
    return ours


@contextmanager
def _plainly(model: type[Checked]) -> Iterator[None]:
    """Turns pydantic's ValidationError into a SettingsError."""
    try:
        yield
    except ValidationError as error:
        problems: dict[str, str] = {}
        for detail in error.errors(include_url=False):
            for field, sentence in _sentences(detail, model):
                problems.setdefault(field, sentence)
        raise SettingsError(problems) from None


_TYPES = {
    "int": "a whole number",
    "float": "a finite number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "text",
}
_LIMITS = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
    "greater_than": ("gt", "more than"),
}


def _sentences(detail: Mapping[str, Any], model: type[Checked]) -> list[tuple[str, str]]:
    """(field, sentence) for one of pydantic's error details."""
    kind, context = str(detail["type"]), detail.get("ctx", {})
    field = str(detail["loc"][0]) if detail["loc"] else ""
    cause = context.get("error")
    if isinstance(cause, SettingsError):
        return list(cause.problems.items())
    if cause is not None:
        return [(field, str(cause))]
    if kind == "extra_forbidden":
        return [(field, _unknown(field, model))]
    if kind == "missing":
        return [(field, f"{field} is missing")]
    if kind == "too_long":
        return [(field, f"{field} may have at most {context['max_length']} entries")]
    right = _TYPES.get(kind.partition("_")[0], "of another kind")
    if kind in _LIMITS:
        limit, words = _LIMITS[kind]
        right = f"{words} {context[limit]:.15g}" if isinstance(context[limit], float) else f"{words} {context[limit]}"
    return [(field, f"{field or 'settings'} must be {right}; got {coercion.shown(detail['input'])}")]


def _unknown(field: str, model: type[Checked]) -> str:
    if field in model.elsewhere:
        return f"there is no setting {field!r} here; {model.elsewhere[field]}"
    nearest = difflib.get_close_matches(field[:100], [*model.model_fields, *model.aliases], 1)
    meant = f"did you mean '{nearest[0]}'?" if nearest else "`text2art draw --help` lists them all"
    return f"unknown setting {coercion.shown(field)}; {meant}"
