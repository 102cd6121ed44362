// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/html_text.h"
#include "runtime/train/line_chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace apr::train {
namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

TEST(HtmlText, EscapesMarkupAndBrokenBytes) {
  EXPECT_EQ(htmlText("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  EXPECT_EQ(htmlText("größe – ∑ 𝄞"), "größe – ∑ 𝄞");
  const std::string replacement = "\xef\xbf\xbd";
  EXPECT_EQ(htmlText("a\x01z\x7f"), "a" + replacement + "z" + replacement);
  EXPECT_EQ(htmlText("\xc3"), replacement);                      // cut off
  EXPECT_EQ(htmlText("\xc0\xaf"), replacement + replacement);    // overlong
  EXPECT_EQ(htmlText("\xed\xa0\x80").substr(0, 3), replacement); // a surrogate
  EXPECT_EQ(htmlText("\xef\xbf\xbf").substr(0, 3), replacement); // no character of XML
}

TEST(LineChart, ChoosesRoundTicks) {
  EXPECT_EQ(axisTicks(0, 10), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(axisTicks(1, 5), (std::vector<double>{1, 2, 3, 4, 5}));
  EXPECT_EQ(axisTicks(0, 60), (std::vector<double>{0, 10, 20, 30, 40, 50, 60}));
  EXPECT_EQ(axisTicks(3, 3), (std::vector<double>{3}));
  EXPECT_EQ(axisTicks(0, infinity).size(), 1u);
  for (double high : {1e-300, 1e-3, 7.0, 1e5, 1e300}) {
    const auto ticks = axisTicks(0, high);
    EXPECT_GE(ticks.size(), 3u) << high;
    EXPECT_LE(ticks.size(), 7u) << high;
  }
}

size_t count(const std::string &text, const std::string &part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

TEST(LineChart, LeavesGapsWhereValuesAreNotFinite) {
  const std::string html =
      chartHtml({"loss", "epoch", {{"training", 0, false, {{1, 3}, {2, 2}, {3, nan}, {4, 1}}}}});
  const size_t path = html.find("<path");
  const std::string d = html.substr(path, html.find("/>", path) - path);
  EXPECT_EQ(count(d, "M"), 2u);
  EXPECT_EQ(count(d, "L"), 1u);
  EXPECT_EQ(count(html, "<circle"), 1u); // the value alone
}

TEST(LineChart, IsEmptyWithoutValues) {
  EXPECT_EQ(chartHtml({"loss", "epoch", {}}), "");
  EXPECT_EQ(chartHtml({"loss", "epoch", {{"a", 0, false, {{1, nan}, {2, infinity}}}}}), "");
}

TEST(LineChart, TakesALogarithmicAxisForAWideRange) {
  const auto chart = [](double low) {
    return chartHtml({"loss", "epoch", {{"a", 0, false, {{1, 10}, {2, low}}}}});
  };
  EXPECT_EQ(count(chart(0.2), "(logarithmic)"), 0u);
  EXPECT_EQ(count(chart(0.01), "(logarithmic)"), 1u);
  EXPECT_EQ(count(chart(-1), "(logarithmic)"), 0u);
}

TEST(LineChart, ThinsLongCurvesButKeepsTheLastValue) {
  ChartLine line{"a", 0, false, {}};
  for (int i = 1; i <= 100'000; ++i)
    line.points.emplace_back(i, std::sin(i * 1e-3));
  const std::string html = chartHtml({"loss", "step", {line}});
  EXPECT_LT(html.size(), 100'000u);
  EXPECT_EQ(count(html, "&quot;100000&quot;"), 1u);
}

} // namespace
} // namespace apr::train
