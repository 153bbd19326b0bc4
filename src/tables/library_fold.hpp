// How the designs of many files become the entries of a library: names first, then functions.
#pragma once

#include <string>
#include <vector>

#include "axmul/core/multiplier.hpp"

namespace axmul::detail {

/// Names circuits by their file where the module or function says nothing ("top"), or where one
/// module name stands for several functions and the files' names tell them apart.
void name_by_files(std::vector<Multiplier>& multipliers);

/// The order in which designs are folded, whatever order they were read in: published powers before
/// estimates before none, cheaper ones first, then names in natural order, then files. So the first
/// of each function is the one whose cost and name stand for it.
void sort_for_folding(std::vector<Multiplier>& multipliers);

/// Functions that files publish under several powers of one technology, one text each; the list is
/// in the order of sort_for_folding().
std::vector<std::string> conflicting_powers(const std::vector<Multiplier>& multipliers);

/// Sets transpose_of where the operands of an earlier entry, swapped, give this one.
void mark_transposes(std::vector<Multiplier>& multipliers);

/// Entries without a published power, whose operands swapped are an entry that has one (or at least
/// an estimate), take its cost: it is the same circuit. One text each.
std::vector<std::string> take_costs_of_transposes(std::vector<Multiplier>& multipliers);

}  // namespace axmul::detail
