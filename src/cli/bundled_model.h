// Where the files are that are used when none is named.
#pragma once

#include <string>

namespace adadiff::cli {

/// `given` unless it is empty; then $ADADIFF_MODEL, the installed model, the one in the source
/// tree. Throws FileError.
std::string model_path(const std::string& given);
/// `given` unless it is empty; then the classifier that is bundled for evaluation. Throws
/// FileError.
std::string features_path(const std::string& given);

}  // namespace adadiff::cli
