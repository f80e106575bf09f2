// Damage of every kind: killed writers, files cut at any byte, flipped bytes. The chain opens with
// a state that some committed block had, whole, or says what is wrong. It never opens with another.
#include "chain/block_store.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "chain/chain_testing.h"

namespace cloister::chain {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, std::string_view content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
}

// A chain of twelve blocks, as two sets of files: closed, and as a kill would leave it.
class Damage : public testing::Test {
 protected:
  Damage() {
    const std::string path = folder_.file("whole.db");
    {
      auto chain = open_toy(path);
      for (int i = 0; i < 12; ++i) {
        for (uint64_t k = 0; k < 3; ++k) {
          chain->submit(toy_tx(toy_sender(1), static_cast<uint64_t>(i) * 3 + k,
                               "key" + std::to_string(k * 7 + static_cast<uint64_t>(i) % 5),
                               std::string(50, static_cast<char>('a' + i))));
        }
        EXPECT_TRUE(chain->produce(kTestGenesisMs + i * 1000));
        blocks_.push_back(encode_block(*chain->last()));
        roots_.push_back(chain->last()->app_hash);
      }
      killed_db_ = read_file(path);
      killed_wal_ = read_file(path + "-wal");
    }
    closed_db_ = read_file(path);
    EXPECT_FALSE(std::filesystem::exists(path + "-wal"));
  }

  // Opens what the files hold. Whatever opens must be a prefix of the chain.
  std::optional<ChainError> open(std::string_view db, std::string_view wal) {
    const std::string path = folder_.file("damaged.db");
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
    write_file(path, db);
    if (!wal.empty()) write_file(path + "-wal", wal);
    const auto chain = open_toy(path);
    if (!chain) return chain.error();
    const int64_t height = chain->height();
    for (int64_t h = 1; h <= height; ++h) {
      EXPECT_EQ(encode_block(*chain->block(h)), blocks_[static_cast<size_t>(h - 1)]);
    }
    if (height > 0) {
      EXPECT_EQ(chain->view_at(height)->app_hash(), roots_[static_cast<size_t>(height - 1)]);
    }
    opened_height_ = height;
    return std::nullopt;
  }

  TemporaryFolder folder_;
  std::vector<Buffer> blocks_;
  std::vector<Hash32> roots_;
  std::string closed_db_, killed_db_, killed_wal_;
  int64_t opened_height_ = -1;
};

TEST_F(Damage, WholeFilesOpen) {
  EXPECT_EQ(open(closed_db_, ""), std::nullopt);
  EXPECT_EQ(opened_height_, 12);
  EXPECT_EQ(open(killed_db_, killed_wal_), std::nullopt);
  EXPECT_EQ(opened_height_, 12);
}

TEST_F(Damage, FilesCutAnywhereNeverOpenWrong) {
  int refused = 0;
  SeededRandom random(3);
  for (size_t size = 0; size < closed_db_.size(); size += 1 + random.next() % 400) {
    SCOPED_TRACE(size);
    if (open(std::string_view(closed_db_).substr(0, size), "")) ++refused;
  }
  EXPECT_GT(refused, 100);
  EXPECT_EQ(open("", ""), ChainError::not_a_database);
  EXPECT_EQ(open(std::string_view(closed_db_).substr(0, 100), ""), ChainError::damaged);
}

TEST_F(Damage, LogsCutAnywhereOpenAtAnEarlierBlock) {
  SeededRandom random(4);
  int64_t highest = 0;
  for (size_t size = 0; size < killed_wal_.size(); size += 1 + random.next() % 900) {
    SCOPED_TRACE(size);
    EXPECT_EQ(open(killed_db_, std::string_view(killed_wal_).substr(0, size)), std::nullopt);
    EXPECT_GE(opened_height_, highest);
    highest = opened_height_;
  }
  EXPECT_EQ(highest, 11);  // without its last bytes the last block is not committed
}

TEST_F(Damage, FlippedBytesNeverOpenWrong) {
  SeededRandom random(5);
  int refused = 0;
  for (size_t at = 0; at < closed_db_.size(); at += 1 + random.next() % 120) {
    SCOPED_TRACE(at);
    std::string bytes = closed_db_;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.next() % 8));
    if (open(bytes, "")) ++refused;
  }
  EXPECT_GT(refused, 50);
  for (size_t at = 0; at < killed_wal_.size(); at += 1 + random.next() % 700) {
    SCOPED_TRACE(at);
    std::string bytes = killed_wal_;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.next() % 8));
    open(killed_db_, bytes);
  }
}

TEST_F(Damage, OtherFilesAreRefused) {
  EXPECT_EQ(open("just some text that is long enough to be looked at", ""),
            ChainError::not_a_database);
  std::string other = closed_db_;
  other[68 + 3] ^= 1;  // application id
  EXPECT_EQ(open(other, ""), ChainError::not_a_database);
  other = closed_db_;
  other[60 + 3] ^= 2;  // user version
  EXPECT_EQ(open(other, ""), ChainError::wrong_format);
}

TEST_F(Damage, ALogWithoutItsDatabaseIsRefused) {
  write_file(folder_.file("gone.db-wal"), killed_wal_);
  EXPECT_EQ(open_toy(folder_.file("gone.db")).error(), ChainError::damaged);
}

TEST_F(Damage, ADraftOfACreationThatWasKilledIsReplaced) {
  write_file(folder_.file("fresh.db.new"), std::string_view(closed_db_).substr(0, 5000));
  const auto chain = open_toy(folder_.file("fresh.db"));
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->height(), 0);
}

// --- blocks in their stored form
// --------------------------------------------------------------------

TEST_F(Damage, EveryTruncationOfABlockIsRefused) {
  const Buffer& bytes = blocks_[3];
  ASSERT_TRUE(decode_block(bytes));
  EXPECT_EQ(encode_block(*decode_block(bytes)), bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_block(Bytes(bytes).first(size))) << size;
  }
  Buffer longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode_block(longer));
}

TEST_F(Damage, EachFaultOfASuccessorIsRefused) {
  const auto chain = open_toy(folder_.file("whole.db"));
  ASSERT_TRUE(chain);
  const Block last = *chain->block(3), good = *chain->block(4);
  const HeaderParts& parts = chain->parts();
  ASSERT_TRUE(check_successor(parts, &last, good));
  const auto spoiled = [&](auto spoil) {
    Block block = good;
    spoil(block);
    return check_successor(parts, &last, block).error();
  };
  using B = Block&;
  EXPECT_EQ(spoiled([](B b) { b.txs.pop_back(); }), ChainError::broken_link);
  EXPECT_EQ(spoiled([](B b) { b.results.pop_back(); }), ChainError::bad_block);
  EXPECT_EQ(spoiled([&](B b) { b.signed_header.header.time = last.header().time; }),
            ChainError::broken_link);
  EXPECT_EQ(spoiled([](B b) { b.signed_header.header.app_hash[0] ^= 1; }), ChainError::broken_link);
  EXPECT_EQ(spoiled([](B b) { b.signed_header.commit.block_id.hash[0] ^= 1; }),
            ChainError::bad_block);
  EXPECT_EQ(spoiled([](B b) { b.signed_header.commit.height += 1; }), ChainError::bad_block);
  Block unsigned_block = good;
  EXPECT_TRUE(check_signature(parts, good));
  unsigned_block.signed_header.commit.signatures[0].signature[0] ^= 1;
  EXPECT_EQ(check_signature(parts, unsigned_block).error(), ChainError::bad_signature);
  unsigned_block.signed_header.commit.signatures.clear();
  EXPECT_EQ(check_signature(parts, unsigned_block).error(), ChainError::bad_signature);
}

// --- kill -9
// ----------------------------------------------------------------------------------------

// Writes blocks for ever and reports each height when it is durable.
[[noreturn]] void write_blocks(const std::string& path, int report_fd) {
  auto chain = open_toy(path);
  if (!chain) ::_exit(1);
  const Hash32 sender = toy_sender(1);
  for (;;) {
    const auto next = static_cast<uint64_t>(chain->height());
    chain->submit(toy_tx(sender, next, "height", std::to_string(next)));
    if (!chain->produce(kTestGenesisMs)) ::_exit(2);
    const int64_t height = chain->height();
    if (::write(report_fd, &height, sizeof height) != sizeof height) ::_exit(3);
  }
}

// Reads heights until `enough` came and a random moment more has passed; the last one read.
int64_t follow(int fd, int enough, SeededRandom& random) {
  int64_t height = 0;
  for (int i = 0; i < enough; ++i) {
    if (::read(fd, &height, sizeof height) != sizeof height) return -1;
  }
  const timespec moment{0, static_cast<long>(random.next() % 4'000'000)};
  pollfd nothing{-1, 0, 0};
  ::ppoll(&nothing, 1, &moment, nullptr);
  return height;
}

TEST(Kill, AWriterKilledAtAnyMomentLosesNothingThatItReported) {
  constexpr int kRounds = 30;
  TemporaryFolder folder;
  const std::string path = folder.file("ledger.db");
  SeededRandom random(6);
  int64_t reported = 0;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    const pid_t child = ::fork();
    if (child == 0) write_blocks(path, fds[1]);
    ::close(fds[1]);
    const int64_t seen = follow(fds[0], 1 + static_cast<int>(random.next() % 6), random);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(fds[0]);
    ASSERT_GT(seen, reported);
    const auto chain = open_toy(path);  // verifies all blocks and the state's root
    ASSERT_TRUE(chain) << describe(chain.error());
    ASSERT_GE(chain->height(), seen);
    const auto read = chain->view_at(chain->height())->read("jobs", as_bytes("height"));
    EXPECT_EQ(as_text(*read->value), std::to_string(chain->height() - 1));
    reported = chain->height();
  }
}

TEST(Kill, ACreationKilledAtAnyMomentLeavesNothingHalf) {
  TemporaryFolder folder;
  SeededRandom random(8);
  for (int round = 0; round < 20; ++round) {
    const std::string path = folder.file("c" + std::to_string(round));
    const pid_t child = ::fork();
    if (child == 0) {
      const auto chain = open_toy(path);
      ::_exit(chain ? 0 : 1);
    }
    const timespec moment{0, static_cast<long>(random.next() % 6'000'000)};
    pollfd nothing{-1, 0, 0};
    ::ppoll(&nothing, 1, &moment, nullptr);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    const auto chain = open_toy(path);
    ASSERT_TRUE(chain) << describe(chain.error());
    EXPECT_EQ(chain->height(), 0);
  }
}

}  // namespace
}  // namespace cloister::chain
