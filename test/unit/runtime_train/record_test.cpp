// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/atomic_file.h"
#include "runtime/train/record.h"
#include "runtime/train/record_digest.h"

#include <aprt.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

namespace apr::train {
namespace {

const std::string hash(64, 'a');
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

RunRecord sampleRecord() {
  RunRecord record;
  record.model = "m.apr";
  record.columnNames = {"a", "b", "c"};
  record.columnCount = 3;
  record.settings.missingWords = {"-", "none"};
  record.droppedRows = 4;
  record.inputs = {
      {{"x", APRT_F32, 2, 0},
       {"x",
        {{0, "a", {{TransformKind::Standardise, {0.1, 0.3}, {}}}, {MissingPolicy::Mean, {}, {0.3}}},
         {2, "c", {{TransformKind::OneHot, {}, {"u", "v"}}}, {MissingPolicy::Constant, "u", {}}}}},
       hash}};
  record.sourceHash = record.splitHash = record.stateHash = record.weightHash = hash;
  record.sources = {{"m.apr", hash, 12}};
  record.dataFiles = {describeRows("1,2\n3,4\n", {0, 4})};
  record.dataFiles[0].role = "table";
  record.history = {{0, 0, {}, {}, hash},
                    {1, 5, {{"loss", 0.5}}, {{"loss", 0.1}}, hash},
                    {2, 10, {{"loss", 0.25}}, {{"loss", nan}}, hash}};
  record.epochs = 2;
  record.steps = 10;
  record.hyper = {{"step.lr", 0.1}};
  record.tensorHashes = {{"w", hash}};
  record.outputs = {{"weights.safetensors", hash}};
  record.stepRecord = RecordedSteps{"steps.bin", {"w", "reports"}, 10, hash};
  record.training = {{"loss", 0.25}};
  record.end = "finished";
  return record;
}

TEST(Record, SurvivesAFile) {
  const std::string folder = ::testing::TempDir() + "apr_record";
  makeFolder(folder);
  RunRecord record = sampleRecord();
  writeRecord(record, folder);
  const RunRecord back = readRecord(folder);
  ASSERT_EQ(back.inputs.size(), 1u);
  const auto &columns = back.inputs[0].columns.columns;
  EXPECT_EQ(columns[0].pipeline[0].constants, (std::vector<double>{0.1, 0.3}));
  EXPECT_EQ(columns[1].pipeline[0].labels, (std::vector<std::string>{"u", "v"}));
  EXPECT_EQ(columns[1].column, 2u);
  for (std::size_t k = 0; k < columns.size(); ++k)
    EXPECT_EQ(columns[k].missing, record.inputs[0].columns.columns[k].missing);
  EXPECT_EQ(back.settings.missingWords, (std::vector<std::string>{"-", "none"}));
  EXPECT_EQ(back.droppedRows, 4u);
  EXPECT_EQ(back.training[0].value, 0.25);
  const std::string file = folder + "/run.json";
  const std::string text = readFile(file);
  RunRecord copy = back;
  writeRecord(copy, folder);
  EXPECT_EQ(readFile(file), text);
  const auto broken = [&](const std::string &from, const std::string &to) -> std::string {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    writeFile(file, changed);
    try {
      readRecord(folder);
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::Data);
      return std::string(error.what()).substr(file.size());
    }
    return "no error";
  };
  EXPECT_EQ(broken("\"record_version\": 3", "\"record_version\": 9"),
            ": error: the record's record_version is 9: a newer aprun wrote it, and this one reads "
            "version 3");
  EXPECT_EQ(
      broken("\"record_version\": 3", "\"record_version\": 1"),
      ": error: the record's record_version is 1: an older aprun wrote it, and this one reads "
      "version 3; train again");
  EXPECT_EQ(broken("\"skip\": 0,", "\"skip\": 0, \"skips\": 1,"),
            ": error: the record's data.\"skips\" is not a key that this program knows; did you "
            "mean \"skip\"?");
  EXPECT_EQ(broken("\"bits\":\"3fe0", "\"bits\":\"3fe1"),
            ": error: the record's epochs[1].training.loss.bits are not those of its value, "
            "3fe0000000000000");
  EXPECT_EQ(broken("\"seed\": 0", "\"seeds\": 0"), ": error: the record's seed is missing");
  EXPECT_EQ(broken("\"seed\": 0", "\"seed\": -1"),
            ": error: the record's seed is not a whole number of at least 0");
  EXPECT_EQ(broken("\"standardise\"", "\"standard\""),
            ": error: the record's inputs[0].columns[0].transforms[0].kind has the unknown value "
            "\"standard\"");
  EXPECT_EQ(broken("\"block\"", "block").substr(3),
            ":3: error: malformed JSON text: found \"b\", expected string literal");
  std::filesystem::remove_all(folder);
}

/// Every leaf of a JSON value, by its path.
void forEachLeaf(ParsedJson &value, const std::string &path,
                 const std::function<void(const std::string &, ParsedJson &)> &visit) {
  if (value.is_object() && !value.empty()) {
    for (auto &[key, member] : value.items())
      forEachLeaf(member, path.empty() ? key : path + "." + key, visit);
  } else if (value.is_array() && !value.empty()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      forEachLeaf(value[i], path + "[" + std::to_string(i) + "]", visit);
  } else {
    visit(path, value);
  }
}

ParsedJson altered(const ParsedJson &leaf) {
  if (leaf.is_string()) {
    std::string text = leaf.get<std::string>();
    if (text.empty())
      return "x";
    text[0] = text[0] == '0' ? '1' : '0';
    return text;
  }
  if (leaf.is_boolean())
    return !leaf.get<bool>();
  if (leaf.is_number_float())
    return std::nextafter(leaf.get<double>(), 1e300);
  if (leaf.is_number())
    return leaf.get<std::int64_t>() + 1;
  return "was empty";
}

/// Whether one of the lines speaks of this leaf: by its own path, or of the member or entry around
/// it that has a digest.
bool isLocated(const std::vector<std::string> &lines, const std::string &leaf) {
  constexpr std::string_view members = "digests.members.";
  const bool isMemberDigest = leaf.starts_with(members);
  for (const std::string &line : lines) {
    if (isMemberDigest ? line == "digests.members: the digest of " + leaf.substr(members.size()) +
                                     " was altered"
                       : leaf.starts_with(line.substr(0, line.find(' '))))
      return true;
    const bool isEntryDigest = leaf.starts_with("epochs[") && leaf.ends_with(".digest");
    if (isEntryDigest && line.starts_with("the digest of " + leaf.substr(0, leaf.find('.'))))
      return true;
  }
  return false;
}

TEST(RecordDigest, LocatesEveryAlteredLeaf) {
  const std::string folder = ::testing::TempDir() + "apr_record_digest";
  makeFolder(folder);
  RunRecord record = sampleRecord();
  writeRecord(record, folder);
  const ParsedJson json = parseJson(readFile(folder + "/run.json"), "run.json");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(findAlterations(json), std::vector<std::string>{});
  std::size_t leaves = 0;
  ParsedJson changed = json;
  forEachLeaf(changed, "", [&](const std::string &path, ParsedJson &leaf) {
    const ParsedJson original = leaf;
    leaf = altered(original);
    const auto found = findAlterations(changed);
    EXPECT_EQ(found.size(), 1u) << path << ": " << Json(found).dump(1);
    EXPECT_TRUE(isLocated(found, path)) << path << ": " << Json(found).dump(1);
    leaf = original;
    ++leaves;
  });
  EXPECT_GT(leaves, 100u);
}

TEST(RecordDigest, LocatesMissingEntries) {
  const std::string folder = ::testing::TempDir() + "apr_record_missing";
  makeFolder(folder);
  RunRecord record = sampleRecord();
  writeRecord(record, folder);
  const ParsedJson json = parseJson(readFile(folder + "/run.json"), "run.json");
  std::filesystem::remove_all(folder);
  for (std::size_t entry = 0; entry < 3; ++entry) {
    ParsedJson changed = json;
    changed["epochs"].erase(entry);
    const auto found = findAlterations(changed);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_NE(found[0].find("missing"), std::string::npos) << found[0];
  }
  for (const auto &[key, value] : json["data"].items()) {
    ParsedJson changed = json;
    changed["data"].erase(key);
    const auto found = findAlterations(changed);
    ASSERT_FALSE(found.empty());
    EXPECT_TRUE(found[0].starts_with("data." + key)) << found[0];
  }
}

/// What is no meaning does not count: layout, order of keys, other ways to write a number.
TEST(RecordDigest, IgnoresLayout) {
  const auto digest = [](const char *text) { return jsonDigest(parseJson(text, "t")); };
  EXPECT_EQ(digest("{\"a\":1,\"b\":[0.5]}"), digest("{ \"b\" : [5e-1], \"a\":1 }"));
  EXPECT_NE(digest("{\"a\":1}"), digest("{\"a\":1.0}"));
  EXPECT_NE(digest("[\"a\",\"b\"]"), digest("[\"ab\"]"));
  EXPECT_NE(digest("[[],1]"), digest("[[1]]"));
  EXPECT_NE(digest("0.0"), digest("-0.0"));
}

/// Other readers keep integers of any size: nothing may make doubles of them here.
TEST(RecordDigest, RefusesIntegersOfMoreThan64Bits) {
  const auto digest = [](const char *text) { return jsonDigest(parseJson(text, "t")); };
  EXPECT_NE(digest("18446744073709551615"), digest("18446744073709551614"));
  EXPECT_NE(digest("-9223372036854775808"), digest("-9223372036854775807"));
  EXPECT_NO_THROW(digest("[1e300, 18446744073709551616.0]"));
  for (const char *text :
       {"18446744073709551616", "-9223372036854775809", "{\"a\": [1, 1000000000000000000000]}"})
    try {
      digest(text);
      ADD_FAILURE() << text;
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::Data);
      EXPECT_NE(std::string(error.what()).find("takes more than 64 bits"), std::string::npos)
          << error.what();
    }
}

TEST(Record, BindsNewTables) {
  const RunRecord record = sampleRecord();
  const std::vector<InputNeed> needs = {{"x", APRT_F32, 2, 0}};
  const auto columns = [&](const ColumnSet &table) {
    std::vector<std::size_t> result;
    const auto bindings = bindRecorded(record, needs, table);
    for (const ColumnUse &use : bindings[0].columns)
      result.push_back(use.column);
    return result;
  };
  EXPECT_EQ(columns({"t", 2, {"c", "a"}}), (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(columns({"t", 3, {}}), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(columns({"t", 2, {}}), (std::vector<std::size_t>{0, 1}));
  EXPECT_THROW(columns({"t", 4, {}}), Error);
  EXPECT_THROW(columns({"t", 2, {"a", "d"}}), Error);
  EXPECT_THROW(bindRecorded(record, {{"z", APRT_F64, 2, 0}}, {"t", 3, {}}), Error);
}

} // namespace
} // namespace apr::train
