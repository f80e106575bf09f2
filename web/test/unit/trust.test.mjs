import assert from 'node:assert/strict';
import {test} from 'node:test';

import {bundle} from '../report.mjs';
import {load} from './load.mjs';

const {read_report, report_as_text, printable, kRequiredChecks, kLevelWords} =
  await load('trust.ts');
const {check_words} = await load('checks.ts');

const kLevels = Object.keys(kLevelWords);

// The report of a good bundle after one change.
function report(level, spoil = () => {}) {
  const value = bundle(level, 'r-1');
  spoil(value.trust, value);
  return read_report(value, 'r-1');
}

test('an honest report keeps its level and its checks in order', () => {
  for (const level of kLevels) {
    const got = report(level);
    assert.equal(got.level, level);
    assert.deepEqual(got.contradictions, []);
    assert.deepEqual(
      got.checks.map(({name}) => name),
      [...kRequiredChecks],
    );
    for (const {name} of got.checks) assert.notEqual(check_words(name).meaning, '', name);
  }
});

test('each single contradiction turns every verified level into failed', () => {
  const spoilers = {
    'a check failed': (trust) => {
      trust.checks[3].ok = false;
    },
    'ok is not true': (trust) => {
      trust.checks[3].ok = 'true';
    },
    'a check is missing': (trust) => {
      trust.checks.splice(5, 1);
    },
    'a check stands twice': (trust) => {
      trust.checks.push(trust.checks[0]);
    },
    'a further check failed': (trust) => {
      trust.checks.push({name: 'extra', ok: false});
    },
    'no checks': (trust) => {
      trust.checks = [];
    },
    'checks are no list': (trust) => {
      trust.checks = {length: 17};
    },
    'another receipt': (trust) => {
      trust.receipt_id = 'r-2';
    },
    'no receipt': (trust) => {
      delete trust.receipt_id;
    },
  };
  for (const level of kLevels.filter((name) => name.startsWith('verified'))) {
    for (const [name, spoil] of Object.entries(spoilers)) {
      const got = report(level, spoil);
      assert.equal(got.level, 'failed', `${level}: ${name}`);
      assert.equal(got.contradictions.length > 0, true, name);
    }
  }
});

test('development stays development and failed stays failed', () => {
  const spoil = (trust) => {
    trust.checks = [];
  };
  assert.equal(report('development', spoil).level, 'development');
  assert.equal(report('failed', spoil).level, 'failed');
});

test('an unknown level is failed', () => {
  for (const level of [
    'Verified',
    'VERIFIED',
    '',
    null,
    1,
    ['verified'],
    'constructor',
    '__proto__',
  ]) {
    assert.equal(
      report('verified', (trust) => {
        trust.level = level;
      }).level,
      'failed',
    );
  }
});

test('what holds no report gives none', () => {
  for (const value of [null, 1, 'x', [], {}, {trust: undefined}]) {
    assert.equal(read_report(value, 'r-1'), undefined);
  }
  assert.equal(read_report({trust: null}, 'r-1').level, 'failed');
});

test('a further check is kept, under its own name', () => {
  const got = report('verified', (trust) => {
    trust.checks.push({name: 'location', ok: true, found: 'absent'});
  });
  assert.equal(got.level, 'verified');
  assert.equal(got.checks.at(-1).name, 'location');
  assert.deepEqual(check_words('location'), {group: 'Other', title: 'location', meaning: ''});
  assert.equal(check_words('constructor').group, 'Other');
});

test('text of others cannot turn or hide our own', () => {
  assert.equal(printable('a\u202eb\u0000c\u200bd\ne'), 'a\ufffdb\ufffdc\ufffdd\ufffde');
  assert.equal(printable({toString: () => 'x'}), '');
  assert.equal(printable('x'.repeat(20_000)).length < 17_000, true);
  assert.equal(printable(['a', 1, 'b']), 'a, 1, b');
});

test('the text form says everything', () => {
  const words = report_as_text(report('development'));
  for (const name of kRequiredChecks) assert.ok(words.includes(name), name);
  assert.ok(words.includes('development: no hardware protection'));
  assert.ok(words.includes('What this does not prove'));
  assert.ok(report_as_text(report('failed')).includes('FAILED  measurement'));
});
