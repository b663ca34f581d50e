// Training of networks with early exits (library adadiff::training): images in, a model file out.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <adadiff/noise_schedule.h>
#include <adadiff/plan.h>

namespace adadiff {

/// What an uncertainty estimation module (UEM) learns to predict; g_k is exit k's prediction, g_N
/// the full-depth one.
enum class UncertaintyTarget : std::uint8_t {
  Excess,     ///< tanh|g_k - g_N|: what leaving early costs over full depth
  Truth,      ///< tanh|g_k - truth|: the paper's (arXiv 2309.17074, eq. 6)
  LogExcess,  ///< logit u_k learns log sqrt(mean (g_k - g_N)^2), one number per sample; not after
              ///< the last block, where it is 0
  /// Loss r^2 / (2 s^2) + log s with s = u_k / (1 - u_k) and r^2 = mean (g_k - g_N)^2: s is the
  /// most likely standard deviation of g_k - g_N as normal numbers around 0 (as the log-variance
  /// head of Patch Forcing, arXiv 2604.19141), one per sample; not after the last block
  Likelihood
};
/// How the losses of the early exits are weighted.
enum class LayerWeights : std::uint8_t {
  Certainty,  ///< 1 - u, per value (per sample for the scalar form), exits 1..N-1: the paper's
  Plain,      ///< 1, exits 1..N-1
  Normalised  ///< batch-mean certainty over its sum across all N blocks: the official code's
};
/// Whether the gradient of the layer losses also flows through their weights into the UEMs.
enum class WeightGradient : std::uint8_t { Stopped, Flows };
/// Which early exits learn from full depth, where `distillation` is above 0.
enum class DistilledExits : std::uint8_t {
  All,
  One  ///< one of them in each step, drawn from the seed and the step; the others learn the truth
       ///< (after ELT, arXiv 2604.09168)
};
/// How exits are put together.
enum class ExitReduction : std::uint8_t { Mean, Sum };

/// L = L_simple + lambda * L_u + beta * L_UAL; each term is a mean over batch and values, reduced
/// over exits. docs/training.md.
struct LossOptions {
  UncertaintyTarget target = UncertaintyTarget::Excess;
  LayerWeights weights = LayerWeights::Plain;
  WeightGradient weight_gradient = WeightGradient::Stopped;
  ExitReduction
      reduction = ExitReduction::Mean;  ///< of L_u and L_UAL; Normalised weights are always summed
  double lambda = 1;                    ///< in [0, 1000]
  double beta = 0.5;                    ///< in [0, 1000]
  double distillation = 0;  ///< in [0, 1]: share of g_N, without gradient, in what early exits
                            ///< learn; not Normalised
  DistilledExits distilled_exits = DistilledExits::All;  ///< One needs a `distillation` above 0
  friend bool operator==(const LossOptions&, const LossOptions&) = default;
};

/// "adadiff" (the defaults above), "paper" (truth, certainty, sums, beta 1), "official" (truth,
/// normalised weights that pass gradients, beta 1). Throws InvalidArgument for another name.
LossOptions loss_mode(std::string_view name);
/// The names loss_mode knows, the default first.
std::vector<std::string> loss_mode_names();

/// Which parameters a training changes.
enum class Trained : std::uint8_t {
  All,
  Exits  ///< UEMs and the heads of early exits; full depth stays as it was, bit for bit, and no
         ///< gradient passes the backbone
};
/// How a batch's times are drawn; all are clipped to the schedule's [min_time(), max_time()].
enum class TimeDistribution : std::uint8_t {
  Uniform,     ///< each by itself
  Stratified,  ///< one offset per step, then evenly spread over the batch
  LogitNormal  ///< logistic(N(0, 1)): more in the middle (Esser et al. 2024)
};
/// How weights follow their gradients.
enum class Optimiser : std::uint8_t {
  AdamW,  ///< Loshchilov & Hutter 2019, eps 1e-8
  Muon    ///< Jordan et al. 2024, momentum 0.95, for the matrices inside of blocks; AdamW for the
          ///< rest
};
/// What follows the warm-up of the learning rate.
enum class Decay : std::uint8_t {
  Cosine,  ///< from 1 at the first to 1 % at the last step of the training
  Constant
};
/// What to do about the checkpoint file.
enum class Start : std::uint8_t {
  Fresh,         ///< refuses if there is one
  Resume,        ///< refuses if there is none
  ResumeOrFresh  ///< goes on from it if there is one
};

/// Everything about a training. A resumed training refuses other values than its checkpoint's, but
/// for the files, `steps`, `minutes`, `device`, `class_names`, `license` and `origin`; images,
/// labels and `from` may have moved, but must be the same. Draws are functions of seed, step and
/// sample, so an interruption changes no number on a CPU.
struct TrainingOptions {
  // Files.
  /// IDX file of 8-bit images, [N, H, W] or [N, C, H, W], may be gzip; or a folder of PNG and JPEG
  /// files, in sub-folders by class or without labels.
  std::string images = {};
  std::string labels = {};      ///< IDX file of 8-bit labels, [N]; empty: none but a folder's own
  std::string from = {};        ///< a model file to start from (see below); empty: a new network
  std::string model = {};       ///< the model file to write, at each checkpoint and at the end
  std::string checkpoint = {};  ///< empty: the model's path + ".checkpoint"
  std::string log = {};  ///< CSV of every step, truncated to the checkpoint on resume; empty: none.
                         ///< A training that starts afresh refuses one that has steps
  std::int64_t checkpoint_every = 500;  ///< steps, in [1, 2^31]
  Start start = Start::Fresh;
  /// Where steps run: "cpu", "cuda" or "cuda:N". Batches are made on the CPU. The first CUDA device
  /// loads libtorch_cuda from beside libtorch_cpu; no other thread may run torch meanwhile, and a
  /// process that is to train on both must use the GPU first, since torch counts its threads for
  /// gradients once. Sums on a GPU are taken in another order than on a CPU, and not in the same
  /// one each time.
  std::string device = "cpu";

  // A training that starts from a model takes prediction, schedule, time scale and class names from
  // its file. Its network gets a head per exit, copied from the one that it has, and UEMs, unless
  // it has them or `network` or `uncertainty` say otherwise.
  Trained trained = Trained::All;

  // Images of a folder are cropped around their centre and resized.
  std::int64_t size = 0;      ///< side in pixels, in [1, 4096]; 0: the network's where `from` or
                              ///< `network` say it
  std::int64_t channels = 0;  ///< 1 or 3; 0: the network's, else as the first picture is
  bool unlabelled = false;    ///< sub-folders are no classes

  // Network: a model file's "network" object as JSON text, or empty and a U-ViT of these sizes for
  // the data's images.
  std::string network = {};
  std::int64_t width = 128;      ///< numbers per token, in [1, 65536]; a multiple of `heads`
  std::int64_t depth = 8;        ///< blocks - 1, even, in [2, 254]
  std::int64_t heads = 4;        ///< of attention, in [1, 1024]
  std::int64_t patch = 4;        ///< side in pixels, in [1, 1024]; divides the side of the images
  std::string uncertainty = {};  ///< form of the UEMs (docs/exits.md): timed-map, map, scalar,
                                 ///< pooled or none; empty: as `network` or `from` say, else
                                 ///< timed-map. UEMs of another form than `from` has start anew

  // Task.
  Prediction prediction = Prediction::Velocity;
  std::string
      schedule = "cosine";  ///< a model file's name of a schedule, with its default parameters
  TimeDistribution times = TimeDistribution::Stratified;
  bool antithetic = false;  ///< the second half of a batch gets 1 - time of the first (Song et al.
                            ///< 2021, the code of DDIM)
  bool mirror = false;  ///< half of the images, drawn for each sample of each step, have left and
                        ///< right exchanged
  double label_drop = 0.1;  ///< probability in [0, 1] that a label becomes the null label
  LossOptions loss = {};

  // A step. Gradients are clipped by their global norm.
  std::int64_t batch = 64;  ///< in [1, 65536]
  Optimiser optimiser = Optimiser::Muon;
  // Rates, each in [0, 100], times a rise (warm-up) and a fall (decay).
  double learning_rate = 2e-3;         ///< AdamW's
  double matrix_learning_rate = 0.02;  ///< Muon's
  /// AdamW's for UEMs. They read tokens as they are, which may be large: at the rate of the rest
  /// their sigmoids saturate.
  double uncertainty_learning_rate = 2e-4;
  std::int64_t
      warmup = 200;  ///< steps of linear rise, in [0, 2^31]; at most a tenth of `steps` counts
  Decay decay = Decay::Cosine;
  double beta1 = 0.9, beta2 = 0.99;  ///< AdamW's, in [0, 1)
  double weight_decay = 0.01;        ///< decoupled, of both, in [0, 100]
  /// Parameters without weight decay, by name; e.g. "pos_embed".
  std::vector<std::string> undecayed = {};
  double clip = 1;                           ///< largest gradient norm, in [0, 1e6]; 0: no clipping
  Precision precision = Precision::Float32;  ///< of the blocks; BFloat16: their products and
                                             ///< tokens, all else stays Float32
  double ema = 0.998;      ///< decay in [0, 1) of the averaged weights that the model file gets; at
                           ///< step s min(ema, s / (s + 10))
  std::uint64_t seed = 0;  ///< at most 2^63 - 1 where it is read from JSON

  // Length.
  std::int64_t steps = 20000;  ///< in all, in [1, 2^31]; a resumed training may change it, rise and
                               ///< decay then follow the new number
  double minutes = 0;  ///< in [0, 1e6]: stop after so much work of this call, checkpoint written;
                       ///< 0: no limit

  // Carried into the model file. A resume without them takes the checkpoint's; a training from a
  // model without them the model's.
  std::vector<std::string> class_names = {};  ///< one per class, all different; of a folder's
                                              ///< sub-folders: in their order, with / for _
  std::string license = {}, origin = {};
};

/// What had to be done to pictures so that all are alike.
struct PictureSurvey {
  std::int64_t looked_at = 0;    ///< pictures, evenly spread over all; 0: images that are alike
  std::int64_t turned = 0;       ///< as Exif data says
  std::int64_t transparent = 0;  ///< lost their transparency
  std::int64_t recoloured = 0;   ///< grey ones among colour, or colour ones among grey
  std::int64_t cropped = 0;      ///< of another aspect ratio
};

/// What a training learns from.
struct TrainingImages {
  std::int64_t count = 0, channels = 0, height = 0, width = 0;
  std::int64_t classes = 0;                   ///< 0 without labels
  std::vector<std::string> class_names = {};  ///< of a folder's sub-folders
  /// Files of a folder that are neither hidden nor PNG or JPEG by their names.
  std::int64_t ignored = 0;
  std::vector<std::int64_t> unseen_labels = {};  ///< in [0, classes): no image has them
  PictureSurvey pictures = {};                   ///< of a folder
};
/// What `train` would find: lists a folder, reads IDX files. Uses `images`, `labels`, `from`,
/// `network`, `size`, `channels` and `unlabelled` only. Throws what train throws about them.
TrainingImages describe_images(const TrainingOptions& options);

/// JSON of all options but files, `minutes`, `start` and `device`.
std::string to_json(const TrainingOptions& options);
/// Reads it over `base`; keys may be missing, unknown ones are refused. Throws InvalidArgument with
/// field and value.
TrainingOptions parse_training_options(std::string_view json, const TrainingOptions& base = {},
                                       std::string_view source = "options");

/// One step, handed to the observer after it.
struct TrainingProgress {
  std::int64_t step = 0, steps = 0;  ///< done and to do
  double loss = 0;                   ///< total of this step, and its terms before lambda and beta:
  double simple = 0, uncertainty = 0, layers = 0;
  double learning_rate = 0;
  double gradient_norm = 0;  ///< before clipping
  double milliseconds = 0;   ///< this step took, and its parts; the rest went to the log and the
                            ///< like. On a GPU a part is the time of handing its work out, and what
                            ///< still runs then counts to the next:
  double data_ms = 0;           ///< waiting for the batch, which a thread of its own makes ahead
  double forward_ms = 0;        ///< network and losses
  double backward_ms = 0;       ///< gradients
  double update_ms = 0;         ///< clipping, the optimiser and the moving average
  double steps_per_second = 0;  ///< over the last steps
  double seconds_left = 0;      ///< until `steps` or `minutes`, whichever is sooner
  bool checkpointed = false;    ///< a checkpoint and the model file were written after this step
};
/// On the training's thread; false stops the training, its checkpoint written.
using TrainingObserver = std::function<bool(const TrainingProgress&)>;

struct TrainingResult {
  std::int64_t steps = 0;  ///< done in all, earlier calls included
  bool completed = false;  ///< false: stopped early, to be resumed
  double simple_loss = 0;  ///< L_simple, running mean over about 100 steps
  double seconds = 0;      ///< of this call
};

/// Trains until `steps`, a stop or the time limit. Uses torch's intra-op threads as they are set,
/// and prints nothing. Throws InvalidArgument, FileError, ModelError, DeviceError; Error when torch
/// fails or the loss is no longer finite: the last checkpoint then stands as it was.
TrainingResult train(const TrainingOptions& options, const TrainingObserver& observer = {},
                     const std::stop_token& stop = {});

}  // namespace adadiff
