// What a client and a node say to each other inside a sealed message: one request, then frames of
// the answer, the last of which carries the signed receipt. The twin of src/wire in C++. Refuses to
// write a request out of the node's bounds, and every frame that is too long or not in its only
// form.
import {type Bytes, join, text_bytes} from '../../sealed/bytes';
import {CborReader, CborWriter} from '../ledger/cbor';
import {sha256} from '../ledger/tagged';

export const kGeneratePath = '/cloister/v1/generate'; // inside the sealed message
export const kMaxRequestBytes = 2 << 20;
export const kMaxFrameBytes = 64 * 1024;

const kMaxMessages = 1024;
const kMaxConversationBytes = 1 << 20;
const kMaxStops = 4;
const kMaxStopBytes = 256;
const kMinTemperatureMicro = 1_000;
const kMaxTemperatureMicro = 2_000_000;
const kOneMicro = 1_000_000;
const kMaxTopK = 1024;
const kMaxTokens = 1 << 20;
const kMaxReceiptBytes = 4096;

export class WireError extends Error {}

const kRoles = ['system', 'user', 'assistant'] as const;
export type Role = (typeof kRoles)[number];
export interface ChatMessage {
  role: Role;
  content: string;
}

export interface Sampler {
  temperature_micro: number; // 0: the likeliest token; else 1,000 to two million
  top_k: number; // 0: as many as the sampler looks at
  top_p_micro: number; // 1 to one million
  min_p_micro: number; // 0 to one million
  seed: Bytes; // 32 bytes; the client's share of the randomness
}

export interface Request {
  messages: ChatMessage[];
  sampler: Sampler;
  max_tokens: number; // 0: what the context has room for
  stops: string[];
  salt: Bytes; // 32 bytes; keeps the receipt's request hash from testing guesses
}

function within(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function sampler_in_bounds(sampler: Sampler): boolean {
  const {temperature_micro} = sampler;
  return (
    (temperature_micro === 0 ||
      within(temperature_micro, kMinTemperatureMicro, kMaxTemperatureMicro)) &&
    within(sampler.top_k, 0, kMaxTopK) &&
    within(sampler.top_p_micro, 1, kOneMicro) &&
    within(sampler.min_p_micro, 0, kOneMicro) &&
    sampler.seed.length === 32
  );
}

function byte_count(texts: string[]): number {
  return texts.reduce((total, text) => total + text_bytes(text).length, 0);
}

function check_request({messages, sampler, max_tokens, stops, salt}: Request): void {
  const conversation = messages.map((message) => message.content);
  const talk =
    within(messages.length, 1, kMaxMessages) && byte_count(conversation) <= kMaxConversationBytes;
  if (!talk) throw new WireError('the conversation is empty or too large');
  const stops_fit =
    stops.length <= kMaxStops &&
    stops.every((stop) => within(byte_count([stop]), 1, kMaxStopBytes));
  const fits =
    sampler_in_bounds(sampler) && within(max_tokens, 0, kMaxTokens) && salt.length === 32;
  if (!fits || !stops_fit) throw new WireError('a parameter is out of its bounds');
}

export function encode_request(request: Request): Bytes {
  check_request(request);
  const {messages, sampler, stops} = request;
  const out = new CborWriter().map(5).key(1).array(messages.length);
  for (const {role, content} of messages) {
    out.map(2).key(1).u64(kRoles.indexOf(role)).key(2).text(content);
  }
  out.key(2).map(5).key(1).u64(sampler.temperature_micro).key(2).u64(sampler.top_k);
  out.key(3).u64(sampler.top_p_micro).key(4).u64(sampler.min_p_micro).key(5).bytes(sampler.seed);
  out.key(3).u64(request.max_tokens).key(4).array(stops.length);
  for (const stop of stops) out.text(stop);
  const encoded = out.key(5).bytes(request.salt).take();
  if (encoded.length > kMaxRequestBytes) throw new WireError('the request is too large');
  return encoded;
}

// The receipt's salted hashes: nobody without the salt can test a guess.
export function request_hash(encoded_request: Uint8Array, salt: Uint8Array): Promise<Bytes> {
  return sha256(text_bytes('cloister request v1\0'), salt, encoded_request);
}
export function answer_hash(answer: string, salt: Uint8Array): Promise<Bytes> {
  return sha256(text_bytes('cloister answer v1\0'), salt, text_bytes(answer));
}

// What a node refuses a request for. Numbers travel, from 1 in this order, and never change.
const kRefusals = [
  ['malformed', 'the request is not well-formed'],
  ['wrong_chain', 'the request names another chain'],
  ['wrong_instance', 'the request names another instance'],
  ['wrong_model', 'the session is for another model'],
  ['session_unknown', 'the ledger has no such session'],
  ['session_not_confirmed', 'the session is not confirmed for this instance'],
  ['session_not_read', 'the ledger could not be read with a proof'],
  ['sequence_not_rising', 'this request of the session was already made'],
  ['budget_exhausted', "the session's units are used up"],
  ['deadline_passed', 'the request came after its deadline'],
  ['busy', 'the node has no room for the request now'],
  ['context_length_exceeded', "the conversation is longer than the model's context"],
  ['bad_parameter', 'a parameter of the request is out of its bounds'],
  ['engine_failed', 'the model failed'],
  ['cancelled', 'the request was cancelled'],
  ['draining', 'the node takes no new work'],
  ['document_unavailable', 'a document is not where the request says, not what it says, or no text'],
] as const;
export type Refusal = (typeof kRefusals)[number][0];

export function describe_refusal(refusal: Refusal): string {
  return kRefusals.find(([name]) => name === refusal)?.[1] ?? '';
}

const kFinishReasons = ['stop', 'length', 'cancelled'] as const; // from 1
export type FinishReason = (typeof kFinishReasons)[number];

export interface Done {
  kind: 'done';
  finish: FinishReason;
  prompt_tokens: number;
  completion_tokens: number;
  receipt: Bytes; // CBOR; ledger/receipt.ts
  signature: Bytes;
  answer_salt: Bytes;
}
export type Frame = {kind: 'text'; text: string} | Done | {kind: 'failed'; refusal: Refusal};

// One of a list whose numbers start with 1.
function numbered<T>(items: readonly T[], number: number): T {
  const item = items[number - 1];
  if (item === undefined) throw new WireError('a number is not of its list');
  return item;
}

function next<T>(reader: CborReader, key: number, read: (reader: CborReader) => T): T {
  reader.key(key);
  return read(reader);
}

function read_done(reader: CborReader): Done {
  return {
    kind: 'done',
    finish: next(reader, 2, (r) => numbered(kFinishReasons, r.small())),
    prompt_tokens: next(reader, 3, (r) => r.small()),
    completion_tokens: next(reader, 4, (r) => r.small()),
    receipt: next(reader, 5, (r) => r.bytes(kMaxReceiptBytes)),
    signature: next(reader, 6, (r) => r.fixed(64)),
    answer_salt: next(reader, 7, (r) => r.fixed(32)),
  };
}

function read_frame(reader: CborReader): Frame {
  const entries = reader.map_up_to(7);
  const kind = next(reader, 1, (r) => r.small());
  if (kind === 2 && entries === 7) return read_done(reader);
  if (entries !== 2) throw new WireError('a frame is not well-formed');
  if (kind === 1) return {kind: 'text', text: next(reader, 2, (r) => r.text(kMaxFrameBytes))};
  if (kind !== 3) throw new WireError('a frame is of an unknown kind');
  return {kind: 'failed', refusal: next(reader, 2, (r) => numbered(kRefusals, r.small())[0])};
}

export function decode_frame(body: Uint8Array): Frame {
  const reader = new CborReader(body);
  const out = read_frame(reader);
  reader.finish();
  return out;
}

// Reassembles frames, each a u32 big-endian length and CBOR, from a stream that cuts them anywhere.
export class FrameReader {
  private pending: Bytes = new Uint8Array();
  private broken = false;

  // Nothing is left that waits for more bytes.
  get empty(): boolean {
    return this.pending.length === 0;
  }

  // The frames that are whole now. After an error the stream is broken for good.
  feed(more: Uint8Array): Frame[] {
    if (this.broken) throw new WireError('the stream is broken');
    this.pending = join(this.pending, more);
    try {
      return [...this.frames()];
    } catch (error) {
      this.broken = true;
      throw error instanceof WireError ? error : new WireError('a frame is not well-formed');
    }
  }

  private *frames(): Generator<Frame> {
    while (this.pending.length >= 4) {
      const size = new DataView(this.pending.buffer, this.pending.byteOffset).getUint32(0);
      if (size > kMaxFrameBytes) throw new WireError('a frame is too long');
      if (this.pending.length < 4 + size) return;
      yield decode_frame(this.pending.subarray(4, 4 + size));
      this.pending = this.pending.slice(4 + size);
    }
  }
}
