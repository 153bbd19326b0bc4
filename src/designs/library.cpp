// Which designs the shipped library holds.
#include "designs/registry.hpp"

namespace axmul {

namespace {
constexpr const char* kLibrary[] = {
    "exact",
    "exact(type=s8s8)",
    "truncated(k=4)",
    "broken_array(h=0,v=5)",
};
}  // namespace

std::span<const std::string> library_designs() {
  static const std::vector<std::string> texts(std::begin(kLibrary), std::end(kLibrary));
  return texts;
}

}  // namespace axmul
