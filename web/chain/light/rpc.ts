// One endpoint's JSON-RPC 2.0 over HTTP, as CometBFT and the embedded driver serve it. Refuses
// answers that are late, larger than 32 MiB, not UTF-8, or of another form than one result or one
// error. No cookie is sent and no redirect followed.
import {LightError} from './error';
import {at} from './fields';
import {type JsonObject, type JsonValue, parse_json} from './json_text';

const kMaxAnswerBytes = 32 << 20;
const kId = 1;

export type RpcParams = Record<string, string | boolean>;

// The seam: tests put endpoints here that lie.
export interface Rpc {
  // `result` of the answer. remote_refused or pruned when the answer is an error; unreachable,
  // deadline_passed or bad_json when there is none.
  call(method: string, params: RpcParams, timeout_ms: number): Promise<JsonValue>;
}

// Errors have no codes of their own but for the protocol's; these words have been CometBFT's since
// blocks can be pruned.
function refusal_of(error: JsonValue): LightError {
  const says = (member: string): boolean => {
    const text = at(error, member);
    return typeof text === 'string' && text.includes('lowest height is');
  };
  return new LightError(says('data') || says('message') ? 'pruned' : 'remote_refused');
}

function envelope_of(text: string): JsonObject {
  const answer = parse_json(text);
  const ours = answer instanceof Map && answer.get('jsonrpc') === '2.0';
  if (!ours || answer.has('error') === answer.has('result')) throw new LightError('bad_json');
  return answer;
}

function result_of(text: string): JsonValue {
  const answer = envelope_of(text);
  const error = answer.get('error');
  if (error !== undefined) throw refusal_of(error);
  if (answer.get('id') !== kId) throw new LightError('bad_json');
  return answer.get('result')!;
}

async function read_text(response: Response): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});
  let text = '';
  let size = 0;
  for (;;) {
    const {done, value} = await reader.read();
    if (done) break;
    size += value.length;
    if (size > kMaxAnswerBytes) {
      await reader.cancel();
      throw new LightError('bad_json');
    }
    text += decode(decoder, value);
  }
  return text + decode(decoder);
}

function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, {stream: true});
  } catch {
    throw new LightError('bad_json');
  }
}

export class HttpRpc implements Rpc {
  constructor(private readonly url: string) {}

  async call(method: string, params: RpcParams, timeout_ms: number): Promise<JsonValue> {
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(timeout_ms)));
    try {
      const response = await this.post(method, params, signal);
      return this.judge(response, await read_text(response));
    } catch (error) {
      if (error instanceof LightError) throw error;
      throw new LightError(signal.aborted ? 'deadline_passed' : 'unreachable');
    }
  }

  private post(method: string, params: RpcParams, signal: AbortSignal): Promise<Response> {
    return fetch(this.url, {
      method: 'POST',
      headers: {'Content-Type': 'application/json'},
      body: JSON.stringify({jsonrpc: '2.0', id: kId, method, params}),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal,
    });
  }

  // What stands between us and the endpoint answers in forms of its own: that is no lie.
  private judge(response: Response, text: string): JsonValue {
    try {
      return result_of(text);
    } catch (error) {
      const foreign = error instanceof LightError && error.code === 'bad_json' && !response.ok;
      throw foreign ? new LightError('unreachable') : error;
    }
  }
}
