// Every way in which a request can be wrong by itself or for this model.
#include <cmath>

#include "core/check.h"
#include "pipeline/request.h"
#include "plans/plan_checks.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kMostImages = 1'000'000;

std::string entry(const char* field, std::size_t index) {
  return std::string(field) + "[" + std::to_string(index) + "]";
}

void check_labels(const Request& request, const NetworkInfo& info) {
  if (info.classes == 0 && !request.labels.empty()) {
    raise({"Request.labels", "be empty for a network that takes no labels",
           "has " + show(static_cast<std::int64_t>(request.labels.size())) + " entries"});
  }
  for (std::size_t i = 0; i < request.labels.size(); ++i) {
    require_range(entry("Request.labels", i), request.labels[i], std::int64_t{0}, info.classes - 1);
  }
}

void check_length(const std::string& where, std::size_t found, std::int64_t wanted) {
  if (static_cast<std::int64_t>(found) == wanted) return;
  raise({where, "have " + show(wanted) + " numbers, as the network takes",
         "has " + show(static_cast<std::int64_t>(found))});
}

void check_condition(const std::string& where, const Condition& condition,
                     const ConditionInfo& info) {
  check_length(where + ".tokens", condition.tokens.size(), info.tokens * info.token_width);
  check_length(where + ".pooled", condition.pooled.size(), info.pooled_width);
  if (!condition.mask.empty()) check_length(where + ".mask", condition.mask.size(), info.tokens);
}

void check_conditions(const Request& request, const NetworkInfo& info) {
  const auto given = static_cast<std::int64_t>(request.conditions.size());
  if (info.condition.is_empty()) {
    if (given == 0 && !request.no_condition) return;
    raise({"Request.conditions", "be left out for a network that takes none but labels",
           "are given"});
  }
  if (given == 0)
    raise({"Request.conditions", "be given for a network that takes them", "are empty"});
  if (info.classes > 0 && std::ssize(request.labels) != given) {
    raise({"Request.labels", "be as many as there are conditions, " + show(given),
           "are " + show(std::ssize(request.labels))});
  }
  for (std::size_t i = 0; i < request.conditions.size(); ++i)
    check_condition(entry("Request.conditions", i), request.conditions[i], info.condition);
  if (request.no_condition)
    check_condition("Request.no_condition", *request.no_condition, info.condition);
}

void check_guidance(const Request& request, const NetworkInfo& info) {
  if (!request.guidance) return;
  require_range("Request.guidance", *request.guidance, 0.0, 100.0);
  if (*request.guidance == 1) return;
  if (!info.condition.is_empty() && !request.no_condition) {
    raise({"Request.no_condition", "be given where guidance is not 1", "is not set"});
  }
  if (info.condition.is_empty() && info.null_label < 0) {
    raise({"Request.guidance", "be 1 with a network that has no \"no label\" class",
           "is " + show(*request.guidance)});
  }
}

void check_values(const char* field, const std::vector<float>& values, std::int64_t count,
                  const NetworkInfo& info) {
  if (values.empty()) return;
  const std::int64_t wanted = count * info.channels * info.height * info.width;
  if (static_cast<std::int64_t>(values.size()) != wanted) {
    raise({field,
           "have " + show(count) + " x " + show(info.channels) + " x " + show(info.height) + " x " +
               show(info.width) + " = " + show(wanted) + " values",
           "has " + show(static_cast<std::int64_t>(values.size()))});
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      raise({entry(field, i), "be finite", "is " + show(static_cast<double>(values[i]))});
  }
}

void check_start(const Request& request) {
  const bool has_image = !request.start_image.empty();
  if (has_image && !request.start_time)
    raise({"Request.start_time", "be set for a start image", "is not set"});
  if (!has_image && request.start_time)
    raise({"Request.start_image", "be given for a start time", "is empty"});
  if (!request.start_time) return;
  const double time = *request.start_time;
  if (!(time > 0 && time <= 1)) raise({"Request.start_time", "be in (0, 1]", "is " + show(time)});
}

}  // namespace

void check_request(const Request& request, const PipelineState& pipeline) {
  const NetworkInfo& info = pipeline.network->info();
  require_range("Request.count", request.count, std::int64_t{1}, kMostImages);
  require_range("Request.batch", request.batch, std::int64_t{0}, kMostImages);
  require_range("Request.threads", request.threads, 0, 1024);
  check_labels(request, info);
  check_conditions(request, info);
  check_guidance(request, info);
  check_values("Request.initial_noise", request.initial_noise, request.count, info);
  check_values("Request.start_image", request.start_image, request.count, info);
  check_start(request);
  if (request.solver) check_solver_settings(*request.solver, "Request.solver.");
}

}  // namespace adadiff::detail
