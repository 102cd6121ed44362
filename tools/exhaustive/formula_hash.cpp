// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/formula_hash.h"

#include <bit>
#include <cstdint>

// Values that are hashes of the expression that computes them, for the formulas to run over: the
// operators must be declared before the templates that use them.
namespace apr::elementary {

struct HashMask {
  uint64_t hash;
};
struct HashI64 {
  uint64_t hash;
};
struct HashF64 {
  uint64_t hash;
};

inline uint64_t mixed(uint64_t state, uint64_t word) {
  state = (state ^ word) * 0x9e3779b97f4a7c15;
  return state ^ (state >> 29);
}

/// The hash of an operation, named by a letter, on hashes.
inline uint64_t operation(char name, uint64_t a, uint64_t b = 0, uint64_t c = 0) {
  return mixed(mixed(mixed(mixed(0, static_cast<uint64_t>(name)), a), b), c);
}

inline HashF64 splat(HashF64, double number) {
  return {operation('f', std::bit_cast<uint64_t>(number))};
}
inline HashI64 splat(HashI64, int64_t number) {
  return {operation('i', static_cast<uint64_t>(number))};
}

#define APR_HASH_OPERATOR(Type, Number, Result, symbol, letter)                                    \
  inline Result operator symbol(Type a, Type b) { return {operation(letter, a.hash, b.hash)}; }    \
  inline Result operator symbol(Type a, Number b) { return a symbol splat(a, b); }                 \
  inline Result operator symbol(Number a, Type b) { return splat(b, a) symbol b; }

APR_HASH_OPERATOR(HashF64, double, HashF64, +, '+')
APR_HASH_OPERATOR(HashF64, double, HashF64, -, '-')
APR_HASH_OPERATOR(HashF64, double, HashF64, *, '*')
APR_HASH_OPERATOR(HashF64, double, HashF64, /, '/')
APR_HASH_OPERATOR(HashF64, double, HashMask, <, '<')
APR_HASH_OPERATOR(HashF64, double, HashMask, >, '>')
APR_HASH_OPERATOR(HashF64, double, HashMask, >=, 'g')
APR_HASH_OPERATOR(HashF64, double, HashMask, ==, '=')
APR_HASH_OPERATOR(HashI64, int64_t, HashI64, +, 'A')
APR_HASH_OPERATOR(HashI64, int64_t, HashI64, -, 'S')
APR_HASH_OPERATOR(HashI64, int64_t, HashI64, &, '&')
APR_HASH_OPERATOR(HashI64, int64_t, HashI64, |, '|')
APR_HASH_OPERATOR(HashI64, int64_t, HashI64, ^, '^')
APR_HASH_OPERATOR(HashI64, int64_t, HashMask, ==, 'E')
#undef APR_HASH_OPERATOR

inline HashF64 operator-(HashF64 a) { return {operation('n', a.hash)}; }
inline HashF64 select(HashMask mask, HashF64 yes, HashF64 no) {
  return {operation('?', mask.hash, yes.hash, no.hash)};
}
inline HashI64 bitsOf(HashF64 x) { return {operation('b', x.hash)}; }
inline HashF64 fromBits(HashI64 x) { return {operation('d', x.hash)}; }
inline HashI64 shiftLeft(HashI64 x, uint64_t count) { return {operation('l', x.hash, count)}; }
inline HashI64 shiftRight(HashI64 x, uint64_t count) { return {operation('r', x.hash, count)}; }
inline HashF64 squareRoot(HashF64 x) { return {operation('q', x.hash)}; }

} // namespace apr::elementary

#include "codegen/elementary/formula_table.h"

namespace apr::exhaustive {

uint64_t formulaHash(OpKind kind) {
  elementary::HashF64 operand{elementary::operation('x', 0)};
  if (auto formula = elementary::findFormula<elementary::HashF64>(kind))
    return formula(operand).hash;
  return elementary::squareRoot(operand).hash;
}

} // namespace apr::exhaustive
