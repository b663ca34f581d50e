// A trace as a picture: one column per evaluation, one row per sample, the colour tells how many
// blocks ran.
#include "cli/depth_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <adadiff/error.h>

#include "cli/canvas.h"
#include "core/check.h"

namespace adadiff::cli {
namespace {

constexpr std::int64_t kMostColumns = 1000, kMostRows = 800;  // cells; more are thinned
constexpr std::int64_t kMargin = 12;
constexpr std::int64_t kTick = 6;
constexpr std::int64_t kBarWidth = 24;
constexpr Color kPaper{255, 255, 255}, kRule{120, 120, 120}, kUnfinished{225, 225, 225};

// Dark blue (few blocks) over teal to yellow (all): lightness rises throughout, so it also reads in
// grey.
constexpr std::array<Color, 5> kRamp{
    {{38, 30, 92}, {41, 92, 140}, {36, 144, 138}, {124, 196, 92}, {250, 226, 60}}};

std::uint8_t mix(std::uint8_t a, std::uint8_t b, double share) {
  return static_cast<std::uint8_t>(std::lround(a + (b - a) * share));
}

Color color_of(int exit, int blocks) {
  if (exit < 0) return kUnfinished;
  const double place = std::clamp(static_cast<double>(exit) / blocks, 0.0, 1.0) *
                       (kRamp.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(place), kRamp.size() - 2);
  const double share = place - static_cast<double>(low);
  const Color &a = kRamp[low], &b = kRamp[low + 1];
  return {mix(a.red, b.red, share), mix(a.green, b.green, share), mix(a.blue, b.blue, share)};
}

std::int64_t digits_of(std::int64_t number) {
  return static_cast<std::int64_t>(std::to_string(number).size());
}

// Where something starts that stands in the middle of a cell, if it fits in there.
std::int64_t centred(std::int64_t cell, std::int64_t size) {
  return std::max<std::int64_t>((cell - size + 2) / 2, 0);
}

// Where the cells stand and how large they are.
struct Grid {
  std::int64_t left = 0, top = 0, columns = 0, rows = 0, cell_width = 0, cell_height = 0;
  std::int64_t every_column = 1, every_row = 1;  // thinning
  std::int64_t width() const { return columns * cell_width; }
  std::int64_t height() const { return rows * cell_height; }
};

std::int64_t thinning(std::int64_t count, std::int64_t most) { return (count + most - 1) / most; }

Grid lay_out(const Trace& trace) {
  const auto evaluations = static_cast<std::int64_t>(trace.evaluations.size());
  Grid grid;
  grid.every_column = thinning(evaluations, kMostColumns);
  grid.every_row = thinning(trace.samples, kMostRows);
  grid.columns = thinning(evaluations, grid.every_column);
  grid.rows = thinning(trace.samples, grid.every_row);
  grid.cell_width = std::clamp<std::int64_t>(800 / grid.columns, 1, 32);
  grid.cell_height = std::clamp<std::int64_t>(480 / grid.rows, 1, 24);
  grid.left = kMargin + digits_of(trace.samples) * kGlyphWidth + 2 * kTick;
  grid.top = kMargin + 2 * kGlyphHeight + 2 * kTick;
  return grid;
}

// A distance between ticks of 1, 2 or 5 times a power of ten that leaves room for their numbers.
std::int64_t tick_distance(std::int64_t count, std::int64_t room) {
  for (std::int64_t power = 1;; power *= 10) {
    for (const std::int64_t distance : {power, 2 * power, 5 * power}) {
      if (count <= std::max<std::int64_t>(room, 1) * distance) return distance;
    }
  }
}

void draw_cells(Canvas& canvas, const Grid& grid, const Trace& trace) {
  const std::vector<std::vector<int>> exits = trace.exits();
  const std::int64_t gap = grid.cell_width >= 6 && grid.cell_height >= 6 ? 1 : 0;
  for (std::int64_t column = 0; column < grid.columns; ++column) {
    const std::vector<int>& samples = exits[static_cast<std::size_t>(column * grid.every_column)];
    for (std::int64_t row = 0; row < grid.rows; ++row) {
      const int exit = samples[static_cast<std::size_t>(row * grid.every_row)];
      const Box box{grid.left + column * grid.cell_width, grid.top + row * grid.cell_height,
                    grid.cell_width - gap, grid.cell_height - gap};
      canvas.fill(box, color_of(exit, trace.blocks));
    }
  }
}

void draw_step_axis(Canvas& canvas, const Grid& grid, const Trace& trace) {
  const bool is_one_each = trace.evaluations.back().step + 1 ==
                           static_cast<int>(trace.evaluations.size());
  canvas.write(grid.left, kMargin, is_one_each ? "step" : "evaluation");
  const auto count = static_cast<std::int64_t>(trace.evaluations.size());
  const std::int64_t widest = (digits_of(count) + 1) * kGlyphWidth;
  const std::int64_t distance = tick_distance(count, grid.width() / widest);
  for (std::int64_t i = 0; i < count; i += distance) {
    const std::int64_t x = grid.left + i / grid.every_column * grid.cell_width;
    canvas.fill({x, grid.top - kTick, 1, kTick - 1}, kRule);
    canvas.write(x + centred(grid.cell_width, kGlyphWidth * digits_of(i)),
                 grid.top - kTick - kGlyphHeight, std::to_string(i));
  }
}

void draw_sample_axis(Canvas& canvas, const Grid& grid, const Trace& trace) {
  const std::int64_t distance = tick_distance(trace.samples, grid.height() / (kGlyphHeight + 2));
  for (std::int64_t i = 0; i < trace.samples; i += distance) {
    const std::int64_t y = grid.top + i / grid.every_row * grid.cell_height;
    canvas.fill({grid.left - kTick, y, kTick - 1, 1}, kRule);
    canvas.write_right(grid.left - kTick - 2, y + centred(grid.cell_height, kGlyphHeight),
                       std::to_string(i));
  }
  canvas.write(kMargin, grid.top + std::max(grid.height(), std::int64_t{kGlyphHeight}) + kTick,
               "sample");
}

// One field per depth, from the full depth at the top down to 0.
void draw_legend(Canvas& canvas, std::int64_t left, const Grid& grid, int blocks) {
  canvas.write(left, kMargin, "blocks run");
  const std::int64_t field = std::clamp<std::int64_t>(320 / (blocks + 1), 2, kGlyphHeight + 4);
  const std::int64_t distance = tick_distance(blocks + 1,
                                              (blocks + 1) * field / (kGlyphHeight + 2));
  for (int exit = 0; exit <= blocks; ++exit) {
    const std::int64_t y = grid.top + (blocks - exit) * field;
    canvas.fill({left, y, kBarWidth, field - (field > 4 ? 1 : 0)}, color_of(exit, blocks));
    if (exit % distance == 0)
      canvas.write(left + kBarWidth + kTick, y + (field - kGlyphHeight) / 2 + 1,
                   std::to_string(exit));
  }
}

}  // namespace

Images draw_depth_map(const Trace& trace) {
  if (trace.samples < 1 || trace.evaluations.empty() || trace.blocks < 1) {
    detail::raise({"depth map", "have samples and evaluations to show", "the trace is empty"});
  }
  const Grid grid = lay_out(trace);
  const std::int64_t legend = grid.left + std::max(grid.width(), std::int64_t{10 * kGlyphWidth}) +
                              2 * kMargin;
  const std::int64_t bar = (trace.blocks + 1) *
                           std::clamp<std::int64_t>(320 / (trace.blocks + 1), 2, kGlyphHeight + 4);
  const std::int64_t bottom = grid.top + std::max(grid.height(), bar) + kGlyphHeight + kTick +
                              kMargin;
  Canvas canvas(legend + 10 * kGlyphWidth + kMargin, bottom, kPaper);
  draw_cells(canvas, grid, trace);
  draw_step_axis(canvas, grid, trace);
  draw_sample_axis(canvas, grid, trace);
  draw_legend(canvas, legend, grid, trace.blocks);
  return std::move(canvas).take();
}

}  // namespace adadiff::cli
