// A network around any other network that also measures what leaving early costs. It serves
// measurements and gives the ideal score.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <adadiff/network.h>

namespace adadiff::detail {

/// What was measured at one time of a run. The excess is the mean square of g_k - g_N on the same
/// input, where g_N is the prediction of full depth.
struct ExcessAtTime {
  std::int64_t rows = 0;            ///< rows that were evaluated
  std::vector<double> exit_excess;  ///< [blocks], sums over rows of the excess at each exit
  double taken_excess = 0;  ///< sum of excesses over the rows that a prediction was taken from:
                            ///< that of the exit's own prediction, before its guide moves it
  /// The number of those rows; rows that left at exit 0 are not among them.
  std::int64_t predictions = 0;
  double mean_at(std::size_t block) const {
    return rows > 0 ? exit_excess[block] / static_cast<double>(rows) : 0;
  }
  double mean_taken() const {
    return predictions > 0 ? taken_excess / static_cast<double>(predictions) : 0;
  }
};

/// Filled by all passes of one ExcessNetwork, from any thread.
class ExcessRecord {
 public:
  void add_rows(float time, const std::vector<double>& excess);
  /// `replaced` is the excess of an earlier prediction of the same row in the same evaluation,
  /// which this one replaces.
  void add_prediction(float time, double excess, std::optional<double> replaced);
  /// The measurements by the number that the network embeds as time, which falls along a run.
  std::map<float, ExcessAtTime> times() const;

 private:
  mutable std::mutex mutex_;
  std::map<float, ExcessAtTime> times_;
};

enum class Scores : std::uint8_t {
  Learned,  ///< the network's own
  Ideal     ///< rms / (1 + rms) of the true excess: no score can know more
};

/// Runs every block of every row in addition to the requested pass, so it costs more than full
/// depth. Its predictions are those of the inner network.
class ExcessNetwork final : public Network {
 public:
  ExcessNetwork(std::shared_ptr<const Network> network, Scores scores,
                std::shared_ptr<ExcessRecord> record);
  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override;
  std::int64_t padded_rows(std::int64_t rows) const override { return network_->padded_rows(rows); }

 private:
  std::shared_ptr<const Network> network_;
  Scores scores_;
  std::shared_ptr<ExcessRecord> record_;
  NetworkInfo info_;
};

}  // namespace adadiff::detail
