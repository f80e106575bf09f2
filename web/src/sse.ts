// Reads one streamed chat answer. A stream is an answer only when it carries a finish_reason and
// then [DONE]; whatever else happens (cut connection, error frame, unknown event, broken JSON) is a
// StreamError, never a shorter answer that looks complete.

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

export type StreamPart =
  | {kind: 'text'; text: string}
  | {kind: 'reasoning'; text: string}
  | {kind: 'finish'; reason: FinishReason}
  | {kind: 'usage'; prompt_tokens: number; completion_tokens: number};

// `code` is the gateway's when it sent an error frame, else one of ours:
// stream_cut, stream_malformed, stream_too_long.
export class StreamError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const kMaxLineChars = 1 << 20;
const kMaxAnswerChars = 4 << 20;
const kFinishReasons: readonly string[] = ['stop', 'length', 'tool_calls', 'content_filter'];

export async function* read_stream(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamPart> {
  const lines = new LineReader();
  const events = new EventReader();
  const answer = new AnswerReader();
  for await (const bytes of body) {
    for (const line of lines.push(bytes)) {
      const event = events.line(line);
      if (event !== undefined) yield* answer.accept(event);
    }
  }
  answer.end();
}

interface ServerEvent {
  name: string;
  data: string;
}

// Bytes to lines; a line may arrive split anywhere, even inside a character.
class LineReader {
  private readonly decoder = new TextDecoder('utf-8', {fatal: true});
  private rest = '';

  push(bytes: Uint8Array): string[] {
    this.rest += this.decode(bytes);
    const lines = this.rest.split('\n');
    this.rest = lines.pop() ?? '';
    if (this.rest.length > kMaxLineChars || lines.some((line) => line.length > kMaxLineChars)) {
      throw new StreamError('stream_too_long', '');
    }
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  private decode(bytes: Uint8Array): string {
    try {
      return this.decoder.decode(bytes, {stream: true});
    } catch {
      throw malformed('bytes that are not UTF-8');
    }
  }
}

// Lines to events. An event that the end of the stream cuts off is never delivered.
class EventReader {
  private name = '';
  private data: string[] = [];

  line(line: string): ServerEvent | undefined {
    if (line === '') return this.take();
    if (line.startsWith(':')) return undefined; // keep-alive
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.name = value;
    else if (field !== 'id' && field !== 'retry') throw malformed('an unknown field');
    return undefined;
  }

  private take(): ServerEvent | undefined {
    const event = {name: this.name, data: this.data.join('\n')};
    const empty = this.data.length === 0;
    this.name = '';
    this.data = [];
    return empty ? undefined : event;
  }
}

// Events to parts of the answer, in the only order that is allowed:
// text*, one finish_reason, at most one usage, [DONE], end.
class AnswerReader {
  private finished = false;
  private used = false;
  private done = false;
  private chars = 0;

  *accept(event: ServerEvent): Generator<StreamPart> {
    if (this.done) throw malformed('data after its end');
    if (!['', 'message', 'error'].includes(event.name)) throw malformed('an unknown event');
    if (event.data === '[DONE]') {
      if (!this.finished) throw malformed('an end without a finish_reason');
      this.done = true;
      return;
    }
    const chunk = parse_object(event.data);
    if (chunk['error'] !== undefined || event.name === 'error') throw gateway_error(chunk['error']);
    const choices = chunk['choices'];
    if (!Array.isArray(choices)) throw malformed('a chunk without choices');
    if (choices.length === 0) return yield* this.usage(chunk['usage']);
    for (const choice of choices) yield* this.choice(choice);
  }

  end(): void {
    if (!this.done) {
      throw new StreamError('stream_cut', '');
    }
  }

  private *choice(choice: unknown): Generator<StreamPart> {
    if (!is_object(choice) || choice['index'] !== 0) throw malformed('an unexpected choice');
    if (this.finished) throw malformed('text after its finish_reason');
    const delta = choice['delta'] ?? {};
    if (!is_object(delta)) throw malformed('a delta that is no object');
    const reasoning = this.text(delta['reasoning_content']);
    if (reasoning !== '') yield {kind: 'reasoning', text: reasoning};
    const text = this.text(delta['content']);
    if (text !== '') yield {kind: 'text', text};
    const reason = choice['finish_reason'] ?? null;
    if (reason === null) return;
    if (!kFinishReasons.includes(String(reason))) throw malformed('an unknown finish_reason');
    this.finished = true;
    yield {kind: 'finish', reason: reason as FinishReason};
  }

  private *usage(usage: unknown): Generator<StreamPart> {
    if (!this.finished || this.used) throw malformed('usage at the wrong place');
    this.used = true;
    if (!is_object(usage)) throw malformed('an empty chunk');
    const prompt_tokens = usage['prompt_tokens'];
    const completion_tokens = usage['completion_tokens'];
    if (!is_count(prompt_tokens) || !is_count(completion_tokens)) throw malformed('bad usage');
    yield {kind: 'usage', prompt_tokens, completion_tokens};
  }

  private text(value: unknown): string {
    if (value === undefined || value === null) return '';
    if (typeof value !== 'string') throw malformed('text that is no string');
    this.chars += value.length;
    if (this.chars > kMaxAnswerChars) {
      throw new StreamError('stream_too_long', '');
    }
    return value;
  }
}

function parse_object(data: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw malformed('broken JSON');
  }
  if (!is_object(value)) throw malformed('JSON that is no object');
  return value;
}

function gateway_error(error: unknown): StreamError {
  const fields = is_object(error) ? error : {};
  const code = typeof fields['code'] === 'string' ? fields['code'] : 'server_error';
  const message = typeof fields['message'] === 'string' ? fields['message'] : '';
  return new StreamError(code, message);
}

function malformed(what: string): StreamError {
  return new StreamError('stream_malformed', `The gateway sent ${what}.`);
}

function is_object(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function is_count(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
