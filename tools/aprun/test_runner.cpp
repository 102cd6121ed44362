// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/test_runner.h"

#include "codegen/compile.h"
#include "ir/interp/interpreter.h"
#include "passes/pass_manager.h"
#include "passes/pipeline.h"
#include "runtime/train/error.h"
#include "runtime/train/instance.h"
#include "tools/aprun/expectation_text.h"
#include "tools/aprun/jit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

/// What one way of running a test gave: its results, or why there are none.
struct Run {
  std::vector<Tensor> results;
  std::string problem;
};

std::string functionName(std::size_t index) { return fmt::format("test{}", index); }

/// The functions of all tests that can run, as entries of one module.
Module moduleOf(const std::vector<LoweredTest> &tests) {
  Module module;
  module.name = "tests";
  for (std::size_t i = 0; i < tests.size(); ++i) {
    if (!tests[i].function || tests[i].function->results.empty())
      continue;
    module.functions.push_back(*tests[i].function);
    module.functions.back().name = functionName(i);
  }
  return module;
}

/// The passes that define what the functions mean; from there on every pass preserves every bit.
std::vector<std::string> meaningPipeline() {
  auto passes = makePipeline(OptimizationLevel::O0);
  const auto end = std::find(passes.begin(), passes.end(), "fix-reduction-orders");
  passes.erase(end + (end == passes.end() ? 0 : 1), passes.end());
  return passes;
}

Run interpretTest(const Module &module, std::size_t index, std::uint64_t seed) {
  const Function &function = *module.findFunction(functionName(index));
  const std::vector<Tensor> arguments(function.arguments.size(),
                                      Tensor::scalar(DType::I64, static_cast<std::int64_t>(seed)));
  auto results = interpretFunction(function, arguments);
  if (!results)
    return {{}, fmt::format("the interpreter stopped: {}", results.error())};
  return {std::move(*results), {}};
}

/// The compiled tests of a file.
class CompiledTests {
public:
  CompiledTests(const Module &source, const TestRunOptions &options, Diagnostics &diagnostics) {
    Module module = source;
    const auto level = options.optimize == "0" ? OptimizationLevel::O0 : OptimizationLevel::Default;
    if (!runPasses(module, makePipeline(level), makePassOptions(level), {}, diagnostics))
      return;
    CompileOptions compile;
    compile.target.cpu = options.cpu;
    if (!options.optimize.empty())
      compile.target.level = static_cast<CodegenLevel>(options.optimize[0] - '0');
    if (const auto made = Target::create(compile.target); !made)
      throw Error(ErrorKind::Usage, {"--cpu"}, made.error());
    auto compiled = compileModule(module, compile);
    if (!compiled)
      throw Error(ErrorKind::Internal, compiled.error());
    object_ = linkObject(std::move(compiled->object), "the tests");
    instance_.emplace(object_->model(), 1);
  }

  Run run(std::size_t index, std::uint64_t seed) {
    const aprt_entry &entry = instance_->model().entry(functionName(index));
    train::EntryCall call(*instance_, entry);
    try {
      call.setDims({});
      const std::vector<const void *> inputs(entry.input_count, &seed);
      call.run(inputs, 0);
    } catch (const Error &error) {
      return {{}, fmt::format("the compiled code stopped: {}", error.what())};
    }
    Run run;
    for (std::size_t i = 0; i < call.resultCount(); ++i)
      run.results.push_back(tensorOf(call.result(i)));
    return run;
  }

private:
  static Tensor tensorOf(const train::ResultView &view) {
    static constexpr DType dtypes[] = {DType::F32,  DType::F64, DType::I32, DType::I64,
                                       DType::Bool, DType::U8,  DType::BF16};
    static_assert(APRT_F32 == 0 && APRT_F64 == 1 && APRT_I32 == 2 && APRT_I64 == 3 &&
                  APRT_BOOL == 4 && APRT_U8 == 5 && APRT_BF16 == 6);
    Tensor tensor =
        Tensor::zeros(dtypes[view.tensor->dtype], {view.shape.begin(), view.shape.end()});
    if (!tensor.data.empty())
      std::memcpy(tensor.data.data(), view.values, tensor.data.size());
    return tensor;
  }

  std::unique_ptr<LinkedObject> object_;
  std::optional<train::Instance> instance_;
};

void judge(const LoweredTest &test, const std::vector<Tensor> &results, TestOutcome &outcome) {
  for (const Expectation &expectation : test.expectations)
    if (auto message = failureText(expectation, results))
      outcome.failures.push_back({expectation.location, std::move(*message)});
}

/// What the two ways gave differently, at most once per condition.
void compareRuns(const LoweredTest &test, const Run &interpreted, const Run &compiled,
                 TestOutcome &outcome) {
  for (const Expectation &expectation : test.expectations)
    for (const auto &index : {expectation.left, expectation.right, expectation.verdict})
      if (index && interpreted.results[*index].data != compiled.results[*index].data) {
        outcome.failures.push_back(
            {expectation.location,
             "interpreter and compiled code give different bits: " +
                 differenceText(interpreted.results[*index], compiled.results[*index],
                                {"interpreter", "compiled"})});
        break;
      }
}

TestOutcome runTest(const LoweredTest &test, std::size_t index, const Module *interpreted,
                    CompiledTests *compiled, std::uint64_t seed) {
  TestOutcome outcome{TestOutcome::Status::Passed, test.title, test.location, {}};
  std::vector<Run> runs;
  if (test.function->results.empty())
    runs.push_back({});
  else if (interpreted)
    runs.push_back(interpretTest(*interpreted, index, seed));
  if (compiled && !test.function->results.empty())
    runs.push_back(compiled->run(index, seed));
  bool isComplete = true;
  for (const Run &run : runs)
    if (!run.problem.empty()) {
      outcome.failures.push_back({test.location, run.problem});
      isComplete = false;
    }
  if (isComplete) {
    judge(test, runs.front().results, outcome);
    if (runs.size() == 2)
      compareRuns(test, runs[0], runs[1], outcome);
  }
  if (!outcome.failures.empty())
    outcome.status = TestOutcome::Status::Failed;
  return outcome;
}

} // namespace

std::vector<TestOutcome> runTests(const std::vector<LoweredTest> &tests,
                                  const TestRunOptions &options, Diagnostics &diagnostics) {
  const Module module = moduleOf(tests);
  Module interpreted = module;
  std::optional<CompiledTests> compiled;
  if (options.interprets)
    runPasses(interpreted, meaningPipeline(), {}, {}, diagnostics);
  if (options.compiles && !module.functions.empty() && !diagnostics.hasErrors())
    compiled.emplace(module, options, diagnostics);
  const bool isRunnable = !diagnostics.hasErrors();
  std::vector<TestOutcome> outcomes;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    if (!isRunnable || !tests[i].function)
      outcomes.push_back({TestOutcome::Status::Broken, tests[i].title, tests[i].location, {}});
    else
      outcomes.push_back(runTest(tests[i], i, options.interprets ? &interpreted : nullptr,
                                 compiled ? &*compiled : nullptr, options.seed));
  }
  return outcomes;
}

} // namespace apr::aprun
