#include "inference/default_model.h"

#include <cstdlib>

#include "base/files.h"
#include "base/text.h"

namespace cloister::inference {

ExpectedModel default_model() {
  return {
      *fixed_from_hex<32>("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
      *fixed_from_hex<32>("35695679c0c66cbc1a2a818fb9b73dcbcf478ce7ba3146c6c06213d97667438a"),
  };
}

std::filesystem::path default_model_path() {
  if (const char* model = std::getenv("CLOISTER_MODEL")) return model;
  return cache_folder() / "models" / kDefaultModelFile;
}

}  // namespace cloister::inference
