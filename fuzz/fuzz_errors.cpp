// Bad frees between good ones, on two heaps: wild, interior, double, of the other heap's pointers.
// Each is reported once, names the pointer, and leaves the books of both heaps byte for byte alone.

#include <algorithm>
#include <memory>
#include <vector>

#include "props/support/byte_reader.hpp"
#include "props/support/driver.hpp"
#include "props/support/plans.hpp"

namespace {

using namespace strata;
using namespace strata::check;

using Heap = ScriptedHeap<Small>;

class Side {
 public:
  explicit Side(std::uint64_t place) {
    allocator_->heap().memory.heap_place = place;
    require(allocator_->open(2), "open failed");
    allocator_->heap().purge_if_due();  // starts the clock, which then stands still
  }
  ~Side() { allocator_->close(); }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  Address base() { return allocator_->heap().base; }
  bool any() const { return !live_.empty(); }
  Address nth(std::uint64_t k) const { return live_[k % live_.size()]; }
  // Freed, and not allocated again; 0 if there is none.
  Address freed(std::uint64_t k) const { return freed_.empty() ? 0 : freed_[k % freed_.size()]; }

  void allocate(std::uint64_t size) {
    const Address address = allocator_->allocate(dead(), size);
    if (address != 0) {
      const std::uint64_t usable = allocator_->usable_bytes(address);
      require(usable >= size, "{} bytes asked for, {} usable", size, usable);
      for (const Address other : live_) {
        require(address + usable <= other || other + allocator_->usable_bytes(other) <= address,
                "{:#x} overlaps {:#x}", address, other);
      }
      std::erase(freed_, address);
      live_.push_back(address);
    }
  }
  void deallocate(std::uint64_t k) {
    const Address address = nth(k);
    std::erase(live_, address);
    freed_.push_back(address);
    allocator_->deallocate(dead(), address);
    require(reports().empty(), "a good free of {:#x} was reported", address);
  }

  // Nothing lives that starts there.
  bool is_bad(Address address) const {
    return address != 0 && std::ranges::find(live_, address) == live_.end();
  }
  void deallocate_bad(Address address) {
    const World<ScriptedMemory<Small>> world(allocator_->heap().memory);
    const Digest before = world.books_digest();
    allocator_->deallocate(dead(), address);
    require(reports().size() == 1, "bad free of {:#x}: {} reports", address, reports().size());
    require(reports()[0].address == address && reports()[0].problem != Problem::none,
            "bad free of {:#x}: the report is of {:#x}", address, reports()[0].address);
    reports().clear();
    require(world.books_digest() == before, "a bad free of {:#x} changed the books", address);
  }
  void validate() { require(allocator_->validate(Quiet::yes), "validate() says no"); }

 private:
  using Allocator = strata::Allocator<Heap>;
  static Allocator::Cache* dead() { return Allocator::dead(); }
  std::vector<Report>& reports() { return allocator_->heap().hooks.reports; }

  std::unique_ptr<Allocator> allocator_ = std::make_unique<Allocator>();
  std::vector<Address> live_, freed_;
};

Address bad_address(std::uint8_t kind, Side& side, Side& other, ByteReader& in) {
  const std::uint64_t k = in.byte();
  switch (kind % 5) {
    case 0:
      return in.number_of(8);  // anywhere
    case 1:
      return side.base() + in.number_of(2);  // in the heap or just past its end
    case 2:
      return side.any() ? side.nth(k) + in.number_of(2) : 0;
    case 3:
      return side.freed(k);
    default:
      return other.any() ? other.nth(k) : 0;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  set_violation_handler(trap_on_violation);
  Side one(std::uint64_t{1} << 46);
  Side two(std::uint64_t{1} << 45);
  for (ByteReader in({data, size}); !in.at_end();) {
    const std::uint8_t action = in.byte();
    Side& side = (action & 1) != 0 ? two : one;
    Side& other = (action & 1) != 0 ? one : two;
    switch ((action >> 1) % 4) {
      case 0:
        side.allocate(in.number_of(2) >> (action >> 5));
        break;
      case 1:
        if (side.any()) {
          side.deallocate(in.byte());
        }
        break;
      default: {
        const Address address = bad_address(in.byte(), side, other, in);
        if (side.is_bad(address)) {
          side.deallocate_bad(address);
        }
      }
    }
  }
  one.validate();
  two.validate();
  return 0;
}
