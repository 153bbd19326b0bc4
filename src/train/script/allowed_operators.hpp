// Which operators a module that axmul runs may use.
#pragma once

#include <string_view>

namespace axmul::train {

/// Whether an operator of that name ("aten::conv2d") reaches nothing but its arguments: no file, no
/// process, no network, no other memory. Names of all namespaces, prim:: included; what is not
/// known is not allowed.
bool is_allowed_operator(std::string_view name);

/// Whether objects of a native class ("__torch__.torch.classes.quantized.…") may be made and used.
bool is_allowed_native_class(std::string_view name);

}  // namespace axmul::train
