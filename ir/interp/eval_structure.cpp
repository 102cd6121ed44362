// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/eval.h"
#include "ir/scan.h"

#include <algorithm>

namespace apr::interp {

void evalGradient(Evaluation &e) {
  e.reject("cannot be computed: the pass differentiate replaces it");
}

void evalKernel(Evaluation &e) {
  e.require(e.op().region != nullptr, "has no region");
  std::vector<const Tensor *> arguments;
  for (size_t i = 0; i < e.operandCount(); ++i)
    arguments.push_back(&e.operand(i));
  auto results = runGraph(*e.op().region, arguments, e.dims(), e.memory(), e.depth() + 1, {});
  e.require(results.size() == e.op().results.size(),
            "has another number of results than its region");
  for (size_t i = 0; i < results.size(); ++i)
    e.setResult(i, std::move(results[i]));
}

namespace {

/// The run of one scan: its carries between two steps.
class ScanRun {
public:
  explicit ScanRun(Evaluation &e) : e_(e), parts_(e.op()) {
    for (size_t k = 0; k < parts_.carries; ++k) {
      e_.memory().take(static_cast<int64_t>(e_.operand(k).data.size()));
      carries_.push_back(e_.operand(k));
    }
    for (size_t k = 0; k < parts_.inputs; ++k) {
      const Tensor &stacked = e_.operand(parts_.carries + k);
      Extents extents(stacked.shape.begin() + 1, stacked.shape.end());
      e_.memory().take(checkedBytes(stacked.dtype, extents));
      slices_.push_back(Tensor::zeros(stacked.dtype, extents));
    }
  }

  void run() {
    const int64_t length = e_.evaluate(parts_.length);
    e_.require(length >= 0, "has a negative length");
    for (int64_t i = 0; i < length; ++i)
      step(parts_.isBackwards ? length - 1 - i : i);
    for (const Tensor &slice : slices_)
      e_.memory().giveBack(static_cast<int64_t>(slice.data.size()));
    for (size_t k = 0; k < parts_.carries; ++k)
      e_.setResult(k, std::move(carries_[k]));
  }

private:
  void step(int64_t at) {
    std::vector<const Tensor *> arguments;
    for (const Tensor &carry : carries_)
      arguments.push_back(&carry);
    for (size_t k = 0; k < parts_.inputs; ++k) {
      Tensor &slice = slices_[k];
      const auto bytes = static_cast<std::ptrdiff_t>(slice.data.size());
      std::copy_n(e_.operand(parts_.carries + k).data.begin() + at * bytes, bytes,
                  slice.data.begin());
      arguments.push_back(&slice);
    }
    for (size_t k = parts_.firstCaptured(); k < e_.operandCount(); ++k)
      arguments.push_back(&e_.operand(k));
    auto results = runGraph(*e_.op().region, arguments, e_.dims(), e_.memory(), e_.depth() + 1, {});
    for (size_t k = 0; k < results.size(); ++k)
      take(k, at, results[k]);
  }

  void take(size_t result, int64_t at, Tensor &value) {
    e_.memory().giveBack(static_cast<int64_t>(value.data.size()));
    if (result < parts_.carries)
      carries_[result] = std::move(value); // of the same size as the old one
    else
      std::ranges::copy(value.data, e_.result(result).data.begin() +
                                        at * static_cast<std::ptrdiff_t>(value.data.size()));
  }

  Evaluation &e_;
  ScanParts parts_;
  std::vector<Tensor> carries_;
  std::vector<Tensor> slices_;
};

} // namespace

void evalScan(Evaluation &e) { ScanRun(e).run(); }

} // namespace apr::interp
