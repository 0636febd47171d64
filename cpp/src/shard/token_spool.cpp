#include <anygram/shard/token_spool.hpp>

#include <unistd.h>

#include <algorithm>

#include <anygram/base/error.hpp>
#include <anygram/base/little_endian.hpp>
#include <anygram/storage/files.hpp>
#include <anygram/suffix/token_text.hpp>

namespace anygram {
namespace {

using DocumentLength = std::uint32_t;

constexpr std::size_t kReadSymbols = std::size_t{1} << 20;

}  // namespace

TokenSpool::TokenSpool(const std::string& folder, int width)
    : stream_path_(join_path(folder, "tokens.spool")),
      lengths_path_(join_path(folder, "lengths.spool")),
      width_(width),
      stream_writer_(stream_path_),
      lengths_writer_(lengths_path_) {}

TokenSpool::~TokenSpool() {
  ::unlink(stream_path_.c_str());
  ::unlink(lengths_path_.c_str());
}

void TokenSpool::append(std::span<const std::uint32_t> tokens, std::span<const std::int64_t> lengths) {
  const std::uint64_t largest = width_ == 4 ? 0xFFFFFFFEU : (std::uint64_t{1} << (8 * width_)) - 2;
  packed_.resize((tokens.size() + lengths.size()) * static_cast<std::size_t>(width_));
  std::byte* next = packed_.data();
  std::size_t used = 0;
  for (const std::int64_t length : lengths) {
    if (length < 0 || static_cast<std::uint64_t>(length) > tokens.size() - used) {
      throw Error(ErrorCode::kInvalidArgument, "the documents' lengths do not add up to the number of tokens");
    }
    if (static_cast<std::uint64_t>(length) >= kMaxStreamLength) {
      throw Error(ErrorCode::kLimit,
                  "a document of " + std::to_string(length) + " tokens is longer than a shard can hold; split it");
    }
    const auto document = tokens.subspan(used, static_cast<std::size_t>(length));
    used += document.size();
    for (const std::uint32_t token : document) {
      if (token > largest) {
        throw Error(ErrorCode::kInvalidArgument, "token id " + std::to_string(token) + " is larger than " +
                                                     std::to_string(largest) + ", the largest of this vocabulary");
      }
      max_symbol_ = std::max<std::uint64_t>(max_symbol_, std::uint64_t{token} + 1);
    }
    with_width(width_, [&]<int Width>() {
      for (const std::uint32_t token : document) {
        store_symbol<Width>(next, token + 1);
        next += Width;
      }
      store_symbol<Width>(next, kDocumentEnd);
      next += Width;
    });
  }
  if (used != tokens.size()) {
    throw Error(ErrorCode::kInvalidArgument, "the documents' lengths do not add up to the number of tokens");
  }
  stream_writer_.write(packed_);
  packed_.resize(lengths.size() * sizeof(DocumentLength));
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    store(packed_.data() + i * sizeof(DocumentLength), static_cast<DocumentLength>(lengths[i]));
  }
  lengths_writer_.write(packed_);
  num_tokens_ += tokens.size();
  num_documents_ += lengths.size();
}

void TokenSpool::close() {
  stream_writer_.close();
  lengths_writer_.close();
  stream_ = MappedFile(stream_path_);
  lengths_ = MappedFile(lengths_path_);
}

std::uint64_t TokenSpool::document_length(std::uint64_t document) const {
  return load<DocumentLength>(lengths_.bytes().data() + document * sizeof(DocumentLength));
}

std::vector<DocumentRun> TokenSpool::cut(std::uint64_t num_shards, std::uint64_t max_stream_length) const {
  const auto fits = [&](const DocumentRun& run) { return run.stream_length() <= max_stream_length; };
  const std::uint64_t stream_length = num_tokens_ + num_documents_;
  const std::uint64_t least = (stream_length + max_stream_length - 1) / max_stream_length;
  for (std::uint64_t shards = std::min(num_documents_, num_shards != 0 ? num_shards : least);; ++shards) {
    std::vector<DocumentRun> runs = cut_evenly(shards);
    if (std::ranges::all_of(runs, fits)) return runs;
    if (num_shards != 0 || shards >= num_documents_) {
      throw Error(ErrorCode::kLimit, std::to_string(shards) + " shards of at most " +
                                         std::to_string(max_stream_length) + " tokens and document ends do not hold " +
                                         std::to_string(num_tokens_) + " tokens in " + std::to_string(num_documents_) +
                                         " documents; ask for more shards, or split long documents");
    }
  }
}

std::vector<DocumentRun> TokenSpool::cut_evenly(std::uint64_t num_shards) const {
  std::vector<DocumentRun> runs;
  DocumentRun run;
  std::uint64_t tokens = 0;
  for (std::uint64_t document = 0; document < num_documents_; ++document) {
    const std::uint64_t length = document_length(document);
    tokens += length;
    run.num_tokens += length;
    ++run.num_documents;
    const std::uint64_t shards_left = num_shards - runs.size() - 1;
    const std::uint64_t documents_left = num_documents_ - document - 1;
    // The cut comes where the shards so far have their share, but leaves a document for each shard that follows.
    const bool has_share = static_cast<double>(tokens) * static_cast<double>(num_shards) >=
                           static_cast<double>(num_tokens_) * static_cast<double>(runs.size() + 1);
    if (shards_left == 0 || (documents_left > shards_left && !has_share)) continue;
    runs.push_back(run);
    run = {.first_document = document + 1, .stream_begin = run.stream_begin + run.stream_length()};
  }
  if (run.num_documents > 0) runs.push_back(run);
  return runs;
}

void TokenSpool::read_symbols(const DocumentRun& run,
                              const std::function<void(std::span<const Symbol>)>& receive) const {
  std::vector<Symbol> symbols;
  with_width(width_, [&]<int Width>() {
    const std::byte* bytes = stream_.bytes().data() + run.stream_begin * Width;
    for (std::uint64_t done = 0; done < run.stream_length(); done += symbols.size()) {
      symbols.resize(std::min<std::uint64_t>(kReadSymbols, run.stream_length() - done));
      for (std::size_t i = 0; i < symbols.size(); ++i) symbols[i] = load_symbol<Width>(bytes + (done + i) * Width);
      receive(symbols);
    }
  });
}

}  // namespace anygram
