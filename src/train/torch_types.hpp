// What libtorch has moved or renamed between 1.13 and now, under one name each.
#pragma once

#include <ATen/core/grad_mode.h>  // at::NoGradGuard, at::GradMode: ATen/ATen.h has them in 1.13 only
#include <c10/util/Exception.h>
#include <torch/version.h>

#if TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 4)
#include <c10/util/Optional.h>
#else
#include <optional>
#endif
#if TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 7)
#include <c10/util/string_view.h>
#else
#include <string_view>
#endif

namespace axmul::train {

/// The optional and the text that operator schemas know.
#if TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 4)
template <class T>
using TorchOptional = c10::optional<T>;
inline constexpr auto kTorchNone = c10::nullopt;
#else
template <class T>
using TorchOptional = std::optional<T>;
inline constexpr auto kTorchNone = std::nullopt;
#endif
#if TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 7)
using TorchStringView = c10::string_view;
#else
using TorchStringView = std::string_view;
#endif

/// While it lives, libtorch's warnings on this thread go nowhere.
class NoWarnings {
#if TORCH_VERSION_MAJOR < 2
  struct Nowhere : c10::WarningHandler {
    void process(const c10::SourceLocation&, const std::string&, const bool) override {}
  } nowhere_;
  c10::Warning::WarningHandlerGuard guard_{&nowhere_};
#else
  struct Nowhere : c10::WarningHandler {
    void process(const c10::Warning&) override {}
  } nowhere_;
  c10::WarningUtils::WarningHandlerGuard guard_{&nowhere_};
#endif
};

}  // namespace axmul::train
