#include "chain/comet/documents.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "chain/abci/host.h"
#include "light/json_form.h"

namespace cloister::chain::comet {
namespace {

constexpr const char* kPrivateType = "tendermint/PrivKeyEd25519";
constexpr const char* kPublicType = "tendermint/PubKeyEd25519";
constexpr int64_t kMaxBlockBytes = 4 << 20;
constexpr int64_t kMaxEvidenceBytes = 1 << 20;
// Both must have passed before evidence is too old; stakes are bound for longer.
constexpr uint64_t kEvidenceBlocks = 100'000;
constexpr int64_t kEvidenceNanos = int64_t{48} * 3600 * 1'000'000'000;

// Go's form of an Ed25519 private key: seed and public key.
JsonValue private_key(const crypto::Ed25519Key& key) {
  const auto seed = key.seed();
  Buffer both(seed.reveal().begin(), seed.reveal().end());
  both.insert(both.end(), key.public_key().begin(), key.public_key().end());
  JsonValue out = JsonValue::object({{"type", kPrivateType}, {"value", to_base64(both)}});
  wipe(both.data(), both.size());
  return out;
}

JsonValue public_key(const crypto::Ed25519Public& key) {
  return JsonValue::object({{"type", kPublicType}, {"value", to_base64(key)}});
}

JsonValue consensus_params(const ledger::Genesis& genesis) {
  const auto blocks = static_cast<int64_t>(std::min(kEvidenceBlocks, genesis.params.unbond_blocks));
  JsonValue key_types = JsonValue::Array();
  key_types.push("ed25519");
  return JsonValue::object(
      {{"block", JsonValue::object({{"max_bytes", light::decimal(kMaxBlockBytes)},
                                    {"max_gas", light::decimal(-1)}})},
       {"evidence", JsonValue::object({{"max_age_num_blocks", light::decimal(blocks)},
                                       {"max_age_duration", light::decimal(kEvidenceNanos)},
                                       {"max_bytes", light::decimal(kMaxEvidenceBytes)}})},
       {"validator", JsonValue::object({{"pub_key_types", key_types}})},
       {"version",
        JsonValue::object({{"app", light::decimal(static_cast<int64_t>(abci::kAppVersion))}})},
       {"abci", JsonValue::object({{"vote_extensions_enable_height", light::decimal(1)}})}});
}

std::string quoted(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ","));
}

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", word);
  return out;
}

}  // namespace

std::string consensus_key_json(const crypto::Ed25519Key& key) {
  return JsonValue::object({{"address", to_hex_upper(light::address_of(key.public_key()))},
                            {"pub_key", public_key(key.public_key())},
                            {"priv_key", private_key(key)}})
             .dump_pretty() +
         "\n";
}

std::optional<crypto::Ed25519Key> consensus_key_from(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || (*json)["priv_key"]["type"].string() != kPrivateType) return std::nullopt;
  const auto value = (*json)["priv_key"]["value"].string();
  auto bytes = value ? from_base64(*value) : std::nullopt;
  if (!bytes || bytes->size() != 64) return std::nullopt;
  Secret<32> seed;
  std::copy_n(bytes->begin(), 32, seed.reveal_mutable().begin());
  auto key = crypto::Ed25519Key::from_seed(seed);
  const bool same = equal(Bytes(*bytes).subspan(32), key.public_key());
  wipe(bytes->data(), bytes->size());
  if (!same) return std::nullopt;
  return key;
}

std::string fresh_state_json() {
  return "{\n  \"height\": \"0\",\n  \"round\": 0,\n  \"step\": 0\n}\n";
}

std::string node_key_json(const crypto::Ed25519Key& key) {
  return JsonValue::object({{"priv_key", private_key(key)}}).dump() + "\n";
}

std::string node_id(const crypto::Ed25519Public& key) {
  return to_hex(light::address_of(key));
}

std::string genesis_document(const ledger::Genesis& genesis) {
  JsonValue validators = JsonValue::Array();
  for (const ledger::Validator& v : genesis.validators) {
    validators.push(JsonValue::object({{"address", to_hex_upper(light::address_of(v.public_key))},
                                       {"pub_key", public_key(v.public_key)},
                                       {"power", light::decimal(static_cast<int64_t>(v.power))},
                                       {"name", ""}}));
  }
  const auto time = light::Timestamp::from_ms(static_cast<UnixMillis>(genesis.time_ms));
  return JsonValue::object({{"genesis_time", light::time_text(time)},
                            {"chain_id", genesis.chain_id},
                            {"initial_height", "1"},
                            {"consensus_params", consensus_params(genesis)},
                            {"validators", std::move(validators)},
                            {"app_hash", ""},
                            {"app_state", abci::app_state(genesis.hash())}})
             .dump_pretty() +
         "\n";
}

std::string config_toml(const EngineConfig& c) {
  std::string out = fmt::format(
      "proxy_app = \"unix://{}\"\nabci = \"socket\"\nmoniker = \"{}\"\nlog_level = \"{}\"\n\n"
      "[rpc]\nladdr = \"tcp://{}\"\npprof_laddr = \"\"\ncors_allowed_origins = [{}]\n"
      "cors_allowed_headers = [\"Content-Type\"]\n\n"
      "[p2p]\nladdr = \"tcp://{}\"\npersistent_peers = \"{}\"\n",
      c.application, c.moniker, c.log_level, c.rpc, listed(c.web_origins), c.p2p, quoted(c.peers));
  if (c.one_machine) {
    out +=
        "addr_book_strict = false\nallow_duplicate_ip = true\npex = false\n"
        "flush_throttle_timeout = \"10ms\"\nsend_rate = 20480000\nrecv_rate = 20480000\n";
  }
  out += fmt::format(
      "\n[mempool]\nsize = 5000\nmax_txs_bytes = 67108864\nmax_tx_bytes = {}\n\n"
      "[tx_index]\nindexer = \"kv\"\n\n"
      "[consensus]\ntimeout_propose = \"{}ms\"\ntimeout_propose_delta = \"{}ms\"\n"
      "timeout_prevote = \"{}ms\"\ntimeout_prevote_delta = \"{}ms\"\n"
      "timeout_precommit = \"{}ms\"\ntimeout_precommit_delta = \"{}ms\"\n"
      "timeout_commit = \"{}ms\"\ndouble_sign_check_height = {}\n",
      ledger::kMaxTxBytes, c.pace.propose_ms, c.pace.propose_more_ms, c.pace.vote_ms,
      c.pace.vote_more_ms, c.pace.vote_ms, c.pace.vote_more_ms, c.pace.commit_ms,
      c.double_sign_check_blocks);
  if (c.one_machine) out += "peer_gossip_sleep_duration = \"20ms\"\n";
  if (c.state_sync) {
    out += fmt::format(
        "\n[statesync]\nenable = true\nrpc_servers = \"{}\"\ntrust_height = {}\n"
        "trust_hash = \"{}\"\ntrust_period = \"336h\"\ndiscovery_time = \"5s\"\n",
        quoted(c.state_sync->rpc_servers), c.state_sync->trust_height, c.state_sync->trust_hash);
  }
  return out;
}

}  // namespace cloister::chain::comet
