// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The only unit that sees LLVM's just-in-time linker: its headers are slow to compile.
#include "tools/aprun/jit.h"

#include "runtime/train/error.h"

#include <fmt/format.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>

#include <vector>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

Error failure(const std::string &name, llvm::Error error) {
  return Error(ErrorKind::Data, {name},
               fmt::format("cannot link the object: {}", llvm::toString(std::move(error))));
}

template <class T> T take(llvm::Expected<T> value, const std::string &name) {
  if (!value)
    throw failure(name, value.takeError());
  return std::move(*value);
}

void check(llvm::Error error, const std::string &name) {
  if (error)
    throw failure(name, std::move(error));
}

std::string modelSymbol(const llvm::MemoryBuffer &buffer, const std::string &name) {
  const auto object = take(llvm::object::ObjectFile::createObjectFile(buffer), name);
  std::vector<std::string> found;
  for (const llvm::object::SymbolRef &symbol : object->symbols()) {
    const std::uint32_t flags = take(symbol.getFlags(), name);
    if ((flags & llvm::object::SymbolRef::SF_Undefined) ||
        !(flags & llvm::object::SymbolRef::SF_Global))
      continue;
    const llvm::StringRef text = take(symbol.getName(), name);
    if (text.ends_with("_model"))
      found.push_back(text.str());
  }
  if (found.size() != 1)
    throw Error(ErrorKind::Data, {name},
                fmt::format("expected one reflection function NAME_model in the object, found {}",
                            found.size()));
  return found.front();
}

class LinkedByJit : public LinkedObject {
public:
  LinkedByJit(std::string bytes, const std::string &name) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto buffer = llvm::MemoryBuffer::getMemBufferCopy(bytes, name);
    const std::string symbol = modelSymbol(*buffer, name);
    jit_ = take(llvm::orc::LLJITBuilder().create(), name);
    check(jit_->addObjectFile(std::move(buffer)), name);
    const auto address = take(jit_->lookup(symbol), name);
    table_ = address.toPtr<const aprt_model *()>()();
    if (!table_)
      throw Error(ErrorKind::Data, {name}, fmt::format("{} returns no table", symbol));
  }

  const aprt_model &model() const override { return *table_; }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit_;
  const aprt_model *table_ = nullptr;
};

} // namespace

std::unique_ptr<LinkedObject> linkObject(std::string bytes, const std::string &name) {
  return std::make_unique<LinkedByJit>(std::move(bytes), name);
}

} // namespace apr::aprun
