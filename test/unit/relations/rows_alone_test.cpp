// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A prediction for a row has the same bits in every batch: alone, among any number of other rows,
// at every place, and beside rows of NaN and infinities.
#include "test/unit/relations/models.h"
#include "test/unit/relations/program.h"
#include "tools/ir_runs/tensor_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace apr::test {
namespace {

constexpr int64_t kRows = 40;

struct RowsCase {
  Model model;
  Way way;
};

void PrintTo(const RowsCase &c, std::ostream *out) { *out << c.model.name << ", " << str(c.way); }

/// The rows of a tensor whose leading axis counts them.
size_t rowBytes(const Tensor &tensor) { return tensor.data.size() / size_t(tensor.shape[0]); }

Tensor selectRows(const Tensor &from, const std::vector<int64_t> &rows) {
  std::vector<int64_t> shape = from.shape;
  shape[0] = int64_t(rows.size());
  Tensor selected = Tensor::zeros(from.dtype, shape);
  const size_t bytes = rowBytes(from);
  for (size_t i = 0; i < rows.size(); ++i)
    std::copy_n(from.data.begin() + rows[i] * int64_t(bytes), bytes,
                selected.data.begin() + int64_t(i * bytes));
  return selected;
}

/// Two rows of NaN and infinity that no other row may notice.
void spoilRows(Tensor &input) {
  if (input.dtype != DType::F32)
    return;
  const size_t perRow = rowBytes(input) / sizeof(float);
  std::fill_n(input.elements<float>().begin(), perRow, std::numeric_limits<float>::quiet_NaN());
  std::fill_n(input.elements<float>().begin() + int64_t(perRow), perRow,
              std::numeric_limits<float>::infinity());
}

/// Other rows at other places in every batch.
std::vector<int64_t> rowsOfBatch(int64_t size) {
  std::vector<int64_t> rows;
  for (int64_t place = 0; place < size; ++place)
    rows.push_back((7 * place + 3 * size) % kRows);
  return rows;
}

/// The model without the functions that train it, which take long to compile.
Module withoutTraining(const Model &model) {
  Module module = compile(model);
  module.trainBlocks.clear();
  std::erase_if(module.functions,
                [](const Function &function) { return function.name != "predict"; });
  return module;
}

class RowsAlone : public testing::TestWithParam<RowsCase> {
protected:
  RowsAlone() : program_(withoutTraining(GetParam().model), GetParam().way) {
    arguments_ = drawArguments(program_.module(), "predict", dimsOf(GetParam().model, kRows), 11);
    const Function &predict = program_.function("predict");
    for (input_ = 0; predict.arguments[input_].role != ArgumentRole::Input;)
      ++input_;
    spoilRows(arguments_[input_]);
  }

  Tensor predict(const std::vector<int64_t> &rows) const {
    std::vector<Tensor> arguments = arguments_;
    arguments[input_] = selectRows(arguments_[input_], rows);
    return program_.run("predict", arguments, dimsOf(GetParam().model, int64_t(rows.size())))
        .front();
  }

  Program program_;
  std::vector<Tensor> arguments_;
  size_t input_ = 0;
};

TEST_P(RowsAlone, InEveryBatchAtEveryPlace) {
  std::vector<Tensor> alone;
  for (int64_t row = 0; row < kRows; ++row)
    alone.push_back(predict({row}));
  ASSERT_FALSE(std::ranges::equal(alone[2].data, alone[3].data)) << "the rows are all the same";
  for (int64_t size = 1; size <= kRows; ++size) {
    const std::vector<int64_t> rows = rowsOfBatch(size);
    const Tensor together = predict(rows);
    for (int64_t place = 0; place < size; ++place) {
      auto where =
          run::firstDifference(selectRows(together, {place}), alone[size_t(rows[size_t(place)])]);
      ASSERT_FALSE(where) << "row " << rows[size_t(place)] << " at place " << place << " of "
                          << size << ": " << *where;
    }
  }
}

std::vector<RowsCase> allCases() {
  Way blocks = native(), unfused = native();
  blocks.target.blockWork = 100;
  unfused.fuses = false;
  unfused.target.level = CodegenLevel::O0;
  std::vector<RowsCase> cases;
  for (const Model &model : allModels())
    for (const Way &way : {interpreted(), native(), blocks, unfused})
      cases.push_back({model, way});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Models, RowsAlone, testing::ValuesIn(allCases()));

// A size that is known at compile time makes other code, and the same bits.
class RowsOfFixedBatches : public testing::TestWithParam<Model> {};

TEST_P(RowsOfFixedBatches, AreThoseOfOpenOnes) {
  const Model &model = GetParam();
  const Program open(compile(model), native());
  for (int64_t size : {3, 17}) {
    Way way = native();
    way.dims = {{"B", size}};
    const Program fixed(compile(model), way);
    const DimBindings dims = dimsOf(model, size);
    for (const std::string &name : functionNames(open.module())) {
      auto arguments = drawArguments(open.module(), name, dims, uint64_t(size));
      EXPECT_EQ(
          difference(fixed.runNamed(name, arguments, dims), open.runNamed(name, arguments, dims)),
          "")
          << name << ", B = " << size;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, RowsOfFixedBatches, testing::ValuesIn(allModels()),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace apr::test
