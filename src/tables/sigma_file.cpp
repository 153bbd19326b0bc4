// Reading and writing what layers tolerate.
#include "axmul/tables/sigma_file.hpp"

#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/read_file.hpp"
#include "tables/sigma_json.hpp"

namespace axmul {
namespace {

[[noreturn]] void refuse(const std::string& path, const Json::exception& e) {
  throw InputError(1091, Place{path},
                   std::string("is not {\"schema\":\"axmul.sigma/1\",\"layers\":[{\"layer\","
                               "\"sigma_l\",\"loss_curvature\"}]}, the last optional: ") +
                       e.what());
}

}  // namespace

std::vector<LayerSigma> read_sigmas(const std::string& path) {
  try {
    return sigmas_from(parse_json(read_file(path)), path);
  } catch (const Json::exception& e) {
    refuse(path, e);
  }
}

std::vector<LayerSigma> sigmas_from(const Json& json, const std::string& path) {
  try {
    if (json.at("schema") != "axmul.sigma/1")
      throw InputError(1090, Place{path},
                       "\"schema\" is " + json["schema"].dump() + ", not \"axmul.sigma/1\"");
    std::vector<LayerSigma> sigmas;
    for (const Json& entry : json.at("layers")) {
      LayerSigma sigma{entry.at("layer").get<std::string>(), entry.at("sigma_l").get<double>()};
      if (const auto it = entry.find("loss_curvature"); it != entry.end() && !it->is_null())
        sigma.loss_curvature = it->get<double>();
      sigmas.push_back(std::move(sigma));
    }
    return sigmas;
  } catch (const Json::exception& e) {
    refuse(path, e);
  }
}

Json sigmas_json(std::span<const LayerSigma> sigmas) {
  Json json{{"schema", "axmul.sigma/1"}, {"layers", Json::array()}};
  for (const LayerSigma& s : sigmas) {
    Json entry{{"layer", s.layer}, {"sigma_l", s.sigma_l}};
    if (!std::isnan(s.loss_curvature)) entry["loss_curvature"] = s.loss_curvature;
    json["layers"].push_back(std::move(entry));
  }
  return json;
}

void write_sigmas(const std::string& path, std::span<const LayerSigma> sigmas) {
  write_file(path, sigmas_json(sigmas).dump(1) + "\n", true);
}

}  // namespace axmul
