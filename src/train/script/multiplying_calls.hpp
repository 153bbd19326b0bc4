// The operators of libtorch that multiply, and how many multiplications a call of one is.
#pragma once

#include <ATen/core/ivalue.h>

#include <string>
#include <string_view>
#include <vector>

namespace axmul::train {

/// One call while the module runs: what goes in, under the names of its schema, and what comes out.
struct CallValues {
  const std::vector<std::string>& names;
  const std::vector<c10::IValue>& inputs;
  const c10::IValue& output;  ///< the first one
  double per_filter;  ///< multiplications of one filter, known from packed weights; else NaN
};

/// Multiplications of one call; NaN where they cannot be told from the values.
using CountRule = double (*)(const CallValues&);

/// An operator that multiplies: its name, why axmul leaves it exact ("" for those whose calls axmul
/// may replace), and the rule that counts its multiplications.
///
/// Products of matrices (outer products too) and everything made of them count, each element of the
/// joint index space of the operands once; element-wise products, norms, softmax and interpolation
/// do not. tools/axmul_torch.py counts by the same rules.
struct MultiplyingCall {
  std::string_view reason;
  CountRule count;
};

/// Looks an operator up, "aten::matmul" …; one that works in place ("aten::addmm_") is found too.
/// Returns null for what does not multiply.
const MultiplyingCall* find_multiplying_call(const std::string& name);

}  // namespace axmul::train
