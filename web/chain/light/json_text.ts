// Strict JSON in, for what endpoints answer: whole numbers only, each exact. Refuses with bad_json:
// fractions, exponents, numbers past 2^53, duplicate keys, lone surrogates, comments, anything
// after the value, and documents past the limits.
import {LightError} from './error';

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject extends Map<string, JsonValue> {}

const kMaxValues = 2_000_000;
const kMaxMembers = 1024;
const kMaxDepth = 32;

const kSpace = /[ \t\r\n]*/y;
const kWord = /true|false|null/y;
const kNumber = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
const kString =
  /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;

function demand(held: boolean): void {
  if (!held) throw new LightError('bad_json');
}

class JsonParser {
  private at = 0;
  private values = 0;
  constructor(private readonly text: string) {}

  document(): JsonValue {
    const out = this.value(0);
    this.take(kSpace);
    demand(this.at === this.text.length);
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
  private count(depth: number): void {
    demand(++this.values <= kMaxValues && depth <= kMaxDepth);
  }

  private value(depth: number): JsonValue {
    this.count(depth);
    if (this.sign('{')) return this.members(depth + 1);
    if (this.sign('[')) return this.items(depth + 1);
    const word = this.take(kWord);
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    const digits = this.take(kNumber);
    if (digits === undefined) return this.string();
    demand(Number.isSafeInteger(Number(digits)) && digits !== '-0');
    return Number(digits);
  }
  private string(): string {
    const quoted = this.take(kString) ?? '';
    demand(quoted !== '');
    if (!quoted.includes('\\')) return quoted.slice(1, -1);
    const out = String(JSON.parse(quoted));
    demand(!/\p{Surrogate}/u.test(out));
    return out;
  }
  private items(depth: number): JsonValue[] {
    const out: JsonValue[] = [];
    if (this.sign(']')) return out;
    do out.push(this.value(depth));
    while (this.sign(','));
    demand(this.sign(']'));
    return out;
  }
  private members(depth: number): JsonObject {
    const out: JsonObject = new Map();
    if (this.sign('}')) return out;
    do this.member(out, depth);
    while (this.sign(','));
    demand(this.sign('}'));
    return out;
  }
  private member(out: JsonObject, depth: number): void {
    this.take(kSpace);
    this.count(depth);
    const key = this.string();
    demand(!out.has(key) && out.size < kMaxMembers && this.sign(':'));
    out.set(key, this.value(depth));
  }
}

// `text` comes from well-formed UTF-8.
export function parse_json(text: string): JsonValue {
  try {
    return new JsonParser(text).document();
  } catch {
    throw new LightError('bad_json'); // an engine's own limits count as a refusal
  }
}
