// What each check of a trust report means, in plain words, and which part of the chain it belongs
// to. A name that is not here is shown as it came, under "Other".

export interface CheckWords {
  group: string;
  title: string;
  meaning: string;
}

const kChecks: Record<string, CheckWords> = {
  vendor_root: {
    group: 'Hardware', title: 'Hardware vendor',
    meaning: 'The evidence leads back to a root key of the chip maker that is built into the gateway.',
  },
  evidence_signature: {
    group: 'Hardware', title: 'Evidence signature',
    meaning: 'The evidence was signed by that chip and has not been changed.',
  },
  collateral_fresh: {
    group: 'Hardware', title: 'Vendor data in date',
    meaning: 'What the vendor publishes about its chips was still valid when it was used.',
  },
  revocation: {
    group: 'Hardware', title: 'Revocation',
    meaning: 'None of the certificates in the chain has been revoked.',
  },
  tcb_status: {
    group: 'Hardware', title: 'Firmware level',
    meaning: 'The firmware of the machine against what the vendor calls up to date.',
  },
  debug_off: {
    group: 'Hardware', title: 'Debug mode',
    meaning: 'With debugging on, the host could read the memory of the protected machine.',
  },
  measurement: {
    group: 'Program', title: 'Program measurement',
    meaning: 'The program that started is a published release, to the byte.',
  },
  configuration: {
    group: 'Program', title: 'Configuration',
    meaning: 'The settings in force are measured too, so none was added afterwards.',
  },
  gpu: {
    group: 'Program', title: 'GPU',
    meaning: 'Whether a GPU takes part, and its own evidence if so.',
  },
  model_root: {
    group: 'Program', title: 'Model',
    meaning: 'The weights that were loaded are those of the model you chose.',
  },
  channel_binding: {
    group: 'Channel', title: 'Channel binding',
    meaning: 'The evidence was made for this connection and cannot come from another.',
  },
  key_binding: {
    group: 'Channel', title: 'Encryption key',
    meaning: 'The key that your text was sealed to lives in the machine that proved itself.',
  },
  ledger_record: {
    group: 'Ledger', title: 'Ledger record',
    meaning: 'The machine is registered on the ledger, and the gateway holds a proof of it.',
  },
  ledger_quorum: {
    group: 'Ledger', title: 'Ledger quorum',
    meaning: 'More than two thirds of the validators signed the block that was read.',
  },
  policy: {
    group: 'Ledger', title: 'Policy',
    meaning: 'The rules that decided: vendor, network, community, and your own.',
  },
  confirmed_before_compute: {
    group: 'Ledger', title: 'Confirmed before computing',
    meaning: 'The gateway confirmed the machine first; only then could it work on your text.',
  },
  receipt_signature: {
    group: 'Answer', title: 'Receipt signature',
    meaning: 'The machine signed for this question and this answer with its own key.',
  },
};

export function check_words(name: string): CheckWords {
  if (Object.hasOwn(kChecks, name)) return kChecks[name]!;
  return {group: 'Other', title: name === '' ? 'Unnamed check' : name, meaning: ''};
}
