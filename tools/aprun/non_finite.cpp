// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/non_finite.h"

#include "ir/text.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/weights.h"
#include "tools/aprun/element_text.h"
#include "tools/aprun/interrupt.h"
#include "tools/aprun/locate_op.h"
#include "tools/aprun/resume.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <span>

namespace apr::aprun {
namespace {

using train::Error;

bool isFloat(std::int32_t dtype) {
  return dtype == APRT_F32 || dtype == APRT_F64 || dtype == APRT_BF16;
}

bool isFinite(const std::byte *values, std::int32_t dtype, std::size_t elements) {
  for (std::size_t i = 0; isFloat(dtype) && i < elements; ++i)
    if (!std::isfinite(train::elementAt(values, dtype, i)))
      return false;
  return true;
}

/// The tensors of a state that hold a number that is not finite.
std::set<std::string> badTensors(const train::Model &model, const std::byte *state) {
  std::set<std::string> names;
  for (const aprt_tensor &tensor : model.tensors())
    if (!isFinite(state + tensor.offset, tensor.dtype, train::elementCount(tensor)))
      names.insert(tensor.name);
  return names;
}

/// Stops at the first step after which something is not finite that was before.
class Watch : public train::Observer {
public:
  explicit Watch(train::Instance &instance)
      : instance_(instance), known_(badTensors(instance.model(), instance.state())) {}

  void beforeStep(const train::StepPosition &position, std::span<const std::size_t> rows) override {
    position_ = position;
    rows_.assign(rows.begin(), rows.end());
    const std::byte *state = instance_.state();
    before_.assign(state, state + instance_.model().table().state_bytes);
  }

  void onStep(const train::StepReport &report) override {
    for (const std::string &name : badTensors(instance_.model(), instance_.state()))
      if (!known_.contains(name))
        found_.push_back(name);
    for (std::size_t i = 0; i < report.call->resultCount(); ++i) {
      const train::ResultView view = report.call->result(i);
      if (!isFinite(view.values, view.tensor->dtype, view.elements))
        found_.push_back(fmt::format("the result {}", view.tensor->name));
    }
  }

  bool shouldStop() override { return !found_.empty() || InterruptGuard::isRequested(); }

  const train::StepPosition &position() const { return position_; }
  const std::vector<std::string> &found() const { return found_; }

  /// Goes back before the last step and returns its call.
  FunctionCall callOf(const Function &function, const train::Trainer &trainer,
                      const train::Dataset &data) {
    std::memcpy(instance_.state(), before_.data(), before_.size());
    train::RowFeed feed(instance_, trainer.stepEntry(), trainer.options().fixed, data,
                        trainer.options().batchRows);
    feed.setEpoch(position_.epoch);
    feed.prepare(rows_);
    return {&function, argumentsOf(function, instance_, feed), dimsOf(feed)};
  }

private:
  train::Instance &instance_;
  std::set<std::string> known_;
  train::StepPosition position_;
  std::vector<std::size_t> rows_;
  std::vector<std::byte> before_;
  std::vector<std::string> found_;
};

/// The reflection table's type, by which elements are read.
std::int32_t typeOf(DType dtype) {
  for (std::int32_t candidate :
       {APRT_F32, APRT_F64, APRT_I32, APRT_I64, APRT_BOOL, APRT_U8, APRT_BF16})
    if (dtypeOf(candidate) == dtype)
      return candidate;
  return APRT_U8;
}

double valueAt(const Tensor &tensor, std::size_t index) {
  return train::elementAt(tensor.data.data(), typeOf(tensor.dtype), index);
}

std::string valueText(double value) { return std::isnan(value) ? "nan" : fmt::format("{}", value); }

/// The first element that a predicate accepts.
template <class Predicate>
std::optional<std::size_t> firstElement(const Tensor &tensor, Predicate isWanted) {
  if (!isFloat(typeOf(tensor.dtype)))
    return std::nullopt;
  const auto count = static_cast<std::size_t>(tensor.count());
  for (std::size_t i = 0; i < count; ++i)
    if (isWanted(valueAt(tensor, i)))
      return i;
  return std::nullopt;
}

std::optional<std::size_t> firstNaN(const Tensor &tensor) {
  return firstElement(tensor, [](double value) { return std::isnan(value); });
}
std::optional<std::size_t> firstNonFinite(const Tensor &tensor) {
  return firstElement(tensor, [](double value) { return !std::isfinite(value); });
}

/// Follows what is not finite in a call back to where it was made.
class Search {
public:
  Search(const Meaning &meaning, const FunctionCall &call)
      : meaning_(meaning), graph_(call.function->graph), values_(traceCall(call)) {
    for (std::size_t i = 0; i < call.arguments.size(); ++i)
      values_[graph_.arguments()[i]] = call.arguments[i];
  }

  std::vector<std::string> run() {
    // Of all outputs the one that is computed first; a loss comes before what follows from it.
    std::optional<ValueId> start;
    for (const ValueId result : graph_.results)
      if (isBad(result) && (!start || order(result) < order(*start)))
        start = result;
    if (!start)
      return {"the interpreter computes finite numbers in this step"};
    const ValueId origin = originOf(*start);
    describe("made by", origin);
    // A NaN that comes of infinities: where do these come from?
    if (firstNaN(values_.at(origin)))
      for (const ValueId operand : operandsOf(origin))
        if (isBad(operand)) {
          const ValueId infinite = originOf(operand);
          if (graph_.definition(infinite) && !graph_.definition(infinite)->operands.empty())
            describe("infinite since", infinite);
          break;
        }
    return lines_;
  }

private:
  bool isBad(ValueId value) const {
    const auto found = values_.find(value);
    return found != values_.end() && firstNonFinite(found->second);
  }
  std::size_t order(ValueId value) const {
    const auto index = graph_.definitionIndex(value);
    return index ? *index + 1 : 0;
  }
  std::span<const ValueId> operandsOf(ValueId value) const {
    const Op *op = graph_.definition(value);
    return op ? std::span<const ValueId>(op->operands) : std::span<const ValueId>();
  }

  /// A NaN comes of operands with a NaN, an infinity of operands that are not finite; where there
  /// are none, the op made it.
  ValueId originOf(ValueId value) const {
    while (true) {
      const bool isNaN = firstNaN(values_.at(value)).has_value();
      std::optional<ValueId> next;
      for (const ValueId operand : operandsOf(value)) {
        const auto found = values_.find(operand);
        if (found != values_.end() && !next &&
            (isNaN ? firstNaN(found->second) : firstNonFinite(found->second)))
          next = operand;
      }
      if (!next)
        return value;
      value = *next;
    }
  }

  /// The names of an op's operands, as its text has them.
  std::vector<std::string> operandNames(ValueId value) const {
    std::vector<std::string> names;
    const Op *op = graph_.definition(value);
    const std::string text = op ? printOp(graph_, *op) : "";
    for (auto at = text.find('%', text.find(" = ")); at != std::string::npos;
         at = text.find('%', at + 1))
      names.push_back(text.substr(at, text.find_first_of(", {)", at) - at));
    return names;
  }

  void describe(const char *what, ValueId value) {
    const Tensor &tensor = values_.at(value);
    const auto nan = firstNaN(tensor);
    const std::size_t element = nan ? *nan : firstNonFinite(tensor).value_or(0);
    lines_.push_back(fmt::format("{}: {}", what, describeOp(meaning_, graph_, value)));
    std::string text = fmt::format("element {} of {} is {}",
                                   tensor.shape.empty() ? "0" : indexText(tensor.shape, element),
                                   str(graph_.type(value)), valueText(valueAt(tensor, element)));
    const auto operands = operandsOf(value);
    const auto names = operandNames(value);
    for (std::size_t i = 0; i < std::min(operands.size(), names.size()); ++i)
      if (const auto found = values_.find(operands[i]); found != values_.end())
        text += fmt::format("; {} {}", names[i], operandText(found->second, tensor, element));
    lines_.push_back(text);
  }

  /// The same element where the shapes agree, else the range of the values.
  static std::string operandText(const Tensor &operand, const Tensor &result, std::size_t element) {
    const auto count = static_cast<std::size_t>(operand.count());
    if (operand.shape == result.shape || count == 1)
      return fmt::format("has {} there", valueText(valueAt(operand, count == 1 ? 0 : element)));
    double least = std::numeric_limits<double>::infinity();
    double most = -least;
    for (std::size_t i = 0; i < count; ++i) {
      least = std::min(least, valueAt(operand, i));
      most = std::max(most, valueAt(operand, i));
    }
    return fmt::format("has values from {} to {}", valueText(least), valueText(most));
  }

  const Meaning &meaning_;
  const Graph &graph_;
  std::map<ValueId, Tensor> values_;
  std::vector<std::string> lines_;
};

/// Sets the trainer to the newest place before the step whose parameters are finite, and names it.
std::string goBack(train::Trainer &trainer, const train::RunRecord &record, std::uint64_t step) {
  const train::Model &model = trainer.instance().model();
  const train::CheckpointFolder folder(checkpointPath(record.settings.out), 1);
  std::vector<std::string> rejected;
  const auto found = folder.latest(rejected, [&](const train::CheckpointFile &file) {
    return file.contents().cursor.steps < step && isOfTraining(file, record, record.settings.out) &&
           badTensors(model, file.state(model).data()).empty();
  });
  if (found) {
    train::resumeFrom(trainer, found->checkpoint, found->best ? &*found->best : nullptr);
    return fmt::format("the checkpoint of step {}", trainer.cursor().steps);
  }
  trainer.initialise();
  if (!record.startWeights.empty())
    train::loadWeights(trainer.instance(), record.startWeights);
  return "the beginning";
}

} // namespace

std::vector<std::string> explainNonFinite(const Session &session, train::Trainer &trainer,
                                          const LoadedData &loaded, const train::RunRecord &record,
                                          std::uint64_t step) {
  const std::string from = goBack(trainer, record, step);
  Watch watch(trainer.instance());
  try {
    trainer.fitSteps(loaded.data, loaded.split, step - trainer.cursor().steps, watch);
  } catch (const train::NonFiniteError &) {
    // The step that the watch has seen.
  }
  if (watch.found().empty())
    return {};
  const train::StepPosition &position = watch.position();
  std::vector<std::string> lines = {fmt::format(
      "repeated from {}: after step {}{}, the first numbers that are not finite are in {}", from,
      position.step, position.epoch > 0 ? fmt::format(" (epoch {})", position.epoch) : "",
      train::listed(watch.found()))};
  if (session.settings.model.ends_with(".o")) {
    lines.push_back("a training from the model's source names the op too");
    return lines;
  }
  const Meaning meaning = readMeaning({session.settings.model, session.settings.set, "native", ""});
  const Function *function = meaning.module().findFunction(trainer.stepEntry().name);
  if (!function)
    return lines;
  const auto located = Search(meaning, watch.callOf(*function, trainer, loaded.data)).run();
  lines.insert(lines.end(), located.begin(), located.end());
  return lines;
}

} // namespace apr::aprun
