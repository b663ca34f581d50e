// Lets OpenMP's threads sleep soon where they wait for each other. By default they spin for
// milliseconds first, which is quick on an idle machine only: where other work needs the cores too,
// a thread that spins keeps the one it waits for from running, and sampling takes many times as
// long. A thousand turns, some microseconds, cost nothing where the machine is idle
// (docs/results.md has both measured).
//
// libgomp reads its settings from the environment when it is loaded, which is before main(). So the
// command starts itself again with the setting in place. It does so from .preinit_array, which runs
// before any library is initialised, when that costs a few milliseconds. The C library is not
// initialised then either: environ is not set, and nothing may be allocated. A tool that follows
// one program only (valgrind) sees the second start as another program; with GOMP_SPINCOUNT or
// OMP_WAIT_POLICY set there is none.
#include <array>
#include <cstddef>
#include <string_view>

#include <sys/auxv.h>
#include <unistd.h>

namespace {

constexpr std::size_t kMostVariables = 4096;
char short_spin[] = "GOMP_SPINCOUNT=1000";

bool is_users_choice(std::string_view variable) {
  return variable.starts_with("GOMP_SPINCOUNT=") || variable.starts_with("OMP_WAIT_POLICY=");
}

/// Returns where there is nothing to do, and where starting again is impossible.
void start_again_with_passive_threads(int, char** arguments, char** environment) {
  const bool is_loaders_argument = ::getauxval(AT_BASE) ==
                                   0;  // as in `ld.so adadiff`, which would have to be started in
                                       // the program's place
  const bool has_raised_privileges = ::getauxval(AT_SECURE) !=
                                     0;  // a path must not decide what runs with them
  if (is_loaders_argument || has_raised_privileges) return;
  static std::array<char*, kMostVariables + 2> extended{};
  std::size_t count = 0;
  for (; environment[count] != nullptr; ++count) {
    if (count == kMostVariables || is_users_choice(environment[count])) return;
    extended[count] = environment[count];
  }
  extended[count] = short_spin;
  const auto* path = reinterpret_cast<const char*>(
      ::getauxval(AT_EXECFN));  // keeps the program's name, unlike /proc/self/exe
  if (path != nullptr) ::execve(path, arguments, extended.data());
}

}  // namespace

[[gnu::section(".preinit_array"),
  gnu::used]] static void (*const before_libraries)(int, char**,
                                                    char**) = start_again_with_passive_threads;
