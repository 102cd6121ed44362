// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/documentation.h"

namespace apr::frontend {

namespace {

void add(std::string &text, const std::string &name, const std::string &doc) {
  if (doc.empty())
    return;
  text += text.empty() ? "" : "\n";
  text += name + ": " + doc;
}

void addAll(std::string &text, const std::vector<Parameter> &parameters) {
  for (const Parameter &parameter : parameters)
    add(text, parameter.pattern.name, parameter.doc);
}

} // namespace

std::string documentationOf(const FunctionDecl &entry) {
  std::string text = entry.doc;
  addAll(text, entry.parameters);
  return text;
}

std::string documentationOf(const TrainMember &train) {
  std::string text = train.doc;
  addAll(text, train.parameters);
  for (const Stmt &stmt : train.block.statements)
    if (auto *report = stmt.as<ReportStmt>())
      add(text, report->name.text, report->doc);
  return text;
}

} // namespace apr::frontend
