// Compiles the code of an archive and looks at what it would do.
#include "train/script/check.hpp"

#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/frontend/lexer.h>
#include <torch/csrc/jit/frontend/parser.h>
#include <torch/csrc/jit/frontend/tree_views.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/serialization/import_source.h>

#include <algorithm>
#include <set>

#include "train/script/allowed_operators.hpp"
#include "train/script/types.hpp"

namespace axmul::train {
namespace {

using c10::TypeKind;
using c10::TypePtr;
using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Tree;
using torch::jit::TreeRef;
namespace jit = torch::jit;
namespace prim = c10::prim;

// --- text ----------------------------------------------------------------------------------------

bool is_variable(const TreeRef& tree, const char* name) {
  return tree->kind() == jit::TK_VAR && jit::Var(tree).name().name() == name;
}

// Numbers, texts, None, and lists, tuples and dicts of them; annotate(T, literal) and
// torch.device(text) as TorchScript writes defaults.
bool is_literal(const TreeRef& tree) {
  const auto all = [](const auto& trees) {
    return std::all_of(trees.begin(), trees.end(), is_literal);
  };
  switch (tree->kind()) {
    case jit::TK_CONST:
    case jit::TK_STRINGLITERAL:
    case jit::TK_TRUE:
    case jit::TK_FALSE:
    case jit::TK_NONE:
      return true;
    case jit::TK_UNARY_MINUS:
    case jit::TK_LIST:
    case jit::TK_LIST_LITERAL:
    case jit::TK_TUPLE_LITERAL:
    case jit::TK_DICT_LITERAL:
      return all(tree->trees());
    case jit::TK_VAR:
      return is_variable(tree, "inf") || is_variable(tree, "nan");
    case jit::TK_APPLY:
      break;
    default:
      return false;
  }
  const jit::Apply call(tree);
  if (call.attributes().size() > 0) return false;
  const TreeRef callee = call.callee().tree();
  if (is_variable(callee, "annotate"))
    return call.inputs().size() == 2 && is_literal(call.inputs()[1].tree());
  return callee->kind() == '.' && is_variable(jit::Select(callee).value().tree(), "torch") &&
         jit::Select(callee).selector().name() == "device" && call.inputs().size() == 1 &&
         call.inputs()[0].kind() == jit::TK_STRINGLITERAL;
}

[[noreturn]] void refuse_computed(const std::string& what) {
  throw BadArchive("its code computes " + what +
                   " while it is compiled; --allow-native-code lets it");
}

// libtorch runs these expressions to learn their values.
void check_defaults(const TreeRef& root) {
  std::vector<TreeRef> open = {root};
  while (!open.empty()) {
    const TreeRef tree = open.back();
    open.pop_back();
    if (tree->isAtom()) continue;
    if (tree->kind() == jit::TK_PARAM) {
      const jit::Param param(tree);
      if (param.defaultValue().present() && !is_literal(param.defaultValue().get().tree()))
        refuse_computed("the default of argument " + param.ident().name());
    }
    for (const TreeRef& child : tree->trees()) open.push_back(child);
  }
}

void check_class_constants(const jit::ClassDef& definition) {
  for (const jit::Stmt& statement : definition.body()) {
    if (statement.kind() != jit::TK_ASSIGN) continue;
    const jit::Assign assign(statement.tree());
    const bool subscript = assign.lhs_list().size() == 1 &&  // __annotations__["0"] = Tensor
                           assign.lhs_list()[0].kind() == jit::TK_SUBSCRIPT;
    if (assign.rhs().present() && !subscript && !is_literal(assign.rhs().get().tree()))
      refuse_computed("a constant of class " + definition.name().name());
  }
}

void skip_imports(jit::Lexer& lexer) {
  while (lexer.nextIf(jit::TK_IMPORT)) {
    while (lexer.cur().kind != jit::TK_NEWLINE && lexer.cur().kind != jit::TK_EOF) lexer.next();
    lexer.expect(jit::TK_NEWLINE);
  }
}

// "op_version_set = 1" stood first in old archives.
void skip_version(jit::Lexer& lexer) {
  if (lexer.cur().kind != jit::TK_IDENT || lexer.cur().text() != "op_version_set") return;
  while (lexer.cur().kind != jit::TK_NEWLINE && lexer.cur().kind != jit::TK_EOF) lexer.next();
  lexer.nextIf(jit::TK_NEWLINE);
}

// The names of the classes in a source; unless `any_operator`, nothing in it is computed early.
std::vector<std::string> classes_in(const std::shared_ptr<jit::Source>& source, bool any_operator) {
  std::vector<std::string> names;
  jit::Parser parser(source);
  jit::Lexer& lexer = parser.lexer();
  skip_version(lexer);
  while (lexer.cur().kind != jit::TK_EOF) {
    skip_imports(lexer);
    if (lexer.cur().kind == jit::TK_EOF) break;
    const bool is_class = lexer.cur().kind == jit::TK_CLASS_DEF;
    if (!is_class && lexer.cur().kind != jit::TK_DEF)
      throw BadArchive("its code has something other than classes and functions");
    const TreeRef tree = is_class ? parser.parseClass() : parser.parseFunction(false);
    if (is_class) names.push_back(jit::ClassDef(tree).name().name());
    if (any_operator) continue;
    check_defaults(tree);
    if (is_class) check_class_constants(jit::ClassDef(tree));
  }
  return names;
}

// --- constants -----------------------------------------------------------------------------------

// Values of the same types as the archive's constants: all that compiling asks for.
c10::IValue stand_in(const Pickle& pickle, PickleRef ref) {
  const PickleValue& value = pickle.at(ref);
  switch (value.kind) {
    case PickleKind::boolean:
      return value.integer != 0;
    case PickleKind::integer:
      return value.integer;
    case PickleKind::real:
      return value.real;
    case PickleKind::text:
      return value.text;
    case PickleKind::tuple: {
      std::vector<c10::IValue> items;
      for (const PickleRef item : value.items) items.push_back(stand_in(pickle, item));
      return c10::ivalue::Tuple::create(std::move(items));
    }
    case PickleKind::call:
      break;
    default:
      return {};
  }
  const std::string& callee = pickle.name_of(value);
  if (callee == "torch device") return c10::Device(c10::kCPU);
  if (callee == "torch.jit._pickle build_intlist") return c10::List<std::int64_t>();
  if (callee == "torch.jit._pickle build_doublelist") return c10::List<double>();
  if (callee == "torch.jit._pickle build_boollist") return c10::List<bool>();
  if (callee == "torch.jit._pickle build_tensorlist") return c10::List<at::Tensor>();
  return at::zeros({0});
}

// --- graphs --------------------------------------------------------------------------------------

class GraphCheck {
 public:
  explicit GraphCheck(bool any_operator) : any_operator_(any_operator) {}

  void check(jit::Function& function) { nodes_of(function); }

 private:
  // Nodes of the function with all its calls inlined.
  double nodes_of(jit::Function& function) {
    if (const auto known = sizes_.find(&function); known != sizes_.end()) return known->second;
    sizes_[&function] = 1;
    auto* graph_function = jit::tryToGraphFunction(function);
    if (graph_function == nullptr) {
      if (!any_operator_) throw BadArchive("its code calls the native function " + function.name());
      return 1;
    }
    function.ensure_defined();
    const double size = nodes_of(graph_function->graph()->block());
    if (size > kMostNodes)
      throw BadArchive("its calls, written out, are more than a million operations");
    return sizes_[&function] = size;
  }

  double nodes_of(Block* block) {
    double count = 0;
    for (Node* node : block->nodes()) {
      if (!any_operator_) check_node(*node);
      count += 1;
      for (Block* inner : node->blocks()) count += nodes_of(inner);
      for (const auto name : node->attributeNames()) {
        if (node->kindOf(name) == jit::AttributeKind::g) count += nodes_of(node->g(name)->block());
        if (node->kindOf(name) == jit::AttributeKind::gs)
          for (const auto& graph : node->gs(name)) count += nodes_of(graph->block());
      }
      if (node->kind() == prim::Constant)  // also of functions that are only passed on
        if (jit::Function* function = function_of(node->output())) nodes_of(*function);
      if (node->kind() == prim::CallFunction)
        if (jit::Function* function = function_of(node->input(0))) count += nodes_of(*function);
      if (node->kind() == prim::CallMethod) count += nodes_of_method(*node);
    }
    return count;
  }

  static jit::Function* function_of(const jit::Value* value) {
    const auto type = value->type()->cast<c10::FunctionType>();
    return type ? type->function() : nullptr;
  }

  double nodes_of_method(Node& node) {
    const auto cls = node.input(0)->type()->cast<c10::ClassType>();
    if (!cls) return 1;  // of an interface: all methods there are get checked
    auto* method = cls->findMethod(node.s(c10::attr::name));
    const auto name = cls->name() ? cls->name()->qualifiedName() : std::string();
    if (name.starts_with("__torch__.torch.classes.")) {
      if (!any_operator_ && !is_allowed_native_class(name))
        throw BadArchive("its code uses the native class " + name);
      return 1;
    }
    return method == nullptr ? 1 : nodes_of(*method);
  }

  static void check_node(Node& node) {
    const std::string name = node.kind().toQualString();
    if (!is_allowed_operator(name))
      throw BadArchive("its code uses the operator " + name +
                       ", which may reach beyond the network; --allow-native-code runs it, where "
                       "you trust the file");
  }

  bool any_operator_;
  std::map<jit::Function*, double> sizes_;
};

}  // namespace

void check_script(const TorchArchive& archive, const ScriptParts& parts, bool any_operator) {
  std::map<std::string, std::shared_ptr<jit::Source>> sources;
  std::set<std::string> classes;
  for (const auto& [qualifier, text] : parts.sources) {
    sources[qualifier] = std::make_shared<jit::Source>(text, qualifier, 1);
    for (const std::string& name : classes_in(sources[qualifier], any_operator))
      classes.insert(qualifier + "." + name);
  }
  const auto unit = std::make_shared<jit::CompilationUnit>();
  const PickleValue& constants = parts.constants.at(parts.constants.root);
  if (constants.kind != PickleKind::tuple) throw BadArchive("its constants are no tuple");
  TypeCheck constant_types(archive, parts.constants, "constants", {}, any_operator);
  std::vector<c10::IValue> table;
  for (const PickleRef constant : constants.items) {
    constant_types.check_constant(constant);
    table.push_back(stand_in(parts.constants, constant));
  }
  const jit::SourceImporter importer(
      unit, &table,
      [&](const std::string& qualifier) {
        const auto found = sources.find(qualifier);
        return found == sources.end() ? nullptr : found->second;
      },
      parts.version);
  for (const std::string& name : classes) importer.loadType(c10::QualifiedName(name));
  GraphCheck graphs(any_operator);
  for (jit::Function* function : unit->get_functions()) graphs.check(*function);
  const auto find_class = [&](const std::string& name) -> TypePtr {
    if (classes.contains(name)) return importer.loadType(c10::QualifiedName(name));
    return torch::getCustomClass(name);
  };
  TypeCheck(archive, parts.data, "data", find_class, any_operator).check_module(parts.data.root);
}

}  // namespace axmul::train
