// What the entry points of C and of C++ share.
#pragma once

#include <cstddef>

#include "abi/process.hpp"

namespace strata {

// `align_bytes` is a power of two. Null, with errno ENOMEM, on failure.
void* allocate_aligned(std::size_t size_bytes, std::size_t align_bytes) noexcept;

}  // namespace strata
