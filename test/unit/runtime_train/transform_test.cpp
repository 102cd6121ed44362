// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/transform.h"

#include <gtest/gtest.h>

#include <cmath>

namespace apr::train {
namespace {

std::string errorOf(const std::string &text) {
  try {
    parsePipeline(text, {"--transform"});
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    return error.what();
  }
  return "no error";
}

TEST(Transform, ParsesPipelines) {
  const Pipeline pipeline = parsePipeline("clip(0, 10) | divide(2)|standardise", {});
  ASSERT_EQ(pipeline.size(), 3u);
  EXPECT_EQ(pipeline[0].constants, (std::vector<double>{0, 10}));
  EXPECT_EQ(text(pipeline), "clip(0, 10) | divide(2) | standardise");
  EXPECT_EQ(parsePipeline("one_hot(red, green)", {})[0].labels,
            (std::vector<std::string>{"red", "green"}));
}

TEST(Transform, ExplainsWhatIsWrong) {
  EXPECT_NE(errorOf("standardize2").find("did you mean \"standardise\"?"), std::string::npos);
  EXPECT_EQ(errorOf("divide"), "--transform: error: the transform divide takes 1 number, found 0");
  EXPECT_EQ(errorOf("divide(x)"),
            "--transform: error: the transform divide takes a number, found \"x\"");
  EXPECT_EQ(errorOf("divide(0)"),
            "--transform: error: the transform divide takes a number other than zero");
  EXPECT_EQ(errorOf("clip(2,1)"),
            "--transform: error: the transform clip takes its lower bound first");
  EXPECT_EQ(errorOf("one_hot | standardise"),
            "--transform: error: the transform one_hot stands alone, found 2 transforms");
  EXPECT_EQ(errorOf("one_hot(a, a)"), "--transform: error: the category \"a\" is listed twice");
  EXPECT_EQ(errorOf("divide(2"),
            "--transform: error: expected a closing parenthesis at the end of \"divide(2\"");
  EXPECT_NE(errorOf(""), "no error");
  EXPECT_NE(errorOf("|"), "no error");
}

TEST(Transform, NormalisesByConstants) {
  const Pipeline one = parsePipeline("normalise(2, 4)", {});
  std::vector<double> values = {2, 10};
  apply(one, values);
  EXPECT_EQ(values, (std::vector<double>{0, 2}));
  const Pipeline three = parsePipeline("divide(2) | normalise(1, 2, 3, 10, 20, 30)", {});
  EXPECT_EQ(text(three), "divide(2) | normalise(1, 2, 3, 10, 20, 30)");
  EXPECT_EQ(pipelineOfColumn(three, 4, 6, {})[1].constants, (std::vector<double>{2, 20}));
  EXPECT_EQ(pipelineOfColumn(three, 3, 6, {})[1].constants, (std::vector<double>{1, 10}));
  EXPECT_EQ(pipelineOfColumn(one, 3, 5, {}), one);
  EXPECT_EQ(errorOf("normalise(1, 2, 3)"),
            "--transform: error: the transform normalise takes a mean and a deviation, or as many "
            "means as "
            "there are channels and then as many deviations, found 3 numbers");
  EXPECT_EQ(errorOf("normalise(0, 1, 2, 0)"),
            "--transform: error: the transform normalise takes deviations other than zero");
  EXPECT_THROW(pipelineOfColumn(three, 0, 7, {}), Error);
}

TEST(Transform, WeighsClasses) {
  Transform transform = parsePipeline("class_weights", {})[0];
  fitLabels(transform, {{"b", 6}, {"a", 2}});
  EXPECT_EQ(transform.labels, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(transform.constants, (std::vector<double>{8 / (2 * 2.0), 8 / (2 * 6.0)}));
  const Transform given = parsePipeline("class_weights(b = 0.5, a=b = 2)", {})[0];
  EXPECT_EQ(given.labels, (std::vector<std::string>{"b", "a=b"}));
  EXPECT_EQ(given.constants, (std::vector<double>{0.5, 2}));
  EXPECT_EQ(errorOf("class_weights(a)"), "--transform: error: the transform class_weights takes "
                                         "CATEGORY = WEIGHT of at least 0, found "
                                         "\"a\"");
}

TEST(Transform, FitsOnTrainingRowsOnly) {
  std::vector<double> values = {1, 3, 100};
  Pipeline pipeline = parsePipeline("standardise", {});
  fitAndApply(pipeline, {0, 1}, values);
  EXPECT_EQ(pipeline[0].constants, (std::vector<double>{2, 1}));
  EXPECT_EQ(values, (std::vector<double>{-1, 1, 98}));
  values = {5, 5, 7};
  pipeline = parsePipeline("min_max", {});
  fitAndApply(pipeline, {0, 1}, values);
  EXPECT_EQ(values, (std::vector<double>{0, 0, 2}));
}

TEST(Transform, OrdersCategories) {
  std::vector<std::string> labels = {"10", "9", "1"};
  sortLabels(labels);
  EXPECT_EQ(labels, (std::vector<std::string>{"1", "9", "10"}));
  labels = {"b", "10", "9"};
  sortLabels(labels);
  EXPECT_EQ(labels, (std::vector<std::string>{"10", "9", "b"}));
}

TEST(Transform, LogarithmIsAccurate) {
  EXPECT_EQ(naturalLogarithm(1), 0);
  for (double x :
       {5e-324, 1e-300, 0.5, 0.99999, 1.0000001, 2.718281828459045, 12345.678, 1.7e308}) {
    const double expected = std::log(x);
    EXPECT_NEAR(naturalLogarithm(x), expected, 4e-16 * std::max(std::abs(expected), 1e-300) + 1e-22)
        << x;
  }
}

} // namespace
} // namespace apr::train
