"""What the families of methods share: the opened index, the options, and the checks of arguments."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, ClassVar

from anygram.compat.infini_gram import checks, opening
from anygram.compat.infini_gram.models import ErrorResponse
from anygram.compat.infini_gram.source import Source
from anygram.compat.infini_gram.subtraction import Subtraction
from anygram.shard import InfiniGramShard


class Sizes:
    """What is asked of infini-gram's compiled engine besides questions: how large things are."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def get_num_shards(self) -> int:
        """How many shards there are."""
        return len(self._source.shards)

    def get_tok_cnt(self, s: int) -> int:
        """Tokens of a shard, with a separator for each document: its ranks."""
        return self._source.shards[s].stream_length

    def get_ds_size(self, s: int) -> int:
        """Bytes of a shard's tokens: what pointers are below."""
        return self.get_tok_cnt(s) * self._source.width

    def get_total_tok_cnt(self) -> int:
        """Tokens of all shards, with a separator for each document."""
        return self._source.stream_length

    def get_total_doc_cnt(self) -> int:
        """Documents of all shards."""
        return self._source.num_documents


class EngineBase:
    """An opened index with infini-gram's options.

    Attributes:
        engine: how large the index is.
        token_id_max: the largest id that the token type holds.
        token_width: its bytes.
        max_support: accepted; distributions are exact.
        max_clause_freq: accepted; boolean queries are exact.
        max_diff_tokens: what boolean queries use if they are not told otherwise.
        maxnum: how many documents a search gives if it is not told otherwise.
        max_disp_len: how many tokens of a document are shown if it is not told otherwise.
    """

    _default_names: ClassVar[tuple[str, ...]] = (
        "max_support",
        "max_clause_freq",
        "max_diff_tokens",
        "maxnum",
        "max_disp_len",
    )

    def _open(
        self,
        index_dir: object,
        index_dir_diff: object,
        eos_token_id: int,
        vocab_size: int,
        version: int,
        token_dtype: str,
        load_to_ram: bool,
        prefetch_depths: tuple[int, int, int],
        bow_ids_path: str | None,
        precompute_unigram_logprobs: bool,
        previous: Any,
        defaults: tuple[int, int, int, int, int],
        seed: int,
    ) -> None:
        paths, removed_paths = opening.as_list(index_dir), opening.as_list(index_dir_diff)
        opening.check_options(eos_token_id, vocab_size, load_to_ram, prefetch_depths)
        named = dict(zip(self._default_names, defaults, strict=True))
        opening.check_defaults(**named)
        self.max_support, self.max_clause_freq, self.max_diff_tokens, self.maxnum, self.max_disp_len = defaults
        self._eos_token_id = eos_token_id
        self._vocab_size = vocab_size
        self._word_beginnings = opening.read_word_beginnings(bow_ids_path)
        whole = opening.open_source(paths, version, token_dtype, load_to_ram)
        self.token_width = whole.width
        self.token_id_max = whole.separator
        self._log_probabilities = whole.log_probabilities() if precompute_unigram_logprobs else {}
        self._new_directories = [path for path in paths if path not in (previous or {})]
        self._removed = opening.open_source(removed_paths, version, token_dtype, load_to_ram) if removed_paths else None
        self._source: Source = whole if self._removed is None else Subtraction(whole, self._removed)
        self._random = random.Random(seed)
        self.engine = Sizes(self._source)

    # --- what it is

    def get_total_doc_cnt(self) -> int:
        """How many documents the index has."""
        return self._source.num_documents

    def compute_unigram_counts(self, s: int) -> dict[int, int] | ErrorResponse:
        """How often each id below vocab_size, and the separator, stands in a shard."""
        if error := checks.below("s", s, len(self._source.shards)):
            return {"error": error}
        found = self._source.unigrams(s)
        return {token: found.get(token, 0) for token in sorted({*range(self._vocab_size), self._source.separator})}

    def get_new_shards_by_index_dir(self) -> dict[str, list[InfiniGramShard]]:
        """The shards of each directory that was not among `prev_shards_by_index_dir`."""
        return {
            directory: [
                shard for shard in self._source.shards if Path(shard.path).absolute() == Path(directory).absolute()
            ]
            for directory in self._new_directories
        }

    # --- arguments

    def check_query_ids(self, query_ids: object, allow_empty: bool) -> bool:
        """Whether it is a list of token ids."""
        return checks.is_ids(query_ids, self.token_id_max) and (allow_empty or len(query_ids) > 0)  # type: ignore[arg-type]  # it is a list

    def check_cnf(self, cnf: object) -> bool:
        """Whether it is a boolean query."""
        return checks.is_cnf(cnf, self.token_id_max)

    def _check_ids(self, name: str, value: object, kind: str = "list") -> str | None:
        return checks.ids(name, value, self.token_id_max, kind)

    def _check_cnf(self, cnf: object) -> str | None:
        return checks.cnf(cnf, self.token_id_max)

    def _check_rank(self, s: object, rank: object) -> str | None:
        return self._check_shard(s) or checks.below("rank", rank, self._shard(s).stream_length)

    def _check_pointer(self, s: object, ptr: object) -> str | None:
        width = self.token_width
        return self._check_shard(s) or checks.pointer(ptr, self._shard(s).stream_length * width, width)

    def _check_document(self, doc_ix: object) -> str | None:
        return checks.below("doc_ix", doc_ix, self._source.num_documents)

    def _check_shard(self, s: object) -> str | None:
        return checks.below("s", s, len(self._source.shards))

    def _shard(self, s: Any) -> InfiniGramShard:
        shard: InfiniGramShard = self._source.shards[s]
        return shard


def chosen(value: Any, default: int) -> Any:
    """An argument of a query, or what the constructor said."""
    return default if value is None else value


def failed(error: str) -> ErrorResponse:
    """What a method returns for arguments that it does not take."""
    return {"error": error}
