// Runs the built `adadiff` command as its users do, and what the tests expect of every failure.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json_fwd.hpp>

namespace adadiff::testing {

struct Outcome {
  int exit_code = -1;  ///< -1 where a signal ended it
  int signal = 0;
  bool is_too_slow = false;  ///< ended by us
  std::string out, err;
};

struct Surroundings {
  std::string standard_output = {};     ///< a file to write results to; empty: Outcome::out
  bool has_closed_pipe = false;         ///< standard output is a pipe that nobody reads
  bool has_no_standard_output = false;  ///< closed before the program starts
  int signal_after_ms = 0;              ///< SIGINT then; 0: never
  std::vector<std::pair<std::string, std::string>> variables = {};  ///< of the environment
};

/// `adadiff arguments...`, one thread, at most 30 seconds.
Outcome run(const std::vector<std::string>& arguments, const Surroundings& surroundings = {});
/// The same in a copy of this process, without starting the program: for hundreds of runs.
Outcome run_copy(const std::vector<std::string>& arguments);

/// One line on standard error that starts with "adadiff" and holds `part`, nothing on standard
/// output.
::testing::AssertionResult fails(const Outcome& outcome, int exit_code, const std::string& part);
::testing::AssertionResult succeeds(const Outcome& outcome);

/// Keys of a report, at any depth, that the page of the source tree does not have between
/// backticks.
std::string unexplained_keys(const nlohmann::json& report, const std::string& page);

/// A folder that goes with the object.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  /// Names of all files in it, sorted.
  std::vector<std::string> files() const;

 private:
  std::filesystem::path path_;
};

std::string read_bytes(const std::string& path);
void write_bytes(const std::string& path, const std::string& bytes);

}  // namespace adadiff::testing
