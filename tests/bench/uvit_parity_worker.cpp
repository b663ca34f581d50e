// Our side of uvit_parity.py: times full-depth forwards on request, so that the other side can
// interleave its own. Arguments: MODEL THREADS. Reads lines "ROWS ITERATIONS" and answers each with
// the iterations' milliseconds on one line.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "models/model_file.h"
#include "networks/label_table.h"

namespace {

using adadiff::ForwardPass;
using adadiff::NetworkInfo;

/// A pass over a fixed batch of random inputs.
struct Work {
  Work(const adadiff::Network& network, std::int64_t rows)
      : x(at::randn({rows, network.info().channels, network.info().height, network.info().width})),
        time(at::rand({rows}) * 1000),
        labels(network.info().classes > 0 ? at::zeros({rows}, at::kLong) : at::Tensor()),
        every(at::arange(rows, at::kLong)),
        out(at::empty_like(x)),
        table(network.info()),
        pass(network.new_pass({.capacity = rows})) {}

  void run(int blocks) {
    pass->begin({x, time, labels, table.table()});
    for (int block = 0; block < blocks; ++block) pass->run_block(0);
    pass->predict(every, every, out);
  }

  at::Tensor x, time, labels, every, out;
  adadiff::detail::LabelTable table;
  std::unique_ptr<ForwardPass> pass;
};

double milliseconds_of(Work& work, int blocks) {
  const auto start = std::chrono::steady_clock::now();
  work.run(blocks);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

void serve(const adadiff::Network& network) {
  const int blocks = network.info().blocks;
  std::map<std::int64_t, std::unique_ptr<Work>> works;
  std::int64_t rows = 0;
  for (int iterations = 0; std::cin >> rows >> iterations;) {
    auto& work = works[rows];
    if (!work) work = std::make_unique<Work>(network, rows);
    work->run(blocks);  // brings caches and threads back after the other side's turn
    for (int i = 0; i < iterations; ++i) std::cout << milliseconds_of(*work, blocks) << ' ';
    std::cout << std::endl;
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: uvit_parity_worker MODEL THREADS\n";
    return 2;
  }
  try {
    const at::InferenceMode guard;
    at::set_num_threads(std::stoi(arguments[2]));
    serve(*adadiff::detail::read_model(arguments[1]).network);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
