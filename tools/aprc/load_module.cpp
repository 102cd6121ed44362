// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprc/load_module.h"

#include "ir/frontend/frontend.h"
#include "ir/text.h"
#include "tools/aprc/files.h"
#include "tools/aprc/options.h"

#include <fmt/format.h>
#include <llvm/ADT/StringExtras.h>
#include <llvm/Support/SHA256.h>

#include <filesystem>
#include <memory>

namespace apr::aprc {
namespace {

/// What the source manager calls files that are not on disk: standard input, the library.
bool isOnDisk(std::string_view name) { return !name.starts_with('<'); }

/// Reads a file once: standard input is empty the second time, and the hash of the sources is that
/// of every file once, whatever is to be written.
FileId readSource(const std::string &path, SourceManager &sources) {
  const std::string name = path == "-" ? "<stdin>" : path;
  for (FileId file = 0; file < sources.fileCount(); ++file)
    if (sources.name(file) == name)
      return file;
  return sources.add(name, readFile(path));
}

/// The first word of IR text that is not a comment; a model file starts with other words.
bool looksLikeIr(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (line.starts_with(' ') || line.starts_with('\t'))
      line.remove_prefix(1);
    if (line.empty() || line.starts_with("//") || line.starts_with('\r'))
      continue;
    return line.starts_with("module ");
  }
  return false;
}

bool isIrText(const std::string &path, std::string_view text) {
  return path.ends_with(".apir") || (path == "-" && looksLikeIr(text));
}

class ImportResolver {
public:
  explicit ImportResolver(SourceManager &sources) : sources_(sources) {}

  std::optional<FileId> operator()(const std::string &importer, const std::string &path) {
    namespace fs = std::filesystem;
    const fs::path folder = isOnDisk(importer) ? fs::path(importer).parent_path() : fs::path();
    const std::string full = (folder / path).lexically_normal().string();
    if (auto known = (*files_).find(full); known != files_->end())
      return known->second;
    try {
      const FileId file = sources_.add(full, readFile(full));
      files_->emplace(full, file);
      return file;
    } catch (const FileError &) {
      return std::nullopt; // the frontend reports it at the import
    }
  }

private:
  SourceManager &sources_;
  /// Shared, because std::function copies its target.
  std::shared_ptr<std::map<std::string, FileId>> files_ =
      std::make_shared<std::map<std::string, FileId>>();
};

} // namespace

std::function<std::optional<FileId>(const std::string &, const std::string &)>
importResolver(SourceManager &sources) {
  return ImportResolver(sources);
}

std::optional<Module> loadModule(const ModuleRequest &request, SourceManager &sources,
                                 Diagnostics &diagnostics) {
  const FileId file = readSource(request.path, sources);
  if (isIrText(request.path, sources.text(file))) {
    if (!request.set.empty() || !request.model.empty())
      throw UsageError("--set and --model are for model files; IR text has no parameters");
    return parseModule(sources, file, diagnostics);
  }
  FrontendOptions options;
  options.settings = request.set;
  options.model = request.model;
  options.resolveImport = importResolver(sources);
  return compileModel(sources, file, diagnostics, options);
}

std::string printSyntaxTree(const std::string &path, SourceManager &sources,
                            Diagnostics &diagnostics) {
  const FileId file = readSource(path, sources);
  if (isIrText(path, sources.text(file)))
    throw UsageError("--emit=ast is for model files; IR text has no syntax tree");
  return dumpSyntaxTree(sources, file, diagnostics);
}

std::string hashSources(const SourceManager &sources) {
  llvm::SHA256 hash;
  for (FileId file = 0; file < sources.fileCount(); ++file) {
    if (!isOnDisk(sources.name(file)) && sources.name(file) != "<stdin>")
      continue;
    const std::string_view text = sources.text(file);
    hash.update(llvm::StringRef(text.data(), text.size()));
  }
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

std::string dependencyRule(const std::string &target, const SourceManager &sources) {
  auto escaped = [](std::string_view path) {
    std::string text;
    for (char c : path) {
      if (c == ' ' || c == '#' || c == '\\')
        text += '\\';
      if (c == '$')
        text += '$';
      text += c;
    }
    return text;
  };
  std::string rule = escaped(target) + ":";
  for (FileId file = 0; file < sources.fileCount(); ++file)
    if (isOnDisk(sources.name(file)))
      rule += " " + escaped(sources.name(file));
  return rule + "\n";
}

} // namespace apr::aprc
