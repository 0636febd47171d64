"""Each rule of contamination, written from its definition over plain strings and lists: slow, and right at a glance.

A judgement is (contaminated, score, label), or None where the rule is not applicable.
"""

from __future__ import annotations

import math
import random
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import islice, pairwise

import regex

from anygram.analysis.contamination.items import Item
from anygram.analysis.contamination.overlaps import DeconParameters

Judgement = tuple[bool, float, str] | None

# --- texts, as rules see them


def lower(text: str) -> str:
    return "".join(c.lower() for c in text)


def alphanumeric_words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in lower(text)).split()


def unpunctuated_words(text: str) -> list[str]:
    kept = [c for c in text if c not in string.punctuation and not unicodedata.category(c).startswith("P")]
    return lower("".join(kept)).split()


def lm_eval_words(text: str) -> list[str]:
    table = str.maketrans(string.ascii_uppercase, string.ascii_lowercase, string.punctuation)
    return text.translate(table).split()


@lru_cache(maxsize=10_000)
def folded_words(text: str) -> list[str]:
    """By the rules of UAX #29, one boundary at a time."""
    return [word.casefold() for word in unicode_segments(text) if any(map(str.isalnum, word))]


def decon_words(text: str) -> list[str]:
    marks = "!'\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~“”‘’—"
    without = "".join(" " if c in marks else c for c in lower(text))
    return [word for word in regex.split(r"\p{White_Space}+", without) if word]


PROPERTIES = [
    "CR", "LF", "Newline", "Extend", "ZWJ", "Format", "Katakana", "Hebrew_Letter", "ALetter", "Single_Quote",
    "Double_Quote", "MidNumLet", "MidLetter", "MidNum", "Numeric", "ExtendNumLet", "Regional_Indicator", "WSegSpace",
]  # fmt: skip


@cache
def word_break(character: str) -> str:
    return next((name for name in PROPERTIES if regex.match(rf"\p{{WB={name}}}", character)), "Other")


def unicode_segments(text: str) -> list[str]:
    begins = [i for i in range(len(text)) if i == 0 or is_boundary(text, i)]
    return [text[begin:end] for begin, end in pairwise([*begins, len(text)])]


def is_boundary(text: str, i: int) -> bool:
    left, right = word_break(text[i - 1]), word_break(text[i])
    ends = {"CR", "LF", "Newline"}
    if left in ends or right in ends:
        return (left, right) != ("CR", "LF")
    if left == "ZWJ" and regex.match(r"\p{Extended_Pictographic}", text[i]):
        return False
    if left == right == "WSegSpace":
        return False
    ignored = {"Extend", "Format", "ZWJ"}
    if right in ignored:
        return False
    line = max([text.rfind(c, 0, i) for c in "\r\n\x0b\x0c\x85\u2028\u2029"]) + 1
    before = []
    for place, c in enumerate(text[line:i]):
        kind = word_break(c)
        if kind not in ignored or place == 0:
            before.append("Other" if kind in ignored else kind)
    after = list(islice((kind for kind in map(word_break, text[i:]) if kind not in ignored), 2))
    b2, b1 = ([None, None, *before])[-2:]
    a1, a2 = ([*after, None, None])[:2]
    letters = {"ALetter", "Hebrew_Letter"}
    middle = {"MidLetter", "MidNumLet", "Single_Quote"}
    number_middle = {"MidNum", "MidNumLet", "Single_Quote"}
    joined = (
        (b1 in letters and a1 in letters)
        or (b1 in letters and a1 in middle and a2 in letters)
        or (b2 in letters and b1 in middle and a1 in letters)
        or (b1 == "Hebrew_Letter" and a1 == "Single_Quote")
        or (b1 == "Hebrew_Letter" and a1 == "Double_Quote" and a2 == "Hebrew_Letter")
        or (b2 == "Hebrew_Letter" and b1 == "Double_Quote" and a1 == "Hebrew_Letter")
        or (b1 == "Numeric" and a1 == "Numeric")
        or (b1 in letters and a1 == "Numeric")
        or (b1 == "Numeric" and a1 in letters)
        or (b2 == "Numeric" and b1 in number_middle and a1 == "Numeric")
        or (b1 == "Numeric" and a1 in number_middle and a2 == "Numeric")
        or (b1 == "Katakana" and a1 == "Katakana")
        or (b1 in {*letters, "Numeric", "Katakana", "ExtendNumLet"} and a1 == "ExtendNumLet")
        or (b1 == "ExtendNumLet" and a1 in {*letters, "Numeric", "Katakana"})
    )
    if joined:
        return False
    if b1 == a1 == "Regional_Indicator":
        flags = 0
        while flags < len(before) and before[-1 - flags] == "Regional_Indicator":
            flags += 1
        return flags % 2 == 0
    return True


def alphanumeric_characters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def ngrams(units: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(units[i : i + n]) for i in range(len(units) - n + 1)]


def is_in(gram: Sequence[str], document: Sequence[str]) -> bool:
    n = len(gram)
    return any(tuple(document[i : i + n]) == tuple(gram) for i in range(len(document) - n + 1))


def fields(item: Item, *roles: str) -> str:
    return "\n".join(text for role, text in item.fields.items() if role in roles)


# --- shares of grams that occur


def share(found: Sequence[bool]) -> float:
    return sum(found) / len(found)


def any_gram(documents: list[str], text: str, words: Callable[[str], list[str]], n: int, dirty: str) -> Judgement:
    grams = ngrams(words(text), n)
    if not grams:
        return None
    seen = {gram for document in documents for gram in ngrams(words(document), n)}
    score = share([gram in seen for gram in grams])
    return score > 0, score, dirty if score > 0 else "clean"


def gpt2(documents: list[str], items: list[Item], n: int = 8) -> list[Judgement]:
    return [any_gram(documents, item.text, alphanumeric_words, n, "overlapping") for item in items]


def lm_eval(documents: list[str], items: list[Item], n: int = 13) -> list[Judgement]:
    return [any_gram(documents, item.text, lm_eval_words, n, "contaminated") for item in items]


def gpt3(documents: list[str], items: list[Item], least: int = 8, most: int = 13) -> list[Judgement]:
    sizes = {}
    for benchmark in {item.benchmark for item in items}:
        lengths = sorted(len(unpunctuated_words(item.text)) for item in items if item.benchmark == benchmark)
        sizes[benchmark] = min(max(lengths[int(0.05 * (len(lengths) - 1))], least), most)
    return [any_gram(documents, item.text, unpunctuated_words, sizes[item.benchmark], "dirty") for item in items]


def palm(documents: list[str], items: list[Item], n: int = 8) -> list[Judgement]:
    judgements: list[Judgement] = []
    seen = {gram for document in documents for gram in ngrams(folded_words(document), n)}
    for item in items:
        grams = ngrams(folded_words(item.text), n)
        score = share([gram in seen for gram in grams]) if grams else math.nan
        judgements.append((score >= 0.7, score, "contaminated" if score >= 0.7 else "clean") if grams else None)
    return judgements


def quip(documents: list[str], items: list[Item], n: int = 25) -> list[Judgement]:
    judgements: list[Judgement] = []
    for item in items:
        grams = [item.text[i : i + n] for i in range(len(item.text) - n + 1)]
        score = share([any(gram in document for document in documents) for gram in grams]) if grams else math.nan
        judgements.append((False, score, "scored") if grams else None)
    return judgements


def infini_gram_mini(documents: list[str], items: list[Item], n: int = 50) -> list[Judgement]:
    judgements: list[Judgement] = []
    for item in items:
        text = item.fields.get("passage", item.fields.get("question", item.text))
        grams = [text[m.start() : m.start() + n] for m in re.finditer(r"\S+", text) if m.start() + n <= len(text)]
        if not grams:
            judgements.append(None)
            continue
        score = share([any(gram in document for document in documents) for gram in grams])
        label = "clean" if score < 0.2 else "suspicious" if score < 0.8 else "dirty"
        judgements.append((label == "dirty", score, label))
    return judgements


def gpt4(documents: list[str], items: list[Item], n: int = 50, samples: int = 3, seed: int = 0) -> list[Judgement]:
    processed = [alphanumeric_characters(document) for document in documents]
    judgements: list[Judgement] = []
    for item in items:
        text = alphanumeric_characters(fields(item, "passage", "question", "choices"))
        if not text:
            judgements.append(None)
            continue
        draw = random.Random(f"{seed}\n{text}")
        begins = {draw.randrange(len(text) - n + 1) for _ in range(samples)} if len(text) >= n else {0}
        found = [any(text[begin : begin + n] in document for document in processed) for begin in begins]
        judgements.append((any(found), share(found), "contaminated" if any(found) else "clean"))
    return judgements


# --- one document


def tulu3(documents: list[str], items: list[Item], n: int = 8) -> list[Judgement]:
    judgements: list[Judgement] = []
    seen = [set(ngrams(folded_words(document), n)) for document in documents]
    for item in items:
        texts = [folded_words(item.fields[role]) for role in ("passage", "question") if role in item.fields]
        texts = [text for text in texts if text]
        if not any(len(text) >= n for text in texts):
            judgements.append(None)
            continue
        score = 0.0
        for grams in seen:
            shares = []
            for text in texts:
                matched = {i + k for i, gram in enumerate(ngrams(text, n)) if gram in grams for k in range(n)}
                shares.append(len(matched) / len(text))
            score = max(score, sum(shares) / len(shares))
        judgements.append((score > 0.5, score, "overlapping" if score > 0.5 else "clean"))
    return judgements


def wimbd(documents: list[str], items: list[Item]) -> list[Judgement]:
    judgements: list[Judgement] = []
    words = [folded_words(document) for document in documents]
    for item in items:
        texts = [item.fields[role] for role in ("passage", "question") if role in item.fields]
        phrases = [folded_words(text) for text in [*texts, *item.fields.get("choices", "").split("\n")]]
        phrases = [phrase for phrase in phrases if phrase]
        if not phrases:
            judgements.append(None)
            continue
        score = max((share([is_in(phrase, document) for phrase in phrases]) for document in words), default=0.0)
        judgements.append((score == 1, score, "contaminated" if score == 1 else "clean"))
    return judgements


DECON = DeconParameters()


def decon(  # noqa: C901  # in one piece, to be read from its top to its end
    documents: list[str], items: list[Item], rule: DeconParameters = DECON, least_items: int = 1
) -> list[Judgement]:
    entries: list[dict[str, list[str]] | None] = []
    for item in items:
        entry = {role: decon_words(item.fields.get(role, "")) for role in ("passage", "question", "answer")}
        words = [word for part in entry.values() for word in part]
        short = len(words) < rule.min_words or len(set(words)) < rule.min_distinct_words
        entries.append(None if short or not entry["question"] else entry)
    known = [entry for entry in entries if entry is not None]
    num_items = max(len(known), least_items)

    def question_grams(entry: dict[str, list[str]]) -> list[tuple[str, ...]]:
        return ngrams(entry["question"], rule.length) or [tuple(entry["question"])]

    def answer_grams(entry: dict[str, list[str]]) -> list[tuple[str, ...]]:
        return ngrams(entry["answer"], rule.answer_length) if len(entry["answer"]) > rule.short_answer else []

    def passage_grams(entry: dict[str, list[str]]) -> list[tuple[str, ...]]:
        return ngrams(entry["passage"], rule.passage_length)

    def weights(grams: Callable[[dict[str, list[str]]], Sequence[object]]) -> dict[object, float]:
        counts = Counter(gram for entry in known for gram in set(grams(entry)))
        return {gram: math.log(num_items / count) for gram, count in counts.items()}

    of_question, of_answer, of_passage = weights(question_grams), weights(answer_grams), weights(passage_grams)
    word_counts = Counter(word for entry in known for part in entry.values() for word in set(part))

    def overlap(weight: dict[object, float], matched: set[tuple[str, ...]], wanted: set[tuple[str, ...]]) -> float:
        total = math.fsum(weight[gram] for gram in wanted)
        return math.fsum(weight[gram] for gram in matched) / total if total else 0.0

    def required(length: int, usual: float) -> float:
        if length <= rule.perfect_until:
            return 1.0
        if length >= rule.usual_from:
            return usual
        return 1 - (1 - usual) * (length - rule.perfect_until) / (rule.usual_from - rule.perfect_until)

    def score(
        entry: dict[str, list[str]], words: list[str], begin: int, end: int, matched: set[tuple[str, ...]]
    ) -> float:
        question, answer, passage = entry["question"], entry["answer"], entry["passage"]
        q = overlap(of_question, matched, set(question_grams(entry)))
        if q < required(len(question), max(0.0, (rule.score - 0.3) / 0.7)):
            return 0.0
        after = words[end - max(0, end - begin - len(question)) :]
        before = words[:begin]
        a = 0.0
        if 0 < len(answer) <= rule.short_answer:
            near = any(after[i : i + len(answer)] == answer for i in range(min(rule.short_answer_window, len(after))))
            a = 1.0 if near and any(word_counts[word] < num_items for word in answer) else 0.0
        elif answer:
            window = after[: max(rule.long_answer_window, 2 * len(answer))]
            a = overlap(
                of_answer, set(ngrams(window, rule.answer_length)) & set(answer_grams(entry)), set(answer_grams(entry))
            )
        found: set[tuple[str, ...]] = set()
        misses = 0
        reach = max(rule.passage_window, 2 * len(passage))
        for gram in reversed(ngrams(before[max(0, begin - reach) :], rule.passage_length)):
            if gram in passage_grams(entry):
                found.add(gram)
                misses = 0
            elif found:
                misses += 1
            if misses > rule.passage_max_misses:
                break
        p = overlap(of_passage, found, set(passage_grams(entry)))
        trust = min(1, 0.5 + len(set(question_grams(entry))) / 40)
        if answer and passage:
            answer_weight = 0.2 + 0.35 * (1 - trust)
            passage_weight = 0.1 + 0.35 * (1 - trust)
            answer_trust = min(1, 0.5 + len(answer) / 8)
            passage_weight += answer_weight * (1 - answer_trust)
            total = q * 0.7 * trust + a * answer_weight * answer_trust + p * passage_weight
        elif answer:
            total = q * 0.75 * trust + a * (1 - 0.75 * trust)
        elif passage:
            total = q * 0.85 * trust + p * (1 - 0.85 * trust)
        else:
            total = q
        total = 1.0 if total > 1 - 1e-12 else total  # all of it was found, whatever the rounding
        need = required(len(question) + len(answer) + len(passage), rule.score)
        return total if total == 1.0 or need <= rule.score else total * rule.score / need

    judgements: list[Judgement] = []
    texts = [decon_words(document) for document in documents]
    for entry in entries:
        if entry is None or not any(of_question[gram] for gram in question_grams(entry)):
            judgements.append(None)
            continue
        wanted = set(question_grams(entry))
        size = len(question_grams(entry)[0])
        best = 0.0
        for words in texts:
            hits = [i for i, gram in enumerate(ngrams(words, size)) if gram in wanted]
            clusters: list[list[int]] = []
            for hit in hits:
                if clusters and hit - clusters[-1][-1] - 1 < rule.max_misses:
                    clusters[-1].append(hit)
                else:
                    clusters.append([hit])
            for cluster in clusters:
                matched = {tuple(words[i : i + size]) for i in cluster}
                best = max(best, score(entry, words, cluster[0], cluster[-1] + size, matched))
        judgements.append((best >= rule.score, best, "contaminated" if best >= rule.score else "clean"))
    return judgements


# --- tokens

Tokens = Sequence[int]


def skipgram_tokens(
    corpus: list[Tokens], text: Tokens, length: int, exact: int, budget: int, min_count: int = 1
) -> tuple[set[int], int]:
    """The tokens that some skipgram matches, and the most that one does: every begin, every place, every end."""
    seed = min(length, exact)
    matched: set[int] = set()
    longest = 0
    for begin in range(len(text) - seed + 1):
        places = [
            (document, place)
            for document in corpus
            for place in range(len(document) - seed + 1)
            if list(document[place : place + seed]) == list(text[begin : begin + seed])
        ]
        if len(places) < min_count:
            continue
        for document, place in places:
            for size in range(length, min(len(text) - begin, len(document) - place) + 1):
                equal = [text[begin + i] == document[place + i] for i in range(size)]
                if equal.count(False) <= budget and all(equal[:exact]) and equal[-1]:
                    matched |= {begin + i for i in range(size) if equal[i]}
                    longest = max(longest, sum(equal))
    return matched, longest


def llama2(
    corpus: list[Tokens], texts: list[Tokens], length: int = 10, budget: int = 4, exact: int = 10
) -> list[Judgement]:
    judgements: list[Judgement] = []
    for text in texts:
        if len(text) < length:
            judgements.append(None)
            continue
        score = len(skipgram_tokens(corpus, text, length, exact, budget)[0]) / len(text)
        label = "clean" if score < 0.2 else "not clean" if score < 0.8 else "dirty"
        judgements.append((score >= 0.2, score, label))
    return judgements


def count(corpus: list[Tokens], gram: Tokens) -> int:
    return sum(
        list(document[i : i + len(gram)]) == list(gram)
        for document in corpus
        for i in range(len(document) - len(gram) + 1)
    )


def contam(name: str, corpus: list[Tokens], text: Tokens, n: int, min_count: int, budget: int) -> Judgement:
    if len(text) < n:
        return None
    starts = [i for i in range(len(text) - n + 1) if count(corpus, text[i : i + n]) >= min_count]
    if name == "contam_token_match":
        score = len({i + k for i in starts for k in range(n)}) / len(text)
    elif name == "contam_ngram_match":
        score = len(starts) / (len(text) - n + 1)
    else:
        matched, longest = skipgram_tokens(corpus, text, n, n, budget, min_count)
        score = (len(matched) if name == "contam_token_extend" else longest) / len(text)
    return False, score, "scored"


def near_matches(corpus: list[Tokens], ngram: Tokens, most: int) -> list[tuple[int, int, int]]:
    found = []
    for number, document in enumerate(corpus):
        for offset in range(len(document) - len(ngram) + 1):
            differ = sum(a != b for a, b in zip(ngram, document[offset:], strict=False))
            if differ <= most:
                found.append((number, offset, differ))
    return found
