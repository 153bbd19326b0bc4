// Uses the installed library: prints the identity of the exact multiplier.
#include <axmul/core/lut.hpp>
#include <cstdio>

int main() {
  const axmul::Lut lut = axmul::Lut::exact(axmul::OperandType::s8s8);
  std::printf("%d %s\n", lut(-3, 5), lut.sha256().c_str());
}
