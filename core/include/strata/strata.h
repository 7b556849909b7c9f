/* strata's own calls, beside the malloc family that the library replaces. C and C++.
 *
 * All are thread-safe and may be called at any time, but not from a signal handler. */
#ifndef STRATA_STRATA_H
#define STRATA_STRATA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What bounds the process's use of strata holds to. See strata_bounds_now. */
struct strata_bounds {
  uint64_t heap_bytes;         /* address space of the heap, as reserved */
  uint64_t mappings;           /* mappings that the heap's writable prefixes make now; some more in
                                  a forked child, where the kernel merges fewer */
  uint64_t mappings_max;       /* and at most, whatever is allocated and freed */
  uint64_t thread_cache_bytes; /* free memory that one thread's magazines hold at most */
  uint64_t threads_max;        /* threads with magazines; further ones go to the bins */
  uint64_t live_bytes;         /* chunks, blocks and runs in use, bytes */
  uint64_t dirty_bytes;        /* free but not given back to the system, bytes */
};

/* Fills *bounds. O(address space): it walks the region records. */
void strata_bounds_now(struct strata_bounds* bounds);

/* Gives all free memory back to the system now, the calling thread's magazines included. */
void strata_purge(void);

/* Recomputes every invariant of the book-keeping. Returns 1 if all hold; reports the first that
 * does not and aborts otherwise. Other threads wait meanwhile. O(memory in use). */
int strata_validate(void);

#ifdef __cplusplus
}
#endif

#endif
