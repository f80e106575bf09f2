// Strict JSON in, for documents of the ledger: every number is a whole one below 2^64 and keeps its
// exact value, which JSON.parse would not. Refuses, with a JsonError, fractions, signs and
// exponents, duplicate keys, lone surrogates, comments, anything after the value, and documents
// past the limits.

export class JsonError extends Error {}

export type JsonValue = null | boolean | bigint | string | JsonValue[] | JsonObject;
export interface JsonObject extends Map<string, JsonValue> {}

const kMaxChars = 8 << 20;
const kMaxValues = 100_000;
const kMaxMembers = 1024;
const kMaxDepth = 32;

const kSpace = /[ \t\r\n]*/y;
const kWord = /true|false|null/y;
const kNumber = /(?:0|[1-9][0-9]{0,19})(?![0-9.eE])/y;
const kString =
  /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;

class JsonParser {
  private at = 0;
  private values = 0;
  constructor(private readonly text: string) {}

  document(): JsonValue {
    const out = this.value(0);
    this.take(kSpace);
    if (this.at !== this.text.length) throw new JsonError('something follows the value');
    return out;
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }
  private sign(wanted: string): boolean {
    this.take(kSpace);
    if (this.text[this.at] !== wanted) return false;
    this.at += 1;
    return true;
  }
  private need(wanted: string): void {
    if (!this.sign(wanted)) throw new JsonError(`there is no ${wanted} where one must be`);
  }
  private count(): void {
    if (++this.values > kMaxValues) throw new JsonError('there are too many values');
  }

  private value(depth: number): JsonValue {
    this.count();
    if (this.sign('{')) return this.members(depth + 1);
    if (this.sign('[')) return this.items(depth + 1);
    const word = this.take(kWord);
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    const digits = this.take(kNumber);
    return digits === undefined ? this.string() : this.number(digits);
  }
  private number(digits: string): bigint {
    const out = BigInt(digits);
    if (out >= 1n << 64n) throw new JsonError('a number does not fit in 64 bits');
    return out;
  }
  private string(): string {
    const quoted = this.take(kString);
    if (quoted === undefined) throw new JsonError('there is no value where one must be');
    const out = String(JSON.parse(quoted));
    if (/\p{Surrogate}/u.test(out)) throw new JsonError('a string has a lone surrogate');
    return out;
  }
  private items(depth: number): JsonValue[] {
    if (depth > kMaxDepth) throw new JsonError('the document is nested too deeply');
    const out: JsonValue[] = [];
    if (this.sign(']')) return out;
    do out.push(this.value(depth));
    while (this.sign(','));
    this.need(']');
    return out;
  }
  private members(depth: number): JsonObject {
    if (depth > kMaxDepth) throw new JsonError('the document is nested too deeply');
    const out: JsonObject = new Map();
    if (this.sign('}')) return out;
    do this.member(out, depth);
    while (this.sign(','));
    this.need('}');
    return out;
  }
  private member(out: JsonObject, depth: number): void {
    this.take(kSpace);
    this.count();
    const key = this.string();
    if (out.has(key)) throw new JsonError('an object names a key twice');
    if (out.size >= kMaxMembers) throw new JsonError('an object has too many members');
    this.need(':');
    out.set(key, this.value(depth));
  }
}

export function parse_json(text: string): JsonValue {
  if (text.length > kMaxChars) throw new JsonError('the document is larger than allowed');
  return new JsonParser(text).document();
}
