// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/result.h"
#include "passes/pass.h"

#include <chrono>
#include <functional>

namespace apr {

/// Which stages the pass manager prints.
enum class PrintPolicy : uint8_t { Nothing, Changed, All };

/// Whether the verifier runs between passes when nobody says: in debug builds.
#ifdef NDEBUG
inline constexpr bool kVerifyEachByDefault = false;
#else
inline constexpr bool kVerifyEachByDefault = true;
#endif

struct PassTiming {
  std::string_view pass;
  std::chrono::nanoseconds time{0};
};

/// Sees the module around every pass that runs, and may throw to end the run.
class PassObserver {
public:
  virtual ~PassObserver() = default;
  virtual void beforePass(const PassInfo &pass, const Module &module) = 0;
  /// Not called where the pass reports an error.
  virtual void afterPass(const PassInfo &pass, const Module &module) = 0;
};

/// How passes are run; nothing here changes what they compute, but `disabled` and `bisectLimit`,
/// which leave out bit-preserving ones only.
struct PassManagerOptions {
  std::vector<std::string> disabled;
  bool verifyEach = kVerifyEachByDefault;
  PrintPolicy print = PrintPolicy::Nothing;
  std::string dumpDirectory;          ///< numbered files, one per pass; empty: none
  std::optional<int64_t> bisectLimit; ///< run only so many bit-preserving passes, and log each
  std::function<void(std::string_view)> log; ///< receives what `print` and `bisectLimit` write
  std::vector<PassTiming> *timings = nullptr;
  PassObserver *observer = nullptr;
};

/// Splits "cse,dce" and checks the names; the error names the unknown pass and a close one.
Result<std::vector<std::string>> parsePassList(std::string_view text);

/// An error where a name is no pass, or where the pass defines meaning and so cannot be disabled.
std::optional<Error> findDisableProblem(std::span<const std::string> disabled);

/// Runs the passes in order and stops after one that reports an error; true if none did.
///
/// An InternalError of a pass, or IR that the verifier refuses after it (`verifyEach`), is rethrown
/// with the pass's name and the file that the IR before it was written to.
bool runPasses(Module &module, std::span<const std::string> passes, const PassOptions &options,
               const PassManagerOptions &managerOptions, Diagnostics &diagnostics);

/// The table of --time-passes.
std::string renderTimings(std::span<const PassTiming> timings);

} // namespace apr
