// What the command writes: results on standard output, notes on standard error, and the check of
// output paths before long work.
#include "cli/terminal/output.h"

#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "cli/terminal/failure.h"
#include "core/check.h"
#include "io/atomic_file.h"

namespace adadiff::cli {
namespace {

namespace fs = std::filesystem;
using detail::raise;
using detail::show;

void require_writable(const std::string& flag, const std::string& path) {
  std::error_code ignored;
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path()
                                                           : fs::path(".");
  if (fs::is_directory(path, ignored))
    raise<FileError>({flag, "name a file", show(path) + " is a folder"});
  if (!fs::is_directory(folder, ignored)) {
    raise<FileError>({flag, "name a file in a folder that exists",
                      show(folder.string()) + " is none", "make the folder first"});
  }
  // A target that is no regular file (a pipe, /dev/null) is written straight into: opening it now
  // could block or end its reader.
  const bool is_special = fs::exists(path, ignored) && !fs::is_regular_file(path, ignored);
  if (!is_special) {
    const detail::AtomicFile trial(path);
  } else if (access(path.c_str(), W_OK) != 0) {
    raise<FileError>(
        {flag, "name a file that can be written", show(path) + " cannot: " + std::strerror(errno)});
  }
}

void require_no_input(const std::string& flag, const std::string& path, const FlagPaths& inputs) {
  for (const auto& [input_flag, input] : inputs) {
    std::error_code ignored;
    const bool is_same = !input.empty() && fs::is_regular_file(path, ignored) &&
                         fs::equivalent(path, input, ignored);
    if (is_same) raise({flag, "name another file than " + input_flag, "both are " + show(path)});
  }
}

}  // namespace

void print_result(const std::string& text) {
  const bool is_written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                          std::fflush(stdout) == 0;
  if (!is_written)
    raise<FileError>(
        {"standard output", "take the result", std::string("failed: ") + std::strerror(errno)});
}

void print_json(const nlohmann::ordered_json& json) {
  print_result(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void print_note(const std::string& verb, const std::string& line) {
  if (line.empty()) return;
  std::fprintf(stderr, "adadiff %s: %s\n", verb.c_str(), first_line(line).c_str());
}

void require_outputs(const FlagPaths& outputs, const FlagPaths& inputs) {
  std::set<fs::path> seen;
  for (const auto& [flag, path] : outputs) {
    if (path.empty()) continue;
    require_no_input(flag, path, inputs);
    require_writable(flag, path);
    std::error_code ignored;
    const bool is_regular = !fs::exists(path, ignored) || fs::is_regular_file(path, ignored);
    if (is_regular && !seen.insert(fs::weakly_canonical(path, ignored)).second) {
      raise({flag, "name a file of its own", show(path) + " is named by another flag too"});
    }
  }
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  char text[400];  // the largest double has 309 digits
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string duration(double milliseconds) {
  const double seconds = milliseconds / 1000;
  if (!(seconds < 1e9)) return "-";
  if (seconds < 1) return fixed(milliseconds, 0) + " ms";
  if (seconds < 60) return fixed(seconds, 1) + " s";
  const long whole = std::lround(seconds);
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

}  // namespace adadiff::cli
