// The only door to the log. Events have names from a closed list of literals, fields are numbers
// and identifiers; there is no overload for UserText, Secret or free text of a peer. JSON lines on
// stderr.
#pragma once

#include <initializer_list>
#include <variant>

#include "base/bytes.h"

namespace cloister {

enum class LogLevel { debug, info, warning, error };
std::optional<LogLevel> log_level_from(std::string_view name);

// A word from our own code: a string literal or the name of an enum value.
class LogWord {
 public:
  consteval LogWord(const char* literal) : text_(literal) {}
  // For names that a function of ours returned for an enum value or a program argument.
  static LogWord trusted(std::string_view text) { return LogWord(text, 0); }
  std::string_view view() const { return text_; }

 private:
  LogWord(std::string_view text, int) : text_(text) {}
  std::string_view text_;
};

struct LogField {
  LogField(LogWord k, int64_t v) : key(k), value(v) {}
  LogField(LogWord k, uint64_t v) : key(k), value(static_cast<int64_t>(v)) {}
  LogField(LogWord k, int v) : key(k), value(int64_t{v}) {}
  LogField(LogWord k, uint32_t v) : key(k), value(int64_t{v}) {}
  LogField(LogWord k, LogWord v) : key(k), value(std::string(v.view())) {}
  LogField(LogWord k, const Hash32& id);  // an identifier: its first 8 bytes in hex
  LogWord key;
  std::variant<int64_t, std::string> value;
};

class Log {
 public:
  Log(std::string_view program, LogLevel level);  // program: "node", "gateway", …
  void debug(LogWord event, std::initializer_list<LogField> fields = {}) const;
  void info(LogWord event, std::initializer_list<LogField> fields = {}) const;
  void warning(LogWord event, std::initializer_list<LogField> fields = {}) const;
  void error(LogWord event, std::initializer_list<LogField> fields = {}) const;

 private:
  void write(LogLevel level, LogWord event, std::initializer_list<LogField> fields) const;
  std::string program_;
  LogLevel level_;
};

}  // namespace cloister
