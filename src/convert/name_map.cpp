// Looks every name up, and only then copies.
#include "convert/name_map.h"

#include <algorithm>
#include <set>

#include <ATen/ATen.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr std::size_t kMostShown = 4;

/// "a, b and 3 more".
std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostShown); ++i)
    text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kMostShown)
    text += " and " + show(static_cast<std::int64_t>(names.size() - kMostShown)) + " more";
  return text;
}

/// The shape without the dimensions of size 1 at its end, down to `least` dimensions.
std::vector<std::int64_t> trimmed(std::vector<std::int64_t> shape, std::size_t least) {
  while (shape.size() > least && shape.back() == 1) shape.pop_back();
  return shape;
}

/// The shape of each of a parameter's parts.
std::vector<std::int64_t> part_shape(const at::Tensor& tensor, const ForeignName& name) {
  std::vector<std::int64_t> shape = tensor.sizes().vec();
  shape[0] /= std::ssize(name.parts);
  return shape;
}

/// Everything that keeps a file from fitting a network.
struct Misfits {
  std::vector<std::string> missing, misshaped, others;

  void require_none(const ForeignWeights& weights) const {
    if (missing.empty() && misshaped.empty() && others.empty()) return;
    std::string found;
    const auto add = [&found](const char* what, const std::vector<std::string>& names) {
      if (!names.empty())
        found += (found.empty() ? "" : "; it ") + std::string(what) + some_of(names);
    };
    add("lacks ", missing);
    add("has other shapes in ", misshaped);
    add("also holds ", others);
    raise<ModelError>({weights.source,
                       "hold the tensors of the network that is described, no more "
                       "and no less",
                       found, "compare depth, labels and options"});
  }
};

/// Notes what is missing or misshaped of one parameter.
void look_up(const ForeignWeights& weights, const at::Tensor& tensor, const ForeignName& name,
             Misfits& misfits) {
  const std::vector<std::int64_t> shape = part_shape(tensor, name);
  for (const std::string& part : name.parts) {
    const auto found = weights.tensors.find(part);
    if (found == weights.tensors.end()) {
      misfits.missing.push_back(show(part) + " " + show_shape(shape));
    } else if (trimmed(found->second.shape, shape.size()) != shape) {
      misfits.misshaped.push_back(show(part) + ", " + show_shape(found->second.shape) +
                                  " instead of " + show_shape(shape));
    }
  }
}

at::Tensor load_finite(const ForeignWeights& weights, const std::string& part) {
  at::Tensor values = weights.tensors.at(part).load().to(at::kFloat);
  if (!values.isfinite().all().item<bool>()) {
    raise<ModelError>({weights.source + ": tensor " + show(part), "hold finite numbers",
                       "has NaN or infinity; the file is damaged or its training diverged"});
  }
  return values;
}

}  // namespace

void fill_network(TrainableNetwork& network, const ForeignWeights& weights, const NameMap& names,
                  const std::function<bool(const std::string&)>& may_be_left) {
  Misfits misfits;
  std::set<std::string> known;
  network.visit([&](const std::string& own, at::Tensor& tensor) {
    const ForeignName name = names(own);
    look_up(weights, tensor, name, misfits);
    known.insert(name.parts.begin(), name.parts.end());
  });
  for (const auto& [part, tensor] : weights.tensors) {
    if (!known.contains(part) && !(may_be_left && may_be_left(part)))
      misfits.others.push_back(show(part) + " " + show_shape(tensor.shape));
  }
  misfits.require_none(weights);
  network.visit([&](const std::string& own, at::Tensor& tensor) {
    const ForeignName name = names(own);
    std::vector<at::Tensor> parts;
    for (const std::string& part : name.parts) parts.push_back(load_finite(weights, part));
    const at::Tensor all = parts.size() == 1 ? parts[0] : at::cat(parts);
    tensor.copy_(all.view(tensor.sizes()));
    if (name.negated) tensor.neg_();
  });
}

std::vector<std::pair<std::string, at::Tensor>> foreign_tensors(TrainableNetwork& network,
                                                                const NameMap& names) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  network.visit([&](const std::string& own, at::Tensor& tensor) {
    const ForeignName name = names(own);
    at::Tensor values = tensor.detach().to(at::kCPU, at::kFloat);
    if (name.negated) values = values.neg();
    for (int i = 0; i < name.cells; ++i) values = values.unsqueeze(-1);
    const auto parts = values.chunk(std::ssize(name.parts), 0);
    for (std::size_t i = 0; i < name.parts.size(); ++i)
      tensors.emplace_back(name.parts[i], parts[i].contiguous());
  });
  return tensors;
}

}  // namespace adadiff::detail
