#include <anygram/query/token_bytes.hpp>

#include <algorithm>
#include <numeric>

#include <anygram/base/error.hpp>

namespace anygram {

TokenBytes::TokenBytes(std::vector<std::uint64_t> offsets, std::vector<char> bytes, bool drops_first_byte)
    : offsets_(std::move(offsets)), bytes_(bytes.begin(), bytes.end()), drops_first_byte_(drops_first_byte) {
  const bool ascends = !offsets_.empty() && offsets_.front() == 0 && std::ranges::is_sorted(offsets_);
  if (!ascends || offsets_.back() != bytes_.size()) {
    throw Error(ErrorCode::kInvalidQuery, "the offsets of the tokens' bytes do not ascend from 0 to their number");
  }
  sorted_.resize(num_tokens());
  std::iota(sorted_.begin(), sorted_.end(), Symbol{1});
  std::ranges::sort(sorted_, {}, [&](Symbol symbol) { return of(symbol); });
}

}  // namespace anygram
