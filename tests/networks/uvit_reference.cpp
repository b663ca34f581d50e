// Implements the reference with plain ATen arithmetic in double: nothing here comes from src/.
#include "networks/uvit_reference.h"

#include <cmath>
#include <deque>

#include <ATen/ATen.h>

namespace adadiff::testing {
namespace {

class Reference {
 public:
  Reference(const TensorMap& tensors, const ReferenceSizes& sizes, const ReferenceChoices& choices)
      : tensors_(tensors), sizes_(sizes), choices_(choices) {}

  ReferenceOutputs run(const at::Tensor& x, const at::Tensor& time, const at::Tensor& labels) {
    at::Tensor tokens = embed(x, time, labels);  // [B, L, D]
    const std::int64_t half = sizes_.depth / 2;
    for (std::int64_t i = 0; i < half; ++i) {
      tokens = block("in_blocks." + std::to_string(i), tokens);
      skips_.push_back(tokens);
      finish(tokens);
    }
    tokens = block("mid_block", tokens);
    finish(tokens);
    for (std::int64_t i = 0; i < half; ++i) {
      const std::string name = "out_blocks." + std::to_string(i);
      tokens = block(name, sizes_.skip ? join(name, tokens, take_skip()) : tokens);
      finish(tokens);
    }
    return outputs_;
  }

 private:
  bool has(const std::string& name) const { return tensors_.count(name) != 0; }
  at::Tensor get(const std::string& name) const { return tensors_.at(name).to(at::kDouble); }

  at::Tensor linear(const std::string& name, const at::Tensor& x) const {
    const at::Tensor product = at::matmul(x, get(name + ".weight").t());
    return has(name + ".bias") ? product + get(name + ".bias") : product;
  }

  at::Tensor norm(const std::string& name, const at::Tensor& x) const {
    const at::Tensor centred = x - x.mean(-1, true);
    const at::Tensor variance = centred.square().mean(-1, true);
    return centred / (variance + choices_.norm_eps).sqrt() * get(name + ".weight") +
           get(name + ".bias");
  }

  at::Tensor gelu(const at::Tensor& x) const {
    if (choices_.tanh_gelu) {
      return 0.5 * x * (1 + (std::sqrt(2 / M_PI) * (x + 0.044715 * x.pow(3))).tanh());
    }
    return 0.5 * x * (1 + at::erf(x / std::sqrt(2.0)));
  }

  // Frequencies and angles in float32, as the official code has them: at time 1000 an angle is
  // known to 1e-4 only.
  at::Tensor sinusoid(const at::Tensor& time) const {
    const std::int64_t half = sizes_.width / 2;
    const at::Tensor index = at::arange(half, at::kFloat);
    const auto divisor = static_cast<double>(choices_.divisor_half_minus_one ? half - 1 : half);
    const at::Tensor angles = time.unsqueeze(1) *
                              (index * -std::log(10000.0) / divisor).exp();  // [B, half]
    at::Tensor both = choices_.sine_first ? at::cat({angles.sin(), angles.cos()}, 1)
                                          : at::cat({angles.cos(), angles.sin()}, 1);
    return sizes_.width % 2 == 0 ? both.to(at::kDouble)
                                 : at::constant_pad_nd(both, {0, 1}).to(at::kDouble);
  }

  at::Tensor embed_time(const at::Tensor& time) const {
    const at::Tensor wave = sinusoid(time);
    if (!has("time_embed.0.weight")) {
      return wave;
    }
    const at::Tensor hidden = linear("time_embed.0", wave);
    return linear("time_embed.2", hidden * at::sigmoid(hidden));
  }

  at::Tensor embed(const at::Tensor& x, const at::Tensor& time, const at::Tensor& labels) {
    const at::Tensor kernel = get("patch_embed.proj.weight");  // [D, C, p + 2 o, p + 2 o]
    const std::int64_t p = sizes_.patch, side = sizes_.image / p,
                       overlap = (kernel.size(2) - p) / 2;
    const at::Tensor padded = at::constant_pad_nd(x.to(at::kDouble),
                                                  {overlap, overlap, overlap, overlap});
    std::vector<at::Tensor> cuts;
    for (std::int64_t i = 0; i < side * side; ++i) {
      const at::Tensor rows = padded.slice(2, i / side * p, i / side * p + kernel.size(2));
      cuts.push_back(
          rows.slice(3, i % side * p, i % side * p + kernel.size(3)).reshape({x.size(0), -1}));
    }
    const at::Tensor patches = at::matmul(at::stack(cuts, 1),
                                          kernel.reshape({sizes_.width, -1}).t()) +
                               get("patch_embed.proj.bias");
    time_token_ = embed_time(time);
    std::vector<at::Tensor> row = {time_token_.unsqueeze(1), patches};
    extras_ = 1;
    if (labels.defined()) {
      const at::Tensor label = get("label_emb.weight").index_select(0, labels).unsqueeze(1);
      row.insert(row.begin() + (choices_.time_before_label ? 1 : 0), label);
      extras_ = 2;
    }
    return at::cat(row, 1) + get("pos_embed");
  }

  at::Tensor attention(const std::string& name, const at::Tensor& x) const {
    const std::int64_t B = x.size(0), L = x.size(1), H = sizes_.heads, d = sizes_.width / H;
    const at::Tensor rows = linear(name + ".qkv", x);  // [B, L, 3D]
    const bool outside = choices_.qkv_rows == QkvRows::HeadMajorOutside;
    const at::Tensor split = outside ? rows.reshape({B, L, H, 3, d}).permute({3, 0, 2, 1, 4})
                                     : rows.reshape({B, L, 3, H, d})
                                           .permute({2, 0, 3, 1, 4});  // [3, B, H, L, d]
    const bool swapped = choices_.qkv_rows == QkvRows::KeyQueryValue;
    const at::Tensor query = split[swapped ? 1 : 0], key = split[swapped ? 0 : 1];
    const at::Tensor weights = (at::matmul(query, key.transpose(-1, -2)) /
                                std::sqrt(static_cast<double>(d)))
                                   .softmax(-1);
    const at::Tensor
        mixed = at::matmul(weights, split[2]).permute({0, 2, 1, 3}).reshape({B, L, H * d});
    return linear(name + ".proj", mixed);
  }

  at::Tensor block(const std::string& name, at::Tensor x) const {
    x = x + attention(name + ".attn", norm(name + ".norm1", x));
    return x + linear(name + ".mlp.fc2", gelu(linear(name + ".mlp.fc1", norm(name + ".norm2", x))));
  }

  at::Tensor take_skip() {
    const at::Tensor skip = choices_.skips_in_order ? skips_.front() : skips_.back();
    choices_.skips_in_order ? skips_.pop_front() : skips_.pop_back();
    return skip;
  }

  at::Tensor join(const std::string& name, const at::Tensor& x, const at::Tensor& skip) const {
    const at::Tensor pair = choices_.skip_first ? at::cat({skip, x}, -1) : at::cat({x, skip}, -1);
    return linear(name + ".skip_linear", pair);
  }

  at::Tensor assemble(const at::Tensor& values) const {  // [B, T, P] -> [B, C, H, W]
    const std::int64_t B = values.size(0), p = sizes_.patch, side = sizes_.image / p,
                       C = sizes_.channels;
    const at::Tensor
        grid = choices_.channel_first_patches
                   ? values.reshape({B, side, side, C, p, p}).permute({0, 3, 1, 4, 2, 5})
                   : values.reshape({B, side, side, p, p, C}).permute({0, 5, 1, 3, 2, 4});
    return grid.reshape({B, C, sizes_.image, sizes_.image});
  }

  void finish(const at::Tensor& tokens) {
    const std::string number = std::to_string(outputs_.predictions.size());
    const std::string own = "exit_heads." + number + ".",
                      head = has(own + "decoder_pred.weight") ? own : "";
    const at::Tensor normed = norm((has(own + "norm.weight") ? own : "") + "norm", tokens);
    at::Tensor image = assemble(linear(head + "decoder_pred", normed).slice(1, extras_));
    if (has(head + "final_layer.weight")) {
      image = at::conv2d(image, get(head + "final_layer.weight"), get(head + "final_layer.bias"), 1,
                         1);
    }
    score("uem." + number, tokens.slice(1, extras_));
    outputs_.predictions.push_back(image);
  }

  void score(const std::string& name, const at::Tensor& patches) {
    const std::string official = "lte_classifer." + name.substr(4) + ".lte";
    if (has(official + ".weight")) {
      outputs_.uncertainties.push_back(1 - assemble(at::sigmoid(linear(official, patches))));
    } else if (has(name + ".out.weight")) {
      const at::Tensor centred = patches - patches.mean(-1, true);
      const at::Tensor
          pooled = (centred / (centred.square().mean(-1, true) + choices_.norm_eps).sqrt()).mean(1);
      const at::Tensor hidden = linear(name, pooled) +
                                at::matmul(time_token_, get(name + ".time_weight").t());
      outputs_.uncertainties.push_back(
          at::sigmoid(linear(name + ".out", hidden * at::sigmoid(hidden))).squeeze(1));
    } else if (has(name + ".weight")) {
      at::Tensor sum = linear(name, patches);  // [B, T, P]
      if (has(name + ".time_weight")) {
        sum = sum + at::matmul(time_token_, get(name + ".time_weight").t()).unsqueeze(1);
      }
      const at::Tensor u = at::sigmoid(sum);
      outputs_.uncertainties.push_back(u.size(2) == 1 ? u.mean({1, 2}) : assemble(u));
    }
  }

  const TensorMap& tensors_;
  const ReferenceSizes sizes_;
  const ReferenceChoices choices_;
  std::int64_t extras_ = 1;
  at::Tensor time_token_;  // [B, D], before the position embedding
  std::deque<at::Tensor> skips_;
  ReferenceOutputs outputs_;
};

}  // namespace

ReferenceOutputs run_reference(const TensorMap& tensors, const ReferenceSizes& sizes,
                               const ReferenceChoices& choices, const at::Tensor& x,
                               const at::Tensor& time, const at::Tensor& labels) {
  return Reference(tensors, sizes, choices).run(x, time, labels);
}

}  // namespace adadiff::testing
