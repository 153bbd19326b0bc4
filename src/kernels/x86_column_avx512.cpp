// Column-table micro-kernel for AVX-512BW: one look-up and 32 exact products per 512-bit load-add.
#include <immintrin.h>

#include "kernels/micro.hpp"
#include "kernels/x86_column_rows.hpp"

namespace axmul::detail {

namespace {

struct Vector512 {
  using Type = __m512i;
  typedef uint32_t Wide __attribute__((vector_size(64)));
  static constexpr int kBytes = 64;
  static Type zero() { return _mm512_setzero_si512(); }
  static Type add(Type a, Type b) { return _mm512_add_epi32(a, b); }
  static Type sub(Type a, Type b) { return _mm512_sub_epi32(a, b); }
  static Type upper(Type a) { return (Type)((Wide)a >> 16); }
  static Type shift_left(Type a, uint32_t bits) { return (Type)((Wide)a << bits); }
  static void add_lanes(Type& sum, const unsigned char* entry) {
    sum = _mm512_add_epi16(sum, _mm512_load_si512(reinterpret_cast<const Type*>(entry)));
    // No code, but it keeps the compiler from regrouping additions, which parts them from loads.
    asm("" : "+v"(sum));
  }
  static void add_to(int32_t* y, Type a) {
    _mm512_storeu_si512(reinterpret_cast<Type*>(y),
                        add(_mm512_loadu_si512(reinterpret_cast<const Type*>(y)), a));
  }
};

}  // namespace

extern const ColumnKernel kColumnAvx512;
/// What lays out tables and looks at activations is AVX2's (dispatch.cpp).
const ColumnKernel kColumnAvx512 = {
    32,
    {{column<Vector512, false, 4, 1>, nullptr, nullptr},
     {column<Vector512, true, 4, 1>, nullptr, nullptr}},
    nullptr,
    nullptr,
};

}  // namespace axmul::detail
