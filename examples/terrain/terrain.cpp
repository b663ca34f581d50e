// Draws height maps of any size with a consistency UNet, window by window:
//
//     terrain MODEL.safetensors [--size 256x384] [--at 0,0] [--difficulty 20,60,100] [--seed 1]
//             [--out terrain.png] [--heights terrain.npy]
//
// The noise of a place depends on the seed and on the place alone, and the windows lie on a fixed
// lattice. So any part of the plane can be drawn at any time, and parts fit each other: what two
// calls with other --at and --size have in common is the same.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <numbers>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <adadiff/adadiff.h>

namespace {

// Of the bundled weights of adaptive-terrain-diffusion: heights in metres.
constexpr float kHighest = 22.16864013671875F, kScale = 0.1F;
constexpr int kMostDifficult = 100;
constexpr int kOverlap = 64;
constexpr float kSteeper = 3;
constexpr std::int64_t kBatch = 8;

struct Options {
  std::string model, out = "terrain.png", heights;
  int height = 256, width = 256, top = 0, left = 0;
  std::vector<int> difficulties = {60};
  std::uint64_t seed = 1;
};

/// A map of heights in metres, row by row.
struct HeightMap {
  int height = 0, width = 0;
  std::vector<float> values;
  float at(int y, int x) const {
    const auto row = static_cast<std::size_t>(std::clamp(y, 0, height - 1));
    const auto column = static_cast<std::size_t>(std::clamp(x, 0, width - 1));
    return values[row * static_cast<std::size_t>(width) + column];
  }
};

std::uint64_t mixed(std::uint64_t x) {  // the finaliser of SplitMix64 (Steele et al. 2014)
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// A normal number that belongs to a place.
float noise_at(std::uint64_t seed, std::int64_t y, std::int64_t x) {
  const std::uint64_t place = mixed(mixed(seed + static_cast<std::uint64_t>(y)) +
                                    static_cast<std::uint64_t>(x) * 0x9e3779b97f4a7c15U);
  const double first = (static_cast<double>(mixed(place) >> 11) + 0.5) / 9007199254740992.0;
  const double second = static_cast<double>(mixed(place + 1) >> 11) / 9007199254740992.0;
  return static_cast<float>(std::sqrt(-2 * std::log(first)) *
                            std::cos(2 * std::numbers::pi * second));
}

/// The first places of the windows that reach into [begin, end).
std::vector<int> window_starts(int begin, int end, int window) {
  const int stride = window - kOverlap;
  const auto first = static_cast<int>(
      std::floor(static_cast<double>(begin - window) / stride) * stride + stride);
  std::vector<int> starts;
  for (int start = first; start < end; start += stride) starts.push_back(start);
  return starts;
}

/// How much a window counts at one of its rows or columns: less towards its edges.
float weight_of(int place, int window) {
  const double angle = 2 * std::numbers::pi * (place + 0.5) / window;
  return static_cast<float>(std::max(0.5 - 0.5 * std::cos(angle), 1e-3));
}

/// The model works on asinh(height / scale), spread over [-1, 1].
float height_of(float value) {
  const float unit = std::clamp((value + 1) / 2, 0.0F, 1.0F);
  return kScale * std::sinh(unit * std::asinh(kHighest / kScale));
}

struct Corner {
  int top = 0, left = 0;
};

/// What the network makes of the windows with these corners: [windows, size, size], row by row.
std::vector<float> draw_windows(const adadiff::Pipeline& pipeline, const Options& options,
                                int difficulty, const std::vector<Corner>& corners) {
  const auto size = static_cast<int>(pipeline.model().height);
  adadiff::Request request;
  request.count = static_cast<std::int64_t>(corners.size());
  request.batch = std::min(kBatch, request.count);
  request.conditions = {{.pooled = {static_cast<float>(difficulty - 1) / (kMostDifficult - 1)}}};
  for (const Corner& corner : corners) {
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x)
        request.initial_noise.push_back(noise_at(options.seed, corner.top + y, corner.left + x));
    }
  }
  return pipeline.generate(request).images.values;
}

HeightMap draw(const adadiff::Pipeline& pipeline, const Options& options, int difficulty) {
  const auto size = static_cast<int>(pipeline.model().height);
  std::vector<Corner> corners;
  for (const int top : window_starts(options.top, options.top + options.height, size)) {
    for (const int left : window_starts(options.left, options.left + options.width, size))
      corners.push_back({top, left});
  }
  const std::vector<float> drawn = draw_windows(pipeline, options, difficulty, corners);
  HeightMap map{options.height, options.width, {}};
  const std::size_t places = static_cast<std::size_t>(map.height) *
                             static_cast<std::size_t>(map.width);
  std::vector<float> sums(places), weights(places);
  std::size_t next = 0;
  for (const Corner& corner : corners) {
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        const float value = drawn[next++];
        const int row = corner.top + y - options.top, column = corner.left + x - options.left;
        if (row < 0 || row >= map.height || column < 0 || column >= map.width) continue;
        const float weight = weight_of(y, size) * weight_of(x, size);
        const std::size_t place = static_cast<std::size_t>(row) *
                                      static_cast<std::size_t>(map.width) +
                                  static_cast<std::size_t>(column);
        sums[place] += weight * value;
        weights[place] += weight;
      }
    }
  }
  for (std::size_t i = 0; i < places; ++i) map.values.push_back(height_of(sums[i] / weights[i]));
  return map;
}

struct Colour {
  float red = 0, green = 0, blue = 0;
};

Colour mix(const Colour& low, const Colour& high, float share) {
  return {low.red + share * (high.red - low.red), low.green + share * (high.green - low.green),
          low.blue + share * (high.blue - low.blue)};
}

/// From grass over rock to snow.
Colour colour_of(float height) {
  constexpr Colour kRamp[] = {{86, 125, 70}, {150, 140, 90}, {130, 110, 95}, {250, 250, 250}};
  const float place = std::clamp(height / 4, 0.0F, 2.999F);
  const auto step = static_cast<std::size_t>(place);
  return mix(kRamp[step], kRamp[step + 1], place - static_cast<float>(step));
}

/// The map as seen from above with light from the north-west, its slopes exaggerated.
adadiff::Images shade(const HeightMap& map) {
  adadiff::Images image{1, map.height, map.width, 3};
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      const float slope_x = kSteeper * (map.at(y, x + 1) - map.at(y, x - 1)) / 2;
      const float slope_y = kSteeper * (map.at(y + 1, x) - map.at(y - 1, x)) / 2;
      const float length = std::sqrt(slope_x * slope_x + slope_y * slope_y + 1);
      const float light = std::max(0.0F, (slope_x + slope_y + 1.2F) / length) / 1.85F;
      const float bright = 0.25F + 0.9F * light;
      const Colour colour = colour_of(map.at(y, x));
      for (const float part : {colour.red, colour.green, colour.blue})
        image.pixels.push_back(static_cast<std::uint8_t>(std::clamp(part * bright, 0.0F, 255.0F)));
    }
  }
  return image;
}

/// Heights in metres as .npy, [height, width] float32.
void write_npy(const HeightMap& map, const std::string& path) {
  std::ostringstream header;
  header << "{'descr': '<f4', 'fortran_order': False, 'shape': (" << map.height << ", " << map.width
         << "), }";
  std::string text = header.str();
  text.resize((text.size() + 11 + 63) / 64 * 64 - 11, ' ');
  text += '\n';
  std::ofstream file(path, std::ios::binary);
  file << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(text.size() & 255)
       << static_cast<char>(text.size() >> 8) << text;
  file.write(reinterpret_cast<const char*>(map.values.data()),
             static_cast<std::streamsize>(map.values.size() * sizeof(float)));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

/// Whole numbers with one of two signs between them, such as 256x384 or 20,60.
std::vector<int> numbers(const std::string& text, const std::string& flag) {
  const bool is_list = !text.empty() && text.size() < 100 && text.front() != 'x' &&
                       text.find_first_not_of("-0123456789,x") == std::string::npos;
  if (!is_list)
    throw std::invalid_argument(flag + ": must be whole numbers, but is \"" + text + "\"");
  std::vector<int> found;
  std::istringstream words(text);
  for (std::string word;
       std::getline(words, word, text.find('x') == std::string::npos ? ',' : 'x');)
    found.push_back(static_cast<int>(std::strtol(word.c_str(), nullptr, 10)));
  return found;
}

Options read(int argc, char** argv) {
  Options options;
  std::map<std::string, std::string> flags;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      options.model = word;
      continue;
    }
    constexpr std::array kFlags = {"--out",  "--heights", "--difficulty",
                                   "--seed", "--size",    "--at"};
    if (std::find(kFlags.begin(), kFlags.end(), word) == kFlags.end() || i + 1 == argc)
      throw std::invalid_argument(word + ": must be a flag with a value, but is none");
    flags[word] = argv[++i];
  }
  for (const auto& [flag, value] : flags) {
    const bool is_text = flag == "--out" || flag == "--heights";
    const std::vector<int> given = is_text ? std::vector<int>{} : numbers(value, flag);
    if (flag == "--out") options.out = value;
    if (flag == "--heights") options.heights = value;
    if (flag == "--difficulty") options.difficulties = given;
    if (flag == "--seed") options.seed = static_cast<std::uint64_t>(given[0]);
    if (flag == "--size")
      std::tie(options.height, options.width) = std::pair{given[0], given.back()};
    if (flag == "--at") std::tie(options.top, options.left) = std::pair{given[0], given.back()};
  }
  const auto in_range = [](int value, int low, int high) { return value >= low && value <= high; };
  if (options.model.empty()) throw std::invalid_argument("name a model file");
  if (!in_range(options.height, 1, 8192) || !in_range(options.width, 1, 8192))
    throw std::invalid_argument("--size must be in [1, 8192]");
  for (const int difficulty : options.difficulties) {
    if (!in_range(difficulty, 1, kMostDifficult))
      throw std::invalid_argument("--difficulty must be in [1, 100]");
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = read(argc, argv);
    const adadiff::Pipeline pipeline = adadiff::Pipeline::open(options.model);
    adadiff::Images pictures{0, options.height, options.width, 3};
    for (const int difficulty : options.difficulties) {
      const HeightMap map = draw(pipeline, options, difficulty);
      const auto [low, high] = std::minmax_element(map.values.begin(), map.values.end());
      std::printf("difficulty %d: heights from %.2f to %.2f m\n", difficulty,
                  static_cast<double>(*low), static_cast<double>(*high));
      const adadiff::Images picture = shade(map);
      pictures.pixels.insert(pictures.pixels.end(), picture.pixels.begin(), picture.pixels.end());
      ++pictures.count;
      if (!options.heights.empty()) write_npy(map, options.heights);  // of the last difficulty
    }
    adadiff::write_png(adadiff::tile(pictures, pictures.count), options.out);
    std::printf("written  %s\n", options.out.c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "terrain: %s\n", error.what());
    return 1;
  }
}
