// Looks multipliers up by name.
#include "train/multipliers.hpp"

#include "axmul/core/errors.hpp"
#include "axmul/tables/open_design.hpp"

namespace axmul::train {

std::shared_ptr<const Multiplier> find_multiplier(const std::string& name,
                                                  const std::optional<std::string>& library) {
  if (!library) return std::make_shared<const Multiplier>(open_design(name));
  const std::vector<std::string> texts = {*library};
  const DesignList list = find_designs(texts);
  if (list.designs.empty()) throw InputError(953, {*library}, "holds no multipliers");
  std::string near;
  for (const DesignRef& design : list.designs) {
    if (design.name == name) return std::make_shared<const Multiplier>(design.load());
    if (near.size() < 200) near += (near.empty() ? "" : ", ") + design.name;
  }
  if (name == "exact") {
    Multiplier exact{"exact", Lut::exact(OperandType::u8u8)};
    exact.cost.power_rel = 1;
    return std::make_shared<const Multiplier>(std::move(exact));
  }
  throw InputError(953, {*library}, "has no multiplier \"" + name + "\"; it has " + near + " …");
}

}  // namespace axmul::train
