// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/html_page.h"
#include "runtime/train/html_report.h"
#include "runtime/train/json_text.h"

#include <string>

namespace apr::train {

/// The leaves of a JSON value under dotted names; lists stay whole.
void flatten(const ParsedJson &value, const std::string &name, HtmlRows &rows);

/// Settings that a training follows from, beside model, files and inputs, which have tables of
/// their own.
HtmlRows settingRows(const ReportedRun &run);

/// All that a training follows from, and how long it was, in texts that fit a table. The digest of
/// the whole tells what no row would.
HtmlRows comparedRows(const ReportedRun &run);

/// A recorded pipeline in words: "standardise(3.5, 1.2) | clip(-3, 3)".
std::string transformText(const ParsedJson &transforms);

/// Characters, for columns that line up: bytes that go on a character do not count.
std::size_t textWidth(const std::string &text);

} // namespace apr::train
