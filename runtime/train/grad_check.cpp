// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/grad_check.h"

#include "runtime/train/error.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/table_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace apr::train {
namespace {

constexpr double stepSizes[] = {1e-5, 1e-6, 1e-4};

struct Comparison {
  double numeric = 0;
  double error = std::numeric_limits<double>::infinity();  ///< relative
  double excess = std::numeric_limits<double>::infinity(); ///< beyond what rounding explains

  bool isWorseThan(const Comparison &other) const {
    return excess != other.excess ? excess > other.excess : error > other.error;
  }
};

/// The loss of one batch as a function of the state.
class LossFunction {
public:
  LossFunction(Trainer &trainer, const Dataset &data, const std::vector<std::size_t> &rows,
               const std::string &lossName)
      : entry_(gradEntry(trainer)), feed_(trainer.instance(), entry_, trainer.options().fixed, data,
                                          std::max<std::size_t>(rows.size(), 1)),
        rows_(rows),
        gradients_(trainer.instance().model().blocks()[trainer.block()].gradient_bytes) {
    for (std::uint32_t i = 0; i < entry_.result_count; ++i) {
      const aprt_tensor &result = entry_.results[i];
      if (isFloating(result) && result.role != APRT_TENSOR)
        names_.emplace_back(result.name);
    }
    if (names_.empty())
      throw Error(ErrorKind::Usage, fmt::format("{} reports no loss to compare with", entry_.name));
    name_ = lossName.empty() ? names_.front() : lossName;
    if (std::find(names_.begin(), names_.end(), name_) == names_.end())
      throw Error(ErrorKind::Usage,
                  fmt::format("{} reports no {}{}; it reports {}", entry_.name, inQuotes(name_),
                              suggestion(name_, names_), listed(names_)));
  }

  double operator()() {
    feed_.run(rows_, 0, gradients_.data());
    return find(metricsOf(feed_.call(), rows_.size()), name_)->value;
  }
  const std::byte *gradients() const { return gradients_.data(); }
  const std::string &name() const { return name_; }

private:
  static const aprt_entry &gradEntry(Trainer &trainer) {
    const Model &model = trainer.instance().model();
    const aprt_entry *entry = model.blockEntry(trainer.block(), APRT_GRAD);
    if (!entry)
      throw Error(ErrorKind::Data, fmt::format("the train block {} has no grad entry",
                                               model.blocks()[trainer.block()].name));
    return *entry;
  }

  const aprt_entry &entry_;
  RowFeed feed_;
  const std::vector<std::size_t> &rows_;
  AlignedBlock gradients_;
  std::vector<std::string> names_;
  std::string name_;
};

Comparison compare(LossFunction &loss, std::byte *values, std::size_t element, double analytic,
                   double lossValue) {
  const double p = elementAt(values, APRT_F64, element);
  Comparison best;
  for (double size : stepSizes) {
    const double high = p + size * std::max(1.0, std::abs(p));
    const double low = p - size * std::max(1.0, std::abs(p));
    setElement(values, APRT_F64, element, high);
    const double lossHigh = loss();
    setElement(values, APRT_F64, element, low);
    const double lossLow = loss();
    const double numeric = (lossHigh - lossLow) / (high - low);
    // What a few roundings of the loss can do to the quotient.
    const double noise =
        64 * std::numeric_limits<double>::epsilon() * std::abs(lossValue) / (high - low);
    const double difference = std::abs(numeric - analytic);
    const double scale = std::max({std::abs(analytic), std::abs(numeric), 1e-300});
    Comparison compared{numeric, difference / scale, std::max(0.0, difference - noise) / scale};
    if (std::isnan(difference))
      compared = {numeric};
    if (best.isWorseThan(compared) || std::isnan(difference))
      best = compared;
  }
  setElement(values, APRT_F64, element, p);
  return best;
}

TensorCheck checkTensor(LossFunction &loss, Instance &instance, const aprt_tensor &state,
                        const std::vector<double> &analytic, double lossValue,
                        const GradCheckOptions &options, std::uint64_t seed) {
  TensorCheck check;
  check.name = state.name;
  check.type = typeText(state);
  check.elements = analytic.size();
  auto elements = permutation(seed, 0, check.name, analytic.size());
  if (options.samples > 0 && elements.size() > options.samples)
    elements.resize(options.samples);
  std::sort(elements.begin(), elements.end());
  check.checked = elements.size();
  Comparison worst{0, 0, 0};
  for (std::size_t element : elements) {
    const Comparison compared =
        compare(loss, instance.values(state), element, analytic[element], lossValue);
    if (!compared.isWorseThan(worst))
      continue;
    worst = compared;
    check.worstElement = element;
  }
  check.worstError = worst.error;
  check.numeric = worst.numeric;
  check.analytic = analytic.empty() ? 0 : analytic[check.worstElement];
  check.passes = worst.excess <= options.tolerance;
  return check;
}

std::string elementText(const TensorCheck &check) {
  return check.elements == 1 ? check.name : fmt::format("{}[{}]", check.name, check.worstElement);
}

} // namespace

std::vector<bool> writtenValues(Instance &instance, std::uint32_t block) {
  const aprt_train_block &info = instance.model().blocks()[block];
  const aprt_entry *apply = instance.model().blockEntry(block, APRT_APPLY);
  std::vector<bool> written(info.gradient_count, false);
  if (!apply)
    return written;
  const AlignedBlock probe(info.gradient_bytes);
  for (std::uint32_t i = 0; i < info.gradient_count; ++i)
    for (std::size_t k = 0; k < elementCount(info.gradients[i]); ++k)
      setElement(probe.data() + info.gradients[i].offset, info.gradients[i].dtype, k,
                 static_cast<double>(k % 97) + 1);
  const std::size_t stateBytes = instance.model().table().state_bytes;
  const std::vector<std::byte> saved(instance.state(), instance.state() + stateBytes);
  EntryCall call(instance, *apply);
  call.setDims({});
  call.run({}, 0, probe.data());
  for (std::uint32_t i = 0; i < info.gradient_count; ++i) {
    const aprt_tensor &gradient = info.gradients[i];
    const aprt_tensor *state = instance.model().tensor(gradient.name);
    const std::size_t bytes = elementCount(gradient) * elementBytes(gradient.dtype);
    written[i] = state && bytes > 0 && state->dtype == gradient.dtype &&
                 std::memcmp(instance.values(*state), probe.data() + gradient.offset, bytes) == 0;
  }
  std::copy(saved.begin(), saved.end(), instance.state());
  return written;
}

bool GradCheckReport::passes() const {
  return std::all_of(tensors.begin(), tensors.end(),
                     [](const TensorCheck &check) { return check.passes; });
}

GradCheckReport checkGradients(Trainer &trainer, const Dataset &data,
                               const std::vector<std::size_t> &rows,
                               const GradCheckOptions &options) {
  Instance &instance = trainer.instance();
  LossFunction loss(trainer, data, rows, options.loss);
  GradCheckReport report;
  report.lossName = loss.name();
  report.loss = loss();
  const aprt_train_block &block = instance.model().blocks()[trainer.block()];
  const std::vector<bool> isWritten = writtenValues(instance, trainer.block());
  // The analytic gradients of all tensors, before any parameter moves.
  std::vector<std::pair<const aprt_tensor *, std::vector<double>>> analytic;
  for (std::uint32_t i = 0; i < block.gradient_count; ++i) {
    const aprt_tensor &gradient = block.gradients[i];
    const aprt_tensor *state = instance.model().tensor(gradient.name);
    if (!state || state->role != APRT_PARAMETER || isWritten[i])
      continue;
    if (state->dtype != APRT_F64 || gradient.dtype != APRT_F64)
      throw Error(ErrorKind::Usage,
                  fmt::format("the parameter {} is {}; finite differences need f64: compile the "
                              "model with --set real=f64",
                              state->name, typeText(*state)));
    std::vector<double> values(elementCount(gradient));
    for (std::size_t k = 0; k < values.size(); ++k)
      values[k] = elementAt(loss.gradients() + gradient.offset, APRT_F64, k);
    analytic.emplace_back(state, std::move(values));
  }
  if (analytic.empty())
    throw Error(ErrorKind::Usage, fmt::format("the train block {} has no gradients to check: it "
                                              "minimizes nothing over parameters",
                                              block.name));
  for (const auto &[state, values] : analytic)
    report.tensors.push_back(
        checkTensor(loss, instance, *state, values, report.loss, options, trainer.options().seed));
  return report;
}

std::string table(const GradCheckReport &report, double tolerance) {
  std::size_t nameWidth = 9;
  std::size_t elementWidth = 13;
  for (const TensorCheck &check : report.tensors) {
    nameWidth = std::max(nameWidth, check.name.size());
    elementWidth = std::max(elementWidth, elementText(check).size());
  }
  std::string text = fmt::format("{} = {}\n", report.lossName, report.loss);
  text += fmt::format("{:<{}}  {:>9}  {:>9}  {:<{}}  {:>22}  {:>22}\n", "parameter", nameWidth,
                      "checked", "error", "worst element", elementWidth, "gradient",
                      "finite difference");
  for (const TensorCheck &check : report.tensors)
    text += fmt::format("{:<{}}  {:>9}  {:>9.1e}  {:<{}}  {:>22.15g}  {:>22.15g}{}\n", check.name,
                        nameWidth, fmt::format("{}/{}", check.checked, check.elements),
                        check.worstError, elementText(check), elementWidth, check.analytic,
                        check.numeric, check.passes ? "" : "  FAILED");
  const auto failed = std::count_if(report.tensors.begin(), report.tensors.end(),
                                    [](const TensorCheck &check) { return !check.passes; });
  text += failed == 0 ? fmt::format("all gradients agree within {:g}\n", tolerance)
                      : fmt::format("{} of {} parameters disagree by more than {:g}\n", failed,
                                    report.tensors.size(), tolerance);
  return text;
}

} // namespace apr::train
