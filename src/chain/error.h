// Why the chain could not be opened or went no further. Values never change meaning.
#pragma once

#include <expected>
#include <string_view>

namespace cloister::chain {

enum class ChainError {
  // the file
  io = 1,
  disk_full,
  in_use,
  not_a_database,
  wrong_format,
  damaged,
  // what it holds
  wrong_chain,
  wrong_genesis,
  missing_block,
  bad_block,
  broken_link,
  bad_signature,
  root_mismatch,
  // the configuration
  bad_genesis,
  wrong_validator,
  bad_chain_id,
  cannot_listen,
  // the driver
  stopped,
  // backups
  bad_snapshot,
  exists,
};

std::string_view describe(ChainError error);

template <typename T>
using Result = std::expected<T, ChainError>;
using Status = Result<void>;

}  // namespace cloister::chain
