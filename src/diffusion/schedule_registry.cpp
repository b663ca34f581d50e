// Noise schedules by the name and parameters that stand in a model file.
#include <cmath>

#include "core/check.h"
#include "core/names.h"
#include "diffusion/schedules.h"

namespace adadiff {
namespace {

/// A family: its parameters with their defaults, in the order in which `make` takes them.
struct Entry {
  std::string name;
  ScheduleParameters defaults;
  SchedulePtr (*make)(const std::vector<double>& values);
};

int whole_steps(const std::string& where, double value) {
  if (!(value >= 1 && value <= 100000 && value == std::floor(value))) {
    detail::raise({where, "be a whole number in [1, 100000]", "is " + detail::show(value)});
  }
  return static_cast<int>(value);
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all{
      {"vp-linear",
       {{"beta_min", 0.1}, {"beta_max", 20}},
       [](const auto& v) { return vp_linear_schedule(v[0], v[1]); }},
      {"ddpm-linear",
       {{"steps", 1000}, {"first", 1e-4}, {"last", 0.02}},
       [](const auto& v) {
         return ddpm_linear_schedule(whole_steps("ddpm-linear.steps", v[0]), v[1], v[2]);
       }},
      {"scaled-linear",
       {{"steps", 1000}, {"first", 0.00085}, {"last", 0.012}},
       [](const auto& v) {
         return scaled_linear_schedule(whole_steps("scaled-linear.steps", v[0]), v[1], v[2]);
       }},
      {"cosine", {}, [](const auto&) { return cosine_schedule(); }},
      {"nichol-dhariwal",
       {{"offset", 0.008}},
       [](const auto& v) { return nichol_dhariwal_schedule(v[0]); }},
      {"linear-flow", {}, [](const auto&) { return linear_flow_schedule(); }},
      {"karras",
       {{"sigma_min", 0.002}, {"sigma_max", 80}, {"rho", 7}},
       [](const auto& v) { return karras_schedule(v[0], v[1], v[2]); }},
  };
  return all;
}

std::vector<std::string> parameter_names(const Entry& entry) {
  std::vector<std::string> names;
  for (const auto& parameter : entry.defaults) names.push_back(parameter.first);
  return names;
}

std::size_t index_of(const Entry& entry, const std::string& parameter) {
  for (std::size_t i = 0; i < entry.defaults.size(); ++i) {
    if (entry.defaults[i].first == parameter) return i;
  }
  const std::string known = entry.defaults.empty() ? "have no parameters"
                                                   : "have only the parameters " +
                                                         detail::joined(parameter_names(entry));
  detail::raise({"noise schedule " + entry.name, known, "has " + detail::show(parameter)});
}

std::vector<double> fill(const Entry& entry, const ScheduleParameters& parameters) {
  std::vector<double> values;
  for (const auto& parameter : entry.defaults) values.push_back(parameter.second);
  std::vector<bool> given(values.size());
  for (const auto& [name, value] : parameters) {
    const std::size_t i = index_of(entry, name);
    if (given[i]) detail::raise({entry.name + "." + name, "be given once", "is given twice"});
    given[i] = true;
    values[i] = value;
  }
  return values;
}

}  // namespace

SchedulePtr detail::require_noise_at_end(const std::string& where, SchedulePtr schedule) {
  const double end = schedule->log_snr(1);
  if (!(end < 0))
    raise({where, "have a log-SNR below 0 at time 1", "has " + show(end), "use larger betas"});
  return schedule;
}

SchedulePtr find_schedule(std::string_view name, const ScheduleParameters& parameters) {
  const Entry& entry = detail::require_named(entries(), name, "noise schedule");
  return entry.make(fill(entry, parameters));
}

std::vector<std::string> schedule_names() { return detail::names_in(entries()); }

}  // namespace adadiff
