// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/trainer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace apr::train {

struct GradCheckOptions {
  std::size_t samples = 64; ///< elements checked per parameter; 0: all
  double tolerance = 1e-6;  ///< largest relative error accepted
  std::string loss;         ///< the differentiated result; empty: the first one
};

/// How one parameter's gradient compares with finite differences.
struct TensorCheck {
  std::string name;
  std::string type;
  std::size_t elements = 0;
  std::size_t checked = 0;
  double worstError = 0; ///< relative error of the worst element
  std::size_t worstElement = 0;
  double analytic = 0; ///< of the worst element
  double numeric = 0;
  bool passes = true;
};

struct GradCheckReport {
  std::string lossName;
  double loss = 0;
  std::vector<TensorCheck> tensors;

  bool passes() const;
};

/// Compares the gradients that a train block computes for one batch with central differences
/// (L(p+h) - L(p-h)) / 2h of its loss, element by element, for h = 1e-5, 1e-6 and 1e-4 times
/// max(1, |p|), of which the closest counts: a kink of the loss between p-h and p+h spoils some of
/// them, a wrong gradient all. What a few roundings of the loss explain is not held against small
/// gradients. The loss comes from the same grad entry, so random draws are the
/// same. The parameters must be f64; else an `Error` of kind Usage. The state is left as it was.
GradCheckReport checkGradients(Trainer &trainer, const Dataset &data,
                               const std::vector<std::size_t> &rows,
                               const GradCheckOptions &options);

/// Which tensors of a block's gradient block are no derivatives but new values, written with `<-`:
/// those that apply copies to the state as they are. The state is left as it was.
std::vector<bool> writtenValues(Instance &instance, std::uint32_t block);

/// The report as a table for a person.
std::string table(const GradCheckReport &report, double tolerance);

} // namespace apr::train
