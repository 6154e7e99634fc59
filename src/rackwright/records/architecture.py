"""How a published model configuration file is read: spellings and defaults as data.

One `Architecture` per `model_type`. It says under which key a file of that type states each field
of a `ModelShape`, which value an absent key has by the type's own configuration class, what the
implementation fixes, and which named step makes what no single key states.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from rackwright.records.component import Component


class Architecture(Component):
    """The reading of one `model_type`; its key is that `model_type`.

    Fields of a shape are dotted (`moe.top_k`), and so are keys that stand inside a table of the
    file (`attn_config.alibi`). A field that starts with `_` is no field of a shape: it is handed
    to the steps as it stands.
    """

    configuration: str = ""  # the class that documents the defaults
    extends: str = ""  # the model_type whose reading holds where this one says nothing
    inside: str = ""  # composite file: the key of the language model's own configuration
    inside_type: str = ""  # its model_type where the file names none
    required: tuple[str, ...] = ()  # fields that every published file of the type states
    reads: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # spellings, the first found
    defaults: dict[str, Any] = Field(default_factory=dict)  # key: its value where it is absent
    fixed: dict[str, Any] = Field(default_factory=dict)  # field: what the implementation fixes
    biases: dict[str, str] = Field(default_factory=dict)  # flag: qkv, out, attn, mlp or all
    only: dict[str, tuple[Any, ...]] = Field(default_factory=dict)  # key: values that can be read
    letters: dict[str, str] = Field(default_factory=dict)  # a layer's word: its pattern letter
    steps: tuple[str, ...] = ()  # functions of `catalog.config_steps`, in order

    @field_validator("reads", mode="before")
    @classmethod
    def _one_spelling_or_several(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {field: (keys,) if isinstance(keys, str) else keys for field, keys in value.items()}

    def over(self, base: Architecture) -> Architecture:
        """Return this reading laid over another: tables merge by key, lists replace where given.

        An empty list of spellings, or an empty word, takes away what the other one has. A type
        with a configuration class of its own keeps none of the other's defaults.
        """
        merged = {
            name: {
                key: value
                for key, value in {
                    **({} if name == "defaults" and self.configuration else getattr(base, name)),
                    **getattr(self, name),
                }.items()
                if value not in ("", ())
            }
            for name in ("reads", "defaults", "fixed", "biases", "only", "letters")
        }
        lists = {name: getattr(self, name) or getattr(base, name) for name in ("required", "steps")}
        return Architecture(**{**dict(self), "extends": base.extends, **merged, **lists})
