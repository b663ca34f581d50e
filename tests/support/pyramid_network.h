// A network that nothing above could mistake for a U-ViT: width and resolution change from block to
// block, later blocks look back on earlier ones, uncertainties come from a script, and everything
// it really runs is counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <adadiff/network.h>

namespace adadiff::test {

/// What a script knows of a row. `tag` is its first input value: rows tell themselves apart by it.
struct ScoreQuestion {
  int exit = 0;
  float tag = 0;
  float time = 0;
  std::int64_t label = -1;
};
using ScoreScript = std::function<float(const ScoreQuestion&)>;

/// Different for each row and exit, spread over [0, 1), the same in every run.
float scattered_score(const ScoreQuestion& question);

/// What ran, in rows; entry k belongs to block k + 1.
struct RanRows {
  std::atomic<std::int64_t> begins = 0, embedded = 0, keeps = 0;
  std::vector<std::atomic<std::int64_t>> blocks, heads, scores;
  explicit RanRows(int count)
      : blocks(static_cast<std::size_t>(count)), heads(blocks.size()), scores(blocks.size()) {}
};

struct PyramidOptions {
  int blocks = 6;
  std::int64_t channels = 2, size = 8;  ///< size: a multiple of 4
  std::int64_t classes = 0, null_label = -1;
  bool has_uncertainty = true;
  bool pads = false;                   ///< its passes take only 1, 2, 4, 8, ... rows
  std::uint8_t skippable = 0;          ///< parts that may be left out; what is left out shows
  std::vector<std::uint8_t> can_exit;  ///< empty: everywhere, exit 0 included
  ScoreScript score = scattered_score;
  std::function<void(int block)>
      on_block;  ///< before each block, from 0: may throw, sleep or ask for a stop
};

class PyramidNetwork final : public Network {
 public:
  explicit PyramidNetwork(PyramidOptions options = {});
  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override;
  std::int64_t padded_rows(std::int64_t rows) const override;

  const PyramidOptions& options() const { return options_; }
  RanRows& ran() const { return *ran_; }

 private:
  PyramidOptions options_;
  NetworkInfo info_;
  std::unique_ptr<RanRows> ran_;
};

}  // namespace adadiff::test
