// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files: the library, imports, and which model of a file is compiled.
#include "ir/frontend/frontend.h"

#include "ir/float_environment.h"
#include "ir/frontend/check_functions.h"
#include "ir/frontend/check_names.h"
#include "ir/frontend/compile_tree.h"
#include "ir/frontend/lower_test_impl.h"
#include "ir/frontend/parser.h"
#include "ir/frontend/std/embedded.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr {

namespace frontend {

namespace {

constexpr size_t kMaximumFileBytes = size_t{16} << 20;
constexpr size_t kMaximumImportedFiles = 1000;

/// All files of one compilation, parsed, with a scope each.
class Program {
public:
  Program(SourceManager &sources, Diagnostics &diagnostics, const FrontendOptions &options)
      : sources_(sources), diagnostics_(diagnostics), options_(options),
        elaborator_(sources, diagnostics, tables_) {}

  /// `main` is a file to be parsed, or a tree.
  template <typename Main> std::optional<Module> compile(Main main) {
    const LoadedFile *file = open(std::move(main));
    if (!file)
      return std::nullopt;
    const Layer *model = chooseModel(*file->syntax);
    if (!model || diagnostics_.hasErrors())
      return std::nullopt;
    auto module =
        ModelElaborator(elaborator_, tables_, diagnostics_, options_).run(*model, file->scope);
    // What nobody calls is checked when all else is well.
    if (module)
      for (auto &[name, loaded] : loaded_)
        checkNames(*loaded.syntax, *loaded.scope, diagnostics_);
    if (module && !diagnostics_.hasErrors())
      for (auto &[name, loaded] : loaded_)
        checkFunctions(*loaded.syntax, *loaded.scope, elaborator_, sources_, tables_, diagnostics_);
    return diagnostics_.hasErrors() ? std::nullopt : std::move(module);
  }

  std::optional<std::vector<LoweredTest>> lowerTests(FileId main, const TestOptions &options) {
    const LoadedFile *file = open(main);
    if (!file || diagnostics_.hasErrors())
      return std::nullopt;
    std::vector<LoweredTest> tests;
    for (const Item &item : file->syntax->items) {
      auto *test = item.as<Test>();
      if (!test || (options.selects && !options.selects(test->title)))
        continue;
      Diagnostics found; // errors of one test do not stop the next
      tests.push_back(TestElaborator(sources_, found, options).run(*test, file->scope));
      append(found);
    }
    return tests;
  }

private:
  enum class Hiding : uint8_t { Warned, Allowed };
  struct LoadedFile {
    const File *syntax;
    Scope *scope;
    bool isOpen = true;
  };

  /// Tests may compile the same model, and find the same in it.
  void append(const Diagnostics &found) {
    for (const Diagnostic &diagnostic : found.all()) {
      const auto &all = diagnostics_.all();
      bool isKnown = std::any_of(all.begin(), all.end(), [&](const Diagnostic &known) {
        return known.kind == diagnostic.kind && known.location == diagnostic.location &&
               known.message == diagnostic.message;
      });
      if (isKnown)
        continue;
      Diagnostic &copy =
          diagnostics_.report(diagnostic.kind, diagnostic.location, diagnostic.message);
      copy.notes = diagnostic.notes;
      copy.hint = diagnostic.hint;
    }
  }

  /// Reads the library and the file with what it imports; null where that is impossible.
  const LoadedFile *open(File tree) {
    FileId id = tree.id;
    given_ = std::make_unique<File>(std::move(tree));
    return open(id);
  }

  const LoadedFile *open(FileId main) {
    apr::Function unused;
    members_ = std::make_unique<FunctionContext>(FunctionContext::Purpose::Members,
                                                 std::move(unused), tables_);
    elaborator_.setContext(members_.get());
    library_ = elaborator_.newScope(nullptr);
    for (const EmbeddedFile &file : embeddedLibrary()) {
      FileId id = sources_.add(fmt::format("<std>/{}", file.name), std::string(file.text));
      define(parseFile(id), *library_, Hiding::Allowed);
    }
    return load(main, {});
  }

  const File &parseFile(FileId id) {
    if (given_ && given_->id == id) {
      files_.push_back(std::move(given_));
      return *files_.back();
    }
    files_.push_back(std::make_unique<File>(parse(sources_, id, diagnostics_)));
    return *files_.back();
  }

  LoadedFile *load(FileId id, Location importedAt) {
    auto known = loaded_.find(sources_.name(id));
    if (known != loaded_.end()) {
      if (known->second.isOpen) {
        diagnostics_.report(
            DiagnosticKind::ImportCycle, importedAt,
            fmt::format("'{}' imports itself, through other files or directly", sources_.name(id)));
        return nullptr;
      }
      return &known->second;
    }
    if (sources_.text(id).size() > kMaximumFileBytes || loaded_.size() > kMaximumImportedFiles) {
      diagnostics_.report(DiagnosticKind::TooLarge, importedAt,
                          fmt::format("'{}' is larger than {} bytes, or one file too many",
                                      sources_.name(id), kMaximumFileBytes));
      return nullptr;
    }
    const File &file = parseFile(id);
    LoadedFile &entry = loaded_[sources_.name(id)];
    entry.syntax = &file;
    entry.scope = elaborator_.newScope(library_);
    for (const Item &item : file.items)
      if (auto *import = item.as<Import>())
        resolve(*import, id, *entry.scope);
    define(file, *entry.scope, Hiding::Warned);
    entry.isOpen = false;
    return &entry;
  }

  void resolve(const Import &import, FileId importer, Scope &scope) {
    auto poison = [&] {
      for (const Name &name : import.names)
        scope.names[name.text] = PoisonValue{};
    };
    std::optional<FileId> id;
    if (options_.resolveImport)
      id = options_.resolveImport(sources_.name(importer), import.path);
    if (!id) {
      diagnostics_
          .report(DiagnosticKind::ImportFailed, import.pathLocation,
                  fmt::format("cannot read '{}'", import.path))
          .withHint("the path counts from the folder of this file");
      return poison();
    }
    LoadedFile *file = load(*id, import.pathLocation);
    if (!file)
      return poison();
    for (const Name &name : import.names) {
      Value *value = file->scope->findHere(name.text);
      if (value) {
        scope.names[name.text] = *value;
        continue;
      }
      std::vector<std::string> candidates;
      for (const auto &[known, unused] : file->scope->names)
        candidates.push_back(known);
      auto closest = closestName(name.text, candidates);
      diagnostics_
          .report(DiagnosticKind::UnknownName, name.location,
                  fmt::format("'{}' has no '{}'", import.path, name.text))
          .withHint(closest ? fmt::format("did you mean '{}'?", *closest) : std::string());
      scope.names[name.text] = PoisonValue{};
    }
  }

  /// Enters a file's items into its scope; constants come last, as they may use everything else.
  void define(const File &file, Scope &scope, Hiding hiding) {
    auto add = [&](const Name &name, Value value) {
      checkName(name, scope, hiding);
      scope.names[name.text] = std::move(value);
    };
    for (const Item &item : file.items) {
      if (auto *function = item.as<FunctionDecl>()) {
        FunctionValue value{function, &scope, nullptr};
        Value *known = scope.findHere(function->name);
        if (known && known->is<FunctionsValue>()) {
          known->as<FunctionsValue>()->overloads.push_back(value);
          continue;
        }
        add({function->name, function->location}, FunctionsValue{function->name, {value}});
      } else if (auto *layer = item.as<Layer>()) {
        add(layer->name, LayerValue{layer, &scope});
      } else if (auto *optimizer = item.as<Optimizer>()) {
        add(optimizer->name, OptimizerValue{optimizer, &scope});
      }
    }
    for (const Item &item : file.items) {
      auto *binding = item.as<Binding>();
      if (!binding)
        continue;
      try {
        Value value = elaborator_.evaluate(*binding->value, scope);
        add(binding->name, std::move(value));
      } catch (const Failed &) {
        add(binding->name, PoisonValue{});
      }
    }
  }

  void checkName(const Name &name, Scope &scope, Hiding hiding) {
    if (scope.findHere(name.text))
      diagnostics_.report(DiagnosticKind::DuplicateName, name.location,
                          fmt::format("'{}' is defined twice", name.text));
    else if (hiding == Hiding::Warned &&
             (library_->findHere(name.text) || Elaborator::findBuiltin(name.text)))
      diagnostics_.report(DiagnosticKind::HiddenName, name.location,
                          fmt::format("'{}' hides the library's '{}'", name.text, name.text));
  }

  const Layer *chooseModel(const File &file) {
    std::vector<const Layer *> models;
    for (const Item &item : file.items)
      if (auto *layer = item.as<Layer>(); layer && layer->isModel)
        models.push_back(layer);
    std::vector<std::string> names;
    for (const Layer *model : models) {
      if (model->name.text == options_.model)
        return model;
      names.push_back(model->name.text);
    }
    Location begin{file.id, 1, 1, 1};
    std::string list = fmt::format("{}", fmt::join(names, ", "));
    if (models.size() == 1 && options_.model.empty())
      return models.front();
    if (diagnostics_.hasErrors())
      return nullptr;
    if (models.empty())
      diagnostics_.report(DiagnosticKind::NoModel, begin, "the file defines no model")
          .withHint("'model Name { … }' is what a program compiles");
    else if (options_.model.empty())
      diagnostics_
          .report(DiagnosticKind::NoModel, models[1]->location,
                  fmt::format("the file defines more than one model: {}", list))
          .withHint("name the one to compile");
    else
      diagnostics_.report(DiagnosticKind::NoModel, begin,
                          fmt::format("the file defines no model '{}'; it has {}", options_.model,
                                      names.empty() ? "none" : list));
    return nullptr;
  }

  FloatEnvironment environment_;
  SourceManager &sources_;
  Diagnostics &diagnostics_;
  const FrontendOptions &options_;
  ModelTables tables_;
  Elaborator elaborator_;
  std::unique_ptr<FunctionContext> members_;
  Scope *library_ = nullptr;
  std::vector<std::unique_ptr<File>> files_;
  std::map<std::string, LoadedFile> loaded_;
  std::unique_ptr<File> given_; ///< the tree of a file without text, until it is loaded
};

} // namespace

std::optional<Module> compileTree(SourceManager &sources, File file, Diagnostics &diagnostics,
                                  const FrontendOptions &options) {
  return Program(sources, diagnostics, options).compile(std::move(file));
}

} // namespace frontend

std::optional<Module> compileModel(SourceManager &sources, FileId file, Diagnostics &diagnostics,
                                   const FrontendOptions &options) {
  return frontend::Program(sources, diagnostics, options).compile(file);
}

std::optional<std::vector<LoweredTest>> lowerTests(SourceManager &sources, FileId file,
                                                   Diagnostics &diagnostics,
                                                   const TestOptions &options) {
  return frontend::Program(sources, diagnostics, options.frontend).lowerTests(file, options);
}

std::string dumpSyntaxTree(const SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  FloatEnvironment environment;
  return frontend::dumpAst(frontend::parse(sources, file, diagnostics));
}

} // namespace apr
