// Whether pickled values are what compiled code takes them for.
#pragma once

#include <torch/csrc/jit/serialization/import_source.h>

#include <functional>
#include <set>
#include <string>
#include <utility>

#include "train/data/torch_archive.hpp"

namespace axmul::train {

/// Compiled code reads attributes by position and lists by element type, without looking again, so
/// a value of another type would be read as something that it is not.
class TypeCheck {
 public:
  /// `find_class`: the type of a qualified name, null where there is none.
  TypeCheck(const TorchArchive& archive, const Pickle& pickle, std::string folder,
            std::function<c10::TypePtr(const std::string&)> find_class, bool any_class)
      : archive_(archive),
        pickle_(pickle),
        folder_(std::move(folder)),
        find_class_(std::move(find_class)),
        any_class_(any_class) {}

  /// Throws BadArchive unless the value can be a module.
  void check_module(PickleRef ref);
  /// Throws BadArchive unless the value is one that constants may be: numbers, texts, devices,
  /// tensors, and lists and tuples of these.
  void check_constant(PickleRef ref);

 private:
  bool is(PickleRef ref, const c10::TypePtr& type);
  bool is_new(PickleRef ref, const c10::TypePtr& type);
  bool is_tensor(PickleRef ref);
  bool is_quantised_sound(const PickleValue& call, const ArchivedTensor& tensor);
  bool is_list(PickleRef ref, const c10::TypePtr& type);
  bool is_dict(PickleRef ref, const c10::TypePtr& type);
  bool is_object(PickleRef ref, const c10::TypePtr& type);
  bool all(const std::vector<PickleRef>& items, const c10::TypePtr& type);
  PickleRef without_tag(PickleRef ref, const c10::TypePtr& type, bool& fits) const;

  const TorchArchive& archive_;
  const Pickle& pickle_;
  std::string folder_;
  std::function<c10::TypePtr(const std::string&)> find_class_;
  bool any_class_;
  std::set<std::pair<PickleRef, const c10::Type*>> known_;  // found to fit
  std::string where_;                                       // of the first that does not
};

}  // namespace axmul::train
