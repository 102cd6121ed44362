// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/odometer.h"

namespace apr::codegen {

Odometer::Odometer(LoopNest &nest, const StridedView::Axis &axis, Index position)
    : nest_(nest), digits_(axis.size()) {
  for (const StridedView::Factor &factor : axis) {
    // A size of 0 means that nothing is read, but the division must not fault.
    sizes_.push_back(nest.maximum(nest.dim(factor.size), 1));
    strides_.push_back(nest.dim(factor.stride));
  }
  for (size_t i = axis.size(); i-- > 0;) {
    digits_[i] = i == 0 ? position : nest.remainder(position, sizes_[i]);
    if (i > 0)
      position = nest.divide(position, sizes_[i]);
    offset_ = nest.add(offset_, nest.multiply(digits_[i], strides_[i]));
  }
}

void Odometer::advance() {
  if (digits_.empty())
    return;
  if (digits_.size() == 1) {
    digits_[0] = nest_.add(digits_[0], 1);
    offset_ = nest_.add(offset_, strides_[0]);
    return;
  }
  const uint32_t level = nest_.innermost();
  // The step of the offset where digits from i on carry over; the condition that they do.
  llvm::Value *carries = nullptr;
  Index wrapped = 0;
  llvm::Value *step = nest_.value(strides_.back());
  for (size_t i = digits_.size(); i-- > 0;) {
    llvm::Value *digit = nest_.value(digits_[i]);
    llvm::Value *next = nest_.value(nest_.add(digits_[i], 1));
    llvm::Value *size = nest_.value(sizes_[i]);
    if (i + 1 < digits_.size()) {
      // Everything further in goes back to 0.
      const Index inner = nest_.multiply(nest_.subtract(sizes_[i + 1], 1), strides_[i + 1]);
      wrapped = nest_.add(wrapped, inner);
      llvm::Value *jump = nest_.value(nest_.subtract(strides_[i], wrapped));
      step = nest_.at(level).CreateSelect(carries, jump, step);
    }
    auto &builder = nest_.at(level);
    llvm::Value *moved = carries ? builder.CreateSelect(carries, next, digit) : next;
    if (i == 0) {
      digits_[i] = Index(moved, level);
      break;
    }
    llvm::Value *isFull = builder.CreateICmpEQ(moved, size);
    digits_[i] = Index(builder.CreateSelect(isFull, builder.getInt64(0), moved), level);
    carries = isFull;
  }
  llvm::Value *offset = nest_.value(offset_);
  offset_ = Index(nest_.at(level).CreateAdd(offset, step), level);
}

std::vector<llvm::Value *> Odometer::state() {
  std::vector<llvm::Value *> values;
  for (const Index &digit : digits_)
    values.push_back(nest_.value(digit));
  values.push_back(nest_.value(offset_));
  return values;
}

void Odometer::setState(const std::vector<llvm::Value *> &values, uint32_t level) {
  for (size_t i = 0; i < digits_.size(); ++i)
    digits_[i] = Index(values[i], level);
  offset_ = Index(values.back(), level);
}

} // namespace apr::codegen
