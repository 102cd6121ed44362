// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/library.md out of the doc comments of the library.
#include "tools/gen-docs/library.h"

#include "ir/frontend/std/embedded.h"

#include <fmt/format.h>
#include <sstream>
#include <string_view>

namespace apr {

namespace {

std::vector<std::string> linesOf(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

bool startsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

/// From line `first` on, what stands before the body: a '=' or '{' outside of all brackets. Blanks
/// and line ends become one blank.
std::string headOf(const std::vector<std::string> &lines, size_t first) {
  std::string head;
  int depth = 0;
  for (size_t i = first; i < lines.size(); ++i) {
    for (char c : lines[i] + " ") {
      depth += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
      if (depth == 0 && (c == '=' || c == '{')) {
        head.erase(head.find_last_not_of(' ') + 1);
        return head;
      }
      if (c != ' ' || (!head.empty() && head.back() != ' '))
        head += c;
    }
  }
  return head;
}

std::string nameOf(const std::string &head) {
  size_t begin = head.find(' ') + 1;
  return head.substr(begin, head.find_first_of("( ", begin) - begin);
}

/// The parameters, buffers and calls between a layer's braces.
std::vector<std::string> membersOf(const std::vector<std::string> &lines, size_t first) {
  std::vector<std::string> members;
  for (size_t i = first + 1; i < lines.size() && lines[i] != "}"; ++i) {
    const std::string &line = lines[i];
    if (startsWith(line, "  param ") || startsWith(line, "  buffer "))
      members.push_back(line.substr(2));
    else if (startsWith(line, "  fn ("))
      members.push_back(headOf(lines, i));
  }
  return members;
}

/// What the comments at the top of a file say, without the license.
std::string titleOf(const std::string &source) {
  std::string title;
  std::vector<std::string> lines = linesOf(source);
  for (size_t i = 1; i < lines.size() && startsWith(lines[i], "# "); ++i)
    title += (title.empty() ? "" : "\n") + lines[i].substr(2);
  return title;
}

/// "attention.apr" → "Attention".
std::string headingOf(std::string_view file) {
  std::string heading(file.substr(0, file.find('.')));
  for (char &c : heading)
    c = c == '_' ? ' ' : c;
  heading[0] = static_cast<char>(heading[0] - 'a' + 'A');
  return heading;
}

} // namespace

std::vector<LibraryItem> itemsOf(const std::string &source) {
  std::vector<LibraryItem> items;
  std::vector<std::string> lines = linesOf(source);
  std::string doc;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string &line = lines[i];
    if (startsWith(line, "## ")) {
      doc += (doc.empty() ? "" : "\n") + line.substr(3);
      continue;
    }
    bool isLayer = startsWith(line, "layer ");
    if (!isLayer && !startsWith(line, "fn ") && !startsWith(line, "optimizer ")) {
      doc.clear();
      continue;
    }
    std::string head = headOf(lines, i);
    bool isOverload = !items.empty() && nameOf(items.back().signature) == nameOf(head);
    if (!doc.empty() || isOverload)
      items.push_back({doc, isLayer ? membersOf(lines, i) : std::vector<std::string>(), head});
    doc.clear();
  }
  return items;
}

std::string libraryDocument(const std::string &introduction) {
  std::string text = introduction;
  for (const EmbeddedFile &file : embeddedLibrary()) {
    std::string source(file.text);
    text += fmt::format("\n## {}\n\n{}\n", headingOf(file.name), titleOf(source));
    std::vector<LibraryItem> items = itemsOf(source);
    for (size_t i = 0; i < items.size();) {
      text += fmt::format("\n### {}\n\n```text\n", nameOf(items[i].signature));
      std::string explanation;
      std::string name = nameOf(items[i].signature);
      for (; i < items.size() && nameOf(items[i].signature) == name; ++i) {
        text += items[i].signature + "\n";
        for (const std::string &member : items[i].members)
          text += "  " + member + "\n";
        if (!items[i].doc.empty())
          explanation += "\n" + items[i].doc + "\n";
      }
      text += "```\n" + explanation;
    }
  }
  return text;
}

} // namespace apr
