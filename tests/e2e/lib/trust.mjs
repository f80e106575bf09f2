// What a trust report must hold, whoever shows it.
import assert from 'node:assert/strict';

export const kDevelopment = 'development: no hardware protection';
export const kChecks = [
  'vendor_root',
  'evidence_signature',
  'collateral_fresh',
  'revocation',
  'tcb_status',
  'debug_off',
  'measurement',
  'configuration',
  'gpu',
  'model_root',
  'channel_binding',
  'key_binding',
  'ledger_record',
  'ledger_quorum',
  'policy',
  'confirmed_before_compute',
  'receipt_signature',
];

export function assert_development_report(trust) {
  assert.equal(trust.level, 'development');
  assert.ok(trust.statement.includes(kDevelopment), trust.statement);
  assert.deepEqual(
    trust.checks.map(({name}) => name),
    kChecks,
  );
  for (const check of trust.checks) {
    assert.equal(check.ok, true, check.name);
    for (const member of ['expected', 'found'])
      assert.ok(
        typeof check[member] === 'string' && check[member] !== '',
        `${check.name} ${member}`,
      );
  }
  assert.ok(trust.not_proven.length > 0);
}
