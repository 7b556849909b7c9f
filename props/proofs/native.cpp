#include "props/proofs/native.hpp"

#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/Target.h>

#include <stdexcept>

namespace strata::prove {
namespace {

unsigned bits_of(LLVMTypeRef type) {
  return LLVMGetTypeKind(type) == LLVMIntegerTypeKind ? LLVMGetIntTypeWidth(type) : 0;
}

bool is_plain(LLVMTypeRef type) {
  const LLVMTypeKind kind = LLVMGetTypeKind(type);
  return kind == LLVMIntegerTypeKind || kind == LLVMPointerTypeKind;
}

bool can_be_called(LLVMValueRef function, LLVMTypeRef type) {
  const LLVMTypeRef result = LLVMGetReturnType(type);
  bool plain = LLVMGetTypeKind(result) == LLVMVoidTypeKind || is_plain(result);
  for (LLVMValueRef at = LLVMGetFirstParam(function); at != nullptr; at = LLVMGetNextParam(at)) {
    plain = plain && is_plain(LLVMTypeOf(at));
  }
  return plain && LLVMIsDeclaration(function) == 0 &&
         LLVMGetLinkage(function) == LLVMExternalLinkage;
}

}  // namespace

// Every call goes through void wrapper(const Word* arguments, Word* result).
void Native::wrap(LLVMModuleRef module, LLVMValueRef function) {
  LLVMContextRef context = LLVMGetModuleContext(module);
  const LLVMTypeRef type = LLVMGlobalGetValueType(function);
  const LLVMTypeRef word = LLVMInt64TypeInContext(context);
  const LLVMTypeRef pointer = LLVMPointerTypeInContext(context, 0);
  LLVMTypeRef parameters[] = {pointer, pointer};
  const LLVMTypeRef wrapper_type =
      LLVMFunctionType(LLVMVoidTypeInContext(context), parameters, 2, 0);
  std::size_t length = 0;
  Function made{LLVMGetValueName2(function, &length), {}, bits_of(LLVMGetReturnType(type))};
  LLVMValueRef wrapper = LLVMAddFunction(module, ("call " + made.name).c_str(), wrapper_type);
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(context);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(context, wrapper, ""));
  std::vector<LLVMValueRef> arguments;
  for (LLVMValueRef at = LLVMGetFirstParam(function); at != nullptr; at = LLVMGetNextParam(at)) {
    LLVMValueRef index = LLVMConstInt(word, arguments.size(), 0);
    LLVMValueRef from = LLVMBuildGEP2(builder, word, LLVMGetParam(wrapper, 0), &index, 1, "");
    LLVMValueRef loaded = LLVMBuildLoad2(builder, word, from, "");
    const unsigned bits = bits_of(LLVMTypeOf(at));
    arguments.push_back(bits == 0 ? LLVMBuildIntToPtr(builder, loaded, pointer, "")
                                  : LLVMBuildTruncOrBitCast(builder, loaded, LLVMTypeOf(at), ""));
    made.bits.push_back(bits);
  }
  LLVMValueRef result = LLVMBuildCall2(builder, type, function, arguments.data(),
                                       static_cast<unsigned>(arguments.size()), "");
  LLVMSetInstructionCallConv(result, LLVMGetFunctionCallConv(function));
  if (made.result_bits != 0) {
    LLVMBuildStore(builder, LLVMBuildZExtOrBitCast(builder, result, word, ""),
                   LLVMGetParam(wrapper, 1));
  }
  LLVMBuildRetVoid(builder);
  LLVMDisposeBuilder(builder);
  functions_.push_back(std::move(made));
}

Native::Native(const std::string& bitcode_file) {
  LLVMInitializeNativeTarget();
  LLVMInitializeNativeAsmPrinter();
  LLVMLinkInMCJIT();
  LLVMMemoryBufferRef buffer = nullptr;
  LLVMModuleRef module = nullptr;
  char* message = nullptr;
  if (LLVMCreateMemoryBufferWithContentsOfFile(bitcode_file.c_str(), &buffer, &message) != 0 ||
      LLVMParseIRInContext(LLVMGetGlobalContext(), buffer, &module, &message) != 0) {
    throw std::runtime_error(bitcode_file + ": " + message);
  }
  std::vector<LLVMValueRef> found;
  for (LLVMValueRef at = LLVMGetFirstFunction(module); at != nullptr;
       at = LLVMGetNextFunction(at)) {
    if (can_be_called(at, LLVMGlobalGetValueType(at))) {
      found.push_back(at);
    }
  }
  for (LLVMValueRef function : found) {
    wrap(module, function);
  }
  LLVMExecutionEngineRef engine = nullptr;
  if (LLVMCreateMCJITCompilerForModule(&engine, module, nullptr, 0, &message) != 0) {
    throw std::runtime_error(std::string("no native code: ") + message);
  }
  engine_.reset(engine);
}

Word Native::call(const Function& function, const std::vector<Word>& arguments) const {
  using Wrapper = void (*)(const Word*, Word*);
  const std::uint64_t address =
      LLVMGetFunctionAddress(engine_.get(), ("call " + function.name).c_str());
  Word result = 0;
  reinterpret_cast<Wrapper>(address)(arguments.data(), &result);
  return result;
}

}  // namespace strata::prove
