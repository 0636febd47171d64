"""Item 3: neural models mixed with the ∞-gram (the paper's table 1)."""

from __future__ import annotations

from typing import Any

import numpy as np

import anygram
from common import markdown_table
from paper import neural
from paper.findings import Condition, Findings, percent
from paper.measures import Floats, bootstrap_p, draws, interval, perplexity
from paper.mixing import Mixed, Setting, compare, mix, read, significance
from paper.neural import Plan, by_text, plans
from paper.references import Workplace

_SURE = 0.01
_NOTHING = 0.02  # a gain up to this is about 0
_REMEMBERED = 60  # documents of its training text that a model is asked about again


def run(workplace: Workplace) -> Findings:
    seed = workplace.settings.seed
    large, small, seen, narrow = plans(workplace.settings)
    whole = Setting.of(workplace, workplace.reference())
    part = Setting.of(workplace, workplace.reference(halvings=workplace.settings.train_halvings))
    rows: dict[str, tuple[Plan, str, Mixed]] = {}
    for plan in (small, large, seen):
        rows[f"{plan.name}, whole"] = plan, "whole", mix(whole, *read(workplace, plan))
    for plan in (small, seen):
        rows[f"{plan.name}, part"] = (
            plan,
            f"its part of 2^-{workplace.settings.train_halvings}",
            mix(part, *read(workplace, plan)),
        )
    found = Findings()
    found.conditions = [
        *_lower(rows, seed),
        _two_weights(rows),
        _sparse_first(rows),
        _weaker(rows[f"{small.name}, whole"][2], rows[f"{large.name}, whole"][2], seed),
        *_other_data(rows, small, seen, seed),
        _crossed(workplace, small, seen),
        *_other_domain(workplace, small, narrow, seed),
        _without(workplace, whole, small),
    ]
    out_of_domain = _out_of_domain(workplace, small, large)
    found.conditions += [_nothing(*one) for one in out_of_domain]
    remembered = _remembered(workplace, small, seen)
    word_parts = {
        name: _word_parts(mixed, workplace)
        for name, mixed in [("whole", rows[f"{small.name}, whole"][2]), *out_of_domain]
    }
    found.conditions += [_asked_again(remembered), _inside_words(word_parts)]
    found.figures = {
        "remembered": remembered,
        "gain_inside_words": word_parts,
        "rows": {name: _plain(mixed, workplace, seed) for name, (_, _, mixed) in rows.items()},
        "out_of_domain": {name: {"gain": mixed.gain_two} for name, mixed in out_of_domain},
    }
    found.tables["Perplexity of the test text"] = _table(rows, workplace)
    found.tables["By domain, two weights"] = _domain_table(rows, workplace)
    return found


# --- conditions


def _lower(rows: dict[str, tuple[Plan, str, Mixed]], seed: int) -> list[Condition]:
    found = []
    for name, (_, _, mixed) in rows.items():
        if not name.endswith("whole"):
            continue
        sure = significance(mixed, seed)
        low, high = sure["interval_documents"]  # type: ignore[misc]
        found.append(
            Condition(
                "3 (a)",
                f"{name.removesuffix(', whole')}: two weights lower the test perplexity; "
                f"paired bootstrap over documents p < {_SURE}",
                f"{mixed.neural:.2f} → {mixed.two:.2f}, gain {percent(mixed.gain_two)} "
                f"({percent(low)} to {percent(high)}), p = {sure['p_documents']:.4f}; "
                f"over whole sources p = {sure['p_sources']:.4f}",
                mixed.two < mixed.neural and sure["p_documents"] < _SURE,  # type: ignore[operator]
                "22.86 → 13.58, 42 % (GPT-2 117M)",
            )
        )
    return found


def _two_weights(rows: dict[str, tuple[Plan, str, Mixed]]) -> Condition:
    return Condition(
        "3 (b)",
        "two weights are at least as good as one, for each model and reference",
        "; ".join(f"{name}: {mixed.two:.2f} ≤ {mixed.one:.2f}" for name, (_, _, mixed) in rows.items()),
        all(mixed.two <= mixed.one for _, _, mixed in rows.values()),
    )


def _sparse_first(rows: dict[str, tuple[Plan, str, Mixed]]) -> Condition:
    return Condition(
        "3 (c)",
        "the weight where sparse is the larger one",
        "; ".join(f"{name}: {mixed.sparse:.3f} > {mixed.other:.3f}" for name, (_, _, mixed) in rows.items()),
        all(mixed.sparse > mixed.other for _, _, mixed in rows.values()),
        "values not given",
    )


def _weaker(small: Mixed, large: Mixed, seed: int) -> Condition:
    p, (low, high) = compare(small, large, seed)
    return Condition(
        "3 (d)",
        "the weaker model gains more",
        f"small {percent(small.gain_two)} at perplexity {small.neural:.1f}, large {percent(large.gain_two)} at "
        f"{large.neural:.1f}; difference {percent(low)} to {percent(high)}, p = {p:.4f}",
        small.gain_two > large.gain_two and small.neural > large.neural,
        "42 % (117M) to 34 % (1.6B); 25 % to 12 % (GPT-Neo/J)",
    )


def _other_data(rows: dict[str, tuple[Plan, str, Mixed]], small: Plan, seen: Plan, seed: int) -> list[Condition]:
    found = []
    for reference, title in (("part", "the very text that the other was trained on"), ("whole", "the whole reference")):
        half, same = rows[f"{small.name}, {reference}"][2], rows[f"{seen.name}, {reference}"][2]
        p, (low, high) = compare(half, same, seed)
        found.append(
            Condition(
                "3 (e)",
                f"with {title}: a model trained on other sources gains more than one trained on the reference",
                f"{percent(half.gain_two)} (perplexity {half.neural:.1f}) and "
                f"{percent(same.gain_two)} ({same.neural:.1f}); "
                f"difference {percent(low, 2)} to {percent(high, 2)}, p = {p:.4f}",
                half.gain_two > same.gain_two,
                "GPT-2 (other data) 42 %, GPT-Neo (the Pile) 25 %",
            )
        )
    return found


def _crossed(workplace: Workplace, *models: Plan) -> Condition:
    """Two models, and for each the text that it was trained on as reference: which is its own matters, whatever else.

    That one model is better than the other, or one text more like the test text, is in both sums.
    """
    gains: dict[str, list[Mixed]] = {"own": [], "other": []}
    for reference in models:
        name = f"training-{reference.data}"
        workplace.build(name, neural.training_documents(workplace, reference.data))
        with anygram.open(workplace.folder / "index" / name) as index:
            setting = Setting.of(workplace, index)
            for plan in models:
                gains["own" if plan == reference else "other"].append(mix(setting, *read(workplace, plan)))
    units = [[mixed.documents() for mixed in of] for of in gains.values()]
    chosen = draws(len(units[0][0].tokens), workplace.settings.seed)
    own, other = (sum(sums.drawn_gains(chosen) for sums in of) / len(of) for of in units)
    low, high = interval(other - own)
    means = {name: float(np.mean([mixed.gain_two for mixed in of])) for name, of in gains.items()}
    return Condition(
        "3 (e)",
        "crossed, so that neither model nor text matters by itself: a model gains more from the text that the other "
        "was trained on than from its own",
        f"{percent(means['other'], 2)} and {percent(means['own'], 2)} on average; difference {percent(low, 2)} to "
        f"{percent(high, 2)}, p = {bootstrap_p(other - own):.4f}",
        means["other"] > means["own"],
        "GPT-2 (other data) 42 %, GPT-Neo (the Pile) 25 %",
    )


def _other_domain(workplace: Workplace, small: Plan, narrow: Plan, seed: int) -> list[Condition]:
    """What GPT-2 and GPT-Neo differ in: one was trained on other kinds of text than the reference's."""
    found = []
    for domain in workplace.evaluated_domains:
        if domain == workplace.narrow_domain:
            continue
        setting = Setting.of(workplace, workplace.reference(), domain)
        broad, only = (mix(setting, *read(workplace, plan, domain)) for plan in (small, narrow))
        p, (low, high) = compare(only, broad, seed)
        found.append(
            Condition(
                "3 (e)",
                f"on {domain}: a model trained on {workplace.narrow_domain} alone gains more than one trained on "
                "all domains",
                f"{percent(only.gain_two)} (perplexity {only.neural:.1f}) and {percent(broad.gain_two)} "
                f"({broad.neural:.1f}); difference {percent(low)} to {percent(high)}, p = {p:.4f}",
                only.gain_two > broad.gain_two,
                "GPT-2 (other data) 42 %, GPT-Neo (the Pile) 25 %",
            )
        )
    return found


def _without(workplace: Workplace, setting: Setting, plan: Plan) -> Condition:
    _, test = read(workplace, plan)
    nothing = anygram.Mixture(0.0, 0.0).evaluate(by_text(test, setting.test.texts), setting.test.scores)
    alone = perplexity(test)
    return Condition(
        "3 (f)",
        "with weight 0 the perplexity is the model's own",
        f"{nothing.perplexity!r} and {nothing.model_perplexity!r}; from its log probabilities {alone!r}",
        nothing.perplexity == nothing.model_perplexity and bool(np.isclose(nothing.perplexity, alone, rtol=1e-12)),
    )


def _out_of_domain(workplace: Workplace, *models: Plan) -> list[tuple[str, Mixed]]:
    """References of other kinds of text: domains that are not evaluated, or each evaluated one for the others."""
    found = []
    foreign = [name for name in workplace.domains if name not in workplace.evaluated_domains]
    for plan in models:
        for name in foreign:
            setting = Setting.of(workplace, workplace.reference([name]))
            found.append((f"{plan.name}, {name}", mix(setting, *read(workplace, plan))))
        for domain in workplace.evaluated_domains:
            others = [name for name in workplace.evaluated_domains if name != domain]
            if others and not foreign:
                setting = Setting.of(workplace, workplace.reference(others), domain)
                name = f"{plan.name} on {domain}, {' and '.join(others)}"
                found.append((name, mix(setting, *read(workplace, plan, domain))))
    return found


def _nothing(name: str, mixed: Mixed) -> Condition:
    return Condition(
        "3 (g)",
        f"{name}: a reference of another domain gives about nothing, at most {percent(_NOTHING, 0)}",
        f"{percent(mixed.gain_two, 2)} ({mixed.neural:.2f} → {mixed.two:.2f}, "
        f"weights {mixed.sparse:.3f}, {mixed.other:.3f})",
        abs(mixed.gain_two) <= _NOTHING,
        "0 to 6 % for newer Wikipedia articles",
    )


def _remembered(workplace: Workplace, *models: Plan) -> dict[str, dict[str, float]]:
    """The perplexity of each model on its own training text, and on the other's: has it learnt it by heart?"""
    texts = {}
    for plan in models:
        numbers = neural.training_documents(workplace, plan.data)[:_REMEMBERED]
        texts[plan.data] = [workplace.document(int(one))[: workplace.settings.most_tokens] for one in numbers]
    return {
        plan.name: {
            data: perplexity(neural.token_logprobs(neural.load(workplace, plan), tokens))
            for data, tokens in texts.items()
        }
        for plan in models
    }


def _asked_again(remembered: dict[str, dict[str, float]]) -> Condition:
    return Condition(
        "3 (e)",
        "perplexity of a model on the text that it was trained on, and on the other's: does it know it by heart?",
        "; ".join(
            f"{name}: " + ", ".join(f"{value:.1f} on that of “{data}”" for data, value in values.items())
            for name, values in remembered.items()
        ),
        None,
    )


def _word_parts(mixed: Mixed, workplace: Workplace) -> dict[str, float]:
    """How much of what mixing saves (in nats) is saved on tokens that go on with a word, and how many those are."""
    inside = _inside_word(workplace)[np.concatenate(mixed.texts.tokens)]
    saved: Floats = mixed.after - mixed.before
    return {"tokens": float(inside.mean()), "saved": float(saved[inside].sum() / saved.sum())}


def _inside_word(workplace: Workplace) -> np.ndarray:
    """Of each token of the vocabulary, whether it begins with a letter or a digit: no space, no punctuation."""
    tokenizer = _tokenizer(workplace)
    written = [tokenizer.id_to_token(number) or " " for number in range(tokenizer.get_vocab_size())]
    return np.array([one[0].isascii() and one[0].isalnum() for one in written])


def _inside_words(parts: dict[str, dict[str, float]]) -> Condition:
    return Condition(
        "3 (g)",
        "how much of what is saved is saved on tokens that begin with a letter or digit, mostly the rest of a word",
        "; ".join(
            f"{name}: {percent(one['saved'])} on {percent(one['tokens'])} of tokens" for name, one in parts.items()
        ),
        None,
        "good at completing words of several tokens",
    )


# --- figures and tables


def _plain(mixed: Mixed, workplace: Workplace, seed: int) -> dict[str, Any]:
    return {
        "weights": [mixed.sparse, mixed.other],
        "single_weight": mixed.single,
        "neural": mixed.neural,
        "one": mixed.one,
        "two": mixed.two,
        "gain_one": mixed.gain_one,
        "gain_two": mixed.gain_two,
        "bits_per_byte": _bits_per_byte(mixed, workplace),
        "by_domain": _by_domain(mixed),
        **significance(mixed, seed),
    }


def _by_domain(mixed: Mixed) -> dict[str, tuple[float, float]]:
    domains = mixed.texts.rows(mixed.texts.domains)
    return {name: mixed.where(domains == name) for name in np.unique(domains).tolist()}


def _bits_per_byte(mixed: Mixed, workplace: Workplace) -> tuple[float, float]:
    """Alone and mixed; a token of a byte-level tokenizer is written with one letter a byte."""
    tokenizer = _tokenizer(workplace)
    sizes = np.array([len(tokenizer.id_to_token(number) or "") for number in range(tokenizer.get_vocab_size())])
    num_bytes = int(sizes[np.concatenate(mixed.texts.tokens)].sum())
    alone, both = (-float(values.sum()) / np.log(2) / num_bytes for values in (mixed.before, mixed.after))
    return float(alone), float(both)


def _tokenizer(workplace: Workplace) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(workplace.tokenizer))


_PAPER_ROWS = (
    ("paper: GPT-2 117M", "Pile", "22.86", "", "13.58", "42 %"),
    ("paper: GPT-2 1.6B", "Pile", "14.61", "", "9.93", "34 %"),
    ("paper: GPT-Neo 125M", "Pile", "14.08", "", "10.79", "25 %"),
    ("paper: GPT-J 6.7B", "Pile", "6.51", "", "5.85", "12 %"),
    ("paper: Llama-2 70B", "Pile and RedPajama", "4.65", "", "3.95", "19 %"),
)


def _table(rows: dict[str, tuple[Plan, str, Mixed]], workplace: Workplace) -> str:
    header = [
        "model", "reference", "neural", "one weight", "two weights", "gain", "weight: sparse", "other", "the one",
        "bits a byte: neural", "mixed",
    ]  # fmt: skip
    lines: list[tuple[object, ...]] = []
    for plan, reference, mixed in rows.values():
        alone, both = _bits_per_byte(mixed, workplace)
        lines.append(
            (
                plan.name, reference, f"{mixed.neural:.2f}", f"{mixed.one:.2f}", f"{mixed.two:.2f}",
                percent(mixed.gain_two), f"{mixed.sparse:.3f}", f"{mixed.other:.3f}", f"{mixed.single:.3f}",
                f"{alone:.3f}", f"{both:.3f}",
            )
        )  # fmt: skip
    lines += [(*row, "", "", "", "", "") for row in _PAPER_ROWS]
    return markdown_table(header, lines)


def _domain_table(rows: dict[str, tuple[Plan, str, Mixed]], workplace: Workplace) -> str:
    header = ["model and reference", *workplace.evaluated_domains]
    lines = [
        (name, *(f"{alone:.2f} → {both:.2f}" for alone, both in _by_domain(mixed).values()))
        for name, (_, _, mixed) in rows.items()
    ]
    return markdown_table(header, lines)
