// How files that are not as they should be are reported.
#pragma once

#include <cstdint>
#include <string>

#include <anygram/base/error.hpp>

namespace anygram {

// One thing that is wrong in a file: where, in bytes from its begin, and what was expected and found there.
struct SectionProblem {
  std::string path;
  std::uint64_t offset = 0;
  std::string expected;
  std::string found;
  friend bool operator==(const SectionProblem&, const SectionProblem&) = default;
};

// The same as an exception. Its message says all of the problem, and what to do next.
class FormatError : public Error {
 public:
  FormatError(ErrorCode code, SectionProblem problem);
  const SectionProblem& problem() const { return problem_; }

 private:
  SectionProblem problem_;
};

}  // namespace anygram
