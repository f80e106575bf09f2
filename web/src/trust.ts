// The trust report of one answer, as the gateway gives it at GET /v1/receipts/{id}, read with
// suspicion: what the page shows as verified must be complete and must not contradict itself.

export type Level =
  'verified' | 'verified_older_firmware' | 'verified_by_network' | 'development' | 'failed';

export interface Check {
  name: string;
  ok: boolean;
  expected: string;
  found: string;
  source: string;
  raw: string | undefined;
}

export type Fact = [label: string, value: string];

export interface TrustReport {
  level: Level; // after our own look; never better than what the gateway said
  statement: string;
  contradictions: string[]; // why `level` is worse than reported, or what is missing
  checks: Check[]; // in the gateway's order
  not_proven: string[];
  facts: {title: string; rows: Fact[]}[];
  receipt_id: string;
  checked_at: number | undefined; // Unix seconds
}

// What is known of the network before any answer: nothing is promised until it is told.
export type Protection = 'unknown' | 'real' | 'development';

export interface LevelWords {
  label: string;
  meaning: string;
}

export const kLevelWords: Record<Level, LevelWords> = {
  verified: {
    label: 'Verified',
    meaning: 'Your computer checked the machine before anything was sent to it.',
  },
  verified_older_firmware: {
    label: 'Verified, older firmware',
    meaning: 'Your computer checked the machine; its firmware lacks the latest fixes.',
  },
  verified_by_network: {
    label: 'Verified by the network, not by you',
    meaning: 'The validators of the ledger checked the machine; your computer checked the ledger.',
  },
  development: {
    label: 'development: no hardware protection',
    meaning: 'The machine is simulated. Whoever runs it can read what you send.',
  },
  failed: {
    label: 'Verification failed',
    meaning: 'This answer could not be verified. Do not rely on it.',
  },
};

// The checks that every report names, in this order. docs: trust report.
export const kRequiredChecks = [
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
] as const;

const kMaxChecks = 64;
const kMaxText = 16 << 10;

// Nothing when `bundle` holds no trust report at all.
export function read_report(bundle: unknown, receipt_id: string): TrustReport | undefined {
  const trust = field(bundle, 'trust');
  if (trust === undefined) return undefined;
  const checks = list(trust, 'checks').slice(0, kMaxChecks).map(read_check);
  const claimed = field(trust, 'level');
  const report: TrustReport = {
    level: is_level(claimed) ? claimed : 'failed',
    statement: text(trust, 'statement'),
    contradictions: is_level(claimed)
      ? []
      : [`The report names an unknown level: "${printable(claimed)}".`],
    checks,
    not_proven: list(trust, 'not_proven').map(printable),
    facts: read_facts(trust),
    receipt_id: text(trust, 'receipt_id'),
    checked_at: number(trust, 'checked_at'),
  };
  return judge(report, receipt_id);
}

// A report that claims more than it shows counts as failed.
function judge(report: TrustReport, receipt_id: string): TrustReport {
  const found = report.contradictions;
  for (const name of kRequiredChecks) {
    const of_name = report.checks.filter((check) => check.name === name);
    if (of_name.length === 0) found.push(`The report lacks the check ${name}.`);
    if (of_name.length > 1) found.push(`The report has the check ${name} more than once.`);
  }
  if (report.receipt_id !== receipt_id) found.push('The report belongs to another receipt.');
  if (report.level !== 'failed') {
    for (const check of report.checks) {
      if (!check.ok) found.push(`The check ${check.name} did not pass.`);
    }
  }
  // Development stays development: amber is already the warning, and red would hide its reason.
  const downgrade = found.length > 0 && report.level !== 'development';
  return downgrade ? {...report, level: 'failed'} : report;
}

function read_check(value: unknown): Check {
  return {
    name: text(value, 'name'),
    ok: field(value, 'ok') === true,
    expected: text(value, 'expected'),
    found: text(value, 'found'),
    source: text(value, 'source'),
    raw: text(value, 'raw') || undefined,
  };
}

const kFactGroups: [member: string, title: string, rows: [member: string, label: string][]][] = [
  [
    'instance',
    'Instance',
    [
      ['id', 'Id'],
      ['platforms', 'Platforms'],
      ['operator', 'Operator'],
      ['endpoint', 'Endpoint'],
    ],
  ],
  [
    'model',
    'Model',
    [
      ['name', 'Name'],
      ['root', 'Root'],
      ['quantization', 'Quantization'],
    ],
  ],
  [
    'channel',
    'Channel',
    [
      ['mode', 'Mode'],
      ['kem', 'Key exchange'],
      ['padding', 'Padding'],
    ],
  ],
  [
    'ledger',
    'Ledger',
    [
      ['chain_id', 'Chain'],
      ['height', 'Height'],
      ['signed_power', 'Signed power'],
      ['total_power', 'Total power'],
      ['policy_version', 'Policy version'],
    ],
  ],
];

function read_facts(trust: unknown): TrustReport['facts'] {
  return kFactGroups.flatMap(([member, title, rows]) => {
    const group = field(trust, member);
    const facts = rows
      .map(([name, label]): Fact => [label, fact_words(field(group, name))])
      .filter(([, value]) => value !== '');
    return facts.length === 0 ? [] : [{title, rows: facts}];
  });
}

// A fact is a word, a list of them, or an object such as {format, product}, told in its order.
function fact_words(value: unknown): string {
  if (Array.isArray(value)) return value.map(fact_words).join(', ');
  if (typeof value !== 'object' || value === null) return printable(value);
  return Object.values(value)
    .map(printable)
    .filter((word) => word !== '')
    .join(' \u00b7 ');
}

export function is_level(value: unknown): value is Level {
  return typeof value === 'string' && Object.hasOwn(kLevelWords, value);
}

// The report as plain text, for a message or a ticket.
export function report_as_text(report: TrustReport): string {
  const words = kLevelWords[report.level];
  const checks = report.checks.map((check, i) =>
    [
      `${String(i + 1).padStart(2)}. ${check.ok ? 'passed' : 'FAILED'}  ${check.name}`,
      `      expected: ${check.expected}`,
      `      found:    ${check.found}`,
      `      source:   ${check.source}`,
    ].join('\n'),
  );
  const facts = report.facts.map(({title, rows}) =>
    [title, ...rows.map(([label, value]) => `  ${label}: ${value}`)].join('\n'),
  );
  return (
    [
      `Cloister trust report: ${words.label}`,
      report.statement,
      ...report.contradictions,
      `Checks\n${checks.join('\n')}`,
      `What this does not prove\n${report.not_proven.map((line) => `  - ${line}`).join('\n')}`,
      ...facts,
      `Receipt: ${report.receipt_id}`,
      report.checked_at === undefined ? '' : `Checked at: ${show_time(report.checked_at)}`,
    ]
      .filter((part) => part !== '')
      .join('\n\n') + '\n'
  );
}

export function show_time(unix_seconds: number): string {
  const date = new Date(unix_seconds * 1000);
  if (Number.isNaN(date.getTime())) return String(unix_seconds);
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

// Text that others wrote, for our own frame around it: no control characters, and none that would
// turn the direction of what stands beside it.
export function printable(value: unknown): string {
  if (Array.isArray(value)) return value.map(printable).join(', ');
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return '';
  const cut = value.length > kMaxText ? `${value.slice(0, kMaxText)} (cut)` : value;
  return cut.replace(
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    '\ufffd',
  );
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

function list(value: unknown, name: string): unknown[] {
  const found = field(value, name);
  return Array.isArray(found) ? found : [];
}

function text(value: unknown, name: string): string {
  return printable(field(value, name));
}

function number(value: unknown, name: string): number | undefined {
  const found = field(value, name);
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}
