// Opens the answer to a sealed request. Its key comes from the request's own context, so nobody but
// the owner of the key that was sealed to can have made it.
import {type Bytes, join, Reader, text_bytes} from './bytes';

export const kAnswerMediaType = 'message/ohttp-chunked-res';

const kNonceBytes = 32; // max(Nn, Nk)
const kTagBytes = 16;
const kMaxSealedChunk = 64 * 1024 + kTagBytes;
const kMaxAnswerBytes = 16 * 1024 * 1024;
const kMaxChunks = 65536;

// The answer is not whole, not authentic, or not an answer: nothing of it counts.
export class AnswerError extends Error {}

async function hmac(key: Uint8Array, data: Uint8Array): Promise<Bytes> {
  const algorithm = {name: 'HMAC', hash: 'SHA-256'};
  const imported = await crypto.subtle.importKey('raw', key.slice(), algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data.slice()));
}

// HKDF-Expand of at most one block (RFC 5869, 2.3).
async function expand(prk: Uint8Array, label: string, size: number): Promise<Bytes> {
  return (await hmac(prk, join(text_bytes(label), Uint8Array.of(1)))).slice(0, size);
}

export interface AnswerKey {
  key: CryptoKey;
  nonce: Bytes;
}

export async function derive_answer_key(
  enc: Uint8Array,
  secret: Uint8Array,
  response_nonce: Uint8Array,
): Promise<AnswerKey> {
  const prk = await hmac(join(enc, response_nonce), secret);
  const raw = await expand(prk, 'key', 32);
  const usages: KeyUsage[] = ['encrypt', 'decrypt'];
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, usages);
  return {key, nonce: await expand(prk, 'nonce', 12)};
}

export function numbered_nonce(base: Uint8Array, counter: number): Bytes {
  const out = base.slice();
  for (let i = 0, rest = counter; i < 6; ++i, rest = Math.floor(rest / 256)) {
    out[11 - i]! ^= rest % 256;
  }
  return out;
}

// The content of a binary answer of indeterminate length (RFC 9292, 3.2), out of its parts.
class BinaryAnswer {
  private pending: Bytes = new Uint8Array();
  private state: 'head' | 'content' | 'trailer' | 'padding' = 'head';

  get ended(): boolean {
    return this.state === 'padding';
  }

  feed(more: Uint8Array): Bytes {
    this.pending = join(this.pending, more);
    const out: Uint8Array[] = [];
    for (;;) {
      const reader = new Reader(this.pending);
      if (!this.step(reader, out)) break;
      this.pending = this.pending.slice(reader.position);
    }
    return join(...out);
  }

  // False: more bytes are needed.
  private step(reader: Reader, out: Uint8Array[]): boolean {
    if (this.state === 'padding') {
      const rest = reader.take(reader.remaining)!;
      if (rest.some((byte) => byte !== 0)) throw new AnswerError('the padding is not zeros');
      return rest.length > 0;
    }
    if (this.state === 'head') {
      const [form, status, fields] = [reader.varint(), reader.varint(), reader.varint()];
      if (fields === undefined) return false;
      if (form !== 3 || fields !== 0) throw new AnswerError('the answer is not well-formed');
      if (status !== 200) throw new AnswerError(`the answer has status ${status}`);
      this.state = 'content';
      return true;
    }
    const size = reader.varint();
    if (size === undefined) return false;
    if (size === 0) {
      this.state = this.state === 'content' ? 'trailer' : 'padding';
      return true;
    }
    if (this.state === 'trailer') throw new AnswerError('the answer is not well-formed');
    const content = reader.take(size);
    if (content === undefined) return false;
    out.push(content);
    return true;
  }
}

// The data of cells: u16 data length ‖ u16 padding length ‖ data ‖ zeros.
class Cells {
  private pending: Bytes = new Uint8Array();

  get between(): boolean {
    return this.pending.length === 0;
  }

  feed(more: Uint8Array): Bytes {
    this.pending = join(this.pending, more);
    const out: Uint8Array[] = [];
    while (this.pending.length >= 4) {
      const view = new DataView(this.pending.buffer, this.pending.byteOffset);
      const data_end = 4 + view.getUint16(0);
      const end = data_end + view.getUint16(2);
      if (this.pending.length < end) break;
      if (this.pending.subarray(data_end, end).some((byte) => byte !== 0)) {
        throw new AnswerError('the padding is not zeros');
      }
      out.push(this.pending.slice(4, data_end));
      this.pending = this.pending.slice(end);
    }
    return join(...out);
  }
}

export class AnswerOpener {
  private pending: Bytes = new Uint8Array();
  private keyed: AnswerKey | undefined;
  private chunks = 0;
  private bytes = 0;
  private last = false;
  private readonly http = new BinaryAnswer();
  private readonly cells = new Cells();

  constructor(
    private readonly enc: Uint8Array,
    private readonly secret: Uint8Array,
  ) {}

  // What came of the answer, cut anywhere; gives the data that it carries. After an error the
  // opener must not be used again, and what it gave before is not a whole answer.
  async feed(more: Uint8Array): Promise<Bytes> {
    this.pending = join(this.pending, more);
    const out: Uint8Array[] = [];
    for (;;) {
      const data = await this.step();
      if (data === undefined) break;
      out.push(data);
    }
    if (this.last && this.pending.length > kMaxSealedChunk) {
      throw new AnswerError('a chunk is too large');
    }
    return join(...out);
  }

  // The transport has ended. An error when the last chunk was not there.
  async end(): Promise<Bytes> {
    if (!this.last) throw new AnswerError('the answer ends without its last chunk');
    const data = await this.open(this.pending, true);
    if (!this.http.ended || !this.cells.between) {
      throw new AnswerError('the answer is not well-formed');
    }
    return data;
  }

  private async step(): Promise<Bytes | undefined> {
    if (this.last) return undefined;
    const reader = new Reader(this.pending);
    if (this.keyed === undefined) {
      const nonce = reader.take(kNonceBytes);
      if (nonce === undefined) return undefined;
      this.keyed = await derive_answer_key(this.enc, this.secret, nonce);
      this.pending = this.pending.slice(reader.position);
      return new Uint8Array();
    }
    const size = reader.varint();
    if (size === undefined) return undefined;
    if (size === 0) {
      this.last = true;
      this.pending = this.pending.slice(reader.position);
      return undefined;
    }
    if (size > kMaxSealedChunk) throw new AnswerError('a chunk is too large');
    if (this.chunks + 1 >= kMaxChunks) throw new AnswerError('the answer has too many chunks');
    const sealed = reader.take(size);
    if (sealed === undefined) return undefined;
    const data = await this.open(sealed, false);
    this.pending = this.pending.slice(reader.position);
    return data;
  }

  private async open(sealed: Uint8Array, last: boolean): Promise<Bytes> {
    const {key, nonce} = this.keyed!;
    const parameters = {
      name: 'AES-GCM',
      iv: numbered_nonce(nonce, this.chunks),
      additionalData: text_bytes(last ? 'final' : ''),
    };
    let plaintext: ArrayBuffer;
    try {
      plaintext = await crypto.subtle.decrypt(parameters, key, sealed.slice());
    } catch {
      throw new AnswerError('the answer does not authenticate');
    }
    this.chunks += 1;
    this.bytes += plaintext.byteLength;
    if (this.bytes > kMaxAnswerBytes) throw new AnswerError('the answer is too large');
    return this.cells.feed(this.http.feed(new Uint8Array(plaintext)));
  }
}
