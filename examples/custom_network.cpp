// A family of networks of one's own, trained, saved, opened and sampled by the library as it is
// installed. custom_network [FOLDER]: leaves discs.idx, discs.safetensors and discs.png there.
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <adadiff/adadiff.h>
#include <adadiff/trainable_network.h>
#include <adadiff/training.h>

namespace {

using adadiff::PassInputs;
using at::Tensor;

constexpr const char* kKind = "token-mixer";
constexpr int kBlocks = 4;
constexpr std::int64_t kSide = 8, kPatch = 2, kTokens = 16, kWidth = 48;

/// Patches of 2 x 2 pixels as tokens; each block mixes them with each other, then the numbers of
/// each one (Tolstikhin et al. 2021, "MLP-Mixer"). Every exit has a head and an uncertainty.
class TokenMixer final : public adadiff::TrainableNetwork {
 public:
  explicit TokenMixer(adadiff::NetworkSettings settings) {
    info_.kind = kKind;
    info_.blocks = kBlocks;
    info_.channels = 1;
    info_.height = info_.width = kSide;
    info_.can_exit = std::move(settings.can_exit);
    info_.cost.embed = kTokens * kWidth * kPatch * kPatch;
    embed_ = at::zeros({kWidth, kPatch * kPatch});
    time_ = at::zeros({kWidth, kWidth});
    place_ = at::zeros({kTokens, kWidth});
    for (int block = 0; block < kBlocks; ++block) {
      blocks_.push_back({{at::zeros({2 * kTokens, kTokens}), at::zeros({kTokens, 2 * kTokens})},
                         {at::zeros({2 * kWidth, kWidth}), at::zeros({kWidth, 2 * kWidth})},
                         at::zeros({kPatch * kPatch, kWidth}),
                         at::zeros({1, kWidth})});
      info_.cost.block.push_back(4 * kTokens * kWidth * (kTokens + kWidth));
      info_.cost.head.push_back(kTokens * kWidth * kPatch * kPatch);
      info_.cost.score.push_back(kTokens * kWidth);
    }
  }

  const adadiff::NetworkInfo& info() const override { return info_; }
  std::unique_ptr<adadiff::ForwardPass> new_pass(const adadiff::PassOptions&) const override;

  std::vector<adadiff::BlockOutput> outputs(const PassInputs& inputs,
                                            at::ScalarType type) const override {
    if (type != at::kFloat) throw adadiff::InvalidArgument("token-mixer: trains in float32 only");
    std::vector<adadiff::BlockOutput> all;
    Tensor tokens = embed(inputs);
    for (int block = 0; block < kBlocks; ++block) {
      tokens = run_block(block, tokens);
      all.push_back({predict(block, tokens), uncertainty(block, tokens.detach())});
    }
    return all;
  }

  void visit(const adadiff::TensorVisitor& visitor) override {
    visitor("embed", embed_);
    visitor("time", time_);
    visitor("place", place_);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const std::string prefix = "blocks." + std::to_string(i) + ".";
      visitor(prefix + "tokens.in", blocks_[i].tokens.in);
      visitor(prefix + "tokens.out", blocks_[i].tokens.out);
      visitor(prefix + "numbers.in", blocks_[i].numbers.in);
      visitor(prefix + "numbers.out", blocks_[i].numbers.out);
      visitor(prefix + "head", blocks_[i].head);
      visitor(prefix + "uncertainty", blocks_[i].uncertainty);
    }
  }
  void initialise(std::uint64_t seed) override {
    const at::Generator generator = at::detail::createCPUGenerator(seed);
    visit([&generator](const std::string&, Tensor& tensor) {
      tensor.normal_(0, 1 / std::sqrt(static_cast<double>(tensor.size(1))), generator);
    });
  }
  adadiff::ParameterRole role(const std::string& name) const override {
    const std::string last_head = "blocks." + std::to_string(kBlocks - 1) + ".head";
    if (name.ends_with("uncertainty")) return {.exit_source = "", .is_uncertainty = true};
    if (name.ends_with("head") && name != last_head) return {.exit_source = last_head};
    return {.is_hidden_matrix = name.ends_with(".in") || name.ends_with(".out")};
  }
  std::string config_json() const override {
    return std::string(R"({"kind": ")") + kKind + R"("})";
  }

  // The pieces of a pass, used with and without gradients.
  Tensor embed(const PassInputs& inputs) const {
    const Tensor patches = at::pixel_unshuffle(inputs.x, kPatch).flatten(2).transpose(1, 2);
    const Tensor angle = inputs.time.unsqueeze(1) * 0.001 * at::arange(1, kWidth / 2 + 1);
    const Tensor waves = at::cat({angle.cos(), angle.sin()}, 1);
    return at::linear(patches, embed_) + place_ +
           at::linear(waves, time_).unsqueeze(1);  // [R, T, D]
  }
  Tensor run_block(int block, const Tensor& tokens) const {
    const Block& b = blocks_[static_cast<std::size_t>(block)];
    const Tensor across = at::layer_norm(tokens, {kWidth}).transpose(1, 2);  // [R, D, T]
    const Tensor mixed = tokens + b.tokens(across).transpose(1, 2);
    return mixed + b.numbers(at::layer_norm(mixed, {kWidth}));
  }
  Tensor predict(int block, const Tensor& tokens) const {
    const Tensor& head = blocks_[static_cast<std::size_t>(block)].head;
    const Tensor values = at::linear(at::layer_norm(tokens, {kWidth}), head);  // [R, T, p p]
    const std::int64_t grid = kSide / kPatch;
    return at::pixel_shuffle(values.transpose(1, 2).reshape({-1, kPatch * kPatch, grid, grid}),
                             kPatch);
  }
  Tensor uncertainty(int block, const Tensor& tokens) const {  // [R]
    const Tensor& weight = blocks_[static_cast<std::size_t>(block)].uncertainty;
    return at::linear(at::layer_norm(tokens, {kWidth}), weight).sigmoid().mean({1, 2});
  }

 private:
  struct Mlp {
    Tensor in, out;
    Tensor operator()(const Tensor& x) const {
      return at::linear(at::gelu(at::linear(x, in)), out);
    }
  };
  struct Block {
    Mlp tokens, numbers;
    Tensor head, uncertainty;
  };
  adadiff::NetworkInfo info_;
  Tensor embed_, time_, place_;
  std::vector<Block> blocks_;
};

/// One evaluation that can stop after any block.
class TokenMixerPass final : public adadiff::ForwardPass {
 public:
  explicit TokenMixerPass(const TokenMixer& network) : network_(network) {}
  void begin(const PassInputs& inputs) override {
    tokens_ = network_.embed(inputs);
    block_ = -1;
  }
  void run_block(std::uint8_t) override { tokens_ = network_.run_block(++block_, tokens_); }
  void score(const adadiff::ScoreSink& sink) const override {
    sink.out.copy_(network_.uncertainty(block_, tokens_));
  }
  void predict(const Tensor& rows, const Tensor& slots, const Tensor& out) const override {
    out.index_copy_(0, slots, network_.predict(block_, tokens_.index_select(0, rows)));
  }
  void keep(const Tensor& rows, std::int64_t) override { tokens_ = tokens_.index_select(0, rows); }

 private:
  const TokenMixer& network_;
  Tensor tokens_;
  int block_ = -1;
};

std::unique_ptr<adadiff::ForwardPass> TokenMixer::new_pass(
    const adadiff::PassOptions& options) const {
  if (options.precision != adadiff::Precision::Float32 || options.device != info_.device)
    throw adadiff::InvalidArgument("token-mixer: runs in float32 on the CPU only");
  return std::make_unique<TokenMixerPass>(*this);
}

/// Light discs on dark ground, 8 x 8 pixels, in the format of MNIST's files.
void write_discs(const std::string& path, int count) {
  std::ofstream file(path, std::ios::binary);
  for (const std::uint32_t number : {0x803u, static_cast<std::uint32_t>(count), 8u, 8u}) {
    for (int shift = 24; shift >= 0; shift -= 8) file.put(static_cast<char>(number >> shift));
  }
  for (int disc = 0; disc < count; ++disc) {
    const double y = 2.5 + disc % 4, x = 2.5 + disc / 4 % 4, radius = 1.5 + disc / 16 % 3 * 0.5;
    for (int pixel = 0; pixel < kSide * kSide; ++pixel) {
      const double distance = std::hypot(static_cast<double>(pixel / kSide) - y,
                                         static_cast<double>(pixel % kSide) - x);
      file.put(static_cast<char>(distance < radius ? 230 : 20));
    }
  }
}

void run(const std::string& folder) {
  write_discs(folder + "/discs.idx", 480);

  // Trained by the library's loss, on batches that it makes, and saved as a model file.
  const auto network = std::make_shared<TokenMixer>(
      adadiff::NetworkSettings{.can_exit = std::vector<std::uint8_t>(kBlocks, 1)});
  network->initialise(1);
  adadiff::TrainingOptions options;
  options.images = folder + "/discs.idx";
  options.model = folder + "/discs.safetensors";
  options.start = adadiff::Start::ResumeOrFresh;
  options.batch = 32;
  options.steps = 3000;
  options
      .uncertainty_learning_rate = 2e-3;  // its UEM norms what it reads (docs/adding_a_network.md)
  const adadiff::TrainingResult trained = adadiff::train(options, network);
  std::printf("%lld steps, loss %.3f\n", static_cast<long long>(trained.steps),
              trained.simple_loss);

  // Opened by the name of its family, and sampled like any other model.
  const std::vector<adadiff::NetworkKind> kinds{
      {kKind, [](const std::string&) { return kBlocks; },
       [](const std::string&, adadiff::NetworkSettings settings) {
         return std::make_shared<TokenMixer>(std::move(settings));
       }}};
  const auto pipeline = adadiff::Pipeline::open(options.model, {.kinds = kinds});
  const adadiff::Result result = pipeline.generate(
      {.count = 16, .seed = 7, .plan = adadiff::exit_below(0.06F)});
  adadiff::write_png(adadiff::enlarge(result.images, 6), folder + "/discs.png");
  std::printf("%.1f of %d blocks per evaluation\n", result.trace.mean_exit_depth(), kBlocks);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    run(count > 1 ? arguments[1] : ".");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "custom_network: %s\n", error.what());
    return 1;
  }
}
