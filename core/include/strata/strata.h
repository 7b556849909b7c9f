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

/* The limits that strata keeps in this process, and where it stands. See strata_bounds_now. */
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

/* Fills *bounds; with zeros if no address space could be reserved, so that every malloc fails.
 * O(address space): it walks the region records, while other threads' misses wait. */
void strata_bounds_now(struct strata_bounds* bounds);

/* Gives all free memory back to the system now, the calling thread's magazines included. What stays:
 * what other threads' magazines hold, what the program has locked (mlock), and pages behind the last
 * item of a chunk of 5 or 6 KiB items that is in use. What the system refuses to take stays, too, and
 * nothing is said of it. O(free memory, and chunks that are partly in use). */
void strata_purge(void);

/* Recomputes every invariant of the book-keeping. Returns 1: if one does not hold, that is reported
 * and the process aborted. Other threads' misses wait meanwhile. O(memory in use). */
int strata_validate(void);

#ifdef __cplusplus
}
#endif

#endif
