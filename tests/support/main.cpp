// Shared main: doctest, and exit code 77 when something was skipped and nothing failed.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

namespace axmul::test {
extern bool g_skipped;
}

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int result = context.run();
  if (context.shouldExit()) return result;
  return result == 0 && axmul::test::g_skipped ? 77 : result;
}
