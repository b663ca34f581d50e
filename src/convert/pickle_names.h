// The names that pickles of checkpoints may import. Nothing is imported: each name stands for
// something that the reader builds itself, or skips.
#pragma once

#include <string>

namespace adadiff::detail {

bool is_pickled_storage(const std::string& name);    ///< "torch.FloatStorage", ...
bool is_pickled_dict(const std::string& name);       ///< dict and OrderedDict
bool is_pickled_rebuilder(const std::string& name);  ///< what torch calls to make a tensor
/// Objects that stand beside the tensors of real checkpoints, such as the arguments of a training.
/// The reader skips them.
bool is_pickled_extra(const std::string& name);

}  // namespace adadiff::detail
