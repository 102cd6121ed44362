// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/index_space.h"
#include "ir/interp/philox.h"

namespace apr::interp {

void evalConstant(Evaluation &e) {
  const Literal &literal = e.attributes().literal();
  Tensor &out = e.result();
  int64_t count = out.count(), have = static_cast<int64_t>(literal.count());
  e.require(literal.dtype == out.dtype && (have == 1 || have == count),
            "has a value that does not fit its type");
  Tensor value{literal.dtype, {have}, literal.bytes};
  for (int64_t i = 0; i < count; ++i)
    copyElement(value, have == 1 ? 0 : i, out, i);
}

void evalIota(Evaluation &e) {
  const Extents &extents = e.resultExtents();
  size_t axis = e.axis(AttrKey::Axis, extents.size());
  Extents strides(extents.size(), 0);
  strides[axis] = 1;
  StridedSpace coordinates(extents, strides);
  visitNumeric(e, e.resultDType(), [&](auto zero) {
    using T = decltype(zero);
    auto out = e.resultElements<T>();
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<T>(coordinates.offset(static_cast<int64_t>(i)));
  });
}

namespace {

/// The Philox blocks of a random op's elements under (seed, step, row offset).
class RandomStream {
public:
  explicit RandomStream(const Evaluation &e) {
    for (size_t i = 0; i < 3; ++i)
      e.require(e.operand(i).dtype == DType::I64 && e.operand(i).shape.empty(),
                "needs i64 scalars for seed, step and row offset");
    auto seed = static_cast<uint64_t>(e.elements<int64_t>(0)[0]);
    auto step = static_cast<uint64_t>(e.elements<int64_t>(1)[0]);
    auto rowOffset = static_cast<uint64_t>(e.elements<int64_t>(2)[0]);
    key_ = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
    step_ = static_cast<uint32_t>(step);
    hash_ = streamHash(e.attributes().string(AttrKey::Stream));
    const Extents &extents = e.resultExtents();
    uint64_t rowSize = extents.empty() ? 0 : 1;
    for (size_t i = 1; i < extents.size(); ++i)
      rowSize *= static_cast<uint64_t>(extents[i]);
    firstElement_ = rowOffset * rowSize;
  }

  std::array<uint32_t, 4> block(size_t element) const {
    uint64_t number = firstElement_ + element;
    return philox4x32(
        {static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32), step_, hash_}, key_);
  }

private:
  std::array<uint32_t, 2> key_;
  uint32_t step_;
  uint32_t hash_;
  uint64_t firstElement_;
};

} // namespace

void evalRandomBits(Evaluation &e) {
  RandomStream stream(e);
  e.require(e.resultDType() == DType::I32, "gives i32 words");
  auto word = static_cast<uint64_t>(e.attributes().integerOr0(AttrKey::Word));
  e.require(word < 4, "has only the words 0 to 3");
  auto out = e.resultElements<int32_t>();
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<int32_t>(stream.block(i)[word]);
}

void evalUniform(Evaluation &e) {
  RandomStream stream(e);
  if (e.resultDType() == DType::F32) {
    auto out = e.resultElements<float>();
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<float>(stream.block(i)[0] >> 8) * 0x1p-24f;
    return;
  }
  e.require(e.resultDType() == DType::F64, "gives floats");
  auto out = e.resultElements<double>();
  for (size_t i = 0; i < out.size(); ++i) {
    auto block = stream.block(i);
    uint64_t bits = (uint64_t(block[0] >> 5) << 26) + (block[1] >> 6);
    out[i] = static_cast<double>(bits) * 0x1p-53;
  }
}

} // namespace apr::interp
