// Picks the verb, and turns every failure into one line on standard error and an exit code.
#include "cli/run_command.h"

#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/flags.h"
#include "cli/terminal/failure.h"
#include "cli/terminal/output.h"
#include "cli/verbs/verbs.h"
#include "core/check.h"
#include "core/names.h"

namespace adadiff::cli {
namespace {

struct Verb {
  const char* name;
  const char* summary;
  Action (*add)(CLI::App&);
};

constexpr Verb kVerbs[] = {
    {"sample", "Draw images, each leaving the network at its own depth", add_sample},
    {"train", "Train a network with early exits on 8-bit images", add_train},
    {"evaluate", "Measure a model's images, against real ones and against full depth",
     add_evaluate},
    {"train-classifier", "Train the classifier that evaluate sees images with",
     add_train_classifier},
    {"tune",
     "Find the steps and the threshold that come nearest to many full steps within a budget",
     add_tune},
    {"info", "Tell what a model file holds", add_info},
    {"forward", "Run one evaluation of the network on given numbers", add_forward},
    {"convert", "Turn a foreign checkpoint into a model file, or back", add_convert},
};

struct Command {
  CLI::App* app = nullptr;
  Action action;
};

int fail(const std::string& verb, const Failure& failure) {
  std::fprintf(stderr, "adadiff%s%s: %s\n", verb.empty() ? "" : " ", verb.c_str(),
               failure.line.c_str());
  return failure.exit_code;
}

// Empty unless the first word is a verb.
std::string verb_of(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  return detail::find_named(kVerbs, word) != nullptr ? word : std::string();
}

// Exit code, or -1 to go on. Help and version are results; everything else is bad usage.
int parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return -1;
  } catch (const CLI::Success& request) {
    std::ostringstream text;
    const int code = app.exit(request, text, text);
    print_result(text.str());
    return code;
  } catch (const CLI::ParseError& error) {
    const std::string verb = verb_of(argc, argv);
    const std::string help = "adadiff " + (verb.empty() ? "" : verb + " ") + "--help";
    const std::string text = first_line(error.what());
    const bool is_ours = text.find(": must ") != std::string::npos;
    return fail(verb, {kBadUsage, (is_ours ? text : "command line: " + text) + "; see " + help});
  }
}

// CLI11 would only say that a subcommand is required.
void require_known_verb(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  if (word.empty() || word[0] == '-' || !verb_of(argc, argv).empty()) return;
  detail::raise({"verb", "be one of those in adadiff --help", "is " + detail::show(word)});
}

// An empty word is a variable that was not set in the caller's shell, never what was meant.
void require_words(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::string before = i > 1 ? detail::show(std::string(argv[i - 1])) : "adadiff";
    if (word.empty())
      detail::raise(
          {"argument " + detail::show(i), "not be empty", "the one after " + before + " is"});
    if (word.starts_with("--") && word.ends_with("="))
      detail::raise({word.substr(0, word.size() - 1), "have a value", "has none"});
  }
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{
      "Diffusion sampling in which each sample leaves the network as soon as it is sure.\n"
      "Results go to standard output, everything else to standard error. Exit code 0: done, 1: "
      "failed, 2: bad usage.",
      "adadiff"};
  app.set_version_flag("--version", ADADIFF_VERSION);
  app.require_subcommand(1);
  std::vector<Command> commands;
  for (const Verb& verb : kVerbs) {
    CLI::App* added = app.add_subcommand(verb.name, verb.summary);
    commands.push_back({added, verb.add(*added)});
  }
  require_words(argc, argv);
  require_known_verb(argc, argv);
  if (const int code = parse(app, argc, argv); code >= 0) return code;
  for (const Command& command : commands) {
    if (!command.app->parsed()) continue;
    check_files(*command.app);
    command.action();
  }
  return 0;
}

}  // namespace

int run_command(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (...) {
    return fail(verb_of(argc, argv), describe_current_exception());
  }
}

}  // namespace adadiff::cli
