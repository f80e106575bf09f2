// The ledger's types, for whoever reads, sends or judges something of the ledger.
export * from './records';
export * from './codes';
export * from './ed25519';
export * from './genesis';
export * from './receipt';
export * from './tx';
