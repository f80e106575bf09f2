// A receipt bundle as the gateway gives it, with every check of the trust report, for each level.
const hex = (seed, bytes) =>
  Array.from({length: bytes}, (_, i) =>
    ((seed * 131 + i * 73 + i * i * 7) & 255).toString(16).padStart(2, '0'),
  ).join('');

const kMachine = 'TDX module 1.5.13, microcode 0x2b000643';

function checks(level) {
  const dev = level === 'development';
  const old = level === 'verified_older_firmware';
  const failed = level === 'failed';
  const height = 'at height 48,213';
  const root = dev ? 'Cloister development root, simulated' : 'Intel SGX Root CA';
  return [
    [
      'vendor_root',
      'Intel SGX Root CA, or the development root of this chain',
      root,
      dev ? `genesis, marked development` : 'built in',
      hex(1, 32),
    ],
    [
      'evidence_signature',
      'ECDSA P-256 by the attestation key',
      'valid',
      'the quote itself',
      hex(2, 64),
    ],
    [
      'collateral_fresh',
      'next update after now',
      'valid until 2026-12-21',
      'vendor collateral',
      hex(3, 32),
    ],
    ['revocation', 'not on the CRL of 2026-11-20', 'not revoked', 'vendor CRL', undefined],
    [
      'tcb_status',
      'UpToDate, SWHardeningNeeded' + (old ? ', OutOfDate for 90 days' : ''),
      old ? 'OutOfDate (INTEL-SA-01397)' : 'UpToDate',
      `vendor policy v3 ${height}`,
      hex(5, 16),
    ],
    ['debug_off', 'TD attributes DEBUG = 0', 'off', 'vendor policy v3', '0000000010000000'],
    [
      'measurement',
      `release 0.1.0, MRTD ${hex(6, 24)}…`,
      failed ? `${hex(66, 24)}…` : 'release 0.1.0',
      `network policy v7 ${height}`,
      hex(failed ? 66 : 6, 48),
    ],
    [
      'configuration',
      `RTMR3 ${hex(7, 12)}…`,
      'as expected',
      `network policy v7 ${height}`,
      hex(7, 48),
    ],
    ['gpu', 'none, allowed by the policy', 'none', 'network policy v7', undefined],
    [
      'model_root',
      `smollm2-360m-instruct, ${hex(8, 12)}…`,
      'the same',
      `model record ${height}`,
      hex(8, 32),
    ],
    ['channel_binding', 'exporter of this TLS connection', 'bound', 'computed here', hex(9, 64)],
    [
      'key_binding',
      'X-Wing key in the evidence',
      'the key used to seal',
      'computed here',
      hex(10, 32),
    ],
    [
      'ledger_record',
      `instance ${hex(11, 6)}… active`,
      'active, with proof',
      `state root ${height}`,
      hex(11, 32),
    ],
    ['ledger_quorum', 'more than 2/3 of 4 validators', '4 of 4 signed', 'light client', undefined],
    [
      'policy',
      'vendor v3, network v7, community none, own default',
      'allowed',
      `policies ${height}`,
      hex(12, 32),
    ],
    [
      'confirmed_before_compute',
      'confirmed before the request was sent',
      'height 48,214, 41 ms before',
      'ledger',
      hex(13, 32),
    ],
    ['receipt_signature', 'Ed25519 by the instance', 'valid', 'computed here', hex(14, 64)],
  ].map(([name, expected, found, source, raw]) => ({
    name,
    ok: !(failed && name === 'measurement'),
    expected,
    found,
    source,
    ...(raw && {raw}),
  }));
}

const kStatements = {
  verified:
    'This answer came from node kestrel-7, an Intel TDX machine running release 0.1.0; ' +
    'your computer checked it 42 seconds before sending.',
  verified_older_firmware:
    'This answer came from node kestrel-7, an Intel TDX machine whose ' +
    'firmware is one security update behind; your computer checked it 42 seconds before sending.',
  verified_by_network:
    'This answer came from node kestrel-7, an Intel TDX machine that 4 of 4 ' +
    'validators checked at height 48,213; your computer checked their signatures.',
  development:
    'development: no hardware protection. This answer came from node dev-1, a simulated ' +
    'Intel TDX machine on this computer; every check ran, on evidence that anyone could make.',
  failed:
    'Node kestrel-7 runs a program that is not a published release; do not rely on this answer.',
};

export function bundle(level, receipt_id, answer_number = 1) {
  const dev = level === 'development';
  const trust = {
    level,
    statement: kStatements[level],
    checks: checks(level),
    not_proven: [
      'That nobody with the machine in hand reads its memory bus: such tools cost under US$1,000.',
      'That the processor and its firmware have no unknown flaw.',
      'That the answer is true.',
      'What stays visible: your address to the node; time, model and price to the ledger.',
    ],
    instance: {
      id: hex(answer_number > 2 ? 21 : 11, 32),
      platforms: [{format: 'tdx-quote', product: 'Intel TDX'}],
      operator: dev ? 'this computer' : 'kestrel',
      endpoint: '192.0.2.17:7443',
    },
    model: {name: 'smollm2-360m-instruct', root: hex(8, 32), quantization: 'Q8_0'},
    channel: {
      mode: level === 'verified_by_network' ? 'chain' : 'atls',
      kem: 'X-Wing',
      padding: 'default',
    },
    ledger: {
      chain_id: dev ? 'cloister-dev' : 'cloister-1',
      height: 48213,
      signed_power: 400,
      total_power: 400,
      policy_version: 7,
    },
    receipt_id,
    checked_at: 1795392000,
  };
  return {
    receipt: {
      version: 1,
      chain_id: trust.ledger.chain_id,
      seq: answer_number,
      prompt_units: 24,
      completion_units: 61,
      instance_id: trust.instance.id,
    },
    receipt_cbor: Buffer.from(hex(15, 180), 'hex').toString('base64'),
    signature: hex(14, 64),
    trust,
  };
}
