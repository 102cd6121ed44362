// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/lockstep.h"

#include "runtime/train/table_loader.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/interrupt.h"
#include "tools/aprun/locate_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

/// What --against asks for.
struct Against {
  enum class Kind { Interpreter, Compiled, Object };
  Kind kind = Kind::Interpreter;
  std::string name;
  ModelRequest request; ///< of Compiled and Object
};

bool takePrefix(std::string_view &text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

ModelRequest ownRequest(const Session &session, const CommandLine &line) {
  return {session.settings.model, session.settings.set, line.option("cpu").value_or("native"),
          line.option("optimize").value_or("")};
}

Against parseAgainst(const Session &session, const CommandLine &line, const std::string &word) {
  Against against{Against::Kind::Compiled, word, {}};
  against.request = ownRequest(session, line);
  if (word == "interpreter") {
    against.kind = Against::Kind::Interpreter;
    against.name = "the interpreter";
    return against;
  }
  std::string_view rest = word;
  takePrefix(rest, "--");
  if (takePrefix(rest, "cpu=")) {
    against.request.cpu = rest;
    against.name = rest;
  } else if (takePrefix(rest, "optimize=")) {
    if (rest.size() != 1 || rest[0] < '0' || rest[0] > '3')
      throw Error(ErrorKind::Usage, {"--against"},
                  fmt::format("expected a level from 0 to 3, found {}", train::inQuotes(rest)));
    against.request.optimize = rest;
    against.name = fmt::format("-O{}", rest);
  } else if (word.ends_with(".o")) {
    against.kind = Against::Kind::Object;
    against.request = {word, {}, "native", ""};
  } else if (word.ends_with(".apr") || word.ends_with(".apir")) {
    against.request.path = word;
  } else {
    throw Error(ErrorKind::Usage, {"--against"},
                fmt::format("expected interpreter, cpu=LEVEL, optimize=LEVEL, an object (.o) or a "
                            "model (.apr), found {}",
                            train::inQuotes(word)));
  }
  return against;
}

/// One output of a step: a state tensor after it, or a result.
struct Output {
  std::string name;
  ResultRole role = ResultRole::Result;
  std::int32_t dtype = 0;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> ours;
  std::span<const std::byte> theirs;
};

bool isSame(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/// An output of the step that differed, with its values.
struct KeptOutput {
  std::string name;
  ResultRole role;
  std::vector<std::byte> ours;
  std::vector<std::byte> theirs;
};

std::size_t stateBytes(const aprt_tensor &tensor) {
  return train::elementCount(tensor) * train::elementBytes(tensor.dtype);
}

/// Runs the other way beside the trainer and stops at the first step that differs.
class Lockstep : public train::Observer {
public:
  Lockstep(train::Trainer &trainer, const train::Dataset &data, StepSide &other)
      : trainer_(trainer), data_(data), other_(other) {}

  void compareStart() {
    for (const Output &output : stateOutputs())
      if (!isSame(output.ours, output.theirs))
        return describe(output, "before the first step");
  }

  void beforeStep(const train::StepPosition &position, std::span<const std::size_t> rows) override {
    epoch_ = position.epoch;
    rows_.assign(rows.begin(), rows.end());
    const std::byte *state = trainer_.instance().state();
    before_.assign(state, state + trainer_.instance().model().table().state_bytes);
  }

  void onStep(const train::StepReport &report) override {
    if (differs())
      return;
    other_.step(rows_, epoch_);
    auto outputs = stateOutputs();
    addResults(*report.call, outputs);
    const auto first = std::find_if(outputs.begin(), outputs.end(), [](const Output &output) {
      return !isSame(output.ours, output.theirs);
    });
    if (first == outputs.end()) {
      steps_ = report.step;
      return;
    }
    describe(*first, fmt::format("step {}{}", report.step,
                                 report.epoch > 0 ? fmt::format(" (epoch {})", report.epoch) : ""));
    keep(outputs);
  }

  bool shouldStop() override { return differs() || InterruptGuard::isRequested(); }

  bool differs() const { return !lines_.empty(); }
  std::uint64_t steps() const { return steps_; }
  const std::vector<std::string> &lines() const { return lines_; }
  void add(const std::vector<std::string> &lines) {
    lines_.insert(lines_.end(), lines.begin(), lines.end());
  }
  /// The outputs of the step that differed; none where the state before the first step did.
  const std::vector<KeptOutput> &outputs() const { return outputs_; }

  /// Goes back before the step that differed and returns its call.
  FunctionCall callOf(const Function &function) {
    train::Instance &instance = trainer_.instance();
    if (!before_.empty())
      std::memcpy(instance.state(), before_.data(), before_.size());
    train::RowFeed feed(instance, trainer_.stepEntry(), trainer_.options().fixed, data_,
                        trainer_.options().batchRows);
    feed.setEpoch(epoch_);
    feed.prepare(rows_);
    return {&function, argumentsOf(function, instance, feed), dimsOf(feed)};
  }

private:
  std::vector<Output> stateOutputs() const {
    std::vector<Output> outputs;
    const train::Instance &instance = trainer_.instance();
    for (const aprt_tensor &tensor : instance.model().tensors()) {
      Output output{tensor.name, ResultRole::Update, tensor.dtype, {}, {}, {}};
      for (std::uint32_t i = 0; i < tensor.rank; ++i)
        output.shape.push_back(tensor.dims[i].value);
      output.ours = {instance.values(tensor), stateBytes(tensor)};
      output.theirs = other_.state(tensor.name);
      outputs.push_back(std::move(output));
    }
    return outputs;
  }

  void addResults(const train::EntryCall &call, std::vector<Output> &outputs) const {
    for (std::size_t i = 0; i < call.resultCount(); ++i) {
      const train::ResultView view = call.result(i);
      outputs.push_back({view.tensor->name,
                         ResultRole::Result,
                         view.tensor->dtype,
                         {view.shape.begin(), view.shape.end()},
                         {view.values, view.elements * train::elementBytes(view.tensor->dtype)},
                         other_.result(view.tensor->name)});
    }
  }

  void describe(const Output &output, const std::string &when) {
    const auto element =
        firstDifference(dtypeOf(output.dtype), output.shape, output.ours, output.theirs);
    const std::string name =
        fmt::format("{} {}", output.role == ResultRole::Update ? "tensor" : "result", output.name);
    lines_.push_back(element ? fmt::format("{}: {}{}: this program has {}, {} has {}; {} of the "
                                           "elements differ",
                                           when, name, element->index, element->first,
                                           other_.name(), element->second, element->count)
                             : fmt::format("{}: {}: the sizes differ", when, name));
  }

  void keep(const std::vector<Output> &outputs) {
    std::vector<std::string> differing;
    for (const Output &output : outputs) {
      outputs_.push_back({output.name,
                          output.role,
                          {output.ours.begin(), output.ours.end()},
                          {output.theirs.begin(), output.theirs.end()}});
      if (!isSame(output.ours, output.theirs))
        differing.push_back(output.name);
    }
    if (differing.size() > 1)
      lines_.push_back(fmt::format("different after this step: {}", fmt::join(differing, ", ")));
  }

  train::Trainer &trainer_;
  const train::Dataset &data_;
  StepSide &other_;
  std::vector<std::size_t> rows_;
  std::uint64_t epoch_ = 0;
  std::vector<std::byte> before_;
  std::uint64_t steps_ = 0;
  std::vector<std::string> lines_;
  std::vector<KeptOutput> outputs_;
};

/// Looks for the op behind a difference, and for the side that is wrong.
class Explanation {
public:
  Explanation(const Meaning &meaning, const Function &function, const Against &against,
              Lockstep &lockstep)
      : meaning_(meaning), function_(function), against_(against), lockstep_(lockstep),
        call_(lockstep.callOf(function)) {}

  /// `own` is how this program compiles the model.
  void run(const ModelRequest &own) {
    judge();
    std::vector<CompiledSide> wrong;
    std::optional<Meaning> other;
    const std::size_t ops = function_.graph.ops().size();
    if (!areOursRight_)
      wrong.push_back({"this program", own, &meaning_, ops});
    const bool isOther = !areTheirsRight_ && against_.kind == Against::Kind::Compiled;
    std::optional<std::size_t> otherOp;
    if (isOther) {
      other = readMeaning(against_.request);
      otherOp = firstOtherOp(function_, *other->module().findFunction(function_.name));
      wrong.push_back({against_.name, against_.request, &*other, otherOp.value_or(ops)});
    }
    const auto located =
        wrong.empty() ? std::vector<std::string>{} : locateOp(meaning_, call_, wrong);
    lockstep_.add(located);
    if (!located.empty())
      return;
    if (otherOp)
      describeOtherOp(*other, *otherOp);
    narrow();
  }

private:
  /// Compares both sides with the interpreter, output by output.
  void judge() {
    const auto results = interpretFunction(function_, call_.arguments, call_.dims);
    if (!results)
      throw Error(ErrorKind::Data, fmt::format("the interpreter stopped: {}", results.error()));
    for (std::size_t i = 0; i < results->size(); ++i) {
      const auto output = std::find_if(
          lockstep_.outputs().begin(), lockstep_.outputs().end(), [&](const KeptOutput &kept) {
            return kept.role == function_.results[i].role && kept.name == function_.results[i].name;
          });
      if (output == lockstep_.outputs().end())
        continue;
      areOursRight_ = areOursRight_ && isSame(output->ours, (*results)[i].data);
      areTheirsRight_ = areTheirsRight_ && isSame(output->theirs, (*results)[i].data);
      (isSame(output->ours, output->theirs) ? equal_ : differing_).push_back(i);
    }
    if (against_.kind != Against::Kind::Interpreter)
      lockstep_.add({fmt::format("the interpreter agrees with {}", areOursRight_ ? "this program"
                                                                   : areTheirsRight_ ? against_.name
                                                                                     : "neither")});
  }

  /// A model of other ops can only be compared op by op as far as these are the same.
  void describeOtherOp(const Meaning &other, std::size_t index) {
    const auto described = [&](const Meaning &meaning, const Graph &graph) {
      return index < graph.ops().size() ? describeOp(meaning, graph, graph.ops()[index].result())
                                        : std::string("nothing");
    };
    const Graph &theirs = other.module().findFunction(function_.name)->graph;
    lockstep_.add(
        {fmt::format("first op that is another one: {}", described(meaning_, function_.graph)),
         fmt::format("in its place {} has: {}", against_.name, described(other, theirs))});
  }

  /// Without a look at the values between, the outputs have to tell.
  void narrow() {
    const Graph &graph = function_.graph;
    const auto order = [&](std::size_t result) {
      return graph.definitionIndex(graph.results[result]).value_or(0);
    };
    const auto earliest =
        std::min_element(differing_.begin(), differing_.end(),
                         [&](std::size_t a, std::size_t b) { return order(a) < order(b); });
    if (earliest == differing_.end())
      return;
    lockstep_.add({fmt::format("first op with a value that can be seen and differs: {}",
                               describeOp(meaning_, graph, graph.results[*earliest]))});
    const auto suspects = suspectOps(meaning_, function_, differing_, equal_);
    if (!suspects.empty())
      lockstep_.add({"the values between cannot be seen; all that differs depends on these ops:"});
    for (const std::string &suspect : suspects)
      lockstep_.add({"  " + suspect});
  }

  const Meaning &meaning_;
  const Function &function_;
  const Against &against_;
  Lockstep &lockstep_;
  FunctionCall call_;
  bool areOursRight_ = true;
  bool areTheirsRight_ = true;
  std::vector<std::size_t> differing_;
  std::vector<std::size_t> equal_;
};

} // namespace

int compareInLockstep(Session &session, const CommandLine &line, Rerun &rerun,
                      const std::string &word, std::uint64_t steps) {
  const Against against = parseAgainst(session, line, word);
  const bool hasSource = !session.settings.model.ends_with(".o");
  if (!hasSource && against.kind != Against::Kind::Object)
    throw Error(ErrorKind::Usage, {session.settings.model},
                "the run was made with an object; name the model's source by --model");
  train::Trainer &trainer = *rerun.trainer;
  std::optional<Meaning> meaning;
  if (hasSource)
    meaning = readMeaning({session.settings.model, session.settings.set, "native", ""});
  auto other =
      against.kind == Against::Kind::Interpreter
          ? interpreterSide(*meaning, trainer, rerun.loaded.data)
          : objectSide(loadModel(against.request), against.name, trainer, rerun.loaded.data);
  Lockstep lockstep(trainer, rerun.loaded.data, *other);
  other->initialise(session.settings.trainer.seed);
  if (!session.record->startHash.empty())
    for (const aprt_tensor &tensor : trainer.instance().model().tensors())
      other->setState(tensor.name, {trainer.instance().values(tensor), stateBytes(tensor)});
  lockstep.compareStart();
  RerunReport repeated;
  if (!lockstep.differs())
    repeated = repeatTraining(session, rerun, steps, &lockstep);
  const bool areDifferent = lockstep.differs() || !repeated.differences.empty();
  const Function *step =
      meaning ? meaning->module().findFunction(trainer.stepEntry().name) : nullptr;
  if (step && !lockstep.outputs().empty())
    Explanation(*meaning, *step, against, lockstep).run(ownRequest(session, line));
  for (const std::string &text : lockstep.lines())
    fmt::print("{}\n", text);
  for (const std::string &text : repeated.differences)
    fmt::print("different: {}\n", text);
  fmt::print("{} against {}: identical through step {} of {}; to the record through step {}\n",
             session.folder, against.name, lockstep.steps(), session.record->steps, repeated.steps);
  if (areDifferent)
    return OtherBits;
  return repeated.isInterrupted ? Interrupted : Success;
}

} // namespace apr::aprun
