// Files that torch.save writes (.pt, .pth; since PyTorch 1.6): a ZIP archive with a pickle, which
// says what there is, and a record of bytes for each storage.
#pragma once

#include <string>

#include "convert/foreign_weights.h"

namespace adadiff::detail {

/// The tensors of all dictionaries in the file. The pickle is read by a machine that builds plain
/// values and can call nothing (pickle.h), so no code in a file ever runs. Storages are read when a
/// tensor is loaded. Throws FileError, ModelError.
ForeignTensors read_torch_file(const std::string& path);

}  // namespace adadiff::detail
