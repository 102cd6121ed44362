// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/module_checks.h"
#include "codegen/target.h"
#include "ir/graph.h"

#include <gtest/gtest.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace apr {
namespace {

/// A module with one function, float (float, float), whose value `emit` makes.
template <typename Emit> void checkFunction(Emit emit) {
  llvm::LLVMContext context;
  llvm::Module module("test", context);
  llvm::Type *type = llvm::Type::getFloatTy(context);
  auto *function = llvm::Function::Create(llvm::FunctionType::get(type, {type, type}, false),
                                          llvm::GlobalValue::ExternalLinkage, "f", module);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "entry", function));
  builder.CreateRet(emit(builder, function->getArg(0), function->getArg(1)));
  checkModule(module);
}

void runInCallersEnvironment(llvm::IRBuilder<> &builder) {
  builder.GetInsertBlock()->getParent()->addFnAttr(llvm::Attribute::NoImplicitFloat);
}

TEST(ModuleChecks, AcceptPlainArithmetic) {
  EXPECT_NO_THROW(
      checkFunction([](auto &builder, auto *x, auto *y) { return builder.CreateFAdd(x, y); }));
}

TEST(ModuleChecks, RefuseFastMathFlags) {
  EXPECT_THROW(checkFunction([](auto &builder, auto *x, auto *y) {
                 llvm::FastMathFlags flags;
                 flags.setAllowReassoc();
                 builder.setFastMathFlags(flags);
                 return builder.CreateFAdd(x, y);
               }),
               InternalError);
}

TEST(ModuleChecks, RefuseOperationsThatTargetsMayFuseOrApproximate) {
  EXPECT_THROW(checkFunction([](auto &builder, auto *x, auto *y) {
                 return builder.CreateIntrinsic(x->getType(), llvm::Intrinsic::fmuladd, {x, y, x});
               }),
               InternalError);
  EXPECT_THROW(checkFunction([](auto &builder, auto *x, auto *) {
                 return builder.CreateIntrinsic(x->getType(), llvm::Intrinsic::exp, {x});
               }),
               InternalError);
}

TEST(ModuleChecks, RefuseArithmeticInTheCallersEnvironment) {
  EXPECT_THROW(checkFunction([](auto &builder, auto *x, auto *y) {
                 runInCallersEnvironment(builder);
                 return builder.CreateFMul(x, y);
               }),
               InternalError);
  EXPECT_THROW(checkFunction([](auto &builder, auto *x, auto *) {
                 runInCallersEnvironment(builder);
                 llvm::Value *integer = builder.CreateFPToSI(x, builder.getInt32Ty());
                 return builder.CreateBitCast(integer, x->getType());
               }),
               InternalError);
  EXPECT_NO_THROW(checkFunction([](auto &builder, auto *x, auto *y) {
    runInCallersEnvironment(builder);
    llvm::Value *isNull = builder.CreateIsNull(builder.CreateBitCast(x, builder.getInt32Ty()));
    return builder.CreateSelect(isNull, x, y);
  }));
}

TEST(ModuleChecks, RefuseWhatIsNoObject) {
  EXPECT_THROW(checkObject("not an object"), InternalError);
  EXPECT_THROW(checkObject(""), InternalError);
}

TEST(Target, KnowsItsLevels) {
  for (const CpuLevel &level : supportedCpus()) {
    TargetOptions options;
    options.triple = std::string(level.architecture) + "-unknown-linux-gnu";
    options.cpu = level.name;
    auto target = Target::create(options);
    ASSERT_TRUE(target) << target.error();
    EXPECT_EQ(target->cpu(), level.name);
    EXPECT_FALSE(target->kernels().scalarOnly);
  }
}

TEST(Target, ScalarAtO0) {
  TargetOptions options;
  options.level = CodegenLevel::O0;
  auto target = Target::create(options);
  ASSERT_TRUE(target) << target.error();
  EXPECT_TRUE(target->kernels().scalarOnly);
}

TEST(Target, SaysWhatItCannotCompileFor) {
  auto errorOf = [](std::string triple, std::string cpu) {
    TargetOptions options;
    options.triple = std::move(triple);
    options.cpu = std::move(cpu);
    auto target = Target::create(options);
    return target ? std::string() : target.error();
  };
  EXPECT_NE(errorOf("vax-dec-vms", "").find("unsupported target"), std::string::npos);
  EXPECT_NE(errorOf("x86_64-linux-gnu", "i486").find("known are x86-64-v2"), std::string::npos);
  EXPECT_NE(errorOf("x86_64-apple-darwin", "").find("ELF"), std::string::npos);
}

} // namespace
} // namespace apr
