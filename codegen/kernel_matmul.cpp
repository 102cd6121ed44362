// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block computes one panel of `columns` columns for a range of row tiles. A tile of `height` rows
// stays in registers over a chunk of the contracted axis: per term one vector load of B per
// register of the panel and one broadcast of A per row. Which tile an element falls into changes no
// bit: every element is one chain per chunk. The last tile of a range of rows moves up until it
// fits, so that some rows are computed twice but written once.
//
// A may be a view, such as the windows of an image. Then an element's offset is a part for its row
// plus a part for its term: a tile has one pointer per row, and where the terms do not step evenly
// a table says where each of them lies.
#include "codegen/kernel_forms.h"
#include "codegen/odometer.h"
#include "codegen/panel_transpose.h"
#include "codegen/strided_view.h"

#include <algorithm>
#include <bit>

namespace apr::codegen {
namespace {

using llvm::Value;

/// Rows of tiles per block: enough to pay for packing a panel, few enough to feed many workers.
constexpr int64_t kRowsPerBlock = 192;
/// Terms from which a tile is work enough for a block, where panels are not packed: the gradients
/// of a convolution's weights have few rows and long sums.
constexpr int64_t kTermsOfLongSums = 4096;
/// A packed panel stays in the second-level cache.
constexpr int64_t kMaximumPackedBytes = 1 << 19;
/// A panel that cannot be used where it lies is packed up to this size.
constexpr int64_t kMaximumScratchBytes = 1 << 22;
/// Terms that a panel is packed for where their number is open.
constexpr int64_t kPackedTermsOfOpenAxis = 512;
/// Depth of the tree over chunks where their number is open.
constexpr int64_t kOpenStackDepth = 48;
/// Terms that a table of offsets holds at most.
constexpr int64_t kMaximumTableTerms = 1 << 14;
/// Tiles that share a panel before packing it pays.
constexpr int64_t kTilesWorthPacking = 3;

/// The length of the chains of an order that is one chain per chunk; 0 for a single chain over all.
std::optional<int64_t> chunkLength(const Order &order) {
  if (order.kind() == Order::Kind::Seq)
    return 0;
  if (order.kind() == Order::Kind::Tree && order.inner().kind() == Order::Kind::Chunks)
    return order.inner().length();
  if (order.kind() == Order::Kind::Tree && order.inner().kind() == Order::Kind::Seq)
    return 0;
  return std::nullopt;
}

Order orderOf(const Op &op) {
  return op.attributes.has(AttrKey::Order) ? op.attributes.order() : defaultContractionOrder();
}

const Op *onlyMatMul(const Graph &region) {
  const Op *found = nullptr;
  for (const Op &op : region.ops()) {
    const OpFamily family = opInfo(op.kind).family;
    if (family == OpFamily::Reduce || family == OpFamily::ArgReduce ||
        (found && op.kind == OpKind::MatMul))
      return nullptr;
    if (op.kind == OpKind::MatMul)
      found = &op;
  }
  return found;
}

/// Whether everything computed from the product is computed element by element.
bool hasElementwiseEpilogue(const Graph &region, const Op &product) {
  std::vector<bool> depends(region.values().size());
  depends[product.result()] = true;
  for (const Op &op : region.ops()) {
    if (std::ranges::none_of(op.operands, [&](ValueId v) { return depends[v]; }))
      continue;
    if (!isElementwise(op.kind))
      return false;
    depends[op.result()] = true;
  }
  const Shape &shape = region.type(product.result()).shape;
  return std::ranges::all_of(region.results,
                             [&](ValueId v) { return region.type(v).shape == shape; });
}

/// The shape of the problem and the tiles chosen for it.
struct Tiling {
  Shape batch;
  Dim m, n, k;
  bool transposeA = false, transposeB = false;
  DType dtype = DType::F32;
  int64_t chunk = 0;       ///< 0: all terms are one chunk
  uint32_t width = 0;      ///< lanes of a register
  int64_t registers = 0;   ///< registers across a panel
  int64_t columns = 0;     ///< of a panel
  int64_t maximumRows = 0; ///< of a tile
  int64_t rowsPerBlock = kRowsPerBlock;
  std::vector<int64_t> heights; ///< descending

  bool isOneChunk() const {
    auto terms = k.asConstant();
    return chunk == 0 || (terms && *terms <= chunk);
  }
};

int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// B as a view whose columns are neighbours in memory and whose rows step evenly.
std::optional<StridedView> traceDirectPanel(const Graph &region, const Op &op) {
  if (op.attributes.integerOr0(AttrKey::TransposeB) != 0)
    return std::nullopt;
  auto view = traceStridedView(region, op.operands[1]);
  if (!view)
    return std::nullopt;
  const StridedView::Axis &rows = view->axes[view->axes.size() - 2], &columns = view->axes.back();
  const bool isDirect =
      rows.size() <= 1 && (columns.empty() || (columns.size() == 1 && columns[0].stride == Dim(1)));
  return isDirect ? view : std::nullopt;
}

/// The axis of A along which terms count.
size_t termAxis(const Graph &region, const Op &op) {
  const bool isTransposed = op.attributes.integerOr0(AttrKey::TransposeA) != 0;
  return region.type(op.operands[0]).rank() - (isTransposed ? 2 : 1);
}

/// How many terms at a time lie a fixed step apart in A, wherever a group of them begins: then a
/// tile's rows are found once per group.
int64_t chooseGroup(const StridedView &a, size_t axis, int64_t chunk) {
  if (a.axes[axis].empty())
    return 1;
  const StridedView::Factor &inner = a.axes[axis].back();
  auto run = inner.size.asConstant();
  if (!run || !inner.stride.isConstant())
    return 1;
  for (int64_t group : {4, 6, 5, 7, 3, 2})
    if (*run % group == 0 && chunk % group == 0)
      return group;
  return 1;
}

/// Whether the table of A's term offsets is written once, or for each chunk; it need not exist.
enum class TermTable : uint8_t { None, Whole, PerChunk, Impossible };
TermTable chooseTermTable(const StridedView &a, size_t axis, const Dim &terms, int64_t chunk) {
  if (a.axes[axis].size() <= 1)
    return TermTable::None;
  auto count = terms.asConstant();
  if (count && *count <= kMaximumTableTerms)
    return TermTable::Whole;
  return chunk > 0 && chunk <= kMaximumTableTerms ? TermTable::PerChunk : TermTable::Impossible;
}

Tiling chooseTiling(const Graph &region, const Op &op, const KernelTarget &target) {
  Tiling t;
  const Shape &shape = region.type(op.result()).shape;
  const Shape &a = region.type(op.operands[0]).shape;
  t.batch.assign(shape.begin(), shape.end() - 2);
  t.transposeA = op.attributes.integerOr0(AttrKey::TransposeA) != 0;
  t.transposeB = op.attributes.integerOr0(AttrKey::TransposeB) != 0;
  t.m = shape[shape.size() - 2];
  t.n = shape.back();
  t.k = a[a.size() - (t.transposeA ? 2 : 1)];
  t.dtype = region.type(op.result()).dtype;
  t.chunk = *chunkLength(orderOf(op));
  t.width = target.vectorBits / (8 * byteSize(t.dtype));
  const auto available = static_cast<int64_t>(target.registerCount);
  t.registers = target.vectorBits == 128 && available >= 32 ? 3 : 2;
  if (auto n = t.n.asConstant())
    t.registers = std::clamp<int64_t>(ceilDivide(*n, t.width), 1, t.registers);
  t.columns = t.registers * t.width;
  // The panel's registers and one broadcast are not accumulators.
  t.maximumRows = std::min<int64_t>((available - t.registers - 1) / t.registers, 16);
  // Several terms in a turn of the loop need room for the panel's next row, where there is room.
  if (region.definition(op.operands[0]) && available >= 32)
    t.maximumRows = std::min(t.maximumRows, (available - 3 * t.registers - 1) / t.registers);
  if (auto m = t.m.asConstant()) {
    const int64_t tiles = std::max<int64_t>(ceilDivide(*m, t.maximumRows), 1);
    t.heights = {std::max<int64_t>(ceilDivide(*m, tiles), 1)};
  } else {
    // 13 rows divide the usual batches of a power of two better than 14.
    t.maximumRows = std::min<int64_t>(t.maximumRows, 13);
    t.heights = {t.maximumRows};
    for (int64_t height : {11, 8, 4, 1})
      if (height < t.maximumRows)
        t.heights.push_back(height);
  }
  auto terms = t.k.asConstant();
  if (region.definition(op.operands[0]) && (!terms || *terms >= kTermsOfLongSums) &&
      traceDirectPanel(region, op))
    t.rowsPerBlock = (kTilesWorthPacking - 1) * t.maximumRows;
  if (target.blockWork > 0)
    t.rowsPerBlock =
        std::min(t.rowsPerBlock,
                 target.blockWork / (t.columns * terms.value_or(kPackedTermsOfOpenAxis) + 1));
  return t;
}

/// How the rows divide into tiles; the same for every block.
struct RowTiles {
  Index rows, height, tiles, tilesPerBlock, groups, panels;

  RowTiles(LoopNest &nest, const Tiling &t) {
    rows = nest.dim(t.m);
    height = t.heights.size() == 1 ? Index(t.heights[0]) : chooseHeight(nest, t);
    tiles = ceilDivide(nest, rows, height);
    tilesPerBlock = std::max<int64_t>(t.rowsPerBlock / t.maximumRows, 1);
    groups = ceilDivide(nest, tiles, tilesPerBlock);
    panels = ceilDivide(nest, nest.dim(t.n), t.columns);
  }

  static Index ceilDivide(LoopNest &nest, Index a, Index b) {
    return nest.divide(nest.add(a, nest.subtract(b, 1)), b);
  }

private:
  /// Tiles as even as the heights allow; all of them fit into the rows.
  Index chooseHeight(LoopNest &nest, const Tiling &t) const {
    const Index least = nest.maximum(ceilDivide(nest, rows, t.maximumRows), 1);
    Value *even = nest.value(ceilDivide(nest, rows, least));
    Value *all = nest.value(rows);
    auto &b = nest.at(0);
    Value *above = b.getInt64(uint64_t(t.heights.front()));
    for (int64_t height : t.heights)
      above = b.CreateSelect(b.CreateICmpSLE(even, b.getInt64(uint64_t(height))),
                             b.getInt64(uint64_t(height)), above);
    Value *below = b.getInt64(1);
    for (size_t i = t.heights.size(); i-- > 0;) {
      Value *height = b.getInt64(uint64_t(t.heights[i]));
      below = b.CreateSelect(b.CreateICmpSLE(height, all), height, below);
    }
    Value *isLarge = b.CreateICmpSGE(all, b.getInt64(uint64_t(t.maximumRows)));
    return {b.CreateSelect(isLarge, above, below), 0};
  }
};

class MatMulKernel {
public:
  explicit MatMulKernel(const KernelContext &context)
      : context_(context), region_(context.region), op_(*onlyMatMul(region_)),
        t_(chooseTiling(region_, op_, context.target)),
        viewA_(traceStridedView(region_, op_.operands[0])),
        directB_(traceDirectPanel(region_, op_)) {
    // A plain argument needs no more than the lane evaluator's arithmetic.
    if (!region_.definition(op_.operands[0]))
      viewA_.reset();
    if (viewA_)
      setTerms();
  }

  EmittedKernel emit() {
    const KernelFunctions functions = declareKernel(context_);
    LoopNest nest(*functions.function, context_.dimNames);
    LaneEvaluator lanes(nest, region_, context_.target, t_.width);
    nest_ = &nest;
    lanes_ = &lanes;
    emitFunction();
    finishKernel(nest);
    writeBlockCount(context_, *functions.blocks, [&](LoopNest &counting) {
      const RowTiles tiles(counting, t_);
      return counting.multiply(counting.count(t_.batch),
                               counting.multiply(tiles.groups, tiles.panels));
    });
    EmittedKernel kernel{functions.function, functions.blocks};
    kernel.scratchBytes = static_cast<uint64_t>(scratchElements_) * byteSize(t_.dtype);
    kernel.work = elementCount(t_.batch) * t_.m * t_.n *
                  (t_.k + Dim(static_cast<int64_t>(region_.ops().size())));
    return kernel;
  }

private:
  void setTerms() {
    const size_t axis = termAxis(region_, op_);
    table_ = chooseTermTable(*viewA_, axis, t_.k, t_.chunk);
    group_ = chooseGroup(*viewA_, axis, t_.isOneChunk() ? 0 : t_.chunk);
    if (group_ > 1)
      groupStride_ = *viewA_->axes[axis].back().stride.asConstant();
  }

  llvm::IRBuilder<> &builder() { return nest_->at(nest_->innermost()); }
  llvm::Type *element() { return lanes_->scalarType(t_.dtype); }
  llvm::Type *vector() { return llvm::FixedVectorType::get(element(), t_.width); }
  int64_t tileElements() const { return t_.maximumRows * t_.columns; }

  Value *scratch(int64_t elements) {
    Value *pointer = nest_->at(0).CreateConstGEP1_64(element(), nest_->function().getArg(3),
                                                     uint64_t(scratchElements_));
    scratchElements_ += (elements + 15) / 16 * 16;
    return pointer;
  }
  Value *slot(Value *base, Index offset) {
    Value *number = nest_->value(offset);
    return builder().CreateGEP(element(), base, number);
  }
  Value *loadVector(Value *base, Index offset) {
    Value *pointer = slot(base, offset);
    return builder().CreateAlignedLoad(vector(), pointer, llvm::Align(byteSize(t_.dtype)));
  }
  void storeVector(Value *value, Value *base, Index offset) {
    Value *pointer = slot(base, offset);
    builder().CreateAlignedStore(value, pointer, llvm::Align(byteSize(t_.dtype)));
  }

  void emitFunction() {
    results_ = bindBuffers(context_, *lanes_).results;
    const RowTiles rows(*nest_, t_);
    const Index block = blockArgument(*nest_);
    const Index perBatch = nest_->maximum(nest_->multiply(rows.groups, rows.panels), 1);
    batch_ = lanes_->delinearize(nest_->divide(block, perBatch), t_.batch, 1);
    const Index inBatch = t_.batch.empty() ? block : nest_->remainder(block, perBatch);
    const Index panels = nest_->maximum(rows.panels, 1);
    column_ = nest_->multiply(nest_->remainder(inBatch, panels), t_.columns);
    const Index group = nest_->divide(inBatch, panels);
    const Index firstTile = nest_->multiply(group, rows.tilesPerBlock);
    const Index endTile = nest_->minimum(nest_->add(firstTile, rows.tilesPerBlock), rows.tiles);
    columnEnd_ = nest_->minimum(nest_->add(column_, t_.columns), nest_->dim(t_.n));
    terms_ = nest_->dim(t_.k);

    emitPanel(nest_->subtract(endTile, firstTile));
    if (table_ == TermTable::Whole || table_ == TermTable::PerChunk) {
      const int64_t terms =
          table_ == TermTable::Whole ? std::max<int64_t>(*t_.k.asConstant(), 1) : t_.chunk;
      termOffsets_ = scratch(terms * 8 / byteSize(t_.dtype));
      if (table_ == TermTable::Whole)
        emitTermTable(0, terms_);
    }
    tile_ = scratch(tileElements());
    if (!t_.isOneChunk()) {
      auto terms = t_.k.asConstant();
      const int64_t depth =
          terms ? std::bit_width(uint64_t(ceilDivide(*terms, t_.chunk))) : kOpenStackDepth;
      stack_ = scratch(depth * tileElements());
    }
    auto loop = nest_->open(firstTile, endTile, 1);
    emitTile(rows, loop.counter);
    nest_->close();
  }

  Point panelPoint(const Coordinate &term, const Coordinate &column) {
    Point point;
    point.coordinates = batch_;
    point.coordinates.push_back(t_.transposeB ? column : term);
    point.coordinates.push_back(t_.transposeB ? term : column);
    return point;
  }

  bool hasWholePanels() const {
    auto n = t_.n.asConstant();
    return n && *n % t_.columns == 0;
  }

  /// Runs over the panel's registers that hold columns: body(first column, mask).
  void forRegisters(const std::function<void(const Point &)> &body) {
    auto n = t_.n.asConstant();
    const bool hasWhole = !n || *n >= t_.width;
    const bool hasRest = !n || *n % t_.width != 0;
    Index middle = columnEnd_;
    if (hasRest)
      middle = nest_->add(
          column_,
          nest_->multiply(nest_->divide(nest_->subtract(columnEnd_, column_), t_.width), t_.width));
    if (hasWhole) {
      auto loop = nest_->open(column_, middle, t_.width);
      Point point{{Coordinate(loop.counter, 1)}};
      point.width = t_.width;
      body(point);
      nest_->close();
    }
    if (!hasRest)
      return;
    auto loop = nest_->open(hasWhole ? middle : column_, columnEnd_, t_.width);
    Point point{{Coordinate(loop.counter, 1)}};
    point.width = t_.width;
    point.mask = laneMask(loop.counter);
    point.maskLevel = loop.level;
    body(point);
    nest_->close();
  }

  /// Lanes of the columns from `column` on that the matrix has.
  Value *laneMask(Index column) {
    const Index rest = nest_->maximum(nest_->subtract(columnEnd_, column), 0);
    return lanes_->compare(llvm::CmpInst::ICMP_ULT, {0, 1}, rest, t_.width).value;
  }

  /// Where a view's elements of this block's batch begin.
  Value *baseOf(const StridedView &view) {
    Index offset = nest_->dim(view.offset);
    for (size_t axis = 0; axis < batch_.size(); ++axis)
      offset = nest_->add(offset, Odometer(*nest_, view.axes[axis], batch_[axis].base).offset());
    return slot(lanes_->memoryOf(view.base)->pointer, offset);
  }

  /// Writes where the terms from `first` on lie, counted from a row's first element.
  void emitTermTable(Index first, Index count) {
    Odometer odometer(*nest_, viewA_->axes[termAxis(region_, op_)], first);
    auto loop = nest_->open(0, count, 1, odometer.state());
    odometer.setState(loop.carried, loop.level);
    Value *offset = nest_->value(odometer.offset());
    llvm::Type *type = builder().getInt64Ty();
    Value *place = builder().CreateGEP(type, termOffsets_, nest_->value(loop.counter));
    builder().CreateAlignedStore(offset, place, llvm::Align(8));
    odometer.advance();
    nest_->close(odometer.state());
    firstInTable_ = first;
  }

  /// Pointers to the first elements of the rows of a tile.
  std::vector<Value *> rowPointers(int64_t height) {
    Value *base = baseOf(*viewA_);
    const size_t last = viewA_->axes.size() - 1;
    const size_t axis = termAxis(region_, op_) == last ? last - 1 : last;
    Odometer odometer(*nest_, viewA_->axes[axis], row_);
    std::vector<Value *> pointers;
    for (int64_t i = 0; i < height; ++i) {
      if (i > 0)
        odometer.advance();
      pointers.push_back(slot(base, odometer.offset()));
    }
    return pointers;
  }

  /// Where a term lies behind a row's first element.
  Value *termOffset(Index term) {
    const StridedView::Axis &axis = viewA_->axes[termAxis(region_, op_)];
    if (axis.empty())
      return builder().getInt64(0);
    if (axis.size() == 1)
      return nest_->value(nest_->multiply(term, nest_->dim(axis[0].stride)));
    Value *number = nest_->value(nest_->subtract(term, firstInTable_));
    llvm::Type *type = builder().getInt64Ty();
    Value *place = builder().CreateGEP(type, termOffsets_, number);
    return builder().CreateAlignedLoad(type, place, llvm::Align(8));
  }

  /// Decides where the panel of B is read from, and packs it if that is not B itself.
  void emitPanel(Index tiles) {
    auto terms = t_.k.asConstant();
    const int64_t capacity = terms ? *terms : kPackedTermsOfOpenAxis;
    const bool fits = capacity * t_.columns * byteSize(t_.dtype) <= kMaximumPackedBytes;
    Index packedTerms = terms_;
    panelStride_ = t_.columns;
    if (directB_) {
      Value *direct = slot(baseOf(*directB_), column_);
      const StridedView::Axis &rows = directB_->axes[batch_.size()];
      const Index stride = rows.empty() ? Index(0) : nest_->dim(rows[0].stride);
      if (!fits || (tiles.isConstant() && tiles.constant < kTilesWorthPacking)) {
        panel_ = direct;
        panelStride_ = stride;
        isPacked_ = false;
        return;
      }
      Value *packed = scratch(capacity * t_.columns);
      Value *tileCount = nest_->value(tiles), *termCount = nest_->value(terms_);
      auto &b = nest_->at(0);
      Value *isWorth = b.CreateAnd(b.CreateICmpSGE(tileCount, b.getInt64(kTilesWorthPacking)),
                                   b.CreateICmpSLE(termCount, b.getInt64(uint64_t(capacity))));
      Value *strideValue = nest_->value(stride);
      panel_ = b.CreateSelect(isWorth, packed, direct);
      panelStride_ = {b.CreateSelect(isWorth, b.getInt64(uint64_t(t_.columns)), strideValue), 0};
      packedTerms = {b.CreateSelect(isWorth, termCount, b.getInt64(0)), 0};
      isPacked_ = false;
      packInto(packed, packedTerms);
      return;
    }
    Value *packed = scratch(capacity * t_.columns);
    panel_ = packed;
    isPacked_ = true;
    packInto(packed, packedTerms);
  }

  void packInto(Value *packed, Index terms) {
    const MemoryTensor *memory = lanes_->memoryOf(op_.operands[1]);
    Index first = 0;
    if (memory && t_.transposeB) {
      first = nest_->multiply(nest_->divide(terms, t_.width), t_.width);
      packTransposed(*memory, packed, first);
    }
    auto loop = nest_->open(first, terms, 1);
    const Index row = nest_->multiply(loop.counter, t_.columns);
    forRegisters([&](Point point) {
      const Coordinate column = point.coordinates[0];
      point.coordinates = panelPoint(loop.counter, column).coordinates;
      Value *value = lanes_->evaluate(op_.operands[1], point);
      storeVector(lanes_->splat(value, t_.width, builder()), packed,
                  nest_->add(row, nest_->subtract(column.base, column_)));
    });
    nest_->close();
  }

  /// Squares of width x width elements whose rows lie along the contracted axis in memory.
  void packTransposed(const MemoryTensor &memory, Value *packed, Index terms) {
    Index offset = 0;
    for (size_t axis = 0; axis < batch_.size(); ++axis)
      offset = nest_->add(offset, nest_->multiply(batch_[axis].base, memory.strides[axis]));
    const Index rowStride = memory.strides[batch_.size()];
    const Index last = nest_->subtract(nest_->dim(t_.n), 1);
    auto columns = nest_->open(column_, columnEnd_, t_.width);
    std::vector<Value *> rows;
    for (uint32_t j = 0; j < t_.width; ++j) {
      // Columns past the end repeat the last one; nobody looks at their products.
      const Index row = nest_->minimum(nest_->add(columns.counter, j), last);
      rows.push_back(slot(memory.pointer, nest_->add(offset, nest_->multiply(row, rowStride))));
    }
    auto loop = nest_->open(0, terms, t_.width);
    std::vector<Value *> square;
    for (Value *row : rows)
      square.push_back(loadVector(row, loop.counter));
    square = transposeSquare(std::move(square), builder());
    const Index register0 = nest_->subtract(columns.counter, column_);
    for (uint32_t i = 0; i < t_.width; ++i)
      storeVector(square[i], packed,
                  nest_->add(nest_->multiply(nest_->add(loop.counter, i), t_.columns), register0));
    nest_->close();
    nest_->close();
  }

  void emitTile(const RowTiles &rows, Index number) {
    const Index firstRow = nest_->multiply(number, rows.height);
    row_ = nest_->minimum(firstRow, nest_->subtract(rows.rows, rows.height));
    usedElements_ = nest_->multiply(rows.height, t_.columns);
    if (t_.isOneChunk()) {
      emitChunk(rows, 0, terms_);
    } else {
      // No terms are one empty chunk.
      const Index chunks = nest_->maximum(RowTiles::ceilDivide(*nest_, terms_, t_.chunk), 1);
      auto loop = nest_->open(0, chunks, 1);
      Value *counter = nest_->value(loop.counter);
      nest_->openIf(nest_->at(loop.level).CreateICmpNE(counter, builder().getInt64(0)));
      pushTile(nest_->subtract(loop.counter, 1));
      nest_->close();
      const Index first = nest_->multiply(loop.counter, t_.chunk);
      emitChunk(rows, first, nest_->minimum(nest_->subtract(terms_, first), t_.chunk));
      nest_->close();
      foldStack(nest_->subtract(chunks, 1));
    }
    emitEpilogue(firstRow, nest_->minimum(nest_->add(firstRow, rows.height), rows.rows));
  }

  void emitChunk(const RowTiles &rows, Index first, Index count) {
    if (table_ == TermTable::PerChunk)
      emitTermTable(first, count);
    for (int64_t height : t_.heights) {
      if (t_.heights.size() == 1) {
        emitMicroKernel(height, first, count);
        break;
      }
      Value *chosen = nest_->value(rows.height);
      nest_->openIf(builder().CreateICmpEQ(chosen, builder().getInt64(uint64_t(height))));
      emitMicroKernel(height, first, count);
      nest_->close();
    }
  }

  Value *loadAt(Value *pointer, Value *offset, int64_t further) {
    Value *place = builder().CreateGEP(element(), pointer, offset);
    if (further != 0)
      place = builder().CreateConstGEP1_64(element(), place, uint64_t(further));
    return builder().CreateAlignedLoad(element(), place, llvm::Align(byteSize(t_.dtype)));
  }

  /// The registers of B that a term multiplies; `masks` has nulls where all lanes may be read.
  std::vector<Value *> loadPanelRow(Index term, const std::vector<Value *> &masks) {
    const Index row = nest_->multiply(term, panelStride_);
    const llvm::Align align(byteSize(t_.dtype));
    std::vector<Value *> panel;
    for (int64_t v = 0; v < t_.registers; ++v) {
      Value *pointer = slot(panel_, nest_->add(row, v * t_.width));
      Value *mask = masks[size_t(v)];
      panel.push_back(
          mask ? builder().CreateMaskedLoad(vector(), pointer, align, mask,
                                            llvm::Constant::getNullValue(vector()))
               : static_cast<Value *>(builder().CreateAlignedLoad(vector(), pointer, align)));
    }
    return panel;
  }

  Value *evaluateLeft(Index row, Index term) {
    Point point;
    point.coordinates = batch_;
    point.coordinates.push_back(t_.transposeA ? term : row);
    point.coordinates.push_back(t_.transposeA ? row : term);
    return lanes_->evaluate(op_.operands[0], point);
  }

  /// tile = the chains of `count` terms.
  void emitMicroKernel(int64_t height, Index first, Index count) {
    // A sum of no terms at all is +0, the identity of others -0.
    Value *start = llvm::ConstantFP::get(vector(), -0.0);
    if (!terms_.isConstant() || terms_.constant == 0) {
      Value *all = nest_->value(terms_);
      auto &b = nest_->at(0);
      start = b.CreateSelect(b.CreateICmpEQ(all, b.getInt64(0)),
                             llvm::ConstantFP::get(vector(), 0.0), start);
    }
    std::vector<Value *> masks(static_cast<size_t>(t_.registers));
    if (!isPacked_ && !hasWholePanels())
      for (int64_t v = 0; v < t_.registers; ++v)
        masks[size_t(v)] = laneMask(nest_->add(column_, v * t_.width));
    std::vector<Value *> accumulators(static_cast<size_t>(height * t_.registers), start);
    const std::vector<Value *> pointers = viewA_ ? rowPointers(height) : std::vector<Value *>();
    auto loop = nest_->open(first, nest_->add(first, count), group_, accumulators);
    Value *offset = viewA_ ? termOffset(loop.counter) : nullptr;
    for (int64_t k = 0; k < group_; ++k) {
      const Index term = nest_->add(loop.counter, k);
      const std::vector<Value *> panel = loadPanelRow(term, masks);
      for (int64_t i = 0; i < height; ++i) {
        Value *x = viewA_ ? loadAt(pointers[size_t(i)], offset, k * groupStride_)
                          : evaluateLeft(nest_->add(row_, i), term);
        x = lanes_->splat(x, t_.width, builder());
        for (int64_t v = 0; v < t_.registers; ++v) {
          Value *&accumulator = loop.carried[size_t(i * t_.registers + v)];
          accumulator =
              lanes_->emitMultiplyAdd(t_.dtype, x, panel[size_t(v)], accumulator, builder());
        }
      }
    }
    accumulators = nest_->close(loop.carried);
    for (int64_t i = 0; i < height * t_.registers; ++i)
      storeVector(accumulators[size_t(i)], tile_, i * t_.width);
  }

  Value *onesIn(Index number) {
    Value *value = nest_->value(number);
    return builder().CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, value);
  }

  /// tile = stack[level] + tile.
  void addFromStack(Index level) {
    const Index base = nest_->multiply(level, tileElements());
    auto loop = nest_->open(0, usedElements_, t_.width);
    Value *left = loadVector(stack_, nest_->add(base, loop.counter));
    Value *right = loadVector(tile_, loop.counter);
    storeVector(builder().CreateFAdd(left, right), tile_, loop.counter);
    nest_->close();
  }

  /// Puts the tile of chunk `number` on the stack, as a binary counter carries.
  void pushTile(Index number) {
    const uint32_t level = nest_->innermost();
    const Index size(onesIn(number), level);
    Value *bits = nest_->value(number);
    Value *carries = builder().CreateBinaryIntrinsic(
        llvm::Intrinsic::cttz, builder().CreateNot(bits), builder().getFalse());
    auto merge = nest_->open(0, Index(carries, level), 1);
    addFromStack(nest_->subtract(nest_->subtract(size, 1), merge.counter));
    nest_->close();
    const Index position = nest_->subtract(size, Index(carries, level));
    const Index base = nest_->multiply(position, tileElements());
    auto copy = nest_->open(0, usedElements_, t_.width);
    storeVector(loadVector(tile_, copy.counter), stack_, nest_->add(base, copy.counter));
    nest_->close();
  }

  /// Adds what `pushed` chunks left on the stack to the last chunk's tile.
  void foldStack(Index pushed) {
    const Index size(onesIn(pushed), nest_->innermost());
    auto loop = nest_->open(0, size, 1);
    addFromStack(nest_->subtract(nest_->subtract(size, 1), loop.counter));
    nest_->close();
  }

  void emitEpilogue(Index firstRow, Index endRow) {
    Index offset;
    lanes_->bindSource(op_.result(), [&](const Point &) { return loadVector(tile_, offset); });
    forRegisters([&](const Point &columns) {
      const Coordinate column = columns.coordinates[0];
      auto loop = nest_->open(firstRow, endRow, 1);
      Point point = columns;
      point.coordinates = batch_;
      point.coordinates.push_back(loop.counter);
      point.coordinates.push_back(column);
      offset = nest_->add(nest_->multiply(nest_->subtract(loop.counter, row_), t_.columns),
                          nest_->subtract(column.base, column_));
      storeResults(point);
      nest_->close();
    });
  }

  void storeResults(const Point &point) {
    std::vector<Value *> values;
    for (ValueId result : region_.results)
      values.push_back(lanes_->evaluate(result, point));
    for (size_t i = 0; i < values.size(); ++i) {
      Value *value = values[i];
      if (context_.isVisible[i])
        value = lanes_->canonical(value, builder());
      lanes_->store(results_[i], point, value);
    }
  }

  const KernelContext &context_;
  const Graph &region_;
  const Op &op_;
  const Tiling t_;
  std::optional<StridedView> viewA_, directB_;
  TermTable table_ = TermTable::None;
  Value *termOffsets_ = nullptr;
  Index firstInTable_;
  int64_t group_ = 1;       ///< terms of one turn of the innermost loop
  int64_t groupStride_ = 0; ///< between them, in A
  LoopNest *nest_ = nullptr;
  LaneEvaluator *lanes_ = nullptr;
  std::vector<MemoryTensor> results_;
  std::vector<Coordinate> batch_;
  Index column_, columnEnd_, terms_, row_, usedElements_;
  Value *panel_ = nullptr;
  Index panelStride_;
  bool isPacked_ = false; ///< the panel has whole registers for sure
  Value *tile_ = nullptr;
  Value *stack_ = nullptr;
  int64_t scratchElements_ = 0;
};

} // namespace

bool isTiledMatMul(const KernelContext &context) {
  const Graph &region = context.region;
  const Op *op = onlyMatMul(region);
  if (!op || context.target.scalarOnly || !context.target.hasFma)
    return false;
  if (!isFloat(region.type(op->result()).dtype) || !chunkLength(orderOf(*op)) ||
      !hasElementwiseEpilogue(region, *op))
    return false;
  const Tiling t = chooseTiling(region, *op, context.target);
  const bool isDirect = traceDirectPanel(region, *op).has_value();
  auto terms = t.k.asConstant();
  if (auto a = traceStridedView(region, op->operands[0]);
      a && chooseTermTable(*a, termAxis(region, *op), t.k, t.chunk) == TermTable::Impossible)
    return false;
  // A panel that must be packed must fit.
  return isDirect || (terms && *terms <= kMaximumScratchBytes / t.columns / byteSize(t.dtype));
}

EmittedKernel emitMatMulKernel(const KernelContext &context) {
  return MatMulKernel(context).emit();
}

} // namespace apr::codegen
