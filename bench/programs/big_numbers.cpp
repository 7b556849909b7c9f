// Arithmetic on immutable big numbers, an allocation a result: the digits of e as a continued
// fraction, and factors by trial division. Small objects of a few sizes that die at once.
#include <memory>
#include <span>

#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

using Limb = std::uint32_t;
using Wide = std::uint64_t;

class Number {
 public:
  static Number of(Limb value) {
    Number result(1);
    result.limbs_[0] = value;
    return result;
  }
  Number(Number&& other) noexcept : count_(other.count_), limbs_(other.limbs_) {
    other.limbs_ = nullptr;
  }
  Number& operator=(Number&& other) noexcept {
    std::swap(count_, other.count_);
    std::swap(limbs_, other.limbs_);
    return *this;
  }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  ~Number() { std::free(limbs_); }

  Number times(Limb factor) const {
    Number result(count_ + 1);
    Wide carry = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      carry += Wide{limbs_[i]} * factor;
      result.limbs_[i] = static_cast<Limb>(carry);
      carry >>= 32;
    }
    result.limbs_[count_] = static_cast<Limb>(carry);
    return result.trimmed();
  }

  Number plus(const Number& other) const {
    const std::size_t longest = std::max(count_, other.count_);
    Number result(longest + 1);
    Wide carry = 0;
    for (std::size_t i = 0; i < longest; ++i) {
      carry += Wide{limb(i)} + other.limb(i);
      result.limbs_[i] = static_cast<Limb>(carry);
      carry >>= 32;
    }
    result.limbs_[longest] = static_cast<Limb>(carry);
    return result.trimmed();
  }

  Number divided(Limb divisor, Limb& rest) const {
    Number result(count_);
    Wide remainder = 0;
    for (std::size_t i = count_; i-- > 0;) {
      remainder = remainder << 32 | limbs_[i];
      result.limbs_[i] = static_cast<Limb>(remainder / divisor);
      remainder %= divisor;
    }
    rest = static_cast<Limb>(remainder);
    return result.trimmed();
  }

  bool is_one() const { return count_ == 1 && limbs_[0] == 1; }
  Limb lowest() const { return limbs_[0]; }

 private:
  explicit Number(std::size_t count)
      : count_(count), limbs_(static_cast<Limb*>(allocate(count * sizeof(Limb)))) {}

  Limb limb(std::size_t i) const { return i < count_ ? limbs_[i] : 0; }
  Number trimmed() {
    while (count_ > 1 && limbs_[count_ - 1] == 0) {
      --count_;
    }
    return std::move(*this);
  }

  std::size_t count_;
  Limb* limbs_;
};

// Convergents of e = [2; 1, 2, 1, 1, 4, 1, …]: h(n) = a(n) h(n-1) + h(n-2).
Limb convergents(unsigned terms) {
  Number last = Number::of(1);
  Number before = Number::of(0);
  for (unsigned n = 0; n < terms; ++n) {
    const Limb term = n == 0 ? 2 : n % 3 == 2 ? 2 * (n / 3 + 1) : 1;
    Number next = last.times(term).plus(before);
    before = std::move(last);
    last = std::move(next);
  }
  return last.lowest();
}

// The smooth part of a product of small numbers, found one division at a time.
Limb factors(unsigned seed) {
  Random random(seed);
  Number product = Number::of(1);
  for (unsigned i = 0; i < 12; ++i) {
    product = product.times(static_cast<Limb>(random.between(2, 200)));
  }
  Limb found = 0;
  for (Limb divisor = 2; !product.is_one(); ++divisor) {
    for (Limb rest = 0;;) {
      Number quotient = product.divided(divisor, rest);
      if (rest != 0) {
        break;
      }
      product = std::move(quotient);
      ++found;
    }
  }
  return found;
}

}  // namespace

int main() {
  Limb check = 0;
  for (unsigned round = 0; round < 3000; ++round) {
    check += convergents(300);
  }
  for (unsigned seed = 0; seed < 60'000; ++seed) {
    check += factors(seed);
  }
  std::printf("%u\n", check);
}
