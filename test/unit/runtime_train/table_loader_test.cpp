// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/csv_source.h"
#include "runtime/train/sharded_source.h"
#include "runtime/train/table_loader.h"

#include <aprt.h>
#include <gtest/gtest.h>

#include <cstring>

namespace apr::train {
namespace {

struct Loaded {
  Dataset data;
  std::vector<InputColumns> bindings;
};

Loaded load(const std::string &text, const std::vector<InputNeed> &needs,
            const std::vector<Declared> &inputs, const std::vector<Declared> &transforms,
            const std::vector<std::size_t> &training, const std::vector<Declared> &missing = {}) {
  CsvTable table = CsvTable::parse("t.csv", text, {});
  const ColumnSet columns{table.file(), table.columnCount(), table.names()};
  auto bindings = bindColumns(needs, columns, inputs, transforms, missing);
  TableLoader loader(std::make_unique<CsvSource>(std::move(table)), needs, std::move(bindings));
  Loaded loaded{loader.assemble(training), loader.bindings()};
  return loaded;
}

template <class F> std::string errorOf(F &&action) {
  try {
    action();
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}

template <class T> std::vector<T> valuesOf(const InputArray &array) {
  std::vector<T> values(array.values.size() / sizeof(T));
  std::memcpy(values.data(), array.values.data(), array.values.size());
  return values;
}

const std::vector<InputNeed> xAndY = {{"x", APRT_F32, 2, 0}, {"y", APRT_I32, 1, 3}};

TEST(TableLoader, BindsColumnsLeftToRight) {
  const Loaded loaded = load("1,2,0\n3,4,2\n", xAndY, {}, {}, {0, 1});
  EXPECT_EQ(valuesOf<float>(loaded.data.inputs[0]), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(valuesOf<std::int32_t>(loaded.data.inputs[1]), (std::vector<std::int32_t>{0, 2}));
}

TEST(TableLoader, BindsColumnsByName) {
  const Loaded loaded = load("y,a,b\n1,2,3\n", xAndY, {}, {}, {0});
  EXPECT_EQ(valuesOf<float>(loaded.data.inputs[0]), (std::vector<float>{2, 3}));
  EXPECT_EQ(valuesOf<std::int32_t>(loaded.data.inputs[1]), (std::vector<std::int32_t>{1}));
}

TEST(TableLoader, AppliesTransformsToInputsAndColumns) {
  const std::string text = "size,color,class\n2,red,a\n4,blue,c\n6,red,b\n";
  const std::vector<InputNeed> needs = {{"x", APRT_F32, 3, 0}, {"y", APRT_I32, 1, 3}};
  const Loaded loaded = load(
      text, needs, {{"x", "size, color", {}}, {"y", "class", {}}},
      {{"x", "divide(2)", {}}, {"color", "one_hot", {}}, {"y", "categories(a, b, c)", {}}}, {0, 1});
  EXPECT_EQ(valuesOf<float>(loaded.data.inputs[0]),
            (std::vector<float>{1, 0, 1, 2, 1, 0, 3, 0, 1}));
  EXPECT_EQ(valuesOf<std::int32_t>(loaded.data.inputs[1]), (std::vector<std::int32_t>{0, 2, 1}));
  EXPECT_EQ(loaded.bindings[0].columns[1].pipeline[0].labels,
            (std::vector<std::string>{"blue", "red"}));
}

TEST(TableLoader, LocatesFieldsThatDoNotFit) {
  const auto error = [](const std::string &text) {
    return errorOf([&] { load(text, xAndY, {}, {}, {0, 1}); });
  };
  EXPECT_EQ(error("1,2,0\n3,x,1\n"),
            "t.csv:2:3: error: \"x\" in column 2 is not a number, expected a number of type f32");
  EXPECT_EQ(error("1,2,0\n3,nan,1\n"),
            "t.csv:2:3: error: \"nan\" in column 2 is not a number, expected a number of type f32");
  EXPECT_EQ(error("1,2,0\n,4,1\n"),
            "t.csv:2:1: error: missing value in column 1, expected a number of type f32; --missing "
            "1=WHAT says what is done about missing ones: drop, mean, median or a constant");
  EXPECT_EQ(
      error("1,2,0\n3,4,1.5\n"),
      "t.csv:2:5: error: \"1.5\" in column 3 is not a whole number, expected an integer (i32)");
  EXPECT_EQ(
      error("1,2,0\n3,1e99,1\n"),
      "t.csv:2:3: error: \"1e99\" in column 2 is out of range, expected a number of type f32");
  EXPECT_EQ(error("1,2,0\n3,4,3\n"), "t.csv:2:5: error: found 3 for input y, expected 0 to 2");
  EXPECT_EQ(error("a,b,y\n"), "t.csv: error: the file has a header but no records");
}

const std::vector<InputNeed> oneX = {{"x", APRT_F32, 1, 0}};

std::vector<float> filled(const std::string &text, const char *policy,
                          const std::vector<std::size_t> &training,
                          const char *transform = nullptr) {
  std::vector<Declared> transforms;
  if (transform)
    transforms.push_back({"x", transform, {}});
  return valuesOf<float>(
      load("x\n" + text, oneX, {}, transforms, training, {{"x", policy, {}}}).data.inputs[0]);
}

TEST(TableLoader, FillsMissingValuesFromTheTrainingRows) {
  // Row 3 and what is missing itself take no part.
  const std::string text = "1\n\"\"\n2\n100\nNA\n6\n";
  EXPECT_EQ(filled(text, "mean", {0, 1, 2, 4, 5}), (std::vector<float>{1, 3, 2, 100, 3, 6}));
  EXPECT_EQ(filled(text, "median", {0, 1, 2, 4, 5}), (std::vector<float>{1, 2, 2, 100, 2, 6}));
  EXPECT_EQ(filled(text, "median", {0, 1, 2, 3, 5}), (std::vector<float>{1, 4, 2, 100, 4, 6}));
  EXPECT_EQ(filled(text, "-7.5", {0}), (std::vector<float>{1, -7.5, 2, 100, -7.5, 6}));
  // Transforms see the table filled: (1 + 3) / 2 = 2 fills it, and the mean stays 2.
  EXPECT_EQ(filled("1\n3\n?\n", "mean", {0, 1, 2}, "standardise")[2], 0);
}

TEST(TableLoader, KeepsTheValueThatFills) {
  const Loaded loaded = load("x\n1\nnan\n4\n", oneX, {}, {}, {0, 1, 2}, {{"x", "mean", {}}});
  EXPECT_EQ(loaded.bindings[0].columns[0].missing.fitted, (std::vector<double>{2.5}));
}

TEST(TableLoader, LeavesOutRowsWithMissingValues) {
  const std::string text = "x,c\n1,red\n,green\n3,\n4,red\n5,blue\n";
  const std::vector<InputNeed> needs = {{"x", APRT_F32, 1, 0}, {"c", APRT_I32, 1, 0}};
  const Loaded loaded = load(text, needs, {}, {{"c", "categories", {}}}, {0, 1, 2},
                             {{"x", "drop", {}}, {"c", "drop", {}}});
  EXPECT_EQ(loaded.data.rows, 3u);
  EXPECT_EQ(valuesOf<float>(loaded.data.inputs[0]), (std::vector<float>{1, 4, 5}));
  // Only a row that was left out is green.
  EXPECT_EQ(valuesOf<std::int32_t>(loaded.data.inputs[1]), (std::vector<std::int32_t>{1, 1, 0}));
  // One column's missing value leaves out the row of all, and fills count what stays.
  const Loaded both = load("x,c\n1,a\n,\n3,b\n,a\n", needs, {}, {{"c", "categories", {}}},
                           {0, 1, 2}, {{"x", "mean", {}}, {"c", "drop", {}}});
  EXPECT_EQ(valuesOf<float>(both.data.inputs[0]), (std::vector<float>{1, 3, 2}));
}

TEST(TableLoader, LocatesFaultsBehindRowsLeftOut) {
  EXPECT_EQ(errorOf([] {
              load("x\n1\n?\n\n2\n", {{"x", APRT_I32, 1, 2}}, {}, {}, {0}, {{"x", "drop", {}}});
            }),
            "t.csv:5:1: error: found 2 for input x, expected 0 to 1");
}

TEST(TableLoader, GivesACategoryToMissingOnes) {
  const Loaded loaded = load("c\nred\nNA\nblue\n", {{"c", APRT_I32, 1, 0}}, {},
                             {{"c", "categories", {}}}, {0, 1, 2}, {{"c", "none of them", {}}});
  EXPECT_EQ(loaded.bindings[0].columns[0].pipeline[0].labels,
            (std::vector<std::string>{"blue", "none of them", "red"}));
  // Without a policy the words are categories like others.
  const Loaded plain =
      load("c\nred\nNA\n", {{"c", APRT_I32, 1, 0}}, {}, {{"c", "categories", {}}}, {0, 1});
  EXPECT_EQ(plain.bindings[0].columns[0].pipeline[0].labels,
            (std::vector<std::string>{"NA", "red"}));
}

TEST(TableLoader, WeighsClassesOfTheTrainingRows) {
  // Row 3 is no training row; the same column feeds a class and its weight.
  const std::vector<InputNeed> needs = {{"y", APRT_I32, 1, 0}, {"w", APRT_F32, 1, 0}};
  const Loaded loaded = load("c\nb\na\nb\na\nb\n", needs, {{"y", "c", {}}, {"w", "c", {}}},
                             {{"y", "categories", {}}, {"w", "class_weights", {}}}, {0, 1, 2, 4});
  EXPECT_EQ(valuesOf<std::int32_t>(loaded.data.inputs[0]),
            (std::vector<std::int32_t>{1, 0, 1, 0, 1}));
  const auto rare = static_cast<float>(4 / 2.0);
  const auto often = static_cast<float>(4 / 6.0);
  EXPECT_EQ(valuesOf<float>(loaded.data.inputs[1]),
            (std::vector<float>{often, rare, often, rare, often}));
}

std::unique_ptr<RowSource> shardsOf(const std::vector<std::string> &texts) {
  std::vector<std::unique_ptr<RowSource>> shards;
  for (const std::string &text : texts)
    shards.push_back(std::make_unique<CsvSource>(
        CsvTable::parse("s" + std::to_string(shards.size()), text, {})));
  return std::make_unique<ShardedSource>(std::move(shards));
}

TEST(TableLoader, ReadsSeveralTablesAsOne) {
  const std::vector<InputColumns> bindings = {
      {"x", {{0, "x", {}, {MissingPolicy::DropRow, {}, {}}}}}};
  TableLoader loader(shardsOf({"x,k\n1,a\n,b\n3,b\n", "x,k\n4,a\n\"\",c\n6,a\n"}), oneX, bindings,
                     {{1, "k", {}}});
  ASSERT_EQ(loader.rows(), 4u);
  EXPECT_EQ(loader.shardOf(1), 0u);
  EXPECT_EQ(loader.shardOf(2), 1u);
  const RowKeys keys = loader.key(0);
  EXPECT_EQ(keys.words, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(keys.codes, (std::vector<std::uint32_t>{0, 1, 0, 0}));
  EXPECT_EQ(valuesOf<float>(loader.assemble({0}).inputs[0]), (std::vector<float>{1, 3, 4, 6}));
}

TEST(TableLoader, LocatesFaultsInTheRightTable) {
  TableLoader loader(shardsOf({"x\n1\n0\n", "x\n1\n2\n"}), {{"x", APRT_I32, 1, 2}},
                     {{"x", {{0, "x", {}}}}});
  EXPECT_EQ(errorOf([&] { loader.assemble({0}); }),
            "s1:3:1: error: found 2 for input x, expected 0 to 1");
}

TEST(TableLoader, RefusesTablesOfOtherColumns) {
  const auto error = [](std::vector<std::string> a, std::vector<std::string> b, std::size_t count) {
    return errorOf([&] { commonColumns({{"a.csv", 2, a}, {"b.csv", count, b}}); });
  };
  EXPECT_EQ(error({"x", "y"}, {"x", "y"}, 2), "no error");
  EXPECT_EQ(error({"x", "y"}, {"x", "z"}, 2),
            "b.csv: error: column 2 is called \"z\", but in a.csv it is \"y\"");
  EXPECT_EQ(error({}, {}, 3), "b.csv: error: the table has 3 columns, but a.csv has 2");
  EXPECT_EQ(error({"x", "y"}, {}, 2),
            "b.csv: error: the table has no header, but a.csv has one; --header says whether there "
            "are any");
}

TEST(TableLoader, NormalisesEachChannel) {
  const Loaded loaded =
      load("1,2,3,4\n", {{"x", APRT_F32, 4, 0}}, {}, {{"x", "normalise(1, 2, 1, 4)", {}}}, {0});
  EXPECT_EQ(valuesOf<float>(loaded.data.inputs[0]), (std::vector<float>{0, 0, 2, 0.5}));
}

TEST(TableLoader, RefusesPoliciesThatCannotBe) {
  const auto error = [](const char *text, const char *key, const char *policy,
                        const char *transform) {
    return errorOf([&] {
      load(text, oneX, {}, {{"x", transform, {}}}, {0, 1}, {{key, policy, {"--missing"}}});
    });
  };
  EXPECT_EQ(error("x\n1\n2\n", "x", "medians", "log"),
            "--missing: error: \"medians\" is not what column x can do about missing values; did "
            "you mean \"median\"?; there are error, drop, mean, median, or a number that takes "
            "their place");
  EXPECT_EQ(error("x\n1\n2\n", "x", "mean", "categories"),
            "--missing: error: column x holds categories, which have no mean: name the category "
            "that stands for a missing one, or drop");
  EXPECT_EQ(error("x,y\n1,2\n2,3\n", "y", "mean", "log"),
            "--missing: error: what is done about missing values of \"y\" changes nothing: no "
            "input takes that column");
  EXPECT_EQ(error("x\n\"\"\n?\n3\n", "x", "mean", "log"),
            "t.csv: error: no training row has a value in column x, so it has no mean");
  EXPECT_EQ(error("x\n\"\"\n?\n", "x", "drop", "log"),
            "t.csv: error: all 2 rows lack a value in a column that leaves such rows out");
}

TEST(TableLoader, LocatesTransformedValuesThatDoNotFit) {
  const auto error = [](const char *transform) {
    return errorOf([&] { load("1,2,0\n3,4,1\n", xAndY, {}, {{"y", transform, {}}}, {0, 1}); });
  };
  EXPECT_EQ(error("divide(2)"),
            "t.csv:2:5: error: the transformed value 0.5 of column 3 is not a whole number, as the "
            "input's type needs");
  EXPECT_EQ(error("categories(0)"),
            "t.csv:2:5: error: the category \"1\" of column 3 is not one of the 1 known from the "
            "training rows; list all of them: categories(…)");
  EXPECT_EQ(error("log"), "t.csv:1:5: error: the transformed value nan of column 3 is not a number "
                          "(log of zero or less)");
}

TEST(Columns, ExplainsWhatCannotBeBound) {
  const auto error = [](const std::string &text, const std::vector<Declared> &inputs,
                        const std::vector<Declared> &transforms) {
    return errorOf([&] { load(text, xAndY, inputs, transforms, {0}); });
  };
  EXPECT_EQ(
      error("1,2,3,4\n", {}, {}),
      "t.csv: error: cannot tell which columns feed which input: 4 columns are left for x (2), "
      "y (1); say so with [inputs] in the run file or --input NAME=COLUMNS; lines before the table "
      "are left out by --skip");
  EXPECT_EQ(error("1,2,3\n", {{"z", "1", {"--input"}}}, {}),
            "--input: error: no input \"z\"; did you mean \"x\"?; the inputs are x, y");
  EXPECT_EQ(
      error("1,2,3\n", {{"x", "7", {"--input"}}}, {}),
      "--input: error: no column 7: t.csv has 3 columns, counted from 1 (or -1 from the end)");
  EXPECT_EQ(error("age,size,y\n1,2,0\n", {{"x", "agee, size", {"--input"}}}, {}),
            "--input: error: no column \"agee\"; did you mean \"age\"?; t.csv has 3 columns");
  EXPECT_EQ(error("1,2,0\n", {{"x", "2..1", {"--input"}}}, {}),
            "--input: error: the range \"2..1\" runs backwards");
  EXPECT_EQ(error("1,2,0\n", {{"x", "1", {}}, {"y", "3", {}}}, {}),
            "t.csv: error: input x takes 2 values per row, but its 1 column gives 1");
  EXPECT_EQ(
      error("1,2,0,4\n", {{"x", "1, 2", {}}, {"y", "3", {}}},
            {{"4", "standardise", {"--transform"}}}),
      "--transform: error: the transform of \"4\" changes nothing: no input takes that column");
}

TEST(Columns, SelectsByNamePositionAndRange) {
  const ColumnSet table{"t", 5, {"a", "b", "c, d", "3", "e"}};
  EXPECT_EQ(selectColumns("b..3", table, {}), (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_EQ(selectColumns("-1, a", table, {}), (std::vector<std::size_t>{4, 0}));
  EXPECT_EQ(selectColumns("c, d", table, {}), (std::vector<std::size_t>{2}));
  EXPECT_EQ(selectColumns("1..2", table, {}), (std::vector<std::size_t>{0, 1}));
}

} // namespace
} // namespace apr::train
