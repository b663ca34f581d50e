// The flags of `adadiff train`, and the options they amount to.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include <adadiff/training.h>

#include "cli/data_files.h"

namespace CLI {
class App;
}

namespace adadiff::cli {

struct TrainFlags {
  // Files.
  std::string data = kFashionMnist;
  std::string images, labels, conditions;
  std::string from;
  bool no_labels = false;
  std::string output, checkpoint, log;
  std::int64_t checkpoint_every = 500;
  bool resume = false;
  // Options: a recipe, a loss mode over it, single values over both, as JSON under the names that a
  // recipe has.
  std::string recipe, network, loss;
  nlohmann::ordered_json values = nlohmann::ordered_json::object();
  // This call.
  std::string device = "cpu";
  double minutes = 0;
  std::int64_t threads = 0;
  bool json = false;
};

void add_flags(CLI::App& verb, TrainFlags& flags);
/// Reads recipe and network files. Throws InvalidArgument, FileError.
TrainingOptions make_options(const TrainFlags& flags);

}  // namespace adadiff::cli
