// A finished small run whose stage files are damaged one by one, and the many ways to damage them.
// Include it last, as run_support.hpp.
#pragma once

#include <functional>
#include <optional>

#include "axmul/core/errors.hpp"
#include "axmul/core/sha256.hpp"
#include "train/run_support.hpp"

namespace axmul::test {

using OrderedJson = nlohmann::ordered_json;

/// A way to damage a file's text; nothing where it does not apply to that file.
struct Damage {
  std::string name;
  std::function<std::optional<std::string>(const std::string&)> apply;
  bool sealed = false;
};

/// The text with another content under a checksum that is right for it.
inline std::string resealed(OrderedJson json) {
  json.erase("checksum");
  Sha256 sum;
  sum.update(std::string_view(nlohmann::json::parse(json.dump()).dump()));
  json["checksum"] = sum.hex();
  return json.dump();
}

/// Of every file.
inline std::vector<Damage> byte_damages() {
  return {{"empty", [](const std::string&) { return std::string(); }},
          {"cut", [](const std::string& t) { return t.substr(0, t.size() / 2); }},
          {"other", [](const std::string&) { return std::string("not what it was\n"); }},
          {"last byte", [](const std::string& t) { return t.substr(0, t.size() - 3); }},
          {"zeros", [](const std::string& t) { return std::string(t.size(), '\0'); }},
          {"doubled", [](const std::string& t) { return t + t; }}};
}

/// Changes the JSON; a sealed change keeps the checksum right, so only the content can tell.
inline Damage json_damage(const std::string& name, bool sealed,
                          const std::function<bool(OrderedJson&)>& change) {
  return {name + (sealed ? ", sealed" : ""),
          [=](const std::string& text) -> std::optional<std::string> {
            OrderedJson json = OrderedJson::parse(text, nullptr, false);
            if (json.is_discarded() || !json.is_object() || !change(json)) return std::nullopt;
            return sealed ? resealed(json) : json.dump(1);
          },
          sealed};
}

inline bool each_epoch(OrderedJson& json, const std::function<void(OrderedJson&)>& change) {
  if (!json.contains("epochs") || !json["epochs"].is_array() || json["epochs"].empty())
    return false;
  for (OrderedJson& epoch : json["epochs"]) change(epoch);
  return true;
}

/// Of JSON files.
inline std::vector<Damage> json_damages() {
  std::vector<Damage> all;
  for (const bool sealed : {false, true}) {
    const auto add = [&](const std::string& name, const std::function<bool(OrderedJson&)>& change) {
      all.push_back(json_damage(name, sealed, change));
    };
    const auto predicted = [](OrderedJson& j) -> OrderedJson* {
      return j.contains("evaluations") ? &j["evaluations"][0]["predicted"] : nullptr;
    };
    add("one prediction less", [=](OrderedJson& j) {
      OrderedJson* list = predicted(j);
      if (list != nullptr) list->erase(list->size() - 1);
      return list != nullptr;
    });
    add("no predictions", [=](OrderedJson& j) {
      OrderedJson* list = predicted(j);
      if (list != nullptr) *list = OrderedJson::array();
      return list != nullptr;
    });
    for (const OrderedJson& value : {OrderedJson(-1), OrderedJson(10), OrderedJson(4e9),
                                     OrderedJson("3"), OrderedJson(), OrderedJson(1.5)})
      add("prediction " + value.dump(), [=](OrderedJson& j) {
        OrderedJson* list = predicted(j);
        if (list != nullptr) (*list)[1] = value;
        return list != nullptr;
      });
    add("evaluations no list", [=](OrderedJson& j) {
      if (!j.contains("evaluations")) return false;
      j["evaluations"] = 3;
      return true;
    });
    add("one label less", [](OrderedJson& j) {
      if (!j.contains("labels")) return false;
      j["labels"].erase(0);
      return true;
    });
    for (const char* key : {"labels", "evaluations", "epochs", "layers", "network", "state"})
      add("no " + std::string(key), [=](OrderedJson& j) { return j.erase(key) > 0; });
    add("an epoch less", [](OrderedJson& j) {
      if (!j.contains("epochs") || j["epochs"].empty()) return false;
      j["epochs"].erase(0);
      return true;
    });
    add("accuracy 7",
        [](OrderedJson& j) { return each_epoch(j, [](OrderedJson& e) { e["accuracy"] = 7; }); });
    add("loss a text",
        [](OrderedJson& j) { return each_epoch(j, [](OrderedJson& e) { e["loss"] = "0.1"; }); });
    add("epoch -1",
        [](OrderedJson& j) { return each_epoch(j, [](OrderedJson& e) { e["epoch"] = -1; }); });
    const auto layer = [&](const std::string& name, const char* key, const OrderedJson& value) {
      add(name, [=](OrderedJson& j) {
        if (!j.contains("layers") || !j["layers"].is_array()) return false;
        j["layers"][0][key] = value;
        return true;
      });
    };
    layer("negative noise", "sigma_l", -0.5);
    layer("noise null", "sigma_l", nullptr);
    layer("negative curvature", "loss_curvature", -1);
    layer("another layer", "layer", "conv9");
    add("a layer less", [](OrderedJson& j) {
      if (!j.contains("layers") || !j["layers"].is_array()) return false;
      j["layers"].erase(0);
      return true;
    });
    add("another run", [](OrderedJson& j) {
      if (!j.contains("run")) return false;
      j["run"] = "0";
      return true;
    });
    add("another stage", [](OrderedJson& j) {
      if (!j.contains("stage")) return false;
      j["stage"] = "elsewhere";
      return true;
    });
    add("stage a number", [](OrderedJson& j) {
      if (!j.contains("stage")) return false;
      j["stage"] = 1;
      return true;
    });
  }
  all.push_back(
      json_damage("no checksum", false, [](OrderedJson& j) { return j.erase("checksum") > 0; }));
  all.push_back(json_damage("checksum a list", false, [](OrderedJson& j) {
    j["checksum"] = OrderedJson::array({1});
    return true;
  }));
  const std::string nest = std::string(200000, '[') + std::string(200000, ']');
  all.push_back({"nested", [=](const std::string&) { return "{\"a\":" + nest + "}"; }});
  all.push_back({"in an array", [](const std::string& t) { return "[" + t + "]"; }});
  return all;
}

/// A run of one search point, quick, and what it left.
struct StageBench : Bench {
  std::string name = "stages";

  std::string resume() const {
    return program + " run lenet5 --threads 2 --quiet --data mnist:" + folder.path().string() +
           " --schedule short --limit 120 --test-limit 60 --baseline-epochs 2 --baseline-lr 0.02"
           " --quantize-epochs 1 --search-epochs 1 --retrain-epochs 1 --batch 20 --calibrate 40"
           " --fold-images 20 --trace-images 20 --patches 40 --lambda 0.5 --library " +
           path("library") + " --costs " + path("costs.csv") + " --out " + path(name) +
           " --resume >" + path("stdout") + " 2>" + path("stderr");
  }
  /// Files that a resumed run reads, as paths in its folder.
  std::vector<std::string> stage_files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / name)) {
      const std::string file = entry.path().filename().string();
      if (file == "settings.json" || file == "epochs.json" || file == "evaluation.json" ||
          file == "sigma.json" || file == "weights.h5")
        files.push_back(std::filesystem::relative(entry.path(), folder / name).string());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  /// Damages the file, resumes, and puts it back: a wrong number would be exit 0, a fault 70.
  /// Bytes that mean nothing may be changed (`or_harmless`): then the record is what it was.
  void check_refused(const std::string& file, const Damage& damage,
                     bool or_harmless = false) const {
    const auto place = folder / name / file;
    const std::string before = read_text(place);
    const auto after = damage.apply(before);
    // Other settings under a right checksum are other options, which is said elsewhere.
    if (!after || (damage.sealed && file == "settings.json")) return;
    CAPTURE(file);
    CAPTURE(damage.name);
    const nlohmann::json points = without_seconds(record(name)["points"]);
    write_text(place, *after);
    const int code = run(resume());
    const std::string said = read_text(folder / "stderr");
    CAPTURE(said);
    write_text(place, before);
    if (or_harmless && code == 0) {
      CHECK(without_seconds(record(name)["points"]) == points);
      return;
    }
    CHECK(code == 3);
    CHECK(said.find("AX946") != std::string::npos);
    CHECK(said.find(file) != std::string::npos);
    CHECK(said.find("--force") != std::string::npos);
  }
};

}  // namespace axmul::test
