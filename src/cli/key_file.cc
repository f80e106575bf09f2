#include "cli/key_file.h"

#include "base/files.h"
#include "base/text.h"

namespace cloister::cli {

std::optional<Secret<32>> read_secret_file(const std::filesystem::path& path) {
  auto content = read_file(path, 65);
  if (!content) return std::nullopt;
  auto text = as_text(*content);
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto seed = fixed_from_hex<32>(text);
  wipe(content->data(), content->size());
  if (!seed) return std::nullopt;
  Secret<32> out(*seed);
  wipe(seed->data(), seed->size());
  return out;
}

std::optional<crypto::Ed25519Key> read_key_file(const std::filesystem::path& path) {
  auto seed = read_secret_file(path);
  if (!seed) return std::nullopt;
  return crypto::Ed25519Key::from_seed(*seed);
}

std::optional<crypto::Ed25519Key> make_key_file(const std::filesystem::path& path, Random& random) {
  if (std::filesystem::exists(path)) return read_key_file(path);
  auto key = crypto::Ed25519Key::generate(random);
  std::string text = to_hex(key.seed().reveal()) + "\n";
  bool written = write_file(path, as_bytes(text), FileMode::secret).has_value();
  wipe(text.data(), text.size());
  if (!written) return std::nullopt;
  return key;
}

}  // namespace cloister::cli
