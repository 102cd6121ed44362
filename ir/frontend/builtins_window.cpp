// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolution and pooling over [B, S1..Sn, C]: windows along the spatial axes, channels last.
#include "ir/frontend/elaborator.h"
#include "ir/frontend/number_hints.h"

#include "ir/convolution.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <numeric>

namespace apr::frontend {
namespace {

constexpr size_t kMaximumSpatialAxes = 3;
/// Sizes, strides and paddings beyond this are mistakes, and products of them must not overflow.
constexpr int64_t kMaximumLength = 1 << 24;
/// Elements of the tables that windows of two lengths need.
constexpr int64_t kMaximumTable = 1 << 20;

const std::vector<Value> *elementsOf(const Value &value) {
  if (auto *list = value.as<ListValue>())
    return &list->elements;
  if (auto *tuple = value.as<TupleValue>())
    return &tuple->elements;
  return nullptr;
}

std::vector<int64_t> spatialAxes(size_t count) {
  std::vector<int64_t> axes(count);
  std::iota(axes.begin(), axes.end(), 1);
  return axes;
}

ValueId leastValue(Builder &builder, DType dtype) {
  const Type scalar{dtype, {}};
  switch (dtype) {
  case DType::F32:
  case DType::F64:
    return builder.splat(scalar, -std::numeric_limits<double>::infinity());
  case DType::I32:
    return builder.splatInteger(scalar, std::numeric_limits<int32_t>::min());
  case DType::I64:
    return builder.splatInteger(scalar, std::numeric_limits<int64_t>::min());
  default:
    return builder.splatInteger(scalar, 0);
  }
}

/// For weights that take another number of channels than x has.
std::string hintForWeights(const TensorValue &x, const Dim &channels, std::string_view layout) {
  auto hint = hintForChannels(x.type.shape, channels);
  return hint.empty() ? fmt::format("weights are {}", layout) : hint;
}

} // namespace

/// A call of one of these builtins, being checked and built.
class WindowCall {
public:
  WindowCall(Elaborator &elaborator, BuiltinCall &call)
      : e_(elaborator), call_(call), b_(elaborator.context().builder) {}

  Value conv() {
    const TensorValue x = input(Numbers::Floats), w = weights(x);
    const size_t n = spatial(x);
    const int64_t groups = groupCount(5);
    const Dim inputs = w.type.shape[n] * Dim(groups);
    if (!(inputs == x.type.shape.back()))
      e_.fail(DiagnosticKind::ShapeMismatch, call_.location,
              fmt::format("weights {} in {} groups take {} channels, the input {} has {}",
                          str(w.type), groups, inputs.str(), str(x.type),
                          x.type.shape.back().str()),
              hintForWeights(x, inputs, "[sizes.., input channels / groups, output channels]"),
              origins(x, w));
    const Dim outputs = perGroup(w.type.shape.back(), groups, "output channels");
    const Geometry g = geometry(n, kernelOf(w), DefaultStride::One);
    requireFit(x, g);
    const ValueId padded = pad(x, g, b_.splat({x.type.dtype, {}}, 0));
    const ValueId y = b_.create(
        OpKind::Conv,
        {splitChannels(padded, groups, w.type.shape[n]), splitOutputs(w.id, groups, outputs)},
        convAttributes(g.stride, g.dilation));
    return e_.make(joinChannels(y));
  }

  Value convTranspose() {
    const TensorValue x = input(Numbers::Floats), w = weights(x);
    const size_t n = spatial(x);
    const int64_t groups = groupCount(5);
    if (!(w.type.shape[n] == x.type.shape.back()))
      e_.fail(
          DiagnosticKind::ShapeMismatch, call_.location,
          fmt::format("weights {} take {} channels, the input {} has {}", str(w.type),
                      w.type.shape[n].str(), str(x.type), x.type.shape.back().str()),
          hintForWeights(x, w.type.shape[n], "[sizes.., input channels, output channels / groups]"),
          origins(x, w));
    const Dim inputs = perGroup(w.type.shape[n], groups, "input channels");
    const Geometry g = geometry(n, kernelOf(w), DefaultStride::One);
    const std::vector<int64_t> extra = perAxis(6, n, 0, "the output padding", 0);
    for (size_t i = 0; i < n; ++i)
      if (extra[i] >= std::max(g.stride[i], g.dilation[i]))
        e_.fail(DiagnosticKind::BadConstant, call_.locations[6],
                fmt::format("an output padding of {} is not below the stride {} or dilation {}",
                            extra[i], g.stride[i], g.dilation[i]));
    Shape kernel = w.type.shape;
    kernel.insert(kernel.begin() + static_cast<std::ptrdiff_t>(n), Dim(groups));
    kernel[n + 1] = inputs;
    std::vector<int64_t> perm(n + 3);
    std::iota(perm.begin(), perm.end(), 0);
    std::swap(perm[n + 1], perm[n + 2]);
    Shape whole, start(n + 2, Dim(0)), limit = x.type.shape;
    for (size_t i = 0; i < n; ++i) {
      whole.push_back((x.type.shape[i + 1] - Dim(1)) * Dim(g.stride[i]) +
                      windowExtent(g.size[i], g.dilation[i]) + Dim(extra[i]));
      start[i + 1] = Dim(g.low[i]);
      limit[i + 1] = whole[i] - Dim(g.high[i]);
      if (auto length = (limit[i + 1] - start[i + 1]).asConstant(); length && *length < 1)
        e_.fail(DiagnosticKind::ShapeMismatch, call_.location,
                fmt::format("padding {} and {} leave nothing of an axis of {}", g.low[i], g.high[i],
                            whole[i].str()));
    }
    const ValueId rows = splitChannels(x.id, groups, inputs);
    const ValueId turned = b_.transpose(b_.reshape(w.id, kernel), perm);
    const ValueId y =
        joinChannels(buildConvTranspose(b_, rows, turned, whole, g.stride, g.dilation));
    limit.back() = b_.type(y).shape.back();
    const bool isWhole = limit == b_.type(y).shape && start == Shape(n + 2, Dim(0));
    return e_.make(isWhole ? y : b_.slice(y, start, limit, std::vector<int64_t>(n + 2, 1)));
  }

  Value windows() {
    const TensorValue x = input(Numbers::Any);
    const Geometry g = geometry(spatial(x), sizes(x), DefaultStride::One);
    requireFit(x, g);
    TensorValue fill = e_.requireTensor(call_.has(5) ? *call_.values[5] : Value(NumberValue{0}),
                                        x.type.dtype, call_.locations[5], "the fill");
    if (!fill.type.shape.empty())
      e_.fail(DiagnosticKind::ShapeMismatch, call_.locations[5],
              fmt::format("the fill is a scalar, found {}", str(fill.type)));
    return e_.make(window(pad(x, g, fill.id), g));
  }

  Value windowMax() {
    const TensorValue x = input(Numbers::NoBool);
    const Geometry g = geometry(spatial(x), sizes(x), DefaultStride::Size);
    requireFit(x, g);
    requireOverlap(g);
    const ValueId v = window(pad(x, g, leastValue(b_, x.type.dtype)), g);
    return e_.make(b_.reduce(OpKind::ReduceMax, v, insideAxes(g)));
  }

  Value windowMean() {
    const TensorValue x = input(Numbers::Floats);
    const Geometry g = geometry(spatial(x), sizes(x), DefaultStride::Size);
    requireFit(x, g);
    requireOverlap(g);
    const bool countsPadding =
        !call_.has(5) || e_.requireBool(*call_.values[5], call_.locations[5], "'count_padding'");
    const ValueId zero = b_.splat({x.type.dtype, {}}, 0);
    const ValueId sum = b_.sum(window(pad(x, g, zero), g), insideAxes(g));
    const Type type = b_.type(sum);
    double count = 1;
    for (int64_t size : g.size)
      count *= double(size);
    if (countsPadding || !g.hasPadding())
      return e_.make(b_.div(sum, b_.splat(type, count)));
    // The ones in each window over ones among zeros.
    TensorValue ones = x;
    ones.type.shape.front() = ones.type.shape.back() = Dim(1);
    ones.id = b_.splat(ones.type, 1);
    ValueId counts = b_.sum(window(pad(ones, g, zero), g), insideAxes(g));
    Shape spatialShape = b_.type(counts).shape;
    spatialShape.erase(spatialShape.begin());
    spatialShape.pop_back();
    counts = b_.reshape(counts, spatialShape);
    return e_.make(b_.div(sum, b_.broadcast(counts, type.shape, spatialAxes(g.size.size()))));
  }

  /// Window i of m over n elements is [i * n // m, ceil((i + 1) * n / m)).
  Value adaptive() {
    const bool isMax = call_.builtin.op == OpKind::ReduceMax;
    const TensorValue x = input(isMax ? Numbers::NoBool : Numbers::Floats);
    const size_t n = spatial(x);
    const std::vector<int64_t> counts = perAxis(1, n, 1, "the number of windows", 1);
    // How many elements a window has: those of the axes that divide evenly, and a list for the
    // others.
    Dim evenly = 1;
    std::vector<std::vector<double>> lengths;
    ValueId v = x.id;
    for (size_t i = 0; i < n; ++i)
      v = combineWindows(v, i + 1, counts[i], isMax, evenly, lengths.emplace_back());
    return e_.make(isMax ? v : divideByLengths(v, evenly, lengths));
  }

  Value perAxisList() {
    const int64_t count = e_.requireInt(*call_.values[1], call_.locations[1], "the number of axes");
    if (count < 1 || count > 100)
      e_.fail(DiagnosticKind::BadConstant, call_.locations[1],
              fmt::format("between 1 and 100 axes are possible, found {}", count));
    if (const auto *elements = elementsOf(*call_.values[0])) {
      if (elements->size() != static_cast<size_t>(count))
        e_.fail(DiagnosticKind::WrongArguments, call_.locations[0],
                fmt::format("{} values for {} axes", elements->size(), count));
      return ListValue{*elements};
    }
    return ListValue{std::vector<Value>(static_cast<size_t>(count), *call_.values[0])};
  }

private:
  struct Geometry {
    std::vector<int64_t> size, stride, dilation, low, high;

    bool hasPadding() const {
      auto isPositive = [](int64_t n) { return n > 0; };
      return std::ranges::any_of(low, isPositive) || std::ranges::any_of(high, isPositive);
    }
  };

  enum class Numbers : uint8_t { Any, NoBool, Floats };
  enum class DefaultStride : uint8_t { One, Size };
  /// Places of the arguments that all calls but adaptive ones share.
  static constexpr size_t kStride = 2, kPadding = 3, kDilation = 4;

  std::string what() const { return fmt::format("'{}'", call_.builtin.name); }

  TensorValue input(Numbers numbers) {
    TensorValue x = e_.anyTensor(*call_.values[0], call_.locations[0], "the input of " + what());
    const size_t rank = x.type.rank();
    if (rank < 3 || rank > kMaximumSpatialAxes + 2)
      e_.fail(DiagnosticKind::ShapeMismatch, call_.locations[0],
              fmt::format("{} takes [batch, sizes.., channels] with one to three sizes, found {}",
                          what(), str(x.type)),
              "reshape adds a batch or a channel axis of 1");
    if ((numbers == Numbers::Floats && !isFloat(x.type.dtype)) ||
        (numbers == Numbers::NoBool && !isFloat(x.type.dtype) && !isInteger(x.type.dtype)))
      e_.fail(DiagnosticKind::DTypeMismatch, call_.locations[0],
              fmt::format("{} takes {}, found {}", what(),
                          numbers == Numbers::Floats ? "floats" : "numbers", str(x.type)),
              "real(x) converts");
    return x;
  }

  size_t spatial(const TensorValue &x) const { return x.type.rank() - 2; }

  TensorValue weights(const TensorValue &x) {
    TensorValue w = e_.anyTensor(*call_.values[1], call_.locations[1], "the weights of " + what());
    if (w.type.dtype != x.type.dtype)
      e_.fail(DiagnosticKind::DTypeMismatch, call_.location,
              fmt::format("input {} and weights {} differ in dtype", str(x.type), str(w.type)));
    if (w.type.rank() != x.type.rank())
      e_.fail(DiagnosticKind::ShapeMismatch, call_.location,
              fmt::format("an input {} takes weights of rank {}, found {}", str(x.type),
                          x.type.rank(), str(w.type)),
              "weights are [sizes.., input channels, output channels]", origins(x, w));
    return w;
  }

  std::vector<DiagnosticNote> origins(const TensorValue &x, const TensorValue &w) {
    std::vector<DiagnosticNote> notes;
    e_.addOrigin(notes, x, "the input");
    e_.addOrigin(notes, w, "the weights");
    return notes;
  }

  std::vector<int64_t> kernelOf(const TensorValue &w) {
    std::vector<int64_t> sizes;
    for (size_t i = 0; i + 2 < w.type.rank(); ++i) {
      auto size = w.type.shape[i].asConstant();
      if (!size || *size < 1 || *size > kMaximumLength)
        e_.fail(size ? DiagnosticKind::ShapeMismatch : DiagnosticKind::OpenDim, call_.locations[1],
                fmt::format("the sizes of a kernel are positive numbers, found {}", str(w.type)));
      sizes.push_back(*size);
    }
    return sizes;
  }

  std::vector<int64_t> sizes(const TensorValue &x) {
    return perAxis(1, spatial(x), 1, "the size of a window", 1);
  }

  int64_t groupCount(size_t argument) {
    if (!call_.has(argument))
      return 1;
    const int64_t groups =
        e_.requireInt(*call_.values[argument], call_.locations[argument], "the number of groups");
    if (groups < 1 || groups > kMaximumLength)
      e_.fail(DiagnosticKind::BadConstant, call_.locations[argument],
              fmt::format("the number of groups is positive, found {}", groups));
    return groups;
  }

  Dim perGroup(const Dim &channels, int64_t groups, std::string_view name) {
    auto each = channels.dividedExactlyBy(Dim(groups));
    if (!each)
      e_.fail(DiagnosticKind::ShapeMismatch, call_.location,
              fmt::format("{} {} do not divide into {} groups", channels.str(), name, groups));
    return *each;
  }

  /// One number for each axis: the same for all, or a list.
  std::vector<int64_t> perAxis(size_t argument, size_t n, int64_t otherwise, std::string name,
                               int64_t least) {
    if (!call_.has(argument))
      return std::vector<int64_t>(n, otherwise);
    const Value &value = *call_.values[argument];
    const Location location = call_.locations[argument];
    std::vector<int64_t> result;
    if (const auto *elements = elementsOf(value)) {
      if (elements->size() != n)
        e_.fail(DiagnosticKind::WrongArguments, location,
                fmt::format("{} has {} entries for {} axes", name, elements->size(), n));
      for (const Value &element : *elements)
        result.push_back(e_.requireInt(element, location, name));
    } else {
      result.assign(n, e_.requireInt(value, location, name));
    }
    for (int64_t number : result)
      if (number < least || number > kMaximumLength)
        e_.fail(DiagnosticKind::BadConstant, location,
                fmt::format("{} is at least {}, found {}", name, least, number));
    return result;
  }

  Geometry geometry(size_t n, std::vector<int64_t> size, DefaultStride defaultStride) {
    Geometry g{std::move(size), {}, {}, {}, {}};
    g.stride = perAxis(kStride, n, 1, "a stride", 1);
    if (!call_.has(kStride) && defaultStride == DefaultStride::Size)
      g.stride = g.size;
    g.dilation = perAxis(kDilation, n, 1, "a dilation", 1);
    readPadding(g, n);
    return g;
  }

  void readPadding(Geometry &g, size_t n) {
    g.low.assign(n, 0);
    g.high.assign(n, 0);
    if (!call_.has(kPadding))
      return;
    const Value &value = *call_.values[kPadding];
    const Location location = call_.locations[kPadding];
    if (auto *text = value.as<StringValue>()) {
      const bool isTransposed = call_.builtin.name == "conv_transpose";
      if (text->text == "same" && !isTransposed) {
        for (size_t i = 0; i < n; ++i) {
          const int64_t all = (g.size[i] - 1) * g.dilation[i];
          g.low[i] = all / 2;
          g.high[i] = all - all / 2;
        }
      } else if (text->text != "valid") {
        e_.fail(DiagnosticKind::BadConstant, location,
                fmt::format("there is no padding \"{}\" here", text->text),
                isTransposed ? "a number, a list of numbers or of (low, high), or \"valid\""
                             : "a number, a list of numbers or of (low, high), \"same\" or "
                               "\"valid\"");
      }
      return;
    }
    const auto *elements = elementsOf(value);
    const bool hasPairs = elements && std::ranges::any_of(*elements, [](const Value &element) {
                            return elementsOf(element) != nullptr;
                          });
    if (!hasPairs) {
      g.low = g.high = perAxis(kPadding, n, 0, "a padding", 0);
      return;
    }
    if (elements->size() != n)
      e_.fail(DiagnosticKind::WrongArguments, location,
              fmt::format("the padding has {} entries for {} axes", elements->size(), n));
    for (size_t i = 0; i < n; ++i) {
      const auto *pair = elementsOf((*elements)[i]);
      if (!pair || pair->size() != 2)
        e_.fail(DiagnosticKind::KindMismatch, location,
                fmt::format("a padding of axes one by one is a list of (low, high), found {}",
                            describe((*elements)[i])));
      for (auto [to, from] :
           {std::pair(&g.low[i], &(*pair)[0]), std::pair(&g.high[i], &(*pair)[1])}) {
        *to = e_.requireInt(*from, location, "a padding");
        if (*to < 0 || *to > kMaximumLength)
          e_.fail(DiagnosticKind::BadConstant, location,
                  fmt::format("a padding is at least 0, found {}", *to));
      }
    }
  }

  /// A window of padding alone has no maximum and no mean.
  void requireOverlap(const Geometry &g) {
    for (size_t i = 0; i < g.size.size(); ++i)
      if (int64_t extent = (g.size[i] - 1) * g.dilation[i] + 1;
          g.low[i] >= extent || g.high[i] >= extent)
        e_.fail(
            DiagnosticKind::BadConstant, call_.location,
            fmt::format("a padding of {} and {} around windows over {} elements makes windows of "
                        "padding alone",
                        g.low[i], g.high[i], extent));
  }

  /// Sizes that are open are checked when an entry point is called.
  void requireFit(const TensorValue &x, const Geometry &g) {
    for (size_t i = 0; i < g.size.size(); ++i) {
      const Dim axis = x.type.shape[i + 1] + Dim(g.low[i]) + Dim(g.high[i]);
      const Dim extent = windowExtent(g.size[i], g.dilation[i]);
      if (auto rest = (axis - extent).asConstant(); rest && *rest < 0) {
        std::vector<DiagnosticNote> notes;
        e_.addOrigin(notes, x, "the input");
        e_.fail(
            DiagnosticKind::ShapeMismatch, call_.location,
            fmt::format("a window over {} elements does not fit axis {} of {}, which is {} long "
                        "with its padding",
                        extent.str(), i + 1, str(x.type), axis.str()),
            "a smaller window or dilation, or more padding", std::move(notes));
      }
    }
  }

  ValueId pad(const TensorValue &x, const Geometry &g, ValueId fill) {
    if (!g.hasPadding())
      return x.id;
    Shape low(x.type.rank(), Dim(0)), high = low;
    std::copy(g.low.begin(), g.low.end(), low.begin() + 1);
    std::copy(g.high.begin(), g.high.end(), high.begin() + 1);
    return b_.pad(x.id, fill, low, high, std::vector<int64_t>(x.type.rank(), 1));
  }

  ValueId window(ValueId x, const Geometry &g) {
    return buildWindow(b_, x, spatialAxes(g.size.size()), g.size, g.stride, g.dilation);
  }

  static std::vector<int64_t> insideAxes(const Geometry &g) {
    std::vector<int64_t> axes = spatialAxes(g.size.size());
    for (int64_t &axis : axes)
      axis += static_cast<int64_t>(g.size.size());
    return axes;
  }

  ValueId splitChannels(ValueId x, int64_t groups, const Dim &each) {
    Shape shape = b_.type(x).shape;
    shape.back() = Dim(groups);
    shape.push_back(each);
    return b_.reshape(x, shape);
  }

  /// [K..,I,G*O] as [K..,G,I,O].
  ValueId splitOutputs(ValueId w, int64_t groups, const Dim &each) {
    Shape shape = b_.type(w).shape;
    const auto n = static_cast<int64_t>(shape.size()) - 2;
    if (groups == 1) {
      shape.insert(shape.begin() + n, Dim(1));
      return b_.reshape(w, shape);
    }
    shape.back() = Dim(groups);
    shape.push_back(each);
    std::vector<int64_t> perm(shape.size());
    std::iota(perm.begin(), perm.end(), 0);
    std::swap(perm[static_cast<size_t>(n)], perm[static_cast<size_t>(n) + 1]);
    return b_.transpose(b_.reshape(w, shape), perm);
  }

  ValueId joinChannels(ValueId y) {
    Shape shape = b_.type(y).shape;
    const Dim each = shape.back();
    shape.pop_back();
    shape.back() *= each;
    return b_.reshape(y, shape);
  }

  /// The maximum or sum of each of the windows along an axis. Says how long they are: a factor of
  /// `evenly`, or one number each.
  ValueId combineWindows(ValueId x, size_t axis, int64_t count, bool isMax, Dim &evenly,
                         std::vector<double> &lengths) {
    const Shape shape = b_.type(x).shape;
    const auto at = static_cast<int64_t>(axis);
    auto combine = [&](ValueId v, int64_t over) {
      return isMax ? b_.reduce(OpKind::ReduceMax, v, {over}) : b_.sum(v, {over});
    };
    if (count == 1) {
      evenly *= shape[axis];
      Shape kept = shape;
      kept[axis] = Dim(1);
      return b_.reshape(combine(x, at), kept);
    }
    auto size = shape[axis].asConstant();
    if (!size)
      e_.fail(DiagnosticKind::OpenDim, call_.location,
              fmt::format("{} windows over an open size {} are not known at compile time", count,
                          shape[axis].str()),
              "one window over all is possible, or windows of a fixed size");
    if (*size < 1)
      e_.fail(DiagnosticKind::ShapeMismatch, call_.location, "windows over no elements");
    if (*size % count == 0) {
      evenly *= Dim(*size / count);
      return combine(buildWindow(b_, x, {at}, {*size / count}, {*size / count}, {1}), at + 1);
    }
    return combine(gatherWindows(x, axis, *size, count, isMax, lengths), at + 1);
  }

  /// Windows of two lengths: the longer ones, with something that changes nothing in the surplus.
  ValueId gatherWindows(ValueId x, size_t axis, int64_t size, int64_t count, bool isMax,
                        std::vector<double> &lengths) {
    int64_t longest = 0;
    auto begin = [&](int64_t i) { return i * size / count; };
    auto end = [&](int64_t i) { return ((i + 1) * size + count - 1) / count; };
    for (int64_t i = 0; i < count; ++i)
      longest = std::max(longest, end(i) - begin(i));
    requireFew(count, longest);
    std::vector<int32_t> indices;
    std::vector<uint8_t> isInside;
    for (int64_t i = 0; i < count; ++i) {
      lengths.push_back(double(end(i) - begin(i)));
      for (int64_t k = 0; k < longest; ++k) {
        // The last element again: it changes no maximum.
        indices.push_back(static_cast<int32_t>(std::min(begin(i) + k, end(i) - 1)));
        isInside.push_back(begin(i) + k < end(i));
      }
    }
    const auto at = static_cast<int64_t>(axis);
    const Shape table{Dim(count), Dim(longest)};
    const ValueId index =
        b_.constant({DType::I32, table}, Literal::fromElements<int32_t>(DType::I32, indices));
    const ValueId v = b_.create(OpKind::Gather, {x, index}, {{AttrKey::Axis, at}});
    if (isMax)
      return v;
    const Type type = b_.type(v);
    const ValueId mask = b_.broadcast(
        b_.constant({DType::Bool, table}, Literal::fromElements<uint8_t>(DType::Bool, isInside)),
        type.shape, {at, at + 1});
    return b_.select(mask, v, b_.splat(type, 0));
  }

  void requireFew(int64_t count, int64_t each) {
    if (count > kMaximumTable / each)
      e_.fail(DiagnosticKind::TooLarge, call_.location,
              fmt::format("{} windows of {} elements are too many", count, each));
  }

  ValueId divideByLengths(ValueId sums, const Dim &evenly,
                          const std::vector<std::vector<double>> &lengths) {
    const Type type = b_.type(sums);
    const ValueId factor = e_.dimTensor(evenly, type.dtype).id;
    ValueId divisor = b_.broadcast(factor, type.shape, {});
    std::vector<double> table{1};
    Shape shape;
    std::vector<int64_t> axes;
    for (size_t i = 0; i < lengths.size(); ++i) {
      if (lengths[i].empty())
        continue;
      requireFew(static_cast<int64_t>(table.size()), static_cast<int64_t>(lengths[i].size()));
      std::vector<double> products;
      for (double outer : table)
        for (double inner : lengths[i])
          products.push_back(outer * inner);
      table = std::move(products);
      shape.emplace_back(static_cast<int64_t>(lengths[i].size()));
      axes.push_back(static_cast<int64_t>(i) + 1);
    }
    if (!axes.empty()) {
      ValueId counts =
          b_.constant({DType::F64, shape}, Literal::fromElements<double>(DType::F64, table));
      if (type.dtype != DType::F64)
        counts = b_.convert(counts, type.dtype);
      divisor = b_.mul(divisor, b_.broadcast(counts, type.shape, axes));
    }
    return b_.div(sums, divisor);
  }

  Elaborator &e_;
  BuiltinCall &call_;
  Builder &b_;
};

Value Elaborator::builtinConv(BuiltinCall &call) {
  WindowCall window(*this, call);
  return call.builtin.name == "conv" ? window.conv() : window.convTranspose();
}

Value Elaborator::builtinWindow(BuiltinCall &call) {
  WindowCall window(*this, call);
  if (call.builtin.name == "windows")
    return window.windows();
  if (call.builtin.name == "window_max")
    return window.windowMax();
  if (call.builtin.name == "window_mean")
    return window.windowMean();
  return call.builtin.name == "per_axis" ? window.perAxisList() : window.adaptive();
}

} // namespace apr::frontend
