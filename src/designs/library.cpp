// Which designs the shipped library holds.
#include "designs/registry.hpp"

namespace axmul {

namespace {

// One entry a line and family; parameters from mild to coarse.
constexpr const char* kLibrary[] = {
    "exact", "exact(type=s8s8)",
    // left-out partial-product bits
    "truncated(k=2)", "truncated(k=4)", "truncated(k=6)", "truncated(k=8)",
    "truncated(k=4,type=s8s8)", "truncated(k=6,type=s8s8)", "truncated(k=8,type=s8s8)",
    "truncated_constant(k=4)", "truncated_constant(k=6)", "truncated_constant(k=8)",
    "truncated_constant(k=6,type=s8s8)", "truncated_constant(k=8,type=s8s8)",
    "broken_array(h=0,v=5)", "broken_array(h=1,v=6)", "broken_array(h=2,v=4)",
    "broken_array(h=2,v=7)", "broken_array(h=3,v=8)", "broken_array(h=1,v=5,type=s8s8)",
    "broken_array(h=2,v=7,type=s8s8)", "broken_booth(v=4,type=s8s8)", "broken_booth(v=6,type=s8s8)",
    "broken_booth(v=8,type=s8s8)", "perforated(p=0,m=1)", "perforated(p=0,m=2)",
    "perforated(p=1,m=2)", "perforated(p=2,m=2)", "perforated(p=0,m=2,type=s8s8)", "lower_or(k=4)",
    "lower_or(k=6)", "lower_or(k=8)", "operand_truncation(ka=1,kb=1)",
    "operand_truncation(ka=2,kb=2)", "operand_truncation(ka=3,kb=1)",
    "operand_truncation(ka=2,kb=2,type=s8s8)",
    // inexact blocks and compressors
    "kulkarni", "momeni(design=1,columns=7)", "momeni(design=2,columns=7)",
    "momeni(design=1,columns=16)", "momeni(design=2,columns=16)", "akbari(cell=c1,columns=8)",
    "akbari(cell=c4,columns=8)", "akbari(cell=c4,columns=16)", "akbari(cell=mixed,columns=16)",
    "yang(columns=8)", "yang(columns=16)", "lin(columns=16)", "ha(columns=8)", "ha(columns=16)",
    // segments of the operands
    "etm", "drum(k=3)", "drum(k=4)", "drum(k=5)", "drum(k=6)", "drum(k=7)", "drum(k=4,type=s8s8)",
    "drum(k=5,type=s8s8)", "drum(k=6,type=s8s8)", "dsm(k=4)", "dsm(k=5)", "ssm(m=4,positions=2)",
    "ssm(m=4,positions=3)", "ssm(m=5,positions=2)", "ssm(m=6,positions=2)",
    "ssm(m=5,positions=2,type=s8s8)", "tosam(h=0,t=3)", "tosam(h=1,t=5)", "tosam(h=2,t=6)",
    "tosam(h=1,t=5,type=s8s8)",
    // rounding and logarithms
    "roba(negation=exact)", "roba(negation=exact,type=s8s8)",
    "roba(negation=approximate,type=s8s8)", "power_of_two(operand=both)", "power_of_two(operand=b)",
    "power_of_two(operand=b,type=s8s8)", "mitchell", "mitchell(type=s8s8)", "mbm", "alm_soa(m=3)",
    "alm_soa(m=4)", "alm_soa(m=3,type=s8s8)", "babic(corrections=0)", "babic(corrections=1)",
    "babic(corrections=1,type=s8s8)"};

}  // namespace

std::span<const std::string> library_designs() {
  static const std::vector<std::string> texts = [] {
    std::vector<std::string> canonical;
    for (const char* text : kLibrary) canonical.push_back(parse_design(text).text());
    return canonical;
  }();
  return texts;
}

}  // namespace axmul
