// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ir_runs/tensor_text.h"

#include "ir/bfloat.h"
#include "ir/interp/eval.h"
#include "tools/ir_runs/random_inputs.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace apr::run {

namespace {
bool isNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '#' ||
         c == '$';
}
} // namespace

void Cursor::skipSpace() {
  while (position_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[position_])))
    ++position_;
}

bool Cursor::take(std::string_view token) {
  if (text_.substr(position_, token.size()) != token)
    return false;
  position_ += token.size();
  skipSpace();
  return true;
}

bool Cursor::takeWord(std::string_view word) {
  size_t end = position_ + word.size();
  if (end < text_.size() && isNameCharacter(text_[end]))
    return false;
  return take(word);
}

std::string_view Cursor::name() {
  size_t begin = position_, end = begin;
  if (begin < text_.size() && text_[begin] == '"') {
    end = text_.find('"', begin + 1);
    if (end == std::string_view::npos)
      return {};
    position_ = end + 1;
    skipSpace();
    return text_.substr(begin + 1, end - begin - 1);
  }
  while (end < text_.size() && isNameCharacter(text_[end]))
    ++end;
  position_ = end;
  skipSpace();
  return text_.substr(begin, end - begin);
}

std::string_view Cursor::number() {
  size_t begin = position_, end = begin;
  while (end < text_.size() &&
         (isNameCharacter(text_[end]) || text_[end] == '-' || text_[end] == '+'))
    ++end;
  position_ = end;
  skipSpace();
  return text_.substr(begin, end - begin);
}

namespace {

template <typename T> bool parseNumber(std::string_view text, T &value) {
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size();
}

template <typename Bits> bool parseHex(std::string_view text, Bits &bits) {
  text.remove_prefix(2);
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
  return status == std::errc() && end == text.data() + text.size();
}

using Bytes = std::vector<std::byte>;

template <typename T> void append(Bytes &out, T value) {
  auto raw = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), raw.begin(), raw.end());
}

/// A number by its value, or by its bits as 0x….
template <typename T, typename Bits> bool appendNumber(std::string_view text, Bytes &out) {
  T value{};
  if (text.substr(0, 2) == "0x") {
    Bits bits{};
    if (!parseHex(text, bits))
      return false;
    append(out, bits);
    return true;
  }
  if (text == "nan")
    value = static_cast<T>(std::numeric_limits<T>::quiet_NaN());
  else if (!parseNumber(text, value))
    return false;
  append(out, value);
  return true;
}

bool appendBfloat(std::string_view text, Bytes &out) {
  double value{};
  if (text.substr(0, 2) == "0x")
    return appendNumber<uint16_t, uint16_t>(text, out);
  if (text != "nan" && !parseNumber(text, value))
    return false;
  append(out, text == "nan" ? kBfloatNaN : roundToBfloat(value));
  return true;
}

bool appendElement(DType dtype, std::string_view text, Bytes &out) {
  switch (dtype) {
  case DType::F32:
    return appendNumber<float, uint32_t>(text, out);
  case DType::F64:
    return appendNumber<double, uint64_t>(text, out);
  case DType::I32:
    return text != "nan" && appendNumber<int32_t, uint32_t>(text, out);
  case DType::I64:
    return text != "nan" && appendNumber<int64_t, uint64_t>(text, out);
  case DType::Bool:
    if (text == "true" || text == "false") {
      append(out, static_cast<uint8_t>(text == "true"));
      return true;
    }
    return text.substr(0, 2) == "0x" && appendNumber<uint8_t, uint8_t>(text, out);
  case DType::U8:
    return text != "nan" && appendNumber<uint8_t, uint8_t>(text, out);
  case DType::BF16:
    return appendBfloat(text, out);
  }
  return false;
}

/// The elements between brackets, the first of which is taken already.
std::optional<Error> parseList(Cursor &cursor, DType dtype, size_t maximumBytes, Bytes &out) {
  constexpr int kMaximumDepth = 32;
  int depth = 1;
  while (depth > 0) {
    if (cursor.atEnd())
      return Error{"a list has no closing bracket"};
    if (cursor.take("[")) {
      if (++depth > kMaximumDepth)
        return Error{"brackets are nested too deeply"};
    } else if (cursor.take("]")) {
      --depth;
    } else if (!cursor.take(",")) {
      std::string_view text = cursor.number();
      Bytes element;
      if (!appendElement(dtype, text, element))
        return Error{fmt::format("'{}' is no {}", text, name(dtype))};
      int64_t times = 1;
      if (cursor.take("*") && (!parseNumber(cursor.number(), times) || times < 0))
        return Error{"expected how many times after '*'"};
      for (int64_t i = 0; i < times; ++i) {
        if (out.size() >= maximumBytes)
          return Error{"the list has more elements than the type"};
        out.insert(out.end(), element.begin(), element.end());
      }
    }
  }
  return std::nullopt;
}

Result<Tensor> parseRamp(Cursor &cursor, Tensor tensor) {
  double start = 0, step = 0;
  if (!cursor.take("(") || !parseNumber(cursor.number(), start) || !cursor.take(",") ||
      !parseNumber(cursor.number(), step) || !cursor.take(")"))
    return Error{"expected ramp(start, step)"};
  Bytes bytes;
  for (int64_t i = 0; i < tensor.count(); ++i) {
    double value = start + step * static_cast<double>(i);
    Literal element = Literal::splat(tensor.dtype, value);
    bytes.insert(bytes.end(), element.bytes.begin(), element.bytes.end());
  }
  tensor.data = std::move(bytes);
  return tensor;
}

} // namespace

Result<Tensor> parseValue(Cursor &cursor, DType dtype, const std::vector<int64_t> &shape) {
  Tensor tensor = Tensor::zeros(dtype, shape);
  if (cursor.takeWord("ramp"))
    return parseRamp(cursor, std::move(tensor));
  if (cursor.takeWord("random")) {
    uint64_t seed = 0;
    if (!cursor.take("(") || !parseNumber(cursor.number(), seed) || !cursor.take(")"))
      return Error{"expected random(seed)"};
    RandomInputs random(seed);
    random.fill(tensor);
    return tensor;
  }
  Bytes bytes;
  if (cursor.take("[")) {
    if (auto error = parseList(cursor, dtype, tensor.data.size(), bytes))
      return *error;
    if (bytes.size() != tensor.data.size())
      return Error{fmt::format("found {} elements, expected {}", bytes.size() / byteSize(dtype),
                               tensor.count())};
    tensor.data = std::move(bytes);
    return tensor;
  }
  std::string_view text = cursor.number();
  if (!appendElement(dtype, text, bytes))
    return Error{fmt::format("'{}' is no {}", text, name(dtype))};
  for (size_t i = 0; i < tensor.data.size(); i += bytes.size())
    std::memcpy(tensor.data.data() + i, bytes.data(), bytes.size());
  return tensor;
}

namespace {

template <typename T, typename Bits> std::string numberText(const Tensor &tensor, size_t i) {
  T value = tensor.elements<T>()[i];
  Bits bits = tensor.elements<Bits>()[i];
  if constexpr (std::is_floating_point_v<T>)
    if (std::isnan(value)) {
      T canonical = std::numeric_limits<T>::quiet_NaN();
      return std::memcmp(&canonical, &value, sizeof value) == 0 ? "nan"
                                                                : fmt::format("{:#x}", bits);
    }
  return fmt::format("{}", value);
}

} // namespace

std::string elementText(const Tensor &tensor, size_t index) {
  switch (tensor.dtype) {
  case DType::F32:
    return numberText<float, uint32_t>(tensor, index);
  case DType::F64:
    return numberText<double, uint64_t>(tensor, index);
  case DType::I32:
    return numberText<int32_t, uint32_t>(tensor, index);
  case DType::I64:
    return numberText<int64_t, uint64_t>(tensor, index);
  case DType::Bool: {
    auto byte = tensor.elements<uint8_t>()[index];
    return byte > 1 ? fmt::format("byte {}", byte) : byte == 1 ? "true" : "false";
  }
  case DType::U8:
    return numberText<uint8_t, uint8_t>(tensor, index);
  case DType::BF16: {
    auto bits = tensor.elements<uint16_t>()[index];
    if (isBfloatNaN(bits))
      return bits == kBfloatNaN ? "nan" : fmt::format("{:#x}", bits);
    return fmt::format("{}", bfloatValue(bits));
  }
  }
  return {};
}

std::string elementBits(const Tensor &tensor, size_t index) {
  const size_t size = byteSize(tensor.dtype);
  uint64_t bits = 0;
  std::memcpy(&bits, &tensor.data[index * size], size); // little-endian, as every host of the tools
  return fmt::format("0x{:0{}x}", bits, 2 * size);
}

std::string str(const Tensor &tensor) {
  if (tensor.shape.empty())
    return elementText(tensor, 0);
  std::string text = "[";
  for (int64_t i = 0; i < tensor.count(); ++i)
    text += (i ? ", " : "") + elementText(tensor, static_cast<size_t>(i));
  return text + "]";
}

std::optional<size_t> firstDifferentElement(const Tensor &found, const Tensor &expected) {
  auto differs = std::ranges::mismatch(found.data, expected.data);
  if (differs.in1 == found.data.end())
    return std::nullopt;
  return size_t(differs.in1 - found.data.begin()) / byteSize(found.dtype);
}

std::optional<std::string> firstDifference(const Tensor &found, const Tensor &expected) {
  if (found.dtype != expected.dtype || found.shape != expected.shape)
    return fmt::format("{}{} is found, {}{} expected", name(found.dtype), interp::str(found.shape),
                       name(expected.dtype), interp::str(expected.shape));
  if (auto i = firstDifferentElement(found, expected))
    return fmt::format("element {} of {}{} is {}, expected {}", *i, name(found.dtype),
                       interp::str(found.shape), elementText(found, *i), elementText(expected, *i));
  return std::nullopt;
}

} // namespace apr::run
