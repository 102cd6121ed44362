// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-fuzz/trial.h"

#include "codegen/compile.h"
#include "codegen/jit.h"
#include "ir/text.h"
#include "ir/verifier.h"
#include "passes/pass_manager.h"
#include "passes/pipeline.h"
#include "tools/graph_generator/coverage.h"
#include "tools/ir_runs/interpreter_work.h"
#include "tools/ir_runs/tensor_text.h"
#include "tools/native_runs/native_call.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::fuzz {
namespace {

constexpr std::string_view kLastOfMeaning = "fix-reduction-orders";

struct Split {
  std::vector<std::string> meaning; ///< passes up to fix-reduction-orders
  std::vector<std::string> code;    ///< the others, which change no bit
};

Split splitPipeline() {
  Split split;
  split.meaning = makePipeline(OptimizationLevel::Default);
  auto end = std::ranges::find(split.meaning, kLastOfMeaning) + 1;
  split.code.assign(end, split.meaning.end());
  split.meaning.erase(end, split.meaning.end());
  return split;
}

const Split &pipeline() {
  static const Split split = splitPipeline();
  return split;
}

/// Ends a trial with what was found.
struct Found {
  Finding finding;
};

[[noreturn]] void fail(std::string text) {
  throw Found{{Finding::Kind::Failure, "", 0, 0, std::move(text)}};
}

PassOptions passOptions(const Trial &trial) {
  PassOptions options;
  options.fuse = trial.configuration.fuses;
  if (trial.configuration.bindsDims)
    options.dims = trial.dims;
  return options;
}

std::string problemsOf(const Diagnostics &diagnostics) {
  std::string text;
  for (const Diagnostic &diagnostic : diagnostics.all())
    text += (text.empty() ? "" : "\n") + diagnostic.message;
  return text;
}

aprt_pool *poolOf(uint32_t workers) {
  struct Destroy {
    void operator()(aprt_pool *pool) const { aprt_pool_destroy(pool); }
  };
  static std::map<uint32_t, std::unique_ptr<aprt_pool, Destroy>> pools;
  auto &pool = pools[workers];
  if (!pool)
    pool.reset(aprt_pool_create(workers));
  return pool.get();
}

run::Workers workersOf(uint32_t count) {
  if (count == 0)
    return run::workersOf(run::Schedule::Backwards);
  if (count == 1)
    return run::workersOf(run::Schedule::Serial);
  const aprt_exec exec = aprt_pool_exec(poolOf(count), 0);
  return {exec.workers, exec.par_for, exec.ctx};
}

/// One trial while it runs.
class Runner {
public:
  explicit Runner(const Trial &trial) : trial_(trial) {}

  TrialResult run() {
    try {
      Diagnostics diagnostics;
      if (!verify(trial_.module, diagnostics))
        fail("the verifier refuses the generated module: " + problemsOf(diagnostics));
      auto meaning = lowerToMeaning(trial_.module);
      if (!meaning)
        throw Found{{Finding::Kind::Refused, "", 0, 0, meaning.error()}};
      if (trial_.configuration.parts == StepParts::Dropped)
        dropParts(*meaning);
      result_.ops = opsOf(*meaning);
      computeReference(*meaning);
      compareWithCode(*meaning, trial_.configuration);
      if (trial_.configuration.thoroughness == Thoroughness::Stages)
        checkStages(*meaning);
    } catch (const Found &found) {
      result_.finding = found.finding;
    } catch (const std::exception &error) {
      result_.finding = Finding{Finding::Kind::Failure, "", 0, 0,
                                fmt::format("internal error: {}", error.what())};
    }
    return std::move(result_);
  }

private:
  /// Leaves the steps of a module that has some.
  static void dropParts(Module &module) {
    auto isStep = [](const Function &f) { return f.kind == FunctionKind::Step; };
    if (std::ranges::any_of(module.functions, isStep))
      std::erase_if(module.functions, [&](const Function &f) { return !isStep(f); });
  }

  /// What the interpreter gives for one call.
  struct Reference {
    Call call;
    std::map<std::string, std::vector<Tensor>> arguments;
    std::map<std::string, run::Outcome> expected;
  };

  void computeReference(const Module &meaning) {
    for (size_t repeat = 0; repeat < trial_.repeats; ++repeat) {
      Reference reference{callOf(trial_, repeat), {}, {}};
      if (repeat > 0 && isTooLarge(meaning, reference.call.dims))
        continue;
      const Trial one = onlyRepeat(trial_, repeat);
      for (const Function &function : meaning.functions) {
        auto &arguments = reference.arguments[function.name] = argumentsOf(one, meaning, function);
        auto expected = interpretFunction(function, arguments, reference.call.dims);
        ++(expected ? result_.calls : result_.refusedCalls);
        reference.expected.emplace(function.name, std::move(expected));
      }
      repeat_[references_.size()] = repeat;
      references_.push_back(std::move(reference));
    }
  }

  /// Sizes that were not chosen for the graph may make its values huge.
  static bool isTooLarge(const Module &module, const DimBindings &dims) {
    constexpr double kMaximumWork = 3e5;
    return std::ranges::any_of(module.functions, [&](const Function &function) {
      return run::interpreterWork(function.graph, dims) > kMaximumWork;
    });
  }

  void compare(const std::string &what, const Function &function, size_t number,
               const run::Outcome &found) {
    const run::Outcome &expected = references_[number].expected.at(function.name);
    auto report = [&](Finding::Kind kind, size_t result, const std::string &text) {
      throw Found{{kind, function.name, result, repeat_[number],
                   fmt::format("@{}: {}: {}", function.name, what, text)}};
    };
    if (bool(found) != bool(expected))
      report(Finding::Kind::Verdict, 0,
             found ? "gives results, the reference the error '" + expected.error() + "'"
                   : "gives the error '" + found.error() + "', the reference results");
    for (size_t i = 0; found && i < found->size(); ++i)
      if (auto where = run::firstDifference((*found)[i], (*expected)[i]))
        report(Finding::Kind::Difference, i,
               fmt::format("{}: {}", function.results[i].name, *where));
  }

  void compareWithInterpreter(const std::string &what, const Module &module) {
    const Reference &first = references_.front();
    for (const Function &function : module.functions)
      if (first.expected.contains(function.name))
        compare(what, function, 0,
                interpretFunction(function, first.arguments.at(function.name), first.call.dims));
  }

  void compareWithCode(Module module, const Configuration &configuration) {
    Diagnostics diagnostics;
    PassManagerOptions manager;
    manager.verifyEach = false;
    manager.disabled = configuration.disabled;
    if (!runPasses(module, pipeline().code, passOptions(trial_), manager, diagnostics))
      fail("a pass towards code reports: " + problemsOf(diagnostics));
    CompileOptions options;
    options.target = configuration.target;
    auto compiled = compileModule(module, options);
    if (!compiled)
      fail("codegen reports: " + compiled.error());
    auto linked = linkObject(compiled->object, module.name);
    if (!linked)
      fail(linked.error());
    for (size_t i = 0; i < references_.size(); ++i)
      for (const Function &function : module.functions)
        compare("native code", function, i,
                run::callNative((*linked)->model(), function,
                                references_[i].arguments.at(function.name),
                                references_[i].call.dims, workersOf(references_[i].call.workers)));
  }

  void checkStages(const Module &meaning) {
    checkText("the source", trial_.module);
    checkRewrites();
    Module module = meaning;
    checkText("fix-reduction-orders", module);
    PassManagerOptions manager;
    manager.verifyEach = true;
    for (const std::string &pass : pipeline().code) {
      Diagnostics diagnostics;
      if (!runPasses(module, std::span(&pass, 1), passOptions(trial_), manager, diagnostics))
        fail(pass + " reports: " + problemsOf(diagnostics));
      compareWithInterpreter("the interpreter after " + pass, module);
      checkText(pass, module);
    }
    Configuration plain = trial_.configuration;
    plain.target.level = CodegenLevel::O0;
    plain.target.lanes = KernelLanes::ByLevel;
    compareWithCode(meaning, plain);
  }

  /// From rewrite-values on no pass may change a bit; before it differentiate has made a graph that
  /// can be run.
  void checkRewrites() {
    Module module = trial_.module;
    bool hasMeaning = false;
    for (const std::string &pass : pipeline().meaning) {
      Diagnostics diagnostics;
      PassManagerOptions manager;
      manager.verifyEach = true;
      if (!runPasses(module, std::span(&pass, 1), {}, manager, diagnostics))
        fail(pass + " alone reports: " + problemsOf(diagnostics));
      hasMeaning = hasMeaning || pass == "rewrite-values";
      if (hasMeaning)
        compareWithInterpreter("the interpreter after " + pass, module);
    }
  }

  static void checkText(const std::string &stage, const Module &module) {
    const std::string text = print(module);
    SourceManager sources;
    Diagnostics diagnostics;
    auto again = parseModule(sources, sources.add(stage, text), diagnostics);
    if (!again)
      fail("the text after " + stage + " is refused: " + problemsOf(diagnostics));
    if (print(*again) != text)
      fail("the text after " + stage + " reads back as another module");
  }

  const Trial &trial_;
  TrialResult result_;
  std::vector<Reference> references_;
  std::map<size_t, size_t> repeat_; ///< which call a reference is for
};

} // namespace

Trial makeTrial(uint64_t runSeed, uint64_t index) {
  static const std::vector<std::string> cpus = hostCpus();
  const Recipe recipe = recipeOf(runSeed, index);
  Generated generated = generate(recipe);
  Trial trial;
  trial.module = std::move(generated.module);
  trial.dims = std::move(generated.dims);
  trial.seed = recipe.seed;
  trial.repeats = 3;
  run::RandomInputs random(recipe.seed ^ 0x5bd1e995);
  trial.configuration = drawConfiguration(random, cpus);
  return trial;
}

Call callOf(const Trial &trial, size_t repeat) {
  Call call{trial.dims, trial.seed + repeat, trial.configuration.workers};
  if (repeat == 0)
    return call;
  run::RandomInputs random(call.seed);
  call.workers = static_cast<uint32_t>(random.below(4));
  if (!trial.configuration.bindsDims && random.below(3) != 0)
    for (auto &[name, size] : call.dims)
      size = random.size();
  return call;
}

Trial onlyRepeat(const Trial &trial, size_t repeat) {
  const Call call = callOf(trial, repeat);
  Trial one = trial;
  one.dims = call.dims;
  one.seed = call.seed;
  one.repeats = 1;
  one.configuration.workers = call.workers;
  return one;
}

TrialResult runTrial(const Trial &trial) { return Runner(trial).run(); }

Result<Module> lowerToMeaning(const Module &source) {
  Module module = source;
  Diagnostics diagnostics;
  PassManagerOptions manager;
  manager.verifyEach = false;
  if (!runPasses(module, pipeline().meaning, {}, manager, diagnostics))
    return Error{problemsOf(diagnostics)};
  return module;
}

std::vector<Tensor> argumentsOf(const Trial &trial, const Module &module,
                                const Function &function) {
  auto arguments = makeArguments(module, function, trial.dims, trial.seed);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Argument &argument = function.arguments[i];
    if (auto known = trial.arguments.find({argument.role, argument.name});
        known != trial.arguments.end())
      arguments[i] = known->second;
  }
  return arguments;
}

} // namespace apr::fuzz
