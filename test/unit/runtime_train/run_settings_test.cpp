// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/run_settings.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/toml.h"

#include <gtest/gtest.h>

#include <set>

namespace apr::train {
namespace {

RunSettings settingsOf(const std::string &text) {
  RunSettings settings;
  applyEntries(settings, parseToml(text, "run.toml"), "dir");
  return settings;
}

std::string errorOf(const std::string &text) {
  try {
    settingsOf(text);
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    return error.what();
  }
  return "no error";
}

TEST(RunSettings, ReadsEveryKindOfKey) {
  const RunSettings s = settingsOf(R"(# a run
model = "m.apr"     # beside this file
seed = 7
[set]
hidden = 64
real = "f64"
[hyper]
step.lr = 1e-3
"step.beta" = 1
[data]
file = '/abs/t.csv'
header = false
delimiter = ";"
validation = 0.25
[inputs]
x = ["a..c", 5]
[transforms]
x = "clip(0, 1) | log"
[train]
epochs = 1_000
batch = 8
shuffle = false
measure = "after"
[log]
epochs = [1, 2,
  20,]
table = ["mse as MSE", "b"]
)");
  EXPECT_EQ(s.model, "dir/m.apr");
  EXPECT_EQ(s.trainer.seed, 7u);
  EXPECT_EQ(s.set.at("hidden"), "64");
  EXPECT_EQ(s.set.at("real"), "f64");
  EXPECT_EQ(s.trainer.hyper.at("step.lr"), 1e-3);
  EXPECT_EQ(s.trainer.hyper.at("step.beta"), 1);
  EXPECT_EQ(s.data, (std::vector<std::string>{"/abs/t.csv"}));
  EXPECT_EQ(s.format.header, Header::Absent);
  EXPECT_EQ(s.format.delimiter, ';');
  EXPECT_EQ(s.shares.validation, 0.25);
  EXPECT_EQ(s.inputs[0].text, "a..c, 5");
  EXPECT_EQ(s.transforms[0].text, "clip(0, 1) | log");
  EXPECT_EQ(*s.epochs, 1000u);
  EXPECT_EQ(s.trainer.batchRows, 8u);
  EXPECT_EQ(s.trainer.order, RowOrder::AsInFile);
  EXPECT_EQ(s.trainer.measure, Measure::After);
  EXPECT_EQ(s.logEpochs, (std::vector<std::uint64_t>{1, 2, 20}));
  EXPECT_EQ(s.logTable[0].metric, "mse");
  EXPECT_EQ(s.logTable[0].title, "MSE");
  EXPECT_EQ(s.logTable[1].title, "b");
}

TEST(RunSettings, LocatesMistakes) {
  EXPECT_EQ(errorOf("modle = \"m\""),
            "run.toml:1:1: error: unknown key \"modle\"; did you mean \"model\"?");
  EXPECT_EQ(errorOf("\nepochs = 3"),
            "run.toml:2:1: error: unknown key \"epochs\"; did you mean \"train.epochs\"?");
  EXPECT_EQ(errorOf("[hypr]\nstep.lr = 1\n"),
            "run.toml:2:1: error: unknown key \"hypr.step.lr\"; did you mean \"hyper\"?");
  EXPECT_EQ(errorOf("[data]\nfiel = 't'\n"),
            "run.toml:2:1: error: unknown key \"data.fiel\"; did you mean \"data.file\"?");
  EXPECT_EQ(errorOf("[train]\nbatch = 1.5"),
            "run.toml:2:9: error: train.batch takes a whole number, found a number");
  EXPECT_EQ(errorOf("[train]\nbatch = 0"),
            "run.toml:2:9: error: train.batch takes a number from 1 to 2^40, found 0");
  EXPECT_EQ(errorOf("seed = -1"),
            "run.toml:1:8: error: seed takes a number of at least 0, found -1");
  EXPECT_EQ(errorOf("[data]\nvalidation = 1"),
            "run.toml:2:14: error: data.validation takes a share from 0 up to, not including, 1, "
            "found 1");
  EXPECT_EQ(errorOf("[train]\nmeasure = \"befor\""),
            "run.toml:2:11: error: train.measure is one of during, after, found \"befor\"");
  EXPECT_EQ(errorOf("[train]\nepochs = 1\nsteps = 2"),
            "run.toml:3:1: error: epochs and steps exclude each other; the other one stands at "
            "run.toml:2:1");
  EXPECT_EQ(errorOf("[data]\ndelimiter = \"ab\""),
            "run.toml:2:13: error: data.delimiter takes one character or \"tab\", found \"ab\"");
}

TEST(Toml, LocatesMistakes) {
  EXPECT_EQ(errorOf("a"),
            "run.toml:1:2: error: expected = after the key, found the end of the file");
  EXPECT_EQ(errorOf("a = "), "run.toml:1:5: error: expected a value, found the end of the file");
  EXPECT_EQ(errorOf("a = \"x"),
            "run.toml:1:5: error: this text is never closed by a quote on its line");
  EXPECT_EQ(errorOf("a = x"), "run.toml:1:5: error: \"x\" is no value: expected a number, true, "
                              "false, an array, or text in quotes");
  EXPECT_EQ(errorOf("a = 1 2"), "run.toml:1:7: error: expected the end of the line, found \"2\"");
  EXPECT_EQ(errorOf("a = [1, 2"), "run.toml:1:5: error: this array is never closed");
  EXPECT_EQ(errorOf("a = {b = 1}"),
            "run.toml:1:5: error: inline tables are not supported in run files");
  EXPECT_EQ(errorOf("[[a]]"),
            "run.toml:1:1: error: arrays of tables are not supported in run files");
  EXPECT_EQ(errorOf("[a"),
            "run.toml:1:3: error: expected ] after the table's name, found the end of "
            "the file");
  EXPECT_EQ(errorOf("[a]\n[a]"),
            "run.toml:2:1: error: the table [a] already stands at run.toml:1:1");
  EXPECT_EQ(errorOf("seed = 1\nseed = 2"),
            "run.toml:2:1: error: the key seed already stands at run.toml:1:1");
  EXPECT_EQ(errorOf("a = \"\\q\""),
            "run.toml:1:6: error: unknown escape in text; there are \\b \\t "
            "\\n \\f \\r \\\" \\\\ \\uXXXX \\UXXXXXXXX");
  EXPECT_EQ(errorOf(std::string("a\0b", 3)), "run.toml:1:2: error: found a NUL byte");
  EXPECT_EQ(errorOf("a = [[[[[[[[[[[1]]]]]]]]]]]"), "run.toml:1:14: error: arrays are nested too "
                                                    "deeply");
  EXPECT_EQ(errorOf("\xff"), "run.toml:1:1: error: found a byte that is not UTF-8");
}

TEST(Toml, ReadsEscapes) {
  const auto entries = parseToml("a = \"\\u00e9\\t\\\"\\U0001F600\"\nb = 'c:\\d'", "t");
  EXPECT_EQ(std::get<std::string>(entries[0].value.value), "é\t\"😀");
  EXPECT_EQ(std::get<std::string>(entries[1].value.value), "c:\\d");
}

TEST(RunSettings, NamesSeveralFiles) {
  RunSettings s = settingsOf(R"([data]
file = ["a.csv", "/abs/b.csv"]
validation_file = "v.csv"
labels = ["1", "2", "3"]
)");
  EXPECT_EQ(s.data, (std::vector<std::string>{"dir/a.csv", "/abs/b.csv"}));
  const auto files = dataFiles(s);
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[2].path, "dir/v.csv");
  EXPECT_EQ(files[2].labels, "dir/3");
  EXPECT_EQ(files[1].part, FilePart::Split);
  EXPECT_EQ(files[2].part, FilePart::Validation);
  // The first flag replaces the list of the run file, the next ones make it longer.
  applyFlag(s, *settingOfFlag("data"), "x");
  EXPECT_EQ(s.data, (std::vector<std::string>{"x"}));
  applyFlag(s, *settingOfFlag("data"), "y");
  EXPECT_EQ(s.data, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(s.validationData.size(), 1u);
  applyFlag(s, *settingOfFlag("data"), "z");
  EXPECT_THROW(dataFiles(s), Error); // four files, three of labels
  s.labels.clear();
  applyFlag(s, *settingOfFlag("test-data"), "-");
  EXPECT_THROW(dataFiles(s), Error);
}

TEST(RunSettings, RefusesSplitsThatExcludeEachOther) {
  const auto check = [](const std::string &text) { checkSplit(settingsOf("[data]\n" + text)); };
  check("validation = 0.5\ntest = 0.4");
  check("folds = 3\nfold = 3\ntest = 0.4");
  check("validation_file = 'v'\ntest = 0.4");
  for (const char *wrong :
       {"validation = 0.5\ntest = 0.5", "folds = 3", "fold = 1", "folds = 1\nfold = 1",
        "folds = 3\nfold = 4", "folds = 3\nfold = 1\nvalidation = 0.1",
        "validation_file = 'v'\nvalidation = 0.1", "validation_file = 'v'\nfolds = 3\nfold = 1",
        "test_file = 't'\ntest = 0.1", "split = 'named=p'\nvalidation = 0.1",
        "[train]\nbalance = 'c'\nshuffle = false"})
    EXPECT_THROW(check(wrong), Error) << wrong;
}

TEST(RunSettings, HasADescribedFlagForEveryKey) {
  const std::string guide = readFile(APR_SOURCE_DIR "/docs/running.md");
  std::set<std::string> flags;
  for (const SettingInfo &info : settingInfos()) {
    EXPECT_TRUE(flags.insert(info.flag).second) << info.flag;
    EXPECT_NE(guide.find(std::string("--") + info.flag), std::string::npos) << info.flag;
    EXPECT_FALSE(std::string(info.help).empty()) << info.flag;
  }
}

TEST(RunSettings, FlagsSetTheSameThings) {
  RunSettings settings;
  applyFlag(settings, *settingOfFlag("epochs"), "3");
  applyFlag(settings, *settingOfFlag("steps"), "4");
  applyFlag(settings, *settingOfFlag("hyper"), "lr=0.5");
  applyFlag(settings, *settingOfFlag("input"), "x=1..4");
  applyFlag(settings, *settingOfFlag("log-table"), "mse as MSE,b");
  applyFlag(settings, *settingOfFlag("shuffle"), "false");
  EXPECT_FALSE(settings.epochs);
  EXPECT_EQ(*settings.steps, 4u);
  EXPECT_EQ(settings.trainer.hyper.at("lr"), 0.5);
  EXPECT_EQ(settings.inputs[0].text, "1..4");
  EXPECT_EQ(settings.logTable.size(), 2u);
  EXPECT_EQ(settings.trainer.order, RowOrder::AsInFile);
  for (const auto &[flag, text] :
       std::vector<std::pair<const char *, const char *>>{{"epochs", "x"},
                                                          {"epochs", "-1"},
                                                          {"hyper", "lr"},
                                                          {"hyper", "lr=x"},
                                                          {"seed", "1.5"},
                                                          {"shuffle", "maybe"},
                                                          {"header", "perhaps"},
                                                          {"hyper", "=1"},
                                                          {"validation", "2"}})
    EXPECT_THROW(applyFlag(settings, *settingOfFlag(flag), text), Error) << flag << text;
}

} // namespace
} // namespace apr::train
