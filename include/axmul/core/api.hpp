// Marks what libaxmul exports; everything else is hidden.
#pragma once

#if defined(__GNUC__)
#define AXMUL_API __attribute__((visibility("default")))
#else
#define AXMUL_API
#endif
