// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/order.h"
#include "ir/source.h"
#include "ir/type.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace apr {

enum class OpKind : uint8_t {
#define APR_OP(Name, ...) Name,
#include "ir/ops.def"
};

/// Ops of one family share arity, type rule (ir/ops/) and text syntax.
enum class OpFamily : uint8_t {
  Unary,         ///< float or integer x -> same type (elementary functions: floats only)
  UnaryLogic,    ///< bool or integer x -> same type
  Identity,      ///< any x -> same type
  Binary,        ///< x, y of one float or integer type -> same type
  BinaryFloat,   ///< x, y of one float type -> same type
  BinaryInteger, ///< x, y of one integer type -> same type
  BinaryLogic,   ///< x, y of one bool or integer type -> same type
  Compare,       ///< x, y of one type -> bool of that shape
  Ternary,       ///< three floats of one type -> same type
  Select,        ///< bool, y, z: one shape; y and z of one type -> that type
  Convert,       ///< any x -> given dtype, same shape
  Bitcast,       ///< any x but bool -> given dtype of equal size, same shape
  Reduce,        ///< x -> x without `axes`
  ArgReduce,     ///< x -> i32, x without `axes`
  Cumulative,    ///< x -> same type
  Sort,          ///< x -> i32 of x's shape
  Conv,          ///< two floats of one dtype
  Contract,      ///< two floats (or integers) of one dtype
  Reshape,       ///< any x -> given shape of equal element count
  Transpose,
  Broadcast, ///< any x -> given shape
  Slice,
  Pad,          ///< x, scalar of the same dtype
  Concat,       ///< one or more of one dtype, equal but for `axis`
  Reverse,      ///< any x -> same type
  Window,       ///< any x -> x with windows
  Gather,       ///< operand, i32 or i64 indices
  Scatter,      ///< operand, indices, updates -> operand's type
  Pick,         ///< x[..,C], indices[..] -> x's dtype, [..]
  OneHot,       ///< indices[..] -> given type [..,C]
  Constant,     ///< -> given type
  Iota,         ///< -> given type of rank >= 1
  Random,       ///< seed, step, row offset: i64 scalars -> given type (i32 for bits, else float)
  Gradient,     ///< float scalar, floats p1 … pn -> types of p1 … pn
  Scan,         ///< carries, inputs, captured values -> last carries, stacked yields
  WithGradient, ///< value, arguments, captured values -> the value's type
  Kernel,       ///< operands = region arguments; results = region results
};

enum class AttrKey : uint8_t {
#define APR_ATTRIBUTE(Key, name, type) Key,
#include "ir/attributes.def"
};

/// Elements of a constant: one element (everywhere the same) or all, row-major, native endian.
struct Literal {
  DType dtype = DType::F32;
  std::vector<std::byte> bytes;

  /// One element; the value is rounded once to nearest even, or must be exact for integers.
  static Literal splat(DType dtype, double value);
  static Literal splatInteger(DType dtype, int64_t value);
  /// Any elements from their stored form.
  template <typename T> static Literal fromElements(DType dtype, std::span<const T> elements) {
    auto raw = std::as_bytes(elements);
    return {dtype, {raw.begin(), raw.end()}};
  }
  size_t count() const { return bytes.size() / byteSize(dtype); }
  /// The element as a double where that is exact (all but large i64), for pattern matching.
  double asDouble(size_t index) const;
  friend bool operator==(const Literal &, const Literal &) = default;
};

using AttrValue =
    std::variant<int64_t, std::string, std::vector<int64_t>, std::vector<Dim>, Order, Literal>;

/// The attributes of one op, sorted by key.
class Attributes {
public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<AttrKey, AttrValue>> entries);

  void set(AttrKey key, AttrValue value);
  void erase(AttrKey key);
  const AttrValue *find(AttrKey key) const;
  bool has(AttrKey key) const { return find(key) != nullptr; }

  /// Typed access to attributes that the verifier has seen; internal error where absent.
  int64_t integer(AttrKey key) const;
  const std::string &string(AttrKey key) const;
  const std::vector<int64_t> &integers(AttrKey key) const;
  const std::vector<Dim> &dims(AttrKey key) const;
  const Order &order() const;
  const Literal &literal() const;
  /// An absent integer attribute reads as 0: flags such as transpose_a.
  int64_t integerOr0(AttrKey key) const;

  const std::vector<std::pair<AttrKey, AttrValue>> &entries() const { return entries_; }
  friend bool operator==(const Attributes &, const Attributes &) = default;

private:
  std::vector<std::pair<AttrKey, AttrValue>> entries_;
};

struct AttributeUse {
  AttrKey key;
  bool required;
};

struct OpInfo {
  std::string_view name;     ///< "ReduceMax"
  std::string_view mnemonic; ///< "reduce_max"
  OpFamily family;
  std::span<const AttributeUse> attributes;
  std::string_view summary;
};

const OpInfo &opInfo(OpKind kind);
std::optional<OpKind> findOp(std::string_view mnemonic);
std::span<const OpKind> allOps();
std::string_view attributeName(AttrKey key);
std::optional<AttrKey> findAttribute(std::string_view name);
/// Index of the AttrValue alternative that the key holds.
size_t attributeType(AttrKey key);

/// True where an element of the result depends on one element of each operand, at the same index.
bool isElementwise(OpKind kind);
/// True where the operand count is a function of the family alone; else Concat, Gradient, Kernel.
std::optional<size_t> fixedArity(OpFamily family);

} // namespace apr
