// The text of a design: canonical form, round trip, and what each mistake is told.
#include "axmul/core/errors.hpp"
#include "axmul/designs/designs.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {
// id and message of the UsageError that parsing gives.
std::string complaint(const std::string& text, int width = 8) {
  try {
    parse_design(text, width);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("canonical text names every parameter and a type that is not the default") {
  CHECK(parse_design("exact").text() == "exact");
  CHECK(parse_design("exact()").text() == "exact");
  CHECK(parse_design("exact(type=u8u8)").text() == "exact");
  CHECK(parse_design(" broken_array ( v=3 , type=s8s8,h=1 ) ").text() ==
        "broken_array(h=1,v=3,type=s8s8)");
  CHECK(parse_design("broken_array(h=2)").text() == "broken_array(h=2,v=5)");
}

TEST_CASE("every family: defaults round trip, description, source and one type are there") {
  for (const Design& family : design_families()) {
    CAPTURE(family.name);
    CHECK(find_design_family(family.name) == &family);
    CHECK(!family.description.empty());
    CHECK(!family.source.empty());
    REQUIRE(!family.types.empty());
    for (OperandType type : family.types) {
      const std::string text = family.name + "(type=" + std::string(to_string(type)) + ")";
      const DesignInstance design = parse_design(text);
      CHECK(design.type() == type);
      CHECK(parse_design(design.text()).text() == design.text());
      const Multiplier m = generate(text);
      CHECK(m.name == design.text());
      CHECK(m.provenance.generator == design.text());
      CHECK(m.provenance.reference == family.source);
      CHECK(m.lut.type() == type);
    }
    for (const DesignParameter& p : family.parameters) {
      CHECK(!p.help.empty());
      CHECK(p.min <= p.default_value);
      CHECK(p.default_value <= p.max);
      CHECK((p.choices.empty() || p.choices.size() == static_cast<std::size_t>(p.max - p.min + 1)));
    }
  }
}

TEST_CASE("mistakes are named, with what would mend them") {
  CHECK(has(complaint("exactt"), "AX500"));
  CHECK(has(complaint("exactt"), "did you mean exact?"));
  CHECK(has(complaint("broken(h=1)"), "did you mean broken_array?"));
  CHECK(has(complaint("zzzzzzzzz"), "the families are exact, "));
  CHECK(has(complaint(""), "AX501"));
  CHECK(has(complaint("(k=1)"), "AX501"));
  CHECK(has(complaint("truncated(k=4"), "AX501"));
  CHECK(has(complaint("truncated(k=4)x"), "AX501"));
  CHECK(has(complaint("truncated(4)"), "\"4\" is not parameter=value"));
  CHECK(has(complaint("truncated(k=4,)"), "AX501"));
  CHECK(has(complaint("truncated(k=4,,)"), "AX501"));
  CHECK(has(complaint("truncated(kk=4)"), "AX502 design truncated has no parameter \"kk\""));
  CHECK(has(complaint("truncated(k=4,k=5)"), "AX502"));
  CHECK(has(complaint("truncated(k=4,type=u8u8,type=u8u8)"), "type is given twice"));
  CHECK(has(complaint("truncated(k=16)"), "AX503"));
  CHECK(has(complaint("truncated(k=16)"), "0 … 15"));
  CHECK(has(complaint("truncated(k=-1)"), "AX503"));
  CHECK(has(complaint("truncated(k=1e1)"), "AX503"));
  CHECK(has(complaint("truncated(k=99999999999)"), "AX503"));
  CHECK(has(complaint("truncated(type=u8)"), "it exists as u8u8, s8s8, u8s8"));
  CHECK(has(complaint("truncated(type=u8)"), "AX504"));
  CHECK(has(complaint("exact", 7), "AX505"));
  CHECK(complaint("truncated(k=31)", 16) == "no error");
}

TEST_CASE("every parameter of every family refuses the values just outside its range") {
  for (const Design& family : design_families())
    for (const DesignParameter& p : family.parameters) {
      CAPTURE(family.name + "." + p.name);
      const std::string head = family.name + "(" + p.name + "=";
      CHECK(has(complaint(head + std::to_string(p.min - 1) + ")"), "AX503"));
      CHECK(has(complaint(head + std::to_string(p.max + 1) + ")"), "AX503"));
      CHECK(has(complaint(head + "x)"), "AX503"));
    }
}

TEST_CASE("a generator's text is told from a path") {
  CHECK(looks_like_design("exact"));
  CHECK(looks_like_design("drumm(k=6)"));
  CHECK(!looks_like_design("drum.bin"));
  CHECK(!looks_like_design("some/exact"));
  CHECK(!looks_like_design(""));
}

TEST_CASE("parameters that exclude each other") {
  CHECK(has(complaint("perforated(p=5,m=4)"), "AX506"));
  CHECK(complaint("perforated(p=5,m=3)") == "no error");
  CHECK(has(complaint("perforated(p=5,m=3,type=s8s8)"), "p + m must be below 8"));
  CHECK(has(complaint("ssm(m=5,positions=3)"), "AX506"));
  CHECK(has(complaint("ssm(m=7)", 16), "at least half"));
  CHECK(has(complaint("tosam(h=3,t=3)"), "t must be greater than h"));
}
