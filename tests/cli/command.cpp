// Runs the built `adadiff` command as its users do, and what the tests expect of every failure.
#include "cli/command.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>

#include "cli/run_command.h"

namespace adadiff::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kLongest{30};

// A copy of a process that already has OpenMP threads would wait for them forever.
const bool has_one_thread = [] {
  at::set_num_threads(1);
  return true;
}();

void redirect(int to, int from) {
  if (dup2(to, from) < 0) _exit(126);
}

int closed_pipe() {
  int ends[2];
  if (pipe(ends) != 0) _exit(126);
  close(ends[0]);
  return ends[1];
}

void surround(const Surroundings& surroundings, const std::string& folder) {
  const std::string out = surroundings.standard_output.empty() ? folder + "/out"
                                                               : surroundings.standard_output;
  redirect(open("/dev/null", O_RDONLY), STDIN_FILENO);
  redirect(
      surroundings.has_closed_pipe ? closed_pipe() : open(out.c_str(), O_WRONLY | O_CREAT, 0600),
      STDOUT_FILENO);
  redirect(open((folder + "/err").c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
  if (surroundings.has_no_standard_output) close(STDOUT_FILENO);
  signal(SIGINT, SIG_DFL);  // shells let programs in the background ignore it
  setenv("OMP_NUM_THREADS", "1", 1);
  unsetenv("GOMP_SPINCOUNT");
  unsetenv("OMP_WAIT_POLICY");
  for (const auto& [name, value] : surroundings.variables) setenv(name.c_str(), value.c_str(), 1);
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void become_program(std::vector<std::string> words) {
  execv(ADADIFF_COMMAND, pointers_to(words).data());
  _exit(127);
}

[[noreturn]] void become_copy(std::vector<std::string> words) {
  const int code = cli::run_command(static_cast<int>(words.size()), pointers_to(words).data());
  std::fflush(nullptr);
  _exit(code);
}

void wait_for(pid_t child, int signal_after_ms, Outcome& outcome) {
  const auto start = Clock::now();
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    const auto spent = Clock::now() - start;
    if (signal_after_ms > 0 && spent > std::chrono::milliseconds(signal_after_ms)) {
      kill(child, SIGINT);
      signal_after_ms = 0;
    }
    if (!outcome.is_too_slow && spent > kLongest) {
      outcome.is_too_slow = true;
      kill(child, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
}

std::string describe(const Outcome& outcome) {
  std::ostringstream text;
  text << "exit code " << outcome.exit_code << ", signal " << outcome.signal
       << (outcome.is_too_slow ? ", too slow" : "") << "\nout: " << outcome.out
       << "\nerr: " << outcome.err;
  return text.str();
}

Outcome run_as(void (*become)(std::vector<std::string>), const std::vector<std::string>& arguments,
               const Surroundings& surroundings) {
  const ScratchFolder folder;
  Outcome outcome;
  std::vector<std::string> words{std::string(ADADIFF_COMMAND)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::fflush(nullptr);  // or the copy would write it again
  const pid_t child = fork();
  if (child == 0) {
    surround(surroundings, folder / ".");
    become(words);
  }
  wait_for(child, surroundings.signal_after_ms, outcome);
  outcome.err = read_bytes(folder / "err");
  if (surroundings.standard_output.empty() && !surroundings.has_closed_pipe)
    outcome.out = read_bytes(folder / "out");
  return outcome;
}

}  // namespace

Outcome run(const std::vector<std::string>& arguments, const Surroundings& surroundings) {
  return run_as(become_program, arguments, surroundings);
}

Outcome run_copy(const std::vector<std::string>& arguments) {
  return run_as(become_copy, arguments, {});
}

::testing::AssertionResult fails(const Outcome& outcome, int exit_code, const std::string& part) {
  const bool is_one_line = std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1 &&
                           outcome.err.back() == '\n';
  const bool is_right = outcome.exit_code == exit_code && is_one_line &&
                        outcome.err.rfind("adadiff", 0) == 0 && outcome.out.empty() &&
                        outcome.err.find(part) != std::string::npos;
  return is_right ? ::testing::AssertionSuccess()
                  : ::testing::AssertionFailure() << describe(outcome) << "expected: " << part;
}

::testing::AssertionResult succeeds(const Outcome& outcome) {
  return outcome.exit_code == 0 ? ::testing::AssertionSuccess()
                                : ::testing::AssertionFailure() << describe(outcome);
}

std::string unexplained_keys(const nlohmann::json& report, const std::string& page) {
  static const std::string kSource = ADADIFF_SOURCE_DIR "/";
  const std::string text = read_bytes(kSource + page);
  std::string unexplained;
  for (const auto& [key, value] : report.items()) {
    const bool is_key = report.is_object();
    if (is_key && text.find("`" + key + "`") == std::string::npos) unexplained += key + " ";
    if (value.is_structured()) unexplained += unexplained_keys(value, page);
  }
  return unexplained;
}

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "adadiff-cli-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder");
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> ScratchFolder::files() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace adadiff::testing
