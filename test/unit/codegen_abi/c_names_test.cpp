// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/c_names.h"

#include <gtest/gtest.h>

namespace apr {
namespace {

Function functionOf(FunctionKind kind, std::string name, std::string block = {}) {
  Function function;
  function.kind = kind;
  function.name = std::move(name);
  function.trainBlock = std::move(block);
  return function;
}

TEST(CNames, PrefixesAreSnakeCase) {
  EXPECT_EQ(symbolPrefix("Digits"), "digits");
  EXPECT_EQ(symbolPrefix("NoisyLine"), "noisy_line");
  EXPECT_EQ(symbolPrefix("MLP"), "mlp");
  EXPECT_EQ(symbolPrefix("MLPNet2"), "mlp_net2");
  EXPECT_EQ(symbolPrefix("LeNet"), "le_net");
  EXPECT_EQ(symbolPrefix("already_snake"), "already_snake");
  EXPECT_EQ(symbolPrefix("Two_Words"), "two_words");
  EXPECT_EQ(symbolPrefix(std::string_view("MLPs").substr(0, 3)), "mlp"); // what follows is not seen
  EXPECT_EQ(symbolPrefix(""), "model");
  EXPECT_EQ(symbolPrefix("Int"), "int_");
  EXPECT_EQ(symbolPrefix("3d"), "_3d");
}

TEST(CNames, FunctionsOfTheBlockStepHaveShortNames) {
  EXPECT_EQ(functionSymbol("m", functionOf(FunctionKind::Init, "init")), "m_init");
  EXPECT_EQ(functionSymbol("m", functionOf(FunctionKind::Step, "step", "step")), "m_step");
  EXPECT_EQ(functionSymbol("m", functionOf(FunctionKind::Grad, "step.grad", "step")), "m_grad");
  EXPECT_EQ(functionSymbol("m", functionOf(FunctionKind::Apply, "step.apply", "step")), "m_apply");
  EXPECT_EQ(functionSymbol("m", functionOf(FunctionKind::Eval, "step.eval", "step")), "m_eval");
  EXPECT_EQ(functionSymbol("m", functionOf(FunctionKind::Entry, "predict")), "m_predict");
}

TEST(CNames, FunctionsOfOtherBlocksCarryItsName) {
  EXPECT_EQ(functionSymbol("m", functionOf(FunctionKind::Step, "gan", "gan")), "m_gan");
  EXPECT_EQ(functionSymbol("m", functionOf(FunctionKind::Grad, "gan.grad", "gan")), "m_gan_grad");
  EXPECT_EQ(trainBlockInfix("step"), "");
  EXPECT_EQ(trainBlockInfix("gan"), "_gan");
}

TEST(CNames, IdentifiersAreValidInCAndCxx) {
  EXPECT_EQ(cIdentifier("fc1.weight"), "fc1_weight");
  EXPECT_EQ(cIdentifier("class"), "class_");
  EXPECT_EQ(cIdentifier("register"), "register_");
  EXPECT_EQ(cIdentifier("0"), "_0");
  EXPECT_EQ(cIdentifier(""), "_");
  EXPECT_EQ(cIdentifier("caf\xc3\xa9"), "caf__");
}

TEST(CNames, UniqueNamesGrowUnderscores) {
  UniqueNames names;
  EXPECT_EQ(names.claim("a.b"), "a_b");
  EXPECT_EQ(names.claim("a_b"), "a_b_");
  EXPECT_EQ(names.claim("a b"), "a_b__");
}

} // namespace
} // namespace apr
