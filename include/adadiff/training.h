// Training of networks with early exits (library adadiff::training): images in, a model file out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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
  LogExcess,  ///< logit u_k learns log sqrt(mean (g_k - g_N)^2), one number per sample; not trained
              ///< after the last block, where g_k - g_N is 0
  /// The loss is r^2 / (2 s^2) + log s with s = u_k / (1 - u_k) and r^2 = mean (g_k - g_N)^2, so
  /// that s is the most likely standard deviation of g_k - g_N, taken as normal numbers around 0
  /// (as in the log-variance head of Patch Forcing, arXiv 2604.19141). One number per sample; not
  /// trained after the last block.
  Likelihood
};
/// How the losses of the early exits are weighted.
enum class LayerWeights : std::uint8_t {
  Certainty,  ///< 1 - u, per value (per sample for the scalar form), for the exits 1..N-1: the
              ///< paper's
  Plain,      ///< 1 for each of the exits 1..N-1
  Normalised  ///< batch-mean certainty divided by its sum over all N blocks: the official code's
};
/// Whether the gradient of the layer losses also flows through their weights into the UEMs.
enum class WeightGradient : std::uint8_t { Stopped, Flows };
/// Which early exits learn from full depth, where `distillation` is above 0.
enum class DistilledExits : std::uint8_t {
  All,
  One  ///< one early exit in each step, drawn from the seed and the step; the others learn the
       ///< truth (after ELT, arXiv 2604.09168)
};
/// How the losses of several exits are combined.
enum class ExitReduction : std::uint8_t { Mean, Sum };

/// The loss L = L_simple + lambda * L_u + beta * L_UAL (docs/training.md). Each term is a mean over
/// batch and values, reduced over exits.
struct LossOptions {
  UncertaintyTarget target = UncertaintyTarget::Excess;
  LayerWeights weights = LayerWeights::Plain;
  WeightGradient weight_gradient = WeightGradient::Stopped;
  /// How L_u and L_UAL are reduced over exits; with Normalised weights, losses are always summed.
  ExitReduction reduction = ExitReduction::Mean;
  double lambda = 1;        ///< in [0, 1000]
  double beta = 1;          ///< in [0, 1000]
  double distillation = 0;  ///< in [0, 1]: share of g_N, without gradient, in what early exits
                            ///< learn; must be 0 with Normalised weights
  DistilledExits distilled_exits = DistilledExits::All;  ///< One needs a `distillation` above 0
  friend bool operator==(const LossOptions&, const LossOptions&) = default;
};

/// The options of a mode: "adadiff" (the defaults above), "paper" (truth, certainty, sums, beta 1)
/// or "official" (truth, normalised weights that pass gradients, beta 1). Throws InvalidArgument
/// for another name.
LossOptions loss_mode(std::string_view name);
/// The names that loss_mode knows, the default first.
std::vector<std::string> loss_mode_names();

/// Which parameters a training changes.
enum class Trained : std::uint8_t {
  All,
  Exits  ///< UEMs and the heads of early exits; full depth stays as it was, bit for bit, and no
         ///< gradient flows through the backbone
};
/// How the times of a batch are drawn; all of them are clipped to the schedule's [min_time(),
/// max_time()].
enum class TimeDistribution : std::uint8_t {
  Uniform,     ///< each time drawn independently
  Stratified,  ///< one random offset per step, then evenly spread over the batch
  LogitNormal  ///< logistic(N(0, 1)): more in the middle (Esser et al. 2024)
};
/// Which optimiser updates the weights.
enum class Optimiser : std::uint8_t {
  AdamW,  ///< Loshchilov & Hutter 2019, eps 1e-8
  Muon    ///< Jordan et al. 2024, momentum 0.95, for the matrices inside blocks; AdamW for the rest
};
/// What follows the warm-up of the learning rate.
enum class Decay : std::uint8_t {
  Cosine,  ///< falls from 1 at the first step of the training to 1 % at the last
  Constant
};
/// What to do about the checkpoint file.
enum class Start : std::uint8_t {
  Fresh,         ///< refuses to start if there is a checkpoint
  Resume,        ///< refuses to start if there is none
  ResumeOrFresh  ///< goes on from the checkpoint if there is one
};

/// The options of a training. A resumed training refuses values that differ from those of its
/// checkpoint, except for the files, `steps`, `minutes`, `device`, `class_names`, `license` and
/// `origin`. The images, the labels and the model of `from` may have moved, but must be the same.
/// All random draws are functions of seed, step and sample, so an interruption changes no number on
/// a CPU.
struct TrainingOptions {
  // Files.
  /// An IDX file of 8-bit images, [N, H, W] or [N, C, H, W], which may be gzipped; or a folder of
  /// PNG and JPEG files, with one sub-folder per class or without labels; or "none", with the exits
  /// of a model trained alone: they learn from the states of the model's own runs.
  std::string images = {};
  std::string labels = {};      ///< IDX file of 8-bit labels, [N]; empty: no labels except a
                                ///< folder's own
  std::string from = {};        ///< a model file to start from (see below); empty: a new network
  std::string model = {};       ///< the model file to write, at each checkpoint and at the end
  std::string checkpoint = {};  ///< empty: the model's path + ".checkpoint"
  std::string log = {};  ///< CSV file with a line per step, cut back to the step of the checkpoint
                         ///< on resume; empty: no log. A training that starts afresh refuses a log
                         ///< that has steps
  std::int64_t checkpoint_every = 500;  ///< steps, in [1, 2^31]
  Start start = Start::Fresh;
  /// The device that runs the steps: "cpu", "cuda" or "cuda:N". Batches are made on the CPU. The
  /// first use of a CUDA device loads libtorch_cuda from beside libtorch_cpu, and no other thread
  /// may run torch meanwhile. A process that trains on both devices must use the GPU first, since
  /// torch counts its threads for gradients only once. A GPU takes sums in another order than a
  /// CPU, and in a different order each time.
  std::string device = "cpu";

  // A training that starts from a model takes prediction, schedule, time scale and class names from
  // the file of that model. If the model has no heads per exit, each exit gets a copy of its head;
  // if it has no UEMs, they are added. `network` and `uncertainty` can ask for something else.
  Trained trained = Trained::All;

  // The runs that take the place of images "none". A run draws from the model at full depth, with
  // labels drawn at random, and its default guidance.
  std::string run_solver = {};  ///< a name that find_solver knows; empty: the model's own and
                                ///< DPM-Solver++ in turn
  std::int64_t run_steps = 0;   ///< in [1, 1000]; 0: drawn anew for each run, from 4 to 50, or 1
                                ///< where the model's own solver takes one step
  std::string conditions = {};  ///< a .npy file of floats [N, P] from which the conditions of runs
                                ///< are drawn, for networks that take a vector

  // Images of a folder are cropped around their centre and resized.
  std::int64_t size = 0;      ///< side in pixels, in [1, 4096]; 0: the side that the network takes,
                              ///< where `from` or `network` say it
  std::int64_t channels = 0;  ///< 1 or 3; 0: as the network of `from` or `network` takes, else as
                              ///< the first picture has
  bool unlabelled = false;    ///< sub-folders are not classes

  // Network: the "network" object of a model file as JSON text. Empty: a U-ViT of the sizes below
  // for the data's images.
  std::string network = {};
  std::int64_t width = 128;      ///< numbers per token, in [1, 65536]; a multiple of `heads`
  std::int64_t depth = 8;        ///< blocks - 1, even, in [2, 254]
  std::int64_t heads = 4;        ///< attention heads, in [1, 1024]
  std::int64_t patch = 4;        ///< side in pixels, in [1, 1024]; divides the side of the images
  std::string uncertainty = {};  ///< form of the UEMs (docs/exits.md): timed-map, map, scalar,
                                 ///< pooled or none; empty: the form in `network` or `from`, else
                                 ///< timed-map. UEMs whose form differs from that in `from` start
                                 ///< anew

  // Task.
  Prediction prediction = Prediction::Velocity;
  /// The name of a schedule as in a model file, with its default parameters.
  std::string schedule = "cosine";
  TimeDistribution times = TimeDistribution::Stratified;
  bool antithetic = false;  ///< the second half of a batch gets 1 - time of the first half (Song et
                            ///< al. 2021, in the code of DDIM)
  bool mirror = false;  ///< half of the images are mirrored left to right, drawn for each sample of
                        ///< each step
  double label_drop = 0.1;  ///< probability in [0, 1] that a label becomes the null label
  LossOptions loss = {};

  // A step. Gradients are clipped by their global norm.
  std::int64_t batch = 64;  ///< in [1, 65536]
  Optimiser optimiser = Optimiser::Muon;
  // Learning rates, each in [0, 100], which are multiplied by a rise (warm-up) and a fall (decay).
  double learning_rate = 2e-3;         ///< AdamW's rate
  double matrix_learning_rate = 0.02;  ///< Muon's rate
  /// AdamW's rate for UEMs. UEMs read tokens as they are, and tokens may be large; at the rate of
  /// the other parameters, the sigmoids of UEMs saturate.
  double uncertainty_learning_rate = 2e-4;
  /// Steps of linear rise, in [0, 2^31]; at most a tenth of `steps` counts.
  std::int64_t warmup = 200;
  Decay decay = Decay::Cosine;
  double beta1 = 0.9, beta2 = 0.99;  ///< AdamW's, in [0, 1)
  double weight_decay = 0.01;        ///< decoupled weight decay of both optimisers, in [0, 100]
  /// The names of parameters without weight decay, e.g. "pos_embed".
  std::vector<std::string> undecayed = {};
  double clip = 1;                           ///< largest gradient norm, in [0, 1e6]; 0: no clipping
  Precision precision = Precision::Float32;  ///< precision of the blocks. BFloat16 applies to their
                                             ///< products and tokens; all else stays Float32
  double ema = 0.998;      ///< decay, in [0, 1), of the averaged weights that are written to the
                           ///< model file; at step s it is min(ema, s / (s + 10))
  std::uint64_t seed = 0;  ///< at most 2^63 - 1 where it is read from JSON

  // Length.
  std::int64_t steps = 20000;  ///< total number of steps, in [1, 2^31]; a resumed training may
                               ///< change it, and rise and decay then follow the new number
  double minutes = 0;  ///< in [0, 1e6]: the time after which this call writes a checkpoint and
                       ///< stops; 0: no limit

  // Texts for the model file. Where they are empty, a resumed training takes those of the
  // checkpoint, and a training that starts from a model takes those of the model.
  std::vector<std::string> class_names = {};  ///< one per class, all different; for a folder the
                                              ///< names of its sub-folders in their order, where /
                                              ///< may stand for _
  std::string license = {}, origin = {};
};

/// What had to be done to pictures to make all of them alike.
struct PictureSurvey {
  std::int64_t looked_at = 0;    ///< number of pictures examined, evenly spread over all; 0: the
                                 ///< images are alike anyway
  std::int64_t turned = 0;       ///< turned as their Exif data says
  std::int64_t transparent = 0;  ///< pictures that lost their transparency
  std::int64_t recoloured = 0;   ///< grey pictures among colour ones, or colour pictures among grey
                                 ///< ones
  std::int64_t cropped = 0;      ///< cropped because their aspect ratio differs
};

/// What a training learns from.
struct TrainingImages {
  std::int64_t count = 0, channels = 0, height = 0, width = 0;
  std::int64_t classes = 0;                   ///< 0 without labels
  std::vector<std::string> class_names = {};  ///< names of a folder's sub-folders
  /// The number of files in a folder that are not hidden and are not PNG or JPEG by their names.
  std::int64_t ignored = 0;
  std::vector<std::int64_t> unseen_labels = {};  ///< labels in [0, classes) that no image has
  PictureSurvey pictures = {};                   ///< what had to be done to the pictures of a
                                                 ///< folder
};
/// Describes the images that `train` would find: lists a folder, or reads IDX files. Uses only
/// `images`, `labels`, `from`, `network`, `size`, `channels` and `unlabelled`. Throws what `train`
/// throws about them.
TrainingImages describe_images(const TrainingOptions& options);

/// All options except files, `minutes`, `start` and `device` as JSON.
std::string to_json(const TrainingOptions& options);
/// Reads that JSON over the values in `base`; keys may be missing, and unknown ones are refused.
/// Throws InvalidArgument with field and value.
TrainingOptions parse_training_options(std::string_view json, const TrainingOptions& base = {},
                                       std::string_view source = "options");

class TrainableNetwork;

/// What the observer is told after each step.
struct TrainingProgress {
  std::int64_t step = 0, steps = 0;  ///< steps done, and steps in all
  /// The total loss of this step, and its terms before they are multiplied by lambda and beta.
  double loss = 0;
  double simple = 0, uncertainty = 0, layers = 0;
  double learning_rate = 0;
  double gradient_norm = 0;  ///< norm over all gradients before clipping
  /// The time that this step took. The four fields after it are the times of its parts; the
  /// remainder went to the log and the like. On a GPU, the time of a part is the time needed to
  /// hand out its work, and work that is still running then counts towards the next part.
  double milliseconds = 0;
  double data_ms = 0;           ///< waiting for the batch, which a thread of its own makes ahead of
                                ///< time
  double forward_ms = 0;        ///< network and losses
  double backward_ms = 0;       ///< gradients
  double update_ms = 0;         ///< clipping, the optimiser and the moving average
  double steps_per_second = 0;  ///< averaged over the last steps
  double seconds_left = 0;      ///< until `steps` or `minutes`, whichever is sooner
  bool checkpointed = false;    ///< a checkpoint and the model file were written after this step
};
/// Called on the thread of the training. If it returns false, the training writes its checkpoint
/// and stops.
using TrainingObserver = std::function<bool(const TrainingProgress&)>;

struct TrainingResult {
  std::int64_t steps = 0;  ///< steps done in all, earlier calls included
  bool completed = false;  ///< false: stopped early, to be resumed
  double simple_loss = 0;  ///< L_simple, running mean over about 100 steps
  double seconds = 0;      ///< time that this call took
};

/// Trains until `steps` steps are done, a stop is requested or the time limit is reached. Uses
/// torch's intra-op threads as they are set, and prints nothing. Throws InvalidArgument, FileError,
/// ModelError, DeviceError. Throws Error when torch fails or the loss is no longer finite; the last
/// checkpoint is then left as it was.
TrainingResult train(const TrainingOptions& options, const TrainingObserver& observer = {},
                     const std::stop_token& stop = {});
/// The same for a network that the caller made (trainable_network.h), from its weights as they are:
/// initialise() draws new ones. The network is moved to the device. `from`, `network`, `width`,
/// `depth`, `heads`, `patch` and `uncertainty` are not used; a folder's pictures are brought to the
/// network's size. The network is checked first (check_network). Afterwards it has the averaged
/// weights, as the model file does, and asks for no gradients; after an exception it may hold
/// those of the last step.
TrainingResult train(const TrainingOptions& options,
                     const std::shared_ptr<TrainableNetwork>& network,
                     const TrainingObserver& observer = {}, const std::stop_token& stop = {});

}  // namespace adadiff
