// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/step_side.h"

#include "passes/pass_manager.h"
#include "runtime/train/error.h"
#include "runtime/train/table_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

std::span<const std::byte> valuesOf(const train::Instance &instance, const aprt_tensor &tensor) {
  return {instance.values(tensor), train::elementCount(tensor) * train::elementBytes(tensor.dtype)};
}

Tensor tensorFrom(std::int32_t dtype, std::vector<std::int64_t> shape, const void *values) {
  Tensor tensor = Tensor::zeros(dtypeOf(dtype), std::move(shape));
  if (!tensor.data.empty())
    std::memcpy(tensor.data.data(), values, tensor.data.size());
  return tensor;
}

std::vector<std::int64_t> constantShape(const aprt_tensor &tensor) {
  std::vector<std::int64_t> shape;
  for (std::uint32_t i = 0; i < tensor.rank; ++i)
    shape.push_back(tensor.dims[i].value);
  return shape;
}

Tensor hyperTensor(const train::Instance &instance, const std::string &name) {
  const aprt_hyper &hyper = instance.model().hyper(name);
  if (hyper.dtype == APRT_I32)
    return Tensor::scalar(DType::I32, static_cast<std::int32_t>(instance.hyper(hyper)));
  return Tensor::scalar(DType::F64, instance.hyper(hyper));
}

Tensor inputTensor(const train::RowFeed &feed, const std::string &name) {
  const aprt_entry &entry = feed.call().entry();
  for (std::uint32_t i = 0; i < entry.input_count; ++i)
    if (name == entry.inputs[i].name) {
      const auto shape = feed.call().inputShape(i);
      return tensorFrom(entry.inputs[i].dtype, {shape.begin(), shape.end()}, feed.inputs()[i]);
    }
  throw Error(ErrorKind::Internal, fmt::format("the entry has no input {}", name));
}

class InterpreterSide : public StepSide {
public:
  InterpreterSide(const Meaning &meaning, train::Trainer &trainer, const train::Dataset &data)
      : module_(meaning.module()), trainer_(trainer),
        feed_(trainer.instance(), trainer.stepEntry(), trainer.options().fixed, data,
              trainer.options().batchRows),
        step_(module_.findFunction(trainer.stepEntry().name)) {
    if (!step_)
      throw Error(ErrorKind::Internal,
                  fmt::format("the IR has no function {}", trainer.stepEntry().name));
    for (const aprt_tensor &tensor : trainer.instance().model().tensors())
      state_[tensor.name] =
          tensorFrom(tensor.dtype, constantShape(tensor), trainer.instance().values(tensor));
  }

  const std::string &name() const override { return name_; }

  void initialise(std::uint64_t seed) override {
    for (const Function &function : module_.functions)
      if (function.kind == FunctionKind::Init) {
        const std::vector<Tensor> arguments(
            function.arguments.size(), Tensor::scalar(DType::I64, static_cast<std::int64_t>(seed)));
        takeResults(function, arguments, {});
        return;
      }
  }

  void setState(const std::string &tensor, std::span<const std::byte> values) override {
    state_.at(tensor).data.assign(values.begin(), values.end());
  }
  std::span<const std::byte> state(const std::string &tensor) const override {
    return state_.at(tensor).data;
  }
  std::span<const std::byte> result(const std::string &name) const override {
    return results_.at(name).data;
  }

  void step(std::span<const std::size_t> rows, std::uint64_t epoch) override {
    feed_.setEpoch(epoch);
    feed_.prepare(rows);
    std::vector<Tensor> arguments = argumentsOf(*step_, trainer_.instance(), feed_);
    for (std::size_t i = 0; i < arguments.size(); ++i)
      if (step_->arguments[i].role == ArgumentRole::State)
        arguments[i] = state_.at(step_->arguments[i].name);
    takeResults(*step_, arguments, dimsOf(feed_));
  }

private:
  void takeResults(const Function &function, const std::vector<Tensor> &arguments,
                   const DimBindings &dims) {
    auto results = interpretFunction(function, arguments, dims);
    if (!results)
      throw Error(ErrorKind::Data,
                  fmt::format("the interpreter stopped in {}: {}", function.name, results.error()));
    for (std::size_t i = 0; i < results->size(); ++i) {
      auto &to = function.results[i].role == ResultRole::Update ? state_ : results_;
      to[function.results[i].name] = std::move((*results)[i]);
    }
  }

  const std::string name_ = "the interpreter";
  const Module &module_;
  train::Trainer &trainer_;
  train::RowFeed feed_;
  const Function *step_;
  std::map<std::string, Tensor> state_;
  std::map<std::string, Tensor> results_;
};

class ObjectSide : public StepSide {
public:
  ObjectSide(std::unique_ptr<LoadedModel> object, std::string name, train::Trainer &trainer,
             const train::Dataset &data)
      : name_(std::move(name)), object_(std::move(object)), trainer_(trainer),
        instance_(object_->table(), trainer.options().workers),
        feed_(instance_, entryOf(instance_, trainer), trainer.options().fixed, data,
              trainer.options().batchRows) {}

  const std::string &name() const override { return name_; }
  void initialise(std::uint64_t seed) override { instance_.initialise(seed); }
  void setState(const std::string &tensor, std::span<const std::byte> values) override {
    if (!values.empty())
      std::memcpy(instance_.values(*instance_.model().tensor(tensor)), values.data(),
                  values.size());
  }
  std::span<const std::byte> state(const std::string &tensor) const override {
    return valuesOf(instance_, *instance_.model().tensor(tensor));
  }
  std::span<const std::byte> result(const std::string &name) const override {
    for (std::size_t i = 0; i < feed_.call().resultCount(); ++i) {
      const train::ResultView view = feed_.call().result(i);
      if (name == view.tensor->name)
        return {view.values, view.elements * train::elementBytes(view.tensor->dtype)};
    }
    return {};
  }
  void step(std::span<const std::size_t> rows, std::uint64_t epoch) override {
    // They may change from one step to the next.
    for (const aprt_hyper &hyper : trainer_.instance().model().hypers())
      instance_.setHyper(hyper.name, trainer_.instance().hyper(hyper));
    feed_.setEpoch(epoch);
    feed_.run(rows, 0);
  }

private:
  static const aprt_entry &entryOf(const train::Instance &instance, const train::Trainer &trainer) {
    for (const aprt_entry &entry : instance.model().entries())
      if (std::string_view(entry.name) == trainer.stepEntry().name)
        return entry;
    throw Error(ErrorKind::Internal, "the object was found to have the step, and lacks it");
  }

  std::string name_;
  std::unique_ptr<LoadedModel> object_;
  train::Trainer &trainer_;
  train::Instance instance_;
  train::RowFeed feed_;
};

/// What keeps one table from being another's, a line each.
class TableComparison {
public:
  TableComparison(const train::Model &wanted, const train::Model &found)
      : wanted_(wanted), found_(found) {}

  std::vector<std::string> run(const aprt_entry &step) {
    if (wanted_.name() != found_.name())
      differ("it is of the model {}, not {}", found_.name(), wanted_.name());
    compareTensors("the state", wanted_.tensors(), found_.tensors(), {}, {});
    compareHypers();
    compareStep(step);
    return std::move(lines_);
  }

private:
  template <class... Arguments>
  void differ(fmt::format_string<Arguments...> format, Arguments &&...arguments) {
    lines_.push_back(fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  void compareTensors(const char *what, std::span<const aprt_tensor> wanted,
                      std::span<const aprt_tensor> found, std::span<const char *const> wantedDims,
                      std::span<const char *const> foundDims) {
    const auto named = [](std::span<const aprt_tensor> tensors, const char *name) {
      const auto match =
          std::find_if(tensors.begin(), tensors.end(), [&](const aprt_tensor &tensor) {
            return std::strcmp(tensor.name, name) == 0;
          });
      return match == tensors.end() ? nullptr : &*match;
    };
    for (const aprt_tensor &tensor : wanted) {
      const aprt_tensor *match = named(found, tensor.name);
      const std::string type = train::typeText(tensor, wantedDims);
      if (!match)
        differ("{} lacks {}", what, tensor.name);
      else if (train::typeText(*match, foundDims) != type)
        differ("{} has {} as {}, not {}", what, tensor.name, train::typeText(*match, foundDims),
               type);
    }
    for (const aprt_tensor &tensor : found)
      if (!named(wanted, tensor.name))
        differ("{} has {} too", what, tensor.name);
  }

  void compareHypers() {
    for (const aprt_hyper &hyper : wanted_.hypers()) {
      const auto match = std::find_if(
          found_.hypers().begin(), found_.hypers().end(), [&](const aprt_hyper &other) {
            return std::strcmp(other.name, hyper.name) == 0 && other.dtype == hyper.dtype;
          });
      if (match == found_.hypers().end())
        differ("it has no hyperparameter {}", hyper.name);
    }
    if (found_.hypers().size() > wanted_.hypers().size())
      differ("it has {} hyperparameters, not {}", found_.hypers().size(), wanted_.hypers().size());
  }

  void compareStep(const aprt_entry &step) {
    for (const aprt_entry &entry : found_.entries())
      if (std::strcmp(entry.name, step.name) == 0) {
        const std::span<const char *const> wantedDims(step.dims, step.dim_count);
        const std::span<const char *const> foundDims(entry.dims, entry.dim_count);
        compareTensors("the step's inputs", {step.inputs, step.input_count},
                       {entry.inputs, entry.input_count}, wantedDims, foundDims);
        compareTensors("the step's results", {step.results, step.result_count},
                       {entry.results, entry.result_count}, wantedDims, foundDims);
        return;
      }
    differ("it has no entry {}", step.name);
  }

  const train::Model &wanted_;
  const train::Model &found_;
  std::vector<std::string> lines_;
};

} // namespace

DType dtypeOf(std::int32_t dtype) {
  static constexpr DType dtypes[] = {DType::F32,  DType::F64, DType::I32, DType::I64,
                                     DType::Bool, DType::U8,  DType::BF16};
  static_assert(APRT_F32 == 0 && APRT_F64 == 1 && APRT_I32 == 2 && APRT_I64 == 3 &&
                APRT_BOOL == 4 && APRT_U8 == 5 && APRT_BF16 == 6);
  return dtypes[dtype];
}

DimBindings dimsOf(const train::RowFeed &feed) {
  DimBindings dims;
  const aprt_entry &entry = feed.call().entry();
  for (std::uint32_t i = 0; i < entry.dim_count; ++i)
    dims[entry.dims[i]] = feed.dims()[i];
  return dims;
}

std::vector<Tensor> argumentsOf(const Function &function, const train::Instance &instance,
                                const train::RowFeed &feed) {
  std::vector<Tensor> arguments;
  for (const Argument &argument : function.arguments) {
    switch (argument.role) {
    case ArgumentRole::Input:
      arguments.push_back(inputTensor(feed, argument.name));
      break;
    case ArgumentRole::State: {
      const aprt_tensor &tensor = *instance.model().tensor(argument.name);
      arguments.push_back(tensorFrom(tensor.dtype, constantShape(tensor), instance.values(tensor)));
      break;
    }
    case ArgumentRole::Hyper:
      arguments.push_back(hyperTensor(instance, argument.name));
      break;
    case ArgumentRole::Exec:
      arguments.push_back(Tensor::scalar(DType::I64, std::int64_t{0}));
      break;
    case ArgumentRole::Gradient:
      throw Error(ErrorKind::Internal, "a step takes no gradients");
    }
  }
  return arguments;
}

Meaning readMeaning(const ModelRequest &request) {
  Meaning meaning{readModel(request)};
  auto passes = makePipeline(OptimizationLevel::O0);
  const auto end = std::find(passes.begin(), passes.end(), "fix-reduction-orders");
  passes.erase(end + (end == passes.end() ? 0 : 1), passes.end());
  Diagnostics diagnostics;
  runPasses(meaning.module(), passes, {}, {}, diagnostics);
  reportDiagnostics(diagnostics, meaning.source->sources);
  return meaning;
}

std::unique_ptr<StepSide> interpreterSide(const Meaning &meaning, train::Trainer &trainer,
                                          const train::Dataset &data) {
  return std::make_unique<InterpreterSide>(meaning, trainer, data);
}

std::unique_ptr<StepSide> objectSide(std::unique_ptr<LoadedModel> object, std::string name,
                                     train::Trainer &trainer, const train::Dataset &data) {
  const train::Model found(object->table());
  const auto differences =
      TableComparison(trainer.instance().model(), found).run(trainer.stepEntry());
  if (!differences.empty())
    throw Error(ErrorKind::Data, {name},
                fmt::format("the object does not fit the recorded model:\n  {}",
                            fmt::join(differences, "\n  ")));
  return std::make_unique<ObjectSide>(std::move(object), std::move(name), trainer, data);
}

} // namespace apr::aprun
