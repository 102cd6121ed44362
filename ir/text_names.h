// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

#include <array>

namespace apr {

/// The words of the text form for the enumerations of graph.h, in their order.
inline constexpr std::array<std::string_view, 5> kArgumentRoleWords = {"", "state", "hyper",
                                                                       "gradient", "exec"};
inline constexpr std::array<std::string_view, 3> kResultRoleWords = {"return", "gradient",
                                                                     "update"};
inline constexpr std::array<std::string_view, 5> kResultKindWords = {"tensor", "scalar", "rows",
                                                                     "sum", "ratio"};
inline constexpr std::array<std::string_view, 6> kFunctionKindWords = {"entry", "init",  "step",
                                                                       "grad",  "apply", "eval"};
inline constexpr std::array<std::string_view, 4> kStateRoleWords = {"parameter", "buffer",
                                                                    "optimizer", "counter"};
inline constexpr std::array<std::string_view, 7> kBufferSpaceWords = {
    "workspace", "state", "input", "result", "gradient", "hyper", "constant"};

template <typename Enum, size_t N>
std::string_view word(const std::array<std::string_view, N> &words, Enum value) {
  return words[static_cast<size_t>(value)];
}

template <typename Enum, size_t N>
std::optional<Enum> findWord(const std::array<std::string_view, N> &words, std::string_view text) {
  for (size_t i = 0; i < N; ++i)
    if (words[i] == text)
      return static_cast<Enum>(i);
  return std::nullopt;
}

/// True where a name needs no quotes after % or @ or in a list.
bool isPlainName(std::string_view name);

} // namespace apr
