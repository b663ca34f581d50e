// The verbs of the `adadiff` command. Each adds its flags to a subcommand and gives back what to do
// once they are parsed.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace adadiff::cli {

/// Does the verb's work; failures are thrown.
using Action = std::function<void()>;

Action add_sample(CLI::App& verb);
Action add_train(CLI::App& verb);
Action add_evaluate(CLI::App& verb);
Action add_train_classifier(CLI::App& verb);
Action add_tune(CLI::App& verb);
Action add_info(CLI::App& verb);
Action add_forward(CLI::App& verb);
Action add_convert(CLI::App& verb);

}  // namespace adadiff::cli
