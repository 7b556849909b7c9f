// Objects that die far from home, in batches as in xmalloc-test. symmetric: every thread allocates
// and frees what others allocated. asymmetric: half of the threads allocate, half free.
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

constexpr std::size_t batch_objects = 4096 / sizeof(void*);
constexpr std::size_t batches_waiting_max = 100;
constexpr std::size_t objects_in_all = 24'000'000;

struct Batch {
  std::size_t count = 0;
  void* objects[batch_objects];
};

class Queue {
 public:
  void push(std::unique_ptr<Batch> batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return batches_.size() < batches_waiting_max; });
    batches_.push_back(std::move(batch));
    changed_.notify_all();
  }
  // Null once all is sent and taken.
  std::unique_ptr<Batch> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !batches_.empty() || closed_; });
    return take_first();
  }
  // No wait: a thread that also produces must not sleep on an empty queue.
  std::unique_ptr<Batch> pop_if_any() {
    const std::lock_guard lock(mutex_);
    return take_first();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  // The lock is held.
  std::unique_ptr<Batch> take_first() {
    if (batches_.empty()) {
      return nullptr;
    }
    auto batch = std::move(batches_.front());
    batches_.pop_front();
    changed_.notify_all();
    return batch;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Batch>> batches_;
  bool closed_ = false;
};

std::unique_ptr<Batch> produce(Random& random) {
  auto batch = std::make_unique<Batch>();
  for (void*& object : batch->objects) {
    object = allocate(random.between(8, 256));
  }
  batch->count = batch_objects;
  return batch;
}

void consume(const Batch& batch) {
  for (std::size_t i = 0; i < batch.count; ++i) {
    std::free(batch.objects[i]);
  }
}

void run_symmetric(Queue& queue, unsigned threads) {
  const std::size_t batches = objects_in_all / batch_objects / threads;
  in_parallel(threads, [&](unsigned thread) {
    Random random(thread);
    for (std::size_t i = 0; i < batches; ++i) {
      auto own = produce(random);
      if (const auto other = queue.pop_if_any()) {
        consume(*other);
      }
      queue.push(std::move(own));
    }
  });
  queue.close();
  while (const auto batch = queue.pop()) {
    consume(*batch);
  }
}

void run_asymmetric(Queue& queue, unsigned threads) {
  const unsigned pairs = std::max(1U, threads / 2);
  const std::size_t batches = objects_in_all / batch_objects / pairs;
  std::vector<std::jthread> consumers;
  consumers.reserve(pairs);
  for (unsigned i = 0; i < pairs; ++i) {
    consumers.emplace_back([&] {
      while (const auto batch = queue.pop()) {
        consume(*batch);
      }
    });
  }
  in_parallel(pairs, [&](unsigned thread) {
    Random random(thread);
    for (std::size_t i = 0; i < batches; ++i) {
      queue.push(produce(random));
    }
  });
  queue.close();
}

}  // namespace

int main(int argc, char** argv) {
  Queue queue;
  if (is_first_mode(argc, argv, "symmetric", "asymmetric")) {
    run_symmetric(queue, workers());
  } else {
    run_asymmetric(queue, workers());
  }
}
