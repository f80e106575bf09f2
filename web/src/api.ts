// The gateway, as this page talks to it. Same origin only; the session is an HttpOnly cookie.
import type {StreamPart} from './sse';
import {read_stream, StreamError} from './sse';

// `code` is the gateway's, or one of ours: unreachable, signed_out, bad_answer, stream_*.
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status = 0,
  ) {
    super(message);
  }
}

export interface Model {
  id: string;
  verified_nodes: number | undefined;
}

export interface Health {
  status: string;
  level: string;
  chain_id: string;
  height: number | undefined;
  verified_nodes: number | undefined;
  refused_nodes: RefusedNode[];
}

export interface RefusedNode {
  instance: string;
  reason: string;
}

export interface ChatMessage {
  role: 'user' | 'assistant';
  content: string;
}

export interface Answer {
  receipt_id: string | undefined;
  parts: AsyncGenerator<StreamPart>;
}

const kMaxJsonChars = 8 << 20;
const kMaxRefused = 32;
const kReceiptId = /^[A-Za-z0-9_-]{1,128}$/;

// Trades the token of the address for the session cookie.
export async function log_in(token: string): Promise<void> {
  await call('/ui/login', {method: 'POST', headers: {authorization: `Bearer ${token}`}});
}

export async function list_models(): Promise<Model[]> {
  const data = (await get_json('/v1/models'))['data'];
  if (!Array.isArray(data)) throw new ApiError('bad_answer', 'The gateway sent no list of models.');
  return data.flatMap((entry: unknown) => {
    const model = as_object(entry);
    const id = model['id'];
    return typeof id === 'string' ? [{id, verified_nodes: as_number(model['verified_nodes'])}] : [];
  });
}

// A gateway that is up but not ready says so with 503 and the same body.
export async function get_health(): Promise<Health> {
  const response = await request('/health');
  if (!response.ok && response.status !== 503) throw await refused(response);
  const health = as_object(parse(await bounded_text(response)));
  const refused_nodes = Array.isArray(health['refused_nodes']) ? health['refused_nodes'] : [];
  return {
    status: as_string(health['status']),
    level: as_string(health['level']),
    chain_id: as_string(health['chain_id']),
    height: as_number(health['height']),
    verified_nodes: as_number(health['verified_nodes']),
    refused_nodes: refused_nodes.slice(0, kMaxRefused).map((node: unknown) => ({
      instance: as_string(as_object(node)['instance']),
      reason: as_string(as_object(node)['reason']),
    })),
  };
}

// Returns when the answer starts to come. Its parts throw StreamError when it is not complete.
export async function ask(
  model: string,
  messages: ChatMessage[],
  signal: AbortSignal,
): Promise<Answer> {
  const body = {model, messages, stream: true, stream_options: {include_usage: true}};
  const response = await call('/v1/chat/completions', {
    method: 'POST',
    signal,
    body: JSON.stringify(body),
    headers: {'content-type': 'application/json', accept: 'text/event-stream'},
  });
  const type = response.headers.get('content-type') ?? '';
  if (!/^text\/event-stream\s*(;|$)/i.test(type) || response.body === null) {
    throw new ApiError('bad_answer', 'The gateway did not answer with a stream.');
  }
  const id = response.headers.get('x-cloister-receipt-id');
  return {
    receipt_id: id !== null && kReceiptId.test(id) ? id : undefined,
    parts: read_stream(chunks(response.body)),
  };
}

// The receipt bundle: its text exactly as the gateway sent it, and its value. Nothing while there
// is none.
export async function get_receipt(id: string): Promise<{text: string; value: unknown} | undefined> {
  try {
    const text = await bounded_text(await call(`/v1/receipts/${encodeURIComponent(id)}`));
    return {text, value: parse(text)};
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

async function* chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const {done, value} = await read_or_cut(reader);
      if (done) return;
      yield value;
    }
  } finally {
    void reader.cancel().catch(() => undefined); // the stream may have failed already
  }
}

async function read_or_cut(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read();
  } catch (error) {
    if (is_abort(error)) throw error;
    throw new StreamError('stream_cut', '');
  }
}

async function get_json(path: string): Promise<Record<string, unknown>> {
  return as_object(parse(await bounded_text(await call(path))));
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await request(path, init);
  if (!response.ok) throw await refused(response);
  return response;
}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(path, {
      credentials: 'same-origin',
      redirect: 'error',
      cache: 'no-store',
      ...init,
    });
  } catch (error) {
    if (is_abort(error)) throw error;
    throw new ApiError('unreachable', '');
  }
}

async function refused(response: Response): Promise<ApiError> {
  const body = await bounded_text(response)
    .then(parse)
    .catch(() => undefined);
  const error = as_object(as_object(body)['error']);
  const code = response.status === 401 ? 'signed_out' : as_string(error['code']);
  const message = as_string(error['message']);
  return new ApiError(code || `http_${response.status}`, message, response.status);
}

async function bounded_text(response: Response): Promise<string> {
  const text = await response.text();
  if (text.length > kMaxJsonChars) throw new ApiError('bad_answer', 'The gateway sent too much.');
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError('bad_answer', 'The gateway sent something that is not JSON.');
  }
}

export function is_abort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

function as_object(value: unknown): Record<string, unknown> {
  const is_object = typeof value === 'object' && value !== null;
  return is_object ? (value as Record<string, unknown>) : {};
}

function as_string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function as_number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
