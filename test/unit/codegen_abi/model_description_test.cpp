// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/header.h"
#include "codegen/model_description.h"
#include "ir/text.h"

#include <gtest/gtest.h>

namespace apr {
namespace {

Module parse(const std::string &text) {
  SourceManager sources;
  Diagnostics diagnostics;
  auto module = parseModule(sources, sources.add("test.apir", text), diagnostics);
  EXPECT_TRUE(module);
  return module ? std::move(*module) : Module();
}

TEST(ModelDescription, ParametersComeInOneOrder) {
  const Module module = parse(R"(module M
state w: f32[4] parameter
hyper step.lr: f64 = 0.5
train step
func @step.grad as grad(step) dims(B) (%x: f32[B,4], %k: f64) state(%w: f32[4]) {
  %s: f32[4] = sum %x {axes = [0]}
  %g: f32[4] = mul %s, %w
  return total = %g
  gradient w = %g
}
)");
  auto model = describeModel(module);
  ASSERT_TRUE(model);
  ASSERT_EQ(model->entries.size(), 1u);
  std::string parameters;
  for (const CParameter &parameter : model->entries[0].parameters)
    parameters += parameter.type + parameter.name + "; ";
  EXPECT_EQ(parameters, "const aprt_exec *exec; const void *state; void *workspace; int64_t B; "
                        "const float *x; double k; const m_hyper *hyper; void *gradients; "
                        "m_grad_out *out; ");
  ASSERT_TRUE(model->entries[0].out);
  EXPECT_EQ(model->entries[0].out->fields[0].type, "float *");
  EXPECT_EQ(model->trainBlocks[0].layout.bytes, 64u);
}

TEST(ModelDescription, NamesThatCollideInCAreAnError) {
  const Module module = parse(R"(module M
func @state_bytes (%x: f32) {
  return x = %x
}
)");
  auto model = describeModel(module);
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().find("m_state_bytes"), std::string::npos) << model.error();
}

TEST(ModelDescription, ArgumentsMayHaveAnyName) {
  const Module module = parse(R"(module M
func @predict dims(state) (%workspace: f32[state], %double: i32) {
  return exec = %workspace
}
)");
  auto model = describeModel(module);
  ASSERT_TRUE(model);
  std::string names;
  for (const CParameter &parameter : model->entries[0].parameters)
    names += parameter.name + " ";
  EXPECT_EQ(names, "exec state workspace state_ workspace_ double_ exec_ ");
}

TEST(Header, CommentsCannotEndEarly) {
  const Module module = parse(R"(doc "a */ b"
module M
)");
  const std::string header = generateHeader(*describeModel(module), "aprc");
  EXPECT_NE(header.find("a * / b"), std::string::npos);
}

} // namespace
} // namespace apr
