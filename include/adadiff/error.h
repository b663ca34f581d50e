// The exceptions that adadiff throws. The library never prints, aborts or changes global state; it
// reports every failure as one of these. Messages read "where: must hold this, but found that; what
// to do".
#pragma once

#include <stdexcept>
#include <string>

namespace adadiff {

/// The base class of all exceptions that the library throws on purpose.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

/// Thrown for an argument, option or plan that the call cannot accept. The call has changed
/// nothing.
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// Thrown for a model, checkpoint or data file whose content is damaged, foreign or not understood
/// by this build.
class ModelError : public Error {
 public:
  using Error::Error;
};

/// Thrown for a file that cannot be opened, read or written. A target that existed before the call
/// is left as it was.
class FileError : public Error {
 public:
  using Error::Error;
};

/// Thrown for a device that fails or is not present.
class DeviceError : public Error {
 public:
  using Error::Error;
};

}  // namespace adadiff
