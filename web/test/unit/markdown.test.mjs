import assert from 'node:assert/strict';
import {test} from 'node:test';

import {load} from './load.mjs';

const {parse_markdown} = await load('markdown.ts');

const plain = (value) => ({kind: 'text', text: value});
const paragraph = (...lines) => ({kind: 'paragraph', lines: lines.map((line) => [plain(line)])});

test('blocks', () => {
  const cases = [
    ['', []],
    ['\n \n', []],
    ['one\ntwo\n\nthree', [paragraph('one', 'two'), paragraph('three')]],
    ['# Title', [{kind: 'heading', line: [plain('Title')]}]],
    ['#no title', [paragraph('#no title')]],
    ['- a\n- b', [{kind: 'list', ordered: false, start: 1, items: [[plain('a')], [plain('b')]]}]],
    [
      '3. a\n\n4. b',
      [{kind: 'list', ordered: true, start: 3, items: [[plain('a')], [plain('b')]]}],
    ],
    ['a\n- b', [paragraph('a'), {kind: 'list', ordered: false, start: 1, items: [[plain('b')]]}]],
    [
      '```js\n<b>\n# x\n```\nafter',
      [{kind: 'code', language: 'js', text: '<b>\n# x'}, paragraph('after')],
    ],
    ['```\nstill coming', [{kind: 'code', language: '', text: 'still coming'}]],
    ['a\r\nb', [paragraph('a', 'b')]],
  ];
  for (const [source, want] of cases) assert.deepEqual(parse_markdown(source), want, source);
});

test('inline marks, and marks that are only text', () => {
  const inline = (source) =>
    parse_markdown(source)[0].lines[0].map(({kind, text}) => `${kind}:${text}`);
  const cases = [
    ['a **b** c', ['text:a ', 'bold:b', 'text: c']],
    ['`a **b**`', ['code:a **b**']],
    ['an *em* word', ['text:an ', 'italic:em', 'text: word']],
    ['2 * 3 * 4', ['text:2 * 3 * 4']],
    ['a*b*c', ['text:a*b*c']],
    ['**open', ['text:**open']],
    ['`open', ['text:`open']],
    ['[text](https://example.com)', ['text:[text](https://example.com)']],
    ['![x](https://example.com/x.png)', ['text:![x](https://example.com/x.png)']],
    ['<b>x</b>', ['text:<b>x</b>']],
  ];
  for (const [source, want] of cases) assert.deepEqual(inline(source), want, source);
});

test('no letter is lost, for any text without fences', () => {
  let seed = 7;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  const pieces = ['a', ' ', '*', '**', '`', '``', '\n', '#', '- ', '1. ', '<', '"', '\\', '🛡'];
  const letters = (value) => value.match(/a|<|"|\\|🛡/gu)?.join('') ?? '';
  for (let round = 0; round < 3000; round++) {
    const source = Array.from({length: random(24)}, () => pieces[random(pieces.length)]).join('');
    if (source.includes('```')) continue;
    assert.equal(letters(texts(parse_markdown(source))), letters(source), source);
  }
});

function texts(value) {
  if (Array.isArray(value)) return value.map(texts).join('');
  if (typeof value !== 'object' || value === null) return '';
  const own = typeof value.text === 'string' ? value.text : '';
  return own + texts(value.lines) + texts(value.line) + texts(value.items);
}

test('hostile nesting takes linear time', () => {
  for (const piece of ['*', '**', '`', '**`', '*a', '**a*', '- ', '```\n', '#', '[', '<']) {
    const started = process.hrtime.bigint();
    parse_markdown(piece.repeat(200_000));
    const spent_ms = Number(process.hrtime.bigint() - started) / 1e6;
    assert.ok(spent_ms < 2000, `${piece}: ${spent_ms} ms`);
  }
});
