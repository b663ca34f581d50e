// Plain loops row by row: a row's numbers cannot depend on its batch.
#include "support/pyramid_network.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>

namespace adadiff::test {
namespace {

using Row = std::vector<float>;

/// Shape of a row's features after a block.
struct Level {
  std::int64_t width, size;
};

Level level_after(int block, std::int64_t image_size) {
  constexpr std::int64_t kWidths[] = {3, 5, 2, 7, 4};
  constexpr std::int64_t kShrink[] = {1, 2, 4, 2, 1};
  return {kWidths[block % 5], image_size / kShrink[block % 5]};
}

/// A fixed weight in (-1, 1).
float weight(int block, std::int64_t to, std::int64_t from) {
  return static_cast<float>(std::sin(1.7 * block + 2.3 * static_cast<double>(to) +
                                     0.9 * static_cast<double>(from) + 0.4));
}

struct RowState {
  Row x;
  Row features;
  Level level{0, 0};
  Row first;  ///< after block 1, read by every third block
  float time = 0, tag = 0;
  std::int64_t label = -1;
};

/// Value of a feature map at a place of a map of another size.
float resampled(const Row& features, const Level& level, std::int64_t channel, std::int64_t y,
                std::int64_t x, std::int64_t size) {
  const std::int64_t from_y = y * level.size / size, from_x = x * level.size / size;
  return features[static_cast<std::size_t>((channel * level.size + from_y) * level.size + from_x)];
}

float conditioning(const RowState& row, int block) {
  return 0.3f * std::sin(row.time * 0.01f + static_cast<float>(block)) +
         0.05f * static_cast<float>(row.label);
}

void run_block(RowState& row, int block, std::int64_t image_size, std::uint8_t left_out) {
  const Level next = level_after(block, image_size);
  Row features(static_cast<std::size_t>(next.width * next.size * next.size));
  std::size_t at = 0;
  for (std::int64_t channel = 0; channel < next.width; ++channel) {
    for (std::int64_t y = 0; y < next.size; ++y) {
      for (std::int64_t x = 0; x < next.size; ++x) {
        float sum = conditioning(row, block) + 0.1f * static_cast<float>(left_out);
        for (std::int64_t from = 0; from < row.level.width; ++from) {
          sum += weight(block, channel, from) *
                 resampled(row.features, row.level, from, y, x, next.size);
        }
        if (block % 3 == 2)
          sum += 0.5f *
                 resampled(row.first, level_after(0, image_size), channel % 3, y, x, next.size);
        features[at++] = std::tanh(sum);
      }
    }
  }
  row.features = std::move(features);
  row.level = next;
  if (block == 0) row.first = row.features;
}

class PyramidPass final : public ForwardPass {
 public:
  PyramidPass(const PyramidNetwork& network, std::int64_t capacity)
      : network_(network), capacity_(capacity) {}

  void begin(const PassInputs& inputs) override {
    const PyramidOptions& options = network_.options();
    check_rows(inputs.x.size(0));
    live_ = inputs.live < 0 ? inputs.x.size(0) : inputs.live;
    rows_.assign(static_cast<std::size_t>(inputs.x.size(0)), {});
    depth_ = 0;
    const at::Tensor x = inputs.x.contiguous();
    const auto values = options.channels * options.size * options.size;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const float* first = x.data_ptr<float>() + static_cast<std::int64_t>(i) * values;
      rows_[i].x.assign(first, first + values);
      rows_[i].features = rows_[i].x;
      rows_[i].level = {options.channels, options.size};
      rows_[i].tag = first[0];
      rows_[i].time = inputs.time.data_ptr<float>()[i];
      if (options.classes > 0) rows_[i].label = label_of(inputs, i);
    }
    ++network_.ran().begins;
    network_.ran().embedded += live_;
  }

  void run_block(std::uint8_t left_out) override {
    if ((left_out & ~network_.options().skippable) != 0)
      throw std::logic_error("a part that cannot be left out");
    if (network_.options().on_block) network_.options().on_block(depth_);
    for (RowState& row : rows_) test::run_block(row, depth_, network_.options().size, left_out);
    network_.ran().blocks[static_cast<std::size_t>(depth_)] += live_;
    ++depth_;
  }

  void score(const ScoreSink& sink) const override {
    if (sink.out.numel() != std::ssize(rows_))
      throw std::logic_error("one score per row still in the pass");
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      sink.out.data_ptr<float>()[i] = network_.options().score(
          {depth_, rows_[i].tag, rows_[i].time, rows_[i].label});
    }
    network_.ran().scores[static_cast<std::size_t>(depth_ - 1)] += live_;
  }

  void predict(const at::Tensor& rows, const at::Tensor& slots,
               const at::Tensor& out) const override {
    for (std::int64_t i = 0; i < rows.numel(); ++i) {
      write_prediction(rows_.at(static_cast<std::size_t>(rows.data_ptr<std::int64_t>()[i])),
                       out.select(0, slots.data_ptr<std::int64_t>()[i]).data_ptr<float>());
    }
    network_.ran().heads[static_cast<std::size_t>(depth_ - 1)] += rows.numel();
  }

  void keep(const at::Tensor& rows, std::int64_t live) override {
    check_rows(rows.numel());
    live_ = live < 0 ? rows.numel() : live;
    std::vector<RowState> kept;
    for (std::int64_t i = 0; i < rows.numel(); ++i)
      kept.push_back(rows_.at(static_cast<std::size_t>(rows.data_ptr<std::int64_t>()[i])));
    rows_ = std::move(kept);
    ++network_.ran().keeps;
  }

 private:
  void check_rows(std::int64_t rows) const {
    if (rows > capacity_) throw std::logic_error("more rows than the pass was made for");
    if (network_.padded_rows(rows) != rows) throw std::logic_error("rows that are not padded");
  }

  static std::int64_t label_of(const PassInputs& inputs, std::size_t row) {
    const std::int64_t entry = inputs.entries.data_ptr<std::int64_t>()[row];
    return inputs.conditions.labels->data_ptr<std::int64_t>()[entry];
  }

  void write_prediction(const RowState& row, float* out) const {
    const PyramidOptions& options = network_.options();
    for (std::int64_t channel = 0; channel < options.channels; ++channel) {
      for (std::int64_t y = 0; y < options.size; ++y) {
        for (std::int64_t x = 0; x < options.size; ++x) {
          const float feature = resampled(row.features, row.level,
                                          (channel + depth_) % row.level.width, y, x, options.size);
          *out++ = feature + 0.1f * row.x[static_cast<std::size_t>(
                                        (channel * options.size + y) * options.size + x)];
        }
      }
    }
  }

  const PyramidNetwork& network_;
  std::int64_t capacity_, live_ = 0;
  std::vector<RowState> rows_;
  int depth_ = 0;
};

NetworkInfo describe(const PyramidOptions& options) {
  NetworkInfo info;
  info.kind = "pyramid";
  info.blocks = options.blocks;
  info.channels = options.channels;
  info.height = info.width = options.size;
  info.classes = options.classes;
  info.null_label = options.null_label;
  info.can_exit = options.can_exit;
  if (info.can_exit.empty()) info.can_exit.assign(static_cast<std::size_t>(options.blocks), 1);
  info.has_uncertainty = options.has_uncertainty;
  info.skippable = options.skippable;
  info.cost.embed = 10;
  for (int k = 0; k < options.blocks; ++k) {
    info.cost.block.push_back(100 + k);
    info.cost.head.push_back(20 + k);
    info.cost.score.push_back(options.has_uncertainty ? 3 + k : 0);
    info.cost.attention.push_back(40 + k);
    info.cost.mlp.push_back(50);
  }
  return info;
}

}  // namespace

float scattered_score(const ScoreQuestion& question) {
  std::uint32_t bits = 0, time = 0;
  std::memcpy(&bits, &question.tag, sizeof(bits));
  std::memcpy(&time, &question.time, sizeof(time));
  std::uint32_t hash = 2166136261u;
  for (const std::uint32_t part : {bits, time, static_cast<std::uint32_t>(question.exit),
                                   static_cast<std::uint32_t>(question.label)}) {
    hash = (hash ^ part) * 16777619u;
    hash ^= hash >> 15;
  }
  hash = (hash ^ (hash >> 13)) * 0x85ebca6bu;
  return static_cast<float>((hash ^ (hash >> 16)) >> 8) / static_cast<float>(1 << 24);
}

PyramidNetwork::PyramidNetwork(PyramidOptions options)
    : options_(std::move(options)),
      info_(describe(options_)),
      ran_(std::make_unique<RanRows>(options_.blocks)) {}

std::unique_ptr<ForwardPass> PyramidNetwork::new_pass(const PassOptions& options) const {
  return std::make_unique<PyramidPass>(*this, options.capacity);
}

std::int64_t PyramidNetwork::padded_rows(std::int64_t rows) const {
  return options_.pads ? static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(rows)))
                       : rows;
}

}  // namespace adadiff::test
