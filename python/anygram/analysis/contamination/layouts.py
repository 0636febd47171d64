"""Which fields of a benchmark's records are question, choices, answer and passage: as common benchmarks name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from anygram.errors import InputError

#: What the fields of an item may be, in the order in which its text has them.
ROLES = ("passage", "question", "choices", "answer")

#: A field's name, or a path into nested ones with dots; several are joined by line ends.
FieldNames = tuple[str, ...]

Record = Mapping[str, object]


@dataclass(frozen=True)
class Layout:
    """Where a record keeps each role.

    Attributes:
        name: the benchmark that is known for it, or how it was found.
        fields: for each role the fields that hold it.
        labels: the field with the choices' labels, where the answer is one of them.
        first: the number of the first choice, where the answer is a choice's number.
        instructions: messages of a system that most records have, which are no part of an item.
    """

    name: str
    fields: Mapping[str, FieldNames]
    labels: str | None = None
    first: int = 0
    instructions: frozenset[str] = field(default=frozenset(), compare=False)

    def __str__(self) -> str:
        roles = (f"{role}={'+'.join(names)}" for role, names in self.fields.items())
        return f"{self.name}: {', '.join(roles)}"

    def read(self, record: Record) -> dict[str, str]:
        """The texts of a record by role; a role that it does not have is left out."""
        choices = self._choices(record)
        texts: dict[str, str] = {}
        for role in ROLES:
            if role == "choices":
                text = "\n".join(choices)
            elif role == "answer":
                text = self._answer(record, choices)
            else:
                text = "\n".join(filter(None, (self._text(value) for value in self._values(record, role))))
            if text:
                texts[role] = text
        return texts

    def _values(self, record: Record, role: str) -> list[object]:
        return [value_at(record, name) for name in self.fields.get(role, ())]

    def _text(self, value: object) -> str:
        if _is_messages(value):
            return "\n".join(text for text in _said(value) if text not in self.instructions)
        return text_of(value)

    def _choices(self, record: Record) -> list[str]:
        values = self._values(record, "choices")
        if len(values) != 1:  # a field for each choice
            return [text_of(value) for value in values if value is not None]
        value = values[0]
        if isinstance(value, Mapping):
            value = value.get("text", list(value.values()))
        return [text_of(one) for one in value] if isinstance(value, list | tuple) else [text_of(value)]

    def _answer(self, record: Record, choices: Sequence[str]) -> str:
        values = [value for value in self._values(record, "answer") if value is not None]
        labels = value_at(record, self.labels) if self.labels else None
        return "\n".join(filter(None, dict.fromkeys(_resolved(value, choices, labels, self.first) for value in values)))


def _layout(name: str, *, labels: str | None = None, first: int = 0, **fields: str) -> Layout:
    return Layout(name, {role: tuple(fields[role].split("+")) for role in ROLES if role in fields}, labels, first)


# The first whose fields a record all has.
KNOWN_LAYOUTS = (
    _layout("evals", question="input", answer="ideal"),
    _layout("HumanEval", question="prompt", answer="canonical_solution"),
    _layout("MBPP", question="text", answer="code"),
    _layout("MBPP", question="prompt", answer="code"),
    _layout("HellaSwag", question="ctx", choices="endings", answer="label"),
    _layout("ARC", question="question.stem", choices="question.choices", answer="answerKey", labels="question.choices"),
    _layout("OpenBookQA", question="question_stem", choices="choices", answer="answerKey", labels="choices"),
    _layout("ARC", question="question", choices="choices", answer="answerKey", labels="choices"),
    _layout("RACE", passage="article", question="question", choices="options", answer="answer"),
    _layout("MMLU-Pro", question="question", choices="options", answer="answer"),
    _layout("MMLU", question="question", choices="choices", answer="answer"),
    _layout("PIQA", question="goal", choices="sol1+sol2", answer="label"),
    _layout("WinoGrande", question="sentence", choices="option1+option2", answer="answer", first=1),
    _layout("SQuAD", passage="context", question="question", answer="answers"),
    _layout("BoolQ", passage="passage", question="question", answer="answer"),
    _layout("CoQA", passage="story", question="questions", answer="answers"),
    _layout("TruthfulQA", question="question", answer="best_answer"),
    _layout("GSM8K", question="question", answer="answer"),
    _layout("MATH", question="problem", answer="solution"),
    _layout("NLI", question="premise+hypothesis"),
)

_COMMON_NAMES = {
    "passage": ("passage", "context", "article", "story", "paragraph", "document"),
    "question": (
        *("question", "prompt", "query", "problem", "instruction", "input", "inputs", "goal", "sentence", "ctx"),
        *("text", "sample", "content"),
    ),
    "choices": ("choices", "options", "endings", "candidates"),
    "answer": ("answer", "answers", "ideal", "target", "targets", "solution", "output", "completion", "gold"),
}

#: Fields that name an item, in the order of preference.
ID_FIELDS = ("id", "task_id", "question_id", "item_id", "qid", "_id", "uid", "ind", "idx", "index")


def recognise(records: Sequence[Record], source: str | None) -> Layout:
    """The layout of a benchmark's records, by their fields' names.

    Raises:
        InputError: no name tells what the question or the passage is.
    """
    names = records[0]
    for layout in KNOWN_LAYOUTS:
        wanted = [name for names_of_role in layout.fields.values() for name in names_of_role]
        if all(has(names, name) for name in wanted):
            return _without_instructions(layout, records)
    found = {
        role: (next(name for name in known if name in names),)
        for role, known in _COMMON_NAMES.items()
        if any(name in names for name in known)
    }
    if not found.keys() & {"question", "passage"}:
        raise InputError(
            f"no field is known to be the question; the record has {', '.join(map(repr, names)) or 'no fields'}: "
            "name it (--field question=NAME, fields={'question': NAME})",
            source,
        )
    name = "LAMBADA" if found == {"question": ("text",)} else "by the fields' names"
    return _without_instructions(Layout(name, found), records)


def given_layout(fields: Mapping[str, str | Sequence[str]], records: Sequence[Record], source: str | None) -> Layout:
    """The layout that a user names.

    Raises:
        InputError: a role is unknown, or no record has a field of that name.
    """
    for role in fields:
        if role not in ROLES:
            raise InputError(f"the fields of an item are {', '.join(ROLES)}, found {role!r}", source)
    named = {role: (names,) if isinstance(names, str) else tuple(names) for role, names in fields.items()}
    for name in (name for names in named.values() for name in names):
        if not any(has(record, name) for record in records):
            known = ", ".join(map(repr, records[0]))
            raise InputError(f"no record has a field {name!r}; the first one has {known}", source)
    return _without_instructions(Layout("as given", {role: named[role] for role in ROLES if role in named}), records)


def has(record: object, path: str) -> bool:
    """Whether the record has the field, whatever it holds."""
    if isinstance(record, Mapping) and path in record:
        return True
    head, dot, rest = path.partition(".")
    return bool(dot) and isinstance(record, Mapping) and head in record and has(record[head], rest)


def value_at(record: object, path: str) -> object:
    """What a field holds, or None."""
    if isinstance(record, Mapping) and path in record:
        return record[path]
    head, dot, rest = path.partition(".")
    return value_at(record[head], rest) if dot and isinstance(record, Mapping) and head in record else None


def text_of(value: object) -> str:
    """The text in a field: of a list its parts on a line each, of a mapping what it calls its text."""
    match value:
        case str():
            return value
        case None | bool():  # yes and no are no text that a corpus could hold for an item's sake
            return ""
        case Mapping():
            named = next((value[name] for name in _TEXT_NAMES if name in value), None)
            return text_of(named)
        case list() | tuple():
            return "\n".join(filter(None, dict.fromkeys(map(text_of, value))))
        case _:
            return str(value)


_TEXT_NAMES = ("text", "content", "input_text", "value", "stem")


def _resolved(value: object, choices: Sequence[str], labels: object, first: int) -> str:
    """An answer's text; of one that is a choice's number, letter or label, the choice's text."""
    if isinstance(value, bool) or not choices or (isinstance(value, str) and value in choices):
        return text_of(value)
    known = _labels(labels)
    if isinstance(value, str) and value in known and len(known) == len(choices):
        return choices[known.index(value)]
    number = None
    if isinstance(value, int):
        number = value - first
    elif isinstance(value, str) and value.strip().isdecimal():
        number = int(value) - first
    elif isinstance(value, str) and len(value.strip()) == 1 and "A" <= value.strip().upper() <= "Z":
        number = ord(value.strip().upper()) - ord("A")
    if number is not None and 0 <= number < len(choices):
        return choices[number]
    return "" if isinstance(value, int) else text_of(value)  # -1 stands for an answer that is kept secret


def _labels(labels: object) -> list[str]:
    if isinstance(labels, Mapping):
        labels = labels.get("label")
    if isinstance(labels, list | tuple):
        return [str(one.get("label")) if isinstance(one, Mapping) else str(one) for one in labels]
    return []


def _is_messages(value: object) -> bool:
    """Whether it is what chat models are sent."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(one, Mapping) and "role" in one and "content" in one for one in value)
    )


def _said(messages: object) -> list[str]:
    """The messages of the item itself: examples and answers of a model are none."""
    assert isinstance(messages, list | tuple)
    kept = [
        one for one in messages if not str(one.get("name", "")).startswith("example") and one["role"] != "assistant"
    ]
    return [text_of(one["content"]) for one in kept or messages]


def _without_instructions(layout: Layout, records: Sequence[Record]) -> Layout:
    """Messages of a system that most records have tell what to do, and not what is asked."""
    seen: dict[str, int] = {}
    for record in records:
        for names in layout.fields.values():
            for name in names:
                messages = value_at(record, name)
                if _is_messages(messages):
                    assert isinstance(messages, list | tuple)
                    for text in {text_of(one["content"]) for one in messages if one["role"] == "system"}:
                        seen[text] = seen.get(text, 0) + 1
    shared = frozenset(text for text, times in seen.items() if times > max(1, len(records) / 2))
    if not shared:
        return layout
    return Layout(layout.name, layout.fields, layout.labels, layout.first, shared)
