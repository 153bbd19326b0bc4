// Pickled values against the types of compiled classes.
#include "train/script/types.hpp"

#include <algorithm>

#include "train/script/allowed_operators.hpp"

namespace axmul::train {
namespace {

using c10::TypeKind;
using c10::TypePtr;

std::string qualified(const std::string& module_and_name) {
  std::string name = module_and_name;
  const auto space = name.find(' ');
  if (space != name.npos) name[space] = '.';
  return name;
}

bool is_native(const std::string& name) { return name.starts_with("__torch__.torch.classes."); }

}  // namespace

void TypeCheck::check_module(PickleRef ref) {
  const PickleValue& value = pickle_.at(ref);
  if (value.kind != PickleKind::object)
    throw BadArchive("holds no module where TorchScript has one");
  const std::string name = qualified(pickle_.name_of(value));
  const TypePtr type = find_class_(name);
  const auto cls = type ? type->cast<c10::ClassType>() : nullptr;
  if (!cls || !cls->is_module()) throw BadArchive("holds no module where TorchScript has one");
  if (!is(ref, type))
    throw BadArchive("holds values that are not of the types its code declares" +
                     (where_.empty() ? "" : " (" + where_ + ")"));
}

void TypeCheck::check_constant(PickleRef ref) {
  const PickleValue& value = pickle_.at(ref);
  const auto refuse = [] { throw BadArchive("has a constant of a kind that is not read"); };
  switch (value.kind) {
    case PickleKind::none:
    case PickleKind::boolean:
    case PickleKind::integer:
    case PickleKind::real:
    case PickleKind::text:
      return;
    case PickleKind::tuple:
      for (const PickleRef item : value.items) check_constant(item);
      return;
    case PickleKind::call:
      break;
    default:
      refuse();
  }
  const std::string& callee = pickle_.name_of(value);
  if (callee == "torch device") {
    if (!is(ref, c10::DeviceObjType::get())) refuse();
  } else if (callee == "torch.jit._pickle build_intlist") {
    if (!is(ref, c10::ListType::ofInts())) refuse();
  } else if (callee == "torch.jit._pickle build_doublelist") {
    if (!is(ref, c10::ListType::ofFloats())) refuse();
  } else if (callee == "torch.jit._pickle build_boollist") {
    if (!is(ref, c10::ListType::ofBools())) refuse();
  } else if (callee == "torch.jit._pickle build_tensorlist") {
    if (!is(ref, c10::ListType::ofTensors())) refuse();
  } else if (!is_tensor(ref)) {
    refuse();
  }
}

bool TypeCheck::is(PickleRef ref, const TypePtr& type) {
  const auto key = std::make_pair(ref, type.get());
  if (known_.contains(key)) return true;
  if (!is_new(ref, type)) {
    if (where_.empty())
      where_ = "a value where there should be " + type->annotation_str().substr(0, 200);
    return false;
  }
  known_.insert(key);
  return true;
}

bool TypeCheck::is_new(PickleRef ref, const TypePtr& type) {
  const PickleValue& value = pickle_.at(ref);
  const PickleKind kind = value.kind;
  switch (type->kind()) {
    case TypeKind::NoneType:
      return kind == PickleKind::none;
    case TypeKind::BoolType:
      return kind == PickleKind::boolean;
    case TypeKind::IntType:
      return kind == PickleKind::integer;
    case TypeKind::FloatType:
      return kind == PickleKind::real;
    case TypeKind::StringType:
      return kind == PickleKind::text;
    case TypeKind::NumberType:
      return kind == PickleKind::integer || kind == PickleKind::real;
    case TypeKind::TensorType:
      return is_tensor(ref);
    case TypeKind::AnyType:  // containers could pretend to any element type
      return kind == PickleKind::none || kind == PickleKind::boolean ||
             kind == PickleKind::integer || kind == PickleKind::real || kind == PickleKind::text ||
             is_tensor(ref);
    case TypeKind::DeviceObjType:
      return pickle_.name_of(value) == "torch device" && kind == PickleKind::call &&
             pickle_.item(value, 1).items.size() == 1 &&
             pickle_.item(pickle_.item(value, 1), 0).kind == PickleKind::text;
    case TypeKind::OptionalType:
      return kind == PickleKind::none || is(ref, type->containedType(0));
    case TypeKind::UnionType: {
      const auto choices = type->containedTypes();
      return std::any_of(choices.begin(), choices.end(),
                         [&](const TypePtr& choice) { return is_new(ref, choice); });
    }
    case TypeKind::TupleType: {
      const auto elements = type->containedTypes();
      if (kind != PickleKind::tuple || value.items.size() != elements.size()) return false;
      for (std::size_t i = 0; i < elements.size(); ++i)
        if (!is(value.items[i], elements[i])) return false;
      return true;
    }
    case TypeKind::ListType:
      return is_list(ref, type);
    case TypeKind::DictType:
      return is_dict(ref, type);
    case TypeKind::ClassType:
    case TypeKind::InterfaceType:
      return is_object(ref, type);
    default:
      return false;
  }
}

bool TypeCheck::all(const std::vector<PickleRef>& items, const TypePtr& type) {
  return std::all_of(items.begin(), items.end(), [&](PickleRef item) { return is(item, type); });
}

bool TypeCheck::is_tensor(PickleRef ref) {
  const PickleValue& value = pickle_.at(ref);
  const std::string& callee = pickle_.name_of(value);
  if (callee != "torch._utils _rebuild_tensor_v2" && callee != "torch._utils _rebuild_qtensor")
    return false;
  const auto tensor = archive_.tensor(pickle_, ref, folder_);
  const auto& arguments = pickle_.item(value, 1).items;
  const bool quantised = callee == "torch._utils _rebuild_qtensor";
  const std::size_t flag = quantised ? 5 : 4;  // requires_grad, then the hooks
  if (!tensor || arguments.size() != flag + 2 ||
      pickle_.at(arguments[flag]).kind != PickleKind::boolean)
    return false;
  const PickleValue& hooks = pickle_.at(arguments[flag + 1]);
  if (hooks.kind != PickleKind::dict || hooks.integer != 1 || !hooks.items.empty()) return false;
  const bool quantised_storage =
      tensor->element == Element::other &&
      pickle_.name_of(pickle_.item(pickle_.item(pickle_.at(arguments[0]), 0), 1))
          .starts_with("torch Q");
  return quantised == quantised_storage && (!quantised || is_quantised_sound(value, *tensor));
}

// Scales and zero points of a channel each are read without looking at how many there are.
bool TypeCheck::is_quantised_sound(const PickleValue& call, const ArchivedTensor& tensor) {
  const PickleValue& scheme = pickle_.item(pickle_.item(call, 1), 4);
  if (scheme.kind != PickleKind::tuple || scheme.items.empty()) return false;
  const std::string& name = pickle_.name_of(pickle_.item(scheme, 0));
  if (name == "torch per_tensor_affine")
    return scheme.items.size() == 3 && pickle_.item(scheme, 1).kind == PickleKind::real &&
           pickle_.item(scheme, 2).kind == PickleKind::integer;
  if (name != "torch per_channel_affine" || scheme.items.size() != 4 ||
      pickle_.item(scheme, 3).kind != PickleKind::integer)
    return false;
  const std::int64_t axis = pickle_.item(scheme, 3).integer;
  if (axis < 0 || axis >= static_cast<std::int64_t>(tensor.sizes.size())) return false;
  const std::vector<std::int64_t> wanted = {tensor.sizes[static_cast<std::size_t>(axis)]};
  for (const auto& [at, element] : {std::pair{1, Element::f64}, {2, Element::i64}}) {
    const auto values =
        archive_.tensor(pickle_, scheme.items[static_cast<std::size_t>(at)], folder_);
    if (!values || values->sizes != wanted || values->element != element) return false;
  }
  return true;
}

// What lies inside restore_type_tag((value, "List[int]")), whose tag must be the declared type.
PickleRef TypeCheck::without_tag(PickleRef ref, const TypePtr& type, bool& fits) const {
  const PickleValue& value = pickle_.at(ref);
  fits = true;
  if (value.kind != PickleKind::call ||
      pickle_.name_of(value) != "torch.jit._pickle restore_type_tag")
    return ref;
  const PickleValue& arguments = pickle_.item(value, 1);
  fits = arguments.items.size() == 2 && pickle_.item(arguments, 1).kind == PickleKind::text &&
         pickle_.item(arguments, 1).text == type->annotation_str();
  return fits ? arguments.items[0] : ref;
}

bool TypeCheck::is_list(PickleRef ref, const TypePtr& type) {
  const TypePtr element = type->containedType(0);
  const PickleValue& outer = pickle_.at(ref);
  if (outer.kind == PickleKind::call) {
    const std::string& callee = pickle_.name_of(outer);
    for (const auto& [name, kind] :
         {std::pair{"torch.jit._pickle build_intlist", TypeKind::IntType},
          {"torch.jit._pickle build_doublelist", TypeKind::FloatType},
          {"torch.jit._pickle build_boollist", TypeKind::BoolType},
          {"torch.jit._pickle build_tensorlist", TypeKind::TensorType}}) {
      if (callee != name) continue;
      const PickleValue& arguments = pickle_.item(outer, 1);
      return element->kind() == kind && arguments.items.size() == 1 &&
             pickle_.item(arguments, 0).kind == PickleKind::list &&
             all(pickle_.item(arguments, 0).items, element);
    }
  }
  bool fits = false;
  const PickleValue& list = pickle_.at(without_tag(ref, type, fits));
  return fits && list.kind == PickleKind::list && all(list.items, element);
}

bool TypeCheck::is_dict(PickleRef ref, const TypePtr& type) {
  bool fits = false;
  const PickleValue& dict = pickle_.at(without_tag(ref, type, fits));
  if (!fits || dict.kind != PickleKind::dict || dict.integer == 1) return false;
  for (std::size_t i = 0; i < dict.items.size(); i += 2)
    if (!is(dict.items[i], type->containedType(0)) ||
        !is(dict.items[i + 1], type->containedType(1)))
      return false;
  return true;
}

bool TypeCheck::is_object(PickleRef ref, const TypePtr& type) {
  const PickleValue& value = pickle_.at(ref);
  if (value.kind != PickleKind::object || value.items.size() != 2) return false;
  const std::string name = qualified(pickle_.name_of(value));
  if (is_native(name) && !any_class_ && !is_allowed_native_class(name))
    throw BadArchive("holds an object of the native class " + name);
  const TypePtr own = find_class_(name);
  const auto cls = own ? own->cast<c10::ClassType>() : nullptr;
  if (!cls || !cls->isSubtypeOf(*type)) return false;
  const PickleValue& state = pickle_.item(value, 1);
  // libtorch restores those that have both methods by calling the second.
  if (cls->findMethod("__getstate__") != nullptr && cls->findMethod("__setstate__") != nullptr) {
    const auto& arguments = cls->getMethod("__setstate__").getSchema().arguments();
    return arguments.size() == 2 && is(value.items[1], arguments[1].type());
  }
  if (state.kind != PickleKind::dict || state.integer == 1) return false;
  std::map<std::string, PickleRef> attributes;
  for (std::size_t i = 0; i < state.items.size(); i += 2) {
    if (pickle_.item(state, i).kind != PickleKind::text) return false;
    attributes[pickle_.item(state, i).text] = state.items[i + 1];
  }
  for (std::size_t i = 0; i < cls->numAttributes(); ++i) {
    const auto found = attributes.find(cls->getAttributeName(i));
    if (found == attributes.end() || !is(found->second, cls->getAttribute(i))) {
      where_ = "attribute " + cls->getAttributeName(i) + " of " + name;
      return false;
    }
  }
  return true;
}

}  // namespace axmul::train
