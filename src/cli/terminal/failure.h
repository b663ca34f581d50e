// Turns whatever was thrown into one line and an exit code.
#pragma once

#include <stdexcept>
#include <string>

namespace adadiff::cli {

inline constexpr int kFailed = 1;    ///< the work could not be done
inline constexpr int kBadUsage = 2;  ///< flags, plan or labels that cannot be meant

/// Ctrl-C or SIGTERM ended the work.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Failure {
  int exit_code = kFailed;
  std::string line;  ///< without line break or control characters
};

/// To be called in a catch block.
Failure describe_current_exception();
/// A text as one line of at most a thousand bytes: control characters replaced by spaces, the
/// middle of a longer one left out.
std::string one_line(const std::string& text);
/// The same of a text's first line only, for messages of libraries that go on with stacks.
std::string first_line(const std::string& text);

}  // namespace adadiff::cli
