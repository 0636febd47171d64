#include <anygram/shard/infini_gram_tokens.hpp>

#include <algorithm>

#include <anygram/base/error.hpp>
#include <anygram/base/little_endian.hpp>
#include <anygram/suffix/token_text.hpp>

namespace anygram {
namespace {

constexpr std::uint32_t kSeparator = ~std::uint32_t{0};  // its lowest bytes

// The number of the document that holds a token.
std::size_t document_of(std::size_t token, std::span<const std::int64_t> lengths) {
  std::size_t document = 0;
  for (std::uint64_t end = 0; document < lengths.size(); ++document) {
    end += static_cast<std::uint64_t>(lengths[document]);
    if (token < end) break;
  }
  return document;
}

}  // namespace

InfiniGramTokens::InfiniGramTokens(const std::string& tokens_path, const std::string& offsets_path, int token_bytes,
                                   bool reversed)
    : tokens_(tokens_path), offsets_(offsets_path), token_bytes_(token_bytes), reversed_(reversed) {
  if (token_bytes != 1 && token_bytes != 2 && token_bytes != 4)
    throw Error(ErrorCode::kInvalidArgument, "a token of infini-gram has 1, 2 or 4 bytes");
}

void InfiniGramTokens::check(std::span<const std::uint32_t> ids, std::span<const std::int64_t> lengths) const {
  std::uint64_t total = 0;
  for (const std::int64_t length : lengths) {
    if (length < 0 || static_cast<std::uint64_t>(length) > ids.size() - total)
      throw Error(ErrorCode::kInvalidArgument, "the documents' lengths do not add up to the tokens");
    total += static_cast<std::uint64_t>(length);
  }
  if (total != ids.size())
    throw Error(ErrorCode::kInvalidArgument, "the documents' lengths do not add up to the tokens");
  const std::uint32_t separator = kSeparator >> (32 - 8 * token_bytes_);
  const auto bad = std::find_if(ids.begin(), ids.end(), [&](std::uint32_t id) { return id >= separator; });
  if (bad == ids.end()) return;
  const std::size_t document = document_of(static_cast<std::size_t>(bad - ids.begin()), lengths);
  throw Error(ErrorCode::kInvalidArgument,
              "document " + std::to_string(num_documents_ + document) + " of the shard has the token id " +
                  std::to_string(*bad) + ", and tokens of " + std::to_string(token_bytes_) + " bytes end at " +
                  std::to_string(separator - 1) + ", since infini-gram separates documents with " +
                  std::to_string(separator) + (token_bytes_ < 4 ? ": choose a wider token_dtype" : ""));
}

template <int Width>
void InfiniGramTokens::pack(std::span<const std::uint32_t> document) {
  constexpr std::size_t kAtOnce = std::size_t{1} << 16;
  packed_.resize(kAtOnce * Width);
  store_symbol<Width>(packed_.data(), kSeparator);
  tokens_.write(std::span(packed_).first(Width));
  for (std::size_t done = 0; done < document.size();) {
    const std::size_t count = std::min(kAtOnce, document.size() - done);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t place = reversed_ ? document.size() - 1 - done - i : done + i;
      store_symbol<Width>(packed_.data() + i * Width, document[place]);
    }
    tokens_.write(std::span(packed_).first(count * Width));
    done += count;
  }
}

void InfiniGramTokens::append(std::span<const std::uint32_t> ids, std::span<const std::int64_t> lengths) {
  check(ids, lengths);
  for (const std::int64_t length : lengths) {
    const std::uint64_t offset = tokens_.size();
    offsets_.write(std::as_bytes(std::span(&offset, 1)));
    const auto document = ids.first(static_cast<std::size_t>(length));
    with_width(token_bytes_, [&]<int Width>() { pack<Width>(document); });
    ids = ids.subspan(document.size());
    ++num_documents_;
  }
}

void InfiniGramTokens::close(bool sync) {
  for (FileWriter* file : {&tokens_, &offsets_}) {
    if (sync) file->sync();
    file->close();
  }
}

}  // namespace anygram
