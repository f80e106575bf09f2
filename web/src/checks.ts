// What each check of a trust report means, in plain words, and which part of the chain it belongs
// to. A name that is not here is shown as it came, under "Other".

export interface CheckWords {
  group: string;
  title: string;
  meaning: string;
}

const kChecks: Record<string, CheckWords> = {
  vendor_root: {
    group: 'Hardware',
    title: 'Hardware vendor',
    meaning:
      'Does the evidence lead back to a key of the chip maker that is built into the gateway?',
  },
  evidence_signature: {
    group: 'Hardware',
    title: 'Evidence signature',
    meaning: 'Did that chip sign the evidence, and is it unchanged?',
  },
  collateral_fresh: {
    group: 'Hardware',
    title: 'Vendor data in date',
    meaning: 'Was what the vendor publishes about its chips still valid when it was used?',
  },
  revocation: {
    group: 'Hardware',
    title: 'Revocation',
    meaning: 'Are all certificates of the chain still in force?',
  },
  tcb_status: {
    group: 'Hardware',
    title: 'Firmware level',
    meaning: 'How does the firmware compare with what the vendor calls up to date?',
  },
  debug_off: {
    group: 'Hardware',
    title: 'Debug mode',
    meaning: 'With debugging on, the host could read the memory of the protected machine.',
  },
  measurement: {
    group: 'Program',
    title: 'Program measurement',
    meaning: 'Is the program that started a published release, to the byte?',
  },
  configuration: {
    group: 'Program',
    title: 'Configuration',
    meaning: 'Are the settings in force the ones that were measured?',
  },
  gpu: {
    group: 'Program',
    title: 'GPU',
    meaning: 'Does a GPU take part, and did it prove itself too?',
  },
  model_root: {
    group: 'Program',
    title: 'Model',
    meaning: 'Are the weights that were loaded those of the model you chose?',
  },
  channel_binding: {
    group: 'Channel',
    title: 'Channel binding',
    meaning: 'Was the evidence made for this very connection?',
  },
  key_binding: {
    group: 'Channel',
    title: 'Encryption key',
    meaning: 'Does the key that your text was encrypted to live in the machine that proved itself?',
  },
  ledger_record: {
    group: 'Ledger',
    title: 'Ledger record',
    meaning: 'Is the machine registered on the ledger, with a proof of it?',
  },
  ledger_quorum: {
    group: 'Ledger',
    title: 'Ledger quorum',
    meaning: 'Did more than two thirds of the validators sign the block that was read?',
  },
  policy: {
    group: 'Ledger',
    title: 'Policy',
    meaning:
      'What do the rules say: those of the vendor, the network, the community, and your own?',
  },
  confirmed_before_compute: {
    group: 'Ledger',
    title: 'Confirmed before computing',
    meaning: 'Was the machine confirmed first, before it could work on your text?',
  },
  receipt_signature: {
    group: 'Answer',
    title: 'Receipt signature',
    meaning: 'Did the machine sign for this question and this answer with its own key?',
  },
};

export function check_words(name: string): CheckWords {
  if (Object.hasOwn(kChecks, name)) return kChecks[name]!;
  return {group: 'Other', title: name === '' ? 'Unnamed check' : name, meaning: ''};
}
