#include "props/interleave/stage.hpp"

#include <algorithm>
#include <cstring>

template class strata::Allocator<strata::check::Stage::Heap>;
template class strata::Allocator<strata::check::ShardedStage::Heap>;

namespace strata::check {

namespace {

std::byte* bytes_of(const StageObject& object) {
  return reinterpret_cast<std::byte*>(object.address);
}

}  // namespace

template <class Plan>
void BasicStage<Plan>::prepare(std::uint32_t segments) {
  if (!finished_) {
    // An execution that failed left it with locks held: it cannot even be destroyed.
    (void)allocator_.release();
  }
  if (allocator_ == nullptr) {
    allocator_ = std::make_unique<Allocator>();
  }
  finished_ = false;
  stamp_ = 0;
  segments_ = segments;
}

template <class Plan>
void BasicStage<Plan>::open(std::uint32_t segments) {
  prepare(segments);
  require(allocator_->open(segments), "the heap opens");
}

template <class Plan>
void BasicStage<Plan>::validate() {
  require(allocator_->validate(Quiet::yes), "the books are sound");
  require(reports().empty(), "nothing was freed that should not have been");
}

template <class Plan>
void BasicStage<Plan>::finish(std::initializer_list<Cache*> caches) {
  validate();
  for (Cache* cache : caches) {
    allocator_->detach(cache);
  }
  memory().commit_failures = 0;
  const std::uint64_t all = segments_ * segment;
  require(allocator_->allocate(dead(), all) != 0, "all memory can be one run again");
  abandon();
}

template <class Plan>
void BasicStage<Plan>::check_known_zero() {
  std::vector<Address> blocks;
  for (;;) {
    const Allocation block = allocator_->allocate_known(dead(), small_block);
    if (block.address == 0) {
      break;
    }
    require(!block.known_zero || has_bytes({block.address, small_block, 0}), "known zero is zero");
    blocks.push_back(block.address);
  }
  for (const Address block : blocks) {
    allocator_->deallocate(dead(), block);
  }
}

template <class Plan>
bool BasicStage<Plan>::looks_live(Address address) {
  return allocator_->heap().looks_live(address);
}

template <class Plan>
void BasicStage<Plan>::abandon() {
  allocator_->close();
  finished_ = true;
}

template <class Plan>
StageObject BasicStage<Plan>::take(Cache* cache, std::uint64_t size) {
  const Object object = try_take(cache, size);
  require(object.address != 0, "{} bytes are free, yet there was nothing to allocate", size);
  return object;
}

template <class Plan>
StageObject BasicStage<Plan>::try_take(Cache* cache, std::uint64_t size) {
  const Address address = allocator_->allocate(cache, size);
  if (address == 0) {
    return {};
  }
  const Object object{address, size, ++stamp_};
  write(object);
  return object;
}

template <class Plan>
std::uint32_t BasicStage<Plan>::try_take_into(std::vector<Object>& objects, Cache* cache,
                                              std::uint64_t size) {
  const Object object = try_take(cache, size);
  if (object.address == 0) {
    return 0;
  }
  objects.push_back(object);
  return 1;
}

template <class Plan>
void BasicStage<Plan>::give(Cache* cache, Object object) {
  require(has_bytes(object), "{} is as its owner left it", plain_memory().name(bytes_of(object)));
  object.stamp = ++stamp_;
  write(object);
  allocator_->deallocate(cache, object.address);
}

template <class Plan>
std::vector<StageObject> BasicStage<Plan>::take_many(Cache* cache, std::uint64_t size,
                                                     std::uint32_t count) {
  std::vector<Object> objects(count);
  std::generate(objects.begin(), objects.end(), [&] { return take(cache, size); });
  return objects;
}

template <class Plan>
void BasicStage<Plan>::give_all(Cache* cache, const std::vector<Object>& objects) {
  for (const Object& object : objects) {
    give(cache, object);
  }
}

template <class Plan>
std::vector<StageObject> BasicStage<Plan>::take_all(std::uint64_t size) {
  std::vector<Object> objects;
  for (Object object = try_take(dead(), size); object.address != 0;
       object = try_take(dead(), size)) {
    objects.push_back(object);
  }
  return objects;
}

template <class Plan>
void BasicStage<Plan>::write(const Object& object) {
  std::memset(bytes_of(object), object.stamp, object.size);
}

template <class Plan>
bool BasicStage<Plan>::has_bytes(const Object& object) {
  const auto same = [&](std::byte byte) { return byte == std::byte{object.stamp}; };
  return std::all_of(bytes_of(object), bytes_of(object) + object.size, same);
}

template class BasicStage<StagePlan>;
template class BasicStage<ShardedStagePlan>;

}  // namespace strata::check
