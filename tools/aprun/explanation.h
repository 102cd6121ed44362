// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/against.h"
#include "tools/aprun/lockstep.h"

#include <vector>

namespace apr::aprun {

/// Looks for the op behind a difference, and for the side that is wrong.
class Explanation {
public:
  /// `meaning` is that of the model, `function` its step.
  Explanation(const Meaning &meaning, const Function &function, const Against &against,
              Lockstep &lockstep)
      : meaning_(meaning), function_(function), against_(against), lockstep_(lockstep),
        call_(lockstep.callOf(function)) {}

  /// Adds lines to those of the lockstep; `own` is how this program compiles the model.
  void run(const ModelRequest &own);

private:
  void judge();
  void describeOtherOp(const Meaning &other, std::size_t index);
  void narrow();

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

} // namespace apr::aprun
