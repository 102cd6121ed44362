// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

// Plain numbers that the formulas of ir/expansions and codegen/elementary run over, to check the
// formulas themselves at full speed.
namespace apr::scalar {

struct Mask {
  bool value;
};

struct I64 {
  int64_t value;
};

struct F64 {
  double value;
};

#define APR_SCALAR_OPERATOR(Type, Number, Result, symbol, expression)                              \
  inline Result operator symbol(Type left, Type right) {                                           \
    auto a = left.value, b = right.value;                                                          \
    return {expression};                                                                           \
  }                                                                                                \
  inline Result operator symbol(Type left, Number right) { return left symbol Type{right}; }       \
  inline Result operator symbol(Number left, Type right) { return Type{left} symbol right; }

APR_SCALAR_OPERATOR(F64, double, F64, +, a + b)
APR_SCALAR_OPERATOR(F64, double, F64, -, a - b)
APR_SCALAR_OPERATOR(F64, double, F64, *, a *b)
APR_SCALAR_OPERATOR(F64, double, F64, /, a / b)
APR_SCALAR_OPERATOR(F64, double, Mask, <, a < b)
APR_SCALAR_OPERATOR(F64, double, Mask, <=, a <= b)
APR_SCALAR_OPERATOR(F64, double, Mask, >, a > b)
APR_SCALAR_OPERATOR(F64, double, Mask, >=, a >= b)
APR_SCALAR_OPERATOR(F64, double, Mask, ==, a == b)
APR_SCALAR_OPERATOR(I64, int64_t, I64, +, int64_t(uint64_t(a) + uint64_t(b)))
APR_SCALAR_OPERATOR(I64, int64_t, I64, -, int64_t(uint64_t(a) - uint64_t(b)))
APR_SCALAR_OPERATOR(I64, int64_t, I64, *, int64_t(uint64_t(a) * uint64_t(b)))
APR_SCALAR_OPERATOR(I64, int64_t, I64, &, a &b)
APR_SCALAR_OPERATOR(I64, int64_t, I64, |, a | b)
APR_SCALAR_OPERATOR(I64, int64_t, I64, ^, a ^ b)
APR_SCALAR_OPERATOR(I64, int64_t, Mask, ==, a == b)
APR_SCALAR_OPERATOR(I64, int64_t, Mask, <, a < b)
APR_SCALAR_OPERATOR(I64, int64_t, Mask, >, a > b)
APR_SCALAR_OPERATOR(Mask, bool, Mask, ==, a == b)
APR_SCALAR_OPERATOR(Mask, bool, Mask, &, a &&b)
APR_SCALAR_OPERATOR(Mask, bool, Mask, |, a || b)
#undef APR_SCALAR_OPERATOR

inline Mask operator!(Mask a) { return {!a.value}; }
inline F64 operator-(F64 a) { return {-a.value}; }
inline F64 splat(F64, double number) { return {number}; }
inline I64 splat(I64, int64_t number) { return {number}; }
template <class T> T select(Mask mask, T yes, T no) { return mask.value ? yes : no; }

inline I64 bitsOf(F64 x) { // NaNs become canonical, as the IR's bitcast has it
  return {x.value != x.value ? 0x7ff8000000000000 : std::bit_cast<int64_t>(x.value)};
}
inline F64 fromBits(I64 x) { return {std::bit_cast<double>(x.value)}; }
inline I64 shiftLeft(I64 x, int count) { return {int64_t(uint64_t(x.value) << count)}; }
inline I64 shiftRight(I64 x, int count) { return {int64_t(uint64_t(x.value) >> count)}; }
inline I64 shiftRightArithmetic(I64 x, int count) { return {x.value >> count}; }
inline F64 squareRoot(F64 x) { return {__builtin_sqrt(x.value)}; }
inline F64 floorOf(F64 x) { return {__builtin_floor(x.value)}; }
template <size_t N> F64 tableEntry(const double (&table)[N], I64 index) {
  int64_t last = int64_t(N) - 1, i = index.value < 0 ? 0 : index.value;
  return {table[i > last ? last : i]};
}

} // namespace apr::scalar
