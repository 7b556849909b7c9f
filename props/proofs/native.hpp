// The same intermediate code, compiled to machine code by LLVM and run natively: what the machine's
// own test compares it with.
#pragma once

#include <llvm-c/ExecutionEngine.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace strata::prove {

// An argument or a result: a number, or the address of memory.
using Word = std::uint64_t;

class Native {
 public:
  explicit Native(const std::string& bitcode_file);

  struct Function {
    std::string name;
    std::vector<unsigned> bits;  // of each parameter; 0: a pointer
    unsigned result_bits;        // 0: none
  };
  // Those with a body and C linkage whose parameters and result are numbers and pointers.
  const std::vector<Function>& functions() const { return functions_; }

  Word call(const Function& function, const std::vector<Word>& arguments) const;

 private:
  struct DisposeEngine {
    void operator()(LLVMExecutionEngineRef engine) const { LLVMDisposeExecutionEngine(engine); }
  };
  void wrap(LLVMModuleRef module, LLVMValueRef function);

  std::vector<Function> functions_;
  std::unique_ptr<LLVMOpaqueExecutionEngine, DisposeEngine> engine_;
};

}  // namespace strata::prove
