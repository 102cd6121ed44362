// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/predict.h"

#include "runtime/train/json_text.h"
#include "runtime/train/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

namespace apr::train {
namespace {

std::string resultName(const aprt_entry &entry, const aprt_tensor &result) {
  // An unnamed result is better known by the entry's name.
  const std::string name = result.name ? result.name : "";
  return name.empty() || (name == "result" && entry.result_count == 1) ? entry.name : name;
}

/// Renders the results of calls, record by record.
class Renderer {
public:
  Renderer(const aprt_entry &entry, PredictionFormat format) : entry_(entry), format_(format) {}

  void add(const EntryCall &call, std::size_t records, bool hasRecordAxis) {
    if (format_ == PredictionFormat::Csv && text_.empty())
      header(call, hasRecordAxis);
    for (std::size_t record = 0; record < records; ++record) {
      if (format_ == PredictionFormat::Csv)
        csvRecord(call, record, hasRecordAxis);
      else
        jsonRecord(call, record, hasRecordAxis);
    }
  }

  std::string finish() {
    if (format_ == PredictionFormat::Json)
      text_ = text_.empty() ? "[]\n" : "[\n" + text_ + "\n]\n";
    return std::move(text_);
  }

private:
  struct Item {
    std::span<const std::int64_t> shape;
    std::size_t first = 0;
    std::size_t elements = 1;
  };

  static Item item(const ResultView &result, std::size_t record, bool hasRecordAxis) {
    Item item{result.shape.subspan(hasRecordAxis ? 1 : 0), 0, 1};
    for (std::int64_t size : item.shape)
      item.elements *= static_cast<std::size_t>(size);
    item.first = record * item.elements;
    return item;
  }

  void header(const EntryCall &call, bool hasRecordAxis) {
    const char *separator = "";
    for (std::size_t i = 0; i < call.resultCount(); ++i) {
      const ResultView result = call.result(i);
      const std::string name = resultName(entry_, *result.tensor);
      const Item one = item(result, 0, hasRecordAxis);
      for (std::size_t k = 0; k < one.elements; ++k) {
        text_ += separator;
        text_ += one.shape.empty() ? name : name + subscript(one.shape, k);
        separator = ",";
      }
    }
    text_ += '\n';
  }

  static std::string subscript(std::span<const std::int64_t> shape, std::size_t element) {
    std::string text;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      const auto size = static_cast<std::size_t>(shape[axis]);
      text = fmt::format(".{}{}", element % size, text);
      element /= size;
    }
    return text;
  }

  void csvRecord(const EntryCall &call, std::size_t record, bool hasRecordAxis) {
    const char *separator = "";
    for (std::size_t i = 0; i < call.resultCount(); ++i) {
      const ResultView result = call.result(i);
      const Item one = item(result, record, hasRecordAxis);
      for (std::size_t k = 0; k < one.elements; ++k) {
        text_ += separator;
        text_ += elementText(result.values, result.tensor->dtype, one.first + k);
        separator = ",";
      }
    }
    text_ += '\n';
  }

  void jsonRecord(const EntryCall &call, std::size_t record, bool hasRecordAxis) {
    text_ += text_.empty() ? "  {" : ",\n  {";
    for (std::size_t i = 0; i < call.resultCount(); ++i) {
      const ResultView result = call.result(i);
      const Item one = item(result, record, hasRecordAxis);
      std::size_t next = one.first;
      text_ += i == 0 ? "" : ", ";
      text_ += Json(resultName(entry_, *result.tensor)).dump() + ": ";
      nested(result, one.shape, next);
    }
    text_ += '}';
  }

  void nested(const ResultView &result, std::span<const std::int64_t> shape, std::size_t &next) {
    if (shape.empty()) {
      const double value = elementAt(result.values, result.tensor->dtype, next);
      text_ += std::isfinite(value) ? elementText(result.values, result.tensor->dtype, next)
                                    : jsonNumber(value).dump();
      ++next;
      return;
    }
    text_ += '[';
    for (std::int64_t i = 0; i < shape.front(); ++i) {
      text_ += i == 0 ? "" : ", ";
      nested(result, shape.subspan(1), next);
    }
    text_ += ']';
  }

  const aprt_entry &entry_;
  PredictionFormat format_;
  std::string text_;
};

bool haveSameFirstDim(const aprt_entry &entry, const aprt_dim *first) {
  for (std::uint32_t i = 0; i < entry.result_count; ++i) {
    const aprt_tensor &result = entry.results[i];
    if (result.rank == 0)
      return false;
    first = first ? first : &result.dims[0];
    if (result.dims[0].variable == -2 || result.dims[0].variable != first->variable ||
        result.dims[0].value != first->value)
      return false;
  }
  return entry.result_count > 0;
}

/// The dimension that counts the rows of a data set, or null where no input has rows.
const aprt_dim *rowDim(const aprt_entry &entry, const FixedInputs &fixed) {
  for (std::uint32_t i = 0; i < entry.input_count; ++i)
    if (entry.inputs[i].rank > 0 && fixed.values.count(entry.inputs[i].name) == 0)
      return &entry.inputs[i].dims[0];
  return nullptr;
}

} // namespace

std::string predict(Instance &instance, const aprt_entry &entry, const FixedInputs &fixed,
                    const Dataset &data, std::size_t batchRows, PredictionFormat format) {
  const aprt_dim *row = rowDim(entry, fixed);
  const bool isPerRecord = !(row && isOneRowPerCall(entry, fixed)) && haveSameFirstDim(entry, row);
  RowFeed feed(instance, entry, fixed, data,
               isPerRecord ? batchRows : std::max<std::size_t>(data.rows, 1));
  Renderer renderer(entry, format);
  if (!feed.hasRows()) {
    feed.run({}, 0);
    const std::size_t records =
        isPerRecord ? static_cast<std::size_t>(feed.call().result(0).shape[0]) : 1;
    renderer.add(feed.call(), records, isPerRecord);
    return renderer.finish();
  }
  std::vector<std::size_t> rows(data.rows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const std::span<const std::size_t> all(rows);
  for (std::size_t first = 0; first < rows.size();) {
    const std::size_t count = std::min(feed.batchRows(), rows.size() - first);
    feed.run(all.subspan(first, count), static_cast<std::int64_t>(first));
    renderer.add(feed.call(), isPerRecord ? count : 1, isPerRecord);
    first += count;
  }
  return renderer.finish();
}

} // namespace apr::train
