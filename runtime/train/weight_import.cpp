// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/weight_import.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/elements.h"
#include "runtime/train/error.h"
#include "runtime/train/npz.h"
#include "runtime/train/safetensors.h"
#include "runtime/train/suggestion.h"

#include <aprt.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <set>

namespace apr::train {
namespace {

using Shape = std::vector<std::uint64_t>;

bool isWeight(const aprt_tensor &tensor) {
  return tensor.role == APRT_PARAMETER || tensor.role == APRT_BUFFER;
}

Shape shapeOf(const aprt_tensor &tensor) {
  Shape shape;
  for (std::uint32_t i = 0; i < tensor.rank; ++i)
    shape.push_back(static_cast<std::uint64_t>(tensor.dims[i].value));
  return shape;
}

std::string typeText(const std::string &type, const Shape &shape) {
  return fmt::format("{}[{}]", type, fmt::join(shape, ", "));
}

// ---- reading ----

NpyType storedType(const SafetensorsFile &file, const StoredTensor &tensor) {
  constexpr std::pair<const char *, NpyType> types[] = {
      {"BOOL", NpyType::Bool}, {"I8", NpyType::I8},   {"I16", NpyType::I16}, {"I32", NpyType::I32},
      {"I64", NpyType::I64},   {"U8", NpyType::U8},   {"U16", NpyType::U16}, {"U32", NpyType::U32},
      {"U64", NpyType::U64},   {"F16", NpyType::F16}, {"F32", NpyType::F32}, {"F64", NpyType::F64},
      {"BF16", NpyType::F32}};
  for (const auto &[name, type] : types)
    if (tensor.dtype == name)
      return type;
  throw Error(ErrorKind::Data, {file.path()},
              fmt::format("the tensor {} is of type {}, which cannot be imported",
                          inQuotes(tensor.name), inQuotes(tensor.dtype)));
}

NpyArray readStored(const SafetensorsFile &file, const StoredTensor &tensor) {
  NpyArray array{storedType(file, tensor), {tensor.shape.begin(), tensor.shape.end()}, {}};
  array.values.resize(tensor.end - tensor.begin);
  file.read(tensor, array.values);
  if (tensor.dtype != "BF16")
    return array;
  std::vector<std::byte> wide(array.values.size() * 2);
  for (std::size_t i = 0; i < array.values.size() / 2; ++i)
    setElement(wide.data(), APRT_F32, i, elementAt(array.values.data(), APRT_BF16, i));
  array.values = std::move(wide);
  return array;
}

std::vector<ForeignTensor> readSafetensors(const std::string &path) {
  const auto file = std::make_shared<const SafetensorsFile>(SafetensorsFile::open(path));
  std::vector<ForeignTensor> tensors;
  for (const StoredTensor &tensor : file->tensors())
    tensors.push_back(
        {tensor.name, tensor.dtype, {tensor.shape.begin(), tensor.shape.end()}, [file, &tensor] {
           return readStored(*file, tensor);
         }});
  return tensors;
}

std::vector<ForeignTensor> readArchive(const std::string &path, std::string content) {
  const auto file = std::make_shared<const NpzFile>(path, std::move(content));
  std::vector<ForeignTensor> tensors;
  for (const NpzFile::Entry &entry : file->arrays()) {
    if (!entry.header)
      throw Error(ErrorKind::Data, {fmt::format("{}({})", path, inQuotes(entry.name))},
                  entry.fault);
    tensors.push_back({entry.name, name(entry.header->type), entry.header->shape,
                       [file, &entry] { return file->read(entry); }});
  }
  return tensors;
}

// ---- names ----

/// `*` stands for any text. A later star can take whatever an earlier one would, so only the last
/// one met is tried again.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t star = std::string_view::npos;
  std::size_t resumed = 0;
  std::size_t p = 0;
  std::size_t t = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resumed = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resumed;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool isPrefix(const std::string &ours) { return ours.empty() || ours.ends_with('.'); }

std::string theirName(const std::string &ours, const ImportRules &rules) {
  const std::pair<std::string, std::string> *best = nullptr;
  for (const auto &rule : rules.names) {
    if (rule.first == ours)
      return rule.second;
    if (isPrefix(rule.first) && ours.starts_with(rule.first) &&
        (!best || rule.first.size() > best->first.size()))
      best = &rule;
  }
  return best ? best->second + ours.substr(best->first.size()) : ours;
}

bool isTransposed(const std::string &ours, const ImportRules &rules) {
  return std::any_of(rules.transposed.begin(), rules.transposed.end(),
                     [&](const std::string &pattern) { return matches(pattern, ours); });
}

void checkRules(const Instance &instance, const ImportRules &rules) {
  std::vector<std::string> names;
  for (const aprt_tensor &tensor : instance.model().tensors())
    if (isWeight(tensor))
      names.emplace_back(tensor.name);
  const auto check = [&](const char *flag, const std::string &ours, auto applies) {
    if (std::none_of(names.begin(), names.end(), applies))
      throw Error(ErrorKind::Usage, {flag},
                  fmt::format("no tensor of the model is called {}{}", inQuotes(ours),
                              suggestion(ours, names)));
  };
  for (const auto &[ours, theirs] : rules.names)
    check("--map", ours, [&, &rule = ours](const std::string &name) {
      return name == rule || (isPrefix(rule) && name.starts_with(rule));
    });
  for (const std::string &pattern : rules.transposed)
    check("--transpose", pattern, [&](const std::string &name) { return matches(pattern, name); });
}

// ---- values ----

/// Of (out, in, sizes…) the axes (sizes…, in, out); axis i of the result is axis order[i].
std::vector<std::size_t> kernelOrder(std::size_t rank) {
  std::vector<std::size_t> order(rank);
  std::iota(order.begin(), order.end(), std::size_t{2});
  order[rank - 2] = 1;
  order[rank - 1] = 0;
  return order;
}

Shape permuted(const Shape &shape, const std::vector<std::size_t> &order) {
  Shape result;
  for (std::size_t axis : order)
    result.push_back(shape[axis]);
  return result;
}

/// For each element of the result in row-major order, the number of the operand's element.
std::vector<std::size_t> elementOrder(const Shape &shape, const std::vector<std::size_t> &order) {
  std::vector<std::size_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * shape[axis];
  std::vector<std::size_t> numbers = {0};
  for (std::size_t axis : order) {
    std::vector<std::size_t> next;
    next.reserve(numbers.size() * shape[axis]);
    for (std::size_t number : numbers)
      for (std::size_t i = 0; i < shape[axis]; ++i)
        next.push_back(number + i * strides[axis]);
    numbers = std::move(next);
  }
  return numbers;
}

struct Converted {
  std::vector<std::byte> bytes;
  bool isRounded = false;
  std::string fault;
};

/// An integer into an integer type; a fault where it does not fit.
bool storeInteger(std::byte *to, std::int32_t dtype, std::int64_t value) {
  const std::int64_t low = dtype == APRT_I32 ? INT32_MIN : dtype == APRT_I64 ? INT64_MIN : 0;
  const std::int64_t high = dtype == APRT_I32   ? INT32_MAX
                            : dtype == APRT_I64 ? INT64_MAX
                            : dtype == APRT_U8  ? 255
                                                : 1;
  if (value < low || value > high)
    return false;
  std::memcpy(to, &value, elementBytes(dtype)); // little-endian: the low bytes
  return true;
}

/// Stores a float and tells whether it was rounded; a fault where it becomes infinite.
const char *storeReal(std::byte *to, std::int32_t dtype, double value, bool &isRounded) {
  if (!std::isfinite(value)) {
    storeNumber(to, dtype, value);
    return nullptr;
  }
  if (const char *fault = conversionFault(value, dtype))
    return fault;
  storeNumber(to, dtype, value);
  isRounded = isRounded || elementAt(to, dtype, 0) != value;
  return nullptr;
}

const char *storeElement(std::byte *to, std::int32_t dtype, const NpyNumber &number,
                         bool &isRounded) {
  const bool isFloat = dtype == APRT_F32 || dtype == APRT_F64 || dtype == APRT_BF16;
  if (const auto *real = std::get_if<double>(&number)) {
    if (!isFloat && !std::isfinite(*real))
      return "is no whole number";
    return storeReal(to, dtype, *real, isRounded);
  }
  std::int64_t value = 0;
  if (const auto *natural = std::get_if<std::uint64_t>(&number)) {
    if (*natural > static_cast<std::uint64_t>(INT64_MAX))
      return "is out of range";
    value = static_cast<std::int64_t>(*natural);
  } else {
    value = std::get<std::int64_t>(number);
  }
  if (!isFloat)
    return storeInteger(to, dtype, value) ? nullptr : "is out of range";
  const auto wide = static_cast<double>(value);
  isRounded = isRounded || wide >= 0x1p63 || static_cast<std::int64_t>(wide) != value;
  return storeReal(to, dtype, wide, isRounded);
}

/// `order` is empty where elements stay in theirs.
Converted convert(const NpyArray &array, std::int32_t dtype, std::size_t elements,
                  const std::vector<std::size_t> &order) {
  const std::size_t size = elementBytes(dtype);
  Converted result;
  result.bytes.resize(elements * size);
  for (std::size_t i = 0; i < elements; ++i) {
    const std::size_t from = order.empty() ? i : order[i];
    if (const char *fault = storeElement(result.bytes.data() + i * size, dtype, array.number(from),
                                         result.isRounded)) {
      result.fault = fmt::format("element {} {}", from, fault);
      break;
    }
  }
  return result;
}

class Import {
public:
  Import(Instance &instance, const std::vector<ForeignTensor> &file, const ImportRules &rules)
      : instance_(instance), file_(file), rules_(rules) {
    for (const ForeignTensor &tensor : file)
      names_.push_back(tensor.name);
  }

  ImportReport run() {
    checkRules(instance_, rules_);
    for (const aprt_tensor &tensor : instance_.model().tensors())
      if (isWeight(tensor))
        take(tensor);
    for (const ForeignTensor &tensor : file_)
      if (!used_.contains(tensor.name))
        report_.unused.push_back(tensor.name + " " + typeText(tensor.type, tensor.shape));
    const bool isWhole =
        report_.mismatched.empty() && (rules_.keepsMissing || report_.missing.empty());
    if (isWhole)
      for (const auto &[tensor, bytes] : values_)
        if (!bytes.empty())
          std::memcpy(instance_.values(*tensor), bytes.data(), bytes.size());
    return std::move(report_);
  }

private:
  void take(const aprt_tensor &tensor) {
    const Shape wanted = shapeOf(tensor);
    const std::string type = typeText(dtypeName(tensor.dtype), wanted);
    const std::string theirs = theirName(tensor.name, rules_);
    const auto found = std::find_if(file_.begin(), file_.end(),
                                    [&](const auto &each) { return each.name == theirs; });
    if (found == file_.end()) {
      report_.missing.push_back(
          fmt::format("{} {}{}{}", tensor.name, type,
                      theirs == tensor.name ? "" : fmt::format(", as {}", inQuotes(theirs)),
                      suggestion(theirs, names_)));
      return;
    }
    used_.insert(theirs);
    std::vector<std::size_t> order(wanted.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const bool turns = isTransposed(tensor.name, rules_) && wanted.size() >= 2;
    if (turns)
      order = kernelOrder(wanted.size());
    if (found->shape.size() != wanted.size() || permuted(found->shape, order) != wanted)
      return mismatch(tensor, *found, type, hint(*found, wanted, turns));
    const Converted values =
        convert(found->read(), tensor.dtype, elementCount(tensor),
                turns ? elementOrder(found->shape, order) : std::vector<std::size_t>{});
    if (!values.fault.empty())
      return mismatch(tensor, *found, type, values.fault);
    std::vector<std::string> notes;
    if (turns)
      notes.emplace_back("transposed");
    if (values.isRounded)
      notes.push_back("rounded from " + found->type);
    report_.taken.push_back({tensor.name, type, theirs, fmt::format("{}", fmt::join(notes, ", "))});
    values_.emplace_back(&tensor, values.bytes);
  }

  static std::string hint(const ForeignTensor &found, const Shape &wanted, bool turns) {
    if (turns || wanted.size() < 2 || found.shape.size() != wanted.size() ||
        permuted(found.shape, kernelOrder(wanted.size())) != wanted)
      return {};
    return "with --transpose it fits";
  }

  void mismatch(const aprt_tensor &tensor, const ForeignTensor &found, const std::string &type,
                const std::string &more) {
    report_.mismatched.push_back(
        fmt::format("{} is {} in the model, {} {} in the file{}{}", tensor.name, type, found.name,
                    typeText(found.type, found.shape), more.empty() ? "" : "; ", more));
  }

  Instance &instance_;
  const std::vector<ForeignTensor> &file_;
  const ImportRules &rules_;
  std::vector<std::string> names_;
  std::set<std::string> used_;
  std::vector<std::pair<const aprt_tensor *, std::vector<std::byte>>> values_;
  ImportReport report_;
};

} // namespace

std::vector<ForeignTensor> readForeignTensors(const std::string &path) {
  std::string content = path.ends_with(".safetensors") ? "" : readFile(path);
  if (content.starts_with("PK"))
    return readArchive(path, std::move(content));
  return readSafetensors(path);
}

ImportReport importWeights(Instance &instance, const std::vector<ForeignTensor> &file,
                           const ImportRules &rules) {
  return Import(instance, file, rules).run();
}

std::string text(const ImportReport &report) {
  std::size_t nameWidth = 0;
  std::size_t typeWidth = 0;
  for (const ImportReport::Line &line : report.taken) {
    nameWidth = std::max(nameWidth, line.name.size());
    typeWidth = std::max(typeWidth, line.type.size());
  }
  std::string text;
  for (const ImportReport::Line &line : report.taken)
    text += fmt::format("{:<{}}  {:<{}}  from {}{}{}\n", line.name, nameWidth, line.type, typeWidth,
                        line.from, line.note.empty() ? "" : ", ", line.note);
  for (const std::string &each : report.mismatched)
    text += "mismatch: " + each + "\n";
  for (const std::string &each : report.missing)
    text += "missing in the file: " + each + "\n";
  for (const std::string &each : report.unused)
    text += "not in the model: " + each + "\n";
  return text;
}

} // namespace apr::train
