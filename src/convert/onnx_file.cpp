// The fields that are read, by their numbers in onnx.proto (ONNX IR version 3 to 12).
#include "convert/onnx_file.h"

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "convert/protobuf.h"
#include "core/check.h"
#include "io/mapped_file.h"

namespace adadiff::detail {
namespace {

namespace model_field {
constexpr std::uint64_t kGraph = 7;
}
namespace graph_field {
constexpr std::uint64_t kNode = 1, kInitializer = 5;
}
namespace tensor_field {
constexpr std::uint64_t kDims = 1, kDataType = 2, kName = 8, kRawData = 9, kExternalData = 13;
}
namespace node_field {
constexpr std::uint64_t kInput = 1, kOutput = 2, kOpType = 4;
}

constexpr std::size_t kMostDimensions = 16;

struct OnnxType {
  std::uint64_t number;
  at::ScalarType type;
  const char* shown;
};
constexpr OnnxType kTypes[] = {{1, at::kFloat, "F32"},
                               {10, at::kHalf, "F16"},
                               {11, at::kDouble, "F64"},
                               {16, at::kBFloat16, "BF16"}};

struct OnnxTensor {
  std::string name;
  std::uint64_t type = 0;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
  bool is_external = false;
};

struct OnnxNode {
  std::string type;
  std::vector<std::string> inputs, outputs;
};

class OnnxReader {
 public:
  explicit OnnxReader(const std::string& path) : mapping_(std::make_shared<MappedFile>(path)) {
    ProtoReader model(mapping_->bytes(), path);
    ProtoField field;
    while (model.next(field)) {
      if (field.number == model_field::kGraph && field.has_bytes) read_graph(field.bytes);
    }
  }

  ForeignTensors run() && {
    ForeignTensors found;
    for (const auto& [name, tensor] : tensors_) {
      if (name.find('.') != std::string::npos) add(found, name, tensor);
    }
    add_norms(found);
    if (!found.empty()) return found;
    raise<ModelError>({mapping_->path(), "be an ONNX file with named weights", "has none"});
  }

 private:
  void read_graph(std::span<const std::byte> bytes) {
    ProtoReader graph(bytes, mapping_->path());
    ProtoField field;
    while (graph.next(field)) {
      if (!field.has_bytes) continue;
      if (field.number == graph_field::kInitializer) read_tensor(field.bytes);
      if (field.number == graph_field::kNode) read_node(field.bytes);
    }
  }

  void read_tensor(std::span<const std::byte> bytes) {
    ProtoReader reader(bytes, mapping_->path());
    ProtoField field;
    OnnxTensor tensor;
    while (reader.next(field)) {
      if (field.number == tensor_field::kDims) read_dims(field, tensor.shape);
      if (field.number == tensor_field::kDataType) tensor.type = field.value;
      if (field.number == tensor_field::kName) tensor.name = field.text();
      if (field.number == tensor_field::kRawData) tensor.bytes = field.bytes;
      if (field.number == tensor_field::kExternalData) tensor.is_external = true;
    }
    std::string name = tensor.name;
    tensors_[std::move(name)] = std::move(tensor);
  }

  void read_dims(const ProtoField& field, std::vector<std::int64_t>& shape) const {
    ProtoReader packed(field.bytes, mapping_->path());
    const auto add = [&](std::uint64_t extent) {
      if (shape.size() == kMostDimensions)
        raise<ModelError>({mapping_->path(), "have tensors of at most 16 dimensions", "has more"});
      shape.push_back(static_cast<std::int64_t>(extent));
    };
    if (!field.has_bytes) return add(field.value);
    while (!packed.at_end()) add(packed.varint());
  }

  void read_node(std::span<const std::byte> bytes) {
    ProtoReader reader(bytes, mapping_->path());
    ProtoField field;
    OnnxNode node;
    while (reader.next(field)) {
      if (field.number == node_field::kInput) node.inputs.push_back(field.text());
      if (field.number == node_field::kOutput) node.outputs.push_back(field.text());
      if (field.number == node_field::kOpType) node.type = field.text();
    }
    nodes_.push_back(std::move(node));
  }

  void add(ForeignTensors& found, const std::string& name, const OnnxTensor& tensor) const {
    const std::string where = mapping_->path() + ": tensor " + show(name);
    if (tensor.is_external)
      raise<ModelError>({where, "lie in the file itself", "lies in another file"});
    const OnnxType* type = nullptr;
    for (const OnnxType& known : kTypes) {
      if (known.number == tensor.type) type = &known;
    }
    if (type == nullptr) {
      raise<ModelError>({where, "be float, double, float16 or bfloat16",
                         "has data type " + show(static_cast<std::int64_t>(tensor.type))});
    }
    std::int64_t bytes = static_cast<std::int64_t>(c10::elementSize(type->type));
    for (const std::int64_t extent : tensor.shape) {
      if (extent < 0 || __builtin_mul_overflow(bytes, extent, &bytes))
        raise<ModelError>({where, "have a size", "has none"});
    }
    if (bytes != std::ssize(tensor.bytes)) {
      raise<ModelError>({where, "have " + show(bytes) + " bytes as raw data",
                         "has " + show(std::ssize(tensor.bytes))});
    }
    found[name] = {
        tensor.shape, type->shown,
        [mapping = mapping_, shape = tensor.shape, raw = tensor.bytes, type = type->type] {
          at::Tensor values = at::empty(shape, type);
          if (!raw.empty()) std::memcpy(values.mutable_data_ptr(), raw.data(), raw.size());
          return values;
        }};
  }

  /// The input of a node that is one number per channel, [C] or [C, 1, 1].
  const OnnxTensor* per_channel(const OnnxNode& node) const {
    for (const std::string& input : node.inputs) {
      const auto known = tensors_.find(input);
      if (known == tensors_.end()) continue;
      std::vector<std::int64_t> shape = known->second.shape;
      while (shape.size() > 1 && shape.back() == 1) shape.pop_back();
      if (shape.size() == 1) return &known->second;
    }
    return nullptr;
  }

  /// A norm is exported as InstanceNormalization over groups, a change of shape, a product with the
  /// weight and a sum with the bias; each step reads what the one before gave.
  void add_norms(ForeignTensors& found) const {
    std::map<std::string, int> steps;  // the value that a step gave: what comes next
    const OnnxTensor* weight = nullptr;
    int norms = 0;
    for (const OnnxNode& node : nodes_) {
      if (node.outputs.empty() || node.inputs.empty()) continue;
      if (node.type == "InstanceNormalization") steps[node.outputs[0]] = 0;
      const auto before = steps.find(node.inputs[0]);
      if (before == steps.end()) continue;
      const int step = before->second;
      if (step == 0 && node.type == "Reshape") steps[node.outputs[0]] = 0;
      if (step == 0 && node.type == "Mul") {
        weight = per_channel(node);
        if (weight != nullptr) steps[node.outputs[0]] = 1;
      }
      if (step != 1 || node.type != "Add" || weight == nullptr) continue;
      const OnnxTensor* bias = per_channel(node);
      if (bias == nullptr || bias->shape != weight->shape) continue;
      const std::string name = std::string(kUnnamedNorm) + std::to_string(norms++);
      add(found, name + ".weight", *weight);
      add(found, name + ".bias", *bias);
      weight = nullptr;
    }
  }

  std::shared_ptr<const MappedFile> mapping_;
  std::map<std::string, OnnxTensor> tensors_;
  std::vector<OnnxNode> nodes_;
};

}  // namespace

ForeignTensors read_onnx_file(const std::string& path) { return OnnxReader(path).run(); }

}  // namespace adadiff::detail
