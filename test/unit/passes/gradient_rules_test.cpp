// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every gradient rule against finite differences.
#include "gradient_check.h"
#include "ir/convolution.h"

#include <gtest/gtest.h>

#include <set>

namespace apr::test {
namespace {

Type f64(Shape shape) { return {DType::F64, std::move(shape)}; }
Type i32(Shape shape) { return {DType::I32, std::move(shape)}; }
Type boolean(Shape shape) { return {DType::Bool, std::move(shape)}; }

using Values = const std::vector<ValueId> &;

GradientCase unaryCase(OpKind kind, double low = -2, double high = 2) {
  return {std::string(opInfo(kind).name),
          {f64({5})},
          [kind](Builder &b, Values v) { return b.unary(kind, v[0]); },
          low,
          high};
}

GradientCase binaryCase(OpKind kind, double low = -2, double high = 2) {
  return {std::string(opInfo(kind).name),
          {f64({2, 3}), f64({2, 3})},
          [kind](Builder &b, Values v) { return b.binary(kind, v[0], v[1]); },
          low,
          high};
}

GradientCase reduceCase(OpKind kind, std::vector<int64_t> axes, std::string suffix) {
  return {std::string(opInfo(kind).name) + suffix,
          {f64({2, 3, 4})},
          [kind, axes](Builder &b, Values v) { return b.reduce(kind, v[0], axes); }};
}

GradientCase matmulCase(bool transposeA, bool transposeB, Shape batch, std::string suffix) {
  auto matrix = [&](int64_t rows, int64_t columns, bool swapped) {
    Shape shape = batch;
    shape.push_back(Dim(swapped ? columns : rows));
    shape.push_back(Dim(swapped ? rows : columns));
    return f64(shape);
  };
  return {"MatMul" + suffix,
          {matrix(2, 3, transposeA), matrix(3, 4, transposeB)},
          [=](Builder &b, Values v) { return b.matmul(v[0], v[1], transposeA, transposeB); }};
}

GradientCase sliceCase(std::string name, Shape start, Shape limit, std::vector<int64_t> stride) {
  return {std::move(name), {f64({3, 7})}, [=](Builder &b, Values v) {
            return b.slice(v[0], start, limit, stride);
          }};
}

GradientCase padCase(std::string name, Shape low, Shape high, std::vector<int64_t> stride) {
  return {std::move(name), {f64({2, 3}), f64({})}, [=](Builder &b, Values v) {
            return b.pad(v[0], v[1], low, high, stride);
          }};
}

GradientCase windowCase(std::string suffix, std::vector<int64_t> size, std::vector<int64_t> stride,
                        std::vector<int64_t> dilation) {
  return {"Window" + suffix, {f64({2, 7, 2, 6, 2})}, [=](Builder &b, Values v) {
            return buildWindow(b, v[0], {1, 3}, size, stride, dilation);
          }};
}

/// Two spatial axes, two groups of two channels in and three out.
GradientCase convCase(std::string suffix, std::vector<int64_t> stride,
                      std::vector<int64_t> dilation) {
  return {"Conv" + suffix, {f64({2, 6, 5, 2, 2}), f64({3, 2, 2, 2, 3})}, [=](Builder &b, Values v) {
            return b.create(OpKind::Conv, {v[0], v[1]}, convAttributes(stride, dilation));
          }};
}

GradientCase convWeightCase(std::string suffix, Shape windows, std::vector<int64_t> stride,
                            std::vector<int64_t> dilation) {
  Shape y{2, windows[0], windows[1], 2, 3};
  return {"ConvWeight" + suffix, {f64({2, 6, 5, 2, 2}), f64(y)}, [=](Builder &b, Values v) {
            Attributes attributes = convAttributes(stride, dilation);
            attributes.set(AttrKey::Size, std::vector<int64_t>{3, 2});
            return b.create(OpKind::ConvWeight, {v[0], v[1]}, attributes);
          }};
}

ValueId axisOp(Builder &b, OpKind kind, std::vector<ValueId> operands, int64_t axis) {
  return b.create(kind, std::move(operands), {{AttrKey::Axis, axis}});
}

/// Products of rows with no, one, two and three zeros: of arguments that are 0, plus constants.
GradientCase productWithZeros() {
  return {"ProductWithZeros",
          {f64({4, 4})},
          [](Builder &b, Values v) {
            const double rows[] = {2, 3, -1, 1.5, 2, 0, -1, 1.5, 2, 0, -1, 0, 2, 0, 0, 0};
            Literal literal = Literal::fromElements<double>(DType::F64, rows);
            ValueId x = b.add(v[0], b.constant(b.type(v[0]), literal));
            return b.reduce(OpKind::Product, x, {1});
          },
          0,
          0};
}

/// x exp(y), whose region says the true derivatives: by means of a captured value, too, so that the
/// second derivatives go through it.
GradientCase withGradientCase() {
  return {"WithGradient", {f64({3}), f64({3})}, [](Builder &b, Values v) {
            ValueId e = b.unary(OpKind::Exp, v[1]);
            auto region = std::make_shared<Graph>();
            ValueId g = region->addArgument(f64({3}));
            ValueId x = region->addArgument(f64({3}));
            region->addArgument(f64({3}));
            ValueId captured = region->addArgument(f64({3}));
            Builder inner(*region);
            ValueId byX = inner.mul(g, captured);
            region->results = {byX, inner.mul(byX, x)};
            return b
                .createMulti(OpKind::WithGradient, {b.mul(v[0], e), v[0], v[1], e},
                             {{AttrKey::Arguments, int64_t(2)}}, {}, region)
                .front();
          }};
}

/// Functions of one operand whose first and second derivatives are both worth checking.
std::vector<GradientCase> smoothUnaryCases() {
  return {
      unaryCase(OpKind::Sqrt, 0.2, 3),
      unaryCase(OpKind::Rsqrt, 0.2, 3),
      unaryCase(OpKind::Exp),
      unaryCase(OpKind::Expm1),
      unaryCase(OpKind::Log, 0.2, 3),
      unaryCase(OpKind::Log1p, -0.7, 3),
      unaryCase(OpKind::Sin),
      unaryCase(OpKind::Cos),
      unaryCase(OpKind::Tanh),
      unaryCase(OpKind::Sigmoid),
      unaryCase(OpKind::Erf),
      unaryCase(OpKind::Exp2),
      unaryCase(OpKind::Log2, 0.2, 3),
      unaryCase(OpKind::Tan, -1.2, 1.2),
      unaryCase(OpKind::Asin, -0.9, 0.9),
      unaryCase(OpKind::Acos, -0.9, 0.9),
      unaryCase(OpKind::Atan),
      unaryCase(OpKind::Sinh),
      unaryCase(OpKind::Cosh),
      unaryCase(OpKind::ErfInv, -0.9, 0.9),
      unaryCase(OpKind::Softplus),
      unaryCase(OpKind::Silu),
      unaryCase(OpKind::Gelu),
      unaryCase(OpKind::GeluTanh),
  };
}

std::vector<GradientCase> joined(std::vector<GradientCase> cases,
                                 const std::vector<GradientCase> &more) {
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

std::vector<GradientCase> allCases() {
  Dim B = Dim::variable("B");
  DimBindings open{{"B", 3}};
  return joined(
      smoothUnaryCases(),
      {
          // unary
          unaryCase(OpKind::Neg),
          unaryCase(OpKind::Abs),
          {"ConvertThroughF32",
           {f64({3})},
           [](Builder &b, Values v) {
             // Differences through f32 would be rough, so the narrow value adds nothing here.
             ValueId narrow = b.convert(b.convert(v[0], DType::F32), DType::F64);
             return b.add(v[0], b.mul(narrow, b.splat(b.type(narrow), 0)));
           }},
          // binary and ternary
          binaryCase(OpKind::Add),
          binaryCase(OpKind::Sub),
          binaryCase(OpKind::Mul),
          binaryCase(OpKind::Div, 0.5, 3),
          binaryCase(OpKind::Min),
          binaryCase(OpKind::Max),
          binaryCase(OpKind::Pow, 0.5, 2),
          binaryCase(OpKind::Atan2, 0.5, 3),
          {"MulBySelf", {f64({3})}, [](Builder &b, Values v) { return b.mul(v[0], v[0]); }},
          {"Fma",
           {f64({3}), f64({3}), f64({3})},
           [](Builder &b, Values v) { return b.fma(v[0], v[1], v[2]); }},
          {"Select",
           {boolean({4}), f64({4}), f64({4})},
           [](Builder &b, Values v) { return b.select(v[0], v[1], v[2]); }},
          // reductions and contractions
          reduceCase(OpKind::Sum, {2}, "Last"),
          reduceCase(OpKind::Sum, {0, 1}, "Leading"),
          reduceCase(OpKind::Sum, {0, 2}, "Outer"),
          reduceCase(OpKind::Sum, {0, 1, 2}, "All"),
          reduceCase(OpKind::Sum, {}, "None"),
          reduceCase(OpKind::Product, {1}, "Middle"),
          reduceCase(OpKind::Product, {0, 2}, "Outer"),
          reduceCase(OpKind::Product, {}, "None"),
          productWithZeros(),
          {"CumSum",
           {f64({2, 4, 3})},
           [](Builder &b, Values v) { return axisOp(b, OpKind::CumSum, {v[0]}, 1); }},
          reduceCase(OpKind::ReduceMax, {1}, "Middle"),
          reduceCase(OpKind::ReduceMax, {0, 2}, "Outer"),
          reduceCase(OpKind::ReduceMax, {}, "None"),
          reduceCase(OpKind::ReduceMin, {0, 1, 2}, "All"),
          reduceCase(OpKind::ReduceMin, {2}, "Last"),
          matmulCase(false, false, {}, "NN"),
          matmulCase(false, true, {}, "NT"),
          matmulCase(true, false, {}, "TN"),
          matmulCase(true, true, {}, "TT"),
          matmulCase(false, false, {2}, "BatchedNN"),
          matmulCase(false, true, {2}, "BatchedNT"),
          matmulCase(true, false, {2}, "BatchedTN"),
          matmulCase(true, true, {2, 2}, "BatchedTT"),
          // movement
          {"Reshape", {f64({2, 6})}, [](Builder &b, Values v) { return b.reshape(v[0], {3, 4}); }},
          {"Transpose",
           {f64({2, 3, 4})},
           [](Builder &b, Values v) { return b.transpose(v[0], {2, 0, 1}); }},
          {"BroadcastRows",
           {f64({3})},
           [](Builder &b, Values v) { return b.broadcast(v[0], {2, 3}, {1}); }},
          {"BroadcastScalar",
           {f64({})},
           [](Builder &b, Values v) { return b.broadcast(v[0], {2, 3}, {}); }},
          {"BroadcastSame",
           {f64({2})},
           [](Builder &b, Values v) { return b.broadcast(v[0], {2}, {0}); }},
          sliceCase("Slice", {1, 2}, {3, 6}, {1, 1}),
          sliceCase("SliceStrided", {0, 1}, {3, 7}, {2, 3}),
          sliceCase("SliceRagged", {0, 0}, {3, 6}, {2, 4}),
          sliceCase("SliceEmpty", {1, 3}, {3, 3}, {1, 2}),
          padCase("Pad", {1, 0}, {0, 2}, {1, 1}),
          padCase("PadStrided", {1, 0}, {1, 2}, {2, 3}),
          padCase("PadCropped", {0, 1}, {-1, -2}, {2, 3}),
          {"Concat",
           {f64({2, 1}), f64({2, 3}), f64({2, 0})},
           [](Builder &b, Values v) { return b.concat({v[0], v[1], v[2], v[0]}, 1); }},
          {"Reverse",
           {f64({2, 3, 4})},
           [](Builder &b, Values v) {
             return b.create(OpKind::Reverse, {v[0]},
                             {{AttrKey::Axes, std::vector<int64_t>{0, 2}}});
           }},
          // indexing
          {"GatherRows",
           {f64({4, 3}), i32({5})},
           [](Builder &b, Values v) { return axisOp(b, OpKind::Gather, {v[0], v[1]}, 0); }},
          {"GatherInner",
           {f64({2, 3, 2}), i32({2, 2})},
           [](Builder &b, Values v) { return axisOp(b, OpKind::Gather, {v[0], v[1]}, 1); }},
          {"ScatterAdd",
           {f64({4, 3}), i32({5}), f64({5, 3})},
           [](Builder &b, Values v) {
             return axisOp(b, OpKind::ScatterAdd, {v[0], v[1], v[2]}, 0);
           }},
          {"ScatterSet",
           {f64({4, 3}), i32({5}), f64({5, 3})},
           [](Builder &b, Values v) {
             return axisOp(b, OpKind::ScatterSet, {v[0], v[1], v[2]}, 0);
           }},
          {"ScatterSetInner",
           {f64({2, 3, 2}), i32({2, 2}), f64({2, 2, 2, 2})},
           [](Builder &b, Values v) {
             return axisOp(b, OpKind::ScatterSet, {v[0], v[1], v[2]}, 1);
           }},
          {"Pick",
           {f64({5, 3}), i32({5})},
           [](Builder &b, Values v) { return b.create(OpKind::Pick, {v[0], v[1]}); }},
          // open dims
          {"OpenPick",
           {f64({2, B}), i32({2})},
           [](Builder &b, Values v) { return b.create(OpKind::Pick, {v[0], v[1]}); },
           -2,
           2,
           open},
          {"OpenMatMul",
           {f64({B, 2}), f64({2, 2})},
           [](Builder &b, Values v) { return b.matmul(v[0], v[1], false, false); },
           -2,
           2,
           open},
          {"OpenReduceMax",
           {f64({B, B, 2})},
           [](Builder &b, Values v) { return b.reduce(OpKind::ReduceMax, v[0], {0, 1}); },
           -2,
           2,
           open},
          {"OpenSlice",
           {f64({B + 2})},
           [B](Builder &b, Values v) { return b.slice(v[0], {1}, {B + 1}, {1}); },
           -2,
           2,
           open},
          {"OpenSliceStrided",
           {f64({B + 2})},
           [B](Builder &b, Values v) { return b.slice(v[0], {1}, {B + 2}, {2}); },
           -2,
           2,
           open},
          {"OpenPad",
           {f64({B}), f64({})},
           [B](Builder &b, Values v) { return b.pad(v[0], v[1], {B}, {2}, {2}); },
           -2,
           2,
           open},
          {"OpenConcat",
           {f64({B}), f64({2})},
           [](Builder &b, Values v) { return b.concat({v[0], v[1], v[0]}, 0); },
           -2,
           2,
           open},
          {"OpenBroadcast",
           {f64({2})},
           [B](Builder &b, Values v) { return b.broadcast(v[0], {B, 2}, {1}); },
           -2,
           2,
           open},
          // structure
          withGradientCase(),
          // no elements and one
          {"EmptyMatMul",
           {f64({2, 0}), f64({0, 3})},
           [](Builder &b, Values v) { return b.matmul(v[0], v[1], false, false); }},
          {"EmptyReduceMax",
           {f64({0, 3}), f64({0})},
           [](Builder &b, Values v) {
             ValueId max = b.reduce(OpKind::ReduceMax, v[0], {1});
             return b.add(max, v[1]);
           }},
          {"OneElementGather",
           {f64({1}), i32({3})},
           [](Builder &b, Values v) { return axisOp(b, OpKind::Gather, {v[0], v[1]}, 0); }},
          windowCase("Apart", {2, 2}, {3, 4}, {1, 1}),
          windowCase("SideBySide", {3, 2}, {3, 2}, {1, 1}),
          windowCase("Overlapping", {3, 4}, {1, 2}, {1, 1}),
          windowCase("Dilated", {3, 2}, {2, 1}, {2, 3}),
          {"WindowOpen",
           {f64({B, B + 4})},
           [](Builder &b, Values v) { return buildWindow(b, v[0], {1}, {3}, {2}, {1}); },
           -2,
           2,
           open},
          convCase("", {1, 1}, {1, 1}),
          convCase("Strided", {2, 3}, {1, 1}),
          convCase("Dilated", {1, 1}, {2, 3}),
          convCase("StridedDilated", {2, 2}, {2, 1}),
          convWeightCase("", {4, 4}, {1, 1}, {1, 1}),
          convWeightCase("Strided", {2, 2}, {2, 3}, {1, 1}),
          convWeightCase("FewerWindows", {1, 2}, {2, 1}, {1, 2}),
      });
}

class GradientRules : public testing::TestWithParam<GradientCase> {};

TEST_P(GradientRules, MatchFiniteDifferences) { checkGradient(GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, GradientRules, testing::ValuesIn(allCases()),
                         [](const auto &info) { return info.param.name; });

/// Losses whose second derivatives are not all zero.
std::vector<GradientCase> secondOrderCases() {
  return joined(smoothUnaryCases(),
                {
                    withGradientCase(),
                    binaryCase(OpKind::Mul),
                    binaryCase(OpKind::Div, 0.5, 3),
                    binaryCase(OpKind::Pow, 0.5, 2),
                    binaryCase(OpKind::Atan2, 0.5, 3),
                    {"Fma",
                     {f64({3}), f64({3}), f64({3})},
                     [](Builder &b, Values v) { return b.mul(b.fma(v[0], v[1], v[2]), v[2]); }},
                    convCase("", {1, 1}, {1, 1}),
                    convCase("StridedDilated", {2, 2}, {2, 1}),
                    convWeightCase("Strided", {2, 2}, {2, 3}, {1, 1}),
                    {"WindowSquared",
                     {f64({2, 7})},
                     [](Builder &b, Values v) {
                       ValueId windows = buildWindow(b, b.mul(v[0], v[0]), {1}, {3}, {2}, {1});
                       return b.mul(windows, windows);
                     }},
                    {"AbsSquared",
                     {f64({3})},
                     [](Builder &b, Values v) { return b.mul(b.unary(OpKind::Abs, v[0]), v[0]); }},
                    {"MaxSquared",
                     {f64({3}), f64({3})},
                     [](Builder &b, Values v) {
                       ValueId m = b.binary(OpKind::Max, v[0], v[1]);
                       return b.mul(m, m);
                     }},
                    {"ReduceMaxSquared",
                     {f64({2, 3})},
                     [](Builder &b, Values v) {
                       ValueId m = b.reduce(OpKind::ReduceMax, v[0], {1});
                       return b.mul(m, m);
                     }},
                    {"MatMulTanh",
                     {f64({2, 3}), f64({2, 3})},
                     [](Builder &b, Values v) {
                       return b.unary(OpKind::Tanh, b.matmul(v[0], v[1], false, true));
                     }},
                    {"PickedLogSoftmax",
                     {f64({4, 3}), i32({4})},
                     [](Builder &b, Values v) {
                       Shape shape = b.type(v[0]).shape;
                       ValueId e = b.unary(OpKind::Exp, v[0]);
                       ValueId log = b.unary(OpKind::Log, b.sum(e, {1}));
                       ValueId p = b.sub(v[0], b.broadcast(log, shape, {0}));
                       return b.create(OpKind::Pick, {p, v[1]});
                     }},
                    {"ProductSquared",
                     {f64({2, 3})},
                     [](Builder &b, Values v) {
                       ValueId p = b.reduce(OpKind::Product, v[0], {1});
                       return b.mul(p, p);
                     }},
                    productWithZeros(),
                    {"CumSumSquared",
                     {f64({5})},
                     [](Builder &b, Values v) {
                       ValueId sums = axisOp(b, OpKind::CumSum, {v[0]}, 0);
                       return b.mul(sums, sums);
                     }},
                    {"ScatterSetSquared",
                     {f64({4, 2}), i32({5}), f64({5, 2})},
                     [](Builder &b, Values v) {
                       ValueId r = axisOp(b, OpKind::ScatterSet, {v[0], v[1], v[2]}, 0);
                       return b.mul(r, b.mul(r, r));
                     }},
                    {"GatherSquared",
                     {f64({4, 2}), i32({5})},
                     [](Builder &b, Values v) {
                       ValueId rows = axisOp(b, OpKind::Gather, {v[0], v[1]}, 0);
                       return b.mul(rows, b.mul(rows, rows));
                     }},
                    {"SlicedAndPadded",
                     {f64({5})},
                     [](Builder &b, Values v) {
                       ValueId part = b.slice(v[0], {1}, {5}, {2});
                       ValueId wide = b.pad(b.mul(part, part), b.splat(f64({}), 0), {2}, {1}, {1});
                       return b.mul(wide, v[0]);
                     }},
                });
}

class SecondDerivatives : public testing::TestWithParam<GradientCase> {};

TEST_P(SecondDerivatives, MatchFiniteDifferences) { checkSecondGradient(GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, SecondDerivatives, testing::ValuesIn(secondOrderCases()),
                         [](const auto &info) { return info.param.name; });

/// Collects the kinds that a case differentiates.
void collectKinds(const GradientCase &c, std::set<OpKind> &kinds) {
  Graph graph;
  std::vector<ValueId> arguments;
  for (const Type &type : c.arguments)
    arguments.push_back(graph.addArgument(type));
  Builder b(graph);
  c.build(b, arguments);
  for (const Op &op : graph.ops())
    kinds.insert(op.kind);
}

// A new op must come with a case above, or with its name here, where grad_none.cpp has the reason.
TEST(GradientCoverage, EveryOpHasACaseOrNoGradient) {
  std::set<OpKind> covered = {
      OpKind::Floor,    OpKind::Ceil,         OpKind::Round,      OpKind::Bitcast,
      OpKind::Kernel,   OpKind::Gradient,     OpKind::Scan, // in scan_gradient_test.cpp
      OpKind::Sign,     OpKind::StopGradient, OpKind::Not,        OpKind::Rem,
      OpKind::And,      OpKind::Or,           OpKind::Xor,        OpKind::Shl,
      OpKind::ShrArith, OpKind::ShrLogical,   OpKind::Eq,         OpKind::Ne,
      OpKind::Lt,       OpKind::Le,           OpKind::Gt,         OpKind::Ge,
      OpKind::ArgMax,   OpKind::ArgMin,       OpKind::ArgSort,    OpKind::OneHot,
      OpKind::Constant, OpKind::Iota,         OpKind::RandomBits, OpKind::Uniform,
      OpKind::Normal};
  for (const GradientCase &c : allCases())
    collectKinds(c, covered);
  for (OpKind kind : allOps())
    EXPECT_TRUE(covered.contains(kind)) << opInfo(kind).name << " has no gradient case";
}

} // namespace
} // namespace apr::test
