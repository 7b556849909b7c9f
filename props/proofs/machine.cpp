#include "props/proofs/machine.hpp"

#include <llvm-c/IRReader.h>

#include "props/proofs/run.hpp"

namespace strata::prove {

Machine::Machine(z3::context& context, const std::string& bitcode_file)
    : context_(context), llvm_(LLVMContextCreate()) {
  LLVMMemoryBufferRef buffer = nullptr;
  LLVMModuleRef module = nullptr;
  char* message = nullptr;
  if (LLVMCreateMemoryBufferWithContentsOfFile(bitcode_file.c_str(), &buffer, &message) != 0 ||
      LLVMParseIRInContext(llvm_.get(), buffer, &module, &message) != 0) {
    const std::string why = message;
    LLVMDisposeMessage(message);
    throw std::runtime_error(bitcode_file + ": " + why + "; build the preset prove again");
  }
  module_.reset(module);
}

std::vector<End> Machine::call(const std::string& function, const std::vector<Value>& arguments,
                               const Memory& memory, const std::vector<Term>& assumptions) {
  LLVMValueRef callee = LLVMGetNamedFunction(module_.get(), function.c_str());
  if (callee == nullptr || LLVMIsDeclaration(callee) != 0) {
    throw std::runtime_error("no function " + function + " among the subjects");
  }
  Run run(*this, assumptions);
  return run.all(callee, arguments, memory);
}

int Machine::object_of_global(LLVMValueRef global) {
  const auto [at, is_new] = globals_.emplace(global, next_object_);
  next_object_ += is_new ? 1 : 0;
  return at->second;
}

void Machine::note(LLVMValueRef instruction) {
  if (planted_ == nullptr && seen_.insert(instruction).second) {
    kinds_.insert(kind_of(instruction));
    for (Mutation& mutation : mutations_of(instruction)) {
      mutations_.push_back(std::move(mutation));
    }
  }
}

}  // namespace strata::prove
