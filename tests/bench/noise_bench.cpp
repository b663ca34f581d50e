// Normals by Philox against ATen's normal_, one thread each. Argument: how many.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/noise.h"

namespace adadiff::kernels {
namespace {

void philox_normals(benchmark::State& state) {
  std::vector<float> out(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    if (fill_normal({.seed = 1}, out.data(), state.range(0)) != Status::Ok)
      state.SkipWithError("fill_normal refused its arguments");
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void aten_normals(benchmark::State& state) {
  at::set_num_threads(1);
  at::Tensor out = at::empty({state.range(0)});
  for (auto _ : state) benchmark::DoNotOptimize(out.normal_().const_data_ptr<float>());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(philox_normals)->Arg(784)->Arg(1 << 18);
BENCHMARK(aten_normals)->Arg(784)->Arg(1 << 18);

}  // namespace
}  // namespace adadiff::kernels
