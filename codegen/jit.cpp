// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The only unit that sees LLVM's just-in-time linker: its headers are slow to compile.
#include "codegen/jit.h"

#include <fmt/format.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>

#include <vector>

namespace apr {
namespace {

/// Ends an attempt to link; thrown and caught in this file, never through LLVM.
struct LinkFailure {
  std::string message;
};

template <class T> T take(llvm::Expected<T> value) {
  if (!value)
    throw LinkFailure{llvm::toString(value.takeError())};
  return std::move(*value);
}

std::string modelSymbol(const llvm::MemoryBuffer &buffer) {
  const auto object = take(llvm::object::ObjectFile::createObjectFile(buffer));
  std::vector<std::string> found;
  for (const llvm::object::SymbolRef &symbol : object->symbols()) {
    const uint32_t flags = take(symbol.getFlags());
    if ((flags & llvm::object::SymbolRef::SF_Undefined) ||
        !(flags & llvm::object::SymbolRef::SF_Global))
      continue;
    const llvm::StringRef text = take(symbol.getName());
    if (text.ends_with("_model"))
      found.push_back(text.str());
  }
  if (found.size() != 1)
    throw LinkFailure{
        fmt::format("expected one reflection function NAME_model, found {}", found.size())};
  return found.front();
}

class LinkedByJit : public LinkedObject {
public:
  LinkedByJit(const std::string &bytes, const std::string &name) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto buffer = llvm::MemoryBuffer::getMemBufferCopy(bytes, name);
    const std::string symbol = modelSymbol(*buffer);
    jit_ = take(llvm::orc::LLJITBuilder().create());
    if (llvm::Error error = jit_->addObjectFile(std::move(buffer)))
      throw LinkFailure{llvm::toString(std::move(error))};
    const auto address = take(jit_->lookup(symbol));
    model_ = address.toPtr<const aprt_model *()>()();
    if (!model_)
      throw LinkFailure{symbol + " returns no table"};
  }

  const aprt_model &model() const override { return *model_; }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit_;
  const aprt_model *model_ = nullptr;
};

} // namespace

Result<std::unique_ptr<LinkedObject>> linkObject(const std::string &bytes,
                                                 const std::string &name) {
  try {
    return std::unique_ptr<LinkedObject>(std::make_unique<LinkedByJit>(bytes, name));
  } catch (const LinkFailure &failure) {
    return Error{"cannot link the object: " + failure.message};
  }
}

} // namespace apr
