#include "inference/llama/llama_model.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

namespace cloister::inference {
namespace {

constexpr uint32_t kBatchTokens = 512;
constexpr int32_t kWholeConversation = -1;

// What scripts/fetch_llama builds for.
bool cpu_can_run_this() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2");
#else
  return true;
#endif
}

// Before anything else: at its chattier levels the library logs tokens.
void start_library_silently() {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    llama_backend_init();
  });
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// A batch in the library's shape, on our own memory so that it can be wiped.
class PlainBatch {
 public:
  explicit PlainBatch(const Batch& batch)
      : tokens_(batch.size()),
        positions_(batch.size()),
        counts_(batch.size(), 1),
        slots_(batch.size()),
        slot_pointers_(batch.size()),
        wanted_(batch.size()) {
    for (size_t i = 0; i < batch.size(); ++i) {
      tokens_[i] = batch[i].token;
      positions_[i] = static_cast<llama_pos>(batch[i].position);
      slots_[i] = static_cast<llama_seq_id>(batch[i].slot);
      slot_pointers_[i] = &slots_[i];
      wanted_[i] = batch[i].wants_logits ? 1 : 0;
    }
  }
  llama_batch get() {
    return {static_cast<int32_t>(tokens_.size()),
            tokens_.data(),
            nullptr,
            positions_.data(),
            counts_.data(),
            slot_pointers_.data(),
            wanted_.data()};
  }

 private:
  std::vector<llama_token, WipingAllocator<llama_token>> tokens_;
  std::vector<llama_pos> positions_;
  std::vector<int32_t> counts_;
  std::vector<llama_seq_id> slots_;
  std::vector<llama_seq_id*> slot_pointers_;
  std::vector<int8_t> wanted_;
};

int32_t thread_count(uint32_t asked) {
  const uint32_t all = std::max(1u, std::thread::hardware_concurrency());
  return static_cast<int32_t>(std::min(asked == 0 ? all : asked, kMaxThreads));
}

}  // namespace

std::expected<std::unique_ptr<LlamaModel>, EngineError> LlamaModel::load(
    const ModelFile& file, const LlamaConfig& config) {
  if (!cpu_can_run_this()) return std::unexpected(EngineError::cpu_unsupported);
  start_library_silently();
  std::unique_ptr<LlamaModel> out(new LlamaModel);
  try {
    if (!out->open_weights(file.bytes()) || !out->can_serve() || !out->open_context(config)) {
      return std::unexpected(EngineError::model_unsupported);
    }
    out->chat_ = ChatPrompt::from(out->model_.get());
  } catch (const std::exception&) {
    return std::unexpected(EngineError::model_unsupported);
  }
  if (!out->chat_) return std::unexpected(EngineError::model_unsupported);
  return out;
}

// From the bytes that were checked, not from the disk, which could answer differently now.
bool LlamaModel::open_weights(Bytes file) {
  void* begin = const_cast<uint8_t*>(file.data());  // opened for reading only
  const std::unique_ptr<std::FILE, CloseFile> stream(fmemopen(begin, file.size(), "rb"));
  if (!stream) return false;
  llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = 0;
  params.load_mode = LLAMA_LOAD_MODE_NONE;
  params.use_extra_bufts = false;  // repacked kernels are not exact
  params.check_tensors = true;
  model_.reset(llama_model_load_from_file_ptr(stream.get(), params));
  if (!model_) return false;
  vocabulary_ = llama_model_get_vocab(model_.get());
  return vocabulary_ != nullptr;
}

// Recurrent states are not cells: the patch that wipes cells does not reach them.
bool LlamaModel::can_serve() const {
  const llama_model* m = model_.get();
  return llama_model_has_decoder(m) && !llama_model_has_encoder(m) &&
         !llama_model_is_recurrent(m) && !llama_model_is_hybrid(m) && !llama_model_is_diffusion(m);
}

bool LlamaModel::open_context(const LlamaConfig& config) {
  const auto trained = static_cast<uint32_t>(std::max(1, llama_model_n_ctx_train(model_.get())));
  llama_context_params params = llama_context_default_params();
  params.n_seq_max = config.slots;
  params.n_ctx = std::min(config.context_tokens, trained) * config.slots;
  params.n_batch = params.n_ubatch = kBatchTokens;
  params.n_threads = params.n_threads_batch = thread_count(config.threads);
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.kv_unified = false;
  params.swa_full = true;
  params.no_perf = true;
  context_.reset(llama_init_from_model(model_.get(), params));
  if (!context_) return false;
  ggml_threadpool_params pool = ggml_threadpool_params_default(params.n_threads);
  pool.poll = 0;  // idle threads sleep
  threads_.reset(ggml_threadpool_new(&pool));
  if (!threads_) return false;
  llama_attach_threadpool(context_.get(), threads_.get(), threads_.get());
  limits_ = {config.slots, std::min(llama_n_ctx_seq(context_.get()), trained), kBatchTokens};
  return true;
}

LlamaModel::~LlamaModel() {
  if (context_) llama_memory_clear(llama_get_memory(context_.get()), true);
}

std::expected<Tokens, EngineError> LlamaModel::prompt_tokens(
    const std::vector<ChatMessage>& messages) const {
  const auto prompt = chat_->render(messages);
  if (!prompt) return std::unexpected(EngineError::bad_conversation);
  const std::string_view text = prompt->reveal();
  const auto tokenize = [&](Tokens& into) {
    return llama_tokenize(vocabulary_, text.data(), static_cast<int32_t>(text.size()), into.data(),
                          static_cast<int32_t>(into.size()), true, true);
  };
  try {
    Tokens tokens(text.size() + 2);  // no token is shorter than a byte; begin and end may be added
    const int32_t count = tokenize(tokens);
    if (count < 0) return std::unexpected(EngineError::engine_failed);
    tokens.resize(static_cast<size_t>(count));
    return tokens;
  } catch (const std::exception&) {
    return std::unexpected(EngineError::engine_failed);
  }
}

bool LlamaModel::ends_answer(Token token) const {
  return llama_vocab_is_eog(vocabulary_, token);
}

UserText LlamaModel::text_of(Token token) const {
  std::vector<char, WipingAllocator<char>> text(64);
  const auto piece = [&] {
    return llama_token_to_piece(vocabulary_, token, text.data(), static_cast<int32_t>(text.size()),
                                0, false);
  };
  int32_t size = piece();
  if (size < 0) {
    text.resize(static_cast<size_t>(-size));
    size = piece();
  }
  return UserText({text.data(), static_cast<size_t>(std::max(size, 0))});
}

bool LlamaModel::decode(const Batch& batch) {
  PlainBatch plain(batch);
  try {
    return llama_decode(context_.get(), plain.get()) == 0;
  } catch (const std::exception&) {
    return false;
  }
}

std::span<float> LlamaModel::logits(size_t index) {
  float* row = llama_get_logits_ith(context_.get(), static_cast<int32_t>(index));
  if (!row) return {};
  return {row, static_cast<size_t>(llama_vocab_n_tokens(vocabulary_))};
}

// The library forgets cells without touching them; cmake/llama-wipe.patch makes it overwrite the
// stream of a sequence that is removed whole.
void LlamaModel::forget(uint32_t slot) {
  llama_memory_seq_rm(llama_get_memory(context_.get()), static_cast<llama_seq_id>(slot),
                      kWholeConversation, kWholeConversation);
}

}  // namespace cloister::inference
