// The fused exit score against ATen's linear, sigmoid and mean, one thread each. Arguments: D,
// tokens, P, rows.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <vector>

#include "kernels/exit_score.h"

namespace adadiff::kernels {
namespace {

struct Inputs {
  explicit Inputs(const benchmark::State& state)
      : tokens(at::randn({state.range(3), state.range(1), state.range(0)})),
        weight(at::randn({state.range(2), state.range(0)}) * 0.05),
        bias(at::randn({state.range(3), state.range(2)})) {}
  at::Tensor tokens;  // [rows, L, D]
  at::Tensor weight;  // [P, D]
  at::Tensor bias;    // [rows, P]
};

void count_work(benchmark::State& state) {
  const double flops = 2.0 * static_cast<double>(state.range(0) * state.range(1) * state.range(2) *
                                                 state.range(3));
  state.counters["GF/s"] = benchmark::Counter(flops * 1e-9,
                                              benchmark::Counter::kIsIterationInvariantRate);
}

void fused(benchmark::State& state) {
  const Inputs in(state);
  const std::int64_t width = state.range(0), tokens = state.range(1), values = state.range(2),
                     rows = state.range(3);
  std::vector<float> packed(static_cast<std::size_t>(packed_exit_weight_size(values, width))),
      out(static_cast<std::size_t>(rows));
  if (pack_exit_weight(in.weight.const_data_ptr<float>(), values, width, packed.data()) !=
      Status::Ok) {
    return state.SkipWithError("pack_exit_weight refused its arguments");
  }
  const ExitScore score{.tokens = in.tokens.const_data_ptr<float>(),
                        .rows = rows,
                        .tokens_per_row = tokens,
                        .width = width,
                        .row_stride = tokens * width,
                        .token_stride = width,
                        .values = values,
                        .weight = packed.data(),
                        .bias = in.bias.const_data_ptr<float>(),
                        .bias_stride = values,
                        .out = out.data()};
  for (auto _ : state) {
    if (exit_score(score) != Status::Ok) state.SkipWithError("exit_score refused its arguments");
    benchmark::DoNotOptimize(out.data());
  }
  count_work(state);
}

/// The cheapest form in ATen: the bias is added in place, so is the sigmoid.
void aten(benchmark::State& state) {
  const c10::InferenceMode inference;
  const Inputs in(state);
  at::set_num_threads(1);
  const at::Tensor bias = in.bias.unsqueeze(1);
  for (auto _ : state) {
    at::Tensor logits = at::linear(in.tokens, in.weight);
    benchmark::DoNotOptimize(logits.add_(bias).sigmoid_().mean({1, 2}).const_data_ptr<float>());
  }
  count_work(state);
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgsProduct({{128, 512}, {49, 64, 256}, {16, 48, 1}, {1, 8, 64}})
      ->ArgNames({"D", "L", "P", "rows"})
      ->MinTime(0.05);
}

BENCHMARK(fused)->Apply(sizes);
BENCHMARK(aten)->Apply(sizes);

}  // namespace
}  // namespace adadiff::kernels
