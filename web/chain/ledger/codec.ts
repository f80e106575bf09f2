// How records become CBOR, and how they are read from it and from JSON: a map with keys 1, 2, 3, …
// in the order in which a record lists its members. An optional member is an array of none or one.
// The reader refuses everything that the writer would not write; the writer keeps the same bounds.
// The twin of src/ledger/types/codec.h in C++.
import {type Bytes, from_hex, text_bytes} from '../../sealed/bytes';
import {CborReader, CborWriter, kMaxU64} from './cbor';
import type {JsonValue} from './json';

// Not a record in its only form: what it says counts nothing.
export class RecordError extends Error {}

export interface Codec<T> {
  write(out: CborWriter, value: T): void;
  read(input: CborReader): T;
  from_json(value: JsonValue): T;
}

export type ValueOf<C> = C extends Codec<infer T> ? T : never;

export function encode<T>(codec: Codec<T>, value: T): Bytes {
  const out = new CborWriter();
  codec.write(out, value);
  return out.take();
}

export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const input = new CborReader(bytes);
  const out = codec.read(input);
  input.finish();
  return out;
}

function bounded<T>(fits: boolean, value: T): T {
  if (!fits) throw new RecordError('a member is out of its bounds');
  return value;
}

function shaped(fits: boolean): asserts fits {
  if (!fits) throw new RecordError('a member is of another kind');
}

export const u64: Codec<bigint> = {
  write: (out, value) => void out.u64(bounded(typeof value === 'bigint', value)),
  read: (input) => input.u64(),
  from_json(value) {
    shaped(typeof value === 'bigint');
    return bounded(value <= kMaxU64, value);
  },
};

function small(max: number): Codec<number> {
  return {
    write: (out, value) => void out.u64(bounded(value <= max, value)),
    read: (input) => input.small(max),
    from_json(value) {
      shaped(typeof value === 'bigint');
      return Number(bounded(value <= BigInt(max), value));
    },
  };
}
export const u8 = small(0xff);
export const u16 = small(0xffff);
export const u32 = small(0xffffffff);

export const boolean: Codec<boolean> = {
  write: (out, value) => void out.boolean(value),
  read: (input) => input.boolean(),
  from_json(value) {
    shaped(typeof value === 'boolean');
    return value;
  },
};

function hex_bytes(value: JsonValue, max_bytes: number): Bytes {
  shaped(typeof value === 'string' && /^([0-9a-f]{2})*$/i.test(value));
  return from_hex(bounded(value.length <= 2 * max_bytes, value));
}

export function buffer(max_bytes: number): Codec<Bytes> {
  return {
    write: (out, value) => void out.bytes(bounded(value.length <= max_bytes, value)),
    read: (input) => input.bytes(max_bytes),
    from_json: (value) => hex_bytes(value, max_bytes),
  };
}

export function fixed(size: number): Codec<Bytes> {
  return {
    write: (out, value) => void out.bytes(bounded(value.length === size, value)),
    read: (input) => input.fixed(size),
    from_json(value) {
      const out = hex_bytes(value, size);
      return bounded(out.length === size, out);
    },
  };
}
export const hash32 = fixed(32);

// Numbers below 256, which travel as one string of bytes.
export function byte_list(max_count: number): Codec<number[]> {
  const form = buffer(max_count);
  return {
    write(out, value) {
      const fits = value.every((each) => Number.isInteger(each) && each >= 0 && each <= 0xff);
      form.write(out, Uint8Array.from(bounded(fits, value)));
    },
    read: (input) => [...form.read(input)],
    from_json: (value) => [...form.from_json(value)],
  };
}

export function text(max_bytes: number): Codec<string> {
  const fits = (value: string) => text_bytes(value).length <= max_bytes;
  return {
    write: (out, value) => void out.text(bounded(fits(value), value)),
    read: (input) => input.text(max_bytes),
    from_json(value) {
      shaped(typeof value === 'string');
      return bounded(fits(value), value);
    },
  };
}

// One of a closed list; its number is what travels.
export function listed<const N extends Record<string, number>>(
  numbers: N,
): Codec<keyof N & string> {
  const by_name = new Map(Object.entries(numbers));
  const by_number = new Map(Object.entries(numbers).map(([name, number]) => [number, name]));
  return {
    write: (out, value) => void out.u64(known(by_name.get(value))),
    read: (input) => known(by_number.get(input.small(0xff))) as keyof N & string,
    from_json(value) {
      shaped(typeof value === 'string' && by_name.has(value));
      return value as keyof N & string;
    },
  };
}

function known<T>(found: T | undefined): T {
  if (found === undefined) throw new RecordError('a number is not of its list');
  return found;
}

export function optional<T>(item: Codec<T>): Codec<T | undefined> {
  return {
    write(out, value) {
      out.array(value === undefined ? 0 : 1);
      if (value !== undefined) item.write(out, value);
    },
    read: (input) => (input.array(1) === 1 ? item.read(input) : undefined),
    from_json: (value) => (value === null ? undefined : item.from_json(value)),
  };
}

export function list<T>(item: Codec<T>, max_count: number): Codec<T[]> {
  return {
    write(out, value) {
      out.array(bounded(value.length <= max_count, value).length);
      for (const each of value) item.write(out, each);
    },
    read(input) {
      const out: T[] = [];
      for (let left = input.array(max_count); left > 0; --left) out.push(item.read(input));
      return out;
    },
    from_json(value) {
      shaped(Array.isArray(value));
      return bounded(value.length <= max_count, value).map((each) => item.from_json(each));
    },
  };
}

type Members = Record<string, Codec<unknown>>;
type RecordOf<M extends Members> = {[K in keyof M]: ValueOf<M[K]>};

// The members in the order of their keys; JSON has exactly these.
export function record<M extends Members>(members: M): Codec<RecordOf<M>> {
  const entries = Object.entries(members);
  const built = (value: (name: string, codec: Codec<unknown>, key: number) => unknown) =>
    Object.fromEntries(
      entries.map(([name, codec], i) => [name, value(name, codec, i + 1)]),
    ) as RecordOf<M>;
  return {
    write(out, value) {
      out.map(entries.length);
      entries.forEach(([name, codec], i) => codec.write(out.key(i + 1), value[name]));
    },
    read(input) {
      input.map(entries.length);
      return built((_, codec, key) => {
        input.key(key);
        return codec.read(input);
      });
    },
    from_json(value) {
      shaped(value instanceof Map && value.size === entries.length);
      return built((name, codec) => {
        const member = value.get(name);
        shaped(member !== undefined);
        return codec.from_json(member);
      });
    },
  };
}

// Whether each is below the next, as all sorted encodings use it.
export function ascending(items: Uint8Array[]): boolean {
  return items.every((item, i) => i === 0 || less(items[i - 1]!, item));
}

function less(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? a.length < b.length : at >= b.length ? false : a[at]! < b[at]!;
}
