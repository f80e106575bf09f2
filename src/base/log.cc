#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json.h"
#include "base/seams.h"
#include "base/text.h"

namespace cloister {
namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  std::abort();
}

spdlog::logger& sink() {
  static auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("cloister",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

}  // namespace

std::optional<LogLevel> log_level_from(std::string_view name) {
  for (auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    if (name == name_of(level)) return level;
  }
  return std::nullopt;
}

LogField::LogField(LogWord k, const Hash32& id) : key(k), value(to_hex(Bytes(id).first(8))) {}

Log::Log(std::string_view program, LogLevel level) : program_(program), level_(level) {}

void Log::debug(LogWord event, std::initializer_list<LogField> fields) const {
  write(LogLevel::debug, event, fields);
}
void Log::info(LogWord event, std::initializer_list<LogField> fields) const {
  write(LogLevel::info, event, fields);
}
void Log::warning(LogWord event, std::initializer_list<LogField> fields) const {
  write(LogLevel::warning, event, fields);
}
void Log::error(LogWord event, std::initializer_list<LogField> fields) const {
  write(LogLevel::error, event, fields);
}

void Log::write(LogLevel level, LogWord event, std::initializer_list<LogField> fields) const {
  if (level < level_) return;
  JsonValue line;
  line.set("time_ms", SystemClock{}.now_ms());
  line.set("level", name_of(level));
  line.set("program", program_);
  line.set("event", event.view());
  for (const LogField& field : fields) {
    std::visit([&](const auto& v) { line.set(field.key.view(), JsonValue(v)); }, field.value);
  }
  sink().log(spdlog::level::info, "{}", line.dump());
}

}  // namespace cloister
