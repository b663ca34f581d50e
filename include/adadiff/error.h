// What adadiff throws. The library never prints, aborts or changes global state; every failure
// arrives as one of these. Messages read "where: must hold this, but found that; what to do".
#pragma once

#include <stdexcept>
#include <string>

namespace adadiff {

/// Base of everything the library throws on purpose.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

/// An argument, option or plan that the call cannot accept. Nothing has been changed.
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// A model, checkpoint or data file whose content is damaged, foreign or not understood by this
/// build.
class ModelError : public Error {
 public:
  using Error::Error;
};

/// A file that cannot be opened, read or written. A target that existed before is as it was.
class FileError : public Error {
 public:
  using Error::Error;
};

/// A device that failed or is not there.
class DeviceError : public Error {
 public:
  using Error::Error;
};

}  // namespace adadiff
