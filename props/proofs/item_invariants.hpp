// What must hold of the books of a bin of items that are right: invariants/validate_region.hpp, as
// terms. Counts are the sizes of the sets that they count.
#pragma once

#include "props/proofs/heap_view.hpp"

namespace strata::prove {

// What the invariants speak of and no record says: which one is empty (if the bin counts one), and
// which chunks somebody holds outside the books.
struct Ghosts {
  Place empty_region, empty_chunk;
  std::function<Term(const Place&)> is_held;
};

class ItemInvariants {
 public:
  explicit ItemInvariants(const HeapView& heap) : heap_(heap) {}

  // Any values, for the first state.
  Ghosts ghosts() const;

  Statements all(const Memory& memory, const Ghosts& ghosts, const Place& at) const;

  // In the first state, at these places and those of the ghosts.
  void assume_at(const Ghosts& ghosts, const std::vector<Place>& places) const;
  // In the first state of the regions that the code looked at, and what is true of any state.
  void assume_where_read(const End& end, const Ghosts& ghosts,
                         const std::vector<Place>& places) const;
  // In the first state of the chunks that it looked at: for code that finds them itself.
  void assume_chunks_read(const End& end, const Ghosts& ghosts) const;

  // --- Parts of it, for claims
  Term is_empty_region(const Memory& memory, const Place& at) const;
  Term is_empty_chunk(const Memory& memory, const Place& at) const;
  Term is_free(const Memory& memory, const Place& at) const {
    return heap_.free_chunks(at.slot).is_member(memory, Place::index(at.chunk));
  }
  Term is_partial(const Memory& memory, const Place& at) const {
    return heap_.partial_chunks(at.slot).is_member(memory, Place::index(at.chunk));
  }
  Term is_free_item(const Memory& memory, const Place& at) const {
    return heap_.items(at).is_member(memory, Place::index(at.item));
  }
  Term is_writable(const Memory& memory, const Place& at) const {
    return z3::ult(at.chunk, z3::zext(heap_.region(memory, "writable", at.slot), 48));
  }
  // The item exists, its chunk is in use and not in somebody's hands, and nobody has it back.
  Term is_used(const Memory& memory, const Ghosts& ghosts, const Place& at) const;
  // The pages that the item touches, as bits.
  Term pages(const Place& at) const;
  // Those that a purger holds only with the item in its hands: of a chunk's last item, the pages
  // behind it too.
  Term held_with(const Place& at) const;
  // Bytes of the chunk's dirty pages.
  Term dirty_bytes(const Memory& memory, const Place& at) const;

 private:
  void assume_chunk(const Memory& memory, const Ghosts& ghosts, const Place& at) const;
  void assume_regions_counted(const Memory& memory, const Place& at) const;
  void assume_disjoint(const Memory& memory, const Place& at) const;
  void assume_sizes(const Memory& memory, const Place& at) const;
  Statements region(const Memory& memory, const Ghosts& ghosts, const Place& at) const;
  Statements chunk(const Memory& memory, const Ghosts& ghosts, const Place& at) const;
  Statements item(const Memory& memory, const Ghosts& ghosts, const Place& at) const;

  const HeapView& heap_;
};

}  // namespace strata::prove
