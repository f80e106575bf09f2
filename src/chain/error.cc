#include "chain/error.h"

namespace cloister::chain {

std::string_view describe(ChainError error) {
  switch (error) {
    case ChainError::io:
      return "the database cannot be read or written";
    case ChainError::disk_full:
      return "the disk is full";
    case ChainError::in_use:
      return "another program has the database open";
    case ChainError::not_a_database:
      return "the file is not a ledger database";
    case ChainError::wrong_format:
      return "the database has a format of another version";
    case ChainError::damaged:
      return "the database is damaged";
    case ChainError::wrong_chain:
      return "the database belongs to another chain";
    case ChainError::wrong_genesis:
      return "the database began with another genesis";
    case ChainError::missing_block:
      return "a block is missing from the database";
    case ChainError::bad_block:
      return "a stored block is not what was written";
    case ChainError::broken_link:
      return "a stored block does not follow the one before it";
    case ChainError::bad_signature:
      return "the last block is not signed by the validator";
    case ChainError::root_mismatch:
      return "the stored state is not the one the blocks lead to";
    case ChainError::bad_genesis:
      return "the genesis cannot be used";
    case ChainError::wrong_validator:
      return "the key is not the genesis validator's";
    case ChainError::bad_chain_id:
      return "the chain id is empty or too long";
    case ChainError::cannot_listen:
      return "the address cannot be listened on";
    case ChainError::stopped:
      return "the chain stopped after an error";
    case ChainError::bad_snapshot:
      return "a part of the snapshot is missing, damaged or of another one";
    case ChainError::exists:
      return "there is something already where it should go";
  }
  return "unknown";
}

}  // namespace cloister::chain
