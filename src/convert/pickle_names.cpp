// The lists of names.
#include "convert/pickle_names.h"

#include <algorithm>
#include <iterator>

namespace adadiff::detail {
namespace {

constexpr const char* kExtras[] = {"argparse.Namespace",
                                   "_codecs.encode",
                                   "numpy.dtype",
                                   "numpy.ndarray",
                                   "numpy.core.multiarray.scalar",
                                   "numpy._core.multiarray.scalar",
                                   "numpy.core.multiarray._reconstruct",
                                   "numpy._core.multiarray._reconstruct",
                                   "pathlib.PosixPath",
                                   "pathlib.WindowsPath",
                                   "pathlib.PurePosixPath",
                                   "builtins.set",
                                   "builtins.slice",
                                   "builtins.complex",
                                   "collections.defaultdict",
                                   "collections.Counter",
                                   "torch.device",
                                   "torch.float32",
                                   "torch.float16",
                                   "torch.bfloat16",
                                   "torch.float64",
                                   "torch.int64",
                                   "ml_collections.config_dict.config_dict.ConfigDict",
                                   "omegaconf.dictconfig.DictConfig",
                                   "easydict.EasyDict",
                                   "types.SimpleNamespace"};

}  // namespace

bool is_pickled_storage(const std::string& name) {
  return name.starts_with("torch.") && name.ends_with("Storage");
}

bool is_pickled_dict(const std::string& name) {
  return name == "collections.OrderedDict" || name == "builtins.dict" || name == "__builtin__.dict";
}

bool is_pickled_rebuilder(const std::string& name) {
  return name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_parameter" ||
         name == "torch._utils._rebuild_parameter_with_state";
}

bool is_pickled_extra(const std::string& name) {
  return std::any_of(std::begin(kExtras), std::end(kExtras),
                     [&](const char* known) { return name == known; });
}

}  // namespace adadiff::detail
