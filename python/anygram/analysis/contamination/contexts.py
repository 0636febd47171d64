"""What is known of the documents that hold a match, and where in them it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from anygram.analysis.contamination.items import Item, Verdict

if TYPE_CHECKING:
    from anygram.index import Index

_SHOWN_DOCUMENTS = 3  # of a span, with their context
_MOST_CONTEXTS = 5000  # of a report: each takes the decoding of a document
WIDTH = 160
"""Characters that are shown on either side of a match."""

_LEAST_LENGTH = 8  # characters: shorter texts stand everywhere in a document, and which place is meant is not known
_SEED = 24  # letters and digits that must stand together for a changed copy to be found


@dataclass(frozen=True)
class DocumentFacts:
    """A document, without its text."""

    number: int
    id: str
    source: str | None
    metadata: Mapping[str, Any]


class Place(NamedTuple):
    """Where a match stands in a document, in characters of its text."""

    document: int
    begin: int
    end: int


class Stretch(NamedTuple):
    """A piece of a document's text around matches, and where it begins."""

    begin: int
    text: str


@dataclass(frozen=True)
class Found:
    """What a report shows of the corpus.

    Attributes:
        documents: each document that evidence names, by its number.
        places: by a matched text, where it stands; in the first documents only, and for so many texts.
        stretches: by a document's number, what stands around such places, in order.
    """

    documents: Mapping[int, DocumentFacts]
    places: Mapping[str, tuple[Place, ...]]
    stretches: Mapping[int, tuple[Stretch, ...]]

    def around(self, document: int, begin: int, end: int) -> Stretch:
        """What stands around a place, as far as it is known."""
        for stretch in self.stretches.get(document, ()):
            if stretch.begin <= begin and end <= stretch.begin + len(stretch.text):
                first, last = max(stretch.begin, begin - WIDTH), min(stretch.begin + len(stretch.text), end + WIDTH)
                return Stretch(first, stretch.text[first - stretch.begin : last - stretch.begin])
        return Stretch(begin, "")


def look_up(
    index: Index, judged: Iterable[tuple[Item, Verdict]], progress: Callable[[str, int, int | None], None] | None = None
) -> Found:
    """The documents that the evidence names; each is read once. Cost: O(their lengths)."""
    numbers: dict[int, None] = {}
    wanted: dict[int, dict[str, None]] = defaultdict(dict)
    num_contexts = 0
    for text, documents in _evidence(judged):
        numbers.update(dict.fromkeys(documents))
        for number in documents[:_SHOWN_DOCUMENTS]:
            if num_contexts < _MOST_CONTEXTS and len(text) >= _LEAST_LENGTH and text not in wanted[number]:
                wanted[number][text] = None
                num_contexts += 1
    facts: dict[int, DocumentFacts] = {}
    places: dict[str, list[Place]] = defaultdict(list)
    stretches: dict[int, tuple[Stretch, ...]] = {}
    for done, number in enumerate(sorted(numbers), 1):
        if progress is not None:
            progress("documents", done, len(numbers))
        document = index.document(number)
        facts[number] = DocumentFacts(number, document.id or str(number), document.source, dict(document.metadata))
        if wanted.get(number):
            whole = Searched(document.text or "")
            found = {text: place for text in wanted[number] if (place := whole.find(text)) is not None}
            for text, place in found.items():
                places[text].append(Place(number, *place))
            stretches[number] = tuple(_stretches(whole.text, sorted(found.values())))
    return Found(facts, {text: tuple(ones) for text, ones in places.items()}, stretches)


def _evidence(judged: Iterable[tuple[Item, Verdict]]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for item, verdict in judged:
        for one in verdict.evidence:
            yield item.fields[one.field][one.begin : one.end], tuple(map(int, one.documents))


def _stretches(text: str, places: Iterable[tuple[int, int]]) -> Iterator[Stretch]:
    """The text around places, which are in order; those near each other have one stretch together."""
    first = last = 0
    for begin, end in places:
        if begin - WIDTH > last:
            if last:
                yield Stretch(first, text[first:last])
            first = begin - WIDTH
        last = max(last, min(len(text), end + WIDTH))
    if last:
        yield Stretch(first, text[first:last])


class Searched:
    """A document's text, in which a match is looked for as it stands, and else by its letters and digits."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._letters: str | None = None
        self._places: list[int] = []

    def find(self, wanted: str) -> tuple[int, int] | None:
        """Where the wanted text stands, or what is most of it; None if nothing like it does."""
        begin = self.text.find(wanted) if wanted else -1
        if begin >= 0:
            return begin, begin + len(wanted)
        if self._letters is None:
            self._letters, self._places = _letters(self.text)
        letters, _ = _letters(wanted)
        if not letters:
            return None
        begin = self._letters.find(letters)
        if begin >= 0:
            return self._span(begin, begin + len(letters))
        return self._find_changed(letters)

    def _find_changed(self, letters: str) -> tuple[int, int] | None:
        """The first piece that stands there, extended to the length of the whole."""
        assert self._letters is not None
        for offset in range(0, max(1, len(letters) - _SEED + 1), _SEED // 2):
            begin = self._letters.find(letters[offset : offset + _SEED])
            if begin >= 0:
                first = max(0, begin - offset)
                return self._span(first, min(len(self._letters), begin - offset + len(letters)))
        return None

    def _span(self, begin: int, end: int) -> tuple[int, int]:
        return self._places[begin], self._places[end - 1] + 1


def _letters(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text, case-folded, and where each of them stands."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character.isalnum():
            for folded in character.casefold():
                letters.append(folded)
                places.append(place)
    return "".join(letters), places
