// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/expectation_text.h"

#include "tools/aprun/element_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace apr::aprun {
namespace {

/// Tensors up to this size are shown whole.
constexpr std::int64_t kShownElements = 16;

std::string elementText(const Tensor &tensor, std::size_t element) {
  return aprun::elementText(tensor.dtype, tensor.data, element);
}

/// Nested lists, row by row.
std::string valueText(const Tensor &tensor, std::size_t axis, std::size_t &next) {
  if (axis == tensor.shape.size())
    return elementText(tensor, next++);
  std::string text = "[";
  for (std::int64_t i = 0; i < tensor.shape[axis]; ++i)
    text += (i == 0 ? "" : ", ") + valueText(tensor, axis + 1, next);
  return text + "]";
}

std::string valueText(const Tensor &tensor) {
  std::size_t next = 0;
  return valueText(tensor, 0, next);
}

std::string typeText(const Tensor &tensor) {
  return fmt::format("{}[{}]", name(tensor.dtype), fmt::join(tensor.shape, ", "));
}

/// Both tensors, `wrong` naming the elements that are to blame.
std::string sidesText(const Tensor &left, const Tensor &right,
                      const std::vector<std::size_t> &wrong,
                      std::pair<const char *, const char *> names) {
  if (left.shape.empty())
    return fmt::format("{} {}, {} {}", names.first, elementText(left, 0), names.second,
                       elementText(right, 0));
  const std::size_t width = std::max(std::strlen(names.first), std::strlen(names.second));
  std::string text = fmt::format("{} of {} elements, first {}: {} {}, {} {}", wrong.size(),
                                 left.count(), indexText(left.shape, wrong.front()), names.first,
                                 elementText(left, wrong.front()), names.second,
                                 elementText(right, wrong.front()));
  if (left.count() <= kShownElements)
    text += fmt::format("\n  {:<{}} {}\n  {:<{}} {}", names.first, width, valueText(left),
                        names.second, width, valueText(right));
  else
    text += fmt::format(" ({})", typeText(left));
  return text;
}

} // namespace

std::string differenceText(const Tensor &left, const Tensor &right,
                           std::pair<const char *, const char *> names) {
  std::vector<std::size_t> wrong;
  const std::size_t count = static_cast<std::size_t>(left.count());
  const std::size_t bytes = count == 0 ? 0 : left.data.size() / count;
  for (std::size_t i = 0; i < count; ++i)
    if (std::memcmp(left.data.data() + i * bytes, right.data.data() + i * bytes, bytes) != 0)
      wrong.push_back(i);
  return wrong.empty() ? "none" : sidesText(left, right, wrong, names);
}

std::optional<std::string> failureText(const Expectation &expectation,
                                       const std::vector<Tensor> &results) {
  if (!expectation.verdict) {
    if (expectation.holds)
      return std::nullopt;
    return expectation.message.empty() ? "this is false" : expectation.message;
  }
  const Tensor &verdict = results[*expectation.verdict];
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < verdict.elements<std::uint8_t>().size(); ++i)
    if (verdict.elements<std::uint8_t>()[i] == 0)
      wrong.push_back(i);
  if (wrong.empty())
    return std::nullopt;
  if (expectation.left)
    return sidesText(results[*expectation.left], results[*expectation.right], wrong,
                     {"left", "right"});
  if (verdict.shape.empty())
    return "this is false";
  return fmt::format("false in {} of {} elements, first {}", wrong.size(), verdict.count(),
                     indexText(verdict.shape, wrong.front()));
}

} // namespace apr::aprun
