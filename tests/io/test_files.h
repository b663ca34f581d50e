// Files for the tests of this room: a folder that goes away, raw content, and damage to it.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include <adadiff/error.h>

namespace adadiff::detail {

class TestFolder {
 public:
  TestFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("adadiff-test-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::size_t file_count() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_),
                                                  std::filesystem::directory_iterator()));
  }

 private:
  std::filesystem::path path_;
};

inline void put(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

inline std::string get(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// What `action` throws, as text; the test fails where it throws nothing or another type.
template <class E>
std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

/// Every start of `content` that is shorter than it must be refused.
inline void expect_starts_refused(const std::string& content,
                                  const std::function<void(const std::string&)>& read) {
  for (std::size_t length = 0; length < content.size(); ++length) {
    EXPECT_THROW(read(content.substr(0, length)), Error) << "the first " << length << " bytes";
  }
}

/// Damaged content is read or refused; nothing else may happen.
inline void expect_survives_damage(const std::string& content, int rounds,
                                   const std::function<void(const std::string&)>& read) {
  std::mt19937 random(1);
  for (int round = 0; round < rounds; ++round) {
    std::string damaged = content;
    const int flips = 1 + static_cast<int>(random() % 4);
    for (int flip = 0; flip < flips; ++flip) {
      char& byte = damaged[random() % damaged.size()];
      const auto flipped = static_cast<char>(byte ^ (1 << random() % 8));
      byte = random() % 2 == 0 ? flipped : static_cast<char>(random() % 256);
    }
    try {
      read(damaged);
    } catch (const Error&) {
    }
  }
}

}  // namespace adadiff::detail
