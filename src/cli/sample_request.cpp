// Turns the flags of `adadiff sample` into a request.
#include <algorithm>
#include <numeric>
#include <sstream>
#include <utility>
#include <vector>

#include <adadiff/error.h>

#include "cli/sample_flags.h"
#include "core/check.h"
#include "io/npy.h"
#include "plans/plan_checks.h"

namespace adadiff::cli {
namespace {

using detail::raise;
using detail::show;

constexpr std::int64_t kDefaultCount = 16;

// Settings of `base` with what the flags say put over them.
SolverSettings override_settings(SolverSettings base, const SampleFlags& flags) {
  if (!base.times.empty()) {
    const auto steps = static_cast<std::int64_t>(base.times.size()) - 1;
    const bool keeps_times = flags.grid.empty() && !flags.to_min_time &&
                             flags.steps.value_or(steps) == steps;
    base.steps = static_cast<int>(steps);
    if (!keeps_times) base.times.clear();
  }
  if (!flags.solver.empty() && flags.solver != base.solver) {
    base.solver = flags.solver;
    base.eta = 0;  // means something else, or nothing, to another solver
    base.keep_noise = false;
  }
  if (!flags.grid.empty()) base.grid = flags.grid;
  if (flags.steps) base.steps = static_cast<int>(*flags.steps);
  if (flags.eta) base.eta = *flags.eta;
  if (flags.clamp) base.clamp = true;
  if (flags.keep_noise) base.keep_noise = true;
  if (flags.to_min_time) base.last = LastStep::MinTime;
  return base;
}

std::string describe(const SolverSettings& settings) {
  const std::size_t steps = settings.times.empty() ? static_cast<std::size_t>(settings.steps)
                                                   : settings.times.size() - 1;
  return settings.solver + ", " + std::to_string(steps) + " steps";
}

void set_default_plan(PlannedRequest& planned, const SampleFlags& flags,
                      const ModelSummary& model) {
  const Plan& plan = model.default_plan;
  planned.request.solver = override_settings(plan.solver.value_or(model.default_solver), flags);
  const bool is_made_for_this = !plan.solver ||
                                detail::agree(*plan.solver, *planned.request.solver);
  planned.request.plan = is_made_for_this ? plan : full_depth();
  planned.plan_name = is_made_for_this
                          ? (plan == full_depth() ? "full depth" : "the model's default")
                          : "full depth";
  if (!is_made_for_this) {
    planned.note = "note: running full depth, since the model's default plan was made for " +
                   describe(*plan.solver) + "; give --threshold or --plan to leave early";
  }
}

void set_plan(PlannedRequest& planned, const SampleFlags& flags, const ModelSummary& model) {
  if (flags.threshold) {
    planned.request.plan = exit_below(static_cast<float>(*flags.threshold));
    planned.plan_name = "threshold " + show(*flags.threshold);
  } else if (!flags.plan.empty()) {
    planned.request.plan = read_plan(flags.plan);
    planned.plan_name = flags.plan;
  } else if (flags.full_depth) {
    planned.request.plan = full_depth();
    planned.plan_name = "full depth";
  } else {
    set_default_plan(planned, flags, model);
    return;
  }
  planned.request.solver = override_settings(
      planned.request.plan->solver.value_or(model.default_solver), flags);
}

/// The plan with the guide that the flags ask for, in every rule.
void set_guide(PlannedRequest& planned, const SampleFlags& flags) {
  if (!flags.guide_weight) return;
  Plan& plan = *planned.request.plan;
  if (!flags.guide_exit && !flags.guide_before) {
    const auto has_guide = [](const Rule& rule) { return rule.guide != Guide{}; };
    if (std::none_of(plan.rules.begin(), plan.rules.end(), has_guide)) {
      raise({"--guide-weight",
             "go with --guide-exit or --guide-before, or with a plan that has a guide",
             "is given without", "say which exit guides"});
    }
    for (Rule& rule : plan.rules) rule.guide.weight = has_guide(rule) ? *flags.guide_weight : 1;
  } else {
    Guide guide{.weight = *flags.guide_weight};
    if (flags.guide_exit) guide.exit = static_cast<int>(*flags.guide_exit);
    if (flags.guide_before) guide.before = static_cast<int>(*flags.guide_before);
    plan = guided(std::move(plan), guide);
  }
  if (flags.guide_exit) planned.plan_name += ", guided by exit " + show(*flags.guide_exit);
  if (flags.guide_before)
    planned.plan_name += ", guided from " + show(*flags.guide_before) + " exits before";
  planned.plan_name += ", guide weight " + show(*flags.guide_weight);
}

bool is_whole_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

/// Where classes have numbers as names, a number that is no name could mean a label too, and is
/// likely a slip.
void refuse_ambiguous_label(const std::string& text, const ModelSummary& model) {
  const auto& names = model.class_names;
  if (!is_whole_number(text) || std::none_of(names.begin(), names.end(), is_whole_number)) return;
  constexpr std::size_t kMostShown = 20;
  std::string known;
  for (std::size_t i = 0; i < std::min(names.size(), kMostShown); ++i)
    known += (i > 0 ? ", " : "") + show(names[i]);
  if (names.size() > kMostShown)
    known += " and " + std::to_string(names.size() - kMostShown) + " more";
  raise({"--class", "name classes where some have numbers as names",
         "holds " + show(text) + ", which is none of " + known, "give a name of these"});
}

std::int64_t parse_label(const std::string& text, const ModelSummary& model) {
  const auto name = std::find(model.class_names.begin(), model.class_names.end(), text);
  if (name != model.class_names.end()) return name - model.class_names.begin();
  if (model.classes == 0)
    raise({"--class", "be left out for a model without classes", "is " + show(text)});
  refuse_ambiguous_label(text, model);
  const bool is_number = is_whole_number(text) && text.size() < 10;
  if (!is_number || std::stoll(text) >= model.classes) {
    raise({"--class", "name labels in [0, " + show(model.classes - 1) + "], class names or `all`",
           "holds " + show(text)});
  }
  return std::stoll(text);
}

std::vector<std::int64_t> parse_labels(const std::string& text, const ModelSummary& model) {
  std::vector<std::int64_t> labels;
  if (text.empty()) return labels;
  if (text == "all" && model.classes > 0) {
    labels.resize(static_cast<std::size_t>(model.classes));
    std::iota(labels.begin(), labels.end(), 0);
    return labels;
  }
  std::stringstream list(text + ",");
  for (std::string item; std::getline(list, item, ',');) labels.push_back(parse_label(item, model));
  return labels;
}

std::vector<Condition> read_conditions(const std::string& path) {
  std::vector<Condition> conditions;
  if (path.empty()) return conditions;
  const detail::NpyArray<float> vectors = detail::read_npy_vectors(path);
  const std::int64_t width = vectors.shape[1];
  for (auto vector = vectors.values.begin(); vector != vectors.values.end(); vector += width)
    conditions.push_back({.pooled = {vector, vector + width}});
  return conditions;
}

void set_noise(PlannedRequest& planned, const SampleFlags& flags, const ModelSummary& model) {
  if (flags.noise.empty()) return;
  detail::NpyArray<float> noise = detail::read_npy_floats(
      flags.noise, [&](const std::vector<std::int64_t>& shape) {
        const std::vector<std::int64_t> image{model.channels, model.height, model.width};
        const bool fits = shape.size() == 4 && shape[0] >= 1 &&
                          std::equal(image.begin(), image.end(), shape.begin() + 1);
        if (fits && flags.count.value_or(shape[0]) == shape[0]) return;
        raise({"--noise",
               "hold [" + (flags.count ? show(*flags.count) : "count") + ", " + show(image[0]) +
                   ", " + show(image[1]) + ", " + show(image[2]) + "] numbers",
               flags.noise + " holds " + detail::show_shape(shape)});
      });
  planned.request.initial_noise = std::move(noise.values);
  planned.request.count = noise.shape[0];
}

}  // namespace

PlannedRequest make_request(const SampleFlags& flags, const ModelSummary& model) {
  if (flags.device != "cpu")
    raise({"--device", "be cpu in this build", "is " + show(flags.device)});
  PlannedRequest planned;
  planned.request.count = flags.count.value_or(kDefaultCount);
  planned.request.seed = flags.seed;
  planned.request.labels = parse_labels(flags.classes, model);
  planned.request.conditions = read_conditions(flags.conditions);
  planned.request.guidance = flags.guidance;
  planned.request.batch = flags.batch;
  set_plan(planned, flags, model);
  set_guide(planned, flags);
  set_noise(planned, flags, model);
  return planned;
}

}  // namespace adadiff::cli
