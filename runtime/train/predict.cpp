// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/predict.h"

#include "runtime/train/elements.h"
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

/// Receives the results of each call: of so many records, along the first axis or one in all.
class PredictionSink {
public:
  virtual ~PredictionSink() = default;
  virtual void add(const EntryCall &call, std::size_t records, bool hasRecordAxis) = 0;
};

/// Renders the results of calls, record by record.
class Renderer : public PredictionSink {
public:
  Renderer(const aprt_entry &entry, PredictionFormat format) : entry_(entry), format_(format) {}

  void add(const EntryCall &call, std::size_t records, bool hasRecordAxis) override {
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

/// Joins the results of calls along the first axis.
class ArrayCollector : public PredictionSink {
public:
  ArrayCollector(const aprt_entry &entry, bool isOneCall) : entry_(entry), isOneCall_(isOneCall) {}

  void add(const EntryCall &call, std::size_t records, bool hasRecordAxis) override {
    arrays_.resize(call.resultCount());
    for (std::size_t i = 0; i < call.resultCount(); ++i) {
      const ResultView result = call.result(i);
      PredictedArray &array = arrays_[i];
      const auto *bytes = reinterpret_cast<const std::byte *>(result.values);
      array.values.insert(array.values.end(), bytes,
                          bytes + result.elements * elementBytes(result.tensor->dtype));
      if (array.shape.empty()) {
        array.name = resultName(entry_, *result.tensor);
        array.dtype = result.tensor->dtype;
        array.shape.assign(result.shape.begin(), result.shape.end());
        if (hasRecordAxis)
          array.shape[0] = 0;
        else if (!isOneCall_)
          array.shape.insert(array.shape.begin(), 0);
      }
      if (hasRecordAxis || !isOneCall_)
        array.shape[0] += static_cast<std::int64_t>(records);
    }
  }

  std::vector<PredictedArray> finish() { return std::move(arrays_); }

private:
  const aprt_entry &entry_;
  bool isOneCall_;
  std::vector<PredictedArray> arrays_;
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

/// Whether results have a row for each row of the data.
bool isPerRecord(const aprt_entry &entry, const FixedInputs &fixed) {
  const aprt_dim *row = rowDim(entry, fixed);
  return !(row && isOneRowPerCall(entry, fixed)) && haveSameFirstDim(entry, row);
}

void callWithRows(Instance &instance, const aprt_entry &entry, const FixedInputs &fixed,
                  const Dataset &data, std::size_t batchRows, PredictionSink &sink) {
  const bool isSplit = isPerRecord(entry, fixed);
  RowFeed feed(instance, entry, fixed, data,
               isSplit ? batchRows : std::max<std::size_t>(data.rows, 1));
  if (!feed.hasRows()) {
    feed.run({}, 0);
    const std::size_t records =
        isSplit ? static_cast<std::size_t>(feed.call().result(0).shape[0]) : 1;
    return sink.add(feed.call(), records, isSplit);
  }
  std::vector<std::size_t> rows(data.rows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const std::span<const std::size_t> all(rows);
  for (std::size_t first = 0; first < rows.size();) {
    const std::size_t count = std::min(feed.batchRows(), rows.size() - first);
    feed.run(all.subspan(first, count), static_cast<std::int64_t>(first));
    sink.add(feed.call(), isSplit ? count : 1, isSplit);
    first += count;
  }
}

} // namespace

std::string predict(Instance &instance, const aprt_entry &entry, const FixedInputs &fixed,
                    const Dataset &data, std::size_t batchRows, PredictionFormat format) {
  Renderer renderer(entry, format);
  callWithRows(instance, entry, fixed, data, batchRows, renderer);
  return renderer.finish();
}

std::vector<PredictedArray> predictArrays(Instance &instance, const aprt_entry &entry,
                                          const FixedInputs &fixed, const Dataset &data,
                                          std::size_t batchRows) {
  const aprt_dim *row = rowDim(entry, fixed);
  const bool isOneCall = !row || !isOneRowPerCall(entry, fixed);
  ArrayCollector collector(entry, isOneCall);
  callWithRows(instance, entry, fixed, data, batchRows, collector);
  return collector.finish();
}

} // namespace apr::train
