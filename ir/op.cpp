// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/op.h"
#include "ir/bfloat.h"
#include "ir/graph.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace apr {

namespace {

// Each row's attribute list becomes a static array; NONE gives an empty one.
#define NONE
#define REQUIRED(Key) AttributeUse{AttrKey::Key, true},
#define OPTIONAL(Key) AttributeUse{AttrKey::Key, false},
#define APR_OP(Name, mnemonic, Family, attributes, summary)                                        \
  constexpr auto k##Name##Attributes = std::to_array<AttributeUse>(                                \
      {attributes AttributeUse{AttrKey::Axes, false}}); // the last one only ends the list
#include "ir/ops.def"
#undef NONE
#undef REQUIRED
#undef OPTIONAL

template <size_t N>
std::span<const AttributeUse> withoutLast(const std::array<AttributeUse, N> &attributes) {
  return {attributes.data(), N - 1};
}

const OpInfo kOps[] = {
#define APR_OP(Name, mnemonic, Family, attributes, summary)                                        \
  {#Name, mnemonic, OpFamily::Family, withoutLast(k##Name##Attributes), summary},
#include "ir/ops.def"
};

constexpr OpKind kAllOps[] = {
#define APR_OP(Name, ...) OpKind::Name,
#include "ir/ops.def"
};

// Indices of the alternatives of AttrValue, by the names that attributes.def uses.
enum AttrType : size_t { Int, String, Ints, Dims, OrderValue, LiteralValue };

struct AttributeInfo {
  std::string_view name;
  size_t type;
};
constexpr AttributeInfo kAttributes[] = {
#define APR_ATTRIBUTE(Key, name, type) {name, AttrType::type},
#include "ir/attributes.def"
};

template <typename T> void appendBytes(std::vector<std::byte> &out, T value) {
  std::byte raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out.insert(out.end(), raw, raw + sizeof(T));
}

template <typename T> T readElement(const std::vector<std::byte> &bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

} // namespace

const OpInfo &opInfo(OpKind kind) { return kOps[static_cast<size_t>(kind)]; }
std::span<const OpKind> allOps() { return kAllOps; }

std::optional<OpKind> findOp(std::string_view mnemonic) {
  for (OpKind kind : kAllOps)
    if (opInfo(kind).mnemonic == mnemonic)
      return kind;
  return std::nullopt;
}

std::string_view attributeName(AttrKey key) { return kAttributes[static_cast<size_t>(key)].name; }
size_t attributeType(AttrKey key) { return kAttributes[static_cast<size_t>(key)].type; }

std::optional<AttrKey> findAttribute(std::string_view name) {
  for (size_t i = 0; i < std::size(kAttributes); ++i)
    if (kAttributes[i].name == name)
      return static_cast<AttrKey>(i);
  return std::nullopt;
}

Literal Literal::splat(DType dtype, double value) {
  Literal literal{dtype, {}};
  if (dtype == DType::F32)
    appendBytes(literal.bytes, static_cast<float>(value));
  else if (dtype == DType::F64)
    appendBytes(literal.bytes, value);
  else if (dtype == DType::BF16)
    appendBytes(literal.bytes, roundToBfloat(value));
  else
    return splatInteger(dtype, static_cast<int64_t>(value));
  return literal;
}

Literal Literal::splatInteger(DType dtype, int64_t value) {
  Literal literal{dtype, {}};
  switch (dtype) {
  case DType::F32:
    appendBytes(literal.bytes, static_cast<float>(value));
    break;
  case DType::F64:
    appendBytes(literal.bytes, static_cast<double>(value));
    break;
  case DType::I32:
    appendBytes(literal.bytes, static_cast<int32_t>(value));
    break;
  case DType::I64:
    appendBytes(literal.bytes, value);
    break;
  case DType::Bool:
    appendBytes(literal.bytes, static_cast<uint8_t>(value != 0));
    break;
  case DType::U8:
    appendBytes(literal.bytes, static_cast<uint8_t>(value));
    break;
  case DType::BF16:
    appendBytes(literal.bytes, roundToBfloat(value));
    break;
  }
  return literal;
}

double Literal::asDouble(size_t index) const {
  switch (dtype) {
  case DType::F32:
    return readElement<float>(bytes, index);
  case DType::F64:
    return readElement<double>(bytes, index);
  case DType::I32:
    return readElement<int32_t>(bytes, index);
  case DType::I64:
    return static_cast<double>(readElement<int64_t>(bytes, index));
  case DType::Bool:
  case DType::U8:
    return readElement<uint8_t>(bytes, index);
  case DType::BF16:
    return static_cast<double>(bfloatValue(readElement<uint16_t>(bytes, index)));
  }
  return 0;
}

Attributes::Attributes(std::initializer_list<std::pair<AttrKey, AttrValue>> entries) {
  for (const auto &[key, value] : entries)
    set(key, value);
}

void Attributes::set(AttrKey key, AttrValue value) {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), key,
                             [](const auto &entry, AttrKey k) { return entry.first < k; });
  if (at != entries_.end() && at->first == key)
    at->second = std::move(value);
  else
    entries_.insert(at, {key, std::move(value)});
}

void Attributes::erase(AttrKey key) {
  std::erase_if(entries_, [&](const auto &entry) { return entry.first == key; });
}

const AttrValue *Attributes::find(AttrKey key) const {
  for (const auto &[k, value] : entries_)
    if (k == key)
      return &value;
  return nullptr;
}

namespace {
template <typename T> const T &typed(const Attributes &attributes, AttrKey key) {
  const AttrValue *value = attributes.find(key);
  if (!value || !std::holds_alternative<T>(*value))
    throw InternalError(
        fmt::format("attribute '{}' is missing or of another type", attributeName(key)));
  return std::get<T>(*value);
}
} // namespace

int64_t Attributes::integer(AttrKey key) const { return typed<int64_t>(*this, key); }
const std::string &Attributes::string(AttrKey key) const { return typed<std::string>(*this, key); }
const std::vector<int64_t> &Attributes::integers(AttrKey key) const {
  return typed<std::vector<int64_t>>(*this, key);
}
const std::vector<Dim> &Attributes::dims(AttrKey key) const {
  return typed<std::vector<Dim>>(*this, key);
}
const Order &Attributes::order() const { return typed<Order>(*this, AttrKey::Order); }
const Literal &Attributes::literal() const { return typed<Literal>(*this, AttrKey::Value); }
int64_t Attributes::integerOr0(AttrKey key) const { return has(key) ? integer(key) : 0; }

bool isElementwise(OpKind kind) {
  switch (opInfo(kind).family) {
  case OpFamily::Unary:
  case OpFamily::UnaryLogic:
  case OpFamily::Identity:
  case OpFamily::Binary:
  case OpFamily::BinaryFloat:
  case OpFamily::BinaryInteger:
  case OpFamily::BinaryLogic:
  case OpFamily::Compare:
  case OpFamily::Ternary:
  case OpFamily::Select:
  case OpFamily::Convert:
  case OpFamily::Bitcast:
    return true;
  case OpFamily::Reduce:
  case OpFamily::ArgReduce:
  case OpFamily::Cumulative:
  case OpFamily::Sort:
  case OpFamily::Conv:
  case OpFamily::Contract:
  case OpFamily::Reshape:
  case OpFamily::Transpose:
  case OpFamily::Broadcast:
  case OpFamily::Slice:
  case OpFamily::Pad:
  case OpFamily::Concat:
  case OpFamily::Reverse:
  case OpFamily::Window:
  case OpFamily::Gather:
  case OpFamily::Scatter:
  case OpFamily::Pick:
  case OpFamily::OneHot:
  case OpFamily::Constant:
  case OpFamily::Iota:
  case OpFamily::Random:
  case OpFamily::Gradient:
  case OpFamily::Scan:
  case OpFamily::WithGradient:
  case OpFamily::Kernel:
    return false;
  }
  return false;
}

std::optional<size_t> fixedArity(OpFamily family) {
  switch (family) {
  case OpFamily::Constant:
  case OpFamily::Iota:
    return 0;
  case OpFamily::Unary:
  case OpFamily::UnaryLogic:
  case OpFamily::Identity:
  case OpFamily::Convert:
  case OpFamily::Bitcast:
  case OpFamily::Reduce:
  case OpFamily::ArgReduce:
  case OpFamily::Cumulative:
  case OpFamily::Sort:
  case OpFamily::Reshape:
  case OpFamily::Transpose:
  case OpFamily::Broadcast:
  case OpFamily::Slice:
  case OpFamily::Reverse:
  case OpFamily::Window:
  case OpFamily::OneHot:
    return 1;
  case OpFamily::Binary:
  case OpFamily::BinaryFloat:
  case OpFamily::BinaryInteger:
  case OpFamily::BinaryLogic:
  case OpFamily::Compare:
  case OpFamily::Conv:
  case OpFamily::Contract:
  case OpFamily::Pad:
  case OpFamily::Gather:
  case OpFamily::Pick:
    return 2;
  case OpFamily::Ternary:
  case OpFamily::Select:
  case OpFamily::Scatter:
  case OpFamily::Random:
    return 3;
  case OpFamily::Concat:
  case OpFamily::Gradient:
  case OpFamily::Scan:
  case OpFamily::WithGradient:
  case OpFamily::Kernel:
    return std::nullopt;
  }
  return std::nullopt;
}

} // namespace apr
