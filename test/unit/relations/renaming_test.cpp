// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The names of values are for people: other names give the same IR but for them, and the same
// object, byte by byte.
#include "test/unit/relations/models.h"
#include "test/unit/relations/program.h"
#include "test/unit/relations/random_modules.h"

#include "ir/rewrite.h"
#include "ir/text.h"

#include <gtest/gtest.h>

namespace apr::test {
namespace {

using NewName = std::function<std::string(ValueId, const std::string &)>;

void renameValues(Graph &graph, const NewName &newName) {
  for (ValueId v = 0; v < graph.values().size(); ++v)
    graph.value(v).name = newName(v, graph.value(v).name);
  for (size_t i = 0; i < graph.ops().size(); ++i)
    if (const auto &region = graph.ops()[i].region) {
      auto renamed = std::make_shared<Graph>(*region);
      renameValues(*renamed, newName);
      graph.op(i).region = renamed;
    }
}

Module renamed(Module module, const NewName &newName) {
  for (Function &function : module.functions)
    renameValues(function.graph, newName);
  return module;
}

std::string nameless(const Module &module) {
  return print(renamed(module, [](ValueId, const std::string &) { return std::string(); }));
}

/// Names in another order than the values, and some twice.
std::string scrambled(ValueId v, const std::string &) {
  return "n" + std::to_string((v * 2654435761u) % 97);
}
std::string none(ValueId, const std::string &) { return {}; }

void expectSameIr(const Module &source, const NewName &newName) {
  ASSERT_EQ(nameless(Program(renamed(source, newName), interpreted()).module()),
            nameless(Program(source, interpreted()).module()));
}

TEST(Renaming, ChangesNothingButNames) {
  for (const Model &model : allModels())
    expectSameIr(compile(model), scrambled);
}

TEST(Renaming, ChangesNothingButNamesInRandomModules) {
  forRandomModules(60, 1, [](const fuzz::Generated &generated, uint64_t index) {
    expectSameIr(generated.module, index % 2 ? NewName(scrambled) : NewName(none));
  });
}

TEST(Renaming, ChangesNoByteOfTheObject) {
  Way way = native();
  way.target.level = CodegenLevel::O0; // the rest is LLVM's, which never sees the names
  for (const Model &model : allModels()) {
    const Module source = compile(model);
    const Program plain(source, way);
    ASSERT_FALSE(plain.objectBytes().empty());
    EXPECT_EQ(Program(renamed(source, scrambled), way).objectBytes(), plain.objectBytes())
        << model.name;
  }
}

} // namespace
} // namespace apr::test
