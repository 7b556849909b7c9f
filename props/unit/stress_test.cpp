// Threads that allocate, fill, hand over and free each other's memory; run under TSan as well.
#include <array>
#include <cstring>
#include <random>
#include <thread>

#include "props/unit/room.hpp"

namespace strata::check {
namespace {

constexpr int threads = 4;
constexpr int rounds = 30'000;

struct Object {
  std::uint64_t size;
  std::uint64_t stamp;  // of every word that follows; plain data carried through the item
};

// Where one thread leaves objects for another.
class Mailbox {
 public:
  Object* swap(Object* object) { return box_.exchange(object, std::memory_order_acq_rel); }

 private:
  std::atomic<Object*> box_{nullptr};
};

std::uint64_t pick_size(std::mt19937_64& random) {
  const std::uint64_t shift = random() % 1000 == 0 ? 14 + random() % 10 : 4 + random() % 9;
  return sizeof(Object) + random() % (std::uint64_t{1} << shift);
}

template <class Plan>
class Worker {
 public:
  Worker(RealAllocator<Plan>& allocator, std::array<Mailbox, 64>& boxes, unsigned seed)
      : allocator_(allocator), boxes_(boxes), random_(seed) {}

  void run() {
    cache_ = allocator_.attach();
    for (int round = 0; round < rounds; ++round) {
      Object* const got = boxes_[random_() % boxes_.size()].swap(make());
      if (got != nullptr) {
        check_and_free(got);
      }
      if (round % 4096 == 4095) {  // a thread ends and another begins
        allocator_.detach(cache_);
        cache_ = allocator_.attach();
      }
      if (round % 8192 == 8191) {
        allocator_.purge(cache_);
      }
    }
    allocator_.detach(cache_);
  }

 private:
  Object* make() {
    const std::uint64_t size = pick_size(random_);
    const Address address = allocator_.allocate(cache_, size);
    EXPECT_NE(address, 0U);
    auto* const object = reinterpret_cast<Object*>(address);
    object->size = size;
    object->stamp = random_();
    fill(object);
    return object;
  }
  static std::size_t words(const Object* object) {
    return std::min<std::size_t>(object->size - sizeof(Object), 256) / sizeof(std::uint64_t);
  }
  static void fill(Object* object) {
    auto* const body = reinterpret_cast<std::uint64_t*>(object + 1);
    for (std::size_t i = 0; i < words(object); ++i) {
      body[i] = object->stamp;
    }
  }
  void check_and_free(Object* object) {
    const auto* const body = reinterpret_cast<const std::uint64_t*>(object + 1);
    for (std::size_t i = 0; i < words(object); ++i) {
      ASSERT_EQ(body[i], object->stamp);
    }
    allocator_.deallocate(cache_, reinterpret_cast<Address>(object));
  }

  RealAllocator<Plan>& allocator_;
  std::array<Mailbox, 64>& boxes_;
  std::mt19937_64 random_;
  typename RealAllocator<Plan>::Cache* cache_ = nullptr;
};

template <class Plan>
void stress(std::uint32_t segments) {
  Room<Plan> room(segments);
  std::array<Mailbox, 64> boxes;
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < threads; ++i) {
    workers.emplace_back([&, i] { Worker<Plan>(room.allocator(), boxes, i + 1).run(); });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(room->validate(Quiet::no));
    std::this_thread::yield();
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  for (Mailbox& box : boxes) {
    room.deallocate(box.swap(nullptr));
  }
  room->purge(room.cache());
  // Nothing is left but the one empty chunk that each bin may keep.
  EXPECT_LE(room->bounds().live_bytes, Plan::item_classes * Plan::chunk_bytes);
}

TEST(Stress, Pow2) { stress<plan::Pow2>(256); }
TEST(Stress, Quarter) { stress<plan::Quarter>(256); }
TEST(Stress, SmallSpace) { stress<plan::Pow2>(1); }

}  // namespace
}  // namespace strata::check
