// Every member of every family.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/designs/designs.hpp"

namespace axmul::test {

/// Calls f with every combination of parameter values that the family of that type allows.
inline void for_each_member(const std::function<void(const DesignInstance&)>& f) {
  for (const Design& family : design_families())
    for (const OperandType type : family.types) {
      std::vector<std::string> texts{family.name + "("};
      for (const DesignParameter& p : family.parameters) {
        std::vector<std::string> longer;
        for (const std::string& text : texts)
          for (int value = p.min; value <= p.max; ++value)
            longer.push_back(text + p.name + "=" +
                             (p.choices.empty()
                                  ? std::to_string(value)
                                  : p.choices[static_cast<std::size_t>(value - p.min)]) +
                             ",");
        texts = std::move(longer);
      }
      for (const std::string& text : texts) {
        try {
          f(parse_design(text + "type=" + std::string(to_string(type)) + ")"));
        } catch (const UsageError& error) {
          if (error.id() != 506) throw;  // parameters that exclude each other
        }
      }
    }
}

}  // namespace axmul::test
