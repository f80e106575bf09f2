import assert from 'node:assert/strict';
import {test} from 'node:test';

import {load} from './load.mjs';

const {CborReader, CborWriter, CborError} = await load('../chain/ledger/cbor.ts');
const {parse_json, JsonError} = await load('../chain/ledger/json.ts');

const bytes_of = (text) => new Uint8Array(Buffer.from(text, 'hex'));
const hex_of = (bytes) => Buffer.from(bytes).toString('hex');

// RFC 8949, appendix A, of the kinds that are used here.
const kNumbers = [
  [0n, '00'],
  [1n, '01'],
  [10n, '0a'],
  [23n, '17'],
  [24n, '1818'],
  [25n, '1819'],
  [100n, '1864'],
  [255n, '18ff'],
  [256n, '190100'],
  [1000n, '1903e8'],
  [65535n, '19ffff'],
  [65536n, '1a00010000'],
  [1000000n, '1a000f4240'],
  [4294967295n, '1affffffff'],
  [4294967296n, '1b0000000100000000'],
  [1000000000000n, '1b000000e8d4a51000'],
  [18446744073709551615n, '1bffffffffffffffff'],
];
const kTexts = [
  ['', '60'],
  ['a', '6161'],
  ['IETF', '6449455446'],
  ['"\\', '62225c'],
  ['\u00fc', '62c3bc'],
  ['\u6c34', '63e6b0b4'],
  ['\ud800\udd51', '64f0908591'],
  ['\ufeffx', '64efbbbf78'],
];

function refused(text, read) {
  assert.throws(() => {
    const reader = new CborReader(bytes_of(text));
    read(reader);
    reader.finish();
  }, CborError);
}

test('numbers and texts are those of the RFC, and no cut of them is read', () => {
  for (const [value, text] of kNumbers) {
    assert.equal(hex_of(new CborWriter().u64(value).take()), text);
    assert.equal(new CborReader(bytes_of(text)).u64(), value);
    for (let n = 0; n < text.length; n += 2) refused(text.slice(0, n), (r) => r.u64());
    refused(`${text}00`, (r) => r.u64());
  }
  for (const [value, text] of kTexts) {
    assert.equal(hex_of(new CborWriter().text(value).take()), text);
    assert.equal(new CborReader(bytes_of(text)).text(4), value);
    for (let n = 0; n < text.length; n += 2) refused(text.slice(0, n), (r) => r.text(4));
  }
});

test('the other kinds', () => {
  const out = new CborWriter().map(2).key(1).boolean(true).key(2).array(2).boolean(false);
  const encoded = out.bytes(bytes_of('01020304')).take();
  assert.equal(hex_of(encoded), 'a201f50282f44401020304');
  const reader = new CborReader(encoded);
  reader.map(2);
  reader.key(1);
  assert.equal(reader.boolean(), true);
  reader.key(2);
  assert.equal(reader.array(2), 2);
  assert.equal(reader.boolean(), false);
  assert.equal(hex_of(reader.fixed(4)), '01020304');
  reader.finish();
});

test('what is not canonical is refused', () => {
  const numbers = ['1800', '1817', '190000', '1900ff', '1a0000ffff', '1b00000000ffffffff'];
  for (const text of numbers) refused(text, (r) => r.u64());
  for (const text of ['1c', '1d', '1e', '1f', '20', '3863']) refused(text, (r) => r.u64());
  for (const text of ['5f', '5f4101ff', '5800', '580101']) refused(text, (r) => r.bytes(9));
  for (const text of ['7f', '7801' + '61', '5f']) refused(text, (r) => r.text(9));
  for (const text of ['9f', 'bf', '9800']) refused(text, (r) => r.array(9));
  for (const text of ['f6', 'f7', 'f800', '00', '01']) refused(text, (r) => r.boolean());
});

test('what is past a bound or not UTF-8 is refused', () => {
  refused('05', (r) => r.u64(4n));
  refused('1b0000000100000000', (r) => r.small());
  refused('430102', (r) => r.bytes(9));
  refused('43010203', (r) => r.bytes(2));
  refused('43010203', (r) => r.fixed(2));
  refused('43010203', (r) => r.fixed(4));
  refused('5bffffffffffffffff', (r) => r.bytes(9));
  refused('63616161', (r) => r.text(2));
  refused('83', (r) => r.array(2));
  refused('a1', (r) => r.map(2));
  refused('a3', (r) => r.map(2));
  refused('02', (r) => r.key(1));
  for (const text of ['61ff', '62c080', '63eda080', '64f4908080', '61c3', '63e282c0']) {
    refused(text, (r) => r.text(9));
  }
});

test('the writer refuses what the reader would', () => {
  for (const value of [-1, -1n, 1.5, NaN, 2 ** 53, 1n << 64n]) {
    assert.throws(() => new CborWriter().u64(value), CborError);
  }
  assert.throws(() => new CborWriter().text('\ud800'), CborError);
});

test('JSON keeps whole numbers exactly', () => {
  const value = parse_json(' {"a": [18446744073709551615, 0, true, null], "b": "\\u00fc\\n"} ');
  assert.deepEqual(value.get('a'), [18446744073709551615n, 0n, true, null]);
  assert.equal(value.get('b'), '\u00fc\n');
  assert.deepEqual(parse_json('[]'), []);
  assert.equal(parse_json('{}').size, 0);
});

test('JSON that is not strict is refused', () => {
  const bad = [
    '',
    ' ',
    '{',
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '{"a" 1}',
    '{a:1}',
    '{"a":1,"a":2}',
    '01',
    '-1',
    '1.0',
    '1e3',
    '1E3',
    '18446744073709551616',
    '"\u0001"',
    '"\\x"',
    '"\\ud800"',
    '"open',
    'nul',
    'NaN',
    '// 1\n1',
    '\ufeff1',
    '1 2',
    '['.repeat(33) + ']'.repeat(33),
    `[${'0,'.repeat(100_000)}0]`,
  ];
  for (const text of bad) assert.throws(() => parse_json(text), JsonError, text.slice(0, 40));
  assert.ok(Array.isArray(parse_json('['.repeat(32) + ']'.repeat(32))));
});
