// The forward computation of a UNet, block by block.
#include "networks/unet/unet.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include "core/check.h"
#include "networks/label_table.h"
#include "networks/unet/unet_layout.h"

namespace adadiff::detail {
namespace {

at::Tensor mlp(const Linear& in, const Linear& out, const at::Tensor& x) {
  return apply(out, at::silu(apply(in, x)));
}

/// The condition's vector of each row, [R, P].
at::Tensor row_vectors(const PassInputs& inputs) {
  return inputs.conditions.pooled->index_select(0, inputs.entries);
}

}  // namespace

UNet::UNet(const UNetConfig& config, NetworkSettings settings)
    : config_(config),
      shapes_(block_shapes(config)),
      parameters_(make_parameters(config, shapes_)),
      info_(describe(config, std::move(settings))) {}

UNetFeatures UNet::embed(const PassInputs& inputs) const {
  const auto& p = parameters_;
  const at::ScalarType type = p.stem.weight.scalar_type();
  at::Tensor frequencies = sinusoid(inputs.time, config_.width, config_.frequency_shift).to(type);
  if (config_.sine_first) {
    const std::int64_t half = config_.width / 2;
    frequencies = at::cat({frequencies.narrow(1, half, half), frequencies.narrow(1, 0, half)}, 1);
  }
  const at::Tensor time = mlp(p.time_in, p.time_out, frequencies);  // [R, E]
  at::Tensor all = time;
  if (config_.label_rows > 0) all = all + at::embedding(p.label_emb, row_labels(inputs));
  if (config_.pooled_width > 0) all = all + mlp(p.pooled_in, p.pooled_out, row_vectors(inputs));
  const at::Tensor x = config_.centers_input ? 2 * inputs.x - 1 : inputs.x;
  return {apply(p.stem, x), at::silu(all), time};
}

at::Tensor UNet::run_block(const UNetBlock& block, const at::Tensor& features,
                           const at::Tensor& skip, const at::Tensor& embedding) const {
  at::Tensor x = skip.defined() ? at::cat({features, skip}, 1) : features;
  for (const UNetLayer& layer : block) x = apply(layer, x, embedding);
  return x;
}

const UNetHead& UNet::head_of(std::int64_t block) const {
  if (block + 1 == config_.blocks()) return parameters_.head;
  if (!parameters_.exit_heads.empty())
    return parameters_.exit_heads[static_cast<std::size_t>(block)];
  raise({"ForwardPass.predict", "follow all " + show(config_.blocks()) + " blocks",
         "follows " + show(block + 1) + ", where this UNet has no head", "train exits first"});
}

at::Tensor UNet::predict(std::int64_t block, const at::Tensor& features,
                         const at::Tensor& stem) const {
  const UNetHead& head = head_of(block);
  const at::Tensor x = at::silu(
      apply(head.norm, features.to(parameters_.stem.weight.scalar_type())));
  if (!head.expand.weight.defined()) return apply(head.conv, x);
  const auto& shape = shapes_[static_cast<std::size_t>(block)];
  const at::Tensor pixels = unpatchify(apply(head.expand, x.flatten(2).transpose(1, 2)),
                                       config_.head_channels(), shape.factor, config_.image_height,
                                       config_.image_width);
  return apply(head.conv, at::cat({pixels, stem}, 1));
}

at::Tensor UNet::tokens_of(const at::Tensor& features) const {
  return features.to(parameters_.stem.weight.scalar_type()).flatten(2).transpose(1, 2).contiguous();
}

at::Tensor UNet::map_image(std::int64_t block, const at::Tensor& values) const {
  const auto& shape = shapes_[static_cast<std::size_t>(block)];
  const UncertaintySizes sizes = uncertainty_sizes(config_, shape);
  return unpatchify(values.expand({-1, sizes.tokens, sizes.patch_values}).contiguous(),
                    config_.channels, shape.factor, config_.image_height, config_.image_width);
}

std::shared_ptr<const PreparedUNet> UNet::prepared(Precision precision) const {
  const auto visit = [this](const TensorVisitor& visitor) {
    visit_parameters(const_cast<UNetParameters&>(parameters_), shapes_,
                     visitor);  // they are only looked at
  };
  return prepared_.get(precision, version_of(visit), [this](Precision of) {
    const c10::InferenceMode is_for_all_modes(false);
    const c10::NoGradGuard no_gradients;
    auto weights = std::make_shared<PreparedUNet>();
    for (const UNetBlock& block : parameters_.blocks)
      weights->blocks.push_back(in_type(block, scalar_type(of)));
    weights->uncertainty = pack(parameters_.uncertainty);
    return weights;
  });
}

std::vector<BlockOutput> UNet::outputs(const PassInputs& inputs, at::ScalarType block_type) const {
  const UNetFeatures embedded = embed(inputs);
  at::Tensor features = embedded.stem.to(block_type);
  std::vector<at::Tensor> skips{features};
  std::vector<BlockOutput> all;
  for (std::int64_t block = 0; block < config_.blocks(); ++block) {
    const auto k = static_cast<std::size_t>(block);
    at::Tensor skip;
    if (shapes_[k].takes_skip) {
      skip = skips.back();
      skips.pop_back();
    }
    features = run_block(parameters_.blocks[k], features, skip, embedded.embedding);
    if (shapes_[k].pushes_skip) skips.push_back(features);
    const bool is_exit = block + 1 == config_.blocks() || info_.can_exit[k + 1] != 0;
    if (!is_exit) {
      all.emplace_back();
      continue;
    }
    at::Tensor map;
    const auto& module = parameters_.uncertainty[k];
    if (module.weight.defined()) {
      map = uncertainty_values(module, tokens_of(features), embedded.time_embedding);
      map = is_map(config_.uncertainty) ? map_image(block, map) : map.flatten(1).mean(1);
    }
    const at::Tensor prediction = predict(block, features, embedded.stem);
    all.push_back({prediction.narrow(1, 0, config_.channels), map});
  }
  return all;
}

}  // namespace adadiff::detail
