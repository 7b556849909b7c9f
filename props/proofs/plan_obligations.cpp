#include "props/proofs/proof.hpp"
namespace strata::prove {
std::vector<Obligation> plan_obligations() { return {}; }
}
